/**
 * Packet identifiers and QoS 2 exchanges over a restart of the broker: a second world on the first one's engine. The first one ends
 * without a word, as a process that is killed. [ADR-0007]
 */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  disconnect,
  prop,
  type Packet,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  subscribe,
  unsubscribe,
  World,
  type WorldOptions,
} from '../../harness.ts'
import { lasting } from '../mqtt5/scenes.ts'

/** Lives of a broker, one after the other. */
class Lives {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine = new MemoryEngine(this.env)
  readonly #options: WorldOptions

  constructor(options: WorldOptions = {}) {
    this.#options = options
  }

  begin(): Promise<World> {
    return World.withLog(this.#options, this.env, this.engine)
  }
}

/** A client with a kept session that subscribes to one filter. */
async function keptSubscriber(world: World, clientId: string, filter: string, qos = 2): Promise<Client> {
  const client = await world.join(clientId, lasting())
  await client.finish(subscribe(1, { filter, qos }))
  client.next('SUBACK')
  return client
}

async function send(world: World, topic: string, qos: 1 | 2, ...texts: readonly string[]): Promise<void> {
  const client = world.connect('publisher')
  for (const [index, text] of texts.entries()) {
    await client.finish(publish(topic, text, { qos, id: index + 1 }), ...(qos === 2 ? [pubrel(index + 1)] : []))
  }
  await client.finish(disconnect())
}

/** 'PUBLISH 3 text dup' of each packet. */
function outline(packets: readonly Packet[]): string[] {
  return packets.map((packet) => {
    if (packet.type === 'PUBLISH') return `PUBLISH ${packet.id ?? 0} ${packet.payload}${packet.dup ? ' dup' : ''}`
    return 'id' in packet ? `${packet.type} ${packet.id}` : packet.type
  })
}

describe.each(['a', '$queue/q', '$share/g/a'])('QoS 2 to a client that subscribed to %s', (filter) => {
  const address = filter.startsWith('$queue') ? filter : 'a'

  it('[MQTT5-4.4.0-1, MQTT5-4.6.0-1, MQTT5-3.3.1-1] goes on after a restart where it was: same identifiers, DUP, PUBREL', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', filter)
    await send(before, address, 2, 'one', 'two', 'three', 'four')
    const [one, two, three, four] = client.publishes()
    await client.finish(pubrec(two!.id), pubrec(three!.id), pubcomp(three!.id))
    client.received()

    const after = await lives.begin()
    const again = await after.join('c', lasting())
    expect(again.connack.sessionPresent).toBe(true)
    expect(outline(again.received())).toEqual([
      `PUBLISH ${one!.id} one dup`,
      `PUBREL ${two!.id}`,
      `PUBLISH ${four!.id} four dup`,
    ])
    await again.finish(pubrec(one!.id), pubcomp(one!.id), pubcomp(two!.id), pubrec(four!.id), pubcomp(four!.id))
    again.received()
    await send(after, address, 2, 'five')
    expect(outline(again.received())).toEqual([`PUBLISH ${four!.id + 1} five`])

    const last = await (await lives.begin()).join('c', lasting())
    expect(outline(last.received())).toEqual([`PUBLISH ${four!.id + 1} five dup`])
  })

  it('[MQTT5-2.2.1-4] new messages get other identifiers than those that are open since before the restart', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', filter)
    await send(before, address, 2, ...Array.from({ length: 40 }, (_, index) => String(index)))
    const sent = client.publishes()
    for (const packet of sent.filter((_, index) => index % 3 !== 0)) {
      await client.finish(pubrec(packet.id), pubcomp(packet.id))
    }
    const open = sent.filter((_, index) => index % 3 === 0)
    const after = await lives.begin()
    const again = await after.join('c', lasting())
    await send(after, address, 2, ...Array.from({ length: 40 }, (_, index) => `new ${index}`))
    const seen = again.publishes()
    expect(seen.slice(0, open.length)).toMatchObject(open.map(({ id, payload }) => ({ id, payload, dup: true })))
    expect(new Set(seen.map(({ id }) => id)).size).toBe(open.length + 40)
  })
})

describe('QoS 1 after a restart', () => {
  it('[MQTT5-4.4.0-1] keeps its identifiers in a subscription of its own', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', 'a', 1)
    await send(before, 'a', 1, 'one', 'two', 'three')
    const [one, two, three] = client.publishes()
    await client.finish(puback(two!.id))
    const again = await (await lives.begin()).join('c', lasting())
    expect(outline(again.received())).toEqual([`PUBLISH ${one!.id} one dup`, `PUBLISH ${three!.id} three dup`])
  })

  it.each(['$queue/q', '$share/g/a'])('is anybody’s of %s: a restart ends every connection', async (filter) => {
    const lives = new Lives()
    const before = await lives.begin()
    await keptSubscriber(before, 'away', filter, 1)
    await send(before, filter.startsWith('$queue') ? filter : 'a', 1, 'one', 'two')
    const after = await lives.begin()
    const other = await keptSubscriber(after, 'other', filter, 1)
    expect(other.publishes()).toMatchObject([
      { payload: 'one', dup: false },
      { payload: 'two', dup: false },
    ])
    expect((await after.join('away', lasting())).received()).toEqual([])
  })

  it('[MQTT5-4.4.0-1] resumes what fits the receive maximum of the new connection', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', 'a', 1)
    await send(before, 'a', 1, 'one', 'two', 'three')
    client.publishes()
    const again = await (await lives.begin()).join('c', lasting(prop('receiveMaximum', 2)))
    const first = again.publishes()
    expect(first.map(({ payload }) => payload)).toEqual(['one', 'two'])
    await again.finish(puback(first[0]!.id))
    expect(again.publishes()).toMatchObject([{ payload: 'three', dup: true }])
  })
})

describe('a client that publishes at QoS 2', () => {
  it.each(['a', '$queue/q'])(
    '[MQTT5-4.3.3-10, MQTT5-4.3.3-11] has nothing routed twice to %s that it repeats after a restart',
    async (address) => {
      const lives = new Lives()
      const before = await lives.begin()
      await (await keptSubscriber(before, 'reader', address)).finish(disconnect())
      const client = await before.join('c', lasting())
      await client.finish(publish(address, 'once', { qos: 2, id: 7 }))
      expect(client.next('PUBREC').id).toBe(7)

      const after = await lives.begin()
      const again = await after.join('c', lasting())
      await again.finish(publish(address, 'once', { qos: 2, id: 7, dup: true }))
      expect(again.next('PUBREC')).toMatchObject({ id: 7, reasonCode: 0 })
      await again.finish(pubrel(7))
      expect(again.next('PUBCOMP')).toMatchObject({ id: 7, reasonCode: 0 })
      const reader = await after.join('reader', lasting())
      expect(reader.publishes().map(({ payload }) => payload)).toEqual(['once'])
    },
  )

  it('[MQTT5-4.3.3-12, MQTT5-2.2.1-4] has a new message under an identifier that PUBCOMP gave back, over a restart, too', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const reader = await keptSubscriber(before, 'reader', 'a')
    const client = await before.join('c', lasting())
    await client.finish(publish('a', 'one', { qos: 2, id: 7 }), pubrel(7))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBREC', 'PUBCOMP'])
    const after = await lives.begin()
    const again = await after.join('c', lasting())
    await again.finish(publish('a', 'two', { qos: 2, id: 7 }), pubrel(7))
    expect(again.received()).toMatchObject([
      { type: 'PUBREC', reasonCode: 0 },
      { type: 'PUBCOMP', reasonCode: 0 },
    ])
    reader.received()
    const back = await after.join('reader', lasting())
    expect(back.publishes().map(({ payload }) => payload)).toEqual(['one', 'two'])
  })

  it('may let go of an identifier again after a restart', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    await keptSubscriber(before, 'reader', 'a')
    const client = await before.join('c', lasting())
    await client.finish(publish('a', 'one', { qos: 2, id: 7 }))
    const after = await lives.begin()
    const again = await after.join('c', lasting())
    await again.finish(pubrel(7))
    expect(again.received()).toMatchObject([{ type: 'PUBCOMP', id: 7, reasonCode: 0 }])
    const last = await lives.begin()
    const third = await last.join('c', lasting())
    await third.finish(pubrel(7))
    expect(third.received()).toMatchObject([{ type: 'PUBCOMP', id: 7, reasonCode: 0x92 }])
  })

  it('[MQTT5-3.3.4-7] what it has open since before the restart does not count against the receive maximum', async () => {
    const lives = new Lives({ settings: { receiveMaximum: 2 } })
    const before = await lives.begin()
    await keptSubscriber(before, 'reader', 'a')
    const client = await before.join('c', lasting())
    await client.finish(publish('a', '1', { qos: 2, id: 1 }), publish('a', '2', { qos: 2, id: 2 }))
    const again = await (await lives.begin()).join('c', lasting())
    await again.finish(publish('a', '3', { qos: 2, id: 3 }), publish('a', '4', { qos: 1, id: 4 }))
    expect(again.received().map(({ type }) => type)).toEqual(['PUBREC', 'PUBACK'])
  })
})

describe('nothing leaves before the log has it', () => {
  it('[MQTT5-4.6.0-6] and nothing overtakes: QoS 0, 1 and 2 come as they were published', async () => {
    const lives = new Lives()
    const world = await lives.begin()
    const client = await keptSubscriber(world, 'c', 'a', 2)
    const drafts = Array.from({ length: 30 }, (_, index) => {
      const qos = (index % 3) as 0 | 1 | 2
      return publish('a', String(index), qos === 0 ? {} : { qos, id: index + 1 })
    })
    await world.connect('p').finish(...drafts)
    expect(client.publishes().map(({ payload }) => Number(payload))).toEqual(Array.from(drafts.keys()))
  })

  it('[MQTT5-4.6.0-4] PUBREL packets come in the order of the PUBREC packets, of messages in the log and others', async () => {
    const lives = new Lives()
    const world = await lives.begin()
    const publisher = world.connect('p')
    await publisher.finish(publish('r/1', 'retained', { qos: 2, id: 1, retain: true }), pubrel(1))
    const client = await world.join('c', lasting())
    await client.finish(subscribe(1, 'r/#'))
    await publisher.finish(publish('r/2', 'live', { qos: 2, id: 2 }), publish('r/3', 'live', { qos: 2, id: 3 }))
    const sent = client.received().flatMap((packet) => (packet.type === 'PUBLISH' ? [packet.id] : []))
    expect(sent).toHaveLength(3)
    const answers = [sent[1]!, sent[0]!, sent[2]!]
    await client.finish(...answers.map((id) => pubrec(id)))
    expect(client.received().map((packet) => packet.type === 'PUBREL' && packet.id)).toEqual(answers)
  })

  it('a PUBREC or PUBACK for what has not been sent is one of nothing', async () => {
    const lives = new Lives()
    const world = await lives.begin()
    const client = await keptSubscriber(world, 'c', 'a', 2)
    const publisher = world.connect('p')
    publisher.push(publish('a', 'two', { qos: 2, id: 1 }), publish('a', 'one', { qos: 1, id: 2 }))
    client.push(pubrec(1), puback(2))
    for (let turn = 0; turn < 3; turn++) {
      world.turn()
      client.push(pubrec(1), puback(2))
    }
    await world.settle()
    const publishes = client.received().filter(({ type }) => type === 'PUBLISH')
    expect(publishes).toHaveLength(2)
    expect(world.vhost.sessions.find('c')!.queue.inflightCount).toBeGreaterThanOrEqual(1)
  })

  it('a repeated PUBREC or PUBREL is answered once while the log has not answered', async () => {
    const lives = new Lives({ version: 4 })
    const world = await lives.begin()
    const reader = await world.join('r', { clean: false })
    await reader.finish(subscribe(1, 'a'))
    reader.next('SUBACK')
    const client = await world.join('c', { clean: false })
    await client.finish(publish('a', 'x', { qos: 2, id: 1 }))
    client.next('PUBREC')
    await client.finish(pubrel(1), pubrel(1))
    expect(outline(client.received())).toEqual(['PUBCOMP 1'])
    const [message] = reader.publishes()
    await reader.finish(pubrec(message!.id), pubrec(message!.id))
    expect(outline(reader.received())).toEqual([`PUBREL ${message!.id}`])
    await reader.finish(pubcomp(message!.id), pubcomp(message!.id))
    expect(reader.received()).toEqual([])
  })
})

describe('a shared subscription with a kept member', () => {
  it('[MQTT5-4.8.2-1] has its messages and its members after a restart', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const one = await keptSubscriber(before, 'one', '$share/g/a', 1)
    const two = await keptSubscriber(before, 'two', '$share/g/a', 1)
    await one.finish(disconnect())
    await two.finish(disconnect())
    await send(before, 'a', 1, '1', '2')

    const after = await lives.begin()
    const first = await after.join('one', lasting())
    expect(first.publishes().map(({ payload }) => payload)).toEqual(['1', '2'])
    const second = await after.join('two', lasting())
    await send(after, 'a', 1, '3', '4')
    expect([first.publishes(), second.publishes()].map((packets) => packets.length)).toEqual([1, 1])
  })

  it('is gone after a restart when its last member has left', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const one = await keptSubscriber(before, 'one', '$share/g/a', 1)
    await send(before, 'a', 1, '1')
    await one.finish(puback(one.publishes()[0]!.id), unsubscribe(2, '$share/g/a'))
    const after = await lives.begin()
    expect(after.vhost.shared.count).toBe(0)
    expect((await after.join('one', lasting())).received()).toEqual([])
  })
})

describe('subscriptions to queues', () => {
  it('[MQTT5-4.1-a] are there after a restart, patterns included, with QoS and identifier', async () => {
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', '$queue/orders.>', 1)
    await client.finish(disconnect())
    await send(before, '$queue/orders.eu', 2, 'one')
    const after = await lives.begin()
    const again = await after.join('c', lasting())
    expect(again.publishes()).toMatchObject([{ topic: '$queue/orders.eu', payload: 'one', qos: 1 }])
    await send(after, '$queue/orders.us', 1, 'two')
    expect(again.publishes()).toMatchObject([{ topic: '$queue/orders.us', payload: 'two' }])
    await again.finish(unsubscribe(1, '$queue/orders.>'))
    const last = await lives.begin()
    expect(last.vhost.sessions.find('c')!.bindingCount).toBe(0)
  })

  it.each(['$queue/q', '$share/g/a'])('[MQTT5-3.10.4-3] what %s had sent at QoS 2 is finished after UNSUBSCRIBE and a restart', async (filter) => {
    const address = filter === '$queue/q' ? filter : 'a'
    const lives = new Lives()
    const before = await lives.begin()
    const client = await keptSubscriber(before, 'c', filter)
    await send(before, address, 2, 'one', 'two')
    const other = await keptSubscriber(before, 'other', filter)
    const [one, two] = client.publishes()
    await client.finish(pubrec(one!.id), unsubscribe(2, filter))
    client.received()

    const after = await lives.begin()
    const again = await after.join('other', lasting())
    expect(again.received()).toEqual([])
    const back = await after.join('c', lasting())
    expect(outline(back.received())).toEqual([`PUBREL ${one!.id}`, `PUBLISH ${two!.id} two dup`])
    await back.finish(pubcomp(one!.id), pubrec(two!.id), pubcomp(two!.id))
    await send(after, address, 2, 'three')
    expect(outline(back.received())).toEqual([`PUBREL ${two!.id}`])
    expect(again.publishes()).toMatchObject([{ payload: 'three' }])
    expect(other.received()).toEqual([])
  })
})
