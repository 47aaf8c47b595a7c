/** The composites of AMQP 1.0 as tables, and how tests write and read them. [AMQP10 §2.7, §2.8.14, §3.2, §3.4, §3.5, §4.5, §5.3.3] */
import { type Cursor, decode, plain, type Typed, type TypeName } from './decode.ts'
import {
  binary,
  bool,
  described,
  Encoded,
  list,
  list32,
  map,
  nil,
  type Plain,
  str,
  symbol,
  symbols,
  ubyte,
  uint,
  ulong,
  ulong8,
  ushort,
  value,
} from './encode.ts'

/** symbols: none, one or an array. fields: a map with symbols as keys. A composite's name: one of that kind. */
type FieldType =
  | 'string'
  | 'symbol'
  | 'symbols'
  | 'boolean'
  | 'ubyte'
  | 'ushort'
  | 'uint'
  | 'ulong'
  | 'binary'
  | 'timestamp'
  | 'fields'
  | 'map'
  | 'any'
  | 'composite'

interface Field {
  readonly name: string
  readonly type: FieldType
  readonly isMandatory: boolean
  readonly initial: unknown
}

interface Composite {
  readonly kind: string
  readonly code: number
  readonly symbol: string
  readonly fields: readonly Field[]
}

/** A line: code, symbol without 'amqp:' and ':list', fields as name:type, with '!' when mandatory or '=default'. */
const TABLE = `
0x10 open containerId:string! hostname:string maxFrameSize:uint=4294967295 channelMax:ushort=65535 idleTimeOut:uint outgoingLocales:symbols incomingLocales:symbols offeredCapabilities:symbols desiredCapabilities:symbols properties:fields
0x11 begin remoteChannel:ushort nextOutgoingId:uint! incomingWindow:uint! outgoingWindow:uint! handleMax:uint=4294967295 offeredCapabilities:symbols desiredCapabilities:symbols properties:fields
0x12 attach name:string! handle:uint! role:boolean! sndSettleMode:ubyte=2 rcvSettleMode:ubyte=0 source:composite target:composite unsettled:map incompleteUnsettled:boolean=false initialDeliveryCount:uint maxMessageSize:ulong offeredCapabilities:symbols desiredCapabilities:symbols properties:fields
0x13 flow nextIncomingId:uint incomingWindow:uint! nextOutgoingId:uint! outgoingWindow:uint! handle:uint deliveryCount:uint linkCredit:uint available:uint drain:boolean=false echo:boolean=false properties:fields
0x14 transfer handle:uint! deliveryId:uint deliveryTag:binary messageFormat:uint settled:boolean more:boolean=false rcvSettleMode:ubyte state:composite resume:boolean=false aborted:boolean=false batchable:boolean=false
0x15 disposition role:boolean! first:uint! last:uint settled:boolean=false state:composite batchable:boolean=false
0x16 detach handle:uint! closed:boolean=false error:composite
0x17 end error:composite
0x18 close error:composite
0x1d error condition:symbol! description:string info:fields
0x23 received sectionNumber:uint! sectionOffset:ulong!
0x24 accepted
0x25 rejected error:composite
0x26 released
0x27 modified deliveryFailed:boolean undeliverableHere:boolean messageAnnotations:fields
0x28 source address:any durable:uint=0 expiryPolicy:symbol=session-end timeout:uint=0 dynamic:boolean=false dynamicNodeProperties:fields distributionMode:symbol filter:map defaultOutcome:composite outcomes:symbols capabilities:symbols
0x29 target address:any durable:uint=0 expiryPolicy:symbol=session-end timeout:uint=0 dynamic:boolean=false dynamicNodeProperties:fields capabilities:symbols
0x2b delete-on-close
0x2c delete-on-no-links
0x2d delete-on-no-messages
0x2e delete-on-no-links-or-messages
0x30 coordinator capabilities:symbols
0x31 declare globalId:any
0x32 discharge txnId:binary! fail:boolean
0x33 declared txnId:binary!
0x34 transactional-state txnId:binary! outcome:composite
0x40 sasl-mechanisms saslServerMechanisms:symbols!
0x41 sasl-init mechanism:symbol! initialResponse:binary hostname:string
0x42 sasl-challenge challenge:binary!
0x43 sasl-response response:binary!
0x44 sasl-outcome code:ubyte! additionalData:binary
0x70 header durable:boolean=false priority:ubyte=4 ttl:uint firstAcquirer:boolean=false deliveryCount:uint=0
0x73 properties messageId:any userId:binary to:any subject:string replyTo:any correlationId:any contentType:symbol contentEncoding:symbol absoluteExpiryTime:timestamp creationTime:timestamp groupId:string groupSequence:uint replyToGroupId:string
`

const COMPOSITES: readonly Composite[] = TABLE.trim().split('\n').map(readLine)
const byKind = new Map(COMPOSITES.map((each) => [each.kind, each]))
const byCode = new Map(COMPOSITES.map((each) => [each.code, each]))
const bySymbol = new Map(COMPOSITES.map((each) => [each.symbol, each]))

/** Fields of a composite by name. A plain value is written in the type of its field, an Encoded as it is, `{ kind, … }` as a composite. */
export type Fields = Readonly<Record<string, unknown>>

/** How a composite is written, where that is the point of the test. */
export interface Manner {
  readonly descriptor?: 'smallulong' | 'ulong' | 'symbol'
  readonly list?: 'list32'
  /** Writes nulls at the end, too. */
  readonly isFull?: boolean
  /** Values behind the last field. */
  readonly extra?: readonly Plain[]
}

export function composite(kind: string, fields: Fields = {}, manner: Manner = {}): Encoded {
  const shape = byKind.get(kind)
  if (shape === undefined) throw new Error(`there is no composite '${kind}'`)
  const unknown = Object.keys(fields).filter(
    (name) => name !== 'kind' && !shape.fields.some((field) => field.name === name),
  )
  if (unknown.length > 0) throw new Error(`${kind} has no field ${unknown.join(', ')}`)
  const values = shape.fields.map(({ name, type }) => encodeField(type, fields[name]))
  if (manner.isFull !== true) while (values.at(-1) === nil) values.pop()
  const all = [...values, ...(manner.extra ?? [])]
  const body = manner.list === 'list32' ? list32(all) : list(all)
  const { descriptor = 'smallulong' } = manner
  return described(
    descriptor === 'symbol' ? shape.symbol : descriptor === 'ulong' ? ulong8(shape.code) : shape.code,
    body,
  )
}

/** `{ kind, …fields }` of a described list: every field of the type that the specification says, defaults put in, null left out. */
export function readComposite(typed: Typed): Record<string, unknown> & { kind: string } {
  const shape = shapeOf(typed)
  if (shape === undefined) throw new Error(`no composite: ${JSON.stringify(plain(typed))}`)
  const inner = typed.value as Typed
  if (inner.type !== 'list') throw new Error(`${shape.kind} is a ${inner.type} and no list`)
  const values = inner.value as readonly Typed[]
  if (values.length > shape.fields.length) throw new Error(`${shape.kind} has ${values.length} fields`)
  const found: Record<string, unknown> & { kind: string } = { kind: shape.kind }
  for (const [index, field] of shape.fields.entries()) {
    const given = values[index]
    if (given !== undefined && given.type !== 'null') found[field.name] = decodeField(shape.kind, field, given)
    else if (field.isMandatory) throw new Error(`${shape.kind} has no ${field.name}`)
    else if (field.initial !== undefined) found[field.name] = field.initial
  }
  return found
}

/** Reads the composite at the cursor and goes behind it. */
export function nextComposite(cursor: Cursor): Record<string, unknown> & { kind: string } {
  return readComposite(decode(cursor))
}

function shapeOf({ type, descriptor }: Typed): Composite | undefined {
  if (type !== 'described' || descriptor === undefined) return undefined
  if (descriptor.type === 'ulong') return byCode.get(Number(descriptor.value))
  return descriptor.type === 'symbol' ? bySymbol.get(String(descriptor.value)) : undefined
}

function encodeField(type: FieldType, given: unknown): Encoded {
  if (given instanceof Encoded) return given
  if (given === undefined || given === null) return nil
  switch (type) {
    case 'string':
      return str(given as string)
    case 'symbol':
      return symbol(given as string)
    case 'symbols':
      return typeof given === 'string' ? symbol(given) : symbols(given as string[])
    case 'boolean':
      return bool(given as boolean)
    case 'ubyte':
      return ubyte(given as number)
    case 'ushort':
      return ushort(given as number)
    case 'uint':
      return uint(given as number)
    case 'ulong':
      return ulong(given as number)
    case 'binary':
      return binary(given as Uint8Array | string)
    case 'timestamp':
      return value(given instanceof Date ? given : new Date(given as number))
    case 'fields':
      return symbolMap(given as Fields)
    case 'map':
      return map(given as readonly (readonly [Plain, Plain])[])
    case 'composite':
      return composite((given as { kind: string }).kind, given as Fields)
    case 'any':
      return value(given as Plain)
  }
}

/** A map with symbols as keys. */
export function symbolMap(fields: Fields): Encoded {
  return map(
    Object.entries(fields).map(
      ([key, each]) => [symbol(key), isComposite(each) ? composite(each.kind, each) : value(each as Plain)] as const,
    ),
  )
}

function isComposite(given: unknown): given is Fields & { kind: string } {
  return typeof given === 'object' && given !== null && !(given instanceof Encoded) && 'kind' in given
}

const WIRE_TYPES: Readonly<Record<FieldType, readonly TypeName[] | undefined>> = {
  string: ['string'],
  symbol: ['symbol'],
  symbols: ['symbol', 'array'],
  boolean: ['boolean'],
  ubyte: ['ubyte'],
  ushort: ['ushort'],
  uint: ['uint'],
  ulong: ['ulong'],
  binary: ['binary'],
  timestamp: ['timestamp'],
  fields: ['map'],
  map: ['map'],
  any: undefined,
  composite: ['described'],
}

function decodeField(kind: string, { name, type }: Field, given: Typed): unknown {
  const allowed = WIRE_TYPES[type]
  if (allowed !== undefined && !allowed.includes(given.type)) throw new Error(`${kind}: ${name} is a ${given.type}`)
  if (type === 'composite') return readComposite(given)
  if (type === 'symbols') return symbolsIn(kind, name, given)
  if (type === 'fields') checkKeys(kind, name, given)
  return plain(given)
}

function symbolsIn(kind: string, name: string, given: Typed): readonly unknown[] {
  const all = given.type === 'array' ? (given.value as readonly Typed[]) : [given]
  if (all.some((each) => each.type !== 'symbol')) throw new Error(`${kind}: ${name} has other values than symbols`)
  return all.map((each) => each.value)
}

function checkKeys(kind: string, name: string, given: Typed): void {
  const keys = (given.value as readonly (readonly [Typed, Typed])[]).map(([key]) => key)
  if (keys.some((key) => key.type !== 'symbol')) throw new Error(`${kind}: ${name} has keys that are no symbols`)
}

function readLine(line: string): Composite {
  const [code = '', kind = '', ...fields] = line.split(' ')
  return { kind, code: Number(code), symbol: `amqp:${kind}:list`, fields: fields.map(readField) }
}

function readField(text: string): Field {
  const [, name = '', type = '', mandatory, initial] = /^(\w+):(\w+)(!)?(?:=(.+))?$/.exec(text) ?? []
  return { name, type: type as FieldType, isMandatory: mandatory === '!', initial: initialOf(type, initial) }
}

function initialOf(type: string, text: string | undefined): unknown {
  if (text === undefined) return undefined
  if (type === 'boolean') return text === 'true'
  return type === 'symbol' ? text : Number(text)
}
