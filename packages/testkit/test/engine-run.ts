/**
 * Random lives of an engine on a simulated disk: groups, releases, snapshots, reads, tails, takeovers and catalog commits
 * until the power goes or the process is killed, then the next life, which has to find what `LogModel` says. One seed
 * decides all of it.
 *
 * long: every doing of a life draws from the same generator and meets the same crash, so they are read together.
 */
import {
  type Disk,
  DiskError,
  type Durability,
  type Engine,
  type EngineEnv,
  Fenced,
  type LogRecord,
  type Lsn,
  NotAppended,
  type Ownership,
  type PartitionLog,
  PREPARE_FROM_BYTES,
  type PreparedRecord,
  type Stored,
  Unknown,
} from '@ternmq/store'
import { type CrashKind, type DiskOperation, SeededRandom, SimulatedWorld } from '../src/index.ts'
import { CatalogModel, entriesOf, look, Owner } from './engine-owner.ts'
import { LogModel, type Loss, type ModelRecord } from './log-model.ts'

export interface EngineRunOptions {
  readonly seed: number
  readonly open: (env: EngineEnv, seed: number) => Promise<Engine>
  readonly lives?: number
  readonly steps?: number
  /** The first life ends at this change of the disk, if it comes so far; later lives then do not crash. */
  readonly crashAt?: number
  /** Puts something between engine and disk: a test shows that a disk which lies is found out. */
  readonly disk?: (disk: Disk) => Disk
  /** What a group is submitted with instead of its level: a test shows that an answer before the sync is found out. */
  readonly submitAs?: Durability
}

/** What happened, so that a test can say that enough did. */
export interface EngineRunCounts {
  groups: number
  committed: number
  refused: number
  /** Without an answer when the life ended, and then found in the log. */
  adopted: number
  lost: number
  reads: number
  releases: number
  snapshots: number
  takeovers: number
  prepared: number
  catalogCommits: number
  crashes: number
  /** In the midst of an operation, and not at the end of a life. */
  plannedCrashes: number
  crashesWhileOpening: number
  faults: number
  worldSteps: number
}

/** Parts of lives beside plain crashes, by seed. */
const FAULTS: readonly (readonly [DiskOperation, 'io' | 'full'] | undefined)[] = [
  undefined,
  undefined,
  undefined,
  ['write', 'io'],
  ['sync', 'io'],
  ['write', 'full'],
  ['syncDirectory', 'io'],
  ['create', 'full'],
]

/** Throws what the engine did wrong, with the seed. */
export async function runEngine(options: EngineRunOptions): Promise<EngineRunCounts> {
  const run = new EngineRun(options)
  try {
    return await run.lives()
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw new Error(`seed ${options.seed}, ${run.place}: ${text}\n  ${run.recent.join('\n  ')}`, { cause: error })
  }
}

interface Life {
  readonly engine: Engine
  readonly log: PartitionLog
  ownership: Ownership
  owner: Owner
  /** The writer said `Unknown`: nothing more is taken. */
  isBroken: boolean
  readonly stop: AbortController
  /** By a tail that is open all the time; and what was trimmed before it came there. */
  readonly shown: Stored[]
  readonly trimmed: { readonly from: Lsn; readonly to: Lsn }[]
}

class EngineRun {
  readonly #options: EngineRunOptions
  readonly #random: SeededRandom
  readonly #world: SimulatedWorld
  readonly #model = new LogModel()
  readonly #catalog = new CatalogModel()
  readonly #isSmallDisk: boolean
  readonly #counts: EngineRunCounts = {
    groups: 0,
    committed: 0,
    refused: 0,
    adopted: 0,
    lost: 0,
    reads: 0,
    releases: 0,
    snapshots: 0,
    takeovers: 0,
    prepared: 0,
    catalogCommits: 0,
    crashes: 0,
    plannedCrashes: 0,
    crashesWhileOpening: 0,
    faults: 0,
    worldSteps: 0,
  }
  #life = 0
  #step = 0
  #nextId = 1
  #lastEpoch = 0
  #fault: (typeof FAULTS)[number] = undefined
  /** Of this life. */
  #owners: Owner[] = []
  #failure: Error | undefined = undefined

  constructor(options: EngineRunOptions) {
    this.#options = options
    this.#random = new SeededRandom(options.seed * 7 + 1)
    this.#isSmallDisk = this.#random.below(4) === 0
    this.#world = new SimulatedWorld({
      seed: options.seed,
      durationMsMax: this.#random.below(4),
      slowShare: this.#random.below(3) === 0 ? 0.02 : 0,
      ...(this.#isSmallDisk ? { capacityBytes: 96 * 1024 + this.#random.below(128 * 1024) } : {}),
    })
  }

  get place(): string {
    const told = [`life ${this.#life}`, `step ${this.#step}`]
    if (this.#fault !== undefined) told.push(`${this.#fault[0]} fails once with '${this.#fault[1]}'`)
    if (this.#isSmallDisk) told.push(`a disk of ${this.#world.disk.capacityBytes} bytes`)
    return told.join(', ')
  }

  /** What the disk did last. */
  get recent(): readonly string[] {
    return this.#world.disk.recent
  }

  async lives(): Promise<EngineRunCounts> {
    const { lives = 4, steps = 60 } = this.#options
    let loss: Loss = 'open'
    for (this.#life = 1; this.#life <= lives; this.#life++) {
      this.#step = 0
      this.#owners = []
      this.#fault = FAULTS[this.#random.below(FAULTS.length)]
      const kind: CrashKind = this.#random.below(3) === 0 ? 'kill' : 'power'
      const isLast = this.#life === lives
      const plannedAt = this.#random.below(5) > 0 ? 1 + this.#random.below(90) : Infinity
      const crashAt =
        this.#options.crashAt === undefined ? plannedAt : this.#life === 1 ? this.#options.crashAt : Infinity
      if (!isLast) this.#world.disk.crashAt(crashAt, kind)
      const life = await this.#open(loss)
      let hasFailed = false
      if (life !== undefined) {
        hasFailed = await this.#live(life, this.#random.below(steps))
        if (isLast) await this.#recover(life)
        if (this.#random.below(3) === 0 || isLast) await this.#close(life)
        life.stop.abort()
      } else this.#counts.crashesWhileOpening++
      this.#throwFailure()
      if (isLast) break
      if (this.#world.disk.isCrashed) this.#counts.plannedCrashes++
      // A disk that crashed by plan did so in the planned way, else in this one.
      this.#world.crash(kind)
      this.#counts.crashes++
      if (life !== undefined) loss = 'open'
      if (kind === 'power' || hasFailed) loss = 'unsynced'
    }
    const { committedCount, refusedCount } = this.#model
    return { ...this.#counts, committed: committedCount, refused: refusedCount }
  }

  /** Opens, owns, and checks what is there. Undefined when the disk crashed meanwhile. */
  async #open(loss: Loss): Promise<Life | undefined> {
    const { clock, disk } = this.#world
    const seen = this.#options.disk?.(disk) ?? disk
    const engine = await this.#result(this.#options.open({ clock, disk: seen }, this.#options.seed))
    if (engine === CRASHED) return undefined
    const log = engine.partition(0)
    const owner = this.#newOwner()
    const ownership = await this.#own(log, owner)
    if (ownership === CRASHED) return undefined
    this.#expectEpoch(ownership)
    const stop = new AbortController()
    const life: Life = { engine, log, ownership, owner, isBroken: false, stop, shown: [], trimmed: [] }
    const [open, all] = [this.#openGroups, this.#model.groups.length]
    if ((await this.#check(life, loss)) === CRASHED) return undefined
    const lost = all - this.#model.groups.length
    this.#counts.lost += lost
    this.#counts.adopted += Math.max(0, open - lost)
    const entries = await this.#result(entriesOf(engine))
    if (entries === CRASHED) return undefined
    this.#catalog.check(entries)
    this.#follow(life)
    return life
  }

  /** A disk without room for the record of ownership refuses it; then somebody makes room. */
  async #own(log: PartitionLog, owner: Owner): Promise<Ownership | typeof CRASHED> {
    try {
      return await this.#result(log.own({ node: 'a', ttlMs: Infinity }, owner))
    } catch (error) {
      if (!this.#mayBeFull || !(error instanceof NotAppended && error.reason === 'full')) throw error
    }
    this.#world.disk.capacityBytes += 1024 * 1024
    await this.#advance(5_000)
    return this.#world.disk.isCrashed ? CRASHED : this.#result(log.own({ node: 'a', ttlMs: Infinity }, owner))
  }

  #newOwner(): Owner {
    const { disk } = this.#world
    const owner = new Owner(this.#model, this.#mayBeFull, () => disk.isCrashed)
    this.#owners.push(owner)
    return owner
  }

  get #mayBeFull(): boolean {
    return this.#isSmallDisk || this.#fault?.[1] === 'full'
  }

  get #openGroups(): number {
    return this.#model.groups.filter(({ state }) => state === 'open').length
  }

  /** Random doings. True when a sync or a write failed, so that what was not synced may be gone. */
  async #live(life: Life, steps: number): Promise<boolean> {
    const { disk } = this.#world
    const fault = this.#fault
    if (fault !== undefined) {
      const [on, code] = fault
      disk.failOn({ on, code, nth: 1 + this.#random.below(12) })
      this.#counts.faults++
    }
    for (this.#step = 1; this.#step <= steps && !disk.isCrashed; this.#step++) {
      await this.#act(life)
      for (let left = this.#random.below(4); left > 0 && !disk.isCrashed; left--) await this.#worldStep()
      this.#throwFailure()
    }
    if (life.owner.end instanceof Unknown) life.isBroken = true
    return fault?.[1] === 'io' || life.isBroken
  }

  async #act(life: Life): Promise<void> {
    switch (this.#random.below(16)) {
      case 0:
      case 1:
        return this.#release(life)
      case 2:
      case 3:
        return this.#read(life)
      case 4:
        return this.#snapshot(life)
      case 5:
        return this.#commitCatalog(life)
      case 6:
        if (this.#random.below(3) === 0) await this.#checkAtRest(life)
        return
      case 7:
        if (this.#random.below(3) === 0) await this.#takeOver(life)
        return
      case 8:
        if (this.#random.below(6) === 0) this.#prepare(life)
        return
      case 9:
        return this.#advance(this.#random.below(3_000))
      default:
        return this.#submit(life, this.#group())
    }
  }

  // --- what a life does

  #group(): LogRecord[] {
    return Array.from({ length: 1 + this.#random.below(4) }, () => this.#record())
  }

  #record(): LogRecord {
    if (this.#random.below(3) === 0) return this.#make(-1)
    const sizes = [0, 10, 100, 1_000, 6_000]
    return this.#make(this.#random.below((sizes[this.#random.below(sizes.length)] ?? 0) + 1))
  }

  /** `bodyBytes` -1: bookkeeping. */
  #make(bodyBytes: number): LogRecord {
    const id = `r${this.#nextId++}`
    const meta = new TextEncoder().encode(id)
    const [kind, dest] = [this.#random.below(256), this.#random.u32()]
    if (bodyBytes < 0) return { kind, dest, meta, body: undefined, bodyStart: 0, bodyEnd: 0 }
    const bodyStart = this.#random.below(5)
    const body = new Uint8Array(bodyStart + bodyBytes + 3)
    for (let at = 0; at < body.length; at += 1 + (at >> 6)) body[at] = this.#random.u32() & 0xff
    return { kind, dest, meta, body, bodyStart, bodyEnd: bodyStart + bodyBytes }
  }

  #submit({ ownership, owner }: Life, group: readonly LogRecord[]): void {
    const level = this.#random.below(4) === 0 ? 'page-cache' : 'fsync-local'
    this.#counts.groups++
    owner.submit(ownership, group, level, this.#options.submitAs ?? level)
  }

  /** What a core releases was settled by a record that is committed; so only what cannot be lost. */
  #release({ ownership }: Life): void {
    const durable = this.#model.groups.filter(({ state, isDurable }) => state === 'committed' && isDurable)
    const records = durable.flatMap((group) => group.records)
    const start = this.#random.below(records.length + 1)
    const picked = records.slice(start, start + 1 + this.#random.below(12))
    const [first, last] = [picked[0], picked.at(-1)]
    // Without effect once the ownership is lost.
    if (first === undefined || last === undefined || ownership.lost.aborted) return
    // Between two durable records there is nothing that is not: a sync covers all that was before.
    ownership.release(first.lsn, last.lsn)
    for (const record of picked) record.isReleased ||= record.record.body !== undefined
    this.#counts.releases++
  }

  #read({ log }: Life): void {
    const content = this.#model.committed.filter(({ record }) => record.body !== undefined)
    const picked = Array.from({ length: 1 + this.#random.below(6) }, () => content[this.#random.below(content.length)])
    const records = picked.filter((record): record is ModelRecord => record !== undefined)
    const before = records.map(({ isReleased }) => isReleased)
    const { disk } = this.#world
    this.#later(
      log.read(records.map(({ lsn }) => lsn)),
      (found) => {
        if (found.length !== records.length) throw new Error(`${records.length} lsns read as ${found.length} records`)
        found.forEach((each, index) => {
          const record = records[index] as ModelRecord
          // A sync that fails may take with it what was written before: the engine has ended, or is about to.
          if (each === undefined && this.#fault?.[0] === 'sync') return
          if (!disk.isCrashed) this.#model.checkRead(record, before[index] === true, each)
        })
        this.#counts.reads++
      },
      () => {},
    )
  }

  #snapshotting = false

  #snapshot({ ownership }: Life): void {
    const candidates = this.#model.committed.filter(({ lsn }) => lsn >= this.#model.snapshotAt)
    const at = candidates[this.#random.below(candidates.length)]?.lsn
    if (at === undefined || this.#snapshotting) return
    this.#snapshotting = true
    const text = `snapshot ${this.#nextId++} ${'x'.repeat(this.#random.below(2_000))}`
    const half = this.#random.below(text.length)
    const coming = this.#model.snapshotBegins(at, text)
    const parts = [text.slice(0, half), text.slice(half)].map((part) => new TextEncoder().encode(part))
    this.#later(
      ownership.putSnapshot(at, parts),
      () => {
        this.#snapshotting = false
        this.#model.snapshotDone(coming)
        this.#counts.snapshots++
      },
      (error) => {
        this.#snapshotting = false
        // Without effect for certain only when it says so.
        if (!(error instanceof Unknown)) this.#model.snapshotRefused(coming)
        this.#expectKnown(error, 'putSnapshot')
      },
    )
  }

  #commitCatalog({ engine }: Life): void {
    const change = this.#catalog.begin(this.#random, this.#nextId++)
    if (change === undefined) return
    this.#later(
      engine.catalog.commit(change.ops),
      (revs) => {
        change.done(revs)
        this.#counts.catalogCommits++
      },
      (error) => {
        if (!(error instanceof Unknown)) change.refused()
        this.#expectKnown(error, 'a catalog commit')
      },
    )
  }

  /** A new life of the same node takes the partition from the present owner. */
  async #takeOver(life: Life): Promise<void> {
    if (this.#snapshotting || life.owner.end !== undefined) return
    const { disk } = this.#world
    const owner = this.#newOwner()
    const ownership = await this.#result(life.log.own({ node: 'a', ttlMs: Infinity }, owner), true)
    if (ownership === CRASHED || ownership === FAILED) return
    this.#expectEpoch(ownership)
    this.#counts.takeovers++
    const old = life.owner
    life.ownership = ownership
    life.owner = owner
    await this.#world.settle()
    if (disk.isCrashed) return
    old.refuseOpen()
  }

  /** A body that goes ahead of its record, which is then submitted, or discarded, or left. */
  #prepare({ ownership, owner }: Life): void {
    const record = this.#make(PREPARE_FROM_BYTES + this.#random.below(PREPARE_FROM_BYTES))
    const fate = this.#random.below(4)
    this.#later<PreparedRecord>(
      ownership.log.prepare(record),
      (prepared) => {
        this.#counts.prepared++
        if (fate === 0) prepared.discard()
        if (fate < 2) return
        owner.submit(ownership, [this.#make(-1), prepared.record], 'fsync-local', 'fsync-local')
      },
      (error) => this.#expectKnown(error, 'prepare'),
    )
  }

  async #checkAtRest(life: Life): Promise<void> {
    await this.#world.settle()
    if (this.#world.disk.isCrashed || life.owner.end !== undefined) return
    this.#throwFailure()
    if (this.#openGroups > 0) throw new Error(`${this.#openGroups} groups have no outcome though nothing is under way`)
    if ((await this.#check(life, 'none')) === CRASHED) return
    this.#checkFollowed(life)
  }

  /** A tail that is open all the time. */
  #follow(life: Life): void {
    const { disk } = this.#world
    this.#later(
      (async () => {
        for await (const { records, trimmedTo } of life.log.tail(0, life.stop.signal)) {
          const from = life.shown.at(-1)?.lsn ?? 0
          if (trimmedTo > from) life.trimmed.push({ from, to: trimmedTo })
          for (const record of records) if (!disk.isCrashed) this.#model.checkShown(record)
          life.shown.push(...records)
        }
      })(),
      () => {},
      (error) => {
        if (!(error instanceof DiskError || error instanceof Unknown)) throw error
      },
    )
  }

  #checkFollowed({ shown, trimmed }: Life): void {
    const lsns = new Set<Lsn>()
    let last = 0
    for (const { lsn } of shown) {
      if (lsn <= last) throw new Error(`an open tail shows lsn ${lsn} after ${last}`)
      last = lsn
      lsns.add(lsn)
    }
    for (const { id, lsn, isReleased } of this.#model.committed) {
      const isTrimmed = trimmed.some(({ from, to }) => lsn > from && lsn <= to)
      if (!isTrimmed && !isReleased && !lsns.has(lsn)) throw new Error(`an open tail does not show ${id} at lsn ${lsn}`)
    }
  }

  // --- ends

  /** The last life: with room on the disk everything goes in again. */
  async #recover(life: Life): Promise<void> {
    await this.#world.settle()
    this.#throwFailure()
    if (life.owner.end !== undefined) return
    this.#world.disk.capacityBytes = Infinity
    for (let tries = 0; tries < 5; tries++) {
      await this.#advance(5_000)
      this.#submit(life, [this.#make(20)])
      await this.#world.settle()
      this.#throwFailure()
      if (life.owner.end !== undefined) return
      if (this.#model.groups.at(-1)?.state === 'committed') return this.#checkAtRest(life)
    }
    throw new Error(`a disk with room again takes nothing: ${String(life.owner.lastRefusal)}`)
  }

  async #close(life: Life): Promise<void> {
    const { disk } = this.#world
    life.stop.abort()
    const closed = await this.#result(life.engine.close(), true)
    if (closed === CRASHED || life.owner.end !== undefined) return
    await this.#world.settle()
    if (disk.isCrashed) return
    this.#throwFailure()
    if (disk.openFileCount > 0) throw new Error(`${disk.openFileCount} files are open after close`)
    if (this.#openGroups > 0) throw new Error(`${this.#openGroups} groups have no outcome after close`)
  }

  // --- looking

  async #check(life: Life, loss: Loss): Promise<typeof CRASHED | undefined> {
    const seen = await this.#result(look(life.log, this.#model.contentLsns))
    if (seen === CRASHED) return CRASHED
    this.#model.check(seen, loss)
    return undefined
  }

  #expectEpoch({ epoch }: Ownership): void {
    if (epoch <= this.#lastEpoch) throw new Error(`epoch ${epoch} follows ${this.#lastEpoch}`)
    this.#lastEpoch = epoch
  }

  /** What `promise` gives; CRASHED when the disk crashed before. A rejection is the engine's fault unless `mayFail`. */
  async #result<T>(promise: Promise<T>, mayFail?: false): Promise<T | typeof CRASHED>
  async #result<T>(promise: Promise<T>, mayFail: true): Promise<T | typeof CRASHED | typeof FAILED>
  async #result<T>(promise: Promise<T>, mayFail = false): Promise<T | typeof CRASHED | typeof FAILED> {
    const { disk } = this.#world
    const settled: { value?: T; error?: unknown; is?: 'value' | 'error' } = {}
    promise.then(
      (value) => Object.assign(settled, { is: 'value', value }),
      (error: unknown) => Object.assign(settled, { is: 'error', error }),
    )
    await this.#world.runUntil(() => settled.is !== undefined || disk.isCrashed, 'an answer of the engine')
    if (disk.isCrashed) return CRASHED
    if (settled.is === 'value') return settled.value as T
    if (mayFail) return FAILED
    throw settled.error
  }

  /** Handles `promise` when it settles, in this life only. What a handler throws fails the run. */
  #later<T>(promise: Promise<T>, onValue: (value: T) => void, onError: (error: unknown) => void): void {
    const { disk } = this.#world
    const guard = (handle: () => void): void => {
      if (disk.isCrashed) return
      try {
        handle()
      } catch (error) {
        this.#failure ??= error as Error
      }
    }
    promise.then(
      (value) => guard(() => onValue(value)),
      (error: unknown) => guard(() => onError(error)),
    )
  }

  /** What an append may reject with. A takeover may come while it is under way. */
  #expectKnown(error: unknown, what: string): void {
    if (error instanceof NotAppended || error instanceof Fenced || error instanceof Unknown) return
    throw new Error(`${what} rejects with ${String(error)}`, { cause: error })
  }

  async #advance(ms: number): Promise<void> {
    const { disk, clock } = this.#world
    const untilMs = clock.monoMs() + ms
    while (!disk.isCrashed && (await this.#worldStep(untilMs)));
    if (!disk.isCrashed) clock.advance(Math.max(0, untilMs - clock.monoMs()))
  }

  async #worldStep(untilMs = Infinity): Promise<boolean> {
    this.#counts.worldSteps++
    return this.#world.step(untilMs)
  }

  #throwFailure(): void {
    for (const { violation } of this.#owners) this.#failure ??= violation
    if (this.#failure !== undefined) throw this.#failure
  }
}

const CRASHED = Symbol('the disk crashed')
const FAILED = Symbol('the engine rejected')
