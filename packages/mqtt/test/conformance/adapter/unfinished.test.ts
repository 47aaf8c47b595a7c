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
