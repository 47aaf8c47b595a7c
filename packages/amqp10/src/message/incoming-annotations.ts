/**
 * Message annotations of a publisher: what they ask the broker for, and which of them do not stay with the message. Names that only the
 * broker may say count for nothing from a client.
 */
import type { ScheduleOptions } from '@ternmq/core'
import { AmqpFault } from '../codec/faults.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { booleanAt, elementsAt, integerAt, textAt } from './reading.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** What annotations and properties may ask for. */
export interface Requests {
  retain: 'set' | 'remove' | undefined
  schedule: Mutable<ScheduleOptions> | undefined
  /** Offsets of annotations that go no further: start and end of each, in turn. */
  readonly dropped: number[]
}

/** Reads the value at `at`; what it must be, where it is something else. */
type Reader = (requests: Requests, bytes: Uint8Array, at: number) => string | undefined

const MILLISECONDS = 'a whole number of ms from 0'

const READERS: Readonly<Record<string, Reader>> = {
  'x-opt-delivery-time': number('deliverAtMs', 0, 'a moment in ms since 1970'),
  'x-opt-delivery-delay': number('delayMs', 0, MILLISECONDS),
  'x-opt-delivery-period': number('periodMs', 0, MILLISECONDS),
  'x-opt-delivery-repeat': number('repeats', -1, 'a whole number from 0, or -1 for no end'),
  'x-opt-delivery-cron'(requests, bytes, at) {
    const cron = textAt(bytes, at)
    if (cron === undefined) return 'a string'
    if (cron !== '') (requests.schedule ??= {}).cron = cron
    return undefined
  },
  'x-opt-retain'(requests, bytes, at) {
    const value = booleanAt(bytes, at) ?? textAt(bytes, at)
    if (value === 'remove') requests.retain = 'remove'
    else if (value === true || value === 'set' || value === 'true') requests.retain = 'set'
    else if (value !== false && value !== 'false') return "true, 'set' or 'remove'"
    return undefined
  },
}

function number(key: 'deliverAtMs' | 'delayMs' | 'periodMs' | 'repeats', min: number, rule: string): Reader {
  return (requests, bytes, at) => {
    const value = integerAt(bytes, at)
    if (value === undefined || value < min) return rule
    ;(requests.schedule ??= {})[key] = value
    return undefined
  }
}

/** A moment means the same to the receivers, JMS clients show it; all others are done with when the broker has read them. */
const STAYS = 'x-opt-delivery-time'

/** Hot path of clients of JMS, whose messages always have two of these. */
export function readAnnotations(bytes: Uint8Array, at: number, into: Requests): void {
  const { count, at: first } = elementsAt(bytes, at)
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    const valueAt = skipValue(bytes, keyAt)
    const next = skipValue(bytes, valueAt)
    if (!isOfJms(bytes, keyAt)) readOne(bytes, keyAt, valueAt, next, into)
    keyAt = next
  }
}

/** It begins with `x-opt-jms-`: kept as it is. */
function isOfJms(bytes: Uint8Array, keyAt: number): boolean {
  if (bytes[keyAt] !== Code.symbol8 || bytes[keyAt + 1]! < JMS_PREFIX.length) return false
  for (let index = 0; index < JMS_PREFIX.length; index++) if (bytes[keyAt + 2 + index] !== JMS_PREFIX[index]) return false
  return true
}

const JMS_PREFIX = Buffer.from('x-opt-jms-')

function readOne(bytes: Uint8Array, keyAt: number, valueAt: number, end: number, into: Requests): void {
  const name = bytes[keyAt] === Code.symbol8 || bytes[keyAt] === Code.symbol32 ? textAt(bytes, keyAt)! : undefined
  if (name === undefined || !(name.startsWith('x-opt') || KNOWN.has(name))) throw notUnderstood(name)
  if (isSaidByBroker(name)) {
    into.dropped.push(keyAt, end)
    return
  }
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined
  if (reader === undefined) return
  const rule = bytes[valueAt] === Code.null ? undefined : reader(into, bytes, valueAt)
  if (rule !== undefined) {
    throw new AmqpFault('link', 'amqp:invalid-field', `message annotation '${name}' must be ${rule}; correct it or leave it out`)
  }
  if (name !== STAYS) into.dropped.push(keyAt, end)
}

/** What clients that got it from RabbitMQ send on. */
const KNOWN: ReadonlySet<string> = new Set(['x-exchange', 'x-routing-key'])

function isSaidByBroker(name: string): boolean {
  return name === 'x-opt-retained' || name.startsWith('x-opt-ORIG-') || name.startsWith('x-opt-death-')
}

/** [AMQP10 §3.2.10] */
function notUnderstood(name: string | undefined): AmqpFault {
  const what = name === undefined ? 'with a key that is no symbol' : `'${name}'`
  const text = `message annotation ${what} is not known here, and only those that begin with 'x-opt' may be passed on without that`
  return new AmqpFault('link', 'amqp:not-implemented', text, 'AMQP10-3.2.10-a')
}
