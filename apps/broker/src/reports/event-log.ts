/**
 * Writes broker events to the log. What clients do must not fill a disk: of each kind of event at most so many lines a second
 * are written, the rest is counted and told in one line.
 */
import type { BrokerEvent, Cancel, Clock, EventKind } from '@ternmq/core'

import type { Log } from './log.ts'

/** Lines per second, kind and level. Beyond it events are only counted (and stay in the ring of recent events). */
export const LINES_PER_SECOND_MAX = 50

const SECOND_MS = 1_000

/** How a client that says goodbye ends, in the words of the adapters. */
const GOODBYE = 'client disconnected:'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** Of one kind at one level: what is not shown at all must not use up what is. */
interface Written {
  readonly kind: EventKind
  readonly level: Level
  lines: number
  unwritten: number
}

export class EventLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #second = new Map<string, Written>()
  #cancel: Cancel | undefined = undefined

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  readonly take = (event: BrokerEvent): void => {
    const level = levelOf(event)
    const { kind, source, listener, peer, clientId, user, clause, text } = event
    const key = `${level} ${kind}`
    let written = this.#second.get(key)
    if (written === undefined) this.#second.set(key, (written = { kind, level, lines: 0, unwritten: 0 }))
    if (written.lines >= LINES_PER_SECOND_MAX) {
      written.unwritten++
      return
    }
    written.lines++
    this.#cancel ??= this.#clock.after(SECOND_MS, () => this.#endSecond())
    this.#log[level]({ kind, source, listener, peer, clientId, user, clause }, text)
  }

  /** Tells what was not written so far. */
  close(): void {
    this.#cancel?.()
    this.#endSecond()
  }

  #endSecond(): void {
    this.#cancel = undefined
    for (const { kind, level, unwritten } of this.#second.values()) {
      if (unwritten > 0)
        this.#log[level]({ kind, unwritten }, `${unwritten} more events of kind '${kind}' within a second`)
    }
    this.#second.clear()
  }
}

/** Who comes and goes as agreed is of no interest; who is cut off is; who is turned away may be an attack or a mistake of ours. */
function levelOf({ kind, text }: BrokerEvent): Level {
  switch (kind) {
    case 'connected':
      return 'debug'
    case 'disconnected':
      return text.startsWith(GOODBYE) ? 'debug' : 'info'
    case 'refused':
    case 'limit':
    case 'hint':
      return 'warn'
    case 'failure':
      return 'error'
  }
}
