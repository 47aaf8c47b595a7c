import { describe, expect, test } from 'vitest'

import { emptyFrame, frame, type Peer, World } from '../../harness.ts'
import { textWith } from '../matchers.ts'

/** Time of the frames that come in `ms` virtual milliseconds, to a tenth of a second. */
function timesOfFrames(world: World, peer: Peer, ms: number): number[] {
  const times: number[] = []
  for (let at = 100; at <= ms; at += 100) {
    world.advance(100)
    times.push(...peer.received().map(() => at))
  }
  return times
}

describe('the time-out that a client asks for', () => {
  test.each([1_000, 2_000, 10_000, 60_000])(
    '[AMQP10-2.4.5-b, AMQP10-2.4.5-f] of %i ms: no silence of the broker is longer, and empty frames are on channel 0',
    (idleTimeOut) => {
      const world = new World({ settings: { idleTimeoutMs: 0 } })
      const peer = world.connect({ idleTimeOut })
      const times = timesOfFrames(world, peer, idleTimeOut * 5)
      const gaps = [0, ...times].map((at, index) => (times[index] ?? at) - at)
      expect(Math.max(...gaps)).toBeLessThanOrEqual(idleTimeOut)
      expect(times.length).toBeGreaterThanOrEqual(5)
      expect(peer.isClosed).toBe(false)
    },
  )

  test('[AMQP10-2.4.5-f] is kept with frames that have nothing else', () => {
    const world = new World()
    const peer = world.connect({ idleTimeOut: 4_000 })
    world.advance(4_000)
    expect(peer.received()[0]).toMatchObject({ kind: 'empty', channel: 0, size: 8 })
  })

  test('[AMQP10-2.7.1-h] of 0 is none', () => {
    const world = new World({ settings: { idleTimeoutMs: 0 } })
    const peer = world.connect({ idleTimeOut: 0 })
    world.advance(10 * 60_000)
    expect(peer.received()).toEqual([])
    expect(peer.isClosed).toBe(false)
  })

  test('[AMQP10-2.7.1-h] that is not there is none', () => {
    const world = new World({ settings: { idleTimeoutMs: 0 } })
    const peer = world.connect()
    world.advance(10 * 60_000)
    expect(peer.received()).toEqual([])
  })

  test('[AMQP10-2.4.5-d] that is too short to be kept is refused with a close that says why', () => {
    const world = new World()
    const peer = world.dial()
    peer.exchangeHeaders()
    peer.send(peer.openFrame({ idleTimeOut: 1 }))
    peer.next('open')
    expect(peer.closed()['error']).toMatchObject({ description: textWith('idle-time-out') })
  })

  test('[AMQP10-2.4.5-g] is not kept any more after close', () => {
    const world = new World()
    const peer = world.connect({ idleTimeOut: 2_000 })
    peer.close()
    peer.closed()
    world.advance(20_000)
    expect(peer.received()).toEqual([])
  })
})

describe('the time-out of the broker', () => {
  test('[AMQP10-2.4.5-c] is announced as half of what a client is given up after', () => {
    const world = new World({ settings: { idleTimeoutMs: 10_000 } })
    const peer = world.dial()
    peer.exchangeHeaders()
    const announced = Number(peer.open()['idleTimeOut'])
    world.advance(announced * 2 - 1_000)
    expect(peer.isClosed).toBe(false)
    world.advance(2_000)
    expect(peer.isClosed).toBe(true)
  })

  test('[AMQP10-2.4.5-a] ends a silent connection with a close that says why', () => {
    const world = new World({ settings: { idleTimeoutMs: 10_000 } })
    const peer = world.connect()
    world.advance(30_000)
    expect(peer.closed()['error']).toMatchObject({
      condition: 'amqp:resource-limit-exceeded',
      description: textWith('idle-time-out'),
    })
  })

  test('[AMQP10-2.4.5-i, AMQP10-2.4.5-e] is put off by every frame, empty ones on every channel as well', () => {
    const world = new World({ settings: { idleTimeoutMs: 10_000 } })
    const peer = world.connect()
    const session = peer.begin()
    for (const bytes of [
      emptyFrame(),
      emptyFrame(session.channel),
      emptyFrame(200),
      session.flowFrame(),
      emptyFrame(),
    ]) {
      world.advance(15_000)
      peer.send(bytes)
    }
    expect(peer.isClosed).toBe(false)
    expect(peer.received()).toEqual([])
  })

  test('[AMQP10-2.4.5-i] is its own: what the broker sends does not put it off', () => {
    const world = new World({ settings: { idleTimeoutMs: 10_000 } })
    const peer = world.connect({ idleTimeOut: 2_000 })
    world.advance(25_000)
    expect(peer.isClosed).toBe(true)
    expect(peer.received().filter(({ kind }) => kind === 'empty').length).toBeGreaterThan(5)
  })

  test('[AMQP10-2.4.5-i] half a frame at a time keeps a connection alive', () => {
    const world = new World({ settings: { idleTimeoutMs: 10_000 } })
    const peer = world.connect()
    for (const octet of emptyFrame()) {
      world.advance(15_000)
      peer.send(Uint8Array.of(octet))
    }
    expect(peer.isClosed).toBe(false)
  })

  test('0 is none, and is not announced', () => {
    const world = new World({ settings: { idleTimeoutMs: 0 } })
    const peer = world.dial()
    peer.exchangeHeaders()
    expect(peer.open()['idleTimeOut']).toBeUndefined()
    world.advance(3_600_000)
    expect(peer.isClosed).toBe(false)
  })
})

test('[AMQP10-2.4.5-e] empty frames before open are taken as none', () => {
  const peer = new World().dial()
  peer.exchangeHeaders()
  peer.send(emptyFrame(), peer.openFrame())
  expect(peer.next('open')).toBeDefined()
})

test('[AMQP10-2.4.5-h] a client that does not answer a close is gone after a time', () => {
  const world = new World({ settings: { idleTimeoutMs: 10_000 } })
  const peer = world.connect()
  peer.send(frame('open', { containerId: 'again' }))
  expect(peer.next('close')).toBeDefined()
  world.advance(60_000)
  expect(peer.isClosed).toBe(true)
  expect(world.clock.timerCount).toBeLessThanOrEqual(1)
})
