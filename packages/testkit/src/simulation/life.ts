/**
 * One life of a broker in a simulated world: the journal on its disk, the virtual host on the journal, and the clients that
 * are connected. It ends by a crash, by a disk that fails, or by being closed.
 */
import { allowAll, DEFAULT_CORE_LIMITS, DEFAULT_QUEUE_SETTINGS, type QueueSettings, VirtualHost } from '@ternmq/core'
import { captureState, decodeState, type DurableState, emptyState, encodeState, readLog } from '@ternmq/core/log'
import type { DiskError } from '@ternmq/store'
import { type JournalEngine, openJournal } from '@ternmq/store/journal'
import type { SimulatedDisk } from '../simulated-disk.ts'
import type { SimulatedWorld } from '../simulated-world.ts'
import type { SeededRandom } from '../virtual-clock.ts'
import { ConsumerClient, ProducerClient, SIMULATION_CODEC, type Surroundings } from './clients.ts'
import { difference } from './comparison.ts'
import type { Ledger } from './ledger.ts'
import { ObservedEngine } from './observed-engine.ts'
import { observedDisk } from './observed-disk.ts'
import type { Variant } from './variants.ts'

/** Free bytes and reserve, so small that disks of a few hundred KiB fill. */
const SPACE = { minFreeBytes: 8_192, reserveBytes: 8_192 }
const SEGMENT_BYTES = [4_096, 16_384, 65_536, 1_048_576] as const
const CODECS = new Map([[SIMULATION_CODEC.id, SIMULATION_CODEC]])
/** Where messages and settles are: what fails elsewhere (a snapshot, the reserve) need not end the log. */
const SEGMENT = /\.seg$/

export const PRODUCERS: readonly string[] = ['p1', 'p2', 'p3']
/** Sessions that outlive their connections, and the topics they read. */
export const KEPT_SESSIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['s1', ['t1']],
  ['s2', ['t1', 't2']],
])

const { redelivery } = DEFAULT_QUEUE_SETTINGS
/** Beside the dead-letter queue, which is made by being used. */
export const QUEUES: ReadonlyMap<string, Partial<QueueSettings>> = new Map<string, Partial<QueueSettings>>([
  ['q1', {}],
  ['q2', { redelivery: { ...redelivery, deliveriesMax: 3, delayMs: 40, multiplier: 2 } }],
  ['q3', {}],
  ['q4', { messagesMax: 6, whenFull: 'reject', durability: 'page-cache' }],
])

export interface LifeOptions {
  readonly world: SimulatedWorld
  readonly ledger: Ledger
  readonly number: number
  readonly variant: Variant | undefined
}

export class Life implements Surroundings {
  readonly ledger: Ledger
  readonly world: SimulatedWorld
  readonly disk: SimulatedDisk
  readonly random: SeededRandom
  readonly vhost: VirtualHost
  readonly producers: ProducerClient[] = []
  /** By name of the session. */
  readonly kept: Map<string, ConsumerClient> = new Map()
  readonly readers: ConsumerClient[] = []
  /** The virtual host has said that its log has ended. */
  ended: Error | undefined = undefined
  /** The disk has failed: nothing may be confirmed any more. */
  broken: DiskError | undefined = undefined
  /** Perhaps only with something that can be done without. */
  hasDiskFailed = false
  /** What was found to be wrong inside of a callback. */
  failure: Error | undefined = undefined
  /** A settle or the like was refused: what lives is ahead of the log. */
  isAhead = false
  journal!: JournalEngine
  engine!: ObservedEngine
  #fold: DurableState = emptyState()
  readonly #variant: Variant | undefined
  readonly #number: number
  #attachments = 0

  constructor({ world, ledger, number, variant }: LifeOptions) {
    this.world = world
    this.ledger = ledger
    this.disk = world.disk
    this.random = world.random
    this.#variant = variant
    this.#number = number
    this.vhost = new VirtualHost({
      env: { clock: world.clock, random: world.random },
      name: '/',
      authorizer: allowAll,
      limits: DEFAULT_CORE_LIMITS,
      onLogEnded: (error) => {
        this.ended = error
        if (!this.disk.isCrashed) ledger.note(`the log has ended: ${error.message}`)
      },
    })
  }

  /** Rejects when the store does not open. */
  async open(): Promise<void> {
    const { clock } = this.world
    const disk = observedDisk(this.disk, (error) => {
      if (this.disk.isCrashed) return
      this.ledger.note(`the disk fails: ${error.message}`)
      this.hasDiskFailed = true
      if (SEGMENT.test(error.path)) this.broken ??= error
    })
    const segmentBytes = SEGMENT_BYTES[this.world.seed % SEGMENT_BYTES.length]!
    this.journal = await openJournal({ clock, disk }, { ...SPACE, segmentBytes })
    const { state } = await readLog(this.journal.partition(0), CODECS)
    this.#fold = state
    this.engine = new ObservedEngine(this.journal, {
      fold: state,
      variant: this.#variant,
      onSnapshot: (at, data) => this.#checkSnapshot(at, data),
      onBookkeepingRefused: (error) => {
        if (!this.isAhead) this.ledger.note(`bookkeeping is refused: ${error.message}`)
        this.isAhead = true
      },
    })
    await this.vhost.openLog(this.engine, [...CODECS.values()])
    if (this.disk.isCrashed) return
    this.#settleIn()
  }

  /** Queues, producers, kept sessions: as an operator and clients would have them after each start. */
  #settleIn(): void {
    const { destinations } = this.vhost
    for (const [name, settings] of QUEUES) {
      if (destinations.find(name) !== undefined) continue
      const defined = destinations.define({ name, settings })
      if (!defined.ok) throw new Error(`queue ${name}: ${defined.detail.text}`)
    }
    for (const name of PRODUCERS) this.producers.push(new ProducerClient(this, name))
    for (const name of KEPT_SESSIONS.keys()) this.connectKept(name)
  }

  // ── Surroundings ──

  isOver(): boolean {
    return this.disk.isCrashed
  }

  confirm(what: string): void {
    if (this.broken !== undefined)
      this.fail(new Error(`${what} is confirmed after the disk has failed: ${this.broken.message}`))
    else if (this.ended !== undefined)
      this.fail(new Error(`${what} is confirmed after the log has ended: ${this.ended.message}`))
  }

  fail(error: Error): void {
    if (!this.isOver()) this.failure ??= error
  }

  /** Hears what `promise` gives, in this life only; a rejection is wrong. */
  later<T>(promise: Promise<T>, onValue: (value: T) => void): void {
    promise.then(
      (value) => {
        if (!this.isOver()) onValue(value)
      },
      (error: unknown) => this.fail(error as Error),
    )
  }

  // ── clients ──

  /** One more of its connections reads; it must have none. */
  connectKept(name: string): void {
    const client = new ConsumerClient(this, name, this.#attachmentOf(name), true, 1 + this.random.below(6))
    this.kept.set(name, client)
    for (const topic of KEPT_SESSIONS.get(name)!) client.bind([topic])
    client.start()
  }

  disconnectKept(name: string): void {
    this.kept.get(name)?.disconnect()
    this.kept.delete(name)
  }

  connectReader(queues: readonly string[], creditMax: number): ConsumerClient {
    const name = this.#attachmentOf('r')
    const reader = new ConsumerClient(this, name, name, false, creditMax)
    for (const queue of queues) reader.read(queue)
    this.readers.push(reader)
    reader.start()
    return reader
  }

  disconnectReader(reader: ConsumerClient): void {
    this.readers.splice(this.readers.indexOf(reader), 1)
    reader.disconnect()
  }

  get consumers(): readonly ConsumerClient[] {
    return [...this.readers, ...this.kept.values()]
  }

  #attachmentOf(name: string): string {
    return `${name}#${this.#number}.${++this.#attachments}`
  }

  // ── comparisons; not of broken variants, which clients alone must find out ──

  /** What lives, against what has been committed so far. Only when nothing is on its way to the log. */
  compare(): void {
    if (
      this.#variant !== undefined ||
      !this.vhost.log.isIdle ||
      this.isAhead ||
      this.ended !== undefined ||
      this.isOver()
    )
      return
    const living = decodeState(encodeState(captureState(this.vhost)))
    const found = difference(living, this.#fold)
    if (found !== undefined) this.fail(new Error(`the living state (one) is not that of its records (other): ${found}`))
  }

  /** What a restart would read now, against the same. */
  async compareReplay(): Promise<void> {
    if (this.#variant !== undefined) return
    const { recordCount } = this.engine
    const { state } = await readLog(this.journal.partition(0), CODECS)
    if (recordCount !== this.engine.recordCount || this.isAhead || this.ended !== undefined || this.isOver()) return
    const found = difference(state, this.#fold)
    if (found !== undefined)
      this.fail(new Error(`what a restart would read (one) is not what was committed (other): ${found}`))
  }

  #checkSnapshot(at: number, data: readonly Uint8Array[]): void {
    this.ledger.note(`snapshot after record ${at}`)
    if (this.isAhead || this.#variant !== undefined) return
    const found = difference(decodeState(data), this.#fold, { linesOnly: true })
    if (found !== undefined)
      this.fail(new Error(`the snapshot (one) is not the state of its records (other): ${found}`))
  }

  /** After everything has been taken and settled: nothing is left, neither in memory nor in the store. */
  checkEmpty(): void {
    const { vhost, journal } = this
    for (const { name, queue } of vhost.destinations.all()) this.#checkQueueEmpty(name, queue)
    for (const { clientId, queue } of vhost.sessions.all()) this.#checkQueueEmpty(clientId, queue)
    if (vhost.waiting.bytes !== 0) this.fail(new Error(`nothing waits, and ${vhost.waiting.bytes} bytes are said to`))
    if (vhost.log.refs.size > 0)
      this.fail(new Error(`nothing waits, and ${vhost.log.refs.size} messages have several holders`))
    if (this.isAhead) return
    const live = journal
      .inspect()
      .partitions.flatMap(({ segments }) => segments)
      .filter(({ liveRecords }) => liveRecords > 0)
    if (live.length === 0) return
    const places = live.map(({ file, liveRecords }) => `${liveRecords} in ${file}`).join(', ')
    this.fail(new Error(`nothing waits, and the store keeps messages that nobody will release: ${places}`))
  }

  #checkQueueEmpty(
    name: string,
    { waitingCount, inflightCount, waitingBytes }: VirtualHost['pressedBy'] & object,
  ): void {
    if (waitingCount === 0 && inflightCount === 0 && waitingBytes === 0) return
    this.fail(
      new Error(
        `queue ${name} was drained, and has ${waitingCount} waiting (${waitingBytes} bytes), ${inflightCount} in flight`,
      ),
    )
  }
}
