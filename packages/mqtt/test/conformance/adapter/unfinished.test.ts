/** Packets that have begun and not ended: how much of them all connections together may hold. */
import { describe, expect, it } from 'vitest'
import { ReasonCode } from '../../../src/codec/reason-codes.ts'
import { World } from '../../harness.ts'

const KIB = 1_024

/** Beginning of a PUBLISH of 768 KiB, `size` bytes. */
function beginning(size: number): Uint8Array {
  const bytes = Buffer.alloc(size, 'x')
  bytes.set([0x30, 0x80, 0x80, 0x30, 0, 1, 0x78, 0])
  return bytes
}

describe('the unfinished packets of all connections', () => {
  it('end the connection that holds most of them, with 0x97, when they are more than the limit', () => {
    const world = new World({ limits: { unfinishedBytesMax: 1_000 * KIB } })
    const [large, small, asking] = [world.connect('a'), world.connect('b'), world.connect('c')]
    large.send(beginning(512 * KIB))
    small.send(beginning(256 * KIB))
    asking.send(beginning(256 * KIB))
    const { reasonCode, properties } = large.next('DISCONNECT')
    expect([reasonCode, large.isClosed, small.isClosed, asking.isClosed]).toEqual([ReasonCode.quotaExceeded, true, false, false])
    expect(properties.reasonString).toMatch(/limits\.unfinishedBytesMax\) is 1000 KiB, and 512 KiB of it are this connection's/)
    expect(world.vhost.unfinished.bytes).toBe(512 * KIB)
  })

  it('are counted before CONNECT as well, and no more once they are complete or their connection is gone', () => {
    const world = new World({ limits: { unfinishedBytesMax: 1_000 * KIB } })
    const [stranger, sender] = [world.open(), world.connect('c')]
    stranger.send([0x10, 0x7f, 0, 4])
    expect(world.vhost.unfinished.bytes).toBeGreaterThan(0)
    stranger.vanish()
    sender.send(beginning(128 * KIB))
    expect(world.vhost.unfinished.bytes).toBe(128 * KIB)
    sender.send(Buffer.alloc(640 * KIB + 4, 'x'))
    expect([sender.isClosed, world.vhost.unfinished.bytes]).toEqual([false, 0])
  })
})

describe('a packet that does not end', () => {
  const TEXT = 'a packet has begun and not ended within mqtt.packetTimeoutMs 60000'

  it.each([0, 3_600])('is given up after mqtt.packetTimeoutMs, however often a byte comes, with a keep-alive of %i s', (keepAlive) => {
    const world = new World()
    const client = world.connect('c', { keepAlive })
    world.advance(30_000)
    client.send(beginning(100))
    for (let second = 0; second < 58; second += 2) {
      client.send([0x78])
      world.advance(2_000)
    }
    expect(client.isClosed).toBe(false)
    for (let second = 0; second < 4 && !client.isClosed; second += 2) {
      client.send([0x78])
      world.advance(2_000)
    }
    const { reasonCode, properties } = client.next('DISCONNECT')
    expect([reasonCode, properties.reasonString, client.isClosed]).toEqual([ReasonCode.quotaExceeded, TEXT, true])
  })

  it.each([3, 4] as const)('is given up without a word to a client of MQTT 3 (version %i)', (version) => {
    const world = new World({ version })
    const client = world.connect('c', { keepAlive: 0 })
    client.send([0x30])
    world.advance(62_000)
    expect([client.isClosed, world.events.at(-1)?.text]).toEqual([true, TEXT])
  })

  it('has its time from its own first byte, and a client that is silent between packets has all it wants', () => {
    const world = new World()
    const client = world.connect('c', { keepAlive: 0 })
    const packet = Buffer.from([0x30, 4, 0, 1, 0x78, 0])
    for (let count = 0; count < 5; count++) {
      client.send(packet.subarray(0, 3))
      world.advance(50_000)
      // The end of one, and the beginning of the next.
      client.send(Buffer.concat([packet.subarray(3), packet.subarray(0, 3)]))
      world.advance(50_000)
      client.send(packet.subarray(3))
      world.advance(1_000_000)
    }
    expect([client.isClosed, world.vhost.counters.messagesIn]).toEqual([false, 10])
  })
})
