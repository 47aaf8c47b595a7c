/**
 * MQTT 5 properties for the tests' own builders and parser: the table of §2.2.2.2, typed in from the specification and
 * not from the codec. [MQTT5 §2.2.2.2]
 */
import { type Part, bytes, data, Reader, u16, u32, utf8, varint } from './bytes.ts'

type WireType = 'byte' | 'u16' | 'u32' | 'varint' | 'utf8' | 'data' | 'pair'

interface PropertyRow {
  readonly id: number
  readonly type: WireType
  /** Packets a server may send it in. */
  readonly from: readonly string[]
}

const ACKS = ['CONNACK', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'DISCONNECT', 'AUTH']

/** A string or binary data of a builder: text goes out as UTF-8, bytes as they are. */
type Content = string | Uint8Array | readonly number[]

/** What `prop` takes for each. Names are the specification's, in camel case. */
interface PropertyValues {
  payloadFormatIndicator: number
  messageExpiryInterval: number
  contentType: Content
  responseTopic: Content
  correlationData: Content
  subscriptionIdentifier: number
  sessionExpiryInterval: number
  assignedClientIdentifier: Content
  serverKeepAlive: number
  authenticationMethod: Content
  authenticationData: Content
  requestProblemInformation: number
  willDelayInterval: number
  requestResponseInformation: number
  responseInformation: Content
  serverReference: Content
  reasonString: Content
  receiveMaximum: number
  topicAliasMaximum: number
  topicAlias: number
  maximumQoS: number
  retainAvailable: number
  userProperty: readonly [key: Content, value: Content]
  maximumPacketSize: number
  wildcardSubscriptionAvailable: number
  subscriptionIdentifierAvailable: number
  sharedSubscriptionAvailable: number
}

export type PropertyName = keyof PropertyValues

const TABLE: Record<PropertyName, PropertyRow> = {
  payloadFormatIndicator: { id: 0x01, type: 'byte', from: ['PUBLISH'] },
  messageExpiryInterval: { id: 0x02, type: 'u32', from: ['PUBLISH'] },
  contentType: { id: 0x03, type: 'utf8', from: ['PUBLISH'] },
  responseTopic: { id: 0x08, type: 'utf8', from: ['PUBLISH'] },
  correlationData: { id: 0x09, type: 'data', from: ['PUBLISH'] },
  subscriptionIdentifier: { id: 0x0b, type: 'varint', from: ['PUBLISH'] },
  sessionExpiryInterval: { id: 0x11, type: 'u32', from: ['CONNACK'] },
  assignedClientIdentifier: { id: 0x12, type: 'utf8', from: ['CONNACK'] },
  serverKeepAlive: { id: 0x13, type: 'u16', from: ['CONNACK'] },
  authenticationMethod: { id: 0x15, type: 'utf8', from: ['CONNACK', 'AUTH'] },
  authenticationData: { id: 0x16, type: 'data', from: ['CONNACK', 'AUTH'] },
  requestProblemInformation: { id: 0x17, type: 'byte', from: [] },
  willDelayInterval: { id: 0x18, type: 'u32', from: [] },
  requestResponseInformation: { id: 0x19, type: 'byte', from: [] },
  responseInformation: { id: 0x1a, type: 'utf8', from: ['CONNACK'] },
  serverReference: { id: 0x1c, type: 'utf8', from: ['CONNACK', 'DISCONNECT'] },
  reasonString: { id: 0x1f, type: 'utf8', from: ACKS },
  receiveMaximum: { id: 0x21, type: 'u16', from: ['CONNACK'] },
  topicAliasMaximum: { id: 0x22, type: 'u16', from: ['CONNACK'] },
  topicAlias: { id: 0x23, type: 'u16', from: ['PUBLISH'] },
  maximumQoS: { id: 0x24, type: 'byte', from: ['CONNACK'] },
  retainAvailable: { id: 0x25, type: 'byte', from: ['CONNACK'] },
  userProperty: { id: 0x26, type: 'pair', from: ['PUBLISH', ...ACKS] },
  maximumPacketSize: { id: 0x27, type: 'u32', from: ['CONNACK'] },
  wildcardSubscriptionAvailable: { id: 0x28, type: 'byte', from: ['CONNACK'] },
  subscriptionIdentifierAvailable: { id: 0x29, type: 'byte', from: ['CONNACK'] },
  sharedSubscriptionAvailable: { id: 0x2a, type: 'byte', from: ['CONNACK'] },
}

export const propertyNames: readonly PropertyName[] = Object.keys(TABLE) as PropertyName[]

export function propertyId(name: PropertyName): number {
  return TABLE[name].id
}

/** One property as bytes. Names may be given as often and in whatever order a test likes. */
export function prop<Name extends PropertyName>(name: Name, value: PropertyValues[Name]): Uint8Array {
  return bytes(TABLE[name].id, encodeValue(TABLE[name].type, value))
}

/** Properties with their length in front. */
export function propertyBlock(properties: readonly Part[]): Uint8Array {
  const body = bytes(...properties)
  return bytes(varint(body.length), body)
}

function encodeValue(type: WireType, value: unknown): Part {
  switch (type) {
    case 'byte':
      return [value as number]
    case 'u16':
      return u16(value as number)
    case 'u32':
      return u32(value as number)
    case 'varint':
      return varint(value as number)
    case 'utf8':
    case 'data':
      return data(value as string)
    case 'pair': {
      const [key, text] = value as PropertyValues['userProperty']
      return [...utf8(key), ...utf8(text)]
    }
  }
}

/** What a packet from the server carried; what it did not carry is not there. */
export interface Properties {
  readonly payloadFormatIndicator?: number
  readonly messageExpiryInterval?: number
  readonly contentType?: string
  readonly responseTopic?: string
  readonly correlationData?: Uint8Array
  /** All of them, in the order they came. */
  readonly subscriptionIdentifiers?: readonly number[]
  readonly sessionExpiryInterval?: number
  readonly assignedClientIdentifier?: string
  readonly serverKeepAlive?: number
  readonly authenticationMethod?: string
  readonly authenticationData?: Uint8Array
  readonly responseInformation?: string
  readonly serverReference?: string
  readonly reasonString?: string
  readonly receiveMaximum?: number
  readonly topicAliasMaximum?: number
  readonly topicAlias?: number
  readonly maximumQoS?: number
  readonly retainAvailable?: number
  /** All of them, in the order they came. */
  readonly userProperties?: readonly (readonly [key: string, value: string])[]
  readonly maximumPacketSize?: number
  readonly wildcardSubscriptionAvailable?: number
  readonly subscriptionIdentifierAvailable?: number
  readonly sharedSubscriptionAvailable?: number
}

/** Throws for a property that does not belong into `packet` from a server, or that comes twice and may not. */
export function readProperties(reader: Reader, packet: string): Properties {
  const length = reader.varint()
  const inner = new Reader(reader.take(length))
  const found: Record<string, unknown> = {}
  while (!inner.isAtEnd) {
    const id = inner.varint()
    const name = propertyNames.find((candidate) => TABLE[candidate].id === id)
    if (name === undefined) throw new Error(`${packet} with the unknown property 0x${id.toString(16)}`)
    const row = TABLE[name]
    if (!row.from.includes(packet)) throw new Error(`${packet} with ${name}, which a server must not send in it`)
    const value = readValue(inner, row.type)
    if (name === 'userProperty') add(found, 'userProperties', value)
    else if (name === 'subscriptionIdentifier') add(found, 'subscriptionIdentifiers', value)
    else if (name in found) throw new Error(`${packet} with ${name} twice`)
    else found[name] = value
  }
  return found
}

function add(found: Record<string, unknown>, name: string, value: unknown): void {
  const before = (found[name] ??= []) as unknown[]
  before.push(value)
}

function readValue(reader: Reader, type: WireType): unknown {
  switch (type) {
    case 'byte':
      return reader.u8()
    case 'u16':
      return reader.u16()
    case 'u32':
      return reader.u32()
    case 'varint':
      return reader.varint()
    case 'utf8':
      return reader.utf8()
    case 'data':
      return reader.data()
    case 'pair':
      return [reader.utf8(), reader.utf8()]
  }
}
