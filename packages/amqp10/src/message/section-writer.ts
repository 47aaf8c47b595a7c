/** Writes sections of a message into memory of its own, which grows and is used again. */
import { copyBytes } from '@ternmq/core'
import { Code } from '../codec/type-codes.ts'

/** Most messages need less. */
const START_BYTES = 1_024
/** Larger memory is not kept. */
const KEPT_BYTES_MAX = 256 * 1_024
/** Bytes before the elements of a list or map with sizes of one byte, and of four. */
const HEAD8 = 3
const HEAD32 = 9
const DESCRIPTOR_BYTES = 3
const SHORT_MAX = 0xff
/** Of a string, in UTF-8. */
const BYTES_PER_UNIT_MAX = 3

const encoder = new TextEncoder()
const scratch = new DataView(new ArrayBuffer(8))

export class SectionWriter {
  bytes: Uint8Array = new Uint8Array(START_BYTES)
  at = 0

  /** From the beginning again. */
  reset(): void {
    this.at = 0
    if (this.bytes.length > KEPT_BYTES_MAX) this.bytes = new Uint8Array(START_BYTES)
  }

  /** Descriptor of a section. */
  section(code: number): void {
    this.#room(DESCRIPTOR_BYTES)
    this.bytes[this.at++] = Code.described
    this.bytes[this.at++] = Code.smallUlong
    this.bytes[this.at++] = code
  }

  /** A section whose elements follow; `endSection` gets what this returns. */
  beginSection(code: number): number {
    this.section(code)
    return this.begin()
  }

  /** As `end`; a section without elements is none. */
  endSection(start: number, count: number, code: typeof Code.list8 | typeof Code.map8): void {
    if (count > 0) this.end(start, count, code)
    else this.at = start - HEAD8 - DESCRIPTOR_BYTES
  }

  /** Elements follow; `end` gets what this returns. */
  begin(): number {
    this.#room(HEAD8)
    this.at += HEAD8
    return this.at
  }

  /** A list or a map of all that was written since `begin`. */
  end(start: number, count: number, code: typeof Code.list8 | typeof Code.map8): void {
    const size = this.at - start
    if (size + 1 <= SHORT_MAX && count <= SHORT_MAX) {
      this.bytes[start - 3] = code
      this.bytes[start - 2] = size + 1
      this.bytes[start - 1] = count
      return
    }
    this.#room(HEAD32 - HEAD8)
    this.bytes.copyWithin(start + HEAD32 - HEAD8, start, this.at)
    this.at += HEAD32 - HEAD8
    this.bytes[start - 3] = code === Code.list8 ? Code.list32 : Code.map32
    this.#putUint32(start - 2, size + 4)
    this.#putUint32(start + 2, count)
  }

  null(): void {
    this.#byte(Code.null)
  }

  boolean(value: boolean): void {
    this.#byte(value ? Code.true : Code.false)
  }

  ubyte(value: number): void {
    this.#byte(Code.ubyte)
    this.#byte(value)
  }

  /** As JMS's annotations have it. */
  byte(value: number): void {
    this.#byte(Code.byte)
    this.#byte(value & 0xff)
  }

  uint(value: number): void {
    if (value === 0) return this.#byte(Code.uint0)
    if (value <= SHORT_MAX) {
      this.#byte(Code.smallUint)
      return this.#byte(value)
    }
    this.#byte(Code.uint)
    this.#uint32(value)
  }

  /** A long where it is one, else a double. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) return this.#eight(Code.long, BigInt(value))
    scratch.setFloat64(0, value)
    this.#eight(Code.double, scratch.getBigUint64(0))
  }

  ulong(value: bigint): void {
    this.#eight(Code.ulong, value)
  }

  /** Unix ms. */
  timestamp(value: number): void {
    this.#eight(Code.timestamp, BigInt(value))
  }

  uuid(bytes: Uint8Array): void {
    this.#byte(Code.uuid)
    this.raw(bytes)
  }

  string(text: string): void {
    this.#text(Code.string8, Code.string32, text)
  }

  /** ASCII. */
  symbol(text: string): void {
    this.#text(Code.symbol8, Code.symbol32, text)
  }

  binary(bytes: Uint8Array): void {
    this.head(Code.binary8, Code.binary32, bytes.length)
    this.raw(bytes)
  }

  /** Constructor and size of a value whose content is elsewhere. */
  head(short: number, long: number, size: number): void {
    if (size <= SHORT_MAX) {
      this.#byte(short)
      return this.#byte(size)
    }
    this.#byte(long)
    this.#uint32(size)
  }

  raw(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    this.#room(end - start)
    copyBytes(bytes, start, end, this.bytes, this.at)
    this.at += end - start
  }

  /** What was written, in memory of its own. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.at)
  }

  #text(short: number, long: number, text: string): void {
    const unitCount = text.length
    if (unitCount * BYTES_PER_UNIT_MAX <= SHORT_MAX) {
      this.#room(2 + unitCount * BYTES_PER_UNIT_MAX)
      this.bytes[this.at] = short
      const size = this.#putText(text, this.at + 2)
      this.bytes[this.at + 1] = size
      this.at += 2 + size
      return
    }
    const encoded = encoder.encode(text)
    this.head(short, long, encoded.length)
    this.raw(encoded)
  }

  /** Short ASCII is quicker byte by byte. */
  #putText(text: string, at: number): number {
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit > 0x7f) return encoder.encodeInto(text, this.bytes.subarray(at)).written
      this.bytes[at + index] = unit
    }
    return text.length
  }

  #eight(code: number, value: bigint): void {
    this.#byte(code)
    this.#uint32(Number((value >> 32n) & 0xffff_ffffn))
    this.#uint32(Number(value & 0xffff_ffffn))
  }

  #byte(value: number): void {
    this.#room(1)
    this.bytes[this.at++] = value
  }

  #uint32(value: number): void {
    this.#room(4)
    this.#putUint32(this.at, value)
    this.at += 4
  }

  #putUint32(at: number, value: number): void {
    this.bytes[at] = value >>> 24
    this.bytes[at + 1] = (value >>> 16) & 0xff
    this.bytes[at + 2] = (value >>> 8) & 0xff
    this.bytes[at + 3] = value & 0xff
  }

  #room(byteCount: number): void {
    if (this.at + byteCount <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + byteCount))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
  }
}

/** Writes the fields of a list one after the other; those at its end that say nothing are left out. */
export class FieldsWriter {
  readonly #to: SectionWriter
  #missing = 0
  count = 0

  constructor(to: SectionWriter) {
    this.#to = to
  }

  /** Whether there is a value, which is to be written next. */
  has(value: unknown): boolean {
    if (value === undefined) {
      this.#missing++
      return false
    }
    this.count += this.#missing + 1
    for (; this.#missing > 0; this.#missing--) this.#to.null()
    return true
  }

  string(value: string | undefined): void {
    if (this.has(value)) this.#to.string(value!)
  }

  symbol(value: string | undefined): void {
    if (this.has(value)) this.#to.symbol(value!)
  }
}
