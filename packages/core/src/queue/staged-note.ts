/**
 * The first consumer of a queue comes, and messages wait that were logged while there was none: the log hears that they may be handed
 * out, before they are. Made for that and gone when the log knows.
 */
import type { HostLog } from '../log/host-log.ts'
import type { Lanes } from './lanes.ts'

/** The queue. */
export interface StagedNoteHost {
  /** In the log. */
  readonly number: number
  readonly contents: Lanes
  /** Messages of the log up to this one may have been handed out. */
  stagedLsn: number
  /** The log knows of everything that has come. */
  onNoted(): void
}

export class StagedNote {
  readonly #log: HostLog
  readonly #host: StagedNoteHost
  #isRepeated = false

  constructor(log: HostLog, host: StagedNoteHost) {
    this.#log = log
    this.#host = host
  }

  /** More may have come since it was submitted. */
  repeat(): void {
    this.#isRepeated = true
  }

  /** When everything submitted so far has come in. */
  submit(): void {
    const host = this.#host
    this.#log.mark(() => {
      const lsn = host.contents.lastLoadedLsn()
      if (lsn <= host.stagedLsn) return this.#onNoted()
      host.stagedLsn = lsn
      this.#log.noteStaged(host.number, lsn, () => this.#onNoted())
    })
  }

  #onNoted(): void {
    if (!this.#isRepeated) return this.#host.onNoted()
    this.#isRepeated = false
    this.submit()
  }
}
