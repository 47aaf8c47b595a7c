import { once } from 'node:events'
import type { Socket } from 'node:net'

import { closed, readBytes, readInFits, StreamChecker, turn, writeRandomPieces } from '@ternmq/testkit'
import { HIGH_WATER_BYTES } from '@ternmq/transport'
import { describe, expect, test } from 'vitest'
import type { WebSocket } from 'ws'

import { createWebSocketListener, type LiveWebSocketListener } from '../../src/index.ts'
import { closeOf, dialWs, MIB, startWs, takeBytes, UPGRADE, wsPeer } from './support.ts'

/** Of a peer, which masks it, without content. */
const PONG_BYTES = 6

async function message(ws: WebSocket): Promise<{ bytes: Buffer; isBinary: boolean }> {
  const [bytes, isBinary] = (await once(ws, 'message')) as [Buffer, boolean]
  return { bytes, isBinary }
}

test('bytes go both ways in binary frames, and one turn is one frame [MQTT5-6.0.0-1]', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.from('hel'))
  peer.send(Buffer.from('lo'))
  await accepted.until(() => accepted.receivedBytes === 5)
  expect(accepted.text).toBe('hello')
  for (const part of ['wo', 'rl', 'd']) accepted.transport.write(Buffer.from(part))
  expect(await message(peer)).toEqual({ bytes: Buffer.from('world'), isBinary: true })
  expect(accepted.transport.peer).toMatchObject({ listener: 'ws', address: '127.0.0.1' })
})

test.each([['mqtt'], ['v12.stomp']])(
  'a transport of %s counts bytes with the heads of their frames',
  async (protocol) => {
    const rig = await startWs()
    const peer = await dialWs(rig.bound, [protocol])
    const accepted = await rig.nextAccepted()
    expect(accepted.transport.peer.isWebSocket).toBe(true)
    const { _socket: socket } = peer as unknown as { readonly _socket: Socket }
    const upgrade = { read: socket.bytesRead, written: socket.bytesWritten }
    let sent = 0
    let taken = 0
    peer.on('message', ({ length }: Buffer) => (taken += length))
    for (const size of [1, 125, 126, 65_535, 65_536, 300_000]) {
      peer.send('x'.repeat(size), { binary: protocol === 'mqtt' })
      sent += size
      await accepted.until(() => accepted.receivedBytes === sent)
      accepted.transport.write(Buffer.alloc(size, 'y'))
      await rig.eventually(() => taken === sent)
    }
    expect(accepted.transport.bytesIn).toBe(socket.bytesWritten - upgrade.written)
    expect(accepted.transport.bytesOut).toBe(socket.bytesRead - upgrade.read)
  },
)

test('a peer that sends text frames gets text frames, but for a turn with bytes that are no text', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound, ['v12.stomp'])
  const accepted = await rig.nextAccepted()
  peer.send('grüße')
  await accepted.until(() => accepted.receivedBytes === 7)
  accepted.transport.write(Buffer.from('zurück'))
  expect(await message(peer)).toEqual({ bytes: Buffer.from('zurück'), isBinary: false })
  accepted.transport.write(Buffer.from([0xff, 0]))
  accepted.transport.write(Buffer.from('zurück'))
  expect(await message(peer)).toEqual({ bytes: Buffer.from('ff007a7572c3bc636b', 'hex'), isBinary: true })
  // More than a slab: characters lie across its borders.
  const long = 'ä€😀'.repeat(50_000)
  for (let at = 0; at < long.length; at += 3_000) accepted.transport.write(Buffer.from(long.slice(at, at + 3_000)))
  const { bytes, isBinary } = await message(peer)
  expect([bytes.toString() === long, isBinary]).toEqual([true, false])
})

test('a packet may be spread over frames, and a frame over fragments [MQTT5-6.0.0-2]', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.from('a'), { fin: false })
  peer.send(Buffer.from('b'), { fin: false })
  peer.send(Buffer.from('c'), { fin: true })
  peer.send(Buffer.alloc(300_000, 'd'))
  await accepted.until(() => accepted.receivedBytes === 300_003)
  expect(accepted.text.slice(0, 4)).toBe('abcd')
})

test.each([
  [['mqtt'], 'mqtt'],
  [['mqttv3.1'], 'mqttv3.1'],
  [['unknown', 'mqttv3.1', 'mqtt'], 'mqtt'],
])('a peer that offers %j gets %s [MQTT5-6.0.0-3] [MQTT5-6.0.0-4]', async (offered, chosen) => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound, offered)
  expect(peer.protocol).toBe(chosen)
  await rig.nextAccepted()
})

test.each([[['amqp']], [['MQTT']], [['soap', 'amqp']]])(
  'a peer that offers %j is refused with 400 and a sentence [MQTT5-6.0.0-3]',
  async (offered) => {
    const rig = await startWs()
    const peer = wsPeer(rig.bound, offered)
    const [, response] = (await once(peer, 'unexpected-response')) as [
      unknown,
      NodeJS.ReadableStream & { statusCode: number },
    ]
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    expect(response.statusCode).toBe(400)
    const rule = 'Sec-WebSocket-Protocol must offer mqtt or mqttv3.1 or v12.stomp, or be left out'
    const text = `${rule}; it offered ${offered.join(', ')}`
    expect(Buffer.concat(chunks).toString()).toBe(`${text}\n`)
    expect(rig.events[0]).toMatchObject({ kind: 'handshake-failed', text: `WebSocket upgrade refused: ${text}` })
    await rig.eventually(() => rig.listener.stats.open === 0)
  },
)

test('any path is accepted', async () => {
  const rig = await startWs()
  await dialWs(rig.bound, ['mqtt'], { path: '/some/where?token=1' })
  expect((await rig.nextAccepted()).transport.peer.listener).toBe('ws')
})

test('pages of origins that are not allowed are refused with 403, others connect', async () => {
  const rig = await startWs({ allowedOrigins: ['https://app.example'] })
  await dialWs(rig.bound, ['mqtt'], { origin: 'https://app.example' })
  await rig.nextAccepted()
  const refused = wsPeer(rig.bound, ['mqtt'], { origin: 'https://evil.example' })
  const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }]
  expect(response.statusCode).toBe(403)
  expect(rig.events[0]?.text).toContain('pages of https://evil.example may not connect')
})

test('origins and time limits that change hold for new connections', async () => {
  const create = createWebSocketListener
  let live: LiveWebSocketListener | undefined = undefined
  const rig = await startWs({}, undefined, (...args) => (live = create(...args)))
  const listener = live as unknown as LiveWebSocketListener
  listener.use({ allowedOrigins: ['https://app.example'], handshakeMs: 3_000 })
  await dialWs(rig.bound, ['mqtt'], { origin: 'https://app.example' })
  const silent = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 2)
  rig.clock.advance(3_000)
  await closed(silent)
  expect(rig.events[0]?.text).toBe('the peer did not finish the WebSocket upgrade within 3000 ms')
})

test('who goes before the first byte is counted, and told nobody; who has begun is told', async () => {
  const rig = await startWs()
  const probe = await rig.dial()
  probe.resume()
  probe.end()
  await rig.eventually(() => rig.listener.stats.failedHandshakes === 1)
  expect(rig.events).toEqual([])
  const peer = await rig.dial()
  peer.resume()
  peer.write('GET / HT')
  await rig.eventually(() => peer.bytesWritten > 0)
  peer.end()
  await rig.eventually(() => rig.events.length === 1)
})

test('a plain GET is told what the port speaks, and is no failure', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  const bytes: Buffer[] = []
  peer.on('data', (chunk: Buffer) => bytes.push(chunk))
  peer.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await closed(peer)
  const answer = Buffer.concat(bytes).toString()
  expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/)
  expect(answer).toContain('This port speaks mqtt or mqttv3.1 or v12.stomp over WebSocket.')
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(0)
})

test.each([
  ['\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', '400', /not an HTTP request/],
  [`${UPGRADE.replace('Version: 13', 'Version: 7')}\r\n\r\n`, '400', /Sec-WebSocket-Version/],
  [`${UPGRADE.replace('dGhlIHNhbXBsZSBub25jZQ==', 'short')}\r\n\r\n`, '400', /Sec-WebSocket-Key/],
  [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '400', /not an HTTP request/],
])('a request that is no upgrade is refused, counted and closed (%#)', async (request, status, text) => {
  const rig = await startWs()
  const peer = await rig.dial()
  const bytes: Buffer[] = []
  peer.on('data', (chunk: Buffer) => bytes.push(chunk))
  peer.write(Buffer.from(request, 'latin1'))
  await closed(peer)
  expect(Buffer.concat(bytes).toString()).toContain(`HTTP/1.1 ${status} `)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
  expect(rig.events[0]?.text).toMatch(text)
})

test('a peer that does not finish the upgrade is closed after 10 s', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  peer.write(UPGRADE) // and never the empty line
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.clock.advance(9_999)
  await turn()
  expect(peer.closed).toBe(false)
  rig.clock.advance(1)
  await closed(peer)
  expect(rig.events[0]?.text).toBe('the peer did not finish the WebSocket upgrade within 10000 ms')
})

test('frames that come with the upgrade are not lost', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  const frame = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 0x61, 0x62, 0x63]) // 'abc', masked with zeros
  peer.write(Buffer.concat([Buffer.from(`${UPGRADE}\r\n\r\n`), frame]))
  const accepted = await rig.nextAccepted()
  await accepted.until(() => accepted.receivedBytes === 3)
  expect(accepted.text).toBe('abc')
})

test('a text frame closes the connection with 1003 where the protocol is binary [MQTT5-6.0.0-1]', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.send('text')
  const text = 'text frame received, this protocol needs binary frames'
  expect(await closeOf(peer)).toEqual({ code: 1003, text })
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual([text])
  expect(accepted.receivedBytes).toBe(0)
})

test('a text frame carries bytes where the protocol says so', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound, ['v12.stomp'])
  const accepted = await rig.nextAccepted()
  peer.send('CONNECT é')
  await accepted.until(() => accepted.receivedBytes === 10)
  expect(accepted.text).toBe('CONNECT é')
})

describe('without a sub-protocol', () => {
  /** CONNECT of MQTT 3.1.1, clean session, client id 'c'. */
  const CONNECT = Buffer.from('100d00044d5154540402003c000163', 'hex')

  test('the first bytes choose the adapter, which gets all of them, however they are framed', async () => {
    const rig = await startWs()
    for (const pieces of [[CONNECT], [...CONNECT].map((byte) => Uint8Array.of(byte))]) {
      const peer = await dialWs(rig.bound, [])
      expect(peer.protocol).toBe('')
      for (const piece of pieces) peer.send(piece)
      const accepted = await rig.nextAccepted()
      await accepted.until(() => accepted.receivedBytes === CONNECT.length)
      expect(Buffer.concat(accepted.received)).toEqual(CONNECT)
      peer.send(Buffer.from('more'))
      await accepted.until(() => accepted.receivedBytes === CONNECT.length + 4)
    }
    expect(rig.clock.timerCount).toBe(1) // the wheel's
  })

  test('text frames are taken for a protocol that has them, and end the connection for one that has not', async () => {
    const rig = await startWs()
    const stomp = await dialWs(rig.bound, [])
    stomp.send('CONNECT\n')
    const accepted = await rig.nextAccepted()
    await accepted.until(() => accepted.receivedBytes === 8)
    stomp.send('host:é\n')
    await accepted.until(() => accepted.text === 'CONNECT\nhost:é\n')

    const mqtt = await dialWs(rig.bound, [])
    mqtt.send('\u0010\r\0\u0004MQTT\u0004')
    expect((await closeOf(mqtt)).code).toBe(1003)
    const refused = await rig.nextAccepted()
    await refused.until(() => refused.closedWith.length > 0)
    expect(refused.receivedBytes).toBe(0)
  })

  test.each([
    ['GET / HTTP/1.1', 'unservedProtocols', 'the peer speaks HTTP, and listener ws speaks MQTT, STOMP'],
    ['hello', 'unknownProtocols', 'the peer speaks no protocol that is known; it began with 68 65 6c 6c 6f'],
  ] as const)('%j closes with 1003 and a sentence, and is counted', async (bytes, counter, text) => {
    const rig = await startWs()
    const peer = await dialWs(rig.bound, [])
    peer.send(Buffer.from(bytes))
    expect(await closeOf(peer)).toEqual({ code: 1003, text })
    expect(rig.events[0]?.text).toBe(text)
    expect(rig.listener.stats[counter]).toBe(1)
    expect(rig.accepted).toEqual([])
    await rig.eventually(() => rig.listener.stats.open === 0)
  })

  test('a peer that is silent after the upgrade is closed at the time limit, one that stops is given up', async () => {
    const rig = await startWs()
    const silent = await dialWs(rig.bound, [])
    await rig.eventually(() => rig.clock.timerCount === 2)
    rig.clock.advance(10_000)
    expect((await closeOf(silent)).code).toBe(1006)
    expect(rig.events[0]).toMatchObject({
      kind: 'silent',
      text: 'the peer did not send the first bytes of a protocol within 10000 ms',
    })
    const other = await dialWs(rig.bound, [])
    await rig.eventually(() => rig.listener.stats.open === 1)
    rig.listener.stopAccepting()
    expect((await closeOf(other)).code).toBe(1006)
    await rig.eventually(() => rig.listener.stats.open === 0)
  })
})

test('the limit of messages and the time between pings may change', async () => {
  let live: LiveWebSocketListener | undefined = undefined
  const rig = await startWs({}, undefined, (...args) => (live = createWebSocketListener(...args)))
  const before = await dialWs(rig.bound)
  const beforeAccepted = await rig.nextAccepted()
  const listener = live as unknown as LiveWebSocketListener
  listener.use({ maxMessageBytes: 100, pingMs: 2_000 })
  const after = await dialWs(rig.bound)
  after.send(Buffer.alloc(101))
  expect((await closeOf(after)).code).toBe(1009)
  before.send(Buffer.alloc(101))
  await beforeAccepted.until(() => beforeAccepted.receivedBytes === 101)
  const third = await dialWs(rig.bound)
  const pinged = once(third, 'ping')
  for (let second = 0; second < 4; second++) rig.clock.advance(1_000)
  await pinged
})

test('a message above the limit closes the connection with 1009', async () => {
  const rig = await startWs({ maxMessageBytes: 1_000 })
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.alloc(1_001))
  const text = 'a message of 1001 bytes exceeds listeners.ws.maxMessageBytes 1000'
  expect(await closeOf(peer)).toEqual({ code: 1009, text })
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual([text])
  expect(rig.clock.timerCount).toBeLessThanOrEqual(1) // the wheel's
})

test('the limit is for the sum of the pieces of a message, and messages before it are taken and answered', async () => {
  const rig = await startWs({ maxMessageBytes: 1_000 })
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.from('first'))
  await accepted.until(() => accepted.receivedBytes === 5)
  for (let piece = 0; piece < 3; piece++) peer.send(Buffer.alloc(400), { fin: false })
  const answer = message(peer)
  accepted.transport.write(Buffer.from('answer'))
  expect((await answer).bytes.toString()).toBe('answer')
  const text = 'a message of 1200 bytes exceeds listeners.ws.maxMessageBytes 1000'
  expect(await closeOf(peer)).toEqual({ code: 1009, text })
  expect(accepted.receivedBytes).toBe(805)
})

test('what has come of a message goes to the adapter at once, so that its limits hold', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  peer.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  const head = Buffer.from([0x02, 0xff, 0, 0, 0, 0, 0, 0x0f, 0, 0, 1, 1, 1, 1]) // a piece of 960 KiB
  peer.write(Buffer.concat([head, Buffer.from('a'.repeat(5))]))
  await accepted.until(() => accepted.receivedBytes === 5)
  peer.write(Buffer.from('b'))
  await accepted.until(() => accepted.receivedBytes === 6)
  expect(accepted.text).toBe('`````c')
})

test('text that is not UTF-8 closes the connection with 1007', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound, ['v12.stomp'])
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.from([0x61, 0xff]), { binary: false })
  expect(await closeOf(peer)).toEqual({ code: 1007, text: 'a text message is not UTF-8' })
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.receivedBytes).toBe(0)
})

test('a peer that sends pings and reads nothing gets the answers that fit, and that to the last', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  peer.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  peer.pause()
  const ping = Buffer.concat([Buffer.from([0x89, 0xfd, 0, 0, 0, 0]), Buffer.alloc(125)])
  // More than the kernel takes for a peer that does not read.
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => ping))
  for (let count = 0; count < 200; count++) if (!peer.write(pings)) await once(peer, 'drain')
  const last = Buffer.from([0x89, 0x84, 0, 0, 0, 0, 0x6c, 0x61, 0x73, 0x74])
  peer.write(Buffer.concat([last, Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0x61])]))
  await accepted.until(() => accepted.receivedBytes === 1)
  let bytes = 0
  let tail = ''
  const heard = new Promise<void>((resolve) => {
    peer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-4)
      if (tail === 'last') resolve()
    })
  })
  peer.resume()
  await heard
  expect(bytes).toBeLessThan(200_000 * 127)
})

test('broken framing closes the connection with 1002', async () => {
  const rig = await startWs()
  const peer = await rig.dial()
  peer.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  const head = await readBytes(peer, 1)
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101/)
  peer.write(Buffer.from([0x82, 0x01, 0x61])) // not masked
  const [frame] = (await once(peer, 'data')) as [Buffer]
  expect(frame).toEqual(Buffer.from('\x88\x21\x03\xeaa frame of a client has no mask', 'latin1'))
  peer.destroy()
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['a frame of a client has no mask'])
})

test('end flushes what was written, sends 1000 with the reason, and both sides close', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  let received = 0
  peer.on('message', (bytes: Buffer) => {
    received += bytes.length
  })
  accepted.transport.writeShared(Buffer.alloc(3_000_000))
  accepted.transport.write(Buffer.from('last words'))
  accepted.transport.end('session ended')
  accepted.transport.end('again')
  accepted.transport.write(Buffer.from('too late'))
  expect(await closeOf(peer)).toEqual({ code: 1000, text: 'session ended' })
  expect(received).toBe(3_000_010)
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['session ended'])
})

test('end cuts off a peer that does not answer within CLOSE_FLUSH_MS', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.pause()
  accepted.transport.end('done')
  await rig.eventually(() => rig.clock.timerCount === 2) // the wheel and the limit
  rig.clock.advance(5_000)
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['done'])
})

test('the close frame of a peer is the reason', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.close(1001, 'page left')
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['closed by peer (1001, "page left")'])
  expect(rig.listener.stats.open).toBe(0)
})

test('what the turn of a close frame deserves is still answered, and nothing is delivered after it', async () => {
  const rig = await startWs({}, (accepted) => {
    accepted.onBytes = (chunk) => accepted.transport.write(chunk)
  })
  const raw = await rig.dial()
  const question = Uint8Array.of(0x82, 0x82, 0, 0, 0, 0, 0x68, 0x69)
  const close = Uint8Array.of(0x88, 0x82, 0, 0, 0, 0, 3, 0xe8)
  raw.write(Buffer.concat([Buffer.from(`${UPGRADE}\r\n\r\n`), question, close]))
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.writable).toBe(false)
  const bytes: Buffer[] = []
  raw.on('data', (chunk: Buffer) => bytes.push(chunk))
  await accepted.until(() => accepted.closedWith.length > 0)
  const frames = Buffer.concat(bytes).toString('latin1').split('\r\n\r\n')[1]
  expect(frames).toBe('\x82\x02hi\x88\x02\x03\xe8')
  expect(accepted.closedWith).toEqual(['closed by peer (1000)'])
})

test('a peer that vanishes without a close frame is told apart, and gets nothing more', async () => {
  const rig = await startWs()
  const raw = await rig.dial()
  raw.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  raw.end()
  await accepted.until(() => !accepted.transport.writable)
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['closed by peer without a close frame'])
})

test('a peer that sends FIN and does not read is cut off within CLOSE_FLUSH_MS', async () => {
  const rig = await startWs()
  const raw = await rig.dial()
  raw.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  raw.pause()
  accepted.transport.writeShared(Buffer.alloc(20_000_000))
  await turn()
  raw.end()
  await rig.eventually(() => rig.clock.timerCount === 2) // the wheel and the limit
  rig.clock.advance(5_000)
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['closed by peer without a close frame'])
})

test('a reset in the middle of writing is reported once', async () => {
  const rig = await startWs()
  const raw = await rig.dial()
  raw.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  raw.pause()
  accepted.transport.writeShared(Buffer.alloc(20_000_000))
  await turn()
  raw.resetAndDestroy()
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith.length).toBe(1)
  expect(accepted.closedWith[0]).toMatch(/\((ECONNRESET|EPIPE)\)$/)
  expect(rig.outbox.unsentBytes).toBe(0)
})

test('a peer that answers no ping is destroyed after two, one that answers stays', async () => {
  const rig = await startWs({ pingMs: 30_000 })
  const live = await dialWs(rig.bound)
  const liveAccepted = await rig.nextAccepted()
  const deadRaw = await rig.dial()
  deadRaw.write(`${UPGRADE}\r\n\r\n`)
  const deadAccepted = await rig.nextAccepted()
  let pings = 0
  live.on('ping', () => pings++)
  const before = liveAccepted.transport.bytesIn
  for (let second = 1; second < 130 && deadAccepted.closedWith.length === 0; second++) {
    rig.clock.advance(1_000)
    await turn()
    // A ping and its answer have crossed before it is time for the next.
    const due = Math.floor((second - 15) / 30)
    await rig.eventually(() => pings >= due && liveAccepted.transport.bytesIn >= before + due * PONG_BYTES)
  }
  expect(deadAccepted.closedWith).toEqual(['no answer to 2 pings, one every 30000 ms'])
  expect(liveAccepted.closedWith).toEqual([])
  expect(pings).toBeGreaterThanOrEqual(2)
})

test('a peer whose answers nobody reads is no peer that answers none', async () => {
  const rig = await startWs({ pingMs: 30_000 })
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  accepted.transport.pauseReading()
  for (let minute = 0; minute < 10; minute++) {
    rig.clock.advance(60_000)
    for (let i = 0; i < 20; i++) await turn() // pings and pongs cross
  }
  accepted.transport.resumeReading()
  peer.send(Buffer.from('still here'))
  await accepted.until(() => accepted.receivedBytes === 10)
  expect(accepted.closedWith).toEqual([])
})

test('a peer that takes a large message slowly is alive until it stops', async () => {
  const rig = await startWs({ pingMs: 30_000 })
  const peer = await rig.dial()
  peer.pause()
  peer.write(`${UPGRADE}\r\n\r\n`)
  const accepted = await rig.nextAccepted()
  accepted.transport.writeShared(new Uint8Array(48 * MIB))
  for (let piece = 0; piece < 6; piece++) {
    await takeBytes(peer, 5 * MIB)
    for (let second = 0; second < 31; second++) {
      rig.clock.advance(1_000)
      await turn()
    }
  }
  expect(accepted.closedWith).toEqual([])
  for (let second = 0; second < 130 && accepted.closedWith.length === 0; second++) {
    rig.clock.advance(1_000)
    for (let i = 0; i < 20; i++) await turn()
  }
  expect(accepted.closedWith).toEqual(['no answer to 2 pings, one every 30000 ms'])
})

test('pausing holds messages back, and resuming loses none', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  accepted.transport.pauseReading()
  peer.send(Buffer.from('while paused'))
  const other = await dialWs(rig.bound)
  other.send(Buffer.from('marker'))
  const marker = await rig.nextAccepted()
  await marker.until(() => marker.receivedBytes === 6)
  expect(accepted.receivedBytes).toBe(0)
  accepted.transport.resumeReading()
  await accepted.until(() => accepted.receivedBytes === 12)
})

test('20 MB in messages and pieces of every size reach an adapter that stops and starts, byte for byte', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  const all = Buffer.alloc(20_000_000)
  for (let at = 0; at < all.length; at += 4) all.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)
  for (let at = 0, size = 1; at < all.length; at += size, size = (size * 7 + 13) % 200_000) {
    const isLast = at + size >= all.length
    peer.send(all.subarray(at, at + size), { fin: isLast || size % 3 > 0 })
    if (size % 5 === 0) peer.ping()
  }
  while (accepted.receivedBytes < all.length) {
    accepted.transport.pauseReading()
    const { receivedBytes } = accepted
    await turn()
    expect(accepted.receivedBytes).toBe(receivedBytes)
    accepted.transport.resumeReading()
    await accepted.until(() => accepted.receivedBytes > receivedBytes)
  }
  expect(Buffer.compare(Buffer.concat(accepted.received), all)).toBe(0)
})

test('a slow reader makes the transport unwritable, and onWritable follows', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  peer.pause()
  while (accepted.transport.writable) {
    accepted.transport.write(Buffer.alloc(100_000))
    if (!accepted.transport.writable) await turn()
  }
  expect(accepted.transport.pendingBytes).toBeGreaterThan(HIGH_WATER_BYTES)
  const calls = accepted.writableCalls
  peer.resume()
  await accepted.until(() => accepted.writableCalls > calls)
  expect(accepted.transport.writable).toBe(true)
})

test('100 MB in random pieces reach a reader that stops and starts, byte for byte', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  const checker = new StreamChecker(100_000_000)
  peer.on('message', readInFits(peer, checker))
  await writeRandomPieces(accepted, 100_000_000)
  await checker.done
  expect(checker.readBytes).toBe(100_000_000)
})

test('upgrades count against the limit of the listener', async () => {
  const rig = await startWs({ connectionsMax: 2 })
  await rig.dial()
  await dialWs(rig.bound)
  const third = await rig.dial()
  await closed(third)
  expect(rig.listener.stats).toMatchObject({ open: 2, refusedByListenerLimit: 1 })
})

test('close tells every peer with 1001, gives up unfinished upgrades, and returns when all are gone', async () => {
  const rig = await startWs()
  const peer = await dialWs(rig.bound)
  const accepted = await rig.nextAccepted()
  const silent = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 2)
  const told = closeOf(peer)
  await rig.listener.close('broker stops')
  expect(accepted.closedWith).toEqual(['broker stops'])
  expect(await told).toEqual({ code: 1001, text: 'broker stops' })
  await closed(silent)
  expect(rig.listener.stats.open).toBe(0)
  expect(rig.clock.timerCount).toBe(0)
})
