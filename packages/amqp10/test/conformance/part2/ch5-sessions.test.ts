import { describe, expect, test } from 'vitest'

import { conditionOf, frame, type Peer, type SessionPeer, World } from '../../harness.ts'
import { aNumber, aSentence } from '../matchers.ts'

function begun(world = new World()): { world: World; peer: Peer; session: SessionPeer } {
  const peer = world.connect()
  return { world, peer, session: peer.begin() }
}

describe('begin', () => {
  test('[AMQP10-2.5.1-b] is answered with begin that names its channel', () => {
    const peer = new World().connect()
    expect(peer.begin({}, 5).answer).toMatchObject({ remoteChannel: 5 })
    expect(peer.begin({}, 0).answer).toMatchObject({ remoteChannel: 0 })
  })

  test('[AMQP10-2.5.1-a] that answers nothing that was asked ends the connection', () => {
    const peer = new World().connect()
    peer.send(peer.session(0, { remoteChannel: 0 }).beginFrame())
    expect(peer.closed()['error']).toBeDefined()
  })

  test('[AMQP10-2.5.1-d] on a channel that has a session ends the connection', () => {
    const { peer, session } = begun()
    peer.send(session.beginFrame())
    expect(peer.closeCondition()).toBe('amqp:not-allowed')
  })

  test('[AMQP10-2.7.2-a] is answered with windows and the highest handle', () => {
    const peer = new World({ settings: { sessionWindow: 77, handleMax: 12 } }).connect()
    expect(peer.begin().answer).toMatchObject({
      nextOutgoingId: aNumber,
      incomingWindow: 77,
      outgoingWindow: aNumber,
      handleMax: 12,
    })
  })

  test('[AMQP10-2.7.1-f, AMQP10-2.7.1-g, AMQP10-2.8.16-a] above channel-max is answered with close, framing-error', () => {
    const peer = new World({ settings: { channelMax: 3 } }).connect()
    peer.begin({}, 3)
    peer.send(peer.session(4).beginFrame())
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.7.1-f] is not answered on a channel above that of the client', () => {
    const peer = new World().connect({ channelMax: 2 })
    const sessions = [10, 20, 30].map((channel) => peer.begin({}, channel))
    expect(sessions.map(({ remoteChannel }) => remoteChannel! <= 2)).toEqual([true, true, true])
  })

  test('[AMQP10-2.7.1-f] beyond what the client takes back is refused, not answered on a higher channel', () => {
    const peer = new World().connect({ channelMax: 0 })
    peer.begin({}, 0)
    peer.send(peer.session(1).beginFrame())
    expect(peer.closed()['error']).toBeDefined()
  })

  test('[AMQP10-2.5.1-c] is answered on the channel of the client where that is free', () => {
    const peer = new World().connect()
    const [first, second, third] = [peer.begin(), peer.begin(), peer.begin()]
    second.end()
    peer.next('end')
    expect([first, third].map(({ remoteChannel }) => remoteChannel)).toEqual([0, 2])
    expect(peer.begin({}, 1).remoteChannel).toBe(1)
  })
})

describe('end', () => {
  test('[AMQP10-2.5.2-b] is answered with end, and the channel may be used again', () => {
    const { peer, session } = begun()
    session.end()
    expect(peer.next('end')['error']).toBeUndefined()
    expect(peer.begin({}, session.channel).answer).toBeDefined()
  })

  test('[AMQP10-2.5.2-b] and a new begin in one write are two sessions', () => {
    const { world, peer, session } = begun()
    const sender = session.sender('queue://q')
    peer.send(sender.transferFrame('x'), session.frame('end'), peer.session(session.channel).beginFrame())
    expect(peer.received().map(({ kind }) => kind)).toEqual(['disposition', 'end', 'begin'])
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-2.5.5-a] is the last of a session: frames before the next begin end the connection', () => {
    const { peer, session } = begun()
    peer.send(session.frame('end'), session.flowFrame({ echo: true }))
    peer.next('end')
    expect(peer.closed()['error']).toBeDefined()
  })

  test('[AMQP10-2.5.5-a] frames on a channel without a session end the connection', () => {
    const peer = new World().connect()
    peer.send(frame('end', {}, { channel: 3 }))
    expect(peer.closed()['error']).toBeDefined()
  })

  test('[AMQP10-2.5.2-a] connections that end take their sessions with them: what was unsettled is there for others', () => {
    const { world, peer, session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(2)
    world.publish('$queue/q', 'a')
    expect(world.queue('q').inflightCount).toBe(1)
    peer.vanish()
    expect([world.queue('q').inflightCount, world.queue('q').waitingCount]).toEqual([0, 1])
  })

  test('[AMQP10-2.6.12-g, AMQP10-3.3-b] takes links along: what was unsettled is there for others', () => {
    const { world, peer, session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(2)
    world.publish('$queue/q', 'a')
    receiver.take()
    session.end()
    peer.next('end')
    expect([world.queue('q').inflightCount, world.queue('q').waitingCount]).toEqual([0, 1])
    expect(world.queue('q').consumers).toHaveLength(0)
  })
})

describe('an error of a session', () => {
  function broken(): ReturnType<typeof begun> {
    const given = begun()
    given.peer.send(given.session.frame('transfer', { handle: 9, deliveryId: 0, deliveryTag: 't', messageFormat: 0 }))
    return given
  }

  test('[AMQP10-2.5.4-a, AMQP10-2.7.8-a, AMQP10-2.8.17-b] is told in end, and leaves the connection as it is', () => {
    const { peer } = broken()
    expect(peer.next('end')['error']).toMatchObject({
      condition: 'amqp:session:unattached-handle',
      description: aSentence,
    })
    expect(peer.isClosed).toBe(false)
    peer.begin({}, 1)
  })

  test('[AMQP10-2.5.4-b] all for the session is dropped until the end of the client', () => {
    const { world, peer, session } = broken()
    peer.next('end')
    const sender = session.newSender('queue://q')
    peer.send(sender.attachFrame(), sender.transferFrame('x'), session.flowFrame({ echo: true }))
    expect(peer.received()).toEqual([])
    expect(world.vhost.destinations.find('q')).toBeUndefined()
    session.end()
    expect(peer.received()).toEqual([])
    expect(peer.begin({}, session.channel).answer).toBeDefined()
  })

  test('[AMQP10-2.5.4-b] other sessions go on', () => {
    const world = new World()
    const peer = world.connect()
    const [first, second] = [peer.begin(), peer.begin()]
    const sender = second.sender('queue://q')
    first.flow({ handle: 7 })
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
    sender.send('x')
    expect(peer.next('disposition')).toMatchObject({ state: { kind: 'accepted' } })
  })

  test('[AMQP10-2.5.3-a] and an end of the client that crosses it are the end, without another answer', () => {
    const { peer, session } = begun()
    peer.send(session.flowFrame({ handle: 7 }), session.frame('end'))
    expect(peer.received().map(({ kind }) => kind)).toEqual(['end'])
    expect(peer.isClosed).toBe(false)
    expect(peer.begin({}, session.channel).answer).toBeDefined()
  })
})

test('[AMQP10-2.5-a] a link that is attached in a second session is taken away from the first', () => {
  const world = new World()
  const peer = world.connect()
  const [first, second] = [peer.begin(), peer.begin()]
  first.receiver('queue://q', { name: 'one' })
  const again = second.newReceiver('queue://q', { name: 'one' })
  peer.send(again.attachFrame())
  const frames = peer.received()
  expect(frames.map(({ kind, channel }) => [kind, channel])).toContainEqual(['detach', first.remoteChannel])
  expect(conditionOf(frames.find(({ kind }) => kind === 'detach')!)).toBe('amqp:link:stolen')
  expect(frames.map(({ kind, channel }) => [kind, channel])).toContainEqual(['attach', second.remoteChannel])
})
