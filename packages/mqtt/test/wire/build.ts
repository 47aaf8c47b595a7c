/**
 * What a client says, as bytes. Each builder gives a draft that becomes bytes for the version of the client that sends it,
 * so that one test can be run for all three versions. Nothing is checked: tests send what is wrong.
 */
import { type Part, bytes, data, frame, u16, utf8 } from './bytes.ts'
import { propertyBlock } from './properties.ts'

/** Protocol level: 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0. */
export type Version = 3 | 4 | 5

export type Draft = (version: Version) => Uint8Array

export type QoS = 0 | 1 | 2

export interface WillOptions {
  readonly topic: string | Uint8Array
  readonly payload?: string | Uint8Array
  readonly qos?: QoS
  readonly retain?: boolean
  /** MQTT 5 only: `[prop('willDelayInterval', 5)]`. */
  readonly properties?: readonly Part[]
}

export interface ConnectOptions {
  readonly clientId?: string | Uint8Array
  /** Clean Start, in 3.x Clean Session. True unless said otherwise. */
  readonly clean?: boolean
  /** Seconds; 0 by default, so that time can be moved without keeping connections alive. */
  readonly keepAlive?: number
  readonly will?: WillOptions
  readonly username?: string | Uint8Array
  readonly password?: string | Uint8Array
  readonly properties?: readonly Part[]
  /** For packets that are wrong: what stands in place of the right value. */
  readonly protocolName?: string
  readonly level?: number
  readonly flags?: number
}

export function connect(options: ConnectOptions = {}): Draft {
  return (version) => {
    const { clientId = '', clean = true, keepAlive = 0, will, username, password, properties = [] } = options
    const isV5 = version === 5
    const willFlags = will === undefined ? 0 : 0x04 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0)
    const flags =
      (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40) | willFlags | (clean ? 0x02 : 0)
    return frame(
      0x10,
      utf8(options.protocolName ?? (version === 3 ? 'MQIsdp' : 'MQTT')),
      options.level ?? version,
      options.flags ?? flags,
      u16(keepAlive),
      isV5 ? propertyBlock(properties) : [],
      utf8(clientId),
      will === undefined ? [] : willBytes(will, isV5),
      username === undefined ? [] : utf8(username),
      password === undefined ? [] : data(password),
    )
  }
}

function willBytes(will: WillOptions, isV5: boolean): Uint8Array {
  return bytes(isV5 ? propertyBlock(will.properties ?? []) : [], utf8(will.topic), data(will.payload ?? ''))
}

export interface PublishOptions {
  readonly qos?: QoS
  /** Packet identifier; needed for QoS 1 and 2. */
  readonly id?: number
  readonly dup?: boolean
  readonly retain?: boolean
  readonly properties?: readonly Part[]
}

export function publish(
  topic: string | Uint8Array,
  payload: string | Uint8Array = '',
  options: PublishOptions = {},
): Draft {
  return (version) => {
    const { qos = 0, id, dup = false, retain = false, properties = [] } = options
    if (qos > 0 && id === undefined) throw new Error('publish with QoS 1 or 2 needs an id')
    return frame(
      0x30 | (dup ? 0x08 : 0) | (qos << 1) | (retain ? 0x01 : 0),
      utf8(topic),
      id === undefined ? [] : u16(id),
      version === 5 ? propertyBlock(properties) : [],
      typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
    )
  }
}

export interface AckOptions {
  /** MQTT 5 only. Without reason and properties the short form is sent. */
  readonly reason?: number
  readonly properties?: readonly Part[]
}

export function puback(id: number, options: AckOptions = {}): Draft {
  return ack(0x40, id, options)
}
export function pubrec(id: number, options: AckOptions = {}): Draft {
  return ack(0x50, id, options)
}
export function pubrel(id: number, options: AckOptions = {}): Draft {
  return ack(0x62, id, options)
}
export function pubcomp(id: number, options: AckOptions = {}): Draft {
  return ack(0x70, id, options)
}

function ack(first: number, id: number, { reason, properties }: AckOptions): Draft {
  return () => {
    if (properties !== undefined) return frame(first, u16(id), reason ?? 0, propertyBlock(properties))
    return reason === undefined ? frame(first, u16(id)) : frame(first, u16(id), reason)
  }
}

export interface FilterOptions {
  readonly filter: string | Uint8Array
  readonly qos?: number
  readonly noLocal?: boolean
  readonly retainAsPublished?: boolean
  readonly retainHandling?: number
}

/** `subscribe(1, 'a/b', { filter: 'c/#', qos: 2 })`. A filter alone asks for QoS 2. `properties` come first if there are any. */
export function subscribe(id: number, ...filters: readonly (string | FilterOptions)[]): Draft {
  return subscribeWith(id, [], ...filters)
}

/** SUBSCRIBE with properties: `subscribeWith(1, [prop('subscriptionIdentifier', 7)], 'a/#')`. */
export function subscribeWith(
  id: number,
  properties: readonly Part[],
  ...filters: readonly (string | FilterOptions)[]
): Draft {
  return (version) => {
    const requests = filters.map((entry) => {
      const {
        filter,
        qos = 2,
        noLocal,
        retainAsPublished,
        retainHandling = 0,
      } = typeof entry === 'string' ? { filter: entry } : entry
      const options =
        qos | (noLocal === true ? 0x04 : 0) | (retainAsPublished === true ? 0x08 : 0) | (retainHandling << 4)
      return bytes(utf8(filter), options)
    })
    return frame(0x82, u16(id), version === 5 ? propertyBlock(properties) : [], ...requests)
  }
}

export function unsubscribe(id: number, ...filters: readonly (string | Uint8Array)[]): Draft {
  return unsubscribeWith(id, [], ...filters)
}

export function unsubscribeWith(
  id: number,
  properties: readonly Part[],
  ...filters: readonly (string | Uint8Array)[]
): Draft {
  return (version) =>
    frame(0xa2, u16(id), version === 5 ? propertyBlock(properties) : [], ...filters.map((filter) => utf8(filter)))
}

export function pingreq(): Draft {
  return () => frame(0xc0)
}

/** Without reason and properties: the short form, a normal goodbye. */
export function disconnect({ reason, properties }: AckOptions = {}): Draft {
  return () => {
    if (properties !== undefined) return frame(0xe0, reason ?? 0, propertyBlock(properties))
    return reason === undefined ? frame(0xe0) : frame(0xe0, reason)
  }
}

export function auth(reason: number, properties: readonly Part[]): Draft {
  return () => frame(0xf0, reason, propertyBlock(properties))
}
