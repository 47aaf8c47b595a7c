/** What an operator does with the store of a running broker: look at it, copy it. */
import type { JournalEngine, CopyReport, StoreReport } from '@ternmq/store/journal'
import { nodeDisk } from '@ternmq/store/node-disk'
import { isAbsolute } from 'node:path'

import { BrokerError } from './errors.ts'
import type { QueueList } from './queue-list.ts'

/** One request of `ternmq store`, as it goes over the admin socket. */
export type StoreRequest =
  | { readonly op: 'store.inspect' }
  /** `target` is an absolute path, for this process to make. */
  | { readonly op: 'store.backup'; readonly target: string }

/** What is on disk, and the queues that are made of it. */
export type BrokerReport = StoreReport & QueueList

export class StoreAdmin {
  readonly #journal: JournalEngine | undefined
  readonly #queues: () => QueueList
  #isCopying = false

  /** Without a journal for a broker whose engine has no files. */
  constructor(journal: JournalEngine | undefined, queues: () => QueueList) {
    this.#journal = journal
    this.#queues = queues
  }

  /** Rejects with a BrokerError or the store's own error, whose messages are for the operator. */
  async run(request: StoreRequest): Promise<BrokerReport | CopyReport> {
    const journal = this.#journal
    if (journal === undefined) {
      const text = 'this broker keeps everything in memory (store.engine is "memory"): it has no journal'
      throw new BrokerError('STORE_UNUSABLE', text)
    }
    if (request.op === 'store.inspect') return { ...journal.inspect(), ...this.#queues() }
    if (this.#isCopying)
      throw new BrokerError('STORE_UNUSABLE', 'a backup is being made already; wait until it is done')
    this.#isCopying = true
    try {
      return await journal.backup(nodeDisk(request.target))
    } finally {
      this.#isCopying = false
    }
  }
}

/** Whether what came over the socket is a request for `StoreAdmin`. */
export function isStoreRequest(value: unknown): value is StoreRequest {
  const { op, target } = (typeof value === 'object' ? (value ?? {}) : {}) as Record<string, unknown>
  if (op === 'store.inspect') return true
  return op === 'store.backup' && typeof target === 'string' && isAbsolute(target)
}
