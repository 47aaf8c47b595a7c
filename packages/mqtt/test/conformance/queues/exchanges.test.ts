/** What a consumer of a queue has and has not acknowledged, and what a publisher is told. [ADR-0007] */
import { describe, expect, it, vi } from 'vitest'
import {
  connect,
  disconnect,
  pingreq,
  prop,
  puback,
  publish,
  pubcomp,
  pubrec,
  pubrel,
  subscribe,
  subscribeWith,
  unsubscribe,
  World,
} from '../../harness.ts'
import { lasting, payloads, subscriber, take } from '../mqtt5/scenes.ts'

describe('what a consumer had when its connection ended', () => {
  it.each(['vanishes', 'says goodbye'])('goes to another one at once at QoS 1, when it %s, and back to its place', (how) => {
    const world = new World()
    const first = subscriber(world, 'c1', { filter: '$queue/q', qos: 1 }, lasting())
    const sender = world.connect('p')
    for (let id = 1; id <= 3; id++) sender.send(publish('$queue/q', String(id), { qos: 1, id }))
    const sent = first.publishes()
    first.send(puback(sent[1]!.id))
    if (how === 'vanishes') first.vanish()
    else first.send(disconnect())
    sender.send(publish('$queue/q', '4', { qos: 1, id: 4 }))
    expect(payloads(subscriber(world, 'c2', '$queue/q'))).toEqual(['1', '3', '4'])
    expect(world.connect('c1', lasting()).received()).toEqual([])
  })

  it('[MQTT5-3.3.1-1, MQTT5-3.3.1-3] has DUP 0 for somebody else: it is not a repetition of a packet of theirs', () => {
    const world = new World()
    const first = subscriber(world, 'c1', '$queue/q')
    world.connect('p').send(publish('$queue/q', 'x', { qos: 1, id: 1, dup: true }))
    expect(first.publishes()).toMatchObject([{ dup: false }])
    const second = subscriber(world, 'c2', '$queue/q')
    first.vanish()
    expect(second.publishes()).toMatchObject([{ payload: 'x', dup: false }])
  })

  it('[MQTT5-4.4.0-1, MQTT5-3.3.1-1] stays with it at QoS 2, under its identifier and with DUP, while its session lasts', () => {
    const world = new World()
    const first = subscriber(world, 'c1', '$queue/q', lasting())
    const sender = world.connect('p')
    sender.send(publish('$queue/q', 'one', { qos: 2, id: 1 }), publish('$queue/q', 'two', { qos: 2, id: 2 }))
    const [one, two] = first.publishes()
    first.send(pubrec(one!.id))
    first.vanish()
    const other = subscriber(world, 'c2', '$queue/q')
    expect(other.received()).toEqual([])
    const again = world.connect('c1', lasting())
    expect(again.received()).toMatchObject([
      { type: 'PUBREL', id: one!.id },
      { type: 'PUBLISH', payload: 'two', id: two!.id, dup: true },
    ])
    again.send(pubcomp(one!.id), pubrec(two!.id), pubcomp(two!.id))
    expect(world.vhost.destinations.find('q')!.queue.inflightCount).toBe(0)
  })

  it('goes to others at QoS 2 when its session ends, unless it said that it has it', () => {
    const world = new World()
    const first = subscriber(world, 'c1', '$queue/q')
    const sender = world.connect('p')
    sender.send(publish('$queue/q', 'had', { qos: 2, id: 1 }), publish('$queue/q', 'not yet', { qos: 2, id: 2 }))
    first.send(pubrec(first.publishes()[0]!.id))
    first.vanish()
    expect(payloads(subscriber(world, 'c2', '$queue/q'))).toEqual(['not yet'])
  })

  it('counts as a failed attempt: what ends every connection is dead-lettered in the end', () => {
    const world = new World()
    world.connect('p').send(publish('$queue/q', 'poison', { qos: 1, id: 1 }))
    for (let attempt = 1; attempt <= 10; attempt++) {
      const victim = subscriber(world, `c${attempt}`, '$queue/q')
      expect(payloads(victim)).toEqual(['poison'])
      victim.vanish()
    }
    const dead = subscriber(world, 'd', '$queue/DLQ')
    expect(dead.publishes()).toMatchObject([{ topic: '$queue/DLQ', payload: 'poison' }])
    expect(payloads(subscriber(world, 'c', '$queue/q'))).toEqual([])
  })

  it.each([
    ['ends with its connection', {}],
    ['stays', lasting()],
  ])('does not count as a failed attempt of a client that said DISCONNECT, whose session %s', (_, options) => {
    const world = new World()
    world.connect('p').send(publish('$queue/q', 'm', { qos: 1, id: 1 }))
    for (let attempt = 1; attempt <= 12; attempt++) {
      const client = subscriber(world, `c${attempt}`, { filter: '$queue/q', qos: 1 }, options)
      expect(payloads(client)).toEqual(['m'])
      client.send(disconnect())
    }
    const { line } = world.vhost.destinations.find('q')!.queue.lanes[0]!
    expect(line.look(1)).toMatchObject({ failedCount: 0, redelivered: true })
  })

  it('counts as a failed attempt of a client that leaves because of an error', () => {
    const world = new World()
    world.connect('p').send(publish('$queue/q', 'm', { qos: 1, id: 1 }))
    const client = subscriber(world, 'c', '$queue/q')
    expect(payloads(client)).toEqual(['m'])
    client.send(disconnect({ reason: 0x80 }))
    expect(world.vhost.destinations.find('q')!.queue.lanes[0]!.line.look(1)).toMatchObject({ failedCount: 1 })
  })

  it('does not count as a failed attempt where it had not been written to the connection yet', async () => {
    const world = await World.withLog()
    const client = await world.join('c', lasting())
    await client.finish(subscribe(1, '$queue/q'))
    client.next('SUBACK')
    const sender = await world.join('p')
    await sender.finish(publish('$queue/q', 'first', { qos: 1, id: 1 }))
    expect(payloads(client)).toEqual(['first'])
    vi.spyOn(world.vhost.log, 'noteDelivered').mockImplementation(() => {}) // the log takes its time
    await sender.finish(publish('$queue/q', 'held', { qos: 2, id: 2 }), publish('$queue/q', 'behind it', { qos: 1, id: 3 }))
    expect(payloads(client)).toEqual([])
    client.vanish()
    const { line } = world.vhost.destinations.find('q')!.queue.lanes[0]!
    expect([1, 3].map((position) => [line.isWaiting(position), line.look(position)!.failedCount])).toEqual([
      [true, 1],
      [true, 0],
    ])
  })
})

describe('after UNSUBSCRIBE', () => {
  it('[MQTT5-3.10.4-3] what a queue has sent is finished, and nothing new comes', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/q')
    const sender = world.connect('p')
    sender.send(
      publish('$queue/q', 'one', { qos: 1, id: 1 }),
      publish('$queue/q', 'two', { qos: 2, id: 2 }),
      publish('$queue/q', 'three', { qos: 2, id: 3 }),
    )
    const [one, two, three] = client.publishes()
    client.send(pubrec(three!.id))
    expect(client.next('PUBREL').id).toBe(three!.id)
    client.send(unsubscribe(1, '$queue/q'))
    expect(client.next('UNSUBACK').reasonCodes).toEqual([0])
    sender.send(publish('$queue/q', 'later', { qos: 1, id: 4 }))
    client.send(puback(one!.id), pubrec(two!.id), pubcomp(three!.id))
    expect(client.next('PUBREL')).toMatchObject({ id: two!.id, reasonCode: 0 })
    client.send(pubcomp(two!.id), pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
    expect(world.vhost.sessions.find('c')!.pool.used).toBe(0)
    const { queue } = world.vhost.destinations.find('q')!
    expect([queue.waitingCount, queue.inflightCount]).toEqual([1, 0])
    expect(world.events.filter(({ text }) => text.includes('not in use'))).toEqual([])
  })

  it('what is not acknowledged when the connection ends goes back at QoS 1 and stays at QoS 2', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/q', lasting())
    world.connect('p').send(publish('$queue/q', 'one', { qos: 1, id: 1 }), publish('$queue/q', 'two', { qos: 2, id: 2 }))
    const sent = client.publishes()
    client.send(unsubscribe(1, '$queue/q'))
    client.vanish()
    expect(payloads(subscriber(world, 'other', '$queue/q'))).toEqual(['one'])
    expect(world.connect('c', lasting()).publishes()).toMatchObject([{ payload: 'two', id: sent[1]!.id, dup: true }])
  })

  it('and the end of the session all of it goes back', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/q', lasting())
    world.connect('p').send(publish('$queue/q', 'one', { qos: 1, id: 1 }), publish('$queue/q', 'two', { qos: 2, id: 2 }))
    client.send(unsubscribe(1, '$queue/q'), disconnect({ properties: [prop('sessionExpiryInterval', 0)] }))
    expect(payloads(subscriber(world, 'other', '$queue/q'))).toEqual(['one', 'two'])
  })
})

describe('a queue that is deleted', () => {
  it('leaves the client the right to acknowledge what it has', () => {
    const world = new World()
    const client = subscriber(world, 'c', '$queue/q', lasting())
    world.connect('p').send(publish('$queue/q', 'one', { qos: 1, id: 1 }), publish('$queue/q', 'two', { qos: 2, id: 2 }))
    const [one, two] = client.publishes()
    world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
    client.send(puback(one!.id), pubrec(two!.id))
    expect(client.next('PUBREL').id).toBe(two!.id)
    client.send(pubcomp(two!.id), pingreq())
    expect(client.next('PINGRESP')).toBeDefined()
    expect(world.vhost.sessions.find('c')!.pool.used).toBe(0)
  })
})

describe('RETAIN and a queue', () => {
  it.each([1, 2] as const)('[MQTT5-3.3.1-5] a retained message of QoS %i is refused with a word, and none is kept', (qos) => {
    const world = new World()
    const client = world.connect('c')
    client.send(publish('$queue/q', 'x', { qos, id: 1, retain: true }), publish('$queue/q', 'y', { qos, id: 1 }))
    const refused = client.next(qos === 1 ? 'PUBACK' : 'PUBREC')
    expect(refused.reasonCode).toBe(0x83)
    expect(refused.properties.reasonString).toContain("'$queue/q' is a queue, which has no retained message")
    expect(client.next(qos === 1 ? 'PUBACK' : 'PUBREC').reasonCode).toBe(0)
    expect(world.vhost.retained.count).toBe(0)
    expect(payloads(subscriber(world, 'r', '$queue/q'))).toEqual(['y'])
  })

  it('at QoS 0 nobody can be told but the operator', () => {
    const world = new World()
    const client = world.connect('c')
    client.send(publish('$queue/q', 'x', { retain: true }), pingreq())
    expect(client.received()).toMatchObject([{ type: 'PINGRESP' }])
    expect(world.events.filter(({ kind, text }) => kind === 'refused' && text.includes('no retained message'))).toHaveLength(1)
    expect(world.vhost.retained.count).toBe(0)
  })

  it('[MQTT311-4.8.0-2] ends the connection of an MQTT 3.1.1 client, which has no other word for it', () => {
    const world = new World({ version: 4 })
    const client = world.connect('c')
    client.send(publish('$queue/q', 'x', { qos: 1, id: 1, retain: true }))
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })

  it('[MQTT5-3.2.2-13] a retained will to a queue is refused at CONNECT, one that is not retained arrives', () => {
    const world = new World()
    const refused = world.open()
    refused.send(connect({ clientId: 'c', will: { topic: '$queue/q', payload: 'x', qos: 1, retain: true } }))
    expect(refused.refusal()).toBe(0x9a)
    const client = world.connect('c', { will: { topic: '$queue/q', payload: 'gone', qos: 1 } })
    client.vanish()
    expect(payloads(subscriber(world, 'r', '$queue/q'))).toEqual(['gone'])
  })
})

describe('a message whose time is over when it comes', () => {
  it.each([0, 1, 2] as const)('[MQTT5-3.3.2-5] goes to nobody at QoS %i, be there a consumer or not', (qos) => {
    const world = new World()
    const options = { properties: [prop('messageExpiryInterval', 0)], ...(qos > 0 && { qos, id: 1 }) }
    const sender = world.connect('p')
    sender.send(publish('$queue/waits', 'x', options), ...(qos === 2 ? [pubrel(1)] : []))
    const direct = [subscriber(world, 'c', '$queue/direct'), subscriber(world, 't', 'topic'), subscriber(world, 's', '$share/g/topic')]
    sender.send(
      publish('$queue/direct', 'x', options),
      ...(qos === 2 ? [pubrel(1)] : []),
      publish('topic', 'x', options),
    )
    for (const client of [...direct, subscriber(world, 'late', '$queue/waits')]) expect(payloads(client)).toEqual([])
    expect(world.vhost.counters.expired).toBe(4)
  })
})

describe('[MQTT5-3.3.4-7] what waits for the log counts against the receive maximum', () => {
  it('QoS 1 and QoS 2 together', async () => {
    const world = await World.withLog({ settings: { receiveMaximum: 3 } })
    const client = world.connect('c')
    const three = [1, 2, 3].map((id) => publish('$queue/q', 'x', { qos: id === 2 ? 2 : 1, id }))
    await client.finish(...three)
    expect(client.received().map(({ type }) => type)).toEqual(['PUBACK', 'PUBREC', 'PUBACK'])
    // One is open, two more are allowed.
    await client.finish(publish('$queue/q', 'x', { qos: 1, id: 4 }), publish('$queue/q', 'x', { qos: 2, id: 5 }))
    expect(client.received().map(({ type }) => type)).toEqual(['PUBACK', 'PUBREC'])
    client.push(publish('$queue/q', 'x', { qos: 1, id: 6 }), publish('$queue/q', 'x', { qos: 1, id: 7 }))
    await world.settle()
    expect(client.received()).toMatchObject([{ type: 'DISCONNECT', reasonCode: 0x93 }])
  })

  it('refusals in their turn, too', async () => {
    const world = await World.withLog({ settings: { receiveMaximum: 2 } })
    const client = world.connect('c')
    client.push(
      publish('$queue/q', 'x', { qos: 1, id: 1 }),
      publish('$queue/q', 'x', { qos: 1, id: 2, retain: true }),
      publish('$queue/q', 'x', { qos: 1, id: 3 }),
    )
    await world.settle()
    expect(client.goodbye()).toBe(0x93)
  })

  it('and does not when it has been answered', async () => {
    const world = await World.withLog({ settings: { receiveMaximum: 2 } })
    const client = world.connect('c')
    for (let id = 1; id <= 20; id++) {
      await client.finish(publish('$queue/q', 'x', { qos: 1, id }), publish('$queue/q', 'x', { qos: 1, id: id + 100 }))
    }
    expect(client.received()).toHaveLength(40)
    expect(client.isClosed).toBe(false)
  })

  it('before MQTT 5 nobody was told a maximum', async () => {
    const world = await World.withLog({ version: 4, settings: { receiveMaximum: 2 } })
    const client = world.connect('c')
    await client.finish(...[1, 2, 3, 4].map((id) => publish('$queue/q', 'x', { qos: 1, id })))
    expect(client.received()).toHaveLength(4)
  })
})

describe('a session that takes queues and topics', () => {
  it('has one receive maximum for all of them, and each acknowledgement goes to its own', () => {
    const world = new World()
    const client = world.connect('c', { properties: [prop('receiveMaximum', 3)] })
    take(client, '$queue/q')
    take(client, 't')
    take(client, '$share/g/s')
    const sender = world.connect('p')
    const addresses = ['$queue/q', 't', 's', '$queue/q', 't', 's']
    addresses.forEach((address, index) => sender.send(publish(address, String(index), { qos: 1, id: index + 1 })))
    const got: string[] = []
    for (let batch = client.publishes(); batch.length > 0; batch = client.publishes()) {
      expect(batch.length).toBeLessThanOrEqual(3)
      for (const packet of batch) got.push(`${packet.topic} ${packet.payload}`)
      client.send(...batch.map(({ id }) => puback(id)))
    }
    expect(got.sort()).toEqual(['$queue/q 0', '$queue/q 3', 's 2', 's 5', 't 1', 't 4'])
    expect(world.vhost.destinations.find('q')!.queue.inflightCount).toBe(0)
  })

  it('goes on with queues when its transport has room again', () => {
    const world = new World()
    const client = world.connect('c', { kernelBytes: 16_384 })
    client.send(subscribeWith(1, [], { filter: '$queue/q', qos: 0 }))
    client.next('SUBACK')
    client.stopReading()
    const sender = world.connect('p')
    for (let id = 1; id <= 60; id++) sender.send(publish('$queue/q', 'x'.repeat(50_000), { qos: 1, id }))
    expect(world.vhost.destinations.find('q')!.queue.waitingCount).toBeGreaterThan(0)
    client.readAgain()
    expect(client.publishes()).toHaveLength(60)
  })

  it.each(['$queue/q', '$share/s/t'])('[MQTT5-3.1.2-24] %s leaves what is larger than its client takes to others', (filter) => {
    const world = new World()
    const client = world.connect('c', { properties: [prop('maximumPacketSize', 100)] })
    client.send(subscribe(1, { filter, qos: 1 }))
    client.next('SUBACK')
    const sender = world.connect('p')
    const to = filter.startsWith('$queue') ? filter : 't'
    const large = 'x'.repeat(200)
    sender.send(publish(to, large, { qos: 2, id: 1 }), publish(to, 'fits', { qos: 1, id: 2 }), publish(to, `${large}0`))
    expect(payloads(client)).toEqual(['fits'])
    expect(payloads(subscriber(world, 'd', filter))).toEqual([large, `${large}0`])
    expect(world.vhost.destinations.find('DLQ')).toBeUndefined()
  })
})
