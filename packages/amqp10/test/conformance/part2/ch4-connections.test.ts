import { describe, expect, test } from 'vitest'

import { conditionOf, emptyFrame, frame, header, type Peer, World } from '../../harness.ts'
import { aCondition, aSentence, aText } from '../matchers.ts'

/** A client that has exchanged headers and said nothing more. */
function dialled(world = new World()): Peer {
  const peer = world.dial()
  peer.exchangeHeaders()
  return peer
}

describe('open', () => {
  test('[AMQP10-2.4.1-a, AMQP10-2.7.1-a] is answered with open, on channel 0', () => {
    const peer = dialled()
    expect(peer.open({ containerId: 'c-1' })).toMatchObject({
      kind: 'open',
      channel: 0,
      containerId: aText,
    })
  })

  test.each(['begin', 'attach', 'flow', 'transfer', 'disposition', 'detach', 'end', 'close'])(
    '[AMQP10-2.4.1-a] %s before it ends the connection',
    (kind) => {
      const fields: Record<string, Record<string, unknown>> = {
        begin: { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 1 },
        attach: { name: 'l', handle: 0, role: false, initialDeliveryCount: 0 },
        flow: { incomingWindow: 1, nextOutgoingId: 0, outgoingWindow: 1 },
        transfer: { handle: 0 },
        disposition: { role: true, first: 0 },
        detach: { handle: 0 },
      }
      const peer = dialled()
      peer.send(frame(kind, fields[kind]))
      expect(peer.next('open')).toMatchObject({ properties: { 'amqp:connection-establishment-failed': true } })
      expect(peer.closeCondition()).toBe('amqp:illegal-state')
    },
  )

  test('[AMQP10-2.4.1-b] on another channel than 0 ends the connection', () => {
    const peer = dialled()
    peer.send(frame('open', { containerId: 'c' }, { channel: 1 }))
    peer.next('open')
    expect(peer.closed()['error']).toBeDefined()
  })

  test('[AMQP10-2.4.1-e, AMQP10-2.8.15-c] twice ends the connection with illegal-state', () => {
    const peer = dialled()
    peer.open()
    peer.send(peer.openFrame())
    expect(peer.closeCondition()).toBe('amqp:illegal-state')
  })

  test('[AMQP10-2.4.1-c] of the server has no more than 512 octets', () => {
    const peer = dialled()
    peer.send(frame('open', { containerId: 'c', maxFrameSize: 512 }))
    expect(peer.next('open').size).toBeLessThanOrEqual(512)
  })

  test('[AMQP10-2.4.1-d] says limits that hold from there on', () => {
    const peer = dialled(new World({ settings: { maxFrameBytes: 1_000, channelMax: 3, idleTimeoutMs: 20_000 } }))
    expect(peer.open()).toMatchObject({ maxFrameSize: 1_000, channelMax: 3 })
  })
})

describe('pipelined', () => {
  test('[AMQP10-2.4.2-a] all from the header to the close in one write is served as in many', () => {
    const world = new World()
    const peer = world.dial()
    const session = peer.session(0)
    const sender = session.newSender('queue://q')
    peer.send(
      header(),
      peer.openFrame({ channelMax: 0 }),
      session.beginFrame(),
      sender.attachFrame(),
      sender.transferFrame('x'),
      sender.detachFrame(),
      session.frame('end'),
      frame('close'),
    )
    const kinds = peer.received().map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind !== 'flow')).toEqual([
      'header',
      'open',
      'begin',
      'attach',
      'disposition',
      'detach',
      'end',
      'close',
    ])
    expect(peer.isClosed).toBe(true)
    expect(world.queue('q').waitingCount).toBe(1)
  })

  test('[AMQP10-2.4.2-a] frames beyond the first credit are taken as far as it goes', () => {
    const world = new World({ settings: { linkCredit: 10 } })
    const peer = world.dial()
    const session = peer.session(0)
    const sender = session.newSender('queue://q')
    peer.send(
      header(),
      peer.openFrame(),
      session.beginFrame(),
      sender.attachFrame(),
      ...['a', 'b', 'c'].map((text) => sender.transferFrame(text)),
    )
    expect(world.queue('q').waitingCount).toBe(3)
  })
})

describe('close', () => {
  test('[AMQP10-2.4.3-a, AMQP10-2.4.3-f, AMQP10-2.4.3-d] is answered with close on channel 0, and the end', () => {
    const peer = dialled()
    peer.open()
    peer.close()
    expect(peer.closed()).toMatchObject({ channel: 0 })
  })

  test('[AMQP10-2.4.3-a, AMQP10-2.7.9-a, AMQP10-2.8.14-a] of the server says why', () => {
    const peer = dialled()
    peer.open()
    peer.send(frame('begin', { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 1 }, { channel: 900 }))
    expect(peer.closed()['error']).toMatchObject({
      condition: aCondition,
      description: aSentence,
    })
  })

  test.each([1, 254, 255])('[AMQP10-2.4.3-c] is taken on channel %i', (channel) => {
    const peer = dialled()
    peer.open()
    peer.perform('close', {}, { channel })
    expect(peer.closed()['error']).toBeUndefined()
  })

  test('[AMQP10-2.4.3-b] is the last of a client: what follows is not looked at', () => {
    const world = new World()
    const peer = dialled(world)
    peer.open()
    const session = peer.begin()
    const sender = session.sender('queue://q')
    peer.send(frame('close'), sender.transferFrame('x'), Buffer.from('deadbeef', 'hex'))
    peer.closed()
    expect(world.queue('q').waitingCount).toBe(0)
  })

  test('[AMQP10-2.4.3-b] is the last of the server: no disposition or message follows', () => {
    const world = new World()
    const peer = dialled(world)
    peer.open()
    const session = peer.begin()
    const receiver = session.receiver('queue://q')
    receiver.grant(10)
    peer.push(frame('close'))
    world.publish('$queue/q', 'late')
    expect(peer.received().at(-1)).toMatchObject({ kind: 'close' })
  })

  test('[AMQP10-2.4.4-a] that crosses one of the server is no error', () => {
    const world = new World()
    const peer = dialled(world)
    peer.open()
    peer.push(frame('close'))
    world.adapter.drain()
    world.run()
    expect(peer.closed()).toBeDefined()
  })

  test('[AMQP10-2.4.3-e, AMQP10-2.4.6-a] with an error: what comes until that of the client is dropped', () => {
    const world = new World()
    const peer = dialled(world)
    peer.open()
    const session = peer.begin()
    const sender = session.sender('queue://q')
    peer.send(frame('open', { containerId: 'again' }), sender.transferFrame('x'), sender.transferFrame('y'))
    expect(conditionOf(peer.next('close'))).toBe('amqp:illegal-state')
    peer.send(frame('close'))
    expect(peer.isClosed).toBe(true)
    expect(world.queue('q').waitingCount).toBe(0)
  })

  test('[AMQP10-2.4.3-e, AMQP10-2.4.5-h] a client that does not read nor answer is closed after a time', () => {
    const world = new World()
    const client = world.dial({ kernelBytes: 600 })
    client.exchangeHeaders()
    client.open()
    client.begin()
    client.stopReading()
    client.send(frame('open', { containerId: 'again' }))
    world.advance(60_000)
    expect(world.adapter.connectionCount).toBe(0)
    expect(client.isClosed).toBe(true)
  })

  test('[AMQP10-2.4.3-a] is said to all when the broker stops', () => {
    const world = new World()
    const peers = [world.connect({ containerId: 'a' }), world.connect({ containerId: 'b' })]
    world.adapter.drain()
    world.run()
    expect(peers.map((peer) => peer.closeCondition())).toEqual(['amqp:connection:forced', 'amqp:connection:forced'])
  })
})

test('[AMQP10-2.4-a] a session may have other numbers on either side', () => {
  const peer = new World().connect()
  const session = peer.begin({}, 200)
  expect(session.answer).toMatchObject({ remoteChannel: 200 })
  const receiver = session.receiver('queue://q')
  receiver.grant(1)
  session.sender('queue://q').send('x')
  expect(receiver.take().frames[0]!.channel).toBe(session.remoteChannel)
})

test('[AMQP10-2.8.16-b] a connection that an operator ends is closed with connection:forced', () => {
  const world = new World()
  const peer = world.connect({ containerId: 'c-1' })
  world.vhost.sessions.delete('c-1')
  world.run()
  expect(peer.closeCondition()).toBe('amqp:connection:forced')
})

test('a client that has sent its header and no open is closed after the handshake time-out', () => {
  const world = new World({ settings: { handshakeTimeoutMs: 5_000 } })
  const peer = dialled(world)
  world.advance(4_000)
  peer.send(emptyFrame())
  world.advance(1_500)
  peer.next('open')
  expect(peer.closed()['error']).toBeDefined()
})
