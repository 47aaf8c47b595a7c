/** MQTT 5.0 sections 3.1.2.5 to 3.1.2.7 and 3.1.3.2: the will. */
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  data,
  disconnect,
  frame,
  hex,
  pingreq,
  prop,
  publish,
  subscribe,
  u16,
  utf8,
  type WillOptions,
  World,
} from '../../harness.ts'

/** A subscriber to the topic of every will here. */
function watcherIn(world: World): Client {
  const watcher = world.connect('watcher')
  watcher.send(subscribe(1, { filter: 'will', retainAsPublished: true }))
  watcher.next('SUBACK')
  return watcher
}

function will(more: Partial<WillOptions> = {}): { will: WillOptions } {
  return { will: { topic: 'will', payload: 'gone', ...more } }
}

/** A will with a delay, in a session that stays. */
function delayed(delay: number, expiry: number): { will: WillOptions; properties: Uint8Array[] } {
  return {
    ...will({ properties: [prop('willDelayInterval', delay)] }),
    properties: [prop('sessionExpiryInterval', expiry)],
  }
}

function payloads(client: Client): string[] {
  return client.publishes().map(({ payload }) => payload)
}

describe('[MQTT5-3.1.2-7, MQTT5-3.1.2-8] the will is kept and published when the connection ends', () => {
  const ends: [how: string, end: (client: Client, world: World) => void][] = [
    ['the network fails', (client) => client.vanish()],
    ['the client closes without DISCONNECT', (client) => client.hangUp()],
    ['the client sends DISCONNECT 0x04', (client) => client.send(disconnect({ reason: 0x04 }))],
    ['the client sends DISCONNECT 0x81', (client) => client.send(disconnect({ reason: 0x81 }))],
    ['the client sends a malformed packet', (client) => client.send(hex('ff 00'))],
    ['the client breaks the protocol', (client) => client.send(connect())],
    ['the client is silent for too long', (_client, world) => world.advance(16_000)],
    ['another connection takes the client identifier', (_client, world) => void world.connect('c1', { clean: true })],
    ['an operator deletes the session', (_client, world) => void world.vhost.sessions.delete('c1')],
  ]
  it.each(ends)('because %s', (_how, end) => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1', { keepAlive: 10, ...will() })
    expect(watcher.received()).toEqual([])
    end(client, world)
    world.run()
    expect(watcher.received().filter(({ type }) => type === 'PUBLISH')).toMatchObject([
      { topic: 'will', payload: 'gone' },
    ])
  })

  it('because the broker stops', () => {
    const world = new World()
    world.connect('c1', will({ retain: true }))
    world.adapter.drain()
    world.run()
    expect(world.vhost.retained.get(['will'])).toBeDefined()
  })

  it('not while the connection is open', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1', will())
    world.advance(3_600_000)
    client.send(pingreq())
    expect(watcher.received()).toEqual([])
  })

  it('with a session that stays: at once, when there is no delay', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', { ...will(), properties: [prop('sessionExpiryInterval', 60)] }).vanish()
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('after its delay, and not before', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60)).vanish()
    world.advance(9_900)
    expect(watcher.received()).toEqual([])
    world.advance(200)
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('[MQTT5-3.1.3.2.2-a] or when the session ends, if that comes first', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(60, 10)).vanish()
    world.advance(9_900)
    expect(watcher.received()).toEqual([])
    world.advance(200)
    expect(payloads(watcher)).toEqual(['gone'])
    world.advance(60_000)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT5-3.1.3.2.2-a] at once when the session ends with its connection', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(60, 0)).vanish()
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('[MQTT5-3.1.3.2.2-a] at once when DISCONNECT 0x04 ends the session', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.connect('c1', delayed(60, 60))
    client.send(disconnect({ reason: 0x04, properties: [prop('sessionExpiryInterval', 0)] }))
    expect(payloads(watcher)).toEqual(['gone'])
  })
})

describe('[MQTT5-3.1.2-8, MQTT5-3.1.2-10] the will is not published', () => {
  it('after DISCONNECT 0x00', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(5, 60)).send(disconnect())
    world.connect('c2', will()).send(disconnect({ reason: 0x00, properties: [] }))
    world.advance(120_000)
    expect(watcher.received()).toEqual([])
  })

  it('[MQTT5-3.1.3-9] when the client is back before its delay is over', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60)).vanish()
    world.advance(9_000)
    const again = world.connect('c1', { clean: false, properties: [prop('sessionExpiryInterval', 60)] })
    world.advance(60_000)
    expect(watcher.received()).toEqual([])
    again.vanish()
    world.advance(120_000)
    expect(watcher.received()).toEqual([])
  })

  it('a second time', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', { ...will(), properties: [prop('sessionExpiryInterval', 60)] }).vanish()
    expect(payloads(watcher)).toEqual(['gone'])
    world.connect('c1', { clean: false, properties: [prop('sessionExpiryInterval', 60)] }).vanish()
    world.advance(120_000)
    expect(watcher.received()).toEqual([])
  })

  it('when the next connection has brought another one', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60)).vanish()
    world.connect('c1', { clean: false, ...will({ payload: 'second' }) }).vanish()
    world.advance(120_000)
    expect(payloads(watcher)).toEqual(['second'])
  })

  it('by a CONNECT that was refused', () => {
    const world = new World({ settings: { maxClientIdBytes: 23 } })
    const watcher = watcherIn(world)
    world.open().send(connect({ clientId: 'x'.repeat(24), ...will() }))
    world.advance(60_000)
    expect(watcher.received()).toEqual([])
  })
})

describe('[MQTT5-3.1.3.2.2-b] another connection with the same client identifier', () => {
  it('publishes the will that has no delay', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', { ...will(), properties: [prop('sessionExpiryInterval', 60)] })
    world.connect('c1', { clean: false })
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('publishes the will that has one, if it begins a new session', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60))
    world.connect('c1', { clean: true })
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('publishes the waiting will of a client that is gone, if it begins a new session', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60)).vanish()
    world.connect('c1', { clean: true })
    expect(payloads(watcher)).toEqual(['gone'])
  })

  it('does not publish the will that has one, if it goes on with the session', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', delayed(10, 60))
    world.connect('c1', { clean: false })
    world.advance(60_000)
    expect(watcher.received()).toEqual([])
  })
})

describe('[MQTT5-3.1.2-9] with the will flag', () => {
  const [head, id, properties] = [[utf8('MQTT'), 5, 0x06, u16(0), 0], utf8('c1'), 0]
  it.each([
    ['nothing of a will', frame(0x10, ...head, id)],
    ['no will topic', frame(0x10, ...head, id, properties)],
    ['no will payload', frame(0x10, ...head, id, properties, utf8('will'))],
    ['a will payload that is cut off', frame(0x10, ...head, id, properties, utf8('will'), hex('00 05 61'))],
  ])('a CONNECT with %s is malformed', (_what, packet) => {
    const client = new World().open()
    client.send(packet)
    expect(client.refusal()).toBe(0x81)
  })

  it('an empty payload is one, too', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const client = world.open()
    client.send(frame(0x10, ...head, id, properties, utf8('will'), data('')))
    client.accepted()
    client.vanish()
    expect(watcher.next('PUBLISH').payloadBytes).toHaveLength(0)
  })

  it('a payload is any bytes', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', will({ payload: hex('00 ff fe ed a0 80') })).vanish()
    expect(watcher.next('PUBLISH').payloadBytes).toEqual(hex('00 ff fe ed a0 80'))
  })

  it('its QoS is used', () => {
    const world = new World()
    const watcher = watcherIn(world)
    for (const qos of [0, 1, 2] as const) world.connect(`c${qos}`, will({ qos })).vanish()
    expect(watcher.publishes().map(({ qos }) => qos)).toEqual([0, 1, 2])
  })

  it('a payload that is not the text it says it is, is refused', () => {
    const client = new World().open()
    const properties1 = [prop('payloadFormatIndicator', 1)]
    client.send(connect({ clientId: 'c1', ...will({ payload: hex('ff'), properties: properties1 }) }))
    expect(client.refusal()).toBe(0x99)
  })
})

describe('will retain', () => {
  function lateSubscriber(world: World): Client {
    const late = world.connect('late')
    late.send(subscribe(1, 'will'))
    late.next('SUBACK')
    return late
  }

  it('[MQTT5-3.1.2-14] 0: the will is an ordinary message and leaves a retained one as it was', () => {
    const world = new World()
    world.connect('p').send(publish('will', 'before', { retain: true }))
    const watcher = watcherIn(world)
    watcher.received()
    world.connect('c1', will()).vanish()
    expect(watcher.next('PUBLISH')).toMatchObject({ payload: 'gone', retain: false })
    expect(lateSubscriber(world).publishes()).toMatchObject([{ payload: 'before' }])
  })

  it('[MQTT5-3.1.2-15] 1: the will becomes the retained message of its topic', () => {
    const world = new World()
    const watcher = watcherIn(world)
    world.connect('c1', will({ retain: true, qos: 1 })).vanish()
    expect(watcher.next('PUBLISH')).toMatchObject({ payload: 'gone', retain: true })
    expect(lateSubscriber(world).publishes()).toMatchObject([{ payload: 'gone', retain: true, qos: 1 }])
  })

  it('[MQTT5-3.1.2-15] 1 with an empty payload: the retained message is removed', () => {
    const world = new World()
    world.connect('p').send(publish('will', 'before', { retain: true }))
    world.connect('c1', will({ retain: true, payload: '' })).vanish()
    expect(lateSubscriber(world).received()).toEqual([])
  })
})

describe('will properties', () => {
  it('[MQTT5-3.1.3.2-b] are sent with it', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const properties = [
      prop('payloadFormatIndicator', 1),
      prop('contentType', 'text/plain'),
      prop('responseTopic', 'answers'),
      prop('correlationData', hex('00 ff 01')),
      prop('userProperty', ['k', 'v']),
      prop('messageExpiryInterval', 100),
    ]
    world.connect('c1', will({ properties })).vanish()
    expect(watcher.next('PUBLISH').properties).toEqual({
      payloadFormatIndicator: 1,
      contentType: 'text/plain',
      responseTopic: 'answers',
      correlationData: hex('00 ff 01'),
      userProperties: [['k', 'v']],
      messageExpiryInterval: 100,
    })
  })

  it('[MQTT5-3.1.3-10] user properties keep their order', () => {
    const world = new World()
    const watcher = watcherIn(world)
    const pairs: [string, string][] = [
      ['b', '1'],
      ['a', '2'],
      ['b', '0'],
      ['2', ''],
      ['1', 'x'],
      ['a', '2'],
    ]
    const [first, ...others] = pairs.map((pair) => prop('userProperty', pair))
    const properties = [first!, prop('willDelayInterval', 0), ...others, prop('contentType', 'x')]
    world.connect('c1', will({ properties })).vanish()
    expect(watcher.next('PUBLISH').properties.userProperties).toEqual(pairs)
  })

  it('[MQTT5-3.1.3.2.4-a] the message expiry starts when the will is published', () => {
    const world = new World()
    const properties = [prop('messageExpiryInterval', 10), prop('willDelayInterval', 30)]
    world
      .connect('c1', { ...will({ properties, retain: true }), properties: [prop('sessionExpiryInterval', 60)] })
      .vanish()
    const watcher = watcherIn(world)
    world.advance(30_000)
    expect(watcher.next('PUBLISH').properties.messageExpiryInterval).toBe(10)
    world.advance(9_000)
    const before = watcherAgain(world)
    expect(before.publishes()).toMatchObject([{ properties: { messageExpiryInterval: 1 } }])
    world.advance(2_000)
    expect(watcherAgain(world).received()).toEqual([])
  })

  function watcherAgain(world: World): Client {
    const client = world.connect('')
    client.send(subscribe(1, 'will'))
    client.next('SUBACK')
    return client
  }

  it.each([
    prop('willDelayInterval', 1),
    prop('payloadFormatIndicator', 0),
    prop('messageExpiryInterval', 1),
    prop('contentType', 'a'),
    prop('responseTopic', 'a'),
    prop('correlationData', 'a'),
  ])('[MQTT5-3.1.3.2-a] none is given twice: %s', (property) => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', ...will({ properties: [property, property] }) }))
    expect(client.refusal()).toBe(0x82)
  })

  it('[MQTT5-3.1.3.2-a] but user properties', () => {
    const pair = prop('userProperty', ['k', 'v'])
    expect(new World().connect('c1', will({ properties: [pair, pair] })).isClosed).toBe(false)
  })

  it('[MQTT5-3.1.3-11] the will topic is a UTF-8 string', () => {
    const world = new World()
    const watcher = world.connect('watcher')
    watcher.send(subscribe(1, 'wíll€\u{1f600}'))
    watcher.next('SUBACK')
    world.connect('c1', will({ topic: 'wíll€\u{1f600}' })).vanish()
    expect(watcher.next('PUBLISH').topic).toBe('wíll€\u{1f600}')
    const client = world.open()
    client.send(connect({ clientId: 'c2', ...will({ topic: hex('77 c0 80') }) }))
    expect(client.refusal()).toBe(0x81)
  })

  it.each(['', 'a/+', '#'])('[MQTT5-3.1.4-1] %j is no topic for a will', (topic) => {
    const client = new World().open()
    client.send(connect({ clientId: 'c1', ...will({ topic }) }))
    expect([0x81, 0x90]).toContain(client.refusal())
  })
})
