import { describe, expect, test } from 'vitest'

import { AMQP, header, type Peer, TLS, World } from '../../harness.ts'

function refusedWith(peer: Peer): { header: unknown; closed: boolean } {
  const { protocolId, version } = peer.next('header')
  return { header: [protocolId, version], closed: peer.isClosed }
}

test('[AMQP10-2.2-a, AMQP10-2.2-c] the header of AMQP 1.0 is answered with the same', () => {
  const peer = new World().dial()
  peer.send(header())
  expect(peer.next('header')).toMatchObject({ protocolId: AMQP, version: '1.0.0' })
  expect(peer.isClosed).toBe(false)
})

test('[AMQP10-2.2-a] a header may come octet by octet', () => {
  const peer = new World().dial()
  for (const octet of header()) peer.send(Uint8Array.of(octet))
  expect(peer.next('header')).toMatchObject({ protocolId: AMQP })
})

test('[AMQP10-2.2-b] what follows the header is read as AMQP 1.0', () => {
  const peer = new World().dial()
  peer.send(header(), peer.openFrame())
  peer.next('header')
  expect(peer.next('open')).toBeDefined()
})

describe('a version that is not served', () => {
  test.each([
    [0, 9, 1],
    [1, 1, 0],
    [1, 0, 1],
    [2, 0, 0],
    [0, 10, 0],
  ])('[AMQP10-2.2-d, AMQP10-2.2-e, AMQP10-2.2-h] %i.%i.%i is answered with 1.0.0 and the end', (...version) => {
    const peer = new World().dial()
    peer.send(header(AMQP, ...version))
    expect(refusedWith(peer)).toEqual({ header: [AMQP, '1.0.0'], closed: true })
  })

  test('[AMQP10-2.2-d] the header of AMQP 0-9-1 is answered with one of AMQP 1.0', () => {
    const world = new World()
    const peer = world.dial()
    peer.send(Buffer.from('AMQP\0\0\x09\x01', 'latin1'))
    expect(refusedWith(peer)).toEqual({ header: [AMQP, '1.0.0'], closed: true })
    expect(world.events.map(({ text }) => text).join()).toMatch(/0-9-1/)
  })
})

test.each([
  ['words', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['an MQTT CONNECT', Buffer.from('100c00044d5154540402003c0000', 'hex')],
  ['zeros', Buffer.alloc(8)],
  ['a frame', Buffer.from('0000000c0200000000531745', 'hex')],
])('[AMQP10-2.2-f] %s instead of a header are answered with one that is served, and the end', (_, bytes) => {
  const peer = new World().dial()
  peer.send(bytes)
  expect(refusedWith(peer)).toEqual({ header: [AMQP, '1.0.0'], closed: true })
})

test.each([1, 2, 4, 255])(
  '[AMQP10-2.2-g, AMQP10-5.2-a] protocol id %i is answered with one that is accepted, and the end',
  (id) => {
    const peer = new World().dial()
    peer.send(header(id))
    expect(refusedWith(peer)).toEqual({ header: [AMQP, '1.0.0'], closed: true })
  },
)

test('[AMQP10-2.2-g] TLS is refused in the middle of a connection, too', () => {
  const peer = new World().dial()
  peer.logIn()
  peer.send(header(TLS))
  expect(refusedWith(peer)).toEqual({ header: [AMQP, '1.0.0'], closed: true })
})

test('a client that says nothing is closed after the handshake time-out', () => {
  const world = new World({ settings: { handshakeTimeoutMs: 5_000 } })
  const peer = world.dial()
  world.advance(4_500)
  expect(peer.isClosed).toBe(false)
  world.advance(1_000)
  expect(peer.isClosed).toBe(true)
  expect(peer.received()).toEqual([])
})
