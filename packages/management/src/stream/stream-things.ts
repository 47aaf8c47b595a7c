/** What a stream watches of one queue or one connection. */
import type { ConnectionSample } from '@ternmq/api'
import { connectionInfo } from '@ternmq/core'
import { connectionNamed } from '../clients/connections.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { findListed } from '../destinations/queue-list.ts'
import type { Sampler } from '../broker/sampler.ts'
import type { Send, Watch } from './stream-watch.ts'

export class QueueWatch implements Watch {
  readonly name: string
  readonly #queue: string
  readonly #broker: ManagedBroker
  readonly #sampler: Sampler

  constructor(name: string, queue: string, broker: ManagedBroker, sampler: Sampler) {
    this.name = name
    this.#queue = queue
    this.#broker = broker
    this.#sampler = sampler
  }

  tick(send: Send): boolean {
    const { vhost } = this.#broker
    const listed = findListed(vhost, this.#queue)
    if (listed === undefined) return false
    const { name, queue } = listed
    const { delayedCount } = queue.contents
    send('queue', {
      queue: name,
      atMs: vhost.env.clock.wallMs(),
      readyCount: queue.waitingCount,
      inflightCount: queue.inflightCount - delayedCount,
      delayedCount,
      consumerCount: queue.consumers.length,
      ...this.#sampler.ratesOfQueue(queue),
    })
    return true
  }
}

/** What a connection has counted at one moment. */
interface Reading {
  readonly monoMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly messagesIn: number
  readonly messagesOut: number
}

export class ConnectionWatch implements Watch {
  readonly name: string
  readonly #id: string
  readonly #broker: ManagedBroker
  #before: Reading | undefined = undefined

  constructor(name: string, id: string, broker: ManagedBroker) {
    this.name = name
    this.#id = id
    this.#broker = broker
  }

  tick(send: Send): boolean {
    const { vhost } = this.#broker
    const connection = connectionNamed(vhost, this.#id)
    if (connection === undefined) return false
    const { bytesIn, bytesOut, messagesIn, messagesOut, pendingBytes } = connectionInfo(connection)
    const now = { monoMs: vhost.env.clock.monoMs(), bytesIn, bytesOut, messagesIn, messagesOut }
    send('connection', {
      connection: this.#id,
      atMs: vhost.env.clock.wallMs(),
      ...(this.#before !== undefined && ratesBetween(this.#before, now)),
      pendingBytes,
    })
    this.#before = now
    return true
  }
}

type ConnectionRates = Omit<ConnectionSample, 'connection' | 'atMs' | 'pendingBytes'>

function ratesBetween(before: Reading, now: Reading): ConnectionRates {
  const seconds = Math.max((now.monoMs - before.monoMs) / 1_000, Number.MIN_VALUE)
  const rate = (name: Exclude<keyof Reading, 'monoMs'>): number => (now[name] - before[name]) / seconds
  return {
    bytesInPerSecond: rate('bytesIn'),
    bytesOutPerSecond: rate('bytesOut'),
    messagesInPerSecond: rate('messagesIn'),
    messagesOutPerSecond: rate('messagesOut'),
  }
}
