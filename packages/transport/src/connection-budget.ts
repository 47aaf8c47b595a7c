/** Connections of all listeners of a broker together, and the files that they take. */

/**
 * Files kept free of connections, for the data directory and everything else: without a free one the journal fails, and libuv
 * closes new connections without telling anybody.
 */
export const FILES_KEPT = 64

export interface ConnectionBudgetOptions {
  /** Connections at one time, all listeners together. */
  readonly connectionsMax?: number | undefined
  /** Files that the process may have open; undefined where the system does not say. */
  readonly filesMax?: number | undefined
}

export class ConnectionBudget {
  /** May change while listeners run; those that are open stay. */
  connectionsMax: number
  readonly filesMax: number
  #open = 0

  constructor(options: ConnectionBudgetOptions = {}) {
    this.connectionsMax = options.connectionsMax ?? Infinity
    this.filesMax = options.filesMax ?? Infinity
  }

  get open(): number {
    return this.#open
  }

  get isSpent(): boolean {
    return this.#open >= this.connectionsMax
  }

  /** `fileNumber` of a new connection: the system gives the lowest that is free, so a high one means that few are. */
  takesLastFiles(fileNumber: number): boolean {
    return fileNumber >= this.filesMax - FILES_KEPT
  }

  add(): void {
    this.#open++
  }

  remove(): void {
    this.#open--
  }
}
