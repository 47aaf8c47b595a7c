import { describe, expect, test } from 'vitest'

import { composite, type Fields, type Peer, type ReceiverPeer, type SessionPeer, World } from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly receiver: ReceiverPeer
}

/** A receiver that has one of credit, and a queue with one message. */
function receiving(attach: Fields = {}): Scene {
  const world = new World()
  const peer = world.connect()
  const session = peer.begin()
  const receiver = session.receiver('queue://q', attach)
  world.publish('$queue/q', 'x')
  receiver.grant(1)
  return { world, peer, session, receiver }
}

function counts({ world }: Scene, name = 'q'): number[] {
  const found = world.vhost.destinations.find(name)
  return found === undefined ? [0, 0] : [found.queue.waitingCount, found.queue.inflightCount]
}

function headerOf(receiver: ReceiverPeer): Record<string, unknown> {
  return { deliveryCount: 0, firstAcquirer: false, ...receiver.take().message.header }
}

test('[AMQP10-3.4.2-a, AMQP10-3.5.2-a] accepted: the message has left its queue', () => {
  const scene = receiving()
  scene.receiver.settle(scene.receiver.take().id, { kind: 'accepted' })
  expect(counts(scene)).toEqual([0, 0])
  scene.receiver.grant(1)
  expect(scene.receiver.texts()).toEqual([])
})

describe('released', () => {
  test('[AMQP10-3.4.4-a, AMQP10-3.4.4-b] the message is there again, for the same link, and nothing is counted', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'released' })
    expect(counts(scene)).toEqual([1, 0])
    scene.receiver.grant(1)
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 0 })
  })

  test('[AMQP10-3.4.4-a] and for others', () => {
    const scene = receiving()
    const { id } = scene.receiver.take()
    const other = scene.session.receiver('queue://q')
    other.grant(1)
    scene.receiver.settle(id, { kind: 'released' })
    expect(other.texts()).toEqual(['x'])
  })

  test('[AMQP10-3.4.4-b] a hundred times is still the first attempt', () => {
    const scene = receiving()
    for (let round = 0; round < 100; round++) {
      scene.receiver.settle(scene.receiver.take().id, { kind: 'released' })
      scene.receiver.grant(1)
    }
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 0 })
  })

  test('keeps the order of the queue', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'y')
    scene.world.publish('$queue/q', 'z')
    scene.receiver.grant(2)
    const got = scene.receiver.takeAll()
    scene.receiver.grant(0)
    scene.receiver.settle(got[0]!.id, { kind: 'released' }, { last: got.at(-1)!.id })
    scene.receiver.grant(10)
    expect(scene.receiver.texts()).toEqual(['x', 'y', 'z'])
  })
})

describe('rejected', () => {
  test('[AMQP10-3.4.3-a] the message goes where failed ones go', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'rejected' })
    expect(counts(scene)).toEqual([0, 0])
    expect(scene.world.vhost.destinations.find('DLQ')?.queue.waitingCount).toBe(1)
  })

  test('[AMQP10-3.4.3-b] with an error: it goes with the message', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, {
      kind: 'rejected',
      error: { kind: 'error', condition: 'com.example:bad', description: 'no such order' },
    })
    const dead = scene.session.receiver('queue://DLQ')
    dead.grant(1)
    expect(JSON.stringify(dead.take().message.messageAnnotations)).toMatch(/com\.example:bad.*no such order/)
  })
})

describe('modified', () => {
  test('[AMQP10-3.4.5-a] with delivery-failed counts as a failed attempt', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'modified', deliveryFailed: true })
    scene.world.advance(60_000)
    scene.receiver.grant(1)
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 1, firstAcquirer: false })
  })

  test('[AMQP10-3.4.5-a] without it counts nothing', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'modified', deliveryFailed: false })
    scene.receiver.grant(1)
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 0 })
  })

  test('[AMQP10-3.4.5-a] with nothing in it counts nothing', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'modified' })
    scene.receiver.grant(1)
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 0 })
  })

  test('[AMQP10-3.4.5-b] with undeliverable-here: the message does not come back to that link, but to another', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'modified', undeliverableHere: true })
    scene.receiver.grant(5)
    scene.world.advance(60_000)
    expect(scene.receiver.texts()).toEqual([])
    const other = scene.world.connect({ containerId: 'other' }).begin().receiver('queue://q')
    other.grant(5)
    expect(other.texts()).toEqual(['x'])
  })

  test('[AMQP10-3.4.5-b] with undeliverable-here: others come to that link still', () => {
    const scene = receiving()
    scene.receiver.settle(scene.receiver.take().id, { kind: 'modified', undeliverableHere: true })
    scene.receiver.grant(5)
    scene.world.publish('$queue/q', 'y')
    expect(scene.receiver.texts()).toEqual(['y'])
  })

  test('[AMQP10-3.4.5-c] with message-annotations: they are on the message, in place of those of the same names', () => {
    const world = new World()
    const session = world.connect().begin()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    session
      .sender('queue://q')
      .send({ messageAnnotations: { 'x-opt-a': 'old', 'x-opt-b': 'kept' }, data: 'x' }, { settled: true })
    receiver.settle(receiver.take().id, { kind: 'modified', messageAnnotations: { 'x-opt-a': 'new', 'x-opt-c': 3 } })
    receiver.grant(1)
    expect(receiver.take().message.messageAnnotations).toMatchObject({
      'x-opt-a': 'new',
      'x-opt-b': 'kept',
      'x-opt-c': 3,
    })
  })
})

describe('received', () => {
  test('[AMQP10-3.4.1-b, AMQP10-3.4-a] leaves the delivery as it is', () => {
    const scene = receiving()
    const { id } = scene.receiver.take()
    scene.receiver.settle(id, { kind: 'received', sectionNumber: 1, sectionOffset: 5 }, { settled: false })
    expect(counts(scene)).toEqual([0, 1])
    expect(scene.peer.received()).toEqual([])
    scene.receiver.settle(id, { kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-3.4.1-b] settled is no outcome: the default counts', () => {
    const scene = receiving()
    const { id } = scene.receiver.take()
    scene.receiver.settle(id, { kind: 'received', sectionNumber: 0, sectionOffset: 0 }, { settled: true })
    expect(counts(scene)).toEqual([1, 0])
  })

  test('[AMQP10-3.4.1-a] without its fields cannot be read', () => {
    const scene = receiving()
    const { id } = scene.receiver.take()
    scene.peer.send(scene.session.dispositionFrame(true, id, composite('received') as never, { settled: false }))
    expect(scene.peer.closeCondition()).toMatch(/decode-error|invalid-field/)
  })
})

test('[AMQP10-3.4-a] a state that is no state of a delivery cannot be read', () => {
  const scene = receiving()
  const { id } = scene.receiver.take()
  scene.peer.send(scene.session.dispositionFrame(true, id, composite('source') as never))
  expect(scene.peer.closeCondition()).toMatch(/decode-error|invalid-field/)
})

describe('default-outcome', () => {
  test.each<[string, number[]]>([
    ['accepted', [0, 0]],
    ['released', [1, 0]],
    ['rejected', [0, 0]],
  ])('[AMQP10-3.5.3-g] %s counts for what is settled without a state', (kind, left) => {
    const scene = receiving({ source: { kind: 'source', address: 'queue://q', defaultOutcome: { kind } } })
    const { id } = scene.receiver.take()
    scene.receiver.grant(0)
    scene.peer.send(scene.session.dispositionFrame(true, id, undefined))
    expect(counts(scene)).toEqual(left)
  })

  test('[AMQP10-3.5.3-g] modified with delivery-failed counts as a failed attempt', () => {
    const scene = receiving({
      source: { kind: 'source', address: 'queue://q', defaultOutcome: { kind: 'modified', deliveryFailed: true } },
    })
    const { id } = scene.receiver.take()
    scene.peer.send(scene.session.dispositionFrame(true, id, undefined))
    scene.world.advance(60_000)
    scene.receiver.grant(1)
    expect(headerOf(scene.receiver)).toMatchObject({ deliveryCount: 1 })
  })

  test('[AMQP10-3.5.3-h] and outcomes of a source are taken; the answer says which there are', () => {
    const scene = receiving({
      source: { kind: 'source', address: 'queue://q', outcomes: ['amqp:accepted:list', 'amqp:released:list'] },
    })
    expect(scene.receiver.answer).toMatchObject({ source: { outcomes: ['amqp:accepted:list', 'amqp:released:list'] } })
    scene.receiver.settle(scene.receiver.take().id, { kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 0])
  })
})

test('[AMQP10-3.4.3-c] a message that may not be sent is answered with rejected and the error', () => {
  const denied = { allowed: false, rule: 'none' }
  let answer = { allowed: true, rule: 'some' }
  const authorizer = { generation: 0, mayUse: () => answer, mayMatch: () => answer }
  const peer = new World({ authorizer }).connect()
  const sender = peer.begin().sender('queue://q')
  answer = denied
  authorizer.generation++
  sender.send('x')
  expect(peer.next('disposition')['state']).toMatchObject({
    kind: 'rejected',
    error: { condition: 'amqp:unauthorized-access' },
  })
})

test('[AMQP10-3.4.3-c, AMQP10-3.5.3-h] a sender whose source has no rejected gets a detach with the error instead', () => {
  const denied = { allowed: false, rule: 'none' }
  let answer = { allowed: true, rule: 'some' }
  const authorizer = { generation: 0, mayUse: () => answer, mayMatch: () => answer }
  const world = new World({ authorizer })
  const peer = world.connect()
  const sender = peer.begin().sender('queue://q', { source: { kind: 'source', outcomes: 'amqp:accepted:list' } })
  answer = denied
  authorizer.generation++
  sender.send('x')
  expect(peer.next('detach')).toMatchObject({ closed: true, error: { condition: 'amqp:unauthorized-access' } })
})
