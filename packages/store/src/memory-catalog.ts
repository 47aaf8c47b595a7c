/** A catalog that lives in memory. One commit is one synchronous step, so reads and commits are in one order. */
import type { Catalog, CatalogEntry, CatalogNews, CatalogOp, EngineLimits } from './engine.ts'
import type { MemoryBudget } from './memory-budget.ts'
import { CatalogState } from './catalog-state.ts'

export class MemoryCatalog implements Catalog {
  readonly #budget: MemoryBudget
  readonly #state: CatalogState

  constructor(limits: EngineLimits, budget: MemoryBudget) {
    this.#state = new CatalogState(limits)
    this.#budget = budget
  }

  async get(key: string): Promise<CatalogEntry | undefined> {
    return this.#state.get(key)
  }

  scan(prefix: string): AsyncIterable<readonly CatalogEntry[], void> {
    return this.#state.scan(prefix)
  }

  async commit(ops: readonly CatalogOp[]): Promise<number[]> {
    const bytes = this.#state.check(ops)
    // Definitions may use what is kept for settling: without them nobody could make room by deleting a queue.
    if (!this.#budget.take(bytes, false)) throw this.#budget.refusal('catalog', bytes)
    return ops.map(({ key, value }) => {
      const rev = this.#state.rev + 1
      this.#state.apply({ key, rev, value })
      return rev
    })
  }

  watch(prefix: string, signal: AbortSignal): AsyncIterable<CatalogNews, void> {
    return this.#state.watch(prefix, signal)
  }

  close(): void {
    this.#state.close()
  }
}
