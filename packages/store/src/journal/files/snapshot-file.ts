/**
 * A snapshot's file: the core's state, and beside it where every record before lies and which content is alive, so that a
 * start reads this file and only the log after it.
 *
 * Layout: 16 bytes (magic, version, length of the description, zero), the description as JSON, the core's bytes, the
 * tables of the segments, and a checksum of everything before.
 */
import { crc32 } from 'node:zlib'
import type { Lsn } from '../../engine.ts'
import type { Disk, DiskFile } from '../../env.ts'
import type { ChunkRef, WriterName } from './format.ts'
import { FORMAT_VERSION } from './format.ts'

const MAGIC = 0x53514d54 // 'TMQS'
const HEAD_BYTES = 16
const TAIL_BYTES = 4
const PIECE_BYTES = 1024 * 1024

export interface SnapshotSegment {
  readonly firstLsn: Lsn
  readonly fileId: number
  readonly coveredTo: Lsn
  /** Bytes of the file that the tables cover. */
  readonly end: number
  readonly bookkeepingBytes: number
  /** Entries in each table: one table of a segment that grew, two of a compacted one. */
  readonly slots: number
  readonly tables: number
  readonly writers: readonly WriterName[]
}

export interface SnapshotDescription {
  readonly partition: number
  readonly at: Lsn
  /** Everything from here on is behind the tables. */
  readonly nextLsn: Lsn
  readonly nextFileId: number
  readonly nextWriter: number
  /** Bytes of each of the core's pieces. */
  readonly data: readonly number[]
  readonly segments: readonly SnapshotSegment[]
  /** Bodies in pieces, by the lsn of their record. */
  readonly chunked: readonly (readonly [Lsn, readonly ChunkRef[]])[]
  /** What is removed later is noted in the log. Not so in snapshots of the first versions. */
  readonly notesGone?: boolean
}

export interface LoadedSnapshot extends SnapshotDescription {
  readonly version: number
  readonly bytes: number
  readonly state: readonly Uint8Array[]
  /** Of each segment, in order. */
  readonly tables: readonly (readonly Uint32Array[])[]
}

/**
 * Writes a new file at `path`, synced, without its name being so. `tablesOf` is asked for each segment in its turn.
 * Returns its size.
 */
export async function writeSnapshot(
  disk: Disk,
  path: string,
  description: SnapshotDescription,
  state: readonly Uint8Array[],
  tablesOf: (index: number) => readonly Uint32Array[],
): Promise<number> {
  const file = await disk.open(path, 'create')
  try {
    const out = new Pieces(file)
    const json = new TextEncoder().encode(JSON.stringify(description))
    const head = new Uint8Array(HEAD_BYTES)
    const view = new DataView(head.buffer)
    view.setUint32(0, MAGIC, true)
    view.setUint32(4, FORMAT_VERSION, true)
    view.setUint32(8, json.length, true)
    await out.add(head)
    await out.add(json)
    for (const piece of state) await out.add(piece)
    for (let index = 0; index < description.segments.length; index++) {
      for (const table of tablesOf(index)) {
        await out.add(new Uint8Array(table.buffer, table.byteOffset, table.byteLength))
      }
    }
    const tail = new Uint8Array(TAIL_BYTES)
    new DataView(tail.buffer).setUint32(0, out.crc, true)
    await out.add(tail)
    await file.syncAll()
    return out.position
  } finally {
    await file.close()
  }
}

/** Writes in pieces that leave the thread to others between them. */
class Pieces {
  readonly #file: DiskFile
  position = 0
  crc = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  async add(bytes: Uint8Array): Promise<void> {
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      const piece = bytes.subarray(start, start + PIECE_BYTES)
      this.crc = crc32(piece, this.crc)
      await this.#file.write(this.position, [piece])
      this.position += piece.length
    }
  }
}

/** The snapshot at `path`, or what is wrong with it. A newer version is told by `version`, with nothing else to trust. */
export async function readSnapshot(disk: Disk, path: string): Promise<LoadedSnapshot | { version: number } | string> {
  const file = await disk.open(path, 'read')
  try {
    const bytes = new Uint8Array(await file.size())
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      await file.read(at, bytes.subarray(at, at + PIECE_BYTES))
    }
    return decodeSnapshot(bytes)
  } finally {
    await file.close()
  }
}

function decodeSnapshot(bytes: Uint8Array): LoadedSnapshot | { version: number } | string {
  if (bytes.length < HEAD_BYTES + TAIL_BYTES) return `it has ${bytes.length} bytes, fewer than any snapshot`
  const view = new DataView(bytes.buffer)
  if (view.getUint32(0, true) !== MAGIC) return 'it does not begin as a snapshot does'
  const version = view.getUint32(4, true)
  if (version > FORMAT_VERSION) return { version }
  const end = bytes.length - TAIL_BYTES
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) return 'its checksum is wrong'
  const jsonEnd = HEAD_BYTES + view.getUint32(8, true)
  const text = new TextDecoder().decode(bytes.subarray(HEAD_BYTES, jsonEnd))
  const description = JSON.parse(text) as SnapshotDescription // the checksum says that we wrote it
  let at = jsonEnd
  const take = (count: number): Uint8Array => bytes.slice(at, (at += count))
  const state = description.data.map(take)
  const tables = description.segments.map(({ slots, tables: count }) =>
    Array.from({ length: count }, () => new Uint32Array(take(slots * 4).buffer)),
  )
  return { ...description, version, bytes: bytes.length, state, tables }
}
