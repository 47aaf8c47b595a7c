/**
 * The bytes of a journal: names of files, the header of a segment, the header of a frame. Everything is little endian.
 * Frames begin at multiples of four bytes, so that a header is ten words. What the format promises is in ADR-0006.
 *
 * A frame tells all that a reader needs of its record but the writer's name, so that frames are read alone, moved to
 * another segment as they are, and found again behind damage.
 */
import { crc32 } from 'node:zlib'
import type { Lsn } from '../../engine.ts'
import { seedOf } from './checksum.ts'

export const FORMAT_VERSION = 1

/** Its first line names us, its second the format, its third the store. */
export const MARKER_FILE = 'ternmq-journal'
export const LOCK_FILE = 'lock'
export const RESERVE_FILE = 'reserve'
/** A dead segment's file that the next segment will use. */
export const SPARE_FILE = 'spare.tmp'
/** In a backup, until a broker goes on with it: what it consists of. */
export const MANIFEST_FILE = 'backup-manifest'
export const CATALOG_DIRECTORY = 'catalog'
/** A file that is not in place yet. Found at the start it is what a crash left, and goes. */
export const UNFINISHED = '.tmp'

export function partitionDirectory(partition: number): string {
  return `p${partition}`
}

/** Undefined for any other name. */
export function partitionOfDirectory(name: string): number | undefined {
  return /^p(?:0|[1-9]\d{0,8})$/.test(name) ? Number(name.slice(1)) : undefined
}

export function segmentName(firstLsn: Lsn): string {
  return `${hex(firstLsn)}.seg`
}

export function snapshotName(number: number): string {
  return `${hex(number)}.snap`
}

/** The number in a name of ours; undefined for any other name. */
export function numberOfName(name: string, suffix: '.seg' | '.snap' | '.cat'): number | undefined {
  return name.endsWith(suffix) && /^[0-9a-f]{16}$/.test(name.slice(0, -suffix.length))
    ? Number.parseInt(name.slice(0, 16), 16)
    : undefined
}

/** Of a segment, a snapshot or a catalog. */
export function isDataFile(name: string): boolean {
  return (['.seg', '.snap', '.cat'] as const).some((suffix) => numberOfName(name, suffix) !== undefined)
}

/** For a file in which nothing can be read. No start takes it for one of the log, and none removes it. */
export const ASIDE = '.aside'

/** A name for `name` kept aside that none of `names` is. */
export function asideName(name: string, names: readonly string[]): string {
  for (let count = 1; ; count++) {
    const to = `${name}${ASIDE}${count === 1 ? '' : count}`
    if (!names.includes(to)) return to
  }
}

export function hex(number: number): string {
  return number.toString(16).padStart(16, '0')
}

/** Bytes of a segment's header. */
export const SEGMENT_HEADER_BYTES = 64
const SEGMENT_MAGIC = 0x4a514d54 // 'TMQJ'

export interface SegmentHeader {
  readonly version: number
  readonly partition: number
  /** Every lsn in the segment is at or after it, and its name is made of it. */
  readonly firstLsn: Lsn
  /** The last lsn that the segment stands for; 0 in a segment that grew, where the next one's first lsn says it. */
  readonly lastLsn: Lsn
  /** Fresh for every file of a partition. */
  readonly fileId: number
}

export function encodeSegmentHeader(header: SegmentHeader, salt: number): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, SEGMENT_MAGIC, true)
  view.setUint32(4, header.version, true)
  view.setUint32(8, header.partition, true)
  setU48(view, 16, header.firstLsn)
  setU48(view, 24, header.lastLsn)
  setU48(view, 32, header.fileId)
  view.setUint32(SEGMENT_HEADER_BYTES - 4, crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4), salt), true)
  return bytes
}

/** The header, or what is wrong with it. A newer version is told by `version` alone. */
export function decodeSegmentHeader(bytes: Uint8Array, salt: number): SegmentHeader | string {
  if (bytes.length < SEGMENT_HEADER_BYTES) return `it has ${bytes.length} bytes, a header has ${SEGMENT_HEADER_BYTES}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES)
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) return 'it does not begin as a segment does'
  const header = {
    version: view.getUint32(4, true),
    partition: view.getUint32(8, true),
    firstLsn: getU48(view, 16),
    lastLsn: getU48(view, 24),
    fileId: getU48(view, 32),
  }
  if (header.version > FORMAT_VERSION) return header
  const crc = crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4), salt)
  return view.getUint32(SEGMENT_HEADER_BYTES - 4, true) === crc ? header : 'the checksum of its header is wrong'
}

/** The salt with which the checksum of a header would be right; undefined when it does not begin as a segment does. */
export function saltOfHeader(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES)
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) return undefined
  return seedOf(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4), view.getUint32(SEGMENT_HEADER_BYTES - 4, true))
}

/** Begins as a segment, or as one of which a crash or a disk left only zeros. */
export function mayBeSegment(bytes: Uint8Array): boolean {
  const start = bytes.subarray(0, 4)
  if (start.length === 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === SEGMENT_MAGIC) return true
  return bytes.every((byte) => byte === 0)
}

/** What a crash leaves of a header that was being written: each byte is the one that was meant, or zero. */
export function isTornHeader(bytes: Uint8Array, partition: number, firstLsn: Lsn): boolean {
  const meant = encodeSegmentHeader({ version: FORMAT_VERSION, partition, firstLsn, lastLsn: 0, fileId: 0 }, 0)
  const isFree = (at: number): boolean => (at >= 32 && at < 38) || at >= SEGMENT_HEADER_BYTES - 4 // file id, checksum
  return (
    bytes.length <= SEGMENT_HEADER_BYTES && bytes.every((byte, at) => byte === 0 || isFree(at) || byte === meant[at])
  )
}

function setU48(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true)
  view.setUint32(offset + 4, Math.floor(value / WORD), true)
}

function getU48(view: DataView, offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * WORD
}

/** Bytes of a frame's header; metadata and body follow, then zeros up to the next multiple of four. */
export const FRAME_HEADER_BYTES = 40
const WORD = 2 ** 32

/** Bits of a frame. */
export const FLAG_LAST = 1 // the last frame of its group
export const FLAG_BODY = 2 // content
export const FLAG_CHUNKED = 4 // the body is a list of chunks: lsn (u48, in 8 bytes) and length (u32) each
export const FLAG_INTERNAL = 8 // not a record: `kind` is one of the following

export const INTERNAL_WRITER = 1 // who a writer number is: epoch (f64) and name, in meta; has no place of its own
export const INTERNAL_LEASE = 2 // an owner: its lsn is the epoch, meta the node
export const INTERNAL_CHUNK = 3 // a piece of a body
export const INTERNAL_CLOSE = 4 // everything before was synced; has no place of its own
export const INTERNAL_GONE = 5 // what was removed since the newest snapshot, in meta; has no place of its own

/** Reused from frame to frame: its fields are good until the next `read`. */
export class FrameHeader {
  /** Without the zeros behind it. */
  length = 0
  crc = 0
  lsn: Lsn = 0
  kind = 0
  flags = 0
  dest = 0
  metaLength = 0
  writer = 0
  atMs = 0
  /** How far `lsn` is after the last one that was synced when the frame was made: what is missing before was lost later. */
  unsynced = 0

  /** Reads the header at `offset`, a multiple of four from the start of `words`; no check of its own. Hot path. */
  read(words: Uint32Array, offset: number): void {
    const w = offset >>> 2
    const place = words[w + 3]!
    this.length = words[w]!
    this.crc = words[w + 1]!
    this.lsn = words[w + 2]! + (place & 0xffff) * WORD
    this.kind = (place >>> 16) & 0xff
    this.flags = place >>> 24
    this.dest = words[w + 4]!
    this.metaLength = words[w + 5]!
    this.writer = words[w + 6]!
    this.atMs = words[w + 7]! + (words[w + 8]! & 0xffff) * WORD
    this.unsynced = words[w + 9]!
  }

  /** Bytes of the body behind the metadata. */
  get bodyLength(): number {
    return this.length - FRAME_HEADER_BYTES - this.metaLength
  }

  /** A part of a record or a piece of a body: not one of those that have no place in the order. */
  get hasPlace(): boolean {
    return (this.flags & FLAG_INTERNAL) === 0 || this.kind === INTERNAL_LEASE || this.kind === INTERNAL_CHUNK
  }
}

/** The lsn in the header at `offset`. Hot path. */
export function lsnAt(words: Uint32Array, offset: number): Lsn {
  const w = offset >>> 2
  return words[w + 2]! + (words[w + 3]! & 0xffff) * WORD
}

/** Writes everything but the checksum. Hot path. */
export function writeFrameHeader(
  words: Uint32Array,
  offset: number,
  length: number,
  lsn: Lsn,
  kind: number,
  flags: number,
  dest: number,
  metaLength: number,
  writer: number,
  atMs: number,
  unsynced: number,
): void {
  const w = offset >>> 2
  words[w] = length
  words[w + 2] = lsn // the low word: typed arrays take a number modulo 2^32
  words[w + 3] = Math.floor(lsn / WORD) | (kind << 16) | (flags << 24)
  words[w + 4] = dest
  words[w + 5] = metaLength
  words[w + 6] = writer
  words[w + 7] = atMs
  words[w + 8] = Math.floor(atMs / WORD)
  words[w + 9] = Math.min(unsynced, WORD - 1)
}

/** The checksum covers a frame from here to its end. */
export const CRC_FROM = 8

/** The checksum of a whole frame in `bytes`. Hot path. */
export function frameCrc(bytes: Uint8Array, offset: number, length: number, salt: number): number {
  return crc32(bytes.subarray(offset + CRC_FROM, offset + length), salt)
}

/** Bytes that a frame of `length` takes. */
export function padded(length: number): number {
  return (length + 3) & ~3
}

/** Words over `bytes`, which must begin at a multiple of four of its buffer. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2)
}

export interface ChunkRef {
  readonly lsn: Lsn
  readonly length: number
}

const CHUNK_REF_BYTES = 12

export function encodeChunkRefs(chunks: readonly ChunkRef[]): Uint8Array {
  const bytes = new Uint8Array(chunks.length * CHUNK_REF_BYTES)
  const view = new DataView(bytes.buffer)
  chunks.forEach(({ lsn, length }, index) => {
    setU48(view, index * CHUNK_REF_BYTES, lsn)
    view.setUint32(index * CHUNK_REF_BYTES + 8, length, true)
  })
  return bytes
}

export function decodeChunkRefs(bytes: Uint8Array): ChunkRef[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: Math.floor(bytes.length / CHUNK_REF_BYTES) }, (_, index) => ({
    lsn: getU48(view, index * CHUNK_REF_BYTES),
    length: view.getUint32(index * CHUNK_REF_BYTES + 8, true),
  }))
}

/** Who wrote records, as a segment's dictionary has it. */
export interface WriterName {
  readonly number: number
  readonly epoch: Lsn
  readonly id: string
}

export function encodeWriterName(writer: WriterName): Uint8Array {
  const name = new TextEncoder().encode(writer.id)
  const bytes = new Uint8Array(8 + name.length)
  new DataView(bytes.buffer).setFloat64(0, writer.epoch, true)
  bytes.set(name, 8)
  return bytes
}

export function decodeWriterName(number: number, meta: Uint8Array): WriterName {
  const epoch = new DataView(meta.buffer, meta.byteOffset, meta.length).getFloat64(0, true)
  return { number, epoch, id: new TextDecoder().decode(meta.subarray(8)) }
}

/** A whole frame of its own, for what is not written from a batch's slab. */
export function encodeFrame(
  fields: Pick<FrameHeader, 'lsn' | 'kind' | 'flags' | 'dest' | 'writer' | 'atMs' | 'unsynced'>,
  meta: Uint8Array,
  salt: number,
): Uint8Array {
  const length = FRAME_HEADER_BYTES + meta.length
  const bytes = new Uint8Array(padded(length))
  const words = wordsOf(bytes)
  const { lsn, kind, flags, dest, writer, atMs, unsynced } = fields
  writeFrameHeader(words, 0, length, lsn, kind, flags, dest, meta.length, writer, atMs, unsynced)
  bytes.set(meta, FRAME_HEADER_BYTES)
  words[1] = frameCrc(bytes, 0, length, salt)
  return bytes
}
