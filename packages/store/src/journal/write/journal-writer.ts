/** A writer of a partition: checks groups against the limits and hands them to the committer. */
import type { Durability, LogRecord, Lsn, PreparedRecord, Writer, WriterId, WriterOwner } from '../../engine.ts'
import type { Fenced, Unknown } from '../../errors.ts'
import type { Committer } from './committer.ts'
import type { ChunkRef, WriterName } from '../files/format.ts'
import { PREPARE_FROM_BYTES, RECORD_OVERHEAD_BYTES } from '../../engine.ts'
import { EXTERNAL_BYTES } from './batch.ts'
import { NotAppended } from '../../errors.ts'
import { FRAME_HEADER_BYTES } from '../files/format.ts'

/** What a frame takes of a slab beside metadata and body, at most. */
const FRAME_ROOM_BYTES = FRAME_HEADER_BYTES + 12
/** The room of a list of chunks per 1 MiB of body: more than it takes. */
const CHUNK_LIST_SHARE = 1 / 4_096

export class JournalWriter implements Writer {
  readonly name: WriterName
  readonly #committer: Committer
  readonly #owner: WriterOwner
  readonly #prepared = new WeakMap<LogRecord, readonly ChunkRef[]>()
  #pendingBytes = 0
  #lastTicket = -Infinity
  #closed = false
  /** Why nothing of it can go in any more. */
  #end: Fenced | Unknown | undefined = undefined
  #told = false
  /** Called when nothing of it is left to be told. */
  onClosed: () => void = () => {}

  constructor(committer: Committer, owner: WriterOwner, name: WriterName) {
    this.#committer = committer
    this.#owner = owner
    this.name = name
  }

  get id(): WriterId {
    return this.name.id
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get ready(): boolean {
    return this.#pendingBytes <= this.#committer.pendingHighBytes
  }

  submit(group: readonly LogRecord[], ticket: number, level: Durability): void {
    if (!(ticket > this.#lastTicket)) {
      throw new RangeError(`writer ${this.id}: ticket ${ticket} does not ascend from ${this.#lastTicket}`)
    }
    if (group.length === 0) throw new RangeError(`writer ${this.id}: the group of ticket ${ticket} is empty`)
    this.#lastTicket = ticket
    if (this.#end !== undefined) return this.#committer.answerEnded(this)
    let bytes = 0
    let slabBytes = 0
    let fileBytes = 0
    let isContent = false
    let isPrepared = false
    for (let index = 0; index < group.length; index++) {
      const record = group[index]!
      const bodyLength = record.bodyEnd - record.bodyStart
      bytes += RECORD_OVERHEAD_BYTES + record.meta.length + bodyLength
      slabBytes += FRAME_ROOM_BYTES + record.meta.length
      if (record.body === undefined) continue
      isContent = true
      if (bodyLength >= PREPARE_FROM_BYTES && this.#prepared.has(record)) {
        isPrepared = true
        slabBytes += Math.ceil(bodyLength * CHUNK_LIST_SHARE)
        fileBytes -= bodyLength
      } else if (bodyLength < EXTERNAL_BYTES) slabBytes += bodyLength
    }
    fileBytes += bytes
    const refusal = this.#refusal(group.length, bytes, fileBytes, isContent)
    if (refusal !== undefined) {
      if (isPrepared) for (const record of group) this.#discard(record)
      this.#committer.fail(this, ticket, refusal)
      return
    }
    this.#pendingBytes += this.#committer.append(
      this,
      group,
      ticket,
      level === 'fsync-local' || level === 'fsync-quorum',
      slabBytes,
      fileBytes,
      isPrepared ? this.#prepared : undefined,
    )
  }

  async prepare(record: LogRecord): Promise<PreparedRecord> {
    if (this.#end !== undefined) throw this.#end
    const bodyLength = record.bodyEnd - record.bodyStart
    const bytes = RECORD_OVERHEAD_BYTES + record.meta.length + bodyLength
    const refusal = this.#refusal(1, bytes, bytes, true)
    if (refusal !== undefined) throw refusal
    if (bodyLength >= PREPARE_FROM_BYTES && record.body !== undefined) {
      this.#pendingBytes += bytes
      try {
        const chunks = await this.#committer.writeAhead(
          record.body.subarray(record.bodyStart, record.bodyEnd),
          () => this.#end,
        )
        this.#prepared.set(record, chunks)
      } finally {
        this.#pendingBytes -= bytes
      }
    }
    return { record, discard: () => this.#discard(record) }
  }

  /** Resolves when everything submitted has its outcome. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#committer.settled()
    this.onClosed()
  }

  /** The groups up to `lastTicket` are in the log. */
  committed(lastTicket: number, firstLsn: Lsn, atMs: number, bytes: number): void {
    this.#pendingBytes -= bytes
    if (!this.#told) this.#owner.onCommitted(lastTicket, firstLsn, atMs)
  }

  failed(ticket: number, error: NotAppended, bytes: number): void {
    this.#pendingBytes -= bytes
    if (!this.#told) this.#owner.onFailed(ticket, error)
  }

  /** From now on nothing goes in; `tellEnd` says so when the outcomes before are told. */
  end(error: Fenced | Unknown): void {
    this.#end ??= error
  }

  tellEnd(): void {
    if (this.#told || this.#end === undefined) return
    this.#told = true
    this.#pendingBytes = 0
    this.onClosed()
    this.#owner.onEnded(this.#end)
  }

  #discard(record: LogRecord): void {
    const chunks = this.#prepared.get(record)
    if (chunks === undefined) return
    this.#prepared.delete(record)
    this.#committer.forget(chunks)
  }

  #refusal(records: number, bytes: number, fileBytes: number, isContent: boolean): NotAppended | undefined {
    if (this.#closed) return new NotAppended('closed', `writer ${this.id} is closed`)
    const { groupRecords, groupBytes } = this.#committer.limits
    if (records > groupRecords) {
      return new NotAppended('too-big', `a group of ${records} records is over the limit groupRecords ${groupRecords}`)
    }
    if (bytes > groupBytes) {
      return new NotAppended('too-big', `a group of ${bytes} bytes is over the limit groupBytes ${groupBytes}`)
    }
    return isContent ? this.#committer.refusal(fileBytes) : undefined
  }
}
