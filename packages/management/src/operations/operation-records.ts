/**
 * Long work, under way or ended, written down in the engine's catalog: `operations/ID`, each a JSON text with a version. The next start
 * knows by it how what ended did, and what was cut off: that has no end. Nobody waits for it: what a full disk did not take is missing
 * from the list after a restart, and nothing else.
 */
import type { ActionBody, OperationItem } from '@ternmq/api'
import type { Catalog, CatalogEntry } from '@ternmq/store'
import { OPERATIONS_ENDED_MAX, OPERATIONS_RUNNING_MAX } from './operations.ts'

const PREFIX = 'operations/'
/** What is written. */
const VERSION = 2
/** What is read: before 2, nothing was kept that had ended. */
const VERSIONS_READ: readonly unknown[] = [1, VERSION]

/** Records that a start keeps; those beyond it, which ended first, are taken away. */
const RECORDS_MAX: number = OPERATIONS_ENDED_MAX + OPERATIONS_RUNNING_MAX
/** A start lists a record for so long after its operation ended or, where it was cut off, began. */
export const OPERATION_RECORD_KEPT_MS: number = 7 * 24 * 3_600_000

/** A call that does the rest, whatever was done before: without ids, and with a limit only where all that was done is known. */
export type AgainBody = Omit<ActionBody, 'ids'>

export interface OperationEnd {
  readonly state: Exclude<OperationItem['state'], 'running'>
  readonly atMs: number
  readonly skippedCount: number
  readonly refusedCount: number
  readonly reason?: string | undefined
}

export interface OperationRecord {
  readonly id: string
  readonly action: ActionBody['action']
  readonly queue: string
  readonly target?: string | undefined
  readonly user: string
  readonly total?: number | undefined
  /** Without an end, and where that is 'interrupted' or 'failed', at the least. */
  readonly doneCount: number
  readonly startedAtMs: number
  /** Left out of what is under way, and of what a restart then has cut off. */
  readonly ended?: OperationEnd | undefined
  /** Left out where the same call would not do the same. */
  readonly again?: AgainBody | undefined
}

export class OperationRecords {
  /** Of the life before, in the order of their beginning. */
  readonly found: readonly OperationRecord[]
  readonly #catalog: Catalog
  #written: Promise<unknown> = Promise.resolve()

  private constructor(catalog: Catalog, found: readonly OperationRecord[]) {
    this.#catalog = catalog
    this.found = found
  }

  /** Reads what is there, and takes away what is too old. Rejects when the catalog cannot be read at all. */
  static async open(catalog: Catalog, nowMs: number): Promise<OperationRecords> {
    const records: OperationRecord[] = []
    const unreadable: string[] = []
    for await (const page of catalog.scan(PREFIX)) {
      for (const entry of page) {
        const record = read(entry)
        if (record === undefined) unreadable.push(entry.key.slice(PREFIX.length))
        else records.push(record)
      }
    }
    records.sort((one, other) => one.startedAtMs - other.startedAtMs)
    const lastMs = ({ startedAtMs, ended }: OperationRecord): number => ended?.atMs ?? startedAtMs
    const kept = new Set(
      records
        .filter((record) => lastMs(record) > nowMs - OPERATION_RECORD_KEPT_MS)
        .sort((one, other) => (one.ended?.atMs ?? Infinity) - (other.ended?.atMs ?? Infinity) || 0)
        .slice(-RECORDS_MAX),
    )
    const found = records.filter((record) => kept.has(record))
    const opened = new OperationRecords(catalog, found)
    for (const record of records) if (!kept.has(record)) opened.remove(record.id)
    for (const id of unreadable) opened.remove(id)
    return opened
  }

  put(record: OperationRecord): void {
    this.#commit(record.id, Buffer.from(JSON.stringify({ version: VERSION, value: record })))
  }

  remove(id: string): void {
    this.#commit(id, null)
  }

  /** Resolves when all that was asked for is written, or cannot be. */
  async close(): Promise<void> {
    await this.#written
  }

  /** One after the other, so that the last one counts. */
  #commit(id: string, value: Uint8Array | null): void {
    this.#written = this.#written.then(() => this.#catalog.commit([{ key: PREFIX + id, value }])).catch(() => undefined) // a store that takes nothing, or has ended: see above
  }
}

/** Undefined for what is damaged, or from a later version: it is only about what was, and nobody repairs it. */
function read({ value: bytes }: CatalogEntry): OperationRecord | undefined {
  try {
    const { version, value } = JSON.parse(new TextDecoder().decode(bytes)) as {
      readonly version: unknown
      readonly value: OperationRecord
    }
    return VERSIONS_READ.includes(version) && typeof value.id === 'string' && Number.isFinite(value.startedAtMs)
      ? value
      : undefined
  } catch {
    return undefined // no JSON: damaged
  }
}
