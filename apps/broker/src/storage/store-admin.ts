/** What an operator does with the store of a running broker: look at it, copy it. */
import type { BackupMade, StoreReport } from '@ternmq/api'
import { ApiError } from '@ternmq/management'
import type { JournalEngine } from '@ternmq/store/journal'
import { nodeDisk } from '@ternmq/store/node-disk'

import { assertOutside } from './backup-target.ts'
import { messageOf } from '../errors.ts'

export class StoreAdmin {
  readonly #journal: JournalEngine | undefined
  readonly #folder: string
  #isCopying = false

  /** Without a journal for a broker whose engine has no files. */
  constructor(journal: JournalEngine | undefined, folder: string) {
    this.#journal = journal
    this.#folder = folder
  }

  /** Throws ApiError('CONFLICT') where there is no journal. */
  report(): StoreReport {
    return this.#requireJournal().inspect()
  }

  /** `target` is an absolute path, for this process to make. Rejects with ApiError('CONFLICT'). */
  async backup(target: string): Promise<BackupMade> {
    const journal = this.#requireJournal()
    if (this.#isCopying) throw new ApiError('CONFLICT', 'a backup is being made already; wait until it is done')
    this.#isCopying = true
    try {
      assertOutside(this.#folder, target)
      const { files, bytes } = await journal.backup(nodeDisk(target))
      return { files, bytes }
    } catch (error) {
      throw new ApiError('CONFLICT', messageOf(error), { field: 'folder', value: target })
    } finally {
      this.#isCopying = false
    }
  }

  #requireJournal(): JournalEngine {
    if (this.#journal !== undefined) return this.#journal
    const text = 'this broker keeps everything in memory (store.engine is "memory"): it has no journal'
    throw new ApiError('CONFLICT', text)
  }
}
