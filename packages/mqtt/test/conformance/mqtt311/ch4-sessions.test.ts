import { expect, it } from 'vitest'
import { disconnect, pingreq, puback, publish, pubrec, pubrel, subscribe } from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

const DAY_MS = 86_400_000

it('[MQTT311-4.1.0-1] everything a kept session consists of is there after days', async () => {
  const world = await kept311()
  const watcher = watch(world, 'out')
  const first = await world.join('c1', { clean: false })
  await first.finish(subscribe(1, { filter: 'in/#', qos: 2 }), publish('out', 'half', { qos: 2, id: 3 }))
  first.received()
  const publisher = world.connect('publisher')
  const say = async (payload: string, qos: 1 | 2): Promise<void> => {
    await publisher.finish(publish('in/x', payload, { qos, id: 1 }), ...(qos === 2 ? [pubrel(1)] : []))
    publisher.received()
  }
  await say('unacknowledged 1', 1)
  await say('unacknowledged 2', 2)
  await say('received 2', 2)
  await say('acknowledged', 1)
  const sent = first.publishes()
  await first.finish(pubrec(sent[2]!.id), puback(sent[3]!.id))
  first.vanish()
  await say('waiting 1', 1)
  await say('waiting 2', 2)

  world.advance(6 * DAY_MS)
  const again = await world.join('c1', { clean: false })
  expect(again.connack.sessionPresent).toBe(true)
  // Sent and not acknowledged, in their order and with their identifiers; then what waited.
  expect(again.received()).toMatchObject([
    { type: 'PUBLISH', payload: 'unacknowledged 1', qos: 1, dup: true, id: sent[0]!.id },
    { type: 'PUBLISH', payload: 'unacknowledged 2', qos: 2, dup: true, id: sent[1]!.id },
    { type: 'PUBREL', id: sent[2]!.id },
    { type: 'PUBLISH', payload: 'waiting 1', qos: 1, dup: false },
    { type: 'PUBLISH', payload: 'waiting 2', qos: 2, dup: false },
  ])
  // Received and not released: not passed on again.
  await again.finish(publish('out', 'half', { qos: 2, id: 3, dup: true }))
  expect(lines(watcher.publishes())).toEqual(['out half q2'])
  // The subscription.
  await say('live', 2)
  expect(again.received()).toMatchObject([{ type: 'PUBREC' }, { type: 'PUBLISH', payload: 'live', qos: 2 }])
})

it('[MQTT311-4.1.0-1] a session goes on over many connections', async () => {
  const world = await kept311()
  const publisher = world.connect('publisher')
  const got: string[] = []
  for (let round = 1; round <= 20; round++) {
    const client = await world.join('c1', { clean: false })
    if (round === 1) await client.finish(subscribe(1, 'a'))
    for (const packet of client.received()) {
      if (packet.type !== 'PUBLISH') continue
      got.push(packet.payload)
      await client.finish(puback(packet.id))
    }
    if (round % 2 === 0) client.send(disconnect())
    else client.vanish()
    await publisher.finish(publish('a', String(round), { qos: 1, id: round }))
  }
  expect(got).toEqual(Array.from({ length: 19 }, (_, index) => String(index + 1)))
})

it.each([true, false])(
  '[MQTT311-4.1.0-2] a session lasts as long as its connection (CleanSession %s)',
  async (clean) => {
    const world = await kept311({ settings: { sessionExpiryMaxSeconds: 60 } })
    const client = await world.join('c1', { clean })
    await client.finish(subscribe(1, 'a'))
    client.next('SUBACK')
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', 'early', { qos: 1, id: 1 }))
    const [early] = client.publishes()
    world.advance(400 * DAY_MS)
    expect(client.isClosed).toBe(false)
    await client.finish(puback(early!.id), pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
    await publisher.finish(publish('a', 'late', { qos: 1, id: 2 }))
    expect(client.publishes()).toMatchObject([{ payload: 'late' }])
  },
)

it('[MQTT311-4.1.0-2] a resumed session does not end when its first connection would have', async () => {
  const world = await kept311({ settings: { sessionExpiryMaxSeconds: 60 } })
  const first = await world.join('c1', { clean: false })
  await first.finish(subscribe(1, 'a'))
  first.hangUp()
  world.advance(50_000)
  const again = await world.join('c1', { clean: false })
  world.advance(50_000)
  await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
  expect(again.publishes()).toMatchObject([{ payload: 'x' }])
})

it('[MQTT311-4.1.0-2] a clean session is not kept beyond its connection, a kept one is', () => {
  const world = world311()
  const clean = world.connect('clean')
  const kept = world.connect('kept', { clean: false })
  clean.vanish()
  kept.vanish()
  expect(world.vhost.sessions.find('clean')).toBeUndefined()
  expect(world.vhost.sessions.find('kept')).toBeDefined()
})
