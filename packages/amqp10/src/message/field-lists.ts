/** The sections that are lists of fields, header and properties: where each field lies, and that it has its type. [AMQP10 §3.2.1, §3.2.4] */
import { AmqpFault } from '../codec/faults.ts'
import { checkValue, hex, skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { checkItem } from './flat-values.ts'
import { elementsAt } from './reading.ts'

type FieldType = 'boolean' | 'ubyte' | 'uint' | 'timestamp' | 'binary' | 'text' | 'id'

/** `text`: clients differ about strings and symbols. */
const TYPES: Readonly<Record<FieldType, readonly number[]>> = {
  boolean: [Code.true, Code.false, Code.boolean],
  ubyte: [Code.ubyte],
  uint: [Code.uint, Code.smallUint, Code.uint0],
  timestamp: [Code.timestamp],
  binary: [Code.binary8, Code.binary32],
  text: [Code.string8, Code.string32, Code.symbol8, Code.symbol32],
  id: [Code.string8, Code.string32, Code.binary8, Code.binary32, Code.uuid, Code.ulong, Code.smallUlong, Code.ulong0],
}

type Fields = ReadonlyArray<readonly [name: string, type: FieldType]>

/** A section that is a list. */
export interface FieldList {
  readonly name: string
  readonly fields: Fields
  /** Whether a field may have a constructor: 256 bytes for each of them, one after the other. */
  readonly codes: Uint8Array
}

function fieldList(name: string, fields: Fields): FieldList {
  const codes = new Uint8Array(fields.length * 256)
  for (const [index, [, type]] of fields.entries()) {
    for (const code of [Code.null, ...TYPES[type]]) codes[index * 256 + code] = 1
  }
  return { name, fields, codes }
}

export const HEADER: FieldList = fieldList('header', [
  ['durable', 'boolean'],
  ['priority', 'ubyte'],
  ['ttl', 'uint'],
  ['first-acquirer', 'boolean'],
  ['delivery-count', 'uint'],
])

export const PROPERTIES: FieldList = fieldList('properties', [
  ['message-id', 'id'],
  ['user-id', 'binary'],
  ['to', 'text'],
  ['subject', 'text'],
  ['reply-to', 'text'],
  ['correlation-id', 'id'],
  ['content-type', 'text'],
  ['content-encoding', 'text'],
  ['absolute-expiry-time', 'timestamp'],
  ['creation-time', 'timestamp'],
  ['group-id', 'text'],
  ['group-sequence', 'uint'],
  ['reply-to-group-id', 'text'],
])

/** Places of the fields that are read by name. */
export const HeaderField = { durable: 0, priority: 1, ttl: 2 } as const
export const PropertyField = {
  userId: 1,
  to: 2,
  replyTo: 4,
  absoluteExpiry: 8,
  groupId: 10,
  groupSequence: 11,
} as const

/** Offsets of the fields of a list; -1 for one that is not there, or null. */
export type FieldOffsets = Int32Array

export function offsetsOf({ fields }: FieldList): FieldOffsets {
  return new Int32Array(fields.length).fill(-1)
}

/**
 * Checks the list at `at`, which ends before or at `end`, and notes where its fields lie. Returns the offset behind it. Throws AmqpFault.
 * Hot path.
 */
export function checkFields(
  bytes: Uint8Array,
  at: number,
  end: number,
  list: FieldList,
  into: FieldOffsets,
  what: string,
): number {
  const listEnd = at + 2 + bytes[at + 1]!
  if (bytes[at] !== Code.list8 || listEnd > end || listEnd < at + 3)
    return checkAnyList(bytes, at, end, list, into, what)
  const count = bytes[at + 2]!
  let fieldAt = at + 3
  for (let index = 0; index < count; index++) {
    // A byte behind the list is none of its constructors, and `checkItem` says so.
    if (fieldAt < listEnd) noteField(bytes, fieldAt, list, index, into)
    fieldAt = checkItem(bytes, fieldAt, listEnd, what)
  }
  for (let index = count; index < into.length; index++) into[index] = -1
  return fieldAt === listEnd ? listEnd : checkValue(bytes, at, end, what)
}

function noteField(bytes: Uint8Array, at: number, list: FieldList, index: number, into: FieldOffsets): void {
  const code = bytes[at]!
  if (index >= into.length || list.codes[index * 256 + code] === 0) throw wrongField(list, index, code)
  into[index] = code === Code.null ? -1 : at
}

/** In its other forms. */
function checkAnyList(
  bytes: Uint8Array,
  at: number,
  end: number,
  list: FieldList,
  into: FieldOffsets,
  what: string,
): number {
  const listEnd = checkValue(bytes, at, end, what)
  const { count, at: first } = elementsAt(bytes, at)
  into.fill(-1)
  for (let index = 0, fieldAt = first; index < count; index++, fieldAt = skipValue(bytes, fieldAt)) {
    noteField(bytes, fieldAt, list, index, into)
  }
  return listEnd
}

function wrongField({ name, fields }: FieldList, index: number, code: number): AmqpFault {
  const field = fields[index]
  const text =
    field === undefined
      ? `the ${name} section has more than its ${fields.length} fields`
      : `${name}.${field[0]} has the constructor ${hex(code)}, which is no ${field[1]}`
  return new AmqpFault('link', 'amqp:decode-error', `message: ${text}`)
}
