import { HIGH_WATER_BYTES, Outbox, SHORT_HIGH_WATER_BYTES } from '@ternmq/transport'
import { beforeEach, expect, test } from 'vitest'

import { PipeTransport } from './pipe-transport.ts'
import { SeededRandom, VirtualClock } from './virtual-clock.ts'

/** Remembers everything that a transport told it. */
class Recorder {
  bytes: number[] = []
  chunks = 0
  writableCalls = 0
  closedWith: string[] = []

  onBytes(chunk: Uint8Array): void {
    this.chunks++
    this.bytes.push(...chunk)
  }

  onWritable(): void {
    this.writableCalls++
  }

  onClosed(reason: string): void {
    this.closedWith.push(reason)
  }
}

let clock: VirtualClock
let outbox: Outbox

beforeEach(() => {
  clock = new VirtualClock()
  outbox = new Outbox(clock)
})

function pipe(kernelBytes?: number): {
  server: PipeTransport
  client: PipeTransport
  atServer: Recorder
  atClient: Recorder
} {
  const [server, client] = PipeTransport.pair({ clock, outbox, ...(kernelBytes === undefined ? {} : { kernelBytes }) })
  const atServer = new Recorder()
  const atClient = new Recorder()
  server.attach(atServer)
  client.attach(atClient)
  clock.settle()
  return { server, client, atServer, atClient }
}

test('all of a turn crosses as one chunk, in order', () => {
  const { server, atClient } = pipe()
  const at = server.reserve(2)
  server.slab[at] = 1
  server.slab[at + 1] = 2
  server.write(Uint8Array.of(3, 4))
  const next = server.reserve(1)
  server.slab[next] = 5
  expect(server.pendingBytes).toBe(5)
  expect(atClient.chunks).toBe(0)
  clock.settle()
  expect(atClient.bytes).toEqual([1, 2, 3, 4, 5])
  expect(atClient.chunks).toBe(1)
  expect(server.pendingBytes).toBe(0)
})

test('an idle connection holds no slab', () => {
  const { server } = pipe()
  server.write(Uint8Array.of(1))
  expect(outbox.slabs.idleBytes).toBe(0)
  clock.settle()
  expect(server.slab.length).toBe(0)
  expect(outbox.slabs.idleBytes).toBe(2048)
})

test('one small message to 1,000 peers takes 2 KiB for each, in one turn', () => {
  const pipes = Array.from({ length: 1000 }, () => pipe())
  for (const { server } of pipes) server.write(new Uint8Array(100))
  clock.settle()
  expect(outbox.slabs.idleBytes).toBe(1000 * 2048)
  expect(pipes.every(({ atClient }) => atClient.bytes.length === 100)).toBe(true)
})

test('shared bytes keep their place between copied ones', () => {
  const { server, atClient } = pipe()
  const large = new Uint8Array(10_000).fill(7)
  server.write(Uint8Array.of(1))
  server.writeShared(large)
  server.write(Uint8Array.of(2))
  server.writeShared(Uint8Array.of(3))
  clock.settle()
  expect(atClient.bytes).toEqual([1, ...large, 2, 3])
})

test('a full kernel keeps the bytes at the sender until the far end reads', () => {
  const { server, client, atClient } = pipe(10)
  client.pauseReading()
  server.write(new Uint8Array(25).fill(1))
  clock.settle()
  expect(server.pendingBytes).toBe(25)
  client.resumeReading()
  clock.settle()
  expect(atClient.bytes.length).toBe(25)
  expect(server.pendingBytes).toBe(0)
})

test('turns behind a stuck write gather in one slab', () => {
  const { server, client, atClient } = pipe(10)
  client.pauseReading()
  server.write(new Uint8Array(20).fill(1))
  clock.settle()
  for (let turn = 0; turn < 100; turn++) {
    server.write(Uint8Array.of(turn))
    clock.settle()
  }
  expect(server.pendingBytes).toBe(120)
  client.resumeReading()
  clock.settle()
  expect(atClient.bytes.slice(20)).toEqual(Array.from({ length: 100 }, (_, turn) => turn))
  expect(outbox.slabs.idleBytes).toBe(2 * 2048) // the stuck one and the one behind it
})

test('writable turns false above the mark, and onWritable follows once when the peer has read', () => {
  const { server, client, atServer } = pipe()
  client.pauseReading()
  server.write(new Uint8Array(HIGH_WATER_BYTES))
  expect(server.writable).toBe(true)
  server.write(Uint8Array.of(1))
  expect(server.writable).toBe(false)
  clock.settle()
  expect(server.writable).toBe(false)
  expect(atServer.writableCalls).toBe(0)
  client.resumeReading()
  clock.settle()
  expect(atServer.writableCalls).toBe(1)
  expect(server.writable).toBe(true)
})

test.each(['end', 'destroy'] as const)('nothing is to be delivered from %s on', (way) => {
  const { server, atServer } = pipe()
  server[way]('done')
  expect(server.writable).toBe(false)
  clock.settle()
  expect(server.writable).toBe(false)
  expect(atServer.writableCalls).toBe(0)
})

test('onWritable follows in the same turn when the kernel takes everything at once', () => {
  const { server, atServer } = pipe(10 * HIGH_WATER_BYTES)
  server.write(new Uint8Array(HIGH_WATER_BYTES + 1))
  expect(server.writable).toBe(false)
  clock.turn()
  expect(atServer.writableCalls).toBe(1)
})

test('while all peers together have too much waiting, each has the short mark', () => {
  outbox = new Outbox(clock, { unsentBytesMax: 100_000 })
  const stuck = [pipe(10), pipe(10), pipe(10)]
  for (const { server, client } of stuck) {
    client.pauseReading()
    server.write(new Uint8Array(SHORT_HIGH_WATER_BYTES + 5_000))
  }
  expect(stuck.map(({ server }) => server.writable)).toEqual([true, true, true])
  clock.settle()
  expect(outbox.unsentBytes).toBe(3 * (SHORT_HIGH_WATER_BYTES + 5_000))
  expect(stuck.map(({ server }) => server.writable)).toEqual([false, false, false])
  for (const { client } of stuck) client.resumeReading()
  clock.settle()
  expect(outbox.unsentBytes).toBe(0)
  expect(stuck.map(({ atServer }) => atServer.writableCalls)).toEqual([1, 1, 1])
})

test('answers to a peer that never reads end the connection at the limit', () => {
  outbox = new Outbox(clock, { stuckBytesMax: 5_000 })
  const { server, client, atServer } = pipe(10)
  client.pauseReading()
  for (let turn = 0; turn < 200 && atServer.closedWith.length === 0; turn++) {
    server.write(new Uint8Array(100))
    clock.settle()
  }
  // Looked at whenever a slab is full, so up to one slab (16 KiB) late.
  const [reason = ''] = atServer.closedWith
  const gatheredBytes = Number(/^peer does not read: (\d+) bytes wait behind a write/.exec(reason)?.[1])
  expect(gatheredBytes).toBeGreaterThan(5_000)
  expect(gatheredBytes).toBeLessThan(5_000 + 16_384)
  expect(outbox.unsentBytes).toBe(0)
})

test('end flushes what was written, drops what comes later, and both ends close once', () => {
  const { server, client, atServer, atClient } = pipe()
  server.write(Uint8Array.of(1, 2))
  server.end('done')
  server.end('again')
  const at = server.reserve(1)
  server.slab[at] = 9
  server.writeShared(new Uint8Array(100_000))
  clock.settle()
  expect(atClient.bytes).toEqual([1, 2])
  expect(atServer.closedWith).toEqual(['done'])
  expect(atClient.closedWith).toEqual(['closed by peer'])
  client.destroy('late')
  clock.advance(60_000)
  expect(atClient.closedWith).toEqual(['closed by peer'])
  expect(clock.timerCount).toBe(0)
})

test('end cuts off a peer that does not read after CLOSE_FLUSH_MS', () => {
  const { server, client, atServer } = pipe(10)
  client.pauseReading()
  server.write(new Uint8Array(100))
  server.end('done')
  clock.advance(4_999)
  expect(atServer.closedWith).toEqual([])
  clock.advance(1)
  expect(atServer.closedWith).toEqual(['done'])
})

test('destroy loses unsent output and resets the far end', () => {
  const { server, atServer, atClient } = pipe()
  server.write(Uint8Array.of(1))
  server.destroy('no')
  server.destroy('no again')
  clock.settle()
  expect(atClient.bytes).toEqual([])
  expect(atServer.closedWith).toEqual(['no'])
  expect(atClient.closedWith).toEqual(['connection reset by peer (ECONNRESET)'])
})

test('a kept chunk is overwritten when onBytes returns', () => {
  const { server, client } = pipe()
  let kept: Uint8Array = new Uint8Array()
  client.attach({ onBytes: (chunk) => (kept = chunk), onWritable: () => {}, onClosed: () => {} })
  server.write(Uint8Array.of(1, 2, 3))
  clock.settle()
  expect([...kept]).toEqual([0xdd, 0xdd, 0xdd])
})

test('shared ranges that follow one another cross without a copy, others keep their place', () => {
  const { server, atClient } = pipe()
  const block = Uint8Array.from({ length: 60 }, (_, i) => i)
  server.writeShared(block, 0, 10)
  server.writeShared(block, 10, 20)
  block[0] = 99 // seen only if nothing was copied; real callers never do this
  expect(outbox.slabs.idleBytes + server.slab.length).toBe(0)
  clock.settle()
  expect(atClient.bytes).toEqual([99, ...block.subarray(1, 20)])
  atClient.bytes = []
  server.writeShared(block, 20, 25)
  server.write(Uint8Array.of(200))
  server.writeShared(block, 25, 30)
  server.writeShared(block, 40, 45)
  server.end('done')
  server.writeShared(block, 45, 50)
  clock.settle()
  expect(atClient.bytes).toEqual([20, 21, 22, 23, 24, 200, 25, 26, 27, 28, 29, 40, 41, 42, 43, 44])
})

test('behind a stuck write a small part of a block is copied, so that the block can go', () => {
  const { server, client, atClient } = pipe(10)
  client.pauseReading()
  server.write(new Uint8Array(20))
  clock.settle()
  const block = new Uint8Array(64 * 1024).fill(7)
  server.writeShared(block, 0, 4_000)
  block.fill(0) // what a copy does not see
  clock.settle()
  client.resumeReading()
  clock.settle()
  expect(atClient.bytes.slice(20)).toEqual(Array.from({ length: 4_000 }, () => 7))
})

test('random writes, shared ranges, pauses and turns deliver every byte in order and give every slab back', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed)
    const { server, client, atClient } = pipe(1 + random.below(50_000))
    let sentCount = 0
    // Shared ranges come from blocks as a fan-out fills them: most follow one another, some skip.
    let block = new Uint8Array(0)
    let used = 0
    for (let step = 0; step < 300; step++) {
      const size = random.below(2) === 0 ? random.below(200) : random.below(9_000)
      const action = random.below(8)
      if (action <= 2) {
        const at = server.reserve(size)
        for (let i = 0; i < size; i++) server.slab[at + i] = (sentCount + i) % 251
        sentCount += size
      } else if (action <= 5) {
        if (used + size > block.length) {
          block = new Uint8Array(16_384)
          used = 0
        }
        if (random.below(10) === 0) used += random.below(block.length - used - size + 1)
        for (let i = 0; i < size; i++) block[used + i] = (sentCount + i) % 251
        server.writeShared(block, used, used + size)
        used += size
        sentCount += size
      } else if (action === 6) {
        if (random.below(2) === 0) client.pauseReading()
        else client.resumeReading()
      } else clock.turn()
      expect(server.pendingBytes).toBeGreaterThanOrEqual(0)
    }
    client.resumeReading()
    clock.settle()
    expect(atClient.bytes.length, `seed ${seed}`).toBe(sentCount)
    expect(
      atClient.bytes.findIndex((byte, i) => byte !== i % 251),
      `seed ${seed}`,
    ).toBe(-1)
    expect(server.pendingBytes).toBe(0)
    expect(server.slab.length).toBe(0)
    expect(outbox.unsentBytes).toBe(0)
  }
})
