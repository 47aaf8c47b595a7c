/** Bodies that are brought into the log in pieces ahead of their records; they take turns, a piece each. */
import type { Lsn } from '../../engine.ts'
import type { ChunkRef } from '../files/format.ts'

/** What one commit can carry beside others without being felt. */
export const CHUNK_BYTES: number = 256 * 1024

interface Job {
  readonly body: Uint8Array
  readonly chunks: ChunkRef[]
  readonly ended: () => Error | undefined
  readonly resolve: (chunks: readonly ChunkRef[]) => void
  readonly reject: (error: Error) => void
  offset: number
  committed: number
  failed: boolean
}

/** A piece to be written; `done` when it is in the log, or not. */
export interface Piece {
  readonly body: Uint8Array
  readonly start: number
  readonly end: number
  readonly done: (error?: Error) => void
}

export class WriteAhead {
  readonly #forget: (chunks: readonly ChunkRef[]) => void
  /** Bounded by the callers: each waits for its own. */
  readonly #jobs: Job[] = []

  /** `forget` lets pieces go that nobody will use. */
  constructor(forget: (chunks: readonly ChunkRef[]) => void) {
    this.#forget = forget
  }

  get isEmpty(): boolean {
    return this.#jobs.length === 0
  }

  /** `ended` says why nobody can use the body any more. */
  add(body: Uint8Array, ended: () => Error | undefined): Promise<readonly ChunkRef[]> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ body, chunks: [], ended, resolve, reject, offset: 0, committed: 0, failed: false })
    })
  }

  /** The next piece, to be written at `lsn`; undefined when `refusal` or the end of its writer is in the way. */
  next(lsn: Lsn, refusal: Error | undefined): Piece | undefined {
    const job = this.#jobs.shift()
    if (job === undefined) return undefined
    const error = job.ended() ?? refusal
    if (error !== undefined) {
      this.#fail(job, error)
      return undefined
    }
    const start = job.offset
    const end = Math.min(start + CHUNK_BYTES, job.body.length)
    const chunk = { lsn, length: end - start }
    job.chunks.push(chunk)
    job.offset = end
    if (end < job.body.length) this.#jobs.push(job) // behind the others
    return { body: job.body, start, end, done: (failure) => this.#onPiece(job, chunk, failure) }
  }

  breakOff(error: Error): void {
    for (const job of this.#jobs.splice(0)) this.#fail(job, error)
  }

  #onPiece(job: Job, chunk: ChunkRef, error: Error | undefined): void {
    if (error !== undefined) this.#fail(job, error)
    else if (job.failed) this.#forget([chunk])
    else {
      job.committed += chunk.length
      if (job.committed === job.body.length) job.resolve(job.chunks)
    }
  }

  #fail(job: Job, error: Error): void {
    if (job.failed) return
    job.failed = true
    const waiting = this.#jobs.indexOf(job)
    if (waiting >= 0) this.#jobs.splice(waiting, 1)
    this.#forget(job.chunks)
    job.reject(error)
  }
}
