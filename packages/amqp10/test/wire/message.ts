/** Messages of AMQP 1.0 as tests write and read them: sections. [AMQP10 §3.2] */
import { composite, type Fields, readComposite, symbolMap } from './composites.ts'
import { Cursor, decode, plain, type Typed } from './decode.ts'
import { binary, described, Encoded, map, type Plain, str, value } from './encode.ts'

const CODES = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
} as const
type SectionName = keyof typeof CODES

/** Sections by name. Text in `data` is UTF-8; the body is one of `data`, `sequence` and `value`, the empty data section without one. */
export interface MessageParts {
  readonly header?: Fields
  readonly deliveryAnnotations?: Fields | Encoded
  readonly messageAnnotations?: Fields | Encoded
  readonly properties?: Fields
  readonly applicationProperties?: Readonly<Record<string, Plain>> | Encoded
  readonly data?: string | Uint8Array | readonly (string | Uint8Array)[]
  readonly sequence?: readonly (readonly Plain[])[]
  readonly value?: Plain
  readonly footer?: Fields | Encoded
}

/** A message; mere text or bytes are its one data section. */
export function message(given: MessageParts | string | Uint8Array): Buffer {
  const parts: MessageParts = typeof given === 'string' || given instanceof Uint8Array ? { data: given } : given
  const sections: Encoded[] = []
  if (parts.header !== undefined) sections.push(composite('header', parts.header))
  if (parts.deliveryAnnotations !== undefined)
    sections.push(annotations('deliveryAnnotations', parts.deliveryAnnotations))
  if (parts.messageAnnotations !== undefined) sections.push(annotations('messageAnnotations', parts.messageAnnotations))
  if (parts.properties !== undefined) sections.push(composite('properties', parts.properties))
  if (parts.applicationProperties !== undefined) sections.push(applicationProperties(parts.applicationProperties))
  sections.push(...body(parts))
  if (parts.footer !== undefined) sections.push(annotations('footer', parts.footer))
  return Buffer.concat(sections.map(({ bytes }) => bytes))
}

/** One section by its name: for messages that break the rules. */
export function section(name: SectionName, content: Plain): Encoded {
  return described(CODES[name], content)
}

export interface Sections {
  header?: Record<string, unknown>
  deliveryAnnotations?: Record<string, unknown>
  messageAnnotations?: Record<string, unknown>
  properties?: Record<string, unknown>
  applicationProperties?: Record<string, unknown>
  /** Of the data sections, joined, as text. */
  text?: string
  data?: Buffer[]
  sequence?: unknown[][]
  value?: unknown
  footer?: Record<string, unknown>
  /** Bytes of properties, application-properties, body and footer as they came. [AMQP10 §3.2] */
  bare: Buffer
  /** Each section with its types. */
  typed: Partial<Record<SectionName, Typed>>
}

const ORDER: readonly SectionName[] = [
  'header',
  'deliveryAnnotations',
  'messageAnnotations',
  'properties',
  'applicationProperties',
  'data',
  'sequence',
  'value',
  'footer',
]
const BARE: readonly SectionName[] = ['properties', 'applicationProperties', 'data', 'sequence', 'value']

/** The sections of a message as a strict client reads them: what no server may send throws. */
export function readMessage(payload: Uint8Array): Sections {
  const cursor = new Cursor(payload)
  const found: Sections = { bare: Buffer.alloc(0), typed: {} }
  let place = -1
  const bare: Buffer[] = []
  while (!cursor.isAtEnd) {
    const typed = decode(cursor)
    const name = nameOf(typed)
    const isRepeatable = name === 'data' || name === 'sequence'
    if (ORDER.indexOf(name) < place || (ORDER.indexOf(name) === place && !isRepeatable))
      throw new Error(`section ${name} is out of order`)
    place = ORDER.indexOf(name)
    if (BARE.includes(name)) bare.push(typed.bytes)
    found.typed[name] = typed.value as Typed
    put(found, name, typed)
  }
  if ([found.data, found.sequence].filter((each) => each !== undefined).length + ('value' in found ? 1 : 0) > 1)
    throw new Error('a message has one kind of body')
  found.bare = Buffer.concat(bare)
  if (found.data !== undefined) found.text = Buffer.concat(found.data).toString()
  return found
}

function put(found: Sections, name: SectionName, typed: Typed): void {
  switch (name) {
    case 'header':
    case 'properties':
      found[name] = withoutKind(readComposite(typed))
      break
    case 'data':
      ;(found.data ??= []).push(plain(typed.value as Typed) as Buffer)
      break
    case 'sequence':
      ;(found.sequence ??= []).push(plain(typed.value as Typed) as unknown[])
      break
    case 'value':
      found.value = plain(typed.value as Typed)
      break
    default:
      found[name] = plain(typed.value as Typed) as Record<string, unknown>
  }
}

function nameOf({ type, descriptor }: Typed): SectionName {
  const code = type === 'described' && descriptor?.type === 'ulong' ? descriptor.value : undefined
  const name = (Object.keys(CODES) as SectionName[]).find((each) => CODES[each] === code)
  if (name === undefined) throw new Error(`a message has something else than a section: ${String(code)}`)
  return name
}

function withoutKind({ kind: _, ...fields }: Record<string, unknown>): Record<string, unknown> {
  return fields
}

function annotations(name: SectionName, given: Fields | Encoded): Encoded {
  return section(name, given instanceof Encoded ? given : symbolMap(given))
}

function applicationProperties(given: Readonly<Record<string, Plain>> | Encoded): Encoded {
  if (given instanceof Encoded) return section('applicationProperties', given)
  return section('applicationProperties', map(Object.entries(given).map(([key, each]) => [str(key), each] as const)))
}

function body(parts: MessageParts): Encoded[] {
  if (parts.sequence !== undefined) return parts.sequence.map((each) => section('sequence', value(each)))
  if ('value' in parts) return [section('value', parts.value ?? null)]
  const data = parts.data ?? ''
  const all = typeof data === 'string' || data instanceof Uint8Array ? [data] : data
  return all.map((each) => section('data', binary(each)))
}
