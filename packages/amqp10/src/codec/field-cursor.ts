/**
 * Fields of the performatives that move messages, read where they lie in one pass. Bytes are taken as they come and bounds are looked at
 * behind the last field: what was read beyond them is thrown away with the fault. Hot path.
 */
import { stateAt } from './decode-state.ts'
import { behindDescriptor, Descriptor } from './descriptors.ts'
import { malformed, missingField } from './faults.ts'
import { ACCEPTED, type DeliveryState, RELEASED } from './performatives.ts'
import { checkValue, hex, uint32At } from './structure.ts'
import { Code } from './type-codes.ts'

/** One serves all frames: each method takes the next field. */
export class FieldCursor {
  readonly #what: string
  readonly #countMax: number
  #bytes: Uint8Array = NO_BYTES
  #at = 0
  #left = 0
  #listEnd = 0
  /** Of what `binary` or `skip` was at last. */
  contentStart = 0
  contentEnd = 0

  /** `what` is the type's name, which has `countMax` fields. */
  constructor(what: string, countMax: number) {
    this.#what = what
    this.#countMax = countMax
  }

  /** Opens the list that is described at `start`. Hot path. */
  open(bytes: Uint8Array, start: number, end: number): void {
    const at = behindDescriptor(bytes, start)
    const code = bytes[at]!
    this.#bytes = bytes
    if (code === Code.list8 && at + 3 <= end) {
      this.#left = bytes[at + 2]!
      this.#at = at + 3
      this.#listEnd = at + 2 + bytes[at + 1]!
    } else if (code === Code.list32 && at + 9 <= end) {
      this.#left = uint32At(bytes, at + 5)
      this.#at = at + 9
      this.#listEnd = at + 5 + uint32At(bytes, at + 1)
    } else if (code === Code.list0 && at < end) {
      this.#left = 0
      this.#at = this.#listEnd = at + 1
    } else {
      throw this.#noList(code, at, end)
    }
    if (this.#listEnd > end || this.#listEnd < this.#at)
      throw malformed(this.#what, 'the list of fields does not fit into its frame', 'AMQP10-1.2.2-a')
    if (this.#left > this.#countMax)
      throw malformed(this.#what, `${this.#left} fields; the type has ${this.#countMax}`, 'AMQP10-1.4-a')
  }

  /** Ends the list, which has to end where its size says. Returns the offset behind it. Hot path. */
  close(): number {
    this.#bytes = NO_BYTES
    if (this.#left !== 0 || this.#at !== this.#listEnd)
      throw malformed(this.#what, 'the size of the list of fields is not that of its fields', 'AMQP10-1.2.3-a')
    return this.#at
  }

  /** As `close`, for a performative that is all of its frame. Hot path. */
  closeFrame(end: number): void {
    const found = this.close()
    if (found !== end)
      throw malformed(this.#what, `${end - found} bytes follow; only a transfer has a payload`, 'AMQP10-2.3.2-b')
  }

  /** -1 for null. Hot path. */
  uint(field: string): number {
    if (this.#left === 0) return -1
    this.#left--
    const at = this.#at
    const bytes = this.#bytes
    switch (bytes[at]!) {
      case Code.smallUint:
        this.#at = at + 2
        return bytes[at + 1]!
      case Code.uint:
        this.#at = at + 5
        return uint32At(bytes, at + 1)
      case Code.uint0:
        this.#at = at + 1
        return 0
      case Code.null:
        this.#at = at + 1
        return -1
      default:
        return this.#wrong(field, 'a uint')
    }
  }

  /** For a field that must not be null. Hot path. */
  requiredUint(field: string): number {
    const value = this.uint(field)
    if (value < 0) throw this.missing(field)
    return value
  }

  /** -1 for null. Hot path. */
  ubyte(field: string): number {
    if (this.#left === 0) return -1
    this.#left--
    const at = this.#at
    if (this.#bytes[at] === Code.null) {
      this.#at = at + 1
      return -1
    }
    if (this.#bytes[at] !== Code.ubyte) return this.#wrong(field, 'a ubyte')
    this.#at = at + 2
    return this.#bytes[at + 1]!
  }

  /** Undefined for null. Hot path. */
  boolean(field: string): boolean | undefined {
    if (this.#left === 0) return undefined
    this.#left--
    const at = this.#at
    switch (this.#bytes[at]!) {
      case Code.true:
        this.#at = at + 1
        return true
      case Code.false:
        this.#at = at + 1
        return false
      case Code.null:
        this.#at = at + 1
        return undefined
      case Code.boolean:
        this.#at = at + 2
        return this.#bytes[at + 1] === 1 || this.#isZero(field, at + 1)
      default:
        return this.#wrong(field, 'a boolean')
    }
  }

  /** False for null; otherwise the bytes are from `contentStart` to `contentEnd`. Hot path. */
  binary(field: string): boolean {
    if (this.#left === 0) return false
    this.#left--
    const at = this.#at
    const bytes = this.#bytes
    switch (bytes[at]!) {
      case Code.binary8:
        this.contentStart = at + 2
        this.contentEnd = this.#at = at + 2 + bytes[at + 1]!
        return true
      case Code.binary32:
        this.contentStart = at + 5
        this.contentEnd = this.#at = at + 5 + uint32At(bytes, at + 1)
        return true
      case Code.null:
        this.#at = at + 1
        return false
      default:
        return this.#wrong(field, 'a binary')
    }
  }

  /** Undefined for null. The two states that nearly all deliveries have cost nothing. Hot path. */
  state(): DeliveryState | undefined {
    if (this.#left === 0) return undefined
    const at = this.#at
    const bytes = this.#bytes
    if (bytes[at] === Code.described && bytes[at + 1] === Code.smallUlong && bytes[at + 3] === Code.list0) {
      const code = bytes[at + 2]
      if (code === Descriptor.accepted || code === Descriptor.released) {
        this.#left--
        this.#at = at + 4
        return code === Descriptor.accepted ? ACCEPTED : RELEASED
      }
    }
    if (!this.skip('state')) return undefined
    return stateAt(bytes, at, this.#at, `${this.#what}.state`)
  }

  /** Checks the field, of any type, and goes on behind it. False for null; otherwise it is from `contentStart` to `contentEnd`. */
  skip(field: string): boolean {
    if (this.#left === 0) return false
    this.#left--
    const at = this.#at
    this.contentStart = at
    this.contentEnd = this.#at = checkValue(this.#bytes, at, this.#listEnd, `${this.#what}.${field}`)
    return this.#bytes[at] !== Code.null
  }

  missing(field: string): Error {
    return missingField(`${this.#what}.${field}`)
  }

  #wrong(field: string, expected: string): never {
    if (this.#at >= this.#listEnd)
      throw malformed(`${this.#what}.${field}`, 'the list of fields ends before it', 'AMQP10-1.2.3-a')
    throw malformed(
      `${this.#what}.${field}`,
      `expected ${expected}, got a value with the constructor ${hex(this.#bytes[this.#at]!)}`,
      'AMQP10-1.3.4-f',
    )
  }

  /** False, or throws. */
  #isZero(field: string, at: number): false {
    if (at < this.#listEnd && this.#bytes[at] !== 0)
      throw malformed(
        `${this.#what}.${field}`,
        `a boolean is ${hex(this.#bytes[at]!)}, neither 0x00 nor 0x01`,
        'AMQP10-1.6.2-a',
      )
    return false
  }

  #noList(code: number, at: number, end: number): Error {
    const isList = code === Code.list8 || code === Code.list32
    if (at >= end || isList) return malformed(this.#what, 'the frame ends within its performative', 'AMQP10-1.2.2-a')
    return malformed(
      this.#what,
      `expected a list of fields, got a value with the constructor ${hex(code)}`,
      'AMQP10-1.4-a',
    )
  }
}

const NO_BYTES = new Uint8Array(0)
