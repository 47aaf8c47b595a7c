/** Records for tests, and what the cases need to look into a log. */
import type { CatalogEntry, Engine, LogRecord, Lsn, Ownership, PartitionLog, Stored, TailBatch } from '../engine.ts'
import { Appender } from './appender.ts'

export type OpenEngine = () => Promise<Engine>
/** Closes the engine and opens what it left. */
export type ReopenEngine = (engine: Engine) => Promise<Engine>

export interface ConformanceCase {
  readonly name: string
  run(open: OpenEngine): Promise<void>
}

/** A case about what outlives an engine. */
export interface ReopenCase {
  readonly name: string
  run(open: OpenEngine, reopen: ReopenEngine): Promise<void>
}

/** A case about one new engine, which is closed afterwards. */
export function withEngine(name: string, body: (engine: Engine) => Promise<void>): ConformanceCase {
  return {
    name,
    run: async (open) => {
      const engine = await open()
      try {
        await body(engine)
      } finally {
        await engine.close()
      }
    },
  }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

/** Content whose body lies inside a larger block. */
export function content(text: string): LogRecord {
  const body = bytesOf(`<<${text}>>`)
  return { kind: 1, dest: 7, meta: bytesOf(`m:${text}`), body, bodyStart: 2, bodyEnd: body.length - 2 }
}

export function bookkeeping(text: string): LogRecord {
  return { kind: 2, dest: 0, meta: bytesOf(text), body: undefined, bodyStart: 0, bodyEnd: 0 }
}

export function bodyOf(record: LogRecord | undefined): string | undefined {
  return record?.body === undefined ? undefined : textOf(record.body.subarray(record.bodyStart, record.bodyEnd))
}

/** All that must come back of a record, whatever block its bytes lie in. */
export function valueOf(record: LogRecord): string {
  return JSON.stringify([record.kind, record.dest, textOf(record.meta), bodyOf(record) ?? null])
}

/** Owns the partition as `node`. */
export async function own(log: PartitionLog, node = 'a'): Promise<{ ownership: Ownership; appender: Appender }> {
  const appender = new Appender()
  const ownership = await log.own({ node, ttlMs: 3_600_000 }, appender)
  appender.attach(ownership.log)
  return { ownership, appender }
}

export function ingest(log: PartitionLog): Appender {
  const appender = new Appender()
  appender.attach(log.ingest(appender))
  return appender
}

/** What a tail that begins now shows up to its first head. */
export async function tailNow(log: PartitionLog, after: Lsn = 0): Promise<{ trimmedTo: Lsn; records: Stored[] }> {
  const stop = new AbortController()
  const records: Stored[] = []
  let trimmedTo = 0
  for await (const batch of log.tail(after, stop.signal)) {
    trimmedTo = batch.trimmedTo
    records.push(...batch.records)
    if (batch.head) stop.abort()
  }
  return { trimmedTo, records }
}

/** Reads on from an open tail until it has shown `lsn`. */
export async function tailUntil(tail: AsyncIterator<TailBatch, void>, lsn: Lsn): Promise<Stored[]> {
  const records: Stored[] = []
  while ((records.at(-1)?.lsn ?? 0) < lsn) {
    const { done, value } = await tail.next()
    if (done === true) throw new Error(`the tail ended before lsn ${lsn}`)
    records.push(...value.records)
  }
  return records
}

export async function scanAll(engine: Engine, prefix: string): Promise<CatalogEntry[]> {
  const entries: CatalogEntry[] = []
  for await (const page of engine.catalog.scan(prefix)) entries.push(...page)
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Settles as the error that `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  return undefined
}
