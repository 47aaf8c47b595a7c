/** The benchmark without a kernel: two brokers in this process take turns. */
import { allowAll, DEFAULT_CORE_LIMITS, Events, VirtualHost } from '@ternmq/core'
import { DEFAULT_MQTT_SETTINGS, MqttAdapter } from '@ternmq/mqtt'
import { connectPipe, type PipeTransport, virtualEnv } from '@ternmq/testkit'
import { Outbox } from '@ternmq/transport'

import { Subscriber } from '../in-process/clients.ts'
import { connectPacket, subscribePacket } from '../wire.ts'
import { batchOf, FILTERS_PER_PACKET, filtersBySession, type Load, type Pair, type Sizes } from './plan.ts'

const MESSAGES_PER_BATCH = 1_000

class Bench {
  readonly #env = virtualEnv()
  readonly #outbox = new Outbox(this.#env.clock)
  readonly #adapter: MqttAdapter
  readonly #subscribers: readonly Subscriber[]
  readonly #publisher: PipeTransport

  constructor(subscriptions: number) {
    const vhost = new VirtualHost({ env: this.#env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
    const login = {
      begin: () => ({ kind: 'accepted' as const, principal: { name: 'anonymous', anonymous: true }, data: undefined }),
    }
    const events = new Events(this.#env.clock, 0)
    this.#adapter = new MqttAdapter({ vhost, login, settings: DEFAULT_MQTT_SETTINGS, events })
    this.#subscribers = filtersBySession(subscriptions).map((filters, index) => {
      const pipe = this.#open()
      const subscriber = new Subscriber(pipe)
      pipe.write(connectPacket(4, `s${index}`))
      for (let at = 0; at < filters.length; at += FILTERS_PER_PACKET) {
        pipe.write(subscribePacket(4, 1, filters.slice(at, at + FILTERS_PER_PACKET), 0))
      }
      this.#env.clock.settle()
      return subscriber
    })
    this.#publisher = this.#open()
    this.#publisher.write(connectPacket(4, 'publisher'))
    this.#env.clock.settle()
    if (vhost.router.bindingCount !== subscriptions)
      throw new Error(`${vhost.router.bindingCount} subscriptions, not ${subscriptions}`)
  }

  /** CPU per message in ns. */
  round(batch: Buffer, roundMs: number): number {
    const before = this.#received()
    const cpuBefore = process.cpuUsage()
    const startMs = performance.now()
    let batches = 0
    for (; performance.now() - startMs < roundMs; batches++) {
      this.#publisher.writeShared(batch)
      this.#env.clock.settle()
    }
    const { user, system } = process.cpuUsage(cpuBefore)
    const messages = this.#received() - before
    if (messages !== batches * MESSAGES_PER_BATCH)
      throw new Error(`${messages} messages arrived of ${batches * MESSAGES_PER_BATCH}`)
    return ((user + system) * 1_000) / messages
  }

  #open(): PipeTransport {
    return connectPipe({ clock: this.#env.clock, outbox: this.#outbox }, this.#adapter.accept)
  }

  #received(): number {
    return this.#subscribers.reduce((sum, { messages }) => sum + messages, 0)
  }
}

export function measureInProcess(
  loads: readonly Load[],
  sizes: Sizes,
  pairs: number,
  roundMs: number,
): Map<Load, Pair[]> {
  const few = new Bench(sizes.few)
  const many = new Bench(sizes.many)
  return new Map(
    loads.map((load) => {
      const batch = batchOf(load, MESSAGES_PER_BATCH)
      few.round(batch, roundMs)
      many.round(batch, roundMs)
      return [
        load,
        Array.from({ length: pairs }, () => ({ few: few.round(batch, roundMs), many: many.round(batch, roundMs) })),
      ]
    }),
  )
}
