/** Bytes come in pieces that have nothing to do with frames, on every transport. */
import { describe, expect, test } from 'vitest'

import { emptyFrame, type Frame, frame, header, plainInit, SASL, World } from '../../harness.ts'

/** A whole life of a client, as one run of bytes. */
function life(): Buffer {
  const session = new World().dial().session(0)
  const receiver = session.newReceiver('queue://q')
  const sender = session.newSender('queue://q')
  const payload = Buffer.alloc(300, 'x')
  return Buffer.concat([
    header(SASL),
    plainInit('me', ''),
    header(),
    frame('open', { containerId: 'c', idleTimeOut: 60_000 }),
    emptyFrame(),
    session.beginFrame(),
    receiver.attachFrame(),
    sender.attachFrame(),
    session.frame('flow', {
      nextIncomingId: 0,
      incomingWindow: 100,
      nextOutgoingId: 0,
      outgoingWindow: 100,
      handle: 0,
      deliveryCount: 0,
      linkCredit: 9,
    }),
    sender.transferFrame('first'),
    sender.transferFrame('', { payload: Buffer.from('005375b00000012c', 'hex'), more: true }),
    sender.moreFrame(payload.subarray(0, 100), { more: true }),
    sender.moreFrame(payload.subarray(100)),
    session.dispositionFrame(true, 0, { kind: 'accepted' }, { last: 1 }),
    sender.detachFrame(),
    session.frame('end'),
    frame('close'),
  ])
}

const stream = life()

function answersTo(pieces: readonly Uint8Array[]): Frame[] {
  const world = new World()
  const peer = world.dial()
  for (const piece of pieces) peer.send(piece)
  expect(peer.isClosed).toBe(true)
  expect(world.queue('q').waitingCount).toBe(0)
  return peer.received()
}

/** What they say, apart from how outcomes and flows are put together. */
function kindsOf(frames: readonly Frame[]): string[] {
  return frames.map(({ kind }) => kind).filter((kind) => kind !== 'disposition' && kind !== 'flow')
}

describe('[AMQP10-2.3.1-a] a life of a client', () => {
  const whole = kindsOf(answersTo([stream]))

  test('in one piece', () => {
    expect(whole).toEqual([
      'header',
      'sasl-mechanisms',
      'sasl-outcome',
      'header',
      'open',
      'begin',
      'attach',
      'attach',
      'transfer',
      'transfer',
      'detach',
      'end',
      'close',
    ])
  })

  test('byte by byte', () => {
    expect(kindsOf(answersTo(Array.from(stream, (byte) => Uint8Array.of(byte))))).toEqual(whole)
  })

  test('in two pieces, wherever the cut is', () => {
    for (let cut = 1; cut < stream.length; cut++) {
      expect([cut, kindsOf(answersTo([stream.subarray(0, cut), stream.subarray(cut)]))]).toEqual([cut, whole])
    }
  })

  test.each([2, 3, 5, 7, 64, 127])('in pieces of %i bytes', (size) => {
    const count = Math.ceil(stream.length / size)
    const pieces = Array.from({ length: count }, (_, index) => stream.subarray(index * size, (index + 1) * size))
    expect(kindsOf(answersTo(pieces))).toEqual(whole)
  })
})

test('a client that has left leaves nothing behind: no timer, no connection, no consumer', () => {
  const world = new World()
  const peer = world.dial()
  const timers = world.clock.timerCount
  peer.send(stream)
  world.advance(120_000)
  expect([world.adapter.connectionCount, world.queue('q').consumers.length]).toEqual([0, 0])
  expect(world.clock.timerCount).toBeLessThanOrEqual(timers)
})
