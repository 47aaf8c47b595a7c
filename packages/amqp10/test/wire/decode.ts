/** Values of AMQP's types as tests read them: written to be read against the specification, sharing no line with the codec. [AMQP10 §1.6] */

export type TypeName =
  | 'null'
  | 'boolean'
  | 'ubyte'
  | 'ushort'
  | 'uint'
  | 'ulong'
  | 'byte'
  | 'short'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'decimal32'
  | 'decimal64'
  | 'decimal128'
  | 'char'
  | 'timestamp'
  | 'uuid'
  | 'binary'
  | 'string'
  | 'symbol'
  | 'list'
  | 'map'
  | 'array'
  | 'described'

/** A value with its type. Integers of up to 53 bits are numbers; a timestamp is its ms, a uuid its digits; decimals are bytes. */
export interface Typed {
  readonly type: TypeName
  readonly value: unknown
  /** Of described ones. */
  readonly descriptor?: Typed
  /** All of its bytes, constructor included. */
  readonly bytes: Buffer
}

type Read = (cursor: Cursor) => unknown

/** Where reading is in `bytes`. Reading past the end throws. */
export class Cursor {
  at: number
  readonly bytes: Buffer
  readonly end: number

  constructor(bytes: Uint8Array, at: number = 0, end: number = bytes.length) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at === this.end
  }

  take(count: number): Buffer {
    if (this.at + count > this.end)
      throw new Error(`${count} bytes wanted at ${this.at}, ${this.end - this.at} are left`)
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u32(): number {
    return this.take(4).readUInt32BE()
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const CODES: Readonly<Record<number, readonly [TypeName, Read]>> = {
  0x40: ['null', () => null],
  0x41: ['boolean', () => true],
  0x42: ['boolean', () => false],
  0x56: ['boolean', (c) => octetIn(c, [0, 1]) === 1],
  0x50: ['ubyte', (c) => c.u8()],
  0x60: ['ushort', (c) => c.take(2).readUInt16BE()],
  0x43: ['uint', () => 0],
  0x52: ['uint', (c) => c.u8()],
  0x70: ['uint', (c) => c.u32()],
  0x44: ['ulong', () => 0],
  0x53: ['ulong', (c) => c.u8()],
  0x80: ['ulong', (c) => narrow(c.take(8).readBigUInt64BE())],
  0x51: ['byte', (c) => c.take(1).readInt8()],
  0x61: ['short', (c) => c.take(2).readInt16BE()],
  0x54: ['int', (c) => c.take(1).readInt8()],
  0x71: ['int', (c) => c.take(4).readInt32BE()],
  0x55: ['long', (c) => c.take(1).readInt8()],
  0x81: ['long', (c) => narrow(c.take(8).readBigInt64BE())],
  0x72: ['float', (c) => c.take(4).readFloatBE()],
  0x82: ['double', (c) => c.take(8).readDoubleBE()],
  0x74: ['decimal32', (c) => c.take(4)],
  0x84: ['decimal64', (c) => c.take(8)],
  0x94: ['decimal128', (c) => c.take(16)],
  0x73: ['char', (c) => String.fromCodePoint(c.u32())],
  0x83: ['timestamp', (c) => Number(c.take(8).readBigInt64BE())],
  0x98: ['uuid', (c) => c.take(16).toString('hex')],
  0xa0: ['binary', (c) => c.take(c.u8())],
  0xb0: ['binary', (c) => c.take(c.u32())],
  0xa1: ['string', (c) => utf8.decode(c.take(c.u8()))],
  0xb1: ['string', (c) => utf8.decode(c.take(c.u32()))],
  0xa3: ['symbol', (c) => ascii(c.take(c.u8()))],
  0xb3: ['symbol', (c) => ascii(c.take(c.u32()))],
  0x45: ['list', () => []],
  0xc0: ['list', (c) => elements(c, 1)],
  0xd0: ['list', (c) => elements(c, 4)],
  0xc1: ['map', (c) => pairs(elements(c, 1))],
  0xd1: ['map', (c) => pairs(elements(c, 4))],
  0xe0: ['array', (c) => arrayElements(c, 1)],
  0xf0: ['array', (c) => arrayElements(c, 4)],
}

export function decode(cursor: Cursor): Typed {
  const start = cursor.at
  const code = cursor.u8()
  if (code === 0) {
    const descriptor = decode(cursor)
    const inner = decode(cursor)
    return { type: 'described', value: inner, descriptor, bytes: cursor.bytes.subarray(start, cursor.at) }
  }
  const [type, value] = read(code, cursor)
  return { type, value, bytes: cursor.bytes.subarray(start, cursor.at) }
}

/** All of the bytes are one value. */
export function decodeWhole(bytes: Uint8Array): Typed {
  const cursor = new Cursor(bytes)
  const typed = decode(cursor)
  if (!cursor.isAtEnd) throw new Error(`${cursor.end - cursor.at} bytes behind a value`)
  return typed
}

/** What a value says, without its types: maps as objects, described values as `{ descriptor, value }`, binaries as Buffers. */
export function plain(typed: Typed): unknown {
  switch (typed.type) {
    case 'list':
    case 'array':
      return (typed.value as readonly Typed[]).map(plain)
    case 'map':
      return Object.fromEntries(
        (typed.value as readonly (readonly [Typed, Typed])[]).map(([key, value]) => [String(plain(key)), plain(value)]),
      )
    case 'described':
      return { descriptor: plain(typed.descriptor!), value: plain(typed.value as Typed) }
    default:
      return typed.value
  }
}

function read(code: number, cursor: Cursor): readonly [TypeName, unknown] {
  const found = CODES[code]
  if (found === undefined) throw new Error(`0x${code.toString(16)} at ${cursor.at - 1} is no format code`)
  return [found[0], found[1](cursor)]
}

function elements(cursor: Cursor, width: 1 | 4): Typed[] {
  const { inner, count } = enter(cursor, width)
  const found = Array.from({ length: count }, () => decode(inner))
  return leave(cursor, inner, found)
}

function arrayElements(cursor: Cursor, width: 1 | 4): Typed[] {
  const { inner, count } = enter(cursor, width)
  const code = inner.u8()
  const descriptor = code === 0 ? decode(inner) : undefined
  const elementCode = descriptor === undefined ? code : inner.u8()
  const found = Array.from({ length: count }, (): Typed => {
    const start = inner.at
    const [type, value] = read(elementCode, inner)
    const element = { type, value, bytes: inner.bytes.subarray(start, inner.at) }
    return descriptor === undefined ? element : { type: 'described', descriptor, value: element, bytes: element.bytes }
  })
  return leave(cursor, inner, found)
}

function enter(cursor: Cursor, width: 1 | 4): { inner: Cursor; count: number } {
  const size = width === 1 ? cursor.u8() : cursor.u32()
  if (cursor.at + size > cursor.end)
    throw new Error(`a compound of ${size} bytes at ${cursor.at} passes the end ${cursor.end}`)
  const inner = new Cursor(cursor.bytes, cursor.at, cursor.at + size)
  return { inner, count: width === 1 ? inner.u8() : inner.u32() }
}

function leave(cursor: Cursor, inner: Cursor, found: Typed[]): Typed[] {
  if (!inner.isAtEnd) throw new Error(`a compound has ${inner.end - inner.at} bytes behind its last element`)
  cursor.at = inner.end
  return found
}

function pairs(found: readonly Typed[]): (readonly [Typed, Typed])[] {
  if (found.length % 2 === 1) throw new Error('a map has an odd number of elements')
  const keys = found.filter((_, index) => index % 2 === 0)
  const texts = keys.map(({ bytes }) => bytes.toString('hex'))
  if (new Set(texts).size < texts.length) throw new Error('a map has a key twice')
  return keys.map((key, index) => [key, found[index * 2 + 1]!] as const)
}

function narrow(n: bigint): number | bigint {
  return BigInt(Number(n)) === n && Number.isSafeInteger(Number(n)) ? Number(n) : n
}

function octetIn(cursor: Cursor, allowed: readonly number[]): number {
  const octet = cursor.u8()
  if (!allowed.includes(octet)) throw new Error(`octet ${octet} is none of ${allowed.join(', ')}`)
  return octet
}

function ascii(bytes: Buffer): string {
  if (bytes.some((octet) => octet > 127)) throw new Error(`a symbol is not ASCII: ${bytes.toString('hex')}`)
  return bytes.toString('latin1')
}
