import { describe, expect, test } from 'vitest'

import { composite, emptyFrame, frame, list, message, rawFrame, World } from '../../harness.ts'

function opened(settings = {}): { world: World; peer: ReturnType<World['connect']> } {
  const world = new World({ settings })
  return { world, peer: world.connect() }
}

describe('SIZE', () => {
  test.each([0, 1, 4, 7])('[AMQP10-2.3.1-b, AMQP10-2.8.16-a] of %i is answered with close, framing-error', (size) => {
    const { peer } = opened()
    peer.send(rawFrame(composite('begin').bytes, { size }))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.3.1-a] says where the next frame begins, whatever bytes come together', () => {
    const { peer } = opened()
    const session = peer.session()
    const bytes = Buffer.concat([session.beginFrame(), emptyFrame(), session.frame('end')])
    for (const octet of bytes) peer.send(Uint8Array.of(octet))
    expect(peer.received().map(({ kind }) => kind)).toEqual(['begin', 'end'])
  })

  test('[AMQP10-2.3.1-a] that leaves bytes of the performative out cannot be decoded', () => {
    const { peer } = opened()
    const bytes = frame('begin', { nextOutgoingId: 0, incomingWindow: 300, outgoingWindow: 300 })
    peer.send(rawFrame(bytes.subarray(8, -2)))
    expect(peer.closeCondition()).toBe('amqp:decode-error')
  })
})

describe('DOFF', () => {
  test.each([0, 1])('[AMQP10-2.3.1-c, AMQP10-2.8.16-a] of %i is answered with close, framing-error', (doff) => {
    const { peer } = opened()
    peer.send(rawFrame(composite('begin').bytes, { doff }))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test('[AMQP10-2.3.1-c] behind the end of the frame is answered with close, framing-error', () => {
    const { peer } = opened()
    peer.send(rawFrame(Buffer.alloc(4), { doff: 4 }))
    expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
  })

  test.each([4, 64, 1_000])('[AMQP10-2.3.1-d] an extended header of %i octets is skipped', (size) => {
    const { peer } = opened()
    const session = peer.session()
    const { bytes } = composite('begin', { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 1 })
    peer.send(rawFrame(bytes, { extendedHeader: Buffer.alloc(size, 0xff) }))
    session.begun(peer.next('begin'))
    const sender = session.sender('queue://q')
    peer.send(
      session.frame(
        'transfer',
        { handle: 0, deliveryId: 0, deliveryTag: 't', messageFormat: 0 },
        { payload: message('x'), extendedHeader: Buffer.alloc(size) },
      ),
    )
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    expect(sender.remoteHandle).toBeDefined()
  })

  test('[AMQP10-2.3.1-d, AMQP10-2.3.2-c] that is all of the frame leaves an empty body', () => {
    const { peer } = opened()
    peer.send(rawFrame(Buffer.alloc(0), { extendedHeader: Buffer.alloc(8) }))
    expect(peer.received()).toEqual([])
    expect(peer.isClosed).toBe(false)
  })
})

test.each([2, 255])('[AMQP10-2.3.1-e, AMQP10-2.8.16-a] TYPE %i is answered with close, framing-error', (type) => {
  const { peer } = opened()
  peer.send(rawFrame(composite('begin').bytes, { type }))
  expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
})

test('[AMQP10-2.3.1-e] a SASL frame on an open connection is answered with close', () => {
  const { peer } = opened()
  peer.send(frame('sasl-init', { mechanism: 'PLAIN' }, { type: 1 }))
  expect(peer.closeCondition()).toBe('amqp:connection:framing-error')
})

test('[AMQP10-2.3.2-a] the channel says which session a frame belongs to', () => {
  const { peer } = opened()
  const [first, second] = [peer.begin(), peer.begin({}, 7)]
  second.end()
  expect(peer.next('end').channel).toBe(second.remoteChannel)
  first.end()
  expect(peer.next('end').channel).toBe(first.remoteChannel)
})

describe('a body', () => {
  test('[AMQP10-2.3.2-b] that is a performative of SASL is answered with close', () => {
    const { peer } = opened()
    peer.send(frame('sasl-init', { mechanism: 'PLAIN' }))
    expect(peer.closed()['error']).toBeDefined()
  })

  test.each([
    ['no described type', list([]).bytes],
    ['of an unknown type', Buffer.from('0053ff45', 'hex')],
    ['a section of a message', Buffer.from('005375a00178', 'hex')],
    ['half a performative', Buffer.from('0053', 'hex')],
    ['a performative that is no list', Buffer.from('00531141', 'hex')],
    ['noise', Buffer.from('deadbeefdeadbeef', 'hex')],
  ])('[AMQP10-2.3.2-b, AMQP10-2.8.15-a] that is %s is answered with close', (_, bytes) => {
    const { peer } = opened()
    peer.send(rawFrame(bytes))
    expect(['amqp:decode-error', 'amqp:not-allowed', 'amqp:invalid-field']).toContain(peer.closeCondition())
  })

  test('[AMQP10-2.3.2-c] that is empty is no frame of a session', () => {
    const { peer } = opened()
    const session = peer.begin()
    peer.send(emptyFrame(), emptyFrame(session.channel), emptyFrame(9))
    expect(peer.received()).toEqual([])
    session.end()
    peer.next('end')
  })
})
