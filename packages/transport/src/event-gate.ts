/**
 * Keeps a flood of bad connections from becoming a flood of log lines: the first event of a kind passes at once, those of the
 * next second are counted and told as one.
 */
import type { Clock } from '@ternmq/core'

import type { ListenerEvent } from './listener.ts'

/** At most one event per kind in this time. */
const GATE_MS = 1_000

interface Held {
  /** The latest that was held back; undefined when none was. */
  latest: Omit<ListenerEvent, 'count'> | undefined
  count: number
}

export class EventGate {
  readonly #clock: Clock
  readonly #tell: (event: ListenerEvent) => void
  readonly #heldByKind = new Map<ListenerEvent['kind'], Held>()

  constructor(clock: Clock, tell: (event: ListenerEvent) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  report(event: Omit<ListenerEvent, 'count'>): void {
    const held = this.#heldByKind.get(event.kind)
    if (held !== undefined) {
      held.latest = event
      held.count++
      return
    }
    this.#hold(event.kind)
    this.#tell({ ...event, count: 1 })
  }

  #hold(kind: ListenerEvent['kind']): void {
    this.#heldByKind.set(kind, { latest: undefined, count: 0 })
    this.#clock.after(GATE_MS, () => this.#release(kind))
  }

  #release(kind: ListenerEvent['kind']): void {
    const held = this.#heldByKind.get(kind)
    this.#heldByKind.delete(kind)
    if (held?.latest === undefined) return
    this.#hold(kind)
    this.#tell({ ...held.latest, count: held.count })
  }
}
