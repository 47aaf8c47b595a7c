import { describe, expect, test } from 'vitest'

import { conditionOf, emptyFrame, frame, message, type Peer, rawFrame, World } from '../../harness.ts'
import { aNumber, aText } from '../matchers.ts'

function dialled(world = new World()): Peer {
  const peer = world.dial()
  peer.exchangeHeaders()
  return peer
}

describe('container-id', () => {
  test('[AMQP10-2.7.1-a] is there in the answer, and the same for all connections', () => {
    const world = new World()
    const [a, b] = [dialled(world), dialled(world)].map((peer) => peer.open()['containerId'])
    expect(a).toEqual(aText)
    expect(a).not.toBe('')
    expect(a).toBe(b)
  })

  test('[AMQP10-2.7.1-a] that is empty, or longer than allowed, is refused', () => {
    for (const containerId of ['', 'x'.repeat(2_000)]) {
      const peer = dialled(new World({ settings: { maxContainerIdBytes: 1_000 } }))
      peer.send(peer.openFrame({ containerId }))
      peer.next('open')
      expect(peer.closeCondition()).toBe('amqp:invalid-field')
    }
  })

  test('may be any text', () => {
    const peer = dialled()
    expect(peer.open({ containerId: 'Ünïcödé/#+ $sys\0' })).toBeDefined()
    expect(peer.begin().answer).toBeDefined()
  })

  test('of two connections may be the same', () => {
    const world = new World()
    const [a, b] = [world.connect({ containerId: 'same' }), world.connect({ containerId: 'same' })]
    a.begin().sender('queue://q').send('a')
    b.begin().sender('queue://q').send('b')
    expect(world.queue('q').waitingCount).toBe(2)
  })
})

test.each([undefined, 'broker', 'other.example.com'])(
  '[AMQP10-2.7.1-b] hostname %s is served by the one host that there is',
  (hostname) => {
    const peer = dialled()
    expect(peer.open({ hostname })).toBeDefined()
    expect(peer.begin().answer).toBeDefined()
  },
)

describe('max-frame-size', () => {
  test.each([0, 1, 511])('[AMQP10-2.7.1-e, AMQP10-2.8.15-d] of %i is refused with invalid-field', (maxFrameSize) => {
    const peer = dialled()
    peer.send(frame('open', { containerId: 'c', maxFrameSize }))
    peer.next('open')
    expect(peer.closeCondition()).toBe('amqp:invalid-field')
  })

  test('[AMQP10-2.7.1-e] of 512 is enough for all that a session needs', () => {
    const world = new World()
    const peer = dialled(world)
    peer.open({ maxFrameSize: 512 })
    const session = peer.begin()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    session.sender('queue://q').send('x'.repeat(3_000))
    expect(receiver.take().message.text).toHaveLength(3_000)
  })

  test('[AMQP10-2.7.1-c] of 512 holds for errors as well: what does not fit is left out', () => {
    const peer = dialled()
    peer.open({ maxFrameSize: 512 })
    const session = peer.begin()
    peer.send(session.newSender(`no such scheme://${'x'.repeat(5_000)}`, { name: 'n'.repeat(100) }).attachFrame())
    expect(peer.received().length).toBeGreaterThan(0)
  })

  test('[AMQP10-2.7.1-e] of ours is 512 at least, and frames of 512 octets are taken before open', () => {
    const peer = dialled(new World({ settings: { maxFrameBytes: 512 } }))
    const head = frame('open', { containerId: 'c'.repeat(300) }).length - 300
    const open = frame('open', { containerId: 'c'.repeat(512 - head) })
    expect(open).toHaveLength(512)
    peer.send(open)
    expect(peer.next('open')).toMatchObject({ maxFrameSize: 512 })
    expect(peer.waiting).toEqual([])
  })

  test('[AMQP10-2.7.1-d, AMQP10-2.8.16-a] of ours is passed by a frame: close, framing-error', () => {
    const peer = dialled(new World({ settings: { maxFrameBytes: 1_000 } }))
    peer.open()
    peer.send(rawFrame(Buffer.alloc(993)))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.7.1-d] is known from the size alone: nobody waits for the rest', () => {
    const peer = dialled(new World({ settings: { maxFrameBytes: 1_000 } }))
    peer.open()
    peer.send(Buffer.from('7fffffff02000000', 'hex'))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.7.1-c] of ours may be just reached', () => {
    const world = new World({ settings: { maxFrameBytes: 1_000 } })
    const peer = dialled(world)
    peer.open()
    const session = peer.begin()
    const sender = session.sender('queue://q')
    const head = session.frame('transfer', { handle: 0, deliveryId: 0, deliveryTag: 't', messageFormat: 0 }).length
    peer.send(sender.transferFrame('', { deliveryTag: 't', payload: message('x'.repeat(1_000 - head - 8)) }))
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
  })

  test('[AMQP10-2.4.1-c, AMQP10-2.7.1-d] before open, frames of up to 4,096 octets are taken, larger ones answered with framing-error', () => {
    for (const size of [513, 4_000]) {
      const peer = dialled()
      peer.send(frame('open', { containerId: 'c', properties: { p: 'x'.repeat(size) } }))
      expect(peer.next('open')).toBeDefined()
      expect(peer.waiting).toEqual([])
    }
    const peer = dialled()
    peer.send(frame('open', { containerId: 'c', properties: { p: 'x'.repeat(5_000) } }))
    peer.next('open')
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })
})

describe('channel-max', () => {
  test('[AMQP10-2.7.1-g, AMQP10-2.8.16-a] of ours is passed by any frame: close, framing-error', () => {
    for (const kind of ['end', 'flow', 'close']) {
      const peer = dialled(new World({ settings: { channelMax: 3 } }))
      peer.open()
      const fields = kind === 'flow' ? { incomingWindow: 1, nextOutgoingId: 0, outgoingWindow: 1 } : {}
      peer.send(frame(kind, fields, { channel: 4 }))
      expect([kind, peer.closeCondition()]).toEqual([kind, 'amqp:connection:framing-error'])
    }
  })

  test('[AMQP10-2.7.1-g] of ours is passed by an empty frame: close, framing-error', () => {
    const peer = dialled(new World({ settings: { channelMax: 3 } }))
    peer.open()
    peer.send(emptyFrame(4))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.7.1-f] is the number of sessions less one', () => {
    const peer = dialled(new World({ settings: { channelMax: 3 } }))
    peer.open()
    const sessions = [0, 1, 2, 3].map((channel) => peer.begin({}, channel))
    expect(sessions.map(({ remoteChannel }) => remoteChannel)).toEqual([0, 1, 2, 3])
  })
})

describe('capabilities and properties', () => {
  test('[AMQP10-2.7.1-i, AMQPJMS-Connection-b] are offered as JMS clients look for them', () => {
    const open = dialled().open({ desiredCapabilities: ['ANONYMOUS-RELAY', 'SHARED-SUBS', 'DELAYED_DELIVERY'] })
    expect(open['offeredCapabilities']).toEqual(
      expect.arrayContaining(['ANONYMOUS-RELAY', 'SHARED-SUBS', 'DELAYED_DELIVERY']),
    )
    expect(open['properties']).toMatchObject({
      'queue-prefix': 'queue://',
      'topic-prefix': 'topic://',
      product: aText,
      version: aText,
    })
  })

  test('that are not known are no fault', () => {
    const peer = dialled()
    peer.open({
      desiredCapabilities: ['x', 'y'],
      offeredCapabilities: 'z',
      properties: { a: 1, b: 'two', c: Buffer.from('3') },
    })
    expect(peer.begin().answer).toBeDefined()
  })

  test('[AMQP10-2.7.1-j] locales of a client are taken, and texts are English', () => {
    const peer = dialled()
    peer.open({ incomingLocales: ['de', 'fr'], outgoingLocales: 'de' })
    peer.send(frame('end', {}, { channel: 900 }))
    expect(peer.closed()['error']).toMatchObject({ description: expect.stringMatching(/channel/) as unknown })
  })
})

describe('errors', () => {
  test('[AMQP10-2.8.14-a, AMQP10-2.8.14-b] have a condition of the specification, and say what was wrong', () => {
    const peer = dialled()
    peer.open()
    peer.send(rawFrame(Buffer.from('00', 'hex')))
    const close = peer.closed()
    expect(conditionOf(close)).toMatch(/^amqp:[a-z:-]+$/)
    expect((close['error'] as { description: string }).description).toMatch(/\w+ \w+/)
  })

  test('[AMQP10-2.7.1-a, AMQP10-2.8.14-a] of a client with close, end and detach are taken', () => {
    const error = { kind: 'error', condition: 'com.example:mine', description: 'd', info: { a: 1 } }
    const peer = dialled()
    peer.open()
    const session = peer.begin()
    const sender = session.sender('queue://q')
    expect(sender.detach({ error })).toMatchObject({ handle: aNumber })
    session.end({ error })
    expect(peer.next('end')['error']).toBeUndefined()
    peer.close({ error })
    expect(peer.closed()['error']).toBeUndefined()
  })
})
