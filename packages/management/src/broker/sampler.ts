/**
 * Reads the broker's counters each second, as long as somebody looks: while there is a stream, and for a minute after the last call that
 * wanted rates. When nobody looks, nothing is read. All streams have their tick from the one timer that is here.
 */
import type { OverviewSample, Rates, Totals } from '@ternmq/api'
import {
  type AdminConnection,
  type Cancel,
  COUNTER_LABELS,
  type CounterLabel,
  type Counters,
  every,
  type Queue,
  type VirtualHost,
} from '@ternmq/core'
import { type Depths, depthsOf } from './depths.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { type MessageCounts, type MessageRate, MessageRates } from './message-rates.ts'
import { type Sample, SampleRing } from './sample-ring.ts'
import { ratesBetween, totalsOf } from './totals.ts'

/** Between two samples. */
const INTERVAL_MS = 1_000
/** Sampling goes on for so long after the last call that wanted rates. */
const ASKED_MS = 60_000
/** Queues and sessions that are looked at in one second; with more of them, `depths` are of a few seconds ago. */
const LOOKED_AT_MAX = 50_000

/** One moment, with what it was reckoned from. */
interface Reading {
  readonly monoMs: number
  readonly totals: Totals
  /** Since the one before; undefined where there was none. */
  readonly rates: Rates | undefined
}

export class Sampler {
  readonly #broker: ManagedBroker
  readonly #ticks = new Set<() => void>()
  readonly #samples = new SampleRing()
  readonly #queueRates = new MessageRates<Queue>((queue) => queue)
  readonly #sharedRates = new MessageRates<Queue>((queue) => queue)
  readonly #connectionRates = new MessageRates(trafficOf)
  readonly #byProtocol = new Map<CounterLabel, Reading>()
  #last: Reading | undefined = undefined
  #depths: Depths | undefined = undefined
  /** Samples until queues and sessions are looked at again. */
  #depthsIn = 0
  #askedAtMonoMs = 0
  /** Connections are gone through only for those who look at them. */
  #askedConnectionsAtMonoMs = -Infinity
  #cancel: Cancel | undefined = undefined

  constructor(broker: ManagedBroker) {
    this.#broker = broker
  }

  /** Nobody has looked for a while, and nothing is read. */
  get isIdle(): boolean {
    return this.#cancel === undefined
  }

  /** Calls `tick` after each sample from now on, until what is returned is called. */
  watch(tick: () => void): Cancel {
    const own = (): void => tick()
    this.#ticks.add(own)
    this.#start()
    return () => void this.#ticks.delete(own)
  }

  /** Somebody wants rates: they are there when he asks again within the next minute. */
  ask(): void {
    this.#askedAtMonoMs = this.#broker.vhost.env.clock.monoMs()
    this.#start()
  }

  /** As `ask`, of connections too. */
  askConnections(): void {
    this.#askedConnectionsAtMonoMs = this.#broker.vhost.env.clock.monoMs()
    this.ask()
  }

  /** Over the last second, after `watch` or `ask`. Undefined until there are two samples. */
  get rates(): Rates | undefined {
    return this.#last?.rates
  }

  get depths(): Depths {
    return (this.#depths ??= depthsOf(this.#broker.vhost))
  }

  ratesOfProtocol(protocol: CounterLabel): Rates | undefined {
    return this.#byProtocol.get(protocol)?.rates
  }

  /** Undefined until there are two samples of the queue. */
  ratesOfQueue(queue: Queue): MessageRate | undefined {
    return this.#queueRates.of(queue) ?? this.#sharedRates.of(queue)
  }

  /** Undefined until there are two samples of the connection after `askConnections`. */
  ratesOfConnection(connection: AdminConnection): MessageRate | undefined {
    return this.#connectionRates.of(connection)
  }

  /** Of the last ten minutes, as far as somebody looked; the oldest first. */
  history(): OverviewSample[] {
    return this.#samples.all()
  }

  /** The latest; undefined before the first. */
  get latest(): OverviewSample | undefined {
    return this.#samples.latest
  }

  /** Messages that were dead-lettered within the last `ms`, as far as somebody looked. */
  deadLetteredWithin(ms: number): number {
    return this.#samples.deadLetteredSince(this.#broker.vhost.env.clock.wallMs() - ms)
  }

  /** The broker ends. */
  close(): void {
    this.#ticks.clear()
    this.#stop()
  }

  #start(): void {
    if (this.#cancel !== undefined) return
    this.#sample()
    // A clock that a test moves must not be stopped by somebody who looks: no tick is worth less than another.
    this.#cancel = every(
      this.#broker.vhost.env.clock,
      INTERVAL_MS,
      () => this.#tick(),
      () => 0,
    )
  }

  #stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#last = undefined
    this.#depths = undefined
    this.#depthsIn = 0
    this.#byProtocol.clear()
    this.#queueRates.clear()
    this.#sharedRates.clear()
    this.#connectionRates.clear()
  }

  #tick(): void {
    const { clock } = this.#broker.vhost.env
    if (this.#ticks.size === 0 && clock.monoMs() - this.#askedAtMonoMs > ASKED_MS) return this.#stop()
    this.#sample()
    for (const tick of this.#ticks) tick()
  }

  #sample(): void {
    const { vhost } = this.#broker
    const nowMs = vhost.env.clock.monoMs()
    const seconds = this.#last === undefined ? 0 : (nowMs - this.#last.monoMs) / 1_000
    this.#look()
    this.#last = readingOf(vhost.counters, this.#last, nowMs)
    for (const label of COUNTER_LABELS)
      this.#byProtocol.set(label, readingOf(vhost.countersBy[label], this.#byProtocol.get(label), nowMs))
    this.#queueRates.sample(namedQueues(vhost), vhost.destinations.count, seconds)
    this.#sharedRates.sample(vhost.shared.queues(), vhost.shared.count, seconds)
    if (nowMs - this.#askedConnectionsAtMonoMs > ASKED_MS) this.#connectionRates.clear()
    else this.#connectionRates.sample(vhost.connections.all(), vhost.connections.count, seconds)
    this.#samples.push(this.#sampleOf(this.#last))
  }

  /** At queues and sessions; not each second where there are very many. */
  #look(): void {
    if (this.#depths !== undefined && --this.#depthsIn > 0) return
    const { vhost } = this.#broker
    this.#depths = depthsOf(vhost)
    this.#depthsIn = Math.ceil((vhost.destinations.count + vhost.sessions.count) / LOOKED_AT_MAX)
  }

  #sampleOf({ totals, rates }: Reading): Sample {
    const { vhost } = this.#broker
    const { memory, cpuShare } = this.#broker.resources()
    const { readyCount, inflightCount } = this.depths
    return {
      atMs: vhost.env.clock.wallMs(),
      rates,
      readyCount,
      inflightCount,
      connections: vhost.connections.count,
      rssBytes: memory.rssBytes,
      cpuShare,
      deadLettered: totals.deadLettered,
    }
  }
}

function* namedQueues({ destinations }: VirtualHost): Generator<Queue> {
  for (const { queue } of destinations.all()) yield queue
}

/** NaN, and so has no rate: a session that is resumed comes with all that it had before. */
const NO_TRAFFIC: MessageCounts = { messagesIn: NaN, messagesOut: NaN }

/** Of its session, which it has once it was let in. */
function trafficOf(connection: AdminConnection): MessageCounts {
  return connection.facts().session?.traffic ?? NO_TRAFFIC
}

function readingOf(counters: Readonly<Counters>, before: Reading | undefined, monoMs: number): Reading {
  const totals = totalsOf(counters)
  const seconds = before === undefined ? 0 : (monoMs - before.monoMs) / 1_000
  const rates = before === undefined || seconds <= 0 ? undefined : ratesBetween(before.totals, totals, seconds)
  return { monoMs, totals, rates }
}
