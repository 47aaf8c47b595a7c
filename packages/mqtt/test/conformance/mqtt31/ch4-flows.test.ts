import { describe, expect, it } from 'vitest'
import {
  type Client,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  type World,
} from '../../harness.ts'
import { kept31, lines, watch, world31 } from '../worlds.ts'

async function subscribed(world: World): Promise<Client> {
  const client = await world.join('c1', { clean: false })
  await client.finish(subscribe(1, 'a'))
  client.next('SUBACK')
  return client
}

describe('the levels', () => {
  it('[MQTT31-4.1-a] QoS 0 is not answered and not repeated', async () => {
    const world = await kept31()
    const client = await subscribed(world)
    const publisher = world.connect('publisher')
    publisher.send(publish('a', 'x'))
    expect(publisher.received()).toEqual([])
    expect(lines(client.publishes())).toEqual(['a x q0'])
    client.vanish()
    expect((await world.join('c1', { clean: false })).received()).toEqual([])
  })

  it('[MQTT31-4.1-b] a QoS 1 PUBLISH that is repeated after its PUBACK is published and acknowledged again', () => {
    const world = world31()
    const watcher = watch(world)
    const client = world.connect('c1')
    for (const dup of [false, true, true]) {
      client.send(publish('a', 'x', { qos: 1, id: 1, dup }))
      expect(client.received()).toMatchObject([{ type: 'PUBACK', id: 1 }])
    }
    expect(watcher.publishes()).toHaveLength(3)
  })

  it('[MQTT31-4.1-c] a QoS 2 PUBLISH or PUBREL that is repeated delivers nothing twice', async () => {
    const world = await kept31()
    const watcher = watch(world)
    let client = await world.join('c1', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 1 }), publish('a', 'x', { qos: 2, id: 1, dup: true }))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBREC', 'PUBREC'])
    client.vanish()
    client = await world.join('c1', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 1, dup: true }), pubrel(1), pubrel(1))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBREC', 'PUBCOMP', 'PUBCOMP'])
    client.vanish()
    client = await world.join('c1', { clean: false })
    await client.finish(pubrel(1))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBCOMP'])
    expect(lines(watcher.publishes())).toEqual(['a x q2'])
  })

  it('[MQTT31-4.1-d] the four packets of a QoS 2 exchange share one id, in both directions', () => {
    const world = world31()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    publisher.send(publish('a', 'x', { qos: 2, id: 300 }), pubrel(300))
    expect(publisher.received()).toMatchObject([
      { type: 'PUBREC', id: 300 },
      { type: 'PUBCOMP', id: 300 },
    ])
    const [{ id } = { id: 0 }] = client.publishes()
    client.send(pubrec(id))
    expect(client.received()).toMatchObject([{ type: 'PUBREL', id }])
    client.send(pubcomp(id))
    expect(client.received()).toEqual([])
  })
})

describe('repeating', () => {
  it('[MQTT31-4.2-a, MQTT31-4.2-b] a client that is back gets its unfinished messages again, with DUP', async () => {
    const world = await kept31()
    let client = await subscribed(world)
    await world
      .connect('publisher')
      .finish(...[1, 2, 3].map((id) => publish('a', String(id), { qos: (id === 3 ? 1 : 2) as QoS, id })))
    const sent = client.publishes()
    expect(sent.map(({ dup }) => dup)).toEqual([false, false, false])
    await client.finish(pubrec(sent[1]!.id))
    for (let times = 0; times < 2; times++) {
      client.vanish()
      client = await world.join('c1', { clean: false })
      expect(client.received()).toMatchObject([
        { type: 'PUBLISH', payload: '1', qos: 2, id: sent[0]!.id, dup: true },
        { type: 'PUBREL', id: sent[1]!.id },
        { type: 'PUBLISH', payload: '3', qos: 1, id: sent[2]!.id, dup: true },
      ])
    }
  })

  it('[MQTT31-4.2-c] nothing is repeated on a living connection, and all of it on the next one', async () => {
    const world = await kept31()
    const client = await subscribed(world)
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    expect(client.publishes()).toHaveLength(1)
    world.advance(7 * 86_400_000)
    expect(client.received()).toEqual([])
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.publishes()).toMatchObject([{ payload: 'x', dup: true }])
  })
})

describe('order', () => {
  it('[MQTT31-4.3-a] each step of the flows comes in the order the flows began, what a client publishes', async () => {
    const world = await kept31()
    const reader = await subscribed(world)
    const client = world.connect('publisher')
    const ids = Array.from({ length: 100 }, (_, index) => ((index * 37) % 100) + 1)
    // Some of them wait for the log.
    await client.finish(...ids.map((id) => publish(id % 3 === 0 ? 'a' : 'b', String(id), { qos: 2, id })))
    expect(client.received().map((packet) => packet.type === 'PUBREC' && packet.id)).toEqual(ids)
    await client.finish(...ids.map((id) => pubrel(id)))
    expect(client.received().map((packet) => packet.type === 'PUBCOMP' && packet.id)).toEqual(ids)
    await client.finish(...ids.map((id) => publish(id % 3 === 0 ? 'a' : 'b', String(id), { qos: 1, id })))
    expect(client.received().map((packet) => packet.type === 'PUBACK' && packet.id)).toEqual(ids)
    expect(reader.publishes().length).toBe(2 * ids.filter((id) => id % 3 === 0).length)
  })

  it('[MQTT31-4.3-a] each step of the flows comes in the order the flows began, what the server publishes', async () => {
    const world = await kept31()
    let client = await subscribed(world)
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 50; id++) await publisher.finish(publish('a', String(id), { qos: 2, id }))
    const ids = client.publishes().map(({ id }) => id)
    await client.finish(...ids.map((id) => pubrec(id)))
    expect(client.received().map((packet) => packet.type === 'PUBREL' && packet.id)).toEqual(ids)
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.received().map((packet) => packet.type === 'PUBREL' && packet.id)).toEqual(ids)
  })

  it.each([0, 1, 2] as QoS[])(
    '[MQTT31-4.3-b] messages of QoS %i keep theirs, sent, repeated and waiting',
    async (qos) => {
      const world = await kept31({ settings: { mqtt3ReceiveMaximum: 5 } })
      let client = await subscribed(world)
      const publisher = world.connect('publisher')
      const got: string[] = []
      const takeAll = async (): Promise<void> => {
        for (let batch = client.received(); batch.length > 0; batch = client.received()) {
          for (const packet of batch) {
            if (packet.type !== 'PUBLISH') continue
            if (packet.dup && got.includes(packet.payload)) continue
            got.push(packet.payload)
            if (qos === 1) await client.finish(puback(packet.id))
            if (qos === 2) await client.finish(pubrec(packet.id), pubcomp(packet.id))
          }
        }
      }
      for (let id = 1; id <= 40; id++) {
        await publisher.finish(publish('a', String(id), qos === 0 ? {} : { qos, id }), pubrel(id))
        if (id === 15 && qos > 0) {
          client.vanish()
          client = await world.join('c1', { clean: false })
        }
        if (id % 10 === 0) await takeAll()
      }
      await takeAll()
      expect(got).toEqual(Array.from({ length: 40 }, (_, index) => String(index + 1)))
    },
  )
})
