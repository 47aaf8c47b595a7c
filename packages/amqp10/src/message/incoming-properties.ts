/** Header, properties and application properties of a publisher, as far as the broker has to know them. [AMQP10 §3.2.1, §3.2.4, §3.2.5] */
import { asksForLater, faultText, type Pair, partNames, readPairs } from '@ternmq/naming'
import { AmqpFault } from '../codec/faults.ts'
import { hex, skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { type FieldOffsets, HeaderField, PropertyField } from './field-lists.ts'
import type { IncomingFacts } from './message-in.ts'
import { booleanAt, elementsAt, integerAt, textAt } from './reading.ts'
import { simpleText } from './simple-values.ts'

/** [AMQP10 §3.2.1]: of ten priorities all higher ones are the highest. */
const PRIORITY_MAX = 9

/** Of the fields at these offsets. Hot path. */
export function readHeader(bytes: Uint8Array, fields: FieldOffsets, into: IncomingFacts): void {
  const durableAt = fields[HeaderField.durable]!
  const priorityAt = fields[HeaderField.priority]!
  const ttlAt = fields[HeaderField.ttl]!
  if (durableAt >= 0) into.durable = booleanAt(bytes, durableAt)!
  if (priorityAt >= 0) into.priority = Math.min(PRIORITY_MAX, bytes[priorityAt + 1]!)
  if (ttlAt >= 0) into.ttlMs = integerAt(bytes, ttlAt)!
}

/** Bytes of a group's name: the core keeps it in memory. */
const GROUP_ID_BYTES_MAX = 1_024

/** Of the fields at these offsets. Hot path. */
export function readProperties(bytes: Uint8Array, fields: FieldOffsets, into: IncomingFacts): void {
  into.userIdAt = fields[PropertyField.userId]!
  into.toAt = fields[PropertyField.to]!
  into.replyToAt = fields[PropertyField.replyTo]!
  const expiryAt = fields[PropertyField.absoluteExpiry]!
  const groupAt = fields[PropertyField.groupId]!
  const sequenceAt = fields[PropertyField.groupSequence]!
  if (expiryAt >= 0) into.absoluteExpiryMs = integerAt(bytes, expiryAt) ?? -1
  if (groupAt >= 0) into.groupId = groupIdAt(bytes, groupAt)
  // The upper half of its range is below 0, as JMS writes it.
  if (sequenceAt >= 0) into.groupSequence = integerAt(bytes, sequenceAt)! | 0
}

function groupIdAt(bytes: Uint8Array, at: number): string {
  const size = skipValue(bytes, at) - at
  if (size > GROUP_ID_BYTES_MAX)
    throw invalid(`properties.group-id has ${size} bytes; the limit is ${GROUP_ID_BYTES_MAX}`)
  return textAt(bytes, at)!
}

function invalid(text: string): AmqpFault {
  return new AmqpFault('link', 'amqp:invalid-field', `message: ${text}`)
}

/** Properties that ask something of the broker. */
const ASKING: ReadonlySet<string> = new Set(
  partNames('amqp10').flatMap(([part, name]) => (part === 'appId' ? [] : [name])),
)
/** What they begin with. */
const ASKING_STARTS: ReadonlySet<number> = new Set([...ASKING].map((name) => name.charCodeAt(0)))

/** Of the map at `mapAt`: names are strings, values are simple. */
export function readApplication(bytes: Uint8Array, mapAt: number, into: IncomingFacts): void {
  const { count, at: first } = elementsAt(bytes, mapAt)
  let asking: Pair[] | undefined
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    const code = bytes[keyAt]!
    if (code !== Code.string8 && code !== Code.string32) throw notText(code)
    const valueAt = skipValue(bytes, keyAt)
    if (bytes[valueAt]! >= Code.list0 && isCompound(bytes[valueAt]!)) throw notSimple(bytes, keyAt, valueAt)
    if (ASKING_STARTS.has(bytes[keyAt + (code === Code.string8 ? 2 : 5)]!)) {
      const name = textAt(bytes, keyAt)!
      const value = ASKING.has(name) ? simpleText(bytes, valueAt) : undefined
      if (value !== undefined) (asking ??= []).push([name, value])
    }
    keyAt = skipValue(bytes, valueAt)
  }
  if (asking !== undefined) ask(asking, into)
}

function isCompound(code: number): boolean {
  return code === Code.list0 || code >= Code.list8
}

function notText(code: number): AmqpFault {
  const text = `message: a name of an application property has the constructor ${hex(code)}, which is no string`
  return new AmqpFault('link', 'amqp:decode-error', text, 'AMQP10-3.2.5-a')
}

function notSimple(bytes: Uint8Array, keyAt: number, valueAt: number): AmqpFault {
  const text = `message: application property '${textAt(bytes, keyAt)!}' has the constructor ${hex(bytes[valueAt]!)}; its value must be neither list, map nor array`
  return new AmqpFault('link', 'amqp:decode-error', text, 'AMQP10-3.2.5-a')
}

/** What an annotation asks for counts before a property. */
function ask(pairs: readonly Pair[], into: IncomingFacts): void {
  const { dedupId, retain, schedule, faults } = readPairs('amqp10', pairs)
  const [fault] = faults
  if (fault !== undefined) throw invalid(faultText('amqp10', fault))
  into.dedupId = dedupId
  into.retain ??= retain
  if (schedule !== undefined) into.schedule = { ...schedule, ...into.schedule }
}

/** Nothing of the time is left to say where it says nothing but zeros. */
export function settleSchedule(into: IncomingFacts): void {
  if (into.schedule !== undefined && !asksForLater(into.schedule)) into.schedule = undefined
}
