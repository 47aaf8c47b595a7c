import { describe, expect, test } from 'vitest'

import { conditionOf, frame, type Peer, type SessionPeer, World, type WorldOptions } from '../../harness.ts'
import { aNumber, aSentence } from '../matchers.ts'

function begun(options: WorldOptions = {}): { world: World; peer: Peer; session: SessionPeer } {
  const world = new World(options)
  const peer = world.connect()
  return { world, peer, session: peer.begin() }
}

describe('attach', () => {
  test('[AMQP10-2.6.3-a] of a sender is answered by a receiver of that name, with source and target', () => {
    const { session } = begun()
    const sender = session.sender('queue://q', { name: 'mine' })
    expect(sender.answer).toMatchObject({
      name: 'mine',
      role: true,
      source: { kind: 'source' },
      target: { kind: 'target', address: 'queue://q' },
    })
  })

  test('[AMQP10-2.6.3-a] of a receiver is answered by a sender of that name, with source and target', () => {
    const { session } = begun()
    const receiver = session.receiver('queue://q', { name: 'mine' })
    expect(receiver.answer).toMatchObject({
      name: 'mine',
      role: false,
      source: { kind: 'source', address: 'queue://q' },
      target: { kind: 'target' },
    })
  })

  test('[AMQP10-2.6.7-a, AMQP10-2.7.3-f] the answer of a sender has its initial delivery-count', () => {
    const { session } = begun()
    expect(session.receiver('queue://q').answer['initialDeliveryCount']).toEqual(aNumber)
  })

  test('[AMQP10-2.7.3-f] the initial delivery-count of a receiver is ignored', () => {
    const { world, session } = begun()
    const receiver = session.receiver('queue://q', { initialDeliveryCount: 77 })
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual(['x'])
  })

  test('[AMQP10-2.7.3-f] of a sender without initial delivery-count counts from 0', () => {
    const { world, peer, session } = begun()
    const sender = session.sender('queue://q', { initialDeliveryCount: undefined })
    expect(sender.credit).toBeGreaterThan(0)
    sender.send('x')
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-2.6.2-a, AMQP10-2.8.4-a] any handle up to handle-max does', () => {
    const { world, session } = begun({ settings: { handleMax: 4_095 } })
    const senders = [0, 17, 255, 256, 4_095].map((handle) => session.sender('queue://q', { handle }))
    for (const sender of senders) sender.send('x')
    expect(world.queue('q').waitingCount).toBe(5)
  })

  test('[AMQP10-2.6.2-a] the handles of both sides are apart: one of ours does not stand for one of theirs', () => {
    const { world, session } = begun()
    const receiver = session.receiver('queue://q', { handle: 9 })
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    expect(receiver.take().frames[0]).toMatchObject({ handle: receiver.remoteHandle })
  })

  test('[AMQP10-2.7.2-b, AMQP10-2.7.2-c] a handle above handle-max is answered with close, framing-error', () => {
    const { peer, session } = begun({ settings: { handleMax: 5 } })
    peer.send(session.newSender('queue://q', { handle: 6 }).attachFrame())
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.7.2-b] no handle above that of the client is taken for the answer', () => {
    const peer = new World().connect()
    const session = peer.begin({ handleMax: 1 })
    expect(Number(session.receiver('queue://q', { handle: 1 }).remoteHandle)).toBeLessThanOrEqual(1)
  })

  test('[AMQP10-2.7.3-b, AMQP10-2.7.3-c] a handle in use is answered with close, handle-in-use', () => {
    const { peer, session } = begun()
    session.sender('queue://a', { handle: 0 })
    peer.send(session.newSender('queue://b', { handle: 0, name: 'other' }).attachFrame())
    const [found] = peer.received()
    expect([found!.kind, conditionOf(found!)]).toEqual(['close', 'amqp:session:handle-in-use'])
  })

  test.each(['name', 'handle', 'role'])('[AMQP10-2.7.3-a] without %s ends the connection', (field) => {
    const { peer, session } = begun()
    peer.send(session.newSender('queue://q', { [field]: undefined }).attachFrame())
    expect(peer.closeCondition()).toMatch(/decode-error|invalid-field/)
  })

  test('[AMQP10-2.7.3-e] without settle modes means mixed and first', () => {
    const { session } = begun()
    expect(session.sender('queue://q').answer).toMatchObject({ sndSettleMode: 2, rcvSettleMode: 0 })
  })

  test.each([0, 1, 2])('[AMQP10-2.7.3-d] a receiver gets sender mode %i if it wishes', (sndSettleMode) => {
    const { session } = begun()
    expect(session.receiver('queue://q', { sndSettleMode }).answer).toMatchObject({ sndSettleMode })
  })

  test.each([0, 1])('[AMQP10-2.7.3-d] a sender gets receiver mode %i if it wishes', (rcvSettleMode) => {
    const { session } = begun()
    expect(session.sender('queue://q', { rcvSettleMode }).answer).toMatchObject({ rcvSettleMode })
  })
})

describe('names', () => {
  test('[AMQP10-2.6.1-c] the same in both directions are two links', () => {
    const { session } = begun()
    const sender = session.sender('queue://q', { name: 'one' })
    const receiver = session.receiver('queue://q', { name: 'one' })
    receiver.grant(1)
    sender.send('x')
    expect(receiver.take().message.text).toBe('x')
  })

  test('[AMQP10-2.6.1-b, AMQP10-2.6.1-a] the same in one direction: the second stands, the first is detached with stolen', () => {
    const { world, peer, session } = begun()
    const first = session.receiver('queue://q', { name: 'one' })
    first.grant(5)
    const second = session.newReceiver('queue://q', { name: 'one' })
    peer.send(second.attachFrame())
    expect(peer.next('detach')).toMatchObject({
      handle: first.remoteHandle,
      closed: true,
      error: { condition: 'amqp:link:stolen' },
    })
    second.attached(peer.next('attach'))
    second.grant(1)
    world.publish('$queue/q', 'x')
    expect(second.texts()).toEqual(['x'])
  })

  test('[AMQP10-2.6.1-b] the same on two sessions of a connection: the second stands', () => {
    const { peer, session } = begun()
    session.sender('queue://q', { name: 'one' })
    const second = peer.begin().newSender('queue://q', { name: 'one' })
    peer.send(second.attachFrame())
    expect(peer.received().filter(({ kind }) => kind === 'detach')).toMatchObject([
      { channel: session.remoteChannel, error: { condition: 'amqp:link:stolen' } },
    ])
  })

  test('[AMQP10-2.6.1-b] the same on two connections of a container are two links', () => {
    const world = new World()
    const senders = [world.connect(), world.connect()].map((peer) => peer.begin().sender('queue://q', { name: 'one' }))
    for (const sender of senders) sender.send('x')
    expect(world.queue('q').waitingCount).toBe(2)
  })

  test('[AMQP10-2.6.1-a] the same of two containers are two links', () => {
    const world = new World()
    const [a, b] = ['a', 'b'].map((containerId) => world.connect({ containerId }).begin())
    a!.sender('queue://q', { name: 'one' }).send('a')
    b!.sender('queue://q', { name: 'one' }).send('b')
    expect(world.queue('q').waitingCount).toBe(2)
    expect([a!.peer.waiting, b!.peer.waiting]).toEqual([['disposition'], ['disposition']])
  })
})

describe('a terminus that cannot be', () => {
  test('[AMQP10-2.6.3-b] a target: attach without target, and detach with the error at once', () => {
    const { peer, session } = begun({ settings: { profile: 'rabbitmq' } })
    peer.send(session.newSender('/queues/none').attachFrame())
    expect(peer.next('attach')['target']).toBeUndefined()
    expect(peer.next('detach')).toMatchObject({ closed: true, error: { condition: 'amqp:not-found' } })
  })

  test('[AMQP10-2.6.3-b, AMQP10-2.8.15-b] a source: attach without source, and detach with the error at once', () => {
    const { peer, session } = begun({ settings: { profile: 'rabbitmq' } })
    peer.send(session.newReceiver('/queues/none').attachFrame())
    expect(peer.next('attach')['source']).toBeUndefined()
    expect(peer.next('detach')).toMatchObject({ closed: true, error: { condition: 'amqp:not-found' } })
  })

  test('[AMQP10-2.8.15-b] for lack of permission is unauthorized-access', () => {
    const denied = { allowed: false, rule: 'none' }
    const { peer, session } = begun({ authorizer: { generation: 0, mayUse: () => denied, mayMatch: () => denied } })
    peer.send(session.newSender('queue://q').attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
  })

  test('[AMQP10-2.6.3-b] the handle is free once both have detached', () => {
    const { peer, session } = begun({ settings: { profile: 'rabbitmq' } })
    const refused = session.newSender('/queues/none')
    peer.send(refused.attachFrame(), refused.detachFrame())
    peer.received()
    expect(session.sender('queue://q', { handle: refused.handle }).answer['target']).toBeDefined()
  })

  test('[AMQP10-2.4.2-a] transfers sent before the refusal was seen are dropped', () => {
    const { world, peer, session } = begun({ settings: { profile: 'rabbitmq' } })
    const refused = session.newSender('/queues/none')
    peer.send(refused.attachFrame(), refused.transferFrame('x', { settled: true }))
    expect(
      peer
        .received()
        .map(({ kind }) => kind)
        .slice(0, 2),
    ).toEqual(['attach', 'detach'])
    expect(world.vhost.destinations.find('none')).toBeUndefined()
  })
})

describe('detach', () => {
  test.each([true, false])(
    '[AMQP10-2.6.4-a, AMQP10-2.6.4-b, AMQP10-2.6.6-a] with closed %s is answered with one like it',
    (closed) => {
      const { session } = begun()
      expect(session.sender('queue://q').detach({ closed })).toMatchObject({ closed })
      expect(session.receiver('queue://q').detach({ closed })).toMatchObject({ closed })
    },
  )

  test('[AMQP10-2.7.7-a] frees the handle', () => {
    const { session } = begun()
    const sender = session.sender('queue://a', { handle: 3 })
    sender.detach()
    expect(session.receiver('queue://b', { handle: 3 }).answer['source']).toBeDefined()
  })

  test('[AMQP10-2.7.7-a] and attach in one write are two links', () => {
    const { peer, session } = begun()
    const sender = session.sender('queue://a', { name: 'one' })
    peer.send(sender.detachFrame(), sender.attachFrame())
    expect(peer.received().map(({ kind }) => kind)).toEqual(['detach', 'attach', 'flow'])
  })

  test('[AMQP10-2.6.4-b, AMQP10-2.6.12-g, AMQP10-3.3-b] of a receiver gives back what it has not settled', () => {
    const { world, session } = begun()
    world.publish('$queue/q', 'x')
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    receiver.take()
    receiver.detach()
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([1, 0])
    const next = session.receiver('queue://q')
    next.grant(1)
    expect(next.texts()).toEqual(['x'])
  })

  test('[AMQP10-2.6.12-f] and a disposition after it that comes too late change nothing', () => {
    const { world, peer, session } = begun()
    world.publish('$queue/q', 'x')
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    const { id } = receiver.take()
    receiver.detach()
    receiver.settle(id)
    expect(world.queue('q').waitingCount).toBe(1)
    expect(peer.received()).toEqual([])
  })

  test('[AMQP10-2.6.6-a] of a sender: nothing more is taken on it', () => {
    const { peer, session } = begun()
    const sender = session.sender('queue://q')
    sender.detach()
    peer.send(sender.transferFrame('x'))
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
  })

  test('[AMQP10-2.8.17-b] for a handle without a link ends the session with unattached-handle', () => {
    const { peer, session } = begun()
    peer.send(session.frame('detach', { handle: 2, closed: true }))
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
  })

  test('[AMQP10-2.6.6-b] closed against one of ours without it: both ends are gone, and the name is free', () => {
    const { peer, session } = begun()
    const sender = session.sender('queue://q', { name: 'one' })
    sender.detach({ closed: false })
    expect(session.sender('queue://q', { name: 'one' }).detach({ closed: true })).toMatchObject({ closed: true })
    expect(peer.received()).toEqual([])
  })

  test('with an error of the client is answered as any other', () => {
    const { session } = begun()
    expect(
      session.sender('queue://q').detach({ error: { kind: 'error', condition: 'amqp:internal-error' } }),
    ).toMatchObject({ closed: true })
  })
})

describe('an error of a link', () => {
  /** A link that ends with message-size-exceeded. */
  function broken(): ReturnType<typeof begun> & { sender: ReturnType<SessionPeer['sender']> } {
    const given = begun({ settings: { maxMessageBytes: 100 } })
    const sender = given.session.sender('queue://q', { name: 'one' })
    sender.send('x'.repeat(200))
    return { ...given, sender }
  }

  test('[AMQP10-2.6.5-a, AMQP10-2.7.7-b] is told in a detach with closed, and leaves session and connection as they are', () => {
    const { peer, session, sender } = broken()
    expect(peer.next('detach')).toMatchObject({
      handle: sender.remoteHandle,
      closed: true,
      error: { condition: 'amqp:link:message-size-exceeded', description: aSentence },
    })
    expect(session.sender('queue://q').answer['target']).toBeDefined()
  })

  test('[AMQP10-2.6.5-a] and the detach of the client end it; the handle is free', () => {
    const { peer, session, sender } = broken()
    peer.next('detach')
    peer.send(sender.detachFrame())
    expect(peer.received()).toEqual([])
    expect(session.sender('queue://q', { handle: sender.handle, name: 'one' }).answer['target']).toBeDefined()
  })

  test('[AMQP10-2.6.5-b] frames for it until then are dropped: other links go on', () => {
    const { world, peer, session, sender } = broken()
    peer.next('detach')
    const other = session.sender('queue://q')
    peer.send(
      sender.transferFrame('y'),
      sender.transferFrame('z'),
      session.flowFrame({ handle: sender.handle, echo: true }),
    )
    expect(peer.received()).toEqual([])
    other.send('x')
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-2.6.5-c] an attach of its name before its detach is a new link', () => {
    const { world, peer, session } = broken()
    peer.next('detach')
    session.sender('queue://q', { name: 'one', handle: 7 }).send('x')
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    expect(world.queue('q').waitingCount).toBe(1)
  })
})

test('[AMQP10-2.8.15-e] a queue that is deleted detaches its links with resource-deleted', () => {
  const { world, peer, session } = begun()
  world.define('q')
  const receiver = session.receiver('queue://q')
  world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
  world.run()
  expect(peer.next('detach')).toMatchObject({
    handle: receiver.remoteHandle,
    closed: true,
    error: { condition: 'amqp:resource-deleted' },
  })
})

test('[AMQP10-2.7.3-l] a receiver without source, or a sender without target, gets a link that ends at once', () => {
  const { peer, session } = begun()
  peer.send(session.newReceiver(null, { source: undefined }).attachFrame())
  peer.next('attach')
  expect(peer.next('detach')['error']).toBeDefined()
  peer.send(session.newSender(null, { target: undefined }).attachFrame())
  peer.next('attach')
  expect(peer.next('detach')['error']).toBeDefined()
})

test('[AMQP10-2.6.2-b] answers take the handle of the client', () => {
  const { session } = begun()
  const links = [session.sender('queue://q'), session.receiver('queue://q'), session.sender('queue://q')]
  links[1]!.detach()
  expect(links.map(({ remoteHandle }) => remoteHandle)).toEqual([0, 1, 2])
  expect(session.sender('queue://q', { handle: 1 }).remoteHandle).toBe(1)
})

test('frames of a link before begin end the connection', () => {
  const peer = new World().connect()
  peer.send(frame('attach', { name: 'l', handle: 0, role: false, initialDeliveryCount: 0 }))
  expect(peer.closed()['error']).toBeDefined()
})
