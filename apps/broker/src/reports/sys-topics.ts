/**
 * The `$SYS` topics: numbers about the broker as retained messages, by the names that mosquitto gave them, so that dashboards
 * made for it work. A topic is published again only when its text has changed. docs/sys-topics.md explains each.
 */
import { type Cancel, Counters, every, Message, type HeaderCodec, targetsOf, Traffic, type VirtualHost } from '@ternmq/core'

const PREFIX = '$SYS/broker/'

/** Averages over so many minutes, as a Unix load average: recent minutes count more. */
const LOAD_MINUTES = [1, 5, 15] as const

/** A message of our own has no headers in any protocol. */
const noHeaders: HeaderCodec = {
  id: 'sys',
  decode: () => ({ properties: [] }),
  encode: () => new Uint8Array(0),
}

export interface SysTopicsOptions {
  readonly vhost: VirtualHost
  readonly version: string
  /** Connections accepted since the start. */
  readonly connectionsAccepted: () => number
}

interface Load {
  readonly name: string
  readonly total: () => number
  lastTotal: number
  readonly perMinute: number[]
}

export class SysTopics {
  readonly #options: SysTopicsOptions
  readonly #startedAtMs: number
  readonly #lastText = new Map<string, string>()
  readonly #loads: readonly Load[]
  #lastAtMs: number
  #connectedMax = 0
  /** Not the broker's: what came in is what others published. */
  readonly #traffic = new Traffic(new Counters())
  #cancel: Cancel = () => {}

  /** Nothing is published before `use`. */
  constructor(options: SysTopicsOptions) {
    this.#options = options
    const { vhost } = options
    this.#startedAtMs = this.#lastAtMs = vhost.env.clock.monoMs()
    const load = (name: string, total: () => number): Load => ({
      name,
      total,
      lastTotal: 0,
      perMinute: LOAD_MINUTES.map(() => 0),
    })
    this.#loads = [
      load('messages/received', () => vhost.counters.messagesIn),
      load('messages/sent', () => vhost.counters.messagesOut),
      load('publish/received', () => vhost.counters.messagesIn),
      load('publish/sent', () => vhost.counters.messagesOut),
      load('publish/dropped', () => vhost.counters.droppedOverLimit),
      load('connections', options.connectionsAccepted),
    ]
  }

  /** Publishes now and then every `intervalSeconds`; 0 publishes no more. */
  use(intervalSeconds: number): void {
    this.close()
    if (intervalSeconds === 0) return
    this.#publishAll()
    this.#cancel = every(this.#options.vhost.env.clock, intervalSeconds * 1000, () => this.#publishAll(), () => (this.#isRead ? 0 : Infinity))
  }

  close(): void {
    this.#cancel()
  }

  /** Somebody gets them one by one, not only the last. */
  get #isRead(): boolean {
    const { router } = this.#options.vhost
    for (const name of this.#lastText.keys()) if (targetsOf(router.routeOf(PREFIX + name)).length > 0) return true
    return false
  }

  #publishAll(): void {
    for (const [name, value] of Object.entries(this.#values())) this.#publish(name, String(value))
    this.#publishLoads()
  }

  #values(): Record<string, string | number> {
    const { vhost, version } = this.#options
    const { counters, sessions, retained, router, shared, env } = vhost
    const connected = sessions.connectedCount
    this.#connectedMax = Math.max(this.#connectedMax, connected)
    return {
      version: `TernMQ version ${version}`,
      uptime: `${Math.floor((env.clock.monoMs() - this.#startedAtMs) / 1000)} seconds`,
      'clients/connected': connected,
      'clients/disconnected': sessions.count - connected,
      'clients/total': sessions.count,
      'clients/maximum': this.#connectedMax,
      'messages/received': counters.messagesIn,
      'messages/sent': counters.messagesOut,
      'publish/messages/received': counters.messagesIn,
      'publish/messages/sent': counters.messagesOut,
      'publish/messages/dropped': counters.droppedOverLimit,
      'publish/bytes/received': counters.bytesIn,
      'publish/bytes/sent': counters.bytesOut,
      'retained messages/count': retained.count,
      'subscriptions/count': router.bindingCount,
      'shared_subscriptions/count': shared.count,
    }
  }

  #publishLoads(): void {
    const nowMs = this.#options.vhost.env.clock.monoMs()
    const minutes = (nowMs - this.#lastAtMs) / 60_000
    this.#lastAtMs = nowMs
    for (const load of this.#loads) {
      const total = load.total()
      const rate = minutes > 0 ? (total - load.lastTotal) / minutes : 0
      load.lastTotal = total
      LOAD_MINUTES.forEach((span, index) => {
        const kept = Math.exp(-minutes / span)
        const average = kept * (load.perMinute[index] ?? 0) + (1 - kept) * rate
        load.perMinute[index] = average
        this.#publish(`load/${load.name}/${span}min`, average.toFixed(2))
      })
    }
  }

  /** At most once: a reader that was away wants the present number, not all that it missed. */
  #publish(name: string, text: string): void {
    if (this.#lastText.get(name) === text) return
    this.#lastText.set(name, text)
    const { vhost } = this.#options
    const topic = PREFIX + name
    const bytes = Buffer.from(text)
    vhost.publish(
      vhost.router.routeOf(topic),
      new Message({
        topic,
        codec: noHeaders,
        bytes,
        start: 0,
        headerStart: 0,
        bodyStart: 0,
        end: bytes.length,
        assurance: 0,
        durable: false,
        retain: true,
        expiresAtMs: 0,
        publisher: undefined,
      }),
      this.#traffic,
    )
  }
}
