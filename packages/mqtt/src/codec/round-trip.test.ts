/** Random control packets, encoded by mqtt-packet as a client would, come out of our decoder as they went in. */
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import type { IConnectPacket, Packet, UserProperties as GroupedUserProperties } from 'mqtt-packet'
import { describe, expect, test } from 'vitest'
import { decodeConnect, decodeControl } from './decode-control.ts'
import { readProperties } from './properties.ts'
import type { ConnectPacket, MqttVersion, UserProperties } from './types.ts'

const RUNS = { numRuns: 150 }

const mqttText = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !value.includes('\0'))
const level = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '$', ' '), maxLength: 4 })
const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => `t${levels.join('/')}`)
const filter = fc.oneof(
  topic,
  topic.map((name) => `${name}/#`),
  topic.map((name) => `+/${name}/+`),
  topic.map((name) => `$share/group/${name}`),
)
const bytes = fc.uint8Array({ maxLength: 30 })
const id = fc.integer({ min: 1, max: 65_535 })
const qos = fc.constantFrom(0, 1, 2)
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const userProperties = fc.array(fc.tuple(mqttText, mqttText), { maxLength: 4 })

function optional<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined })
}

/** mqtt-packet's generator takes a list here, and so keeps order and repeats. */
function listOf(pairs: UserProperties): GroupedUserProperties | undefined {
  const list: unknown = pairs.map(([key, value]) => ({ [key]: value }))
  return pairs.length === 0 ? undefined : (list as GroupedUserProperties)
}

/** Without the fields that are undefined, which mqtt-packet would write. */
function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

function buffer(value: Uint8Array | undefined): Buffer | undefined {
  return value === undefined ? undefined : Buffer.from(value)
}

function encode(packet: Packet, version: MqttVersion): Uint8Array {
  return new Uint8Array(generate(packet, { protocolVersion: version }))
}

const will = fc.record({
  topic,
  payload: bytes,
  qos,
  retain: fc.boolean(),
  delaySeconds: u32,
  messageExpirySeconds: optional(u32),
  contentType: optional(mqttText),
  correlationData: optional(bytes),
  userProperties,
})

const connect = fc
  .record({
    version: fc.constantFrom<MqttVersion>(3, 4, 5),
    clientId: mqttText.filter((value) => value !== ''),
    cleanStart: fc.boolean(),
    keepAliveSeconds: fc.integer({ min: 0, max: 65_535 }),
    username: optional(mqttText),
    password: optional(bytes),
    will: optional(will),
    sessionExpirySeconds: u32,
    receiveMaximum: id,
    maxPacketBytes: fc.integer({ min: 1, max: 268_435_460 }),
    topicAliasMax: fc.integer({ min: 0, max: 65_535 }),
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties,
    authMethod: optional(mqttText),
    authData: optional(bytes),
  })
  // mqtt-packet does not write a password without a user name; the packet table has one.
  .map((fields) => (fields.username === undefined ? { ...fields, password: undefined } : fields))
  .map((fields) => (fields.authMethod === undefined ? { ...fields, authData: undefined } : fields))

type ConnectFields = typeof connect extends fc.Arbitrary<infer T> ? T : never

function toWire(fields: ConnectFields): IConnectPacket {
  const { version, will: sent } = fields
  return present({
    cmd: 'connect' as const,
    protocolId: version === 3 ? ('MQIsdp' as const) : ('MQTT' as const),
    protocolVersion: version,
    clientId: fields.clientId,
    clean: fields.cleanStart,
    keepalive: fields.keepAliveSeconds,
    username: fields.username,
    password: buffer(fields.password),
    properties: present({
      sessionExpiryInterval: fields.sessionExpirySeconds,
      receiveMaximum: fields.receiveMaximum,
      maximumPacketSize: fields.maxPacketBytes,
      topicAliasMaximum: fields.topicAliasMax,
      requestResponseInformation: fields.requestResponseInformation,
      requestProblemInformation: fields.requestProblemInformation,
      userProperties: listOf(fields.userProperties),
      authenticationMethod: fields.authMethod,
      authenticationData: buffer(fields.authData),
    }),
    will:
      sent &&
      present({
        topic: sent.topic,
        payload: Buffer.from(sent.payload),
        qos: sent.qos,
        retain: sent.retain,
        properties: present({
          willDelayInterval: sent.delaySeconds,
          messageExpiryInterval: sent.messageExpirySeconds,
          contentType: sent.contentType,
          correlationData: buffer(sent.correlationData),
          userProperties: listOf(sent.userProperties),
        }),
      }),
  }) as IConnectPacket
}

/** What the decoder must make of it: 3.x has none of the MQTT 5 fields. */
function expected(fields: ConnectFields): Partial<ConnectPacket> {
  if (fields.version === 5) return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== 'will'))
  return {
    version: fields.version,
    clientId: fields.clientId,
    cleanStart: fields.cleanStart,
    keepAliveSeconds: fields.keepAliveSeconds,
    username: fields.username,
    password: fields.password,
    sessionExpirySeconds: fields.cleanStart ? 0 : 0xffff_ffff,
    receiveMaximum: 65_535,
    userProperties: [],
    authMethod: undefined,
  }
}

describe('decoding is the reverse of encoding', () => {
  test('CONNECT of every version', () => {
    fc.assert(
      fc.property(connect, (fields) => {
        const packet = decodeConnect(encode(toWire(fields), fields.version))
        expect(packet).toMatchObject(expected(fields))
        expect(packet.will === undefined).toBe(fields.will === undefined)
        if (packet.will === undefined || fields.will === undefined) return
        const { topic: name, payload, qos: level, retain } = fields.will
        expect(packet.will).toMatchObject({ topic: name, payload, qos: level, retain })
        const { delaySeconds, messageExpirySeconds, contentType, correlationData } = fields.will
        const isV5 = fields.version === 5
        expect(packet.will.delaySeconds).toBe(isV5 ? delaySeconds : 0)
        expect(packet.will.messageExpirySeconds).toBe(isV5 ? messageExpirySeconds : undefined)
        const pairs = fields.will.userProperties.length === 0 ? undefined : fields.will.userProperties
        const kept = isV5 ? { contentType, correlationData, userProperties: pairs } : {}
        expect(readProperties(packet.will.propertyBytes)).toEqual(kept)
      }),
      RUNS,
    )
  })

  test('SUBSCRIBE of every version', () => {
    const requests = fc.array(
      fc.record({
        filter,
        qos,
        noLocal: fc.boolean(),
        retainAsPublished: fc.boolean(),
        retainHandling: fc.constantFrom(0, 1, 2),
      }),
      { minLength: 1, maxLength: 4 },
    )
    const subscriptionId = optional(fc.integer({ min: 1, max: 268_435_455 }))
    fc.assert(
      fc.property(
        fc.constantFrom<MqttVersion>(3, 4, 5),
        id,
        requests,
        subscriptionId,
        userProperties,
        (v, packetId, all, sid, pairs) => {
          const sent = all.map((request) => ({
            ...request,
            // A shared subscription may not have it. [MQTT5-3.8.3-4]
            noLocal: request.noLocal && v === 5 && !request.filter.startsWith('$share/'),
            retainAsPublished: request.retainAsPublished && v === 5,
            retainHandling: v === 5 ? request.retainHandling : 0,
          }))
          const bytesOnWire = encode(
            {
              cmd: 'subscribe',
              messageId: packetId,
              subscriptions: sent.map((request) => ({
                topic: request.filter,
                qos: request.qos,
                nl: request.noLocal,
                rap: request.retainAsPublished,
                rh: request.retainHandling,
              })),
              properties: present({ subscriptionIdentifier: sid!, userProperties: listOf(pairs)! }),
            },
            v,
          )
          expect(decodeControl(bytesOnWire, v)).toEqual({
            type: 'subscribe',
            packetId,
            subscriptionId: v === 5 ? sid : undefined,
            userProperties: v === 5 ? pairs : [],
            requests: sent,
          })
        },
      ),
      RUNS,
    )
  })

  test('UNSUBSCRIBE of every version', () => {
    const filters = fc.array(filter, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom<MqttVersion>(3, 4, 5), id, filters, userProperties, (v, packetId, sent, pairs) => {
        const properties = present({ userProperties: listOf(pairs)! })
        const wire = encode({ cmd: 'unsubscribe', messageId: packetId, unsubscriptions: sent, properties }, v)
        expect(decodeControl(wire, v)).toEqual({
          type: 'unsubscribe',
          packetId,
          userProperties: v === 5 ? pairs : [],
          filters: sent,
        })
      }),
      RUNS,
    )
  })

  test('DISCONNECT and AUTH of MQTT 5', () => {
    fc.assert(
      fc.property(
        optional(u32),
        optional(mqttText),
        mqttText,
        optional(bytes),
        userProperties,
        (expiry, reason, method, more, pairs) => {
          const shared = { reasonString: reason!, userProperties: listOf(pairs)! }
          const goodbye = present({ sessionExpiryInterval: expiry!, ...shared })
          expect(decodeControl(encode({ cmd: 'disconnect', reasonCode: 4, properties: goodbye }, 5), 5)).toEqual({
            type: 'disconnect',
            reasonCode: 4,
            sessionExpirySeconds: expiry,
            reasonString: reason,
            userProperties: pairs,
          })
          const answer = present({ authenticationMethod: method, authenticationData: buffer(more)!, ...shared })
          expect(decodeControl(encode({ cmd: 'auth', reasonCode: 0x18, properties: answer }, 5), 5)).toEqual({
            type: 'auth',
            reasonCode: 0x18,
            authMethod: method,
            authData: more,
            reasonString: reason,
            userProperties: pairs,
          })
        },
      ),
      RUNS,
    )
  })
})
