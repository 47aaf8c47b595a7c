/** What a stream watches of the broker as a whole. */
import type { OperationItem } from '@ternmq/api'
import type { Cancel, Events } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import type { EventSink } from '../handlers.ts'
import type { Operations } from '../operations/operations.ts'
import { eventItem } from '../broker/overview.ts'
import type { Sampler } from '../broker/sampler.ts'
import type { Send, Watch } from './stream-watch.ts'

export class OverviewWatch implements Watch {
  readonly name = 'overview'
  readonly #sampler: Sampler

  constructor(sampler: Sampler) {
    this.#sampler = sampler
  }

  tick(send: Send): boolean {
    const { latest } = this.#sampler
    if (latest !== undefined) send('overview', latest)
    return true
  }
}

/** Events that are sent in one go to somebody who has missed some; then he must have read them. */
const EVENTS_BATCH_MAX = 100

/**
 * Events as they happen, with their ids: whoever begins again says which he had last. Events remembers them, so that one who reads slowly
 * gets them later; only those that it has forgotten by then are missed. Whoever had one of an earlier process is told that, and gets all of this one.
 */
export class EventsWatch implements Watch {
  readonly name = 'events'
  readonly #events: Events
  readonly #sink: EventSink
  readonly #cancel: Cancel
  /** The last that was sent, or missed. */
  #lastId: number
  /** He had one of an earlier process, and has not been told yet. */
  #isRestarted: boolean

  /** `lastEventId`: the last that he has; undefined begins with what comes now. Throws ApiError('BUSY') when too many listen. */
  constructor(events: Events, sink: EventSink, lastEventId: number | undefined) {
    this.#events = events
    this.#sink = sink
    const lastId = lastEventId ?? events.lastId
    this.#isRestarted = !events.hasCounted(lastId)
    this.#lastId = this.#isRestarted ? events.bornId : lastId
    const cancel = events.listen(() => this.#catchUp())
    if (cancel === undefined)
      throw new ApiError('BUSY', 'too many listen to events already; close pages of the console that nobody looks at')
    this.#cancel = cancel
  }

  tick(): boolean {
    this.#catchUp()
    return true
  }

  close(): void {
    this.#cancel()
  }

  #catchUp(): void {
    if (this.#isRestarted && this.#sink.writable) {
      this.#isRestarted = false
      this.#sink.send('restarted', {})
    }
    while (this.#sink.writable && this.#lastId < this.#events.lastId) {
      const events = this.#events.after(this.#lastId, EVENTS_BATCH_MAX)
      const { lastId } = this.#events
      // A broker may be set to remember none.
      const missed = (events[0]?.id ?? lastId + 1) - this.#lastId - 1
      if (missed > 0) this.#sink.send('missed', { count: missed })
      for (const event of events) this.#sink.send('event', eventItem(event), event.id)
      this.#lastId = events.at(-1)?.id ?? lastId
    }
  }
}

/** Those that have got on since the last second, or ended. */
export class OperationsWatch implements Watch {
  readonly name = 'operations'
  readonly #operations: Pick<Operations, 'list'>
  #states: ReadonlyMap<string, string> | undefined = undefined

  constructor(operations: Pick<Operations, 'list'>) {
    this.#operations = operations
  }

  tick(send: Send): boolean {
    const before = this.#states
    const items = this.#operations.list()
    this.#states = new Map(items.map((item) => [item.id, stateOf(item)]))
    // The first time: those that run, to begin with.
    for (const item of items) {
      if (before === undefined ? item.state === 'running' : before.get(item.id) !== stateOf(item))
        send('operation', item)
    }
    return true
  }
}

function stateOf({ state, doneCount, skippedCount, refusedCount, total }: OperationItem): string {
  return [state, doneCount, skippedCount, refusedCount, total].join(' ')
}
