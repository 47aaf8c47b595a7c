import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readByRhea } from '../../test/rhea-frames.ts'
import { anyFields } from '../../test/values.ts'
import { nextComposite } from '../../test/wire/composites.ts'
import { Cursor } from '../../test/wire/decode.ts'
import { described, list, map, symbol } from '../../test/wire/encode.ts'
import { decodeAttach, decodeBegin, decodeClose, decodeDetach, decodeEnd, decodeOpen } from './decode-control.ts'
import {
  EMPTY_FRAME,
  encodeAttach,
  encodeBegin,
  encodeClose,
  encodeDetach,
  encodeEnd,
  encodeOpen,
  encodeSaslChallenge,
  encodeSaslMechanisms,
  encodeSaslOutcome,
  PROTOCOL_HEADER_AMQP,
  PROTOCOL_HEADER_SASL,
} from './encode-control.ts'
import type { Attach, DeliveryState, Open, Source, Target } from './performatives.ts'
import type { Value } from './values.ts'

/** Type, channel and fields of one frame, as a reader that shares nothing with the codec sees them. */
function read(bytes: Uint8Array): { type: number; channel: number; body: Record<string, unknown> } {
  const buffer = Buffer.from(bytes)
  expect(buffer.readUInt32BE(0)).toBe(buffer.length)
  expect(buffer[4]).toBe(2)
  const cursor = new Cursor(buffer, 8)
  const body = nextComposite(cursor)
  expect(cursor.isAtEnd).toBe(true)
  return { type: buffer[5]!, channel: buffer.readUInt16BE(6), body }
}

const OPEN: Open = {
  containerId: 'TernMQ',
  hostname: undefined,
  maxFrameBytes: 131_072,
  channelMax: 255,
  idleTimeoutMs: 60_000,
  offered: ['ANONYMOUS-RELAY', 'SHARED-SUBS'],
  desired: [],
  properties: new Map<string, Value>([
    ['product', 'TernMQ'],
    ['version', '1.0'],
  ]),
}

const TERMINUS = {
  address: 'queue://q',
  durable: 2,
  expiryPolicy: 'never',
  timeoutSeconds: 60,
  dynamic: true,
  dynamicNodeProperties: new Map<string, Value>([['lifetime-policy', { descriptor: 0x2bn, value: [] }]]),
  capabilities: ['queue', 'shared'],
} as const

const EMPTY_TERMINUS = {
  address: undefined,
  durable: 0,
  expiryPolicy: 'session-end',
  timeoutSeconds: 0,
  dynamic: false,
  dynamicNodeProperties: new Map<string, Value>(),
  capabilities: [],
} as const

const selector = new Uint8Array(described('apache.org:selector-filter:string', 'a > 1').bytes)
const SOURCE: Source = {
  kind: 'source',
  ...TERMINUS,
  distributionMode: 'copy',
  filters: new Map([
    ['selector', { descriptor: 'apache.org:selector-filter:string', value: 'a > 1', encoded: selector }],
  ]),
  defaultOutcome: { kind: 'released' },
  outcomes: ['amqp:accepted:list', 'amqp:rejected:list'],
}
const TARGET: Target = { kind: 'target', ...TERMINUS }

const ATTACH: Attach = {
  name: 'größe',
  handle: 300,
  role: 'sender',
  senderSettleMode: 'unsettled',
  receiverSettleMode: 'second',
  source: SOURCE,
  target: TARGET,
  unsettled: new Map<string, DeliveryState | undefined>([
    ['01ff', { kind: 'accepted' }],
    ['02', undefined],
  ]),
  incompleteUnsettled: true,
  initialDeliveryCount: 4_294_967_295,
  maxMessageBytes: 16 * 1024 * 1024,
  offered: ['a'],
  desired: ['b', 'c'],
  properties: new Map<string, Value>([['p', 2n ** 60n]]),
}

const LEAST_ATTACH: Attach = {
  name: '',
  handle: 0,
  role: 'receiver',
  senderSettleMode: 'mixed',
  receiverSettleMode: 'first',
  source: undefined,
  target: undefined,
  unsettled: undefined,
  incompleteUnsettled: false,
  initialDeliveryCount: undefined,
  maxMessageBytes: 0,
  offered: [],
  desired: [],
  properties: new Map(),
}

describe('open', () => {
  test('says what it was given', () => {
    expect(read(encodeOpen(OPEN))).toEqual({
      type: 0,
      channel: 0,
      body: {
        kind: 'open',
        containerId: 'TernMQ',
        maxFrameSize: 131_072,
        channelMax: 255,
        idleTimeOut: 60_000,
        offeredCapabilities: ['ANONYMOUS-RELAY', 'SHARED-SUBS'],
        properties: { product: 'TernMQ', version: '1.0' },
      },
    })
  })

  test('leaves out what is none at its end [AMQP10-1.4-b]', () => {
    const bytes = encodeOpen({
      containerId: 'c',
      maxFrameBytes: 512,
      channelMax: 0,
      idleTimeoutMs: 0,
      offered: [],
      desired: [],
      properties: new Map(),
    })
    expect(read(bytes).body).toEqual({ kind: 'open', containerId: 'c', maxFrameSize: 512, channelMax: 0 })
    expect(readByRhea(bytes).performative!.value).toHaveLength(4)
  })

  test('is read as it was written', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 300 }).map((each) => each.toWellFormed())
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), anyFields, (containerId, hostname, properties) => {
        const open = { ...OPEN, containerId, hostname, properties }
        const bytes = encodeOpen(open)
        expect(decodeOpen(bytes, 8, bytes.length)).toEqual(open)
      }),
    )
  })
})

test('begin', () => {
  const begin = {
    remoteChannel: 7,
    nextOutgoingId: 1,
    incomingWindow: 2_048,
    outgoingWindow: 0xffff_ffff,
    handleMax: 255,
  }
  const bytes = encodeBegin(0x102, begin)
  const body = {
    kind: 'begin',
    remoteChannel: 7,
    nextOutgoingId: 1,
    incomingWindow: 2_048,
    outgoingWindow: 0xffff_ffff,
    handleMax: 255,
  }
  expect(read(bytes)).toEqual({ type: 0, channel: 0x102, body })
  expect(decodeBegin(bytes, 8, bytes.length)).toEqual(begin)
  const own = { ...begin, remoteChannel: undefined }
  expect(decodeBegin(encodeBegin(0, own), 8, encodeBegin(0, own).length)).toEqual(own)
})

describe('attach', () => {
  const cases: readonly (readonly [name: string, attach: Attach])[] = [
    ['with everything', ATTACH],
    ['with nothing', LEAST_ATTACH],
    [
      'with empty terminuses',
      {
        ...LEAST_ATTACH,
        source: {
          ...SOURCE,
          ...EMPTY_TERMINUS,
          distributionMode: undefined,
          filters: new Map(),
          defaultOutcome: undefined,
          outcomes: [],
        },
        target: { kind: 'target', ...EMPTY_TERMINUS },
      },
    ],
    [
      'to the coordinator',
      { ...LEAST_ATTACH, target: { kind: 'coordinator', capabilities: ['amqp:local-transactions'] } },
    ],
    [
      'to the coordinator, without capabilities',
      { ...LEAST_ATTACH, target: { kind: 'coordinator', capabilities: [] } },
    ],
    ['with an empty map of what is unsettled', { ...LEAST_ATTACH, unsettled: new Map() }],
  ]

  test.each(cases)('%s is read as it was written', (_, attach) => {
    const bytes = encodeAttach(3, attach)
    expect(read(bytes).body['kind']).toBe('attach')
    expect(decodeAttach(bytes, 8, bytes.length)).toEqual(attach)
  })

  test('says what it was given', () => {
    expect(read(encodeAttach(3, ATTACH))).toMatchObject({
      channel: 3,
      body: {
        name: 'größe',
        handle: 300,
        role: false,
        sndSettleMode: 0,
        rcvSettleMode: 1,
        source: {
          kind: 'source',
          address: 'queue://q',
          durable: 2,
          expiryPolicy: 'never',
          timeout: 60,
          dynamic: true,
          distributionMode: 'copy',
          defaultOutcome: { kind: 'released' },
          outcomes: ['amqp:accepted:list', 'amqp:rejected:list'],
          capabilities: ['queue', 'shared'],
        },
        target: { kind: 'target', address: 'queue://q', capabilities: ['queue', 'shared'] },
        incompleteUnsettled: true,
        initialDeliveryCount: 4_294_967_295,
        maxMessageSize: 16 * 1024 * 1024,
      },
    })
  })

  test('a filter goes back as it came, byte for byte [AMQP10-3.5.3-f]', () => {
    const encoded = Buffer.from(described(0x0000468c00000004n, list([map([[symbol('x'), null]]), 'ä'])).bytes)
    const source: Source = {
      ...SOURCE,
      filters: new Map([['f', { descriptor: 0x0000468c00000004n, value: null, encoded }]]),
    }
    const bytes = encodeAttach(0, { ...LEAST_ATTACH, source })
    expect(Buffer.from(bytes).includes(encoded)).toBe(true)
    expect(decodeAttach(bytes, 8, bytes.length).source!.filters.get('f')!.encoded).toEqual(new Uint8Array(encoded))
  })

  test('long symbols are written too', () => {
    const attach = { ...LEAST_ATTACH, desired: ['x'.repeat(300), 'y'] }
    const bytes = encodeAttach(0, attach)
    expect(decodeAttach(bytes, 8, bytes.length).desired).toEqual(attach.desired)
  })

  test('rhea reads it', () => {
    const { performative, channel } = readByRhea(encodeAttach(3, ATTACH))
    expect(channel).toBe(3)
    expect(performative).toMatchObject({
      name: 'größe',
      handle: 300,
      role: false,
      snd_settle_mode: 0,
      rcv_settle_mode: 1,
      initial_delivery_count: 4_294_967_295,
      desired_capabilities: ['b', 'c'],
    })
  })
})

describe('the end of links, sessions and connections', () => {
  const error = { condition: 'amqp:not-found', description: 'no such queue: größe', info: { a: 'b' } }
  const written = { kind: 'error', condition: 'amqp:not-found', description: 'no such queue: größe', info: { a: 'b' } }

  test('with an error', () => {
    expect(read(encodeDetach(1, 300, true, error))).toEqual({
      type: 0,
      channel: 1,
      body: { kind: 'detach', handle: 300, closed: true, error: written },
    })
    expect(read(encodeEnd(2, error))).toEqual({ type: 0, channel: 2, body: { kind: 'end', error: written } })
    expect(read(encodeClose(error))).toEqual({ type: 0, channel: 0, body: { kind: 'close', error: written } })
  })

  test('without one', () => {
    expect(read(encodeDetach(1, 0, false)).body).toEqual({ kind: 'detach', handle: 0, closed: false })
    expect(read(encodeEnd(2)).body).toEqual({ kind: 'end' })
    expect(read(encodeClose()).body).toEqual({ kind: 'close' })
  })

  test('is read as it was written', () => {
    const detach = encodeDetach(1, 7, true, error)
    expect(decodeDetach(detach, 8, detach.length)).toEqual({ handle: 7, closed: true, error })
    const end = encodeEnd(1, error)
    expect(decodeEnd(end, 8, end.length)).toEqual(error)
    const close = encodeClose()
    expect(decodeClose(close, 8, close.length)).toBeUndefined()
  })

  test('fits into the smallest frame, whatever it says [AMQP10-2.7.1-c]', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 2_000 }),
        fc.dictionary(fc.string({ maxLength: 20 }), fc.string({ maxLength: 100 }), { maxKeys: 4 }),
        (description, info) => {
          const long = { condition: 'amqp:link:transfer-limit-exceeded', description, info }
          for (const bytes of [encodeDetach(65_535, 0xffff_ffff, true, long), encodeEnd(1, long), encodeClose(long)])
            expect(bytes.length).toBeLessThanOrEqual(512)
        },
      ),
    )
  })
})

test('SASL frames', () => {
  const mechanisms = encodeSaslMechanisms(['SCRAM-SHA-256', 'PLAIN'])
  expect(read(mechanisms)).toEqual({
    type: 1,
    channel: 0,
    body: { kind: 'sasl-mechanisms', saslServerMechanisms: ['SCRAM-SHA-256', 'PLAIN'] },
  })
  expect(readByRhea(mechanisms).performative).toMatchObject({ sasl_server_mechanisms: ['SCRAM-SHA-256', 'PLAIN'] })
  expect(read(encodeSaslMechanisms(['PLAIN'])).body).toMatchObject({ saslServerMechanisms: ['PLAIN'] })
  expect(read(encodeSaslChallenge(Buffer.from('r=1')))).toEqual({
    type: 1,
    channel: 0,
    body: { kind: 'sasl-challenge', challenge: Buffer.from('r=1') },
  })
  expect(read(encodeSaslOutcome(1)).body).toEqual({ kind: 'sasl-outcome', code: 1 })
  expect(read(encodeSaslOutcome(0, Uint8Array.of(1, 2))).body).toEqual({
    kind: 'sasl-outcome',
    code: 0,
    additionalData: Buffer.of(1, 2),
  })
})

test('protocol headers and the empty frame are what they have to be', () => {
  expect(Buffer.from(PROTOCOL_HEADER_AMQP).toString('latin1')).toBe('AMQP\0\x01\0\0')
  expect(Buffer.from(PROTOCOL_HEADER_SASL).toString('latin1')).toBe('AMQP\x03\x01\0\0')
  expect(readByRhea(EMPTY_FRAME)).toMatchObject({ size: 8, type: 0, channel: 0 })
})
