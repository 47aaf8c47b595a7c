/**
 * Long work that is under way, written down in the engine's catalog: `operations/ID`, each a JSON text with a version. A broker that
 * ends in the middle leaves it there, and the next start knows what was cut off. Nobody waits for it: what a full disk did not take is
 * missing from the list after a restart, and nothing else.
 */
import type { ActionBody } from '@ternmq/api'
import type { Catalog, CatalogEntry } from '@ternmq/store'

const PREFIX = 'operations/'
/** What is written, and the only one that is read so far. */
const VERSION = 1

/** Records that are read at a start; those beyond it, the oldest, are taken away. */
export const OPERATION_RECORDS_MAX = 100
/** A record is listed for so long after its operation began: every start has it until then. */
export const OPERATION_RECORD_KEPT_MS: number = 7 * 24 * 3_600_000

/** A call that does the rest, whatever was done before: without ids and without a limit. */
export type AgainBody = Omit<ActionBody, 'ids' | 'limit'>

export interface OperationRecord {
  readonly id: string
  readonly action: ActionBody['action']
  readonly queue: string
  readonly target?: string | undefined
  readonly user: string
  readonly total?: number | undefined
  /** At the least. */
  readonly doneCount: number
  readonly startedAtMs: number
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
    const kept = records.filter(({ startedAtMs }) => startedAtMs > nowMs - OPERATION_RECORD_KEPT_MS)
    const found = kept.slice(-OPERATION_RECORDS_MAX)
    const opened = new OperationRecords(catalog, found)
    for (const { id } of records) if (!found.some((record) => record.id === id)) opened.remove(id)
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
    return version === VERSION && typeof value.id === 'string' && Number.isFinite(value.startedAtMs) ? value : undefined
  } catch {
    return undefined // no JSON: damaged
  }
}
