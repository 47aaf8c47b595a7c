/**
 * A disk in memory whose operations finish in an order that a seed chooses, that loses power, tears writes, fills up and
 * fails. The same seed and the same calls give the same run. Nothing here moves by itself: `step` finishes one operation,
 * and `SimulatedWorld` calls it. What survives what is in `SimulatedFileSystem`.
 */
import { type Disk, DiskError, type DiskErrorCode, type DiskFile, type DiskLock } from '@ternmq/store'
import { SimulatedFileSystem } from './simulated-file-system.ts'
import { type DiskAccess, failure, SimulatedFile } from './simulated-file.ts'
import { SurvivalRules } from './simulated-survival.ts'
import { SeededRandom, type VirtualClock } from './virtual-clock.ts'

export type DiskOperation =
  | 'open'
  | 'create'
  | 'remove'
  | 'rename'
  | 'makeDirectory'
  | 'list'
  | 'syncDirectory'
  | 'freeBytes'
  | 'lock'
  | 'write'
  | 'read'
  | 'size'
  | 'sync'
  | 'truncate'
  | 'close'

/** Operations that can change what survives a crash. */
const CHANGES: ReadonlySet<DiskOperation> = new Set([
  'create',
  'remove',
  'rename',
  'makeDirectory',
  'syncDirectory',
  'write',
  'sync',
  'truncate',
])

/** Operations in flight at once before the disk calls the caller unbounded. */
const IN_FLIGHT_MAX = 10_000

/** Lines of `recent`. */
const RECENT_LINES = 64

export interface SimulatedDiskOptions {
  readonly seed: number
  /** Gives each operation a duration. Without it every operation can finish in the next step. */
  readonly clock?: VirtualClock
  /** Durations are 0…this. Default 2. */
  readonly durationMsMax?: number
  /** Share of operations that take `slowMs` instead, 0…1. Default 0. */
  readonly slowShare?: number
  /** Default 2,000. */
  readonly slowMs?: number
  /** Share of writes, reads and syncs that fail with 'io', 0…1. Default 0. */
  readonly ioErrorShare?: number
  /** Bytes that all files together may have; see `SimulatedDisk.capacityBytes`. Default: no limit. */
  readonly capacityBytes?: number
}

/** One failure that a test orders. */
export interface DiskFault {
  readonly on: DiskOperation
  /** The how-manieth of those operations from now on, 1 for the next. */
  readonly nth: number
  readonly code: DiskErrorCode
  /** Counts only operations on paths for which this is true. */
  readonly path?: (path: string) => boolean
}

/** 'power': what was not synced may be lost. 'kill': the process is gone, what the kernel had is there. */
export type CrashKind = 'power' | 'kill'

interface Operation {
  readonly number: number
  readonly kind: DiskOperation
  readonly path: string
  readonly code: DiskErrorCode | undefined
  readonly run: (code: DiskErrorCode | undefined) => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

interface ArmedFault {
  readonly fault: DiskFault
  left: number
}

/** What outlives the process. */
interface Machine {
  readonly files: SimulatedFileSystem
  readonly random: SeededRandom
  capacityBytes: number
}

export class SimulatedDisk implements Disk {
  readonly #options: SimulatedDiskOptions
  readonly #machine: Machine
  readonly #inFlight = new Map<number, Operation>()
  /** Operations whose duration is over, by number. */
  readonly #ready: Operation[] = []
  readonly #locks = new Set<string>()
  readonly #recent: string[] = []
  #faults: ArmedFault[] = []
  #operations = 0
  #changes = 0
  #crashAtChange = Infinity
  #plannedKind: CrashKind = 'power'
  #misuse: Error | undefined = undefined
  #crashKind: CrashKind | undefined = undefined
  #isHandedOn = false
  #openFiles = 0
  #fingerprint = 0

  constructor(options: SimulatedDiskOptions, machine?: Machine) {
    this.#options = options
    this.#machine = machine ?? {
      files: new SimulatedFileSystem(),
      random: new SeededRandom(options.seed),
      capacityBytes: options.capacityBytes ?? Infinity,
    }
  }

  // --- what a test steers

  /**
   * Fails the operation that `fault` describes. A failed write leaves any piece of itself, a failed sync may leave
   * earlier writes without a way to the disk.
   */
  failOn(fault: DiskFault): void {
    this.#faults.push({ fault, left: fault.nth })
  }

  /**
   * The process and the machine end while the `nth` operation from now that changes something is under way. `kind` as
   * for `crash`.
   */
  crashAt(nth: number, kind: CrashKind = 'power'): void {
    this.#crashAtChange = this.#changes + nth
    this.#plannedKind = kind
  }

  /** Bytes that all files together may have, in blocks of 4 KiB; a write beyond fails with 'full'. */
  get capacityBytes(): number {
    return this.#machine.capacityBytes
  }

  set capacityBytes(bytes: number) {
    this.#machine.capacityBytes = bytes
  }

  /**
   * Ends this disk, if `crashAt` has not, and gives what is there afterwards. Every operation and every handle of this
   * one rejects from now on. To be called once.
   */
  crash(kind: CrashKind = 'power', clock?: VirtualClock): SimulatedDisk {
    this.#end(kind)
    this.#throwMisuse()
    if (this.#isHandedOn) throw new Error(`seed ${this.#options.seed}: this disk has crashed and been replaced before`)
    this.#isHandedOn = true
    const newClock = clock ?? this.#options.clock
    const options = newClock === undefined ? this.#options : { ...this.#options, clock: newClock }
    return new SimulatedDisk(options, this.#machine)
  }

  get isCrashed(): boolean {
    return this.#crashKind !== undefined
  }

  // --- what a test sees

  /** Operations so far. */
  get operationCount(): number {
    return this.#operations
  }

  /** Operations so far that change something: what `crashAt` counts. */
  get changeCount(): number {
    return this.#changes
  }

  /** Operations that have not finished. */
  get inFlightCount(): number {
    return this.#inFlight.size
  }

  /** Operations that `step` can finish now. */
  get readyCount(): number {
    return this.#ready.length
  }

  /** Handles that are open: a test that ends with some has leaked them. */
  get openFileCount(): number {
    return this.#openFiles
  }

  get usedBytes(): number {
    return this.#machine.files.usedBytes
  }

  /** Equal for two runs that made the same operations, finished in the same order with the same ends. */
  get fingerprint(): number {
    return this.#fingerprint
  }

  /** The latest operations as they finished, for the text of a failure. */
  get recent(): readonly string[] {
    return this.#recent
  }

  /** Contents of a file as the process sees it now; undefined where there is none. For assertions. */
  peek(path: string): Uint8Array | undefined {
    const node = this.#machine.files.find(path)
    return node?.kind === 'file' ? node.visible.toBytes() : undefined
  }

  /** Names in a directory as the process sees them now; none where there is no directory. For assertions. */
  peekNames(path: string): string[] {
    const node = this.#machine.files.find(path)
    return node?.kind === 'directory' ? [...node.visible.keys()].toSorted() : []
  }

  /**
   * Overwrites bytes of a file as a failing medium does, behind the back of the process and durably.
   * Throws DiskError 'not-found'.
   */
  corrupt(path: string, position: number, bytes: Uint8Array): void {
    const file = this.#machine.files.file(path)
    file.visible.write(position, bytes)
    file.durable.write(position, bytes)
  }

  // --- the scheduler

  /**
   * Finishes one operation, chosen by the seed among those whose time has come. False when there is none. Throws what is
   * a mistake of the caller on any disk, such as bytes that changed while they were written.
   */
  step(): boolean {
    this.#throwMisuse()
    if (this.#ready.length === 0) return false
    const [operation] = this.#ready.splice(this.#machine.random.below(this.#ready.length), 1) as [Operation]
    this.#inFlight.delete(operation.number)
    try {
      const value = operation.run(operation.code)
      this.#note(operation, 'done')
      operation.resolve(value as never)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#note(operation, error.code)
      operation.reject(error)
    }
    return true
  }

  #start<T>(kind: DiskOperation, path: string, run: (code: DiskErrorCode | undefined) => T): Promise<T> {
    if (this.isCrashed) return Promise.reject(this.#gone(path))
    if (this.#inFlight.size >= IN_FLIGHT_MAX)
      throw new Error(`seed ${this.#options.seed}: more than ${IN_FLIGHT_MAX} disk operations at once, ${kind} ${path}`)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const number = ++this.#operations
    const operation = { number, kind, path, code: this.#faultOf(kind, path), run, resolve, reject }
    this.#inFlight.set(number, operation)
    const { clock } = this.#options
    const durationMs = clock === undefined ? 0 : this.#durationMs()
    if (clock === undefined || durationMs === 0) this.#ready.push(operation)
    else clock.after(durationMs, () => this.#finishable(operation))
    if (CHANGES.has(kind) && ++this.#changes === this.#crashAtChange) this.#end(this.#plannedKind)
    return promise
  }

  #finishable(operation: Operation): void {
    if (!this.isCrashed) this.#ready.push(operation)
  }

  #durationMs(): number {
    const { durationMsMax = 2, slowShare = 0, slowMs = 2_000 } = this.#options
    return this.#chance(slowShare) ? slowMs : this.#machine.random.below(durationMsMax + 1)
  }

  #faultOf(kind: DiskOperation, path: string): DiskErrorCode | undefined {
    let code: DiskErrorCode | undefined = undefined
    for (const armed of this.#faults)
      if (armed.fault.on === kind && armed.fault.path?.(path) !== false && --armed.left === 0) code = armed.fault.code
    this.#faults = this.#faults.filter(({ left }) => left > 0)
    if (code !== undefined) return code
    const mayFail = kind === 'write' || kind === 'read' || kind === 'sync' || kind === 'syncDirectory'
    return mayFail && this.#chance(this.#options.ioErrorShare ?? 0) ? 'io' : undefined
  }

  #chance(share: number): boolean {
    return share > 0 && this.#machine.random.u32() < share * 2 ** 32
  }

  #note({ number, kind, path }: Operation, end: string): void {
    const line = `${number} ${kind} ${path} ${end}`
    for (let i = 0; i < line.length; i++)
      this.#fingerprint = (Math.imul(this.#fingerprint, 31) + line.charCodeAt(i)) >>> 0
    this.#recent.push(line)
    if (this.#recent.length > RECENT_LINES) this.#recent.shift()
  }

  #end(kind: CrashKind): void {
    if (this.isCrashed) return
    this.#crashKind = kind
    const { files, random } = this.#machine
    // What was under way may have happened, happened in part, or not.
    const underWay = [...this.#inFlight.values()]
    this.#inFlight.clear()
    this.#ready.length = 0
    this.#locks.clear()
    while (underWay.length > 0) {
      const [operation] = underWay.splice(random.below(underWay.length), 1) as [Operation]
      const fate = random.below(3)
      const code = fate === 0 ? 'io' : undefined
      if (fate < 2 && operation.kind !== 'sync' && CHANGES.has(operation.kind)) this.#attempt(operation, code)
      this.#note(operation, 'crash')
      operation.reject(this.#gone(operation.path))
    }
    if (kind === 'power') files.losePower(new SurvivalRules(random))
    else files.killProcess()
    this.#openFiles = 0
  }

  #attempt(operation: Operation, code: DiskErrorCode | undefined): void {
    try {
      operation.run(code)
    } catch (error) {
      // A DiskError has nobody left to hear it. The rest must not end in the caller, who may swallow it.
      if (!(error instanceof DiskError)) this.#misuse ??= error as Error
    }
  }

  #throwMisuse(): void {
    if (this.#misuse !== undefined) throw this.#misuse
  }

  #gone(path: string): DiskError {
    const what = this.#crashKind === 'kill' ? 'the process was killed' : 'the power is gone'
    return new DiskError('io', path, `${what} (simulated, seed ${this.#options.seed})`)
  }

  // --- Disk

  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    const kind = mode === 'create' ? 'create' : 'open'
    return this.#start(kind, path, (code) => {
      if (code !== undefined) throw failure(code, path, kind)
      const { files } = this.#machine
      const file = mode === 'create' ? files.create(path) : files.file(path)
      files.opened(file)
      this.#openFiles++
      return new SimulatedFile(this.#access, path, file, mode !== 'read')
    })
  }

  remove(path: string): Promise<void> {
    return this.#plain('remove', path, () => this.#machine.files.remove(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#plain('rename', from, () => this.#machine.files.rename(from, to))
  }

  makeDirectory(path: string): Promise<void> {
    return this.#plain('makeDirectory', path, () => this.#machine.files.makeDirectory(path))
  }

  list(path: string): Promise<readonly string[]> {
    return this.#plain('list', path, () => {
      const names = [...this.#machine.files.directory(path).visible.keys()]
      for (let i = names.length - 1; i > 0; i--) {
        const other = this.#machine.random.below(i + 1)
        const name = names[i] as string
        names[i] = names[other] as string
        names[other] = name
      }
      return names
    })
  }

  syncDirectory(path: string): Promise<void> {
    const { files } = this.#machine
    const { order } = files
    return this.#plain('syncDirectory', path, () => files.syncDirectory(files.directory(path), order))
  }

  freeBytes(): Promise<number> {
    return this.#plain('freeBytes', '', () => this.#free())
  }

  /** As on a real disk the lock is a file, which stays. */
  lock(path: string): Promise<DiskLock> {
    return this.#plain('lock', path, () => {
      if (this.#locks.has(path)) throw new DiskError('locked', path, 'another holder has the lock')
      if (this.#machine.files.find(path) === undefined) this.#machine.files.create(path)
      this.#locks.add(path)
      return {
        release: async () => {
          this.#locks.delete(path)
        },
      }
    })
  }

  #plain<T>(kind: DiskOperation, path: string, run: () => T): Promise<T> {
    return this.#start(kind, path, (code) => {
      if (code !== undefined) throw failure(code, path, kind)
      return run()
    })
  }

  #free(): number {
    const { capacityBytes, files } = this.#machine
    return Math.max(0, Math.min(capacityBytes, Number.MAX_SAFE_INTEGER) - files.usedBytes)
  }

  /** What handles may use of their disk. */
  readonly #access: DiskAccess = {
    start: (kind, path, run) => this.#start(kind, path, run),
    files: () => this.#machine.files,
    below: (limit) => this.#machine.random.below(limit),
    freeBytes: () => this.#free(),
    closed: () => {
      this.#openFiles--
    },
  }
}
