/**
 * The engine without a disk: for tests, and for brokers whose messages need not outlive the process. Honours only
 * 'memory'.
 */
import type { Catalog, Durability, Engine, EngineLimits, PartitionId, PartitionLog } from './engine.ts'
import type { EngineEnv } from './env.ts'
import type { MemoryContext } from './memory-log.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { MemoryBudget } from './memory-budget.ts'
import { MemoryCatalog } from './memory-catalog.ts'
import { MemoryLog } from './memory-log.ts'

const MIB = 1024 * 1024

export interface MemoryEngineOptions {
  /**
   * Bytes in all partitions and the catalog, as `recordBytes` counts them; beyond, appends are refused as 'full'.
   * Default 512 MiB.
   */
  readonly maxBytes?: number
  /** `Writer.ready` is false above this many bytes. Default 4 MiB. */
  readonly pendingHighBytes?: number
  readonly limits?: Partial<EngineLimits>
}

export class MemoryEngine implements Engine {
  readonly durabilities: readonly Durability[] = ['memory']
  readonly limits: EngineLimits
  readonly #catalog: MemoryCatalog
  readonly #context: MemoryContext
  readonly #partitions = new Map<PartitionId, MemoryLog>()

  constructor(env: Pick<EngineEnv, 'clock'>, options: MemoryEngineOptions = {}) {
    const maxBytes = options.maxBytes ?? 512 * MIB
    // A sixteenth for settles: each frees at least as much content as it takes, so a little goes a long way.
    const budget = new MemoryBudget(maxBytes, Math.floor(maxBytes / 16))
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#catalog = new MemoryCatalog(this.limits, budget)
    this.#context = {
      clock: env.clock,
      limits: this.limits,
      budget,
      pendingHighBytes: options.pendingHighBytes ?? 4 * MIB,
    }
  }

  get catalog(): Catalog {
    return this.#catalog
  }

  /** Held now, submitted and not yet committed included. */
  get usedBytes(): number {
    return this.#context.budget.usedBytes
  }

  partition(id: PartitionId): PartitionLog {
    if (!Number.isInteger(id) || id < 0 || id >= this.limits.partitions) {
      throw new RangeError(`partition ${id}: ids are 0 to ${this.limits.partitions - 1}`)
    }
    let log = this.#partitions.get(id)
    if (log === undefined) {
      log = new MemoryLog(id, this.#context)
      this.#partitions.set(id, log)
    }
    return log
  }

  async close(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map((log) => log.close()))
    this.#catalog.close()
  }
}
