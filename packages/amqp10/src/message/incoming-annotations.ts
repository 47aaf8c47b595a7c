/**
 * Annotations of a publisher: what those of the message ask the broker for, and which of them do not stay with it; that keys are such
 * that may be passed on without being understood. [AMQP10 §3.2.3, §3.2.10]
 */
import { type ScheduleOptions, TRACEPARENT, TRACESTATE } from '@ternmq/core'
import { annotationNames, type Part } from '@ternmq/naming'
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

/** Takes the value at `at`. A text: what it must be, where it is something else. */
type Reader = (requests: Requests, bytes: Uint8Array, at: number) => string | undefined

const MILLISECONDS = 'a whole number of ms from 0'

/** Parts that publishers may say; what of the table is not here only the broker says, and from a client it counts for nothing. */
const READERS: Readonly<Partial<Record<Part, Reader>>> = {
  deliverAt: scheduled('deliverAtMs', 0, 'a moment in ms since 1970'),
  delay: scheduled('delayMs', 0, MILLISECONDS),
  period: scheduled('periodMs', 0, MILLISECONDS),
  repeats: scheduled('repeats', -1, 'a whole number from 0, or -1 for no end'),
  cron(requests, bytes, at) {
    const cron = textAt(bytes, at)
    if (cron === undefined) return 'a string'
    ;(requests.schedule ??= {}).cron = cron
    return undefined
  },
  retain(requests, bytes, at) {
    const value = booleanAt(bytes, at) ?? textAt(bytes, at)
    if (value === 'remove') requests.retain = 'remove'
    else if (value === true || value === 'true' || value === 'set') requests.retain = 'set'
    else if (value !== false && value !== 'false') return "true, 'set' or 'remove'"
    return undefined
  },
}

function scheduled(key: 'deliverAtMs' | 'delayMs' | 'periodMs' | 'repeats', min: number, rule: string): Reader {
  return (requests, bytes, at) => {
    const value = integerAt(bytes, at)
    if (value === undefined || value < min) return rule
    ;(requests.schedule ??= {})[key] = value
    return undefined
  }
}

const PARTS: ReadonlyMap<string, Part> = new Map(annotationNames().map(([part, name]) => [name, part]))

/** A moment means the same to receivers, and JMS shows it to them; all others are done with when the broker has read them. */
const STAYING: Part = 'deliverAt'

/**
 * What clients that got it from RabbitMQ send on: it says where the message was. And the trace of a message that somebody between its
 * publisher and this broker has gone on with. [W3C-TRACE-CONTEXT-AMQP]
 */
const KNOWN: ReadonlySet<string> = new Set(['x-exchange', 'x-routing-key', TRACEPARENT, TRACESTATE])

/** All that JMS clients write begins so, and stays as it is. */
const JMS_PREFIX = Buffer.from('x-opt-jms-')
const PREFIX = 'x-opt-'

/** Of the map at `at`. Throws `AmqpFault('link', …)`. Hot path of JMS clients, whose messages always have two. */
export function readAnnotations(bytes: Uint8Array, at: number, into: Requests): void {
  const { count, at: first } = elementsAt(bytes, at)
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    const valueAt = skipValue(bytes, keyAt)
    const end = skipValue(bytes, valueAt)
    if (!isOfJms(bytes, keyAt)) readOne(bytes, keyAt, valueAt, end, into)
    keyAt = end
  }
}

/** Of delivery annotations and footers, which the broker knows none of. */
export function checkKeys(bytes: Uint8Array, at: number, section: string): void {
  const { count, at: first } = elementsAt(bytes, at)
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    nameOf(bytes, keyAt, section)
    keyAt = skipValue(bytes, skipValue(bytes, keyAt))
  }
}

function isOfJms(bytes: Uint8Array, keyAt: number): boolean {
  if (bytes[keyAt] !== Code.symbol8 || bytes[keyAt + 1]! < JMS_PREFIX.length) return false
  for (let index = 0; index < JMS_PREFIX.length; index++)
    if (bytes[keyAt + 2 + index] !== JMS_PREFIX[index]) return false
  return true
}

function readOne(bytes: Uint8Array, keyAt: number, valueAt: number, end: number, into: Requests): void {
  const name = nameOf(bytes, keyAt, 'message annotation')
  const part = PARTS.get(name)
  if (part === undefined) return
  // A null says as much as no annotation.
  const rule = bytes[valueAt] === Code.null ? undefined : READERS[part]?.(into, bytes, valueAt)
  if (rule !== undefined) {
    throw new AmqpFault(
      'link',
      'amqp:invalid-field',
      `message annotation '${name}' must be ${rule}; correct it or leave it out`,
    )
  }
  if (part !== STAYING) into.dropped.push(keyAt, end)
}

/** Throws for a key that the broker would have to know. */
function nameOf(bytes: Uint8Array, at: number, section: string): string {
  const code = bytes[at]
  if (code === Code.symbol8 || code === Code.symbol32) {
    const name = textAt(bytes, at)!
    if (name.startsWith(PREFIX) || KNOWN.has(name)) return name
    const rule = `is not known here; a name of your own begins with '${PREFIX}'`
    throw new AmqpFault('link', 'amqp:not-implemented', `${section} '${name}' ${rule}`, 'AMQP10-3.2.10-c')
  }
  if (code === Code.ulong0 || code === Code.smallUlong || code === Code.ulong) {
    const text = `${section} ${integerAt(bytes, at) ?? 'with a long number'} is not known here; a name of your own begins with '${PREFIX}'`
    throw new AmqpFault('link', 'amqp:not-implemented', text, 'AMQP10-3.2.10-c')
  }
  throw new AmqpFault(
    'link',
    'amqp:decode-error',
    `a key of a ${section} is neither a symbol nor a ulong`,
    'AMQP10-3.2.10-a',
  )
}
