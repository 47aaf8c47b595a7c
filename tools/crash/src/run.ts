/**
 * The loop: load, SIGKILL at a random moment, restart on the same data directory. After some kills a round ends: nobody sends any
 * more, everything is drained, the broker stops in peace and starts once more, and the history of the round is judged.
 */
import { BrokerProcess } from '@ternmq/lab'
import { SeededRandom } from '@ternmq/testkit'
import { setTimeout as wait } from 'node:timers/promises'

import { type Clients, clientsFor } from './clients.ts'
import { Load } from './load.ts'

/** More would keep too long a history. */
const KILLS_PER_ROUND = 20
/** A life between the return of all clients and its end. Foreign programs come back after a second. */
const LIFE_MS = { least: 20, most: 400 }
const FOREIGN_LIFE_MS = { least: 1_500, most: 2_500 }
/** One life in so many ends before anybody is back. */
const SUDDEN_EVERY = 5
/** Without any step for so long, nothing will come any more, be the machine as busy as it may. */
const STANDSTILL_MS_MAX = 60_000
const LOOK_EVERY_MS = 20
const VIOLATIONS_TOLD = 10

/** Small segments, so that rolling, reclaim, compaction and snapshots happen; nothing is given up for being in the way of a kill often. */
const CONFIG = {
  store: { segmentBytes: 1_048_576 },
  queues: { redelivery: { maxDeliveries: 0 } },
  mqtt: { maxQueuedMessages: 1_000_000, maxQueuedBytes: 1_073_741_824 },
}

export interface CrashOptions {
  readonly kills: number
  /** Ends earlier, with the round. */
  readonly secondsMax?: number
  readonly seed: number
  /** mosquitto_pub, mosquitto_sub and paho for Python take part. They must be installed. */
  readonly withForeign?: boolean
  /** Laid over what the run sets itself, section by section. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** For who knows that something is lost, and has not to wait for long. */
  readonly standstillMsMax?: number
  readonly onRound?: (text: string) => void
  readonly signal?: AbortSignal
}

export interface CrashReport {
  readonly kills: number
  /** Deliveries taken, repeats included once. */
  readonly deliveries: number
  readonly events: number
  /** From the start of the process until it accepts, in ms, one for each restart. */
  readonly restartsMs: readonly number[]
}

/** Rejects with what is wrong, the seed, and where the data directory and the log of the broker are left. */
export async function runCrashes(options: CrashOptions): Promise<CrashReport> {
  const listeners = { mqtt: 0, amqp: 0 }
  const broker = await BrokerProcess.start({ listeners, config: { ...CONFIG, ...options.config } })
  const ports = { mqtt: broker.port('mqtt'), amqp: broker.port('amqp') }
  const { publishers, all } = clientsFor(ports, options.withForeign ?? false)
  try {
    return await new Run(options, broker, { publishers, all }).toEnd()
  } catch (cause) {
    broker.keep()
    throw new Error(`seed ${options.seed}: ${(cause as Error).message}\n${whereToLook(broker)}`, { cause })
  } finally {
    for (const client of all) await client[Symbol.asyncDispose]()
    await broker.stop()
  }
}

function whereToLook({ folder, dataDir }: BrokerProcess): string {
  return [
    `The data directory is kept: ${dataDir}`,
    `  npm run -s ternmq -- store verify --data-dir ${dataDir}`,
    `  npm run -s ternmq -- store inspect --data-dir ${dataDir}`,
    `  the log of all lives: ${folder}/broker.log`,
  ].join('\n')
}

function toldOf(violations: readonly string[]): string {
  const told = violations.slice(0, VIOLATIONS_TOLD).map((text) => `  ${text}`)
  return [`${violations.length} violations:`, ...told].join('\n')
}

class Run {
  readonly #options: CrashOptions
  readonly #broker: BrokerProcess
  readonly #clients: Clients
  readonly #random: SeededRandom
  readonly #restartsMs: number[] = []
  #kills = 0
  #deliveries = 0
  #events = 0

  constructor(options: CrashOptions, broker: BrokerProcess, clients: Clients) {
    this.#options = options
    this.#broker = broker
    this.#clients = clients
    this.#random = new SeededRandom(options.seed)
  }

  async toEnd(): Promise<CrashReport> {
    const { kills, secondsMax = Infinity, seed, onRound, signal } = this.#options
    const startedMs = performance.now()
    const isTime = (): boolean => performance.now() - startedMs < secondsMax * 1_000 && signal?.aborted !== true
    while (this.#kills < kills && isTime()) {
      const load = new Load(seed)
      await this.#round(load, Math.min(KILLS_PER_ROUND, kills - this.#kills), isTime)
      this.#deliveries += load.takenCount
      this.#events += load.history.eventCount
      onRound?.(`${this.#kills} kills, ${this.#deliveries} deliveries, nothing lost and nothing back`)
    }
    return {
      kills: this.#kills,
      deliveries: this.#deliveries,
      events: this.#events,
      restartsMs: this.#restartsMs,
    }
  }

  async #round(load: Load, kills: number, isTime: () => boolean): Promise<void> {
    const { all, publishers } = this.#clients
    for (const client of all) client.use(load)
    // Consumers are first: they have subscribed before anything is sent.
    for (const client of all) await client.back()
    for (const client of all) client.pause(false)
    for (let count = 0; count < kills && (count === 0 || isTime()); count++) await this.#life(load)
    for (const client of all) client.pause(true)
    await this.#allBack()
    await this.#drain(load)

    await Promise.all(all.map((client) => client.flush()))
    await this.#broker.pause()
    await Promise.all(all.map((client) => client.gone()))
    for (const client of all) client.forgiveEnd()
    load.brokerEndedInPeace()
    await this.#restart()
    await this.#allBack()
    // Behind these nothing old can come.
    await Promise.all(publishers.map((publisher) => publisher.publish()))
    await this.#drain(load)
    const violations = load.violations()
    if (violations.length > 0) throw new Error(toldOf(violations))
  }

  async #life(load: Load): Promise<void> {
    const { least, most } = this.#options.withForeign === true ? FOREIGN_LIFE_MS : LIFE_MS
    await wait(least + this.#random.below(most - least))
    this.#kills++
    await this.#broker.kill()
    await Promise.all(this.#clients.all.map((client) => client.gone()))
    load.brokerEnded()
    await this.#restart()
    if (this.#random.below(SUDDEN_EVERY) > 0) await this.#allBack()
  }

  async #restart(): Promise<void> {
    this.#checkFaults()
    this.#restartsMs.push(await this.#broker.startAgain())
  }

  async #allBack(): Promise<void> {
    await Promise.all(this.#clients.all.map((client) => client.back()))
    this.#checkFaults()
  }

  /** Until everything is answered and has come. */
  async #drain(load: Load): Promise<void> {
    const { standstillMsMax = STANDSTILL_MS_MAX } = this.#options
    let stepsMs = performance.now()
    for (let steps = load.steps; load.unconfirmedCount > 0 || load.underWayCount > 0; await wait(LOOK_EVERY_MS)) {
      this.#checkFaults()
      const nowMs = performance.now()
      if (load.steps !== steps) stepsMs = nowMs
      steps = load.steps
      if (nowMs - stepsMs <= standstillMsMax) continue
      throw new Error(`nothing has moved for ${standstillMsMax} ms: ${load.describe()}\n${toldOf(load.violations())}`)
    }
  }

  #checkFaults(): void {
    const faults = this.#clients.all.map(({ fault }) => fault).filter((fault) => fault !== undefined)
    if (faults.length > 0) throw new Error(faults.join('; '))
  }
}
