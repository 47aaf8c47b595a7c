/**
 * A seeded run of core and journal: several lives of one broker on one disk, with clients that do what a seed says, and a disk
 * that tears, loses, fills, is slow and fails. At the end everything is taken out, and the history of it all is checked.
 */
import { type Outcome, purge, type Queue } from '@ternmq/core'
import { SeededRandom } from '../virtual-clock.ts'
import type { CrashKind } from '../simulated-disk.ts'
import { SimulatedWorld } from '../simulated-world.ts'
import { type ConsumerClient, idOf, type MessageSpec, type ProducerClient, queueOf } from './clients.ts'
import { DEAD_LETTERS, Ledger, type LedgerCounts } from './ledger.ts'
import { KEPT_SESSIONS, Life, PRODUCERS, QUEUES } from './life.ts'
import { TransactionClient } from './transactions.ts'
import { type Variant, VARIANTS } from './variants.ts'

const LIVES_MAX = 3
const STEPS_MAX = 60
/** Virtual time in which everything that is left must have been delivered. */
const DRAIN_ROUNDS = 60
const DRAIN_ROUND_MS = 500
const DELAY_MS_MAX = 3_000
const OUTCOMES: readonly Outcome[] = ['accepted', 'accepted', 'accepted', 'released', 'modified', 'rejected']
/** Without what may make a dead letter. */
const KEPT_OUTCOMES: readonly Outcome[] = ['accepted', 'accepted', 'released']
const ADDRESSES: readonly string[] = [...QUEUES.keys()].map((name) => `$queue/${name}`).concat('t1', 't2')
const READ_QUEUES: readonly string[] = [...QUEUES.keys(), DEAD_LETTERS]

export interface SimulationOptions {
  readonly seed: number
  /** Name of a way to break the broker. */
  readonly variant?: string | undefined
  /** Hears of each event as it happens. */
  readonly onLine?: ((line: string) => void) | undefined
}

export interface SimulationCounts extends LedgerCounts {
  lives: number
  crashes: number
  closes: number
  diskFailures: number
  fullDisks: number
  snapshots: number
  comparisons: number
}

/** Runs one seed. Rejects with what was wrong, the seed, and the command that shows it again. */
export async function simulate(options: SimulationOptions): Promise<SimulationCounts> {
  try {
    return await new Simulation(options).run()
  } catch (error) {
    const { seed, variant } = options
    const command = `npm run -s simulate -- --seed ${seed}${variant === undefined ? '' : ` --variant ${variant}`}`
    throw new Error(`seed ${seed}: ${(error as Error).message}\n  again, with its history: ${command}`, {
      cause: error,
    })
  }
}

class Simulation {
  readonly #random: SeededRandom
  readonly #world: SimulatedWorld
  readonly #ledger: Ledger
  readonly #makeVariant: (new (random: SeededRandom, clock: SimulatedWorld['clock']) => Variant) | undefined
  readonly #counts = { lives: 0, crashes: 0, closes: 0, diskFailures: 0, fullDisks: 0, snapshots: 0, comparisons: 0 }
  readonly #purging = new Set<Queue>()
  #ids = 0

  constructor({ seed, variant, onLine }: SimulationOptions) {
    this.#random = new SeededRandom(seed ^ 0x00c0_ffee)
    const isSlow = this.#random.below(4) === 0
    this.#world = new SimulatedWorld({ seed, durationMsMax: 2, ...(isSlow && { slowShare: 0.05, slowMs: 200 }) })
    this.#ledger = new Ledger(seed, () => this.#world.clock.monoMs(), onLine)
    this.#makeVariant = variant === undefined ? undefined : VARIANTS[variant]
    if (variant !== undefined && this.#makeVariant === undefined) {
      throw new Error(`there is no variant '${variant}': ${Object.keys(VARIANTS).join(', ')}`)
    }
  }

  async run(): Promise<SimulationCounts> {
    const lives = 1 + this.#random.below(LIVES_MAX)
    for (let number = 1; number <= lives; number++) await this.#live(number)
    await this.#drain(lives + 1)
    this.#ledger.verify()
    return { ...this.#counts, ...this.#ledger.counts }
  }

  // ── lives ──

  async #live(number: number): Promise<void> {
    const { disk } = this.#world
    const random = this.#random
    const kind = this.#anyCrash()
    if (random.below(2) === 0) disk.crashAt(1 + random.below(150), kind)
    const failing = random.below(8)
    if (failing < 2) {
      disk.failOn({ on: failing === 0 ? 'write' : 'sync', nth: 1 + random.below(50), code: 'io' })
    }
    const life = this.#begin(number)
    const isOpen = await this.#open(life)
    if (isOpen) {
      const steps = random.below(STEPS_MAX)
      for (let step = 0; step < steps && !life.isOver(); step++) {
        if (life.ended === undefined || random.below(4) === 0) this.#act(life)
        await this.#pass(life, random.below(4))
      }
      if (random.below(2) === 0 && !life.isOver()) await this.#rest(life)
    }
    await this.#end(life, kind)
  }

  #begin(number: number): Life {
    this.#counts.lives++
    this.#ledger.note(`life ${number} begins`)
    const world = this.#world
    const variant = this.#makeVariant === undefined ? undefined : new this.#makeVariant(this.#random, world.clock)
    return new Life({ world, ledger: this.#ledger, number, variant })
  }

  /** False when it crashed, or its disk failed, before it was open. */
  async #open(life: Life): Promise<boolean> {
    const isOpen = await this.#result(life, life.open())
    this.#check(life)
    return isOpen
  }

  /** False when `promise` has not come to an end before the life did. Rejections are the broker's fault while its disk is well. */
  async #result(life: Life, promise: Promise<unknown>): Promise<boolean> {
    let settled: { error?: Error } | undefined = undefined
    promise.then(
      () => (settled = {}),
      (error: Error) => (settled = { error }),
    )
    await this.#world.runUntil(
      () => settled !== undefined || life.isOver() || life.ended !== undefined,
      'an answer of the broker',
    )
    if (life.isOver() || settled === undefined) return false
    const { error } = settled as { error?: Error }
    if (error === undefined) return true
    if (!life.hasDiskFailed) throw error
    return false
  }

  /** Everything that is under way ends; then what lives and what is in the log are compared. */
  async #rest(life: Life): Promise<void> {
    await this.#settle(life)
    if (life.isOver() || life.ended !== undefined) return
    life.compare()
    this.#counts.comparisons++
    await this.#result(life, life.compareReplay())
    this.#check(life)
  }

  async #end(life: Life, kind: CrashKind): Promise<void> {
    const { disk } = this.#world
    disk.capacityBytes = Infinity
    if (life.broken !== undefined && !life.isOver()) {
      this.#counts.diskFailures++
      await this.#settle(life)
      if (life.ended === undefined && life.journal !== undefined && !life.isOver()) {
        throw new Error(`the disk has failed, and nobody was told that the log has ended: ${life.broken.message}`)
      }
    }
    this.#counts.snapshots += life.engine?.snapshotCount ?? 0
    if (!life.isOver() && life.ended === undefined && life.engine !== undefined && this.#random.below(3) === 0) {
      for (const name of [...life.kept.keys()]) life.disconnectKept(name)
      for (const reader of [...life.readers]) life.disconnectReader(reader)
      await this.#result(
        life,
        life.vhost.log.close().then(() => life.engine.close()),
      )
      this.#counts.closes++
    } else this.#counts.crashes++
    this.#check(life)
    this.#ledger.brokerEnded(kind)
    for (const [name, { durability }] of QUEUES) {
      if (kind === 'power' && durability === 'page-cache') this.#ledger.powerLost(name)
    }
    this.#world.crash(kind)
  }

  #anyCrash(): CrashKind {
    return this.#random.below(3) === 0 ? 'kill' : 'power'
  }

  // ── steps ──

  async #pass(life: Life, turns: number): Promise<void> {
    for (let turn = 0; turn < turns && !life.isOver(); turn++) {
      await this.#world.step()
      this.#ledger.expire(this.#world.clock.wallMs())
      this.#check(life)
    }
    life.compare()
    this.#check(life)
  }

  async #settle(life: Life): Promise<void> {
    await this.#world.settle()
    this.#ledger.expire(this.#world.clock.wallMs())
    this.#check(life)
  }

  async #advance(life: Life, ms: number): Promise<void> {
    const { clock } = this.#world
    const untilMs = clock.monoMs() + ms
    while (!life.isOver() && (await this.#world.step(untilMs)));
    if (!life.isOver()) clock.advance(Math.max(0, untilMs - clock.monoMs()))
    this.#ledger.expire(clock.wallMs())
    this.#check(life)
  }

  #check({ failure }: Life): void {
    if (failure !== undefined) throw failure
  }

  #act(life: Life): void {
    const random = this.#random
    const dice = random.below(100)
    if (dice < 36) this.#publish(life)
    else if (dice < 62) this.#settleSome(life)
    else if (dice < 69) this.#read(life)
    else if (dice < 73) this.#leave(life)
    else if (dice < 76) this.#cancel(life)
    else if (dice < 82) this.#comeAndGo(life)
    else if (dice < 85) life.engine.wantsSnapshot = true
    else if (dice < 87) this.#fillDisk(life)
    else if (dice < 89) life.disk.capacityBytes = Infinity
    else if (dice < 96) this.#transact(life)
    else if (dice < 97) this.#purge(life)
    else this.#world.clock.advance(random.below(120))
  }

  #publish(life: Life): void {
    const random = this.#random
    const producer = life.producers[random.below(PRODUCERS.length)]!
    for (let left = 1 + random.below(4); left > 0; left--) {
      if (random.below(8) === 0) {
        this.#publishToAll(producer)
        continue
      }
      const address = ADDRESSES[random.below(ADDRESSES.length)]!
      const queue = address.startsWith('$queue/') ? address.slice(7) : undefined
      const queues = queue === undefined ? readersOf(address) : [queue]
      const id = `${producer.session.clientId}.${++this.#ids}`
      const isExpiring = queue !== undefined && random.below(8) === 0
      const spec: MessageSpec = {
        priority: queue === 'q3' ? 3 + random.below(3) : 4,
        className: random.below(2) === 0 ? 'x' : 'y',
        expiresAtMs: isExpiring ? this.#world.clock.wallMs() + 1 + random.below(300) : 0,
        retain: false,
        bodyBytes: random.below(8) === 0 ? random.below(3_000) : random.below(40),
      }
      const isLater = queue !== undefined && !isExpiring && random.below(10) === 0
      const line = isLater ? id : `${producer.session.clientId}/${spec.priority}`
      this.#ledger.published(id, queues, line, spec.expiresAtMs)
      producer.publish(
        address,
        id,
        spec,
        isLater ? { schedule: { delayMs: 1 + random.below(DELAY_MS_MAX) } } : undefined,
      )
    }
  }

  /** One message to several destinations. */
  #publishToAll(producer: ProducerClient): void {
    const random = this.#random
    // Two topics that one session reads would be two messages for it.
    const topic = random.below(2) === 0 ? 't1' : 't2'
    const addresses = ADDRESSES.filter((address) => random.below(2) === 0 && (address.startsWith('$queue/') || address === topic))
    if (addresses.length < 2) return
    const queues = addresses.flatMap((address) => (address.startsWith('$queue/') ? [address.slice(7)] : readersOf(address)))
    const id = `${producer.session.clientId}.${++this.#ids}`
    const spec: MessageSpec = { priority: 4, className: 'x', expiresAtMs: 0, retain: false, bodyBytes: random.below(400) }
    this.#ledger.published(id, [...new Set(queues)], `${producer.session.clientId}/${spec.priority}`, 0)
    this.#ledger.together(id)
    producer.publishToAll(addresses, id, spec)
  }

  #settleSome(life: Life): void {
    const random = this.#random
    const holding = life.consumers.filter(({ held }) => held.length > 0)
    const consumer = holding[random.below(holding.length)]
    if (consumer === undefined) return
    for (let left = 1 + random.below(4); left > 0 && consumer.held.length > 0; left--) {
      const delivery = consumer.held[random.below(3) === 0 ? random.below(consumer.held.length) : 0]!
      const outcomes = this.#ledger.isTogether(idOf(delivery.message)) ? KEPT_OUTCOMES : OUTCOMES
      consumer.settle(delivery, outcomes[random.below(outcomes.length)]!, random.below(2) === 0)
    }
  }

  #read(life: Life): void {
    const random = this.#random
    if (life.readers.length >= 4) return
    const queues = READ_QUEUES.filter(() => random.below(3) === 0)
    if (queues.length > 0) life.connectReader(queues, 1 + random.below(8))
  }

  #leave(life: Life): void {
    const reader = this.#anyReader(life)
    if (reader !== undefined) life.disconnectReader(reader)
  }

  #cancel(life: Life): void {
    this.#anyReader(life)?.cancel(READ_QUEUES[this.#random.below(READ_QUEUES.length)]!)
  }

  /** Not one with a commit on its way: its deliveries have nobody's name on them then. */
  #anyReader({ readers }: Life): ConsumerClient | undefined {
    const free = readers.filter(
      ({ transaction }) => transaction === undefined || transaction.isOpen || transaction.isOver,
    )
    return free[this.#random.below(free.length)]
  }

  /** Begins a transaction, goes on with one, or ends it. */
  #transact(life: Life): void {
    const random = this.#random
    const reader = this.#anyReader(life)
    if (reader === undefined) return
    if (reader.transaction?.isOpen !== true) reader.transaction = new TransactionClient(life, reader)
    const { transaction } = reader
    for (let left = random.below(3); left > 0; left--) {
      const address = ADDRESSES[random.below(ADDRESSES.length)]!
      const queue = address.startsWith('$queue/') ? address.slice(7) : undefined
      // A queue that may lose what it has with the power cannot show whether all of it happened.
      if (queue === 'q4') continue
      const spec: MessageSpec = {
        priority: 4,
        className: 'x',
        expiresAtMs: 0,
        retain: false,
        bodyBytes: random.below(40),
      }
      transaction.publish(address, queue === undefined ? readersOf(address) : [queue], `t.${++this.#ids}`, spec)
    }
    for (let left = random.below(3); left > 0 && reader.held.length > 0; left--) {
      const delivery = reader.held[random.below(reader.held.length)]!
      const mayReject = !this.#ledger.isTogether(idOf(delivery.message))
      if (queueOf(delivery) !== 'q4') transaction.settle(delivery, random.below(4) === 0 && mayReject ? 'rejected' : 'accepted')
    }
    const fate = random.below(4)
    if (fate < 2) transaction.commit()
    else if (fate === 2) transaction.rollback()
  }

  #purge(life: Life): void {
    const name = READ_QUEUES[this.#random.below(READ_QUEUES.length)]!
    const queue = life.vhost.destinations.find(name)?.queue
    // One that is under way takes what comes meanwhile with it.
    if (queue === undefined || queue.contents.isLeaving || this.#purging.has(queue)) return
    this.#purging.add(queue)
    const waiting: string[] = []
    for (const { line } of queue.lanes) {
      for (let position = line.nextWaiting(0); position !== 0; position = line.nextWaiting(position)) {
        const entry = line.entryAt(position)
        if (entry !== undefined) waiting.push(idOf(entry.message))
      }
    }
    const confirmed = this.#ledger.purged(name, waiting)
    life.later(purge(life.vhost, queue), (result) => {
      this.#purging.delete(queue)
      if (!result.ok) return this.#ledger.note(`  purge of ${name} is refused: ${result.detail.text}`)
      if (result.value.count > 0) life.confirm(`purge of ${name}`)
      confirmed()
    })
  }

  #comeAndGo(life: Life): void {
    const names = [...KEPT_SESSIONS.keys()]
    const name = names[this.#random.below(names.length)]!
    if (life.kept.has(name)) life.disconnectKept(name)
    else life.connectKept(name)
  }

  #fillDisk({ disk }: Life): void {
    this.#counts.fullDisks++
    disk.capacityBytes = disk.usedBytes + this.#random.below(24_000)
    this.#ledger.note('the disk fills')
  }

  // ── the end ──

  /** The last life, on a disk that is well: everybody reads and accepts until nothing is left. */
  async #drain(number: number): Promise<void> {
    const life = this.#begin(number)
    this.#ledger.isAtEnd = true
    if (!(await this.#open(life))) throw new Error('the last life has not opened')
    life.connectReader(READ_QUEUES, 100)
    for (let round = 0; round < DRAIN_ROUNDS; round++) {
      await this.#advance(life, DRAIN_ROUND_MS)
      for (const consumer of life.consumers)
        for (const delivery of [...consumer.held]) consumer.settle(delivery, 'accepted', true)
      if (isDrained(life)) break
    }
    await this.#settle(life)
    life.checkEmpty()
    this.#check(life)
    await this.#rest(life)
    for (const { openCount, session } of life.producers) {
      if (openCount > 0) throw new Error(`${openCount} publishes of ${session.clientId} have no answer`)
    }
  }
}

function isDrained({ vhost, consumers }: Life): boolean {
  if (vhost.schedule.count > 0 || consumers.some(({ held }) => held.length > 0)) return false
  const queues = [...vhost.destinations.all(), ...vhost.sessions.all()].map(({ queue }) => queue)
  return queues.every(({ waitingCount, inflightCount }) => waitingCount === 0 && inflightCount === 0)
}

function readersOf(topic: string): string[] {
  return [...KEPT_SESSIONS].filter(([, topics]) => topics.includes(topic)).map(([name]) => name)
}
