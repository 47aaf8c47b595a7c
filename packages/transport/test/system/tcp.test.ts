import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

import { closed, pumpRandomPieces, readBytes, startRig, TEST_OPTIONS, turn } from '@ternmq/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { createTcpListener, HIGH_WATER_BYTES, TransportError, TURN_READ_BYTES_MAX } from '../../src/index.ts'
import { startTcp } from './support.ts'
import { tlsPeer } from './tls-support.ts'

test('bytes arrive, and all answers of a turn leave in one piece', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.write('hello')
  await accepted.until(() => accepted.receivedBytes === 5)
  expect(accepted.text).toBe('hello')
  for (const part of ['a', 'b', 'c']) accepted.transport.write(Buffer.from(part))
  const [chunk] = (await once(peer, 'data')) as [Buffer]
  expect(chunk.toString()).toBe('abc')
  expect(accepted.transport.peer).toEqual({ listener: 'mqtt', address: '127.0.0.1', port: peer.localPort })
})

test('a transport knows how many bytes came and went, and since when it is there', async () => {
  const before = Date.now()
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  const { transport } = accepted
  expect([transport.bytesIn, transport.bytesOut]).toEqual([0, 0])
  expect(transport.openedAtMs).toBeGreaterThanOrEqual(before)
  peer.write(Buffer.alloc(200_000))
  await accepted.until(() => accepted.receivedBytes === 200_000)
  transport.write(Buffer.alloc(1_000))
  transport.writeShared(Buffer.alloc(5_000))
  await readBytes(peer, 6_000)
  expect([transport.bytesIn, transport.bytesOut]).toEqual([200_000, 6_000])
})

test('a peer that uses TLS is closed, and the adapter hears why instead of its hello', async () => {
  const rig = await startTcp({
    key: 'stomp',
    tlsAdvice: () => 'connect to port 61614 (listeners.stomps) instead, or without TLS',
  })
  const peer = tlsPeer(rig.bound)
  const accepted = await rig.nextAccepted()
  await closed(peer)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(accepted.receivedBytes).toBe(0)
  expect(accepted.closedWith).toEqual([
    'the peer uses TLS, and listener stomp is not encrypted; connect to port 61614 (listeners.stomps) instead, or without TLS',
  ])
  expect(rig.listener.stats).toMatchObject({ unservedProtocols: 1, failedHandshakes: 0 })
})

test('bytes that only begin as TLS does are the adapter’s', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.write(Uint8Array.of(0x16, 0x02, 0x03, 0x01))
  await accepted.until(() => accepted.receivedBytes === 4)
  peer.write(Uint8Array.of(0x16, 0x03, 0x01)) // and later ones anyway
  await accepted.until(() => accepted.receivedBytes === 7)
  expect(rig.listener.stats.unservedProtocols).toBe(0)
})

test('every connection reads into the same memory', async () => {
  const chunks: ArrayBufferLike[] = []
  const rig = await startRig(
    (context) =>
      createTcpListener(TEST_OPTIONS, context, (transport) => ({
        onBytes: (chunk) => {
          chunks.push(chunk.buffer)
          transport.write(chunk)
        },
        onWritable: () => {},
        onClosed: () => {},
      })),
    onTestFinished,
  )
  const first = await rig.dial()
  const second = await rig.dial()
  first.write('one')
  expect((await readBytes(first, 3)).toString()).toBe('one')
  second.write('two')
  expect((await readBytes(second, 3)).toString()).toBe('two')
  expect(chunks.length).toBe(2)
  expect(chunks[0]).toBe(chunks[1])
})

test('ids ascend over all listeners', async () => {
  const first = await startTcp()
  const second = await startTcp()
  await first.dial()
  const one = await first.nextAccepted()
  await second.dial()
  const two = await second.nextAccepted()
  expect(two.transport.id).toBeGreaterThan(one.transport.id)
})

test('a paused transport receives nothing until it resumes, and loses nothing', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  accepted.transport.pauseReading()
  accepted.transport.pauseReading()
  peer.write('while paused')
  const other = await rig.dial() // its bytes come later than those above, on the same loop
  other.write('marker')
  const marker = await rig.nextAccepted()
  await marker.until(() => marker.receivedBytes === 6)
  expect(accepted.receivedBytes).toBe(0)
  accepted.transport.resumeReading()
  await accepted.until(() => accepted.receivedBytes === 12)
  expect(accepted.text).toBe('while paused')
})

test('pausing from inside onBytes keeps the rest of what arrived for later', async () => {
  const rig = await startTcp({}, (accepted) => {
    const plain = accepted.onBytes.bind(accepted)
    accepted.onBytes = (chunk) => {
      accepted.transport.pauseReading()
      plain(chunk)
    }
  })
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.write(Buffer.alloc(500_000, 1))
  let rounds = 0
  while (accepted.receivedBytes < 500_000) {
    const before = accepted.receivedBytes
    await accepted.until(() => accepted.receivedBytes > before)
    expect(accepted.receivedBytes - before).toBeLessThanOrEqual(64 * 1024)
    rounds++
    accepted.transport.resumeReading()
  }
  expect(rounds).toBeGreaterThanOrEqual(8)
})

test('one peer does not get more than its part of a turn, and loses nothing', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  let turnBytes = 0
  let longestTurnBytes = 0
  const plain = accepted.onBytes.bind(accepted)
  accepted.onBytes = (chunk) => {
    if (turnBytes === 0) rig.clock.flush(() => (turnBytes = 0))
    turnBytes += chunk.length
    longestTurnBytes = Math.max(longestTurnBytes, turnBytes)
    plain(chunk)
  }
  accepted.transport.pauseReading()
  peer.write(Buffer.alloc(8_000_000))
  for (let i = 0; i < 20; i++) await turn() // the kernel takes some megabytes
  accepted.transport.resumeReading()
  await accepted.until(() => accepted.receivedBytes === 8_000_000)
  expect(longestTurnBytes).toBeLessThanOrEqual(TURN_READ_BYTES_MAX)
  expect(longestTurnBytes).toBeGreaterThan(TURN_READ_BYTES_MAX / 2)
})

test('a peer that is paused where others get their turn stays paused', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  const plain = accepted.onBytes.bind(accepted)
  let turnBytes = 0
  let pausedAt = 0
  accepted.onBytes = (chunk) => {
    plain(chunk)
    if (turnBytes === 0) rig.clock.flush(() => (turnBytes = 0))
    turnBytes += chunk.length
    if (turnBytes < TURN_READ_BYTES_MAX || pausedAt > 0) return
    pausedAt = accepted.receivedBytes
    accepted.transport.pauseReading()
  }
  accepted.transport.pauseReading()
  peer.write(Buffer.alloc(8_000_000))
  for (let i = 0; i < 20; i++) await turn() // the kernel takes some megabytes
  accepted.transport.resumeReading()
  await accepted.until(() => pausedAt > 0)
  for (let i = 0; i < 20; i++) await turn()
  expect(accepted.receivedBytes).toBe(pausedAt)
  accepted.transport.resumeReading()
  await accepted.until(() => accepted.receivedBytes === 8_000_000)
})

test('end flushes what was written, then both sides are closed with the reason given', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  const large = Buffer.alloc(3_000_000, 5)
  accepted.transport.writeShared(large)
  accepted.transport.write(Buffer.from('last words'))
  accepted.transport.end('server shuts down')
  accepted.transport.end('again')
  accepted.transport.write(Buffer.from('too late'))
  const bytes = await readBytes(peer, large.length + 10)
  expect(bytes.subarray(large.length).toString()).toBe('last words')
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['server shuts down'])
  expect(rig.clock.timerCount).toBe(0)
  accepted.transport.destroy('after the end')
  accepted.transport.pauseReading()
  accepted.transport.resumeReading()
})

test('end reaches a peer that is still sending, without a reset', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.write(Buffer.alloc(2_000_000, 1))
  await accepted.until(() => accepted.receivedBytes > 0)
  accepted.transport.pauseReading()
  accepted.transport.write(Buffer.from('refused'))
  accepted.transport.end('protocol error')
  expect((await readBytes(peer, 7)).toString()).toBe('refused')
  const before = accepted.receivedBytes
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['protocol error'])
  expect(accepted.receivedBytes).toBe(before)
})

test('end cuts off a peer that does not read within CLOSE_FLUSH_MS', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  peer.pause()
  const accepted = await rig.nextAccepted()
  accepted.transport.writeShared(Buffer.alloc(30_000_000))
  accepted.transport.end('done')
  await untilTimers(rig.clock, 1)
  rig.clock.advance(4_999)
  expect(accepted.closedWith).toEqual([])
  rig.clock.advance(1)
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['done'])
  expect(rig.outbox.unsentBytes).toBe(0)
})

test('destroy closes at once and tells the reason once', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  accepted.transport.write(Buffer.from('lost'))
  accepted.transport.destroy('taken over')
  accepted.transport.destroy('again')
  await once(peer, 'close')
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['taken over'])
  expect(rig.listener.stats.open).toBe(0)
})

test('destroy from inside onBytes is safe and stops reading', async () => {
  const rig = await startTcp({}, (accepted) => {
    const plain = accepted.onBytes.bind(accepted)
    accepted.onBytes = (chunk) => {
      plain(chunk)
      accepted.transport.destroy('malformed packet')
    }
  })
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.write(Buffer.alloc(1_000_000))
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.received.length).toBe(1)
})

test('a half-closed peer gets the answer to what it sent, then the connection closes', async () => {
  const rig = await startTcp({}, (accepted) => {
    accepted.onBytes = (chunk) => accepted.transport.write(chunk)
  })
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  peer.end('question')
  expect((await readBytes(peer, 8)).toString()).toBe('question')
  await accepted.until(() => !accepted.transport.writable) // what were delivered now would be lost
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['closed by peer'])
})

test('a reset is reported as one, also in the middle of writing', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  peer.pause()
  const accepted = await rig.nextAccepted()
  accepted.transport.writeShared(Buffer.alloc(20_000_000))
  const quiet = await rig.dial()
  const other = await rig.nextAccepted()
  peer.resetAndDestroy()
  quiet.resetAndDestroy()
  await accepted.until(() => accepted.closedWith.length > 0)
  await other.until(() => other.closedWith.length > 0)
  expect(accepted.closedWith[0]).toMatch(/\((ECONNRESET|EPIPE)\)$/)
  expect(other.closedWith).toEqual(['connection reset by peer (ECONNRESET)'])
  expect(rig.outbox.unsentBytes).toBe(0)
  expect(rig.listener.stats.open).toBe(0)
})

test('a slow reader makes the transport unwritable, and onWritable follows when it has read', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  peer.pause()
  const accepted = await rig.nextAccepted()
  const { transport } = accepted
  let written = 0
  while (transport.writable) {
    transport.write(Buffer.alloc(100_000, 1))
    written += 100_000
    if (!transport.writable) await turn() // the kernel takes some megabytes before anything waits here
  }
  expect(transport.pendingBytes).toBeGreaterThan(HIGH_WATER_BYTES)
  expect(rig.outbox.unsentBytes).toBe(transport.pendingBytes)
  const calls = accepted.writableCalls
  const reading = countBytes(peer, written)
  peer.resume()
  await accepted.until(() => accepted.writableCalls > calls)
  expect(transport.writable).toBe(true)
  await reading
  expect(transport.pendingBytes).toBe(0)
})

test('200 MB in random pieces reach a reader that stops and starts, byte for byte', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  expect(await pumpRandomPieces(accepted, peer, 200_000_000)).toBe(200_000_000)
})

test('a busy port is refused with a sentence that says what to do', async () => {
  const other = createServer()
  other.listen({ host: '127.0.0.1', port: 0 })
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const error = await startTcp({ port }).catch((thrown: unknown) => thrown)
  other.close()
  expect(error).toBeInstanceOf(TransportError)
  expect((error as TransportError).message).toBe(
    `listener mqtt cannot bind 127.0.0.1:${port}: the port is in use; stop the other program or set listeners.mqtt.port`,
  )
})

test('stopAccepting refuses new peers and keeps those that are there', async () => {
  const rig = await startTcp()
  const peer = await rig.dial()
  const accepted = await rig.nextAccepted()
  rig.listener.stopAccepting()
  rig.listener.stopAccepting()
  await expect(rig.dial()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  accepted.transport.write(Buffer.from('still here'))
  expect((await readBytes(peer, 10)).toString()).toBe('still here')
})

test('close ends every connection with the reason and returns when the last is gone', async () => {
  const rig = await startTcp()
  await Promise.all([1, 2, 3].map(() => rig.dial()))
  const accepted = await Promise.all([1, 2, 3].map(() => rig.nextAccepted()))
  await rig.listener.close('broker stops')
  expect(accepted.map(({ closedWith }) => closedWith)).toEqual([['broker stops'], ['broker stops'], ['broker stops']])
  await rig.listener.close('again')
})

async function untilTimers(clock: { timerCount: number }, count: number): Promise<void> {
  while (clock.timerCount !== count) await turn()
}

/** Returns once `byteCount` bytes have come. */
function countBytes(peer: Socket, byteCount: number): Promise<void> {
  return new Promise((resolve) => {
    let have = 0
    peer.on('data', (chunk: Buffer) => {
      have += chunk.length
      if (have >= byteCount) resolve()
    })
  })
}
