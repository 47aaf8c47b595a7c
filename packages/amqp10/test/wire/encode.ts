/** Values of AMQP's types as tests write them: one function per type and encoding, sharing no line with the codec. [AMQP10 §1.6] */

/** An encoded value, constructor included: it goes in as it is wherever a value may stand. */
export class Encoded {
  readonly bytes: Buffer

  constructor(...parts: readonly (Uint8Array | number)[]) {
    this.bytes = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))
  }
}

/** What may be written without saying its type: text is a string, bytes are binary, whole numbers an int or a long, a Map a map. */
export type Plain =
  | Encoded
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Date
  | readonly Plain[]
  | ReadonlyMap<Plain, Plain>

export function value(plain: Plain): Encoded {
  if (plain instanceof Encoded) return plain
  if (plain === null) return nil
  if (typeof plain === 'boolean') return bool(plain)
  if (typeof plain === 'bigint') return long(plain)
  if (typeof plain === 'string') return str(plain)
  if (plain instanceof Uint8Array) return binary(plain)
  if (plain instanceof Date) return timestamp(plain.getTime())
  if (typeof plain === 'number') return numeric(plain)
  if (plain instanceof Map) return map([...(plain as ReadonlyMap<Plain, Plain>)])
  return list(plain as readonly Plain[])
}

function numeric(plain: number): Encoded {
  if (!Number.isInteger(plain)) return double(plain)
  return Math.abs(plain) < 2 ** 31 ? int(plain) : long(plain)
}

export const nil: Encoded = new Encoded(0x40)

export function bool(is: boolean): Encoded {
  return new Encoded(is ? 0x41 : 0x42)
}

/** A boolean with its octet. */
export function bool8(octet: number): Encoded {
  return new Encoded(0x56, octet)
}

export function ubyte(n: number): Encoded {
  return new Encoded(0x50, n)
}

export function byte(n: number): Encoded {
  return new Encoded(0x51, n & 0xff)
}

export function ushort(n: number): Encoded {
  return new Encoded(0x60, u16(n))
}

/** The shortest of its three encodings. */
export function uint(n: number): Encoded {
  if (n === 0) return new Encoded(0x43)
  return n < 256 ? new Encoded(0x52, n) : uint4(n)
}

export function uint4(n: number): Encoded {
  return new Encoded(0x70, u32(n))
}

/** The shortest of its three encodings. */
export function ulong(n: number | bigint): Encoded {
  if (BigInt(n) === 0n) return new Encoded(0x44)
  return BigInt(n) < 256n ? new Encoded(0x53, Number(n)) : ulong8(n)
}

export function ulong8(n: number | bigint): Encoded {
  return new Encoded(0x80, u64(BigInt(n)))
}

export function int(n: number): Encoded {
  return new Encoded(0x71, u32(n >>> 0))
}

export function long(n: number | bigint): Encoded {
  return new Encoded(0x81, u64(BigInt.asUintN(64, BigInt(n))))
}

export function float(n: number): Encoded {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatBE(n)
  return new Encoded(0x72, bytes)
}

export function double(n: number): Encoded {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(n)
  return new Encoded(0x82, bytes)
}

export function timestamp(ms: number): Encoded {
  return new Encoded(0x83, u64(BigInt.asUintN(64, BigInt(ms))))
}

/** `hex`: 32 digits. */
export function uuid(hex: string): Encoded {
  return new Encoded(0x98, Buffer.from(hex, 'hex'))
}

export function char(text: string): Encoded {
  return new Encoded(0x73, u32(text.codePointAt(0)!))
}

export function binary(bytes: Uint8Array | string): Encoded {
  return sized(0xa0, 0xb0, Buffer.from(bytes))
}

export function str(text: string): Encoded {
  return sized(0xa1, 0xb1, Buffer.from(text))
}

export function symbol(text: string): Encoded {
  return sized(0xa3, 0xb3, Buffer.from(text))
}

export function list(elements: readonly Plain[]): Encoded {
  return elements.length === 0 ? new Encoded(0x45) : compound(0xc0, 0xd0, elements)
}

/** A list with four octets for its size, whatever it holds. */
export function list32(elements: readonly Plain[]): Encoded {
  return wide(0xd0, elements)
}

export function map(pairs: readonly (readonly [key: Plain, value: Plain])[]): Encoded {
  return compound(0xc1, 0xd1, pairs.flat<readonly (readonly [Plain, Plain])[]>())
}

/** A map of whatever is given, keys and values in turn, paired or not. */
export function unpairedMap(elements: readonly Plain[]): Encoded {
  return compound(0xc1, 0xd1, elements)
}

/** Elements of one constructor: `code`, then of each the bytes behind it. */
export function array(code: number, elements: readonly Encoded[]): Encoded {
  const bodies = Buffer.concat([Buffer.from([code]), ...elements.map(({ bytes }) => bytes.subarray(1))])
  if (bodies.length + 1 < 256 && elements.length < 256)
    return new Encoded(0xe0, bodies.length + 1, elements.length, bodies)
  return new Encoded(0xf0, u32(bodies.length + 4), u32(elements.length), bodies)
}

/** Each element in the widest encoding, so that all have one. */
export function symbols(texts: readonly string[]): Encoded {
  const elements = texts.map((text) => new Encoded(0xb3, u32(text.length), Buffer.from(text)))
  return array(0xb3, elements)
}

/** By the number of the descriptor, or by its symbol. */
export function described(descriptor: number | bigint | string | Encoded, plain: Plain): Encoded {
  const name =
    descriptor instanceof Encoded ? descriptor : typeof descriptor === 'string' ? symbol(descriptor) : ulong(descriptor)
  return new Encoded(0x00, name.bytes, value(plain).bytes)
}

export function u16(n: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(n)
  return bytes
}

export function u32(n: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n)
  return bytes
}

function u64(n: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(n)
  return bytes
}

function sized(short: number, long: number, bytes: Buffer): Encoded {
  return bytes.length < 256 ? new Encoded(short, bytes.length, bytes) : new Encoded(long, u32(bytes.length), bytes)
}

function compound(short: number, long: number, elements: readonly Plain[]): Encoded {
  const bodies = Buffer.concat(elements.map((each) => value(each).bytes))
  if (bodies.length + 1 >= 256 || elements.length >= 256) return wide(long, elements)
  return new Encoded(short, bodies.length + 1, elements.length, bodies)
}

function wide(code: number, elements: readonly Plain[]): Encoded {
  const bodies = Buffer.concat(elements.map((each) => value(each).bytes))
  return new Encoded(code, u32(bodies.length + 4), u32(elements.length), bodies)
}
