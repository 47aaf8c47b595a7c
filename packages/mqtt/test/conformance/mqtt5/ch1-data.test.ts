/** MQTT 5.0 chapter 1: strings and variable byte integers, wherever a client may send one. */
import { describe, expect, it } from 'vitest'
import {
  type Client,
  auth,
  connect,
  disconnect,
  type Draft,
  frame,
  hex,
  prop,
  publish,
  subscribe,
  subscribeWith,
  u16,
  unsubscribe,
  utf8,
  varint,
  World,
} from '../../harness.ts'

type Content = Uint8Array

/** Every string in a CONNECT. */
const inConnect: [place: string, draft: (text: Content) => Draft][] = [
  ['the client identifier', (text) => connect({ clientId: text })],
  ['the user name', (text) => connect({ clientId: 'c1', username: text })],
  ['the will topic', (text) => connect({ clientId: 'c1', will: { topic: text } })],
  ['a user property name', (text) => connect({ properties: [prop('userProperty', [text, 'v'])] })],
  ['a user property value', (text) => connect({ properties: [prop('userProperty', ['k', text])] })],
  ['the authentication method', (text) => connect({ properties: [prop('authenticationMethod', text)] })],
  ['a will content type', (text) => connect({ will: { topic: 't', properties: [prop('contentType', text)] } })],
  ['a will response topic', (text) => connect({ will: { topic: 't', properties: [prop('responseTopic', text)] } })],
  [
    'a will user property',
    (text) => connect({ will: { topic: 't', properties: [prop('userProperty', [text, 'v'])] } }),
  ],
]

/** Every string that a connected client may send. */
const whenConnected: [place: string, draft: (text: Content) => Draft][] = [
  ['a topic name', (text) => publish(text)],
  ['a content type', (text) => publish('t', '', { properties: [prop('contentType', text)] })],
  ['a response topic', (text) => publish('t', '', { properties: [prop('responseTopic', text)] })],
  ['a user property name', (text) => publish('t', '', { properties: [prop('userProperty', [text, 'v'])] })],
  ['a user property value', (text) => publish('t', '', { properties: [prop('userProperty', ['k', text])] })],
  ['a topic filter', (text) => subscribe(1, { filter: text })],
  ['a SUBSCRIBE user property', (text) => subscribeWith(1, [prop('userProperty', [text, 'v'])], 't')],
  ['an UNSUBSCRIBE filter', (text) => unsubscribe(1, text)],
  [
    'a PUBACK reason string',
    (text) => () => frame(0x40, u16(1), 0, varint(text.length + 3), prop('reasonString', text)),
  ],
  ['a DISCONNECT reason string', (text) => disconnect({ reason: 4, properties: [prop('reasonString', text)] })],
  ['an AUTH method', (text) => auth(0x19, [prop('authenticationMethod', text)])],
]

const notUtf8: [what: string, bytes: Content][] = [
  ['a byte that UTF-8 never has', hex('61 ff 62')],
  ['a character cut off', hex('61 e2 82')],
  ['a continuation without a start', hex('61 80')],
  ['an overlong form', hex('c0 af')],
  ['a surrogate', hex('ed a0 80')],
  ['a pair of surrogates', hex('ed a0 bd ed b8 80')],
  ['a code point above U+10FFFF', hex('f4 90 80 80')],
]

/** What a first packet is refused with. */
function refusalOf(draft: Draft): number {
  const client = new World().open()
  client.send(draft)
  return client.refusal()
}

/** What a connected client is sent away with. */
function goodbyeTo(draft: Draft): number {
  const client = new World().connect('c1')
  client.send(draft)
  return client.goodbye()
}

describe('[MQTT5-1.5.4-1] a string that is not well-formed UTF-8 is a malformed packet', () => {
  describe.each(notUtf8)('with %s', (_what, bytes) => {
    it.each(inConnect)('in %s of CONNECT', (_place, draft) => {
      expect(refusalOf(draft(bytes))).toBe(0x81)
    })
    it.each(whenConnected)('in %s', (_place, draft) => {
      expect(goodbyeTo(draft(bytes))).toBe(0x81)
    })
  })

  it('and one that is arrives as it was sent', () => {
    const text = 'aé€\u{1f600}\ud7ff\ue000\uffff\u{10ffff}'
    const world = new World()
    const subscriber = world.connect(text)
    subscriber.send(subscribe(1, text))
    expect(subscriber.next('SUBACK').reasonCodes).toEqual([2])
    const properties = [prop('contentType', text), prop('userProperty', [text, text])]
    world.connect('publisher', { username: text }).send(publish(text, text, { properties }))
    expect(subscriber.next('PUBLISH')).toMatchObject({
      topic: text,
      payload: text,
      properties: { contentType: text, userProperties: [[text, text]] },
    })
  })
})

describe('[MQTT5-1.5.4-2] a string with U+0000 is a malformed packet', () => {
  const zero = hex('61 00 62')
  it.each(inConnect)('in %s of CONNECT', (_place, draft) => {
    expect(refusalOf(draft(zero))).toBe(0x81)
  })
  it.each(whenConnected.filter(([place]) => place !== 'a topic name'))('in %s', (_place, draft) => {
    expect(goodbyeTo(draft(zero))).toBe(0x81)
  })
  it.each([
    ['behind many others', `${'x'.repeat(300)}\0`],
    ['before many others', `\0${'x'.repeat(300)}`],
    ['behind one that is not ASCII', 'é\0'],
  ])('%s', (_where, text) => {
    const bytes = new TextEncoder().encode(text)
    expect(refusalOf(connect({ clientId: bytes }))).toBe(0x81)
    expect(goodbyeTo(publish('t', '', { properties: [prop('userProperty', ['k', bytes])] }))).toBe(0x81)
    expect(goodbyeTo(subscribe(1, { filter: bytes }))).toBe(0x81)
  })

  it('in a topic name', () => {
    const client = new World().connect('c1')
    client.send(publish(zero))
    expect([0x81, 0x90]).toContain(client.goodbye())
  })
})

describe('[MQTT5-1.5.4-3] the bytes EF BB BF are a character like any other', () => {
  const BOM = '\ufeff'

  it('at the start and within a topic name', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, `${BOM}a/${BOM}`))
    subscriber.next('SUBACK')
    world.connect('p').send(publish('a/'), publish(`${BOM}a/${BOM}`, 'with'), publish(`a/${BOM}`), publish(`${BOM}a/`))
    const [only, ...others] = subscriber.publishes()
    expect(others).toEqual([])
    expect(only).toMatchObject({ topic: `${BOM}a/${BOM}`, payload: 'with' })
  })

  it('in a client identifier', () => {
    const world = new World()
    const plain = world.connect('c1')
    world.connect(`${BOM}c1`)
    expect(plain.isClosed).toBe(false)
    expect(world.vhost.sessions.find(`${BOM}c1`)).toBeDefined()
  })

  it('in a user name and a will topic', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, `${BOM}will`))
    subscriber.next('SUBACK')
    world.connect('c1', { username: `${BOM}u`, will: { topic: `${BOM}will`, payload: 'x' } }).vanish()
    expect(subscriber.next('PUBLISH').topic).toBe(`${BOM}will`)
    expect(world.events.map(({ user }) => user)).toContain(`${BOM}u`)
  })

  it('in properties', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, 't'))
    subscriber.next('SUBACK')
    const properties = [
      prop('contentType', `${BOM}x`),
      prop('responseTopic', `${BOM}r`),
      prop('userProperty', [BOM, BOM]),
    ]
    world.connect('p').send(publish('t', '', { properties }))
    const received = subscriber.next('PUBLISH').properties
    expect(received).toEqual({ contentType: `${BOM}x`, responseTopic: `${BOM}r`, userProperties: [[BOM, BOM]] })
  })
})

describe('[MQTT5-1.5.5-1] variable byte integers are as short as their value allows', () => {
  const padded: [what: string, bytes: Content][] = [
    ['a remaining length of 0 in two bytes', hex('c0 80 00')],
    ['a remaining length of 0 in four bytes', hex('c0 80 80 80 00')],
    ['the remaining length of a PUBLISH', hex('30 84 00 00 01 61 00')],
    ['the property length of a PUBLISH', hex('30 05 00 01 61 80 00')],
    ['the property length of a SUBSCRIBE', frame(0x82, u16(1), hex('80 00'), utf8('a'), 0)],
    ['a subscription identifier', frame(0x82, u16(1), 3, hex('0b 81 00'), utf8('a'), 0)],
  ]
  it.each(padded)('so %s is malformed', (_what, bytes) => {
    expect(goodbyeTo(() => bytes)).toBe(0x81)
  })

  it('so the padded remaining length of a CONNECT is malformed', () => {
    expect(refusalOf(() => hex('10 8e 00  00 04 4d 51 54 54 05 02 00 00 00 00 01 61'))).toBe(0x81)
  })

  it.each([0, 127, 128, 16_383, 16_384, 200_000])(
    'so a packet for a body of %i bytes has the shortest length',
    (size) => {
      const world = new World()
      const subscriber = world.connect('s')
      subscriber.send(subscribe(1, 'a'))
      subscriber.next('SUBACK')
      world.connect('p').send(publish('a', new Uint8Array(size)))
      const { raw, payloadBytes } = subscriber.next('PUBLISH')
      expect(payloadBytes).toHaveLength(size)
      expect(raw.slice(1, 1 + varint(size + 4).length)).toEqual(Uint8Array.from(varint(size + 4)))
    },
  )

  it.each([1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])(
    'so subscription identifier %i comes back in its shortest form',
    (id) => {
      const world = new World()
      const subscriber = world.connect('s')
      subscriber.send(subscribeWith(1, [prop('subscriptionIdentifier', id)], 'a'))
      subscriber.next('SUBACK')
      world.connect('p').send(publish('a'))
      const { raw, properties } = subscriber.next('PUBLISH')
      expect(properties.subscriptionIdentifiers).toEqual([id])
      expect(raw.slice(-1 - varint(id).length)).toEqual(Uint8Array.from([0x0b, ...varint(id)]))
    },
  )
})

describe('[MQTT5-1.5.7-1] both halves of a string pair obey the rules for strings', () => {
  const broken = [hex('ff'), hex('ed a0 80'), hex('00')]
  const carriers: [packet: string, send: (client: Client, pair: Uint8Array) => void][] = [
    ['PUBLISH', (client, pair) => client.send(publish('t', '', { properties: [pair] }))],
    ['SUBSCRIBE', (client, pair) => client.send(subscribeWith(1, [pair], 't'))],
    ['DISCONNECT', (client, pair) => client.send(disconnect({ properties: [pair] }))],
  ]
  it.each(carriers)('in %s', (_packet, send) => {
    for (const bytes of broken) {
      for (const pair of [prop('userProperty', [bytes, 'v']), prop('userProperty', ['k', bytes])]) {
        const client = new World().connect('c1')
        send(client, pair)
        expect(client.goodbye()).toBe(0x81)
      }
    }
  })

  it('and empty ones are strings, too', () => {
    const world = new World()
    const subscriber = world.connect('s')
    subscriber.send(subscribe(1, 't'))
    subscriber.next('SUBACK')
    world.connect('p').send(publish('t', '', { properties: [prop('userProperty', ['', ''])] }))
    expect(subscriber.next('PUBLISH').properties.userProperties).toEqual([['', '']])
  })
})
