/**
 * Live data for one page of the console: whatever it watches comes over one stream, once a second. Who reads slowly misses seconds, which
 * the next one makes good; events come late instead, and those that are forgotten until then are counted.
 */
import { watchStream } from '@ternmq/api'
import type { Cancel } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bindStream, type Bound, type EventSink } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import type { Sampler } from '../broker/sampler.ts'
import { EventsWatch, OperationsWatch, OverviewWatch } from './stream-broker.ts'
import type { Operations } from '../operations/operations.ts'
import { ConnectionWatch, QueueWatch } from './stream-things.ts'
import type { Send, Watch } from './stream-watch.ts'
import { vhostOf } from '../vhost.ts'

/** What one stream watches at a time. */
const WATCHES_MAX = 16
/** Ticks in a row that had nothing to tell; then a heartbeat comes, by which a page knows a quiet broker from one that hangs. */
const QUIET_TICKS_MAX = 5
/** Streams at a time; beyond it another one is refused. */
export const STREAMS_MAX = 200

export function streamHandlers(broker: ManagedBroker, sampler: Sampler, operations: Pick<Operations, 'list'>): Bound[] {
  let streamCount = 0
  return [
    bindStream(watchStream, ({ query, lastEventId }, sink) => {
      vhostOf(broker, { vhost: query.vhost ?? broker.vhost.name })
      const names = namesIn(query.watch)
      if (streamCount >= STREAMS_MAX) {
        throw new ApiError(
          'BUSY',
          `${streamCount} streams are open, the limit (STREAMS_MAX); close pages of the console that nobody looks at`,
        )
      }
      const watches = names.map((name) => watchOf(name, { broker, sampler, operations, sink, lastEventId }))
      streamCount++
      const stream = new Stream(watches, sampler, sink)
      return () => {
        if (stream.close()) streamCount--
      }
    }),
  ]
}

/** Throws ApiError('INVALID') for what cannot be watched. */
function namesIn(watch: string): string[] {
  const names = [...new Set(watch.split(',').filter((name) => name !== ''))]
  if (names.length > 0 && names.length <= WATCHES_MAX) return names
  const detail =
    names.length === 0
      ? 'nothing is to be watched'
      : `${names.length} things are to be watched, at most ${WATCHES_MAX} can be`
  throw new ApiError('INVALID', `${detail}; name some of: ${KINDS}`, { field: 'watch', value: watch, rule: RULE })
}

interface WatchParts {
  readonly broker: ManagedBroker
  readonly sampler: Sampler
  readonly operations: Pick<Operations, 'list'>
  readonly sink: EventSink
  readonly lastEventId: number | undefined
}

function watchOf(name: string, { broker, sampler, operations, sink, lastEventId }: WatchParts): Watch {
  const at = name.indexOf(':')
  const kind = at < 0 ? name : name.slice(0, at)
  const rest = at < 0 ? undefined : decoded(name.slice(at + 1))
  if (rest === undefined || rest === '') {
    if (name === 'overview') return new OverviewWatch(sampler)
    if (name === 'events') return new EventsWatch(broker.events, sink, lastEventId)
    if (name === 'operations') return new OperationsWatch(operations)
  } else {
    if (kind === 'queue') return new QueueWatch(name, rest, broker, sampler)
    if (kind === 'connection') return new ConnectionWatch(name, rest, broker)
  }
  throw new ApiError('INVALID', `'${name}' cannot be watched; ${KINDS} can`, {
    field: 'watch',
    value: name,
    rule: RULE,
  })
}

const KINDS = 'overview, events, operations, queue:NAME, connection:ID'
const RULE: string = `1 to ${WATCHES_MAX} of ${KINDS}, with commas between them; in names , is %2C and % is %25`

/** Undefined for a text that is not encoded so. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined // a % that begins nothing: it is told as a name that cannot be watched
  }
}

class Stream {
  readonly #watches: Set<Watch>
  readonly #sink: EventSink
  readonly #cancel: Cancel
  #quietTicks = 0
  #isClosed = false

  constructor(watches: readonly Watch[], sampler: Sampler, sink: EventSink) {
    this.#watches = new Set(watches)
    this.#sink = sink
    this.#cancel = sampler.watch(() => this.#tick())
    this.#tick()
  }

  /** False when it was closed already. */
  close(): boolean {
    if (this.#isClosed) return false
    this.#isClosed = true
    this.#cancel()
    for (const watch of this.#watches) watch.close?.()
    this.#watches.clear()
    return true
  }

  #tick(): void {
    this.#quietTicks++
    const send: Send = (event, data, id) => {
      this.#quietTicks = 0
      this.#sink.send(event, data, id)
    }
    for (const watch of this.#watches) {
      if (!this.#sink.writable) return
      if (watch.tick(send)) continue
      watch.close?.()
      this.#watches.delete(watch)
      send('gone', { watch: watch.name })
    }
    if (this.#quietTicks >= QUIET_TICKS_MAX && this.#sink.writable) send('heartbeat', {})
  }
}
