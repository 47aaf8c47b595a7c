/** Fields of a list, one after the other, each as the type that it has to have. [AMQP10 §1.4] */
import { decodeValue } from './decode-value.ts'
import { AmqpFault, malformed, missingField } from './faults.ts'
import { contentAt, copyOf, isBinary, isString, isSymbol, type PairOffsets, pairsAt, textAt } from './parts.ts'
import { countValues, hex, skipValue, uint32At } from './structure.ts'
import { Code } from './type-codes.ts'
import { AmqpSymbol, type Value } from './values.ts'

/** Values that a field is made of, at most: each becomes an object, and some stay as long as their link or connection. */
export const FIELD_VALUES_MAX = 1_024

/** Of bytes that `checkValue` has seen. Each method takes the next field: undefined where it is null or was left out. */
export class Fields {
  readonly bytes: Uint8Array
  readonly what: string
  #at: number
  #left: number

  /** `at` is the list's constructor, `what` its type's name. Throws when it is no list, or has more than `countMax` fields. */
  constructor(bytes: Uint8Array, at: number, what: string, countMax: number) {
    this.bytes = bytes
    this.what = what
    const code = bytes[at]!
    switch (code) {
      case Code.list0:
        this.#left = 0
        this.#at = at + 1
        break
      case Code.list8:
        this.#left = bytes[at + 2]!
        this.#at = at + 3
        break
      case Code.list32:
        this.#left = uint32At(bytes, at + 5)
        this.#at = at + 9
        break
      default:
        throw malformed(what, `expected a list of fields, got the constructor ${hex(code)}`, 'AMQP10-1.4-a')
    }
    if (this.#left > countMax) throw malformed(what, `${this.#left} fields; the type has ${countMax}`, 'AMQP10-1.4-a')
  }

  /** Throws when there is not a list without fields at `at`. */
  static checkEmpty(bytes: Uint8Array, at: number, what: string): void {
    void new Fields(bytes, at, what, 0)
  }

  /** Offset of the next field's value; -1 for null. */
  next(): number {
    if (this.#left === 0) return -1
    this.#left--
    const at = this.#at
    this.#at = skipValue(this.bytes, at)
    return this.bytes[at] === Code.null ? -1 : at
  }

  /** For a field that must not be null. */
  required<T>(value: T | undefined, field: string): T {
    if (value === undefined) throw missingField(`${this.what}.${field}`)
    return value
  }

  boolean(field: string): boolean | undefined {
    const at = this.next()
    if (at < 0) return undefined
    switch (this.bytes[at]!) {
      case Code.true:
        return true
      case Code.false:
        return false
      case Code.boolean:
        return this.bytes[at + 1] === 1
      default:
        return this.#wrong(field, at, 'a boolean')
    }
  }

  ubyte(field: string): number | undefined {
    const at = this.next()
    if (at < 0) return undefined
    return this.bytes[at] === Code.ubyte ? this.bytes[at + 1]! : this.#wrong(field, at, 'a ubyte')
  }

  ushort(field: string): number | undefined {
    const at = this.next()
    if (at < 0) return undefined
    if (this.bytes[at] !== Code.ushort) return this.#wrong(field, at, 'a ushort')
    return (this.bytes[at + 1]! << 8) | this.bytes[at + 2]!
  }

  uint(field: string): number | undefined {
    const at = this.next()
    if (at < 0) return undefined
    switch (this.bytes[at]!) {
      case Code.uint0:
        return 0
      case Code.smallUint:
        return this.bytes[at + 1]!
      case Code.uint:
        return uint32At(this.bytes, at + 1)
      default:
        return this.#wrong(field, at, 'a uint')
    }
  }

  ulong(field: string): bigint | undefined {
    const at = this.next()
    if (at < 0) return undefined
    switch (this.bytes[at]!) {
      case Code.ulong0:
        return 0n
      case Code.smallUlong:
        return BigInt(this.bytes[at + 1]!)
      case Code.ulong:
        return (BigInt(uint32At(this.bytes, at + 1)) << 32n) | BigInt(uint32At(this.bytes, at + 5))
      default:
        return this.#wrong(field, at, 'a ulong')
    }
  }

  string(field: string): string | undefined {
    const at = this.next()
    if (at < 0) return undefined
    return isString(this.bytes, at) ? textAt(this.bytes, at) : this.#wrong(field, at, 'a string')
  }

  symbol(field: string): string | undefined {
    const at = this.next()
    if (at < 0) return undefined
    return isSymbol(this.bytes, at) ? textAt(this.bytes, at) : this.#wrong(field, at, 'a symbol')
  }

  /** A copy of its own. */
  binary(field: string): Uint8Array | undefined {
    const at = this.next()
    if (at < 0) return undefined
    return isBinary(this.bytes, at) ? copyOf(contentAt(this.bytes, at)) : this.#wrong(field, at, 'a binary')
  }

  /** A field of multiple symbols: null is none, a symbol alone is one of them. [AMQP10-1.3.4-c] [AMQP10-1.3.4-d] */
  symbols(field: string): readonly string[] {
    const at = this.next()
    if (at < 0) return []
    if (isSymbol(this.bytes, at)) return [textAt(this.bytes, at)]
    const code = this.bytes[at]!
    if (code !== Code.array8 && code !== Code.array32) return this.#wrong(field, at, 'symbols')
    this.#checkCount(field, at, FIELD_VALUES_MAX)
    return (decodeValue(this.bytes, at) as readonly Value[]).map((element) =>
      element instanceof AmqpSymbol ? element.text : this.#wrong(field, at, 'symbols'),
    )
  }

  /** Offsets of each key and its value, of a field that is a map. */
  pairs(field: string, valuesMax: number = FIELD_VALUES_MAX): readonly PairOffsets[] | undefined {
    const at = this.next()
    if (at < 0) return undefined
    this.#checkCount(field, at, valuesMax)
    return pairsAt(this.bytes, at) ?? this.#wrong(field, at, 'a map')
  }

  /** Of a field that is a map. Keys should be symbols; some libraries send strings. [AMQP10-2.8.13-a] */
  keyText(field: string, at: number): string {
    const isText = isSymbol(this.bytes, at) || isString(this.bytes, at)
    return isText ? textAt(this.bytes, at) : this.#wrong(field, at, 'symbols as keys')
  }

  map(field: string): ReadonlyMap<string, Value> | undefined {
    const pairs = this.pairs(field)
    if (pairs === undefined) return undefined
    const map = new Map(pairs.map(([keyAt, at]) => [this.keyText(field, keyAt), decodeValue(this.bytes, at)]))
    this.checkKeys(field, map, pairs)
    return map
  }

  /** Every key of a map is there once. [AMQP10-1.6.23-b] */
  checkKeys(field: string, found: ReadonlyMap<string, unknown>, pairs: readonly unknown[]): void {
    if (found.size !== pairs.length)
      throw malformed(`${this.what}.${field}`, 'a map has the same key twice', 'AMQP10-1.6.23-b')
  }

  #checkCount(field: string, at: number, valuesMax: number): void {
    const count = countValues(this.bytes, at)
    if (count <= valuesMax) return
    const text = `${this.what}.${field}: ${count} values are more than ${valuesMax}`
    throw new AmqpFault('connection', 'amqp:resource-limit-exceeded', text)
  }

  #wrong(field: string, at: number, expected: string): never {
    throw malformed(
      `${this.what}.${field}`,
      `expected ${expected}, got a value with the constructor ${hex(this.bytes[at]!)}`,
      'AMQP10-1.3.4-f',
    )
  }
}

export const NO_FIELDS: ReadonlyMap<string, Value> = new Map()
