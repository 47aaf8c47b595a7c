import type { Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  connect,
  disconnect,
  type Packet,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  type QoS,
  subscribe,
  type World,
} from '../../harness.ts'
import { kept311, lines, watch, world311 } from '../worlds.ts'

async function subscribed(world: World, filter = 'a'): Promise<Client> {
  const client = await world.join('c1', { clean: false })
  await client.finish(subscribe(1, filter))
  client.next('SUBACK')
  return client
}

/** Type and identifier or payload of each packet. */
function outline(packets: readonly Packet[]): string[] {
  return packets.map((packet) => {
    if (packet.type === 'PUBLISH') return `${packet.type} ${packet.payload}`
    return 'id' in packet ? `${packet.type} ${packet.id}` : packet.type
  })
}

describe('a client that is back with CleanSession 0', () => {
  it('[MQTT311-4.4.0-1] gets PUBLISH and PUBREL again, under the identifiers they had', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    await world
      .connect('publisher')
      .finish(
        ...['one', 'two', 'three', 'four'].map((payload, index) =>
          publish('a', payload, { qos: (1 + (index % 2)) as QoS, id: index + 1 }),
        ),
      )
    const [one, two, three, four] = client.publishes()
    await client.finish(pubrec(two!.id), puback(three!.id))
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toMatchObject([
      { type: 'PUBLISH', payload: 'one', qos: 1, id: one!.id, dup: true },
      { type: 'PUBREL', id: two!.id },
      { type: 'PUBLISH', payload: 'four', qos: 2, id: four!.id, dup: true },
    ])
    // The exchanges go on where they were.
    await again.finish(puback(one!.id), pubcomp(two!.id), pubrec(four!.id), pubcomp(four!.id))
    expect(again.received()).toMatchObject([{ type: 'PUBREL', id: four!.id }])
    again.vanish()
    expect((await world.join('c1', { clean: false })).received()).toEqual([])
  })

  it('[MQTT311-4.4.0-1] gets them again also when it has taken its own identifier over', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    await world.connect('publisher').finish(publish('a', 'x', { qos: 1, id: 1 }))
    const [before] = client.publishes()
    const again = await world.join('c1', { clean: false })
    expect(again.received()).toMatchObject([{ type: 'PUBLISH', id: before!.id, dup: true }])
  })

  it('[MQTT311-4.4.0-1] gets what it could not take before, byte for byte', async () => {
    const world = await kept311()
    const payload = Uint8Array.from({ length: 50_000 }, (_, index) => index % 253)
    const first = world.open({ kernelBytes: 4_096 })
    first.send(connect({ clientId: 'c1', clean: false }))
    await world.settle()
    first.accepted()
    await first.finish(subscribe(1, 'a'))
    first.next('SUBACK')
    first.stopReading()
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', payload, { qos: 1, id: 1 }), publish('a', 'small', { qos: 1, id: 2 }))
    await publisher.finish(publish('other', new Uint8Array(50_000), { qos: 0 }))
    first.vanish()
    const again = await world.join('c1', { clean: false })
    const messages = again.publishes()
    expect(messages).toHaveLength(2)
    expect(Buffer.from(messages[0]!.payloadBytes).equals(payload)).toBe(true)
    expect(messages[1]!.payload).toBe('small')
  })
})

describe('on a living connection', () => {
  it('[MQTT311-4.4-a] nothing is sent again, however long an acknowledgement takes', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    await world
      .connect('publisher')
      .finish(publish('a', 'one', { qos: 1, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
    const [, two] = client.publishes()
    await client.finish(pubrec(two!.id))
    client.next('PUBREL')
    world.advance(7 * 86_400_000)
    expect(client.received()).toEqual([])
    expect(client.isClosed).toBe(false)
  })
})

describe('a message that was taken over', () => {
  it('[MQTT311-4.5.0-1] is added to the session of every client with a matching subscription', async () => {
    const world = await kept311()
    const filters = ['a/b', 'a/+', '+/b', '#', 'a/#', '+/+', 'a/b/#']
    const others = ['a', '+', 'b/#', '/a/b', 'a/b/+', 'A/b']
    const clients = new Map<string, Client>()
    for (const [index, filter] of [...filters, ...others].entries()) {
      const client = await world.join(`c ${filter}`, { clean: index % 2 === 0 })
      await client.finish(subscribe(1, filter))
      client.next('SUBACK')
      // Some are away: for them it waits.
      if (index % 2 === 1) client.send(disconnect())
      else clients.set(filter, client)
    }
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a/b', 'x', { qos: 2, id: 1 }))
    expect(publisher.received()).toMatchObject([{ type: 'PUBREC' }])
    const reached: string[] = []
    for (const filter of [...filters, ...others]) {
      const client = clients.get(filter) ?? (await world.join(`c ${filter}`, { clean: false }))
      if (client.publishes().length === 1) reached.push(filter)
    }
    expect(reached).toEqual(filters)
  })

  it('[MQTT311-4.5.0-1] is not taken from those who are well by one who is stuck', async () => {
    const world = await kept311()
    const well = watch(world, 'a', 'well')
    const stuck = world.open({ kernelBytes: 1_024 })
    stuck.send(connect({ clientId: 'stuck' }), subscribe(1, 'a'))
    stuck.stopReading()
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 100; id++) publisher.send(publish('a', `${id} ${'x'.repeat(1_000)}`, { qos: 1, id }))
    expect(well.publishes()).toHaveLength(100)
    stuck.readAgain()
    const messages = stuck.received().filter(({ type }) => type === 'PUBLISH')
    expect(messages).toHaveLength(100)
  })
})

describe('order', () => {
  it('[MQTT311-4.6.0-1] of PUBLISH packets sent again is that of the first time', async () => {
    const world = await kept311()
    let client = await subscribed(world)
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 100; id++) {
      await publisher.finish(publish('a', String(id), { qos: (1 + (id % 2)) as QoS, id }), pubrel(id))
    }
    const sent = client.publishes()
    // Every third is acknowledged, from the last to the first.
    const done = sent.filter((_, index) => index % 3 === 0).reverse()
    for (const { id, qos } of done) await client.finish(...(qos === 1 ? [puback(id)] : [pubrec(id), pubcomp(id)]))
    const left = sent.filter((_, index) => index % 3 !== 0).map(({ payload, id }) => [payload, id])
    for (let times = 0; times < 2; times++) {
      client.vanish()
      client = await world.join('c1', { clean: false })
      expect(client.publishes().map(({ payload, id }) => [payload, id])).toEqual(left)
    }
  })

  it('[MQTT311-4.6.0-1] is that of the first time also when the identifiers have started over', async () => {
    const world = await kept311()
    let client = await subscribed(world)
    const publisher = world.connect('publisher')
    const say = async (round: number): Promise<void> => {
      const batch = Array.from({ length: 1_000 }, (_, index) =>
        publish('a', `${round}/${index}`, { qos: 1, id: index + 1 }),
      )
      await publisher.finish(...batch)
      publisher.received()
    }
    for (let round = 1; round <= 65; round++) {
      await say(round)
      client.send(...client.publishes().map(({ id }) => puback(id)))
    }
    await say(66)
    const sent = client.publishes()
    const ids = sent.map(({ id }) => id)
    expect(Math.max(...ids) - Math.min(...ids)).toBeGreaterThan(60_000)
    client.vanish()
    client = await world.join('c1', { clean: false })
    expect(client.publishes().map(({ payload }) => payload)).toEqual(sent.map(({ payload }) => payload))
  })

  it('[MQTT311-4.6.0-2] of PUBACKs is that of the QoS 1 PUBLISH packets', () => {
    const client = world311().connect('c1')
    const ids = Array.from({ length: 200 }, (_, index) => ((index * 37) % 200) + 1)
    client.send(...ids.map((id) => publish(`a/${id % 5}`, 'x', { qos: 1, id })))
    expect(client.received().map((packet) => 'id' in packet && packet.id)).toEqual(ids)
  })

  it('[MQTT311-4.6.0-2, MQTT311-4.6.0-3] of PUBACKs and PUBRECs is that of the PUBLISH packets when only some wait for the log', async () => {
    const world = await kept311()
    const reader = await subscribed(world, 'logged/#')
    const client = world.connect('c2')
    const topics = ['logged/a', 'free/a', 'logged/b', 'free/b', 'free/c', 'logged/c', 'free/d']
    for (const qos of [1, 2] as QoS[]) {
      await client.finish(...topics.map((topic, index) => publish(topic, 'x', { qos, id: qos * 100 + index })))
      expect(client.received().map((packet) => 'id' in packet && packet.id)).toEqual(
        topics.map((_, index) => qos * 100 + index),
      )
    }
    expect(reader.publishes()).toHaveLength(6)
  })

  it('[MQTT311-4.6.0-2, MQTT311-4.6.0-3] of PUBACKs and PUBRECs is that of the PUBLISH packets when some are not allowed', async () => {
    const noSecrets: Authorizer = {
      generation: 0,
      mayUse: (_subject, _action, { levels }) => ({ allowed: levels[0] !== 'secret', rule: 'no secrets' }),
      mayMatch: () => ({ allowed: true, rule: 'anything' }),
    }
    const world = await kept311({ authorizer: noSecrets })
    await subscribed(world, 'logged/#')
    const client = world.connect('c2')
    const topics = ['logged/a', 'secret/a', 'logged/b', 'secret/b', 'free', 'secret/c']
    for (const qos of [1, 2] as QoS[]) {
      await client.finish(...topics.map((topic, index) => publish(topic, 'x', { qos, id: qos * 100 + index })))
      expect(client.received().map((packet) => 'id' in packet && packet.id)).toEqual(
        topics.map((_, index) => qos * 100 + index),
      )
    }
  })

  it('[MQTT311-4.6.0-3] of PUBRECs is that of the QoS 2 PUBLISH packets', () => {
    const client = world311().connect('c1')
    const ids = Array.from({ length: 200 }, (_, index) => ((index * 37) % 200) + 1)
    client.send(...ids.map((id) => publish(`a/${id % 5}`, 'x', { qos: 2, id })))
    expect(outline(client.received())).toEqual(ids.map((id) => `PUBREC ${id}`))
  })

  it('[MQTT311-4.6.0-4] of PUBRELs is that of the PUBRECs', () => {
    const world = world311()
    const client = watch(world, 'a')
    const publisher = world.connect('publisher')
    for (let id = 1; id <= 100; id++) publisher.send(publish('a', 'x', { qos: 2, id }))
    const ids = client.publishes().map(({ id }) => id)
    const mixed = ids.map((_, index) => ids[(index * 37) % ids.length]!)
    client.send(...mixed.map((id) => pubrec(id)))
    expect(outline(client.received())).toEqual(mixed.map((id) => `PUBREL ${id}`))
  })

  it('[MQTT311-4.6.0-4] of PUBRELs sent again is that of the PUBRECs', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    await world
      .connect('publisher')
      .finish(...['1', '2', '3'].map((payload, index) => publish('a', payload, { qos: 2, id: index + 1 })))
    const ids = client.publishes().map(({ id }) => id)
    await client.finish(...ids.map((id) => pubrec(id)))
    client.vanish()
    const again = await world.join('c1', { clean: false })
    expect(outline(again.received())).toEqual(ids.map((id) => `PUBREL ${id}`))
  })

  it.each([0, 1, 2] as QoS[])(
    '[MQTT311-4.6.0-5, MQTT311-4.6.0-6] of QoS %i messages of one publisher is kept on every topic',
    (qos) => {
      const world = world311()
      const one = watch(world, 'a/#', 'one')
      const all = watch(world, '#', 'all')
      const publisher = world.connect('publisher')
      const other = world.connect('other')
      for (let index = 1; index <= 300; index++) {
        const options = qos === 0 ? {} : { qos, id: index }
        publisher.push(publish(`a/${index % 3}`, `p ${index}`, options), ...(qos === 2 ? [pubrel(index)] : []))
        other.push(publish(`a/${index % 3}`, `o ${index}`, options), ...(qos === 2 ? [pubrel(index)] : []))
        if (index % 7 === 0) world.run()
      }
      world.run()
      for (const client of [one, all]) {
        const payloads = client.publishes().map(({ payload }) => payload)
        for (const who of ['p', 'o']) {
          expect(payloads.filter((payload) => payload.startsWith(who))).toEqual(
            Array.from({ length: 300 }, (_, index) => `${who} ${index + 1}`),
          )
        }
      }
    },
  )

  it.each([1, 2] as QoS[])(
    '[MQTT311-4.6.0-6] of QoS %i messages is kept for one who takes few at a time',
    async (qos) => {
      const world = await kept311({ settings: { mqtt3ReceiveMaximum: 3 } })
      const client = await subscribed(world)
      const publisher = world.connect('publisher')
      const got: string[] = []
      for (let index = 1; index <= 60; index++) {
        await publisher.finish(publish('a', String(index), { qos, id: index }), pubrel(index))
        if (index % 4 !== 0) continue
        for (const packet of client.received()) {
          if (packet.type !== 'PUBLISH') continue
          got.push(packet.payload)
          await client.finish(...(qos === 1 ? [puback(packet.id)] : [pubrec(packet.id), pubcomp(packet.id)]))
        }
      }
      for (let rest = client.received(); rest.length > 0; rest = client.received()) {
        for (const packet of rest) {
          if (packet.type !== 'PUBLISH') continue
          got.push(packet.payload)
          await client.finish(...(qos === 1 ? [puback(packet.id)] : [pubrec(packet.id), pubcomp(packet.id)]))
        }
      }
      expect(got).toEqual(Array.from({ length: 60 }, (_, index) => String(index + 1)))
    },
  )

  it('[MQTT311-4.6.0-6] is kept across disconnection: sent, waiting and new', async () => {
    const world = await kept311()
    const client = await subscribed(world)
    const publisher = world.connect('publisher')
    await publisher.finish(publish('a', '1', { qos: 1, id: 1 }), publish('a', '2', { qos: 1, id: 2 }))
    client.vanish()
    await publisher.finish(publish('a', '3', { qos: 1, id: 3 }), publish('a', '4', { qos: 1, id: 4 }))
    const again = await world.join('c1', { clean: false })
    await publisher.finish(publish('a', '5', { qos: 1, id: 5 }))
    expect(lines(again.publishes())).toEqual(['1', '2', '3', '4', '5'].map((payload) => `a ${payload} q1`))
  })
})
