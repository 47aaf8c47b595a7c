/**
 * Reads the bodies of calls. What may come in is bounded of one call, of one user and of all together, in bytes, in time where nobody knows
 * yet who sends it, and by how much is in it.
 */
import type { Readable } from 'node:stream'
import type { AnyRoute } from '@ternmq/api'
import { ApiError } from '@ternmq/management'
import { parseJson } from './json-body.ts'
import {
  BODY_BYTES_MAX,
  BODY_ENTRIES_MAX,
  LARGE_BODY_BYTES_MAX,
  LARGE_BODY_ENTRIES_MAX,
  LOGIN_BODY_BYTES_MAX,
  LOGIN_BODY_MS,
  LOGIN_ENTRIES_MAX,
  UNREAD_BYTES_MAX,
  UNREAD_BYTES_PER_USER_MAX,
} from './limits.ts'
import type { ServerClock } from './options.ts'

interface BodyLimits {
  readonly bytesMax: number
  readonly entriesMax: number
  /** Undefined: as long as the server gives a call. */
  readonly timeMs?: number
}

const USUAL: BodyLimits = { bytesMax: BODY_BYTES_MAX, entriesMax: BODY_ENTRIES_MAX }
const OF_STRANGERS: BodyLimits = {
  bytesMax: LOGIN_BODY_BYTES_MAX,
  entriesMax: LOGIN_ENTRIES_MAX,
  timeMs: LOGIN_BODY_MS,
}
const DEFINITIONS: BodyLimits = { bytesMax: LARGE_BODY_BYTES_MAX, entriesMax: LARGE_BODY_ENTRIES_MAX }

/** Calls whose bodies carry a message, definitions of everything, or settings that are lists. */
const UNUSUAL: ReadonlyMap<string, BodyLimits> = new Map([
  ['messaging.publish', { bytesMax: LARGE_BODY_BYTES_MAX, entriesMax: BODY_ENTRIES_MAX }],
  ['definitions.plan', DEFINITIONS],
  ['definitions.apply', DEFINITIONS],
  ['config.change', { bytesMax: BODY_BYTES_MAX, entriesMax: LARGE_BODY_ENTRIES_MAX }],
])

export interface BodiesOptions {
  readonly clock: Pick<ServerClock, 'after'>
  /** Resolves in a later turn. */
  readonly pause: () => Promise<void>
}

export class Bodies {
  readonly #options: BodiesOptions
  readonly #bytesByUser = new Map<string, number>()
  #bytes = 0

  constructor(options: BodiesOptions) {
    this.#options = options
  }

  /** Bytes of bodies that are not read to their end. */
  get unreadBytes(): number {
    return this.#bytes
  }

  /**
   * What is in a body; undefined of an empty one. `saidBytes`: its length, as far as the call says it. `user`: '' for nobody.
   * Rejects with ApiError: 'TOO_LARGE', 'BUSY' where those that are under way are too large together, 'INVALID'.
   */
  async read(payload: Readable, route: AnyRoute, user: string, saidBytes: number | undefined): Promise<unknown> {
    const limits = limitsOf(route)
    if (saidBytes !== undefined && saidBytes > limits.bytesMax) throw tooLong(limits)
    let ownBytes = 0
    const take = (bytes: number): ApiError | undefined => {
      const refusal = ownBytes + bytes > limits.bytesMax ? tooLong(limits) : this.#noRoom(user, bytes)
      if (refusal !== undefined) return refusal
      ownBytes += bytes
      this.#add(user, bytes)
      return undefined
    }
    try {
      const bytes = await this.#gather(payload, take, limits.timeMs)
      return bytes.length === 0 ? undefined : await parseJson(bytes, limits.entriesMax, this.#options.pause)
    } finally {
      this.#add(user, -ownBytes)
    }
  }

  /** `take` says what is too much; then no more is read. */
  #gather(
    payload: Readable,
    take: (bytes: number) => ApiError | undefined,
    timeMs: number | undefined,
  ): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      const settle = (end: () => void): void => {
        payload.off('data', handleData).off('end', handleEnd).off('error', handleCut).off('close', handleCut)
        payload.on('error', ignore) // of a caller that goes while it is refused
        cancelTimer()
        end()
      }
      const handleData = (chunk: Buffer): void => {
        const refusal = take(chunk.length)
        if (refusal === undefined) chunks.push(chunk)
        else settle(() => reject(refusal))
      }
      const handleEnd = (): void => settle(() => resolve(Buffer.concat(chunks)))
      const handleCut = (): void => settle(() => reject(new ApiError('INVALID', 'the body did not come in to its end')))
      const handleLate = (): void =>
        settle(() => reject(new ApiError('INVALID', `the body took longer than ${timeMs} ms to come in`)))
      const cancelTimer = timeMs === undefined ? ignore : this.#options.clock.after(timeMs, handleLate)
      payload.on('data', handleData).on('end', handleEnd).on('error', handleCut).on('close', handleCut)
    })
  }

  #noRoom(user: string, bytes: number): ApiError | undefined {
    const ofUser = this.#bytesByUser.get(user) ?? 0
    if (ofUser + bytes > UNREAD_BYTES_PER_USER_MAX) return noRoom(`of user '${user}'`, UNREAD_BYTES_PER_USER_MAX)
    return this.#bytes + bytes > UNREAD_BYTES_MAX ? noRoom('of all users', UNREAD_BYTES_MAX) : undefined
  }

  #add(user: string, bytes: number): void {
    const ofUser = (this.#bytesByUser.get(user) ?? 0) + bytes
    this.#bytes += bytes
    if (ofUser === 0) this.#bytesByUser.delete(user)
    else this.#bytesByUser.set(user, ofUser)
  }
}

function limitsOf({ id, needs }: AnyRoute): BodyLimits {
  return needs === 'nobody' ? OF_STRANGERS : (UNUSUAL.get(id) ?? USUAL)
}

function tooLong({ bytesMax }: BodyLimits): ApiError {
  return new ApiError('TOO_LARGE', `the body is longer than ${bytesMax} bytes, the most of this call`, {
    field: 'body',
    rule: `up to ${bytesMax} bytes`,
  })
}

function noRoom(whose: string, bytesMax: number): ApiError {
  return new ApiError(
    'BUSY',
    `bodies ${whose} that have not come in to their end have ${bytesMax} bytes, the most there may be; try again`,
  )
}

function ignore(): void {}
