/**
 * Values of any type, read by rhea where control performatives and message sections have them. What the bytes are made of
 * `structure.ts` has checked before; nothing here keeps the memory they lie in.
 */
import { rhea, type Typed } from './rhea-types.ts'
import { skipValue } from './structure.ts'
import { Code } from './type-codes.ts'
import { AmqpSymbol, type Value } from './values.ts'

/** The value at `at`, which `checkValue` has seen. */
export function decodeValue(bytes: Uint8Array, at: number): Value {
  const end = skipValue(bytes, at)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at)
  return unwrap(new ExactReader(buffer).read())
}

const DESCRIBED = { name: 'described', typecode: Code.described }

/** Reads integers and times of 64 bits to their last bit, and every descriptor of a value that has several. */
class ExactReader extends rhea.Reader {
  override read(): Typed {
    if (this.buffer[this.position] !== Code.described) return super.read()
    this.position++
    const descriptor = this.read()
    return { type: DESCRIBED, descriptor, value: this.read() }
  }

  override read_fixed_width(type: { readonly typecode: number; readonly width: number }): unknown {
    const { typecode } = type
    if (typecode !== Code.ulong && typecode !== Code.long && typecode !== Code.timestamp)
      return super.read_fixed_width(type)
    const at = this.position
    this.position += 8
    const wide = typecode === Code.ulong ? this.buffer.readBigUInt64BE(at) : this.buffer.readBigInt64BE(at)
    const number = Number(wide)
    if (typecode === Code.timestamp) return new Date(Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, number)))
    return Number.isSafeInteger(number) ? number : wide
  }
}

/** What a Date can hold; a timestamp beyond it becomes this. */
const DATE_MS_MAX = 8.64e15

/** rhea's own would make objects of maps, whose keys a peer chooses. */
function unwrap(typed: Typed): Value {
  const value = contentOf(typed.type.typecode, typed.value, typed)
  return typed.descriptor === undefined ? value : describe(typed.descriptor, value)
}

/** Descriptors that are neither symbol nor ulong are reserved: they say nothing. [AMQP10 §1.5] */
function describe({ type, value: name }: Typed, value: Value): Value {
  switch (type.typecode) {
    case Code.symbol8:
    case Code.symbol32:
      return { descriptor: name as string, value }
    case Code.ulong0:
    case Code.smallUlong:
    case Code.ulong:
      return { descriptor: BigInt(name as number | bigint), value }
    default:
      return value
  }
}

function contentOf(code: number, content: unknown, typed?: Typed): Value {
  switch (code) {
    case Code.described:
      return unwrap(content as Typed)
    case Code.boolean:
      return content !== 0
    case Code.char:
      return String.fromCodePoint(content as number)
    case Code.symbol8:
    case Code.symbol32:
      return new AmqpSymbol(content as string)
    case Code.uuid:
      return uuidText(content as Buffer)
    case Code.binary8:
    case Code.binary32:
    case Code.decimal32:
    case Code.decimal64:
    case Code.decimal128:
      return new Uint8Array(content as Buffer)
    case Code.list0:
      return []
    case Code.list8:
    case Code.list32:
      return (content as Typed[]).map((element) => unwrap(element))
    case Code.map8:
    case Code.map32:
      return mapOf(content as Typed[])
    case Code.array8:
    case Code.array32:
      return arrayOf(content as Typed[], typed?.array_constructor?.descriptor)
    default:
      return content as Value
  }
}

function mapOf(content: readonly Typed[]): ReadonlyMap<Value, Value> {
  const map = new Map<Value, Value>()
  for (let at = 0; at + 1 < content.length; at += 2) map.set(unwrap(content[at]!), unwrap(content[at + 1]!))
  return map
}

function arrayOf(content: readonly Typed[], descriptor: Typed | undefined): readonly Value[] {
  const elements = content.map((element) => unwrap(element))
  return descriptor === undefined ? elements : elements.map((element) => describe(descriptor, element))
}

function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
