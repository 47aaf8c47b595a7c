/**
 * The engine interface: partition logs for messages and sessions, a catalog for definitions. Memory, journal, simulated
 * and cluster engines give the same answers to the same calls; `conformance/` says so in tests. [ADR-0002]
 *
 * A cluster engine will add a bus between nodes (lossy frames, interest, membership) beside `Engine.catalog`; engines
 * of one process have nobody to talk to, so it is not here.
 */
import type { Fenced, NotAppended, Unknown } from './errors.ts'

/** Stable. Which partition a destination lives in is a catalog record, never a hash of its name. */
export type PartitionId = number

/**
 * Place in a partition's order; 0 is before everything. Only to be compared, but for the run that `onCommitted`
 * describes.
 */
export type Lsn = number

/**
 * Lsn of the record that gave a partition its owner: strictly ascending per partition. 0: written without ownership.
 */
export type Epoch = Lsn

/** One life of one writer: fresh after every open. */
export type WriterId = string

/** How sure an append is before `onCommitted`, weakest first. */
export const DURABILITIES = ['memory', 'page-cache', 'fsync-local', 'fsync-quorum'] as const
export type Durability = (typeof DURABILITIES)[number]

/**
 * The level an engine with the levels `honoured` really gives when `asked`: the weakest that is no weaker, else its
 * strongest. To be shown wherever a level is configured: a memory engine gives 'memory' whatever is asked.
 */
export function durabilityGiven(honoured: readonly Durability[], asked: Durability): Durability {
  const ranks = honoured.map((level) => DURABILITIES.indexOf(level))
  const enough = ranks.filter((rank) => rank >= DURABILITIES.indexOf(asked))
  const given = DURABILITIES[enough.length > 0 ? Math.min(...enough) : Math.max(...ranks)]
  if (given === undefined) throw new RangeError('an engine must honour at least one durability')
  return given
}

/**
 * What the core writes. Two sorts, told apart by `body`: content (a body, be it empty) can be read by its lsn until it
 * is released; bookkeeping (no body: settles, session state) is for the tail alone and goes when a snapshot covers it.
 * Engines keep records by reference: from `submit` on, the record and the bytes it shows must never change.
 */
export interface LogRecord {
  /** The core's type of record, 0…255. */
  readonly kind: number
  /** The core's number of a destination, 0…2^32-1. Engines may group by it, and tools show it. */
  readonly dest: number
  /** What the fold needs. Small. */
  readonly meta: Uint8Array
  /** Holds the body from `bodyStart` to `bodyEnd`, so that bytes in a shared block need no view of their own. */
  readonly body: Uint8Array | undefined
  /** Both 0 without a body. */
  readonly bodyStart: number
  readonly bodyEnd: number
}

/** A committed record. */
export interface Stored extends LogRecord {
  readonly lsn: Lsn
  /** Epoch of the owner that wrote it; 0 for `ingest`. */
  readonly epoch: Epoch
  readonly writer: WriterId
  /** Unix ms on the engine's clock, equal for all records of one `onCommitted`. */
  readonly atMs: number
}

/** What a record costs beside its bytes, against `EngineLimits.groupBytes` and every budget of bytes. */
export const RECORD_OVERHEAD_BYTES = 64

/** Size of a record in bytes, as every limit counts it. Hot path. */
export function recordBytes(record: LogRecord): number {
  return RECORD_OVERHEAD_BYTES + record.meta.length + record.bodyEnd - record.bodyStart
}

/**
 * Takes outcomes, in the order of the tickets and never from inside `submit`. Each ticket has exactly one, unless
 * `onEnded` comes first. Calling `submit`, `release` or `close` from here is fine. Must not throw.
 */
export interface WriterOwner {
  /**
   * Every group after the last outcome, up to and with `lastTicket`, is in the log for good and at its level. Their
   * records, in the order submitted, have the lsns `firstLsn`, `firstLsn + 1`, … without holes; the next call may start
   * at any higher one. Once per batch. Hot path.
   */
  onCommitted(lastTicket: number, firstLsn: Lsn, atMs: number): void
  /** The group of `ticket` is not in the log. It alone: later groups have outcomes of their own. */
  onFailed(ticket: number, error: NotAppended): void
  /**
   * The writer is dead. Groups without an outcome never get one: by `Fenced` they have no effect, by `Unknown` some of
   * the first of them may be in the log. Last call; it comes as soon as the engine knows, at the latest in answer to
   * the next submit.
   */
  onEnded(error: Fenced | Unknown): void
}

/** Smaller bodies cost more to prepare than they delay. */
export const PREPARE_FROM_BYTES: number = 256 * 1024

/** A body that waits in the log for its record. After a crash it is forgotten. */
export interface PreparedRecord {
  /**
   * The record to submit, once, in any group of the writer that prepared it. Submitting uses the preparation up, whatever
   * the outcome; its bytes must not change until then.
   */
  readonly record: LogRecord
  /** It will not be submitted: its body may go. Idempotent, without effect once submitted. */
  discard(): void
}

/** The hot way into a log: no promise, no closure and no object per group. */
export interface Writer {
  readonly id: WriterId
  /**
   * Appends a group: all of it or nothing, its records next to each other. Never throws for what the machine or the
   * limits do; that comes as an outcome. `ticket` ascends from call to call, holes allowed. The array is the caller's
   * again at return, its records are not. `level` is the least sure the caller accepts.
   *
   * Groups commit in order, one that asks for less behind one that asks for more. After `onEnded` none commits any
   * more; `onFailed` concerns one group, so whoever needs both or neither puts them into one group.
   *
   * Throws RangeError for an empty group or a ticket that does not ascend. Hot path.
   */
  submit(group: readonly LogRecord[], ticket: number, level: Durability): void
  /**
   * Brings the body of `record` into the log ahead of it, in pieces between other groups' commits, so that a large body
   * delays nobody. Worth it from `PREPARE_FROM_BYTES` on. Rejects with `NotAppended`, `Fenced` or `Unknown`, and then
   * nothing is kept.
   */
  prepare(record: LogRecord): Promise<PreparedRecord>
  /** Bytes submitted that have no outcome yet. */
  readonly pendingBytes: number
  /**
   * False while too much is pending: stop reading from producers. Look again in `onCommitted`; it turns true no later.
   */
  readonly ready: boolean
  /**
   * Resolves when every group submitted so far has its outcome. Later groups fail with `NotAppended` 'closed'.
   * Idempotent.
   */
  close(): Promise<void>
}

export interface TailBatch {
  /** Records up to here may be missing. A reader whose place is before it begins again with the snapshot. */
  readonly trimmedTo: Lsn
  readonly records: readonly Stored[]
  /** True when nothing committed was left behind this batch at the time. */
  readonly head: boolean
}

export interface Snapshot {
  /** The state after this record. */
  readonly at: Lsn
  readonly data: readonly Uint8Array[]
}

/** The unit of order, atomicity and ownership; many destinations share one. */
export interface PartitionLog {
  readonly id: PartitionId
  /** A writer without ownership, for gateways. It is never fenced. */
  ingest(owner: WriterOwner): Writer
  /**
   * Takes the partition: from now on the previous owner can have no effect. An earlier life of the same `node` is
   * replaced at once; another node must have resigned, or not renewed for its `ttlMs`, else rejects with `Busy`. Rejects
   * with `NotAppended` or `Unknown` as an append does.
   */
  own(options: OwnOptions, owner: WriterOwner): Promise<Ownership>
  /**
   * Committed records after `after`, or after `trimmedTo` where that is later, in order of their lsns: the same ones
   * for every reader, now and after a restart. Only content that was released may be missing. What has been committed
   * when the tail begins shows by its first `head`. Ends when `signal` aborts or the engine closes; the first batch
   * comes even when it is empty.
   */
  tail(after: Lsn, signal: AbortSignal): AsyncIterable<TailBatch, void>
  /** Content by lsn, in the order asked; undefined for what was released, or is not committed content. */
  read(lsns: readonly Lsn[]): Promise<(Stored | undefined)[]>
  /**
   * As `read`, one by one in no order and without what is not there; `index` is into `lsns`. The record's bytes are used again when
   * `onRecord` returns: it copies what it keeps. What it throws ends the read.
   */
  readEach(lsns: readonly Lsn[], onRecord: (stored: Stored, index: number) => void): Promise<void>
  /** `Stored.atMs` of what `read` would find, in the order asked. Reads no bodies, so it may tell it of a record that is damaged. */
  committedAtMs(lsns: readonly Lsn[]): Promise<(number | undefined)[]>
  /** The newest snapshot. */
  snapshot(): Promise<Snapshot | undefined>
}

export interface OwnOptions {
  /** Name of the node, the same in all its lives. */
  readonly node: string
  /** How long the ownership lasts without `renew`. Infinity where there is one node. */
  readonly ttlMs: number
}

export interface Ownership {
  readonly epoch: Epoch
  /**
   * Aborts when the ownership has ended, by whomever. Advice only: safety comes from the engine refusing stale epochs.
   */
  readonly lost: AbortSignal
  readonly log: Writer
  /**
   * The content from `firstLsn` to `lastLsn`, both included, is dead. To be called when the record that says so is
   * committed. Idempotent, lazy; without effect on anything else in the range that was released before, is bookkeeping,
   * or is not committed, and once the ownership is lost. After a crash it may be forgotten, unless a snapshot
   * followed. Hot path.
   */
  release(firstLsn: Lsn, lastLsn: Lsn): void
  /**
   * The state after record `at`; replaces the snapshot before. Bookkeeping up to `at` may go, tails may begin there,
   * content stays until released. What was released before the call stays released after a restart, because the
   * bookkeeping that settled it may be gone. The bytes must never change. Rejects with `NotAppended`, `Fenced` or `Unknown`;
   * RangeError for an `at` that is not committed or before the present snapshot.
   */
  putSnapshot(at: Lsn, data: readonly Uint8Array[]): Promise<void>
  /** Bytes that this log grew by since its newest snapshot, about: what a restart has to read. */
  readonly bytesSinceSnapshot: number
  /** Lasts another `ttlMs`. Rejects with `Fenced`. */
  renew(): Promise<void>
  /** Closes `log`, then lets go. Idempotent. */
  resign(): Promise<void>
}

export interface CatalogEntry {
  readonly key: string
  /** Ascends with every change of the key, also across deletion. Never 0. */
  readonly rev: number
  readonly value: Uint8Array
}

/**
 * One change. `value` null deletes. With `rev` it happens only if the key is at that revision; 0: only if there is
 * none.
 */
export interface CatalogOp {
  readonly key: string
  readonly rev?: number
  readonly value: Uint8Array | null
}

/** `value` null: the key was deleted. */
export interface CatalogChange {
  readonly key: string
  readonly rev: number
  readonly value: Uint8Array | null
}

export interface CatalogNews {
  readonly changes: readonly CatalogChange[]
  /** True once everything that was there when the watch began has been told. */
  readonly synced: boolean
}

/**
 * Small shared state: definitions, users, where sessions are. Retained messages are not in here: they are content of a
 * log. A key is `shard/rest`. Values are by reference and must never change.
 */
export interface Catalog {
  /** Linearizable. */
  get(key: string): Promise<CatalogEntry | undefined>
  /**
   * Entries whose key starts with `prefix`, in pages, in no order. What changes meanwhile may show its old or its new
   * form.
   */
  scan(prefix: string): AsyncIterable<readonly CatalogEntry[], void>
  /**
   * All of the ops or none; resolves with their new revisions, at the engine's strongest durability. Rejects with
   * `Conflict`, or as an append does. RangeError when keys repeat or are of several shards, the text before the first
   * '/'.
   */
  commit(ops: readonly CatalogOp[]): Promise<number[]>
  /**
   * What is there, then what changes, in order of revisions per key, until `signal` aborts or the engine closes. A slow
   * reader is told the last state of a key only, so it costs at most one entry per key.
   */
  watch(prefix: string, signal: AbortSignal): AsyncIterable<CatalogNews, void>
}

/** Beyond a limit the append is refused as `NotAppended` 'too-big'. */
export interface EngineLimits {
  /** Sum of `recordBytes` of one group. */
  readonly groupBytes: number
  readonly groupRecords: number
  /** Partition ids are 0…partitions-1; others throw RangeError. */
  readonly partitions: number
  /** UTF-16 units of one catalog key. */
  readonly keyLength: number
  /** Bytes of one catalog value. */
  readonly valueBytes: number
}

/** Opened by a function of its own package, which refuses what is not safe to run on. */
export interface Engine {
  /** Levels that it really honours, weakest first; see `durabilityGiven`. */
  readonly durabilities: readonly Durability[]
  readonly limits: EngineLimits
  readonly catalog: Catalog
  /** The same object for the same id. */
  partition(id: PartitionId): PartitionLog
  /** Closes all writers, then ends tails and watches. Idempotent. Afterwards nothing but `submit` may be called. */
  close(): Promise<void>
}
