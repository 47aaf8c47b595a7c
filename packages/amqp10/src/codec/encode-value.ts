/** Values of any type, written by rhea where control performatives and message sections have them. */
import { rhea, type Typed } from './rhea-types.ts'
import { Code } from './type-codes.ts'
import { AmqpSymbol, type Value } from './values.ts'

/** Bytes that are a value already. */
export class Encoded {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** What a writer takes for a value. */
export type Writable = Typed | Encoded

/** Writes `Encoded` as it is. */
export class ValueWriter extends rhea.Writer {
  override write(value: Writable): void {
    if (value instanceof Encoded) this.write_bytes(bufferOf(value.bytes))
    else super.write(value)
  }
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Memory of its own. */
export function encodeValue(value: Value): Uint8Array {
  return encode(toTyped(value))
}

/** Memory of its own. */
export function encode(value: Writable): Uint8Array {
  const writer = new ValueWriter()
  writer.write(value)
  return new Uint8Array(writer.toBuffer())
}

/** Numbers become the smallest of int, long and double that holds them: what they were before is not known. */
export function toTyped(value: Value): Writable {
  switch (typeof value) {
    case 'boolean':
      return rhea.wrap_boolean(value)
    case 'number':
      return typedNumber(value)
    case 'bigint':
      return typedBigint(value)
    case 'string':
      return rhea.wrap_string(value)
    default:
      return value === null ? rhea.Null() : typedObject(value)
  }
}

function typedObject(value: Exclude<Value, null | boolean | number | bigint | string>): Writable {
  if (value instanceof AmqpSymbol) return symbol(value.text)
  if (value instanceof Date) return rhea.Timestamp(value)
  if (value instanceof Uint8Array) return rhea.wrap_binary(value)
  if (isList(value)) return list(value.map(toTyped))
  if (isMap(value)) return map([...value].map(([name, element]) => [toTyped(name), toTyped(element)]))
  const { descriptor } = value
  const name = typeof descriptor === 'string' ? symbol(descriptor) : typedUlong(descriptor)
  // Together, as bytes: what rhea describes has one descriptor.
  return new Encoded(Buffer.concat([Buffer.of(Code.described), encode(name), encode(toTyped(value.value))]))
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}

const INT_MAX = 0x7fff_ffff

function typedNumber(value: number): Typed {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return rhea.Double(value)
  return Math.abs(value) <= INT_MAX ? rhea.wrap_int(value) : rhea.Long(value)
}

function typedBigint(value: bigint): Typed {
  if (value > 0x7fff_ffff_ffff_ffffn) return typedUlong(value)
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return rhea.Long(bytes)
}

function typedUlong(value: bigint): Typed {
  if (value <= 0xffn) return rhea.wrap_ulong(Number(value))
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return rhea.Ulong(bytes)
}

/** What is not ASCII cannot be in a symbol. [AMQP10-1.6.21-a] */
export function symbol(text: string): Typed {
  return rhea.wrap_symbol(text.replace(NOT_ASCII, '?'))
}

const NOT_ASCII = /[^\0-\x7f]/g

/** A key of a map that has symbols as keys; one that can be no symbol came as a string, and is one again. [AMQP10-2.8.13-a] */
export function key(text: string): Typed {
  return text.search(NOT_ASCII) < 0 ? symbol(text) : rhea.wrap_string(text)
}

/** A field of multiple symbols; undefined for none. */
export function symbols(texts: readonly string[]): Typed | undefined {
  return texts.length === 0 ? undefined : symbolArray(texts)
}

export function symbolArray(texts: readonly string[]): Typed {
  const isLong = texts.some((text) => text.length > 0xff)
  return rhea.Array32(
    texts.map((text) => symbol(text).value),
    isLong ? Code.symbol32 : Code.symbol8,
  )
}

export function list(values: readonly Writable[]): Typed {
  return values.length === 0 ? rhea.List0() : rhea.List32(values)
}

export function map(pairs: readonly (readonly [key: Writable, value: Writable])[]): Typed {
  return rhea.Map32(pairs.flat())
}

/** A described list of fields; those that are undefined at its end are left out. */
export function composite(code: number, fields: readonly (Writable | undefined)[]): Typed {
  const length = fields.findLastIndex((field) => field !== undefined) + 1
  return rhea.described(rhea.wrap_ulong(code), list(fields.slice(0, length).map((field) => field ?? rhea.Null())))
}

/** A map with symbols as keys; undefined for an empty one. */
export function fieldsMap(entries: ReadonlyMap<string, Value>): Typed | undefined {
  return entries.size === 0 ? undefined : map([...entries].map(([name, value]) => [key(name), toTyped(value)]))
}
