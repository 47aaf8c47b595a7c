import type { Login, LoginRefusal } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  connect,
  type Draft,
  frame,
  hex,
  pingreq,
  publish,
  pubrec,
  subscribe,
  utf8,
  type WillOptions,
} from '../../harness.ts'
import type { MqttSettings } from '../../../src/settings.ts'
import { connect311, kept311, watch, world311 } from '../worlds.ts'

/** Refuses a client id that is the name of a refusal. */
const refusing: Login = {
  begin: ({ clientId }) =>
    clientId.startsWith('no-')
      ? { kind: 'refused', refusal: clientId.slice('no-'.length) as LoginRefusal, text: 'refused by the test' }
      : { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined },
}

describe('a CONNECT that is not formed as it must be', () => {
  const sound = connect({ clientId: 'c1', username: 'u', password: 'p', will: { topic: 'w', payload: 'x', qos: 1 } })(4)
  const body = sound.subarray(2)

  it.each(Array.from({ length: body.length }, (_, length) => length))(
    '[MQTT311-3.1.4-1] cut after %i bytes ends the connection without CONNACK',
    (length) => {
      const client = world311().open()
      client.send(frame(0x10, body.subarray(0, length)))
      expect(client.received()).toEqual([])
      expect(client.isClosed).toBe(true)
    },
  )

  it('[MQTT311-3.1.4-1] is not confused with the same CONNECT whole', () => {
    const client = world311().open()
    client.send(sound)
    expect(client.accepted().raw).toEqual(hex('20 02 00 00'))
  })

  const broken: { what: string; packet: Uint8Array }[] = [
    { what: 'the reserved flag', packet: connect({ clientId: 'c1', flags: 0x03 })(4) },
    { what: 'will QoS 3', packet: connect311(0x1e, utf8('c1'), utf8('w'), utf8('x')) },
    { what: 'a password without a user name', packet: connect311(0x42, utf8('c1'), utf8('p')) },
    { what: 'a byte too many', packet: frame(0x10, connect({ clientId: 'c1' })(4).subarray(2), 0) },
    { what: 'a client identifier that is no UTF-8', packet: connect({ clientId: Uint8Array.of(0xff) })(4) },
  ]
  it.each(broken)('[MQTT311-3.1.4-1] ($what) ends the connection without CONNACK', ({ packet }) => {
    const world = world311()
    const client = world.open()
    client.send(packet)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
  })
})

describe('a client identifier in use', () => {
  it.each([true, false])('[MQTT311-3.1.4-2] costs the older connection (CleanSession %s)', async (clean) => {
    const world = await kept311()
    const older = await world.join('c1', { clean })
    await older.finish(subscribe(1, 'a'))
    older.next('SUBACK')
    const newer = await world.join('c1', { clean })
    expect(older.isClosed).toBe(true)
    expect(older.received()).toEqual([])
    newer.send(pingreq())
    expect(newer.received()).toMatchObject([{ type: 'PINGRESP' }])
  })

  it('[MQTT311-3.1.4-2] costs the older connection, what it sent in the same turn notwithstanding', () => {
    const world = world311()
    const older = world.connect('c1')
    const newer = world.open()
    older.push(pingreq())
    newer.push(connect({ clientId: 'c1' }))
    world.run()
    newer.accepted()
    expect(older.isClosed).toBe(true)
    expect(newer.isClosed).toBe(false)
  })

  it('[MQTT311-3.1.4-2] costs nobody when the CONNECT is refused', () => {
    const world = world311({
      login: {
        begin: (request) =>
          request.username === 'x'
            ? refusing.begin({ ...request, clientId: 'no-bad-credentials' })
            : refusing.begin(request),
      },
    })
    const older = world.connect('c1')
    const newer = world.open()
    newer.send(connect({ clientId: 'c1', username: 'x' }))
    expect(newer.next('CONNACK').reasonCode).toBe(4)
    expect(older.isClosed).toBe(false)
  })
})

describe('an accepted CONNECT', () => {
  it('[MQTT311-3.1.4-3] has its CleanSession carried out: 1 deletes, 0 resumes, 0 makes', async () => {
    const world = await kept311()
    const presents: boolean[] = []
    for (const clean of [false, false, true, false, false]) {
      const client = await world.join('c1', { clean })
      presents.push(client.connack.sessionPresent)
      client.hangUp()
    }
    expect(presents).toEqual([false, true, false, false, true])
  })

  it('[MQTT311-3.1.4-4] is answered with CONNACK 0x00', () => {
    const client = world311().open()
    client.send(hex('10 0e 0004 4d515454 04 02 003c 0002 6331'))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 00')])
    expect(client.isClosed).toBe(false)
  })
})

describe('a refused CONNECT', () => {
  it.each([
    ['bad-credentials', 4],
    ['bad-mechanism', 4],
    ['not-authorized', 5],
  ])('[MQTT311-3.1.4-b, MQTT311-3.2.2-5] (%s) is answered with return code %i and the end', (refusal, code) => {
    const world = world311({ login: refusing })
    const client = world.open()
    client.send(connect({ clientId: `no-${refusal}` }))
    expect(client.received().map(({ raw }) => raw)).toEqual([[0x20, 2, 0, code]].map((raw) => Uint8Array.from(raw)))
    expect(client.isClosed).toBe(true)
    expect(world.vhost.sessions.count).toBe(0)
  })

  it('[MQTT311-3.1.4-b] because its will may not be published is answered with 5', () => {
    const world = world311()
    const client = world.open()
    client.send(connect({ clientId: 'c1', will: { topic: '$SYS/broker/version' } }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 05')])
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.4-b] because the server holds all the sessions it can is answered with 3', () => {
    const world = world311({ limits: { sessionsMax: 1 } })
    world.connect('first')
    const client = world.open()
    client.send(connect({ clientId: 'second' }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 03')])
    expect(client.isClosed).toBe(true)
  })

  const refused: { what: string; packet: Draft }[] = [
    { what: 'by the login', packet: connect({ clientId: 'no-bad-credentials' }) },
    { what: 'for its level', packet: connect({ clientId: 'c1', level: 9 }) },
    { what: 'for its client identifier', packet: connect({ clientId: '', clean: false }) },
    { what: 'as malformed', packet: connect({ clientId: 'c1', flags: 0x03 }) },
  ]
  it.each(refused)('[MQTT311-3.1.4-5] $what is the last packet processed, in its chunk and after it', ({ packet }) => {
    const world = world311({ login: refusing })
    const watcher = watch(world)
    const client = world.open()
    client.send(packet, connect({ clientId: 'c2' }), publish('a', 'x'), publish('a', 'y', { qos: 1, id: 1 }))
    client.send(connect({ clientId: 'c3' }), publish('a', 'z'))
    expect(client.received().filter(({ type }) => type !== 'CONNACK')).toEqual([])
    expect(watcher.received()).toEqual([])
    expect(world.vhost.sessions.count).toBe(1)
  })

  it('[MQTT311-3.1.4-5] stays the last packet processed when the login takes its time', async () => {
    const answers: ((value: 'refused') => void)[] = []
    const world = world311({
      login: {
        begin: async (request) => {
          if (request.clientId === 'watcher') return refusing.begin(request)
          await new Promise((resolve) => answers.push(resolve))
          return { kind: 'refused', refusal: 'not-authorized', text: 'no' }
        },
      },
    })
    const watcher = await world.join('watcher')
    watcher.send(subscribe(1, '#'))
    watcher.next('SUBACK')
    const client = world.open()
    client.send(connect({ clientId: 'c1' }), publish('a', 'x', { qos: 1, id: 1 }))
    expect(client.received()).toEqual([])
    answers[0]!('refused')
    await world.settle()
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 05')])
    expect(client.isClosed).toBe(true)
    expect(watcher.received()).toEqual([])
  })
})

describe('without CONNECT', () => {
  it('[MQTT311-3.1.4-a] the connection is closed after a while', () => {
    const world = world311({ settings: { handshakeTimeoutMs: 10_000 } })
    const client = world.open()
    world.advance(9_000)
    expect(client.isClosed).toBe(false)
    world.advance(1_500)
    expect(client.isClosed).toBe(true)
  })

  it('[MQTT311-3.1.4-a] the connection is closed even if a CONNECT drops in byte by byte', () => {
    const world = world311({ settings: { handshakeTimeoutMs: 10_000 } })
    const client = world.open()
    const packet = connect({ clientId: 'c1', username: 'somebody', password: 'secret' })(4)
    for (let at = 0; at < 11; at++) {
      client.send([packet[at]!])
      world.advance(1_000)
    }
    expect(client.isClosed).toBe(true)
    expect(client.received()).toEqual([])
  })
})

describe('CONNACK', () => {
  it('[MQTT311-3.2.0-1] comes before whatever a resumed session has waiting', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'one', { qos: 2, id: 1 }), publish('a', 'two', { qos: 1, id: 2 }))
    const [, one] = first.received() as { id: number }[]
    await first.finish(pubrec(one!.id))
    first.vanish()
    await publisher.finish(publish('a', 'three', { qos: 1, id: 3 }))
    const again = world.open()
    await again.finish(connect({ clientId: 'c1', clean: false }))
    expect(again.received().map(({ type }) => type)).toEqual(['CONNACK', 'PUBREL', 'PUBLISH', 'PUBLISH'])
  })

  it('[MQTT311-3.2.0-1] comes before the answers to what came in one chunk with CONNECT', () => {
    const client = world311().open()
    client.send(connect({ clientId: 'c1' }), subscribe(1, 'a'), publish('a', 'x', { qos: 1, id: 1 }), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'SUBACK', 'PUBLISH', 'PUBACK', 'PINGRESP'])
  })

  it('[MQTT311-3.2.0-1] comes first for one who waits for the log and sends on', async () => {
    const world = await kept311()
    const client = world.open()
    await client.finish(connect({ clientId: 'c1', clean: false }), subscribe(1, 'a'), pingreq())
    expect(client.received().map(({ type }) => type)).toEqual(['CONNACK', 'SUBACK', 'PINGRESP'])
  })

  it('[MQTT311-3.2.2-1] to CleanSession 1 has Session Present 0, also if there was a session', async () => {
    const world = await kept311()
    const kept = await world.join('c1', { clean: false })
    kept.hangUp()
    const clean = await world.join('c1', { clean: true })
    expect(clean.connack.raw).toEqual(hex('20 02 00 00'))
  })

  it('[MQTT311-3.2.2-2, MQTT311-3.2.2-3] to CleanSession 0 says whether there was a session', async () => {
    const world = await kept311()
    const first = await world.join('c1', { clean: false })
    expect(first.connack.raw).toEqual(hex('20 02 00 00'))
    first.hangUp()
    const again = await world.join('c1', { clean: false })
    expect(again.connack.raw).toEqual(hex('20 02 01 00'))
    const takesOver = await world.join('c1', { clean: false })
    expect(takesOver.connack.raw).toEqual(hex('20 02 01 00'))
    const other = await world.join('c2', { clean: false })
    expect(other.connack.raw).toEqual(hex('20 02 00 00'))
  })

  it('[MQTT311-3.2.2-3] says 0 once a kept session has expired', async () => {
    const world = await kept311({ settings: { sessionExpiryMaxSeconds: 3_600 } })
    const first = await world.join('c1', { clean: false })
    first.hangUp()
    world.advance(3_601_000)
    const again = await world.join('c1', { clean: false })
    expect(again.connack.raw).toEqual(hex('20 02 00 00'))
  })

  it('[MQTT311-3.2.2-4] with a return code other than 0 has Session Present 0, also if there is a session', async () => {
    const world = await kept311()
    const kept = await world.join('c1', { clean: false, username: 'anna' })
    kept.hangUp()
    const client = world.open()
    await client.finish(connect({ clientId: 'c1', clean: false, username: 'bob' }))
    expect(client.received().map(({ raw }) => raw)).toEqual([hex('20 02 00 02')])
  })

  it.each<[string, WillOptions, Partial<MqttSettings>]>([
    ['a will above the highest QoS', { topic: 'w', qos: 2 }, { maxQos: 1 }],
    ['a retained will where there are none', { topic: 'w', retain: true }, { retainAvailable: false }],
  ])('[MQTT311-3.2.2-6] is not sent for a refusal that no return code fits: %s', (_what, will, settings) => {
    const world = world311({ settings })
    const client = world.open()
    client.send(connect({ clientId: 'c1', will }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.events.at(-1)?.text).toContain('will')
  })

  it('[MQTT311-3.2.2-6] is not sent for a CONNECT above the largest packet', () => {
    const world = world311({ settings: { maxPacketBytes: 1_024 } })
    const client = world.open()
    client.send(connect({ clientId: 'c1', will: { topic: 'w', payload: 'x'.repeat(1_024) } }))
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(true)
    expect(world.events.at(-1)?.text).toContain('maxPacketBytes')
  })

  it('[MQTT311-3.2.2.1-a] has no bit but Session Present in its first byte', async () => {
    const world = await kept311()
    const seen: number[] = []
    for (const [clean, level] of [
      [false, 4],
      [false, 4],
      [true, 4],
      [true, 9],
    ] as const) {
      const client = world.open()
      await client.finish(connect({ clientId: 'c1', clean, level }))
      seen.push(client.next('CONNACK').raw[2]!)
    }
    expect(seen).toEqual([0, 1, 0, 0])
  })
})
