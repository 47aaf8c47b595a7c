import { describe, expect, test } from 'vitest'

import {
  binary,
  conditionOf,
  Encoded,
  header as protocolHeader,
  int,
  list,
  long,
  map,
  message,
  type MessageParts,
  nil,
  type Peer,
  type Plain,
  plainInit,
  type ReceiverPeer,
  SASL,
  section,
  type SenderPeer,
  type Sections,
  str,
  symbol,
  timestamp,
  ubyte,
  uint,
  ulong,
  ulong8,
  uuid,
  World,
} from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly sender: SenderPeer
  readonly receiver: ReceiverPeer
}

function through(): Scene {
  const world = new World()
  return { world, ...linked(world.connect()) }
}

/** As user alice. */
function throughAlice(): Scene {
  const world = new World()
  const peer = world.dial()
  peer.send(protocolHeader(SASL), plainInit('alice', ''))
  peer.received()
  peer.exchangeHeaders()
  peer.open()
  return { world, ...linked(peer) }
}

function linked(peer: Peer): Omit<Scene, 'world'> {
  const session = peer.begin()
  const receiver = session.receiver('queue://q')
  receiver.grant(100)
  return { sender: session.sender('queue://q'), receiver }
}

/** What a receiver gets of a message, and the bytes that were sent. */
function passed(parts: MessageParts, { sender, receiver }: Scene = through()): { sections: Sections; sent: Buffer } {
  const sent = message(parts)
  sender.send('', { payload: sent, settled: true })
  return { sections: receiver.take().message, sent }
}

/** The condition that answers a payload. */
function refusal(...sections: readonly Encoded[]): unknown {
  const { sender, receiver } = through()
  sender.send('', { payload: Buffer.concat(sections.map(({ bytes }) => bytes)) })
  const found = sender.session.peer.received()
  expect(found.filter(({ kind }) => kind === 'transfer')).toEqual([])
  expect(receiver.credit).toBe(100)
  const [last] = found.slice(-1)
  const state = last!['state'] as { error?: { condition: string } } | undefined
  return state?.error?.condition ?? conditionOf(last!)
}

const data = section('data', Buffer.from('x'))
const sequence = section('sequence', list([1]))
const amqpValue = section('value', 'v')
const header = section('header', list([]))
const properties = section('properties', list([]))
const applicationProperties = section('applicationProperties', map([]))
const deliveryAnnotations = section('deliveryAnnotations', map([]))
const messageAnnotations = section('messageAnnotations', map([]))
const footer = section('footer', map([]))

describe('sections', () => {
  test('[AMQP10-3.2-a] in their order, each once, are a message', () => {
    const { sections } = passed({
      header: { durable: false },
      deliveryAnnotations: { 'x-opt-d': 1 },
      messageAnnotations: { 'x-opt-m': 'm' },
      properties: { subject: 's' },
      applicationProperties: { a: 'b' },
      data: 'x',
      footer: { 'x-opt-f': 1 },
    })
    expect(sections).toMatchObject({
      messageAnnotations: { 'x-opt-m': 'm' },
      properties: { subject: 's' },
      applicationProperties: { a: 'b' },
      text: 'x',
    })
  })

  test.each<[string, readonly Encoded[]]>([
    ['header behind properties', [properties, header, data]],
    ['header behind annotations', [messageAnnotations, header, data]],
    ['delivery annotations behind message annotations', [messageAnnotations, deliveryAnnotations, data]],
    ['properties behind application properties', [applicationProperties, properties, data]],
    ['properties behind the body', [data, properties]],
    ['the body behind the footer', [footer, data]],
    ['two headers', [header, header, data]],
    ['two properties', [properties, properties, data]],
    ['two footers', [data, footer, footer]],
    ['something that is no section', [new Encoded(0x00, 0x53, 0x24, 0x45), data]],
    ['a section of an unknown number', [new Encoded(0x00, 0x53, 0x79, 0x45), data]],
  ])('[AMQP10-3.2-a, AMQP10-2.8.15-a] %s cannot be read', (_, sections) => {
    expect(refusal(...sections)).toBe('amqp:decode-error')
  })

  test.each<[string, readonly Encoded[]]>([
    ['data and sequence', [data, sequence]],
    ['data and value', [data, amqpValue]],
    ['two values', [amqpValue, amqpValue]],
    ['value and data', [amqpValue, data]],
    ['sequence and value', [sequence, amqpValue]],
  ])('[AMQP10-3.2-b] a body of %s cannot be read', (_, sections) => {
    expect(refusal(...sections)).toBe('amqp:decode-error')
  })

  test('[AMQP10-1.5-a] may be known by their symbols, and go on as they came', () => {
    const { sender, receiver } = through()
    const payload = Buffer.concat([
      new Encoded(0x00, symbol('amqp:properties:list').bytes, list([str('id')]).bytes).bytes,
      new Encoded(0x00, symbol('amqp:data:binary').bytes, 0xa0, 1, 0x78).bytes,
    ])
    sender.send('', { payload, settled: true })
    const { frames } = { frames: sender.session.peer.takeAll('transfer') }
    expect(frames).toHaveLength(1)
    expect(frames[0]!.payload.subarray(-payload.length)).toEqual(payload)
    expect(receiver.credit).toBe(99)
  })
})

describe('the bare message', () => {
  test.each<[string, MessageParts]>([
    ['text as data', { data: 'hello' }],
    ['empty data', { data: '' }],
    ['several data sections', { data: ['a', '', 'b'] }],
    ['a string', { value: 'text' }],
    ['null', { value: null }],
    [
      'a map',
      {
        value: new Map<Plain, Plain>([
          ['a', 1],
          ['b', list([symbol('s'), null])],
        ]),
      },
    ],
    ['a list', { value: [1, 'two', true, null] }],
    ['binary as a value', { value: Buffer.from('bytes') }],
    ['one sequence', { sequence: [[1, 2]] }],
    ['several sequences', { sequence: [[1], [], ['x']] }],
    ['large data', { data: 'x'.repeat(100_000) }],
    ['properties and body', { properties: { messageId: 'i', to: 'queue://q', subject: 's' }, data: 'x' }],
    [
      'all sections',
      { properties: { messageId: 'i' }, applicationProperties: { a: 1, b: 'x', c: null, d: true }, value: 'x' },
    ],
  ])(
    '[AMQP10-3.2-c, AMQP10-3.2-d, AMQP10-3.2.6-a, AMQP10-3.2.7-a, AMQP10-3.2.8-a] %s comes out as it went in, byte by byte',
    (_, parts) => {
      const { sections } = passed({ ...parts, header: { durable: true }, messageAnnotations: { 'x-opt-a': 1 } })
      expect(sections.bare).toEqual(message(parts))
    },
  )

  test('[AMQP10-3.2-d] keeps encodings that could be shorter', () => {
    const { sender, receiver } = through()
    const wide = Buffer.concat([
      Buffer.from('0080000000000000007' + '3', 'hex'),
      Buffer.from('d00000000a00000001' + 'b1' + '00000000', 'hex').subarray(0, 9),
      Buffer.from('b100000000', 'hex'),
    ])
    wide.writeUInt32BE(9, 11)
    const payload = Buffer.concat([wide, Buffer.from('005375b00000000178', 'hex')])
    sender.send('', { payload, settled: true })
    expect(receiver.take().message.bare).toEqual(payload)
  })

  test('[AMQP10-3.2-c] gets no section that it had not', () => {
    const { sections } = passed({ data: 'x' })
    expect(Object.keys(sections.typed).filter((name) => !['header', 'data'].includes(name))).toEqual([])
  })

  test('[AMQP10-3.2.9-a] goes on with its footer', () => {
    const { sections } = passed({ data: 'x', footer: { 'x-opt-crc': 7 } })
    expect(sections.footer).toEqual({ 'x-opt-crc': 7 })
    expect(sections.text).toBe('x')
  })

  test('[AMQP10-3.2-d] is the same for every receiver, and for a second attempt', () => {
    const { world, sender, receiver } = through()
    const sent = message({ properties: { messageId: ulong8(5) }, value: 'x' })
    sender.send('', { payload: sent, settled: true })
    const first = receiver.take()
    receiver.grant(0)
    receiver.settle(first.id, { kind: 'modified', deliveryFailed: true })
    world.advance(60_000)
    receiver.grant(1)
    expect(receiver.take().message.bare).toEqual(sent)
  })
})

describe('properties', () => {
  test.each<[string, Encoded, unknown]>([
    ['a ulong', ulong(7), 7],
    ['a large ulong', ulong8(2n ** 63n), 2n ** 63n],
    ['a uuid', uuid('00112233445566778899aabbccddeeff'), '00112233445566778899aabbccddeeff'],
    ['binary', new Encoded(0xa0, 2, 1, 2), Buffer.from([1, 2])],
    ['a string', str('id-1'), 'id-1'],
  ])('[AMQP10-3.2.4-a] message-id and correlation-id of %s stay what they are', (_, id, value) => {
    const { sections } = passed({ properties: { messageId: id, correlationId: id }, data: 'x' })
    expect(sections.properties).toMatchObject({ messageId: value, correlationId: value })
  })

  test.each<[string, Encoded]>([
    ['a symbol', symbol('id')],
    ['an int', int(7)],
    ['a list', list([])],
  ])('[AMQP10-3.2.4-a] a message-id that is %s cannot be read', (_, id) => {
    expect(refusal(new Encoded(message({ properties: { messageId: id }, data: 'x' })))).toBe('amqp:decode-error')
  })

  test('[AMQP10-3.2.4-b] all come out as they went in', () => {
    const given = {
      messageId: 'm',
      userId: Buffer.from('alice'),
      to: 'queue://other',
      subject: 's',
      replyTo: 'queue://replies',
      correlationId: 'c',
      contentType: 'text/plain',
      contentEncoding: 'gzip',
      absoluteExpiryTime: 8_000_000_000_000,
      creationTime: 1_700_000_000_000,
      groupId: 'g',
      groupSequence: 4_000_000_000,
      replyToGroupId: 'r',
    }
    expect(passed({ properties: given, data: 'x' }, throughAlice()).sections.properties).toEqual(given)
  })

  test.each(['anonymous', 'alice', ''])(
    'a user-id of a client that has not logged in is refused, since nobody has verified it: %j',
    (userId) => {
      const properties = section('properties', list([nil, binary(userId)]))
      expect(refusal(properties, data)).toBe('amqp:unauthorized-access')
    },
  )

  test.each<[string, Encoded]>([
    ['no list', section('properties', map([]))],
    ['too many fields', section('properties', list(Array.from({ length: 14 }, () => nil)))],
  ])('[AMQP10-2.8.15-a] that are %s cannot be read', (_, given) => {
    expect(refusal(given, data)).toBe('amqp:decode-error')
  })
})

describe('application properties', () => {
  test('[AMQP10-3.2.5-a] of all simple types come out as they went in', () => {
    const given: Record<string, Plain> = {
      n: null,
      t: true,
      b: ubyte(1),
      u: uint(2),
      l: ulong(3),
      i: int(-4),
      g: long(-5n),
      s: 'x',
      y: symbol('y'),
      d: timestamp(0),
      x: Buffer.from('z'),
      f: 1.5,
    }
    const { sections, sent } = passed({ applicationProperties: given, data: 'x' })
    expect(sections.bare).toEqual(sent)
  })

  test.each<[string, Encoded]>([
    ['a key that is no string', map([[symbol('k'), 1]])],
    ['a key that is null', map([[nil, 1]])],
    ['a value that is a list', map([['k', list([])]])],
    ['a value that is a map', map([['k', map([])]])],
    ['a value that is an array', map([['k', new Encoded(0xe0, 2, 0, 0x50)]])],
  ])('[AMQP10-3.2.5-a] with %s cannot be read', (_, given) => {
    expect(refusal(section('applicationProperties', given), data)).toBe('amqp:decode-error')
  })

  test('[AMQP10-3.2.5-a, AMQP10-2.8.15-a] that are no map cannot be read', () => {
    expect(refusal(section('applicationProperties', list([])), data)).toBe('amqp:decode-error')
  })
})

describe('annotations', () => {
  test('[AMQP10-3.2.3-a] of the message go on with it', () => {
    const { sections } = passed({ messageAnnotations: { 'x-opt-one': 1, 'x-opt-two': 'two' }, data: 'x' })
    expect(sections.messageAnnotations).toMatchObject({ 'x-opt-one': 1, 'x-opt-two': 'two' })
  })

  test('[AMQP10-3.2.2-a] of the delivery do not', () => {
    const { sections } = passed({ deliveryAnnotations: { 'x-opt-one': 1 }, data: 'x' })
    expect(sections.deliveryAnnotations ?? {}).not.toHaveProperty('x-opt-one')
  })

  test('[AMQP10-3.2.10-a, AMQP10-3.2.10-c] may have ulongs as keys, of which none is understood', () => {
    expect(refusal(section('messageAnnotations', map([[ulong8(0x0000_468c_0000_9999n), 1]])), data)).toBe(
      'amqp:not-implemented',
    )
  })

  test('[AMQP10-3.2.10-b] that are not understood and start with x-opt- are ignored', () => {
    for (const parts of [
      { messageAnnotations: { 'x-opt-unheard-of': 1 } },
      { deliveryAnnotations: { 'x-opt-unheard-of': 1 } },
      { footer: { 'x-opt-unheard-of': 1 } },
    ]) {
      expect(passed({ ...parts, data: 'x' }).sections.text).toBe('x')
    }
  })

  test('[AMQP10-3.2.10-c] that are not understood and do not start with x-opt detach the link with not-implemented', () => {
    const { sender } = through()
    sender.send({ messageAnnotations: { 'must-understand': 1 }, data: 'x' })
    expect(conditionOf(sender.session.peer.next('detach'))).toBe('amqp:not-implemented')
  })

  test.each<[string, Encoded]>([
    ['a string', map([['k', 1]])],
    ['null', map([[nil, 1]])],
  ])('[AMQP10-3.2.10-a] with %s as a key cannot be read', (_, given) => {
    expect(refusal(section('messageAnnotations', given), data)).toBe('amqp:decode-error')
  })
})
