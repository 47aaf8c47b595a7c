/**
 * The bytes of a catalog's log: a header with the counter of revisions, then one frame per write. A write is one frame, so
 * only the last can be torn: a bad frame with a good one behind it is damage.
 */
import { crc32 } from 'node:zlib'
import type { CatalogChange } from '../../engine.ts'
import { FORMAT_VERSION } from './format.ts'

export const CATALOG_HEADER_BYTES = 32
const MAGIC = 0x43514d54 // 'TMQC'
const FRAME_HEAD_BYTES = 8
const OP_HEAD_BYTES = 16
const DELETED = 0xffff_ffff

export function encodeCatalogHeader(rev: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(CATALOG_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setFloat64(8, rev, true)
  view.setUint32(CATALOG_HEADER_BYTES - 4, crc32(bytes.subarray(0, CATALOG_HEADER_BYTES - 4), salt), true)
  return bytes
}

/** The counter of revisions, a version that is too new, or what is wrong. */
export function decodeCatalogHeader(bytes: Uint8Array, salt: number): { rev: number } | { version: number } | string {
  if (bytes.length < CATALOG_HEADER_BYTES) return `it has ${bytes.length} bytes, fewer than its header`
  const view = new DataView(bytes.buffer, bytes.byteOffset, CATALOG_HEADER_BYTES)
  if (view.getUint32(0, true) !== MAGIC) return 'it does not begin as a catalog does'
  const version = view.getUint32(4, true)
  if (version > FORMAT_VERSION) return { version }
  const crc = crc32(bytes.subarray(0, CATALOG_HEADER_BYTES - 4), salt)
  if (view.getUint32(CATALOG_HEADER_BYTES - 4, true) !== crc) return 'the checksum of its header is wrong'
  return { rev: view.getFloat64(8, true) }
}

export function encodeChanges(changes: readonly CatalogChange[], salt: number): Uint8Array {
  const keys = changes.map(({ key }) => new TextEncoder().encode(key))
  const size = changes.reduce(
    (sum, { value }, index) => sum + OP_HEAD_BYTES + keys[index]!.length + (value?.length ?? 0),
    FRAME_HEAD_BYTES,
  )
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = FRAME_HEAD_BYTES
  for (const [index, { rev, value }] of changes.entries()) {
    const key = keys[index]!
    view.setFloat64(at, rev, true)
    view.setUint32(at + 8, key.length, true)
    view.setUint32(at + 12, value === null ? DELETED : value.length, true)
    bytes.set(key, at + OP_HEAD_BYTES)
    at += OP_HEAD_BYTES + key.length
    if (value === null) continue
    bytes.set(value, at)
    at += value.length
  }
  view.setUint32(0, size, true)
  view.setUint32(4, crc32(bytes.subarray(FRAME_HEAD_BYTES), salt), true)
  return bytes
}

export interface CatalogScan {
  /** Where the good frames end, and where the last of them begins. */
  readonly end: number
  readonly lastStart: number
  /** A good frame was found behind a bad one. */
  readonly isDamaged: boolean
}

/** Shows the changes of every frame of a whole file, in order. */
export function scanCatalog(bytes: Uint8Array, salt: number, onChange: (change: CatalogChange) => void): CatalogScan {
  let at = CATALOG_HEADER_BYTES
  let lastStart = 0
  for (let size = frameAt(bytes, at, salt); size > 0; size = frameAt(bytes, at, salt)) {
    lastStart = at
    decodeChanges(bytes.subarray(at + FRAME_HEAD_BYTES, at + size), onChange)
    at += size
  }
  for (let later = at + 1; later + FRAME_HEAD_BYTES <= bytes.length; later++) {
    if (frameAt(bytes, later, salt) > 0) return { end: at, lastStart, isDamaged: true }
  }
  return { end: at, lastStart, isDamaged: false }
}

/** Where bytes begin that are no frames and have good frames behind them. */
export function damagedPlaces(bytes: Uint8Array, salt: number): number[] {
  const places: number[] = []
  let badFrom = -1
  for (let at = CATALOG_HEADER_BYTES; at < bytes.length;) {
    const size = frameAt(bytes, at, salt)
    if (size === 0) {
      if (badFrom < 0) badFrom = at
      at++
      continue
    }
    if (badFrom >= 0) places.push(badFrom)
    badFrom = -1
    at += size
  }
  return places
}

/** Size of a good frame; 0: there is none. */
function frameAt(bytes: Uint8Array, at: number, salt: number): number {
  if (at + FRAME_HEAD_BYTES + OP_HEAD_BYTES > bytes.length) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, FRAME_HEAD_BYTES)
  const size = view.getUint32(0, true)
  if (size < FRAME_HEAD_BYTES + OP_HEAD_BYTES || at + size > bytes.length) return 0
  const crc = crc32(bytes.subarray(at + FRAME_HEAD_BYTES, at + size), salt)
  return crc === view.getUint32(4, true) ? size : 0
}

function decodeChanges(bytes: Uint8Array, onChange: (change: CatalogChange) => void): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < bytes.length;) {
    const rev = view.getFloat64(at, true)
    const keyLength = view.getUint32(at + 8, true)
    const valueLength = view.getUint32(at + 12, true)
    at += OP_HEAD_BYTES
    const key = new TextDecoder().decode(bytes.subarray(at, at + keyLength))
    at += keyLength
    if (valueLength === DELETED) onChange({ key, rev, value: null })
    else onChange({ key, rev, value: bytes.slice(at, (at += valueLength)) })
  }
}
