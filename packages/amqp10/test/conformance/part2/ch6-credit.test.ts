import { describe, expect, test } from 'vitest'

import {
  conditionOf,
  type Peer,
  type ReceiverPeer,
  type SenderPeer,
  type SessionPeer,
  World,
  type WorldOptions,
} from '../../harness.ts'
import { aNumber } from '../matchers.ts'

const LAST = 0xffff_ffff

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
}

function begun(options: WorldOptions = {}): Scene {
  const world = new World(options)
  const peer = world.connect()
  return { world, peer, session: peer.begin() }
}

/** A receiver on a queue with messages 'm0', 'm1', … */
function receiving(count: number, fields = {}): Scene & { receiver: ReceiverPeer } {
  const scene = begun()
  scene.world.define('q')
  for (let index = 0; index < count; index++) scene.world.publish('$queue/q', `m${index}`)
  return { ...scene, receiver: scene.session.receiver('queue://q', fields) }
}

function sending(options: WorldOptions = {}, fields = {}): Scene & { sender: SenderPeer } {
  const scene = begun(options)
  return { ...scene, sender: scene.session.sender('queue://q', fields) }
}

describe('a receiver', () => {
  test('[AMQP10-2.6.7-e] without credit gets nothing', () => {
    const { world, receiver } = receiving(3)
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual([])
  })

  test('[AMQP10-2.6.7-d, AMQP10-2.6.7-e] gets as many as its credit', () => {
    const { receiver } = receiving(5)
    receiver.grant(2)
    expect(receiver.texts()).toEqual(['m0', 'm1'])
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['m2'])
    receiver.grant(100)
    expect(receiver.texts()).toEqual(['m3', 'm4'])
  })

  test('[AMQP10-2.6.7-d] with all the credit that there can be gets all there is', () => {
    const { receiver } = receiving(5)
    receiver.credit = 5
    receiver.session.flow({ handle: receiver.handle, deliveryCount: 0, linkCredit: LAST })
    expect(receiver.texts()).toHaveLength(5)
  })

  test('[AMQP10-2.6.7-b] that says the delivery-count of before means so much less credit', () => {
    const { receiver } = receiving(9)
    receiver.grant(3)
    expect(receiver.texts()).toHaveLength(3)
    // As if said when one of the three had come: of the four, two are under way.
    receiver.grant(4, { deliveryCount: (receiver.deliveryCount - 2) >>> 0 })
    expect(receiver.texts()).toEqual(['m3', 'm4'])
  })

  test('[AMQP10-2.6.7-b] that takes credit back while deliveries are under way gets no more', () => {
    const { receiver } = receiving(9)
    receiver.grant(3)
    expect(receiver.texts()).toHaveLength(3)
    receiver.grant(1, { deliveryCount: (receiver.deliveryCount - 3) >>> 0 })
    expect(receiver.texts()).toEqual([])
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['m3'])
  })

  test('[AMQP10-2.6.7-c] that knows no delivery-count yet counts from the initial one', () => {
    const { world, peer, session } = begun()
    world.publish('$queue/q', 'a')
    world.publish('$queue/q', 'b')
    const receiver = session.newReceiver('queue://q')
    receiver.credit = 1
    peer.send(receiver.attachFrame(), session.flowFrame({ handle: receiver.handle, linkCredit: 1 }))
    receiver.attached(peer.next('attach'))
    expect(receiver.texts()).toEqual(['a'])
  })

  test('[AMQP10-2.6.7-d] that sends a flow without link-credit leaves the credit as it is', () => {
    const { peer, session, receiver } = receiving(0)
    receiver.grant(5)
    session.flow({ handle: receiver.handle, echo: true })
    expect(peer.next('flow')).toMatchObject({ handle: receiver.remoteHandle, linkCredit: 5 })
  })

  test('[AMQP10-2.6.9-a] that tops credit up before it has run out gets all that comes', () => {
    const { world, receiver } = receiving(0)
    receiver.grant(4)
    const got: (string | undefined)[] = []
    for (let index = 0; index < 20; index++) {
      world.publish('$queue/q', `${index}`)
      got.push(...receiver.texts())
      if (receiver.credit <= 2) receiver.grant(4)
    }
    expect(got).toHaveLength(20)
  })

  test('[AMQP10-2.6.10-a] that sets credit to 0 with echo hears that nothing more comes', () => {
    const { world, peer, receiver } = receiving(0)
    receiver.grant(5)
    receiver.grant(0, { echo: true })
    expect(peer.next('flow')).toMatchObject({
      handle: receiver.remoteHandle,
      linkCredit: 0,
      deliveryCount: receiver.deliveryCount,
    })
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual([])
  })

  test('with much credit gets the messages of a queue in their order, over turns', () => {
    const { receiver } = receiving(3_000)
    receiver.grant(5_000)
    expect(receiver.texts()).toEqual(Array.from({ length: 3_000 }, (_, index) => `m${index}`))
  })

  test('[AMQP10-2.6.7-e] without credit does not hold others back', () => {
    const { world, session, receiver } = receiving(0)
    const other = session.receiver('queue://q')
    other.grant(10)
    world.publish('$queue/q', 'a')
    world.publish('$queue/q', 'b')
    expect(receiver.credit).toBe(0)
    expect(other.texts()).toEqual(['a', 'b'])
  })

  test('[AMQP10-2.6.7-j, AMQP10-2.7.4-f] is told what is available, and the credit that it last gave', () => {
    const { peer, receiver } = receiving(3)
    receiver.grant(0, { echo: true })
    expect(peer.next('flow')).toMatchObject({ available: aNumber, linkCredit: 0 })
  })
})

describe('delivery-count', () => {
  test('[AMQP10-2.6.7-i] of a sender goes on with 0 after the highest', () => {
    const { world, peer, session, sender } = sending(
      { settings: { linkCredit: 10 } },
      { initialDeliveryCount: LAST - 2 },
    )
    expect(sender.credit).toBe(10)
    for (let index = 0; index < 30; index++) sender.send(`${index}`)
    expect(world.queue('q').waitingCount).toBe(30)
    const flow = peer.takeAll('flow').at(-1)!
    sender.noteFlow(flow)
    expect(sender.credit).toBeGreaterThan(0)
    expect(sender.credit).toBeLessThanOrEqual(10)
    session.flow({ handle: sender.handle, deliveryCount: sender.deliveryCount, linkCredit: 1, echo: true })
    expect(peer.takeAll('flow').at(-1)).toMatchObject({ deliveryCount: 27 })
  })

  test('[AMQP10-2.7.4-e] of the receiver is none before it was told, then the last that it knows', () => {
    const { peer, session, sender } = sending({}, { initialDeliveryCount: 40 })
    sender.send('x')
    peer.received()
    session.flow({ handle: sender.handle, deliveryCount: 41, linkCredit: 0, echo: true })
    expect(peer.next('flow')).toMatchObject({ handle: sender.remoteHandle, deliveryCount: 41 })
  })

  test('[AMQP10-2.6.7-a, AMQP10-2.7.4-e] of our end goes up with every message', () => {
    const { peer, receiver } = receiving(4)
    const first = receiver.deliveryCount
    receiver.grant(3)
    expect(receiver.texts()).toHaveLength(3)
    receiver.grant(0, { echo: true })
    expect(peer.next('flow')).toMatchObject({ deliveryCount: (first + 3) >>> 0 })
  })
})

describe('drain', () => {
  test('[AMQP10-2.6.7-f] of an empty queue uses the credit up, and says so', () => {
    const { peer, receiver } = receiving(0)
    const first = receiver.deliveryCount
    receiver.grant(10, { drain: true })
    expect(peer.next('flow')).toMatchObject({
      handle: receiver.remoteHandle,
      linkCredit: 0,
      deliveryCount: (first + 10) >>> 0,
      drain: true,
    })
  })

  test('[AMQP10-2.6.7-g, AMQP10-2.6.7-f] sends what is there first', () => {
    const { peer, receiver } = receiving(3)
    receiver.grant(10, { drain: true })
    expect(receiver.texts()).toEqual(['m0', 'm1', 'm2'])
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0, drain: true })
    expect(receiver.credit).toBe(0)
  })

  test('[AMQP10-2.6.7-g] sends all of a long queue, in turns and windows, before it says so', () => {
    const { session, peer, receiver } = receiving(2_000)
    session.flow({ incomingWindow: 500 })
    receiver.grant(3_000, { drain: true })
    let count = 0
    while (count < 2_000) {
      const got = receiver.takeAll()
      if (got.length === 0) break
      count += got.length
      session.flow({ incomingWindow: 500 })
    }
    expect(count).toBe(2_000)
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0, drain: true })
  })

  test('[AMQP10-2.6.7-g] with less credit than messages sends as many as that, and has none left to use up', () => {
    const { receiver } = receiving(5)
    receiver.grant(2, { drain: true })
    expect(receiver.texts()).toEqual(['m0', 'm1'])
    expect(receiver.credit).toBe(0)
  })

  test('[AMQP10-2.6.8-a] after credit that brought nothing ends a get with a time-out', () => {
    const { world, peer, receiver } = receiving(0)
    receiver.grant(1)
    world.advance(5_000)
    receiver.grant(receiver.credit, { drain: true })
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0 })
    world.publish('$queue/q', 'late')
    expect(receiver.texts()).toEqual([])
  })

  test('[AMQP10-2.6.8-a] after credit that brought a message ends a get as well', () => {
    const { world, peer, receiver } = receiving(0)
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    receiver.grant(receiver.credit, { drain: true })
    expect(receiver.take().message.text).toBe('x')
    expect(peer.waiting.filter((kind) => kind === 'transfer')).toEqual([])
  })

  test('[AMQP10-2.6.7-f] is over with it: what comes later waits for credit', () => {
    const { world, peer, receiver } = receiving(0)
    receiver.grant(2, { drain: true })
    peer.next('flow')
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual([])
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['x'])
  })

  test('[AMQP10-2.6.7-f] of a topic uses the credit up', () => {
    const { peer, session } = begun()
    const receiver = session.receiver('topic://a')
    receiver.grant(3, { drain: true })
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0 })
  })

  test('[AMQP10-2.6.7-f] of one link leaves another one as it is', () => {
    const { world, peer, session, receiver } = receiving(0)
    const other = session.receiver('queue://other')
    other.grant(1)
    receiver.grant(4, { drain: true })
    expect(peer.next('flow')).toMatchObject({ handle: receiver.remoteHandle })
    world.publish('$queue/other', 'x')
    expect(other.texts()).toEqual(['x'])
  })
})

describe('a sender', () => {
  test('[AMQP10-2.7.4-f] gets credit once it is attached', () => {
    const { sender } = sending({ settings: { linkCredit: 50 } })
    expect(sender.credit).toBe(50)
  })

  test('[AMQP10-2.6.7-h] that sends beyond its credit has its link detached with transfer-limit-exceeded', async () => {
    const world = await World.withLog({ settings: { linkCredit: 2 } })
    const peer = world.connect()
    const sender = peer.begin().sender('queue://q')
    const durable = { header: { durable: true }, data: 'x' }
    // None of them is stored yet when the third comes.
    await peer.finish(...[1, 2, 3].map(() => sender.transferFrame(durable)))
    expect(conditionOf(peer.takeAll('detach')[0]!)).toBe('amqp:link:transfer-limit-exceeded')
    expect(world.queue('q').waitingCount).toBe(2)
  })

  test('[AMQP10-2.6.7-h] that sends in one write more than its credit has its link detached as well', () => {
    const { peer, session } = begun({ settings: { linkCredit: 2 } })
    const sender = session.newSender('queue://q')
    peer.send(sender.attachFrame(), ...['a', 'b', 'c', 'd', 'e', 'f'].map((text) => sender.transferFrame(text)))
    expect(conditionOf(peer.takeAll('detach')[0]!)).toBe('amqp:link:transfer-limit-exceeded')
  })

  test('gets new credit as its messages are taken', () => {
    const { world, sender } = sending({ settings: { linkCredit: 4 } })
    for (let index = 0; index < 100; index++) sender.send(`${index}`)
    expect(world.queue('q').waitingCount).toBe(100)
  })

  test('[AMQP10-2.7.4-f] is told the credit it has when it asks', () => {
    const { peer, session, sender } = sending({ settings: { linkCredit: 50 } })
    sender.send('x')
    peer.received()
    session.flow({ handle: sender.handle, deliveryCount: 1, linkCredit: 49, echo: true })
    const flow = peer.next('flow')
    sender.noteFlow(flow)
    expect(sender.credit).toBeGreaterThanOrEqual(49)
    expect(sender.credit).toBeLessThanOrEqual(50)
  })
})

describe('flow', () => {
  test('[AMQP10-2.7.4-a, AMQP10-2.7.4-b] of the broker has what it must', () => {
    const { peer, session } = begun()
    session.flow({ echo: true })
    const flow = peer.next('flow')
    expect(flow).toMatchObject({
      nextIncomingId: aNumber,
      incomingWindow: aNumber,
      nextOutgoingId: aNumber,
      outgoingWindow: aNumber,
    })
    expect(flow['handle']).toBeUndefined()
  })

  test('[AMQP10-2.7.4-g, AMQP10-2.7.4-h] with echo is answered with one of the session or of the link, without echo', () => {
    const { peer, session, sender } = sending()
    session.flow({ echo: true })
    expect(peer.next('flow')['echo']).toBe(false)
    session.flow({ handle: sender.handle, deliveryCount: 0, linkCredit: 5, echo: true })
    expect(peer.next('flow')).toMatchObject({ handle: sender.remoteHandle, echo: false })
    session.flow()
    expect(peer.received()).toEqual([])
  })

  test('[AMQP10-2.7.4-c, AMQP10-2.8.17-b] for a handle without a link ends the session with unattached-handle', () => {
    const { peer, session } = begun()
    session.flow({ handle: 3 })
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
  })

  test('[AMQP10-2.7.4-d] of the session has no fields of a link', () => {
    const { peer, session } = begun()
    session.flow({ echo: true })
    const flow = peer.next('flow')
    for (const field of ['deliveryCount', 'linkCredit', 'available']) expect(flow[field]).toBeUndefined()
  })

  test('[AMQP10-2.7.4-d] of a client with fields of a link and no handle: they do not count', () => {
    const { world, peer, session } = begun()
    const receiver = session.receiver('queue://q')
    world.publish('$queue/q', 'x')
    session.flow({ linkCredit: 5 })
    expect(receiver.credit).toBe(0)
    expect(peer.received().filter(({ kind }) => kind === 'transfer')).toEqual([])
  })
})
