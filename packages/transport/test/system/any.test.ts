/** One port for all protocols: what is found in the first bytes, and that nothing of them is lost. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import type { ServedProtocol } from '@ternmq/core'
import { type Accepted, closed, pumpRandomPieces, type Rig, startRig, TEST_OPTIONS, turn } from '@ternmq/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { type AnyListenerOptions, createAnyListener } from '../../src/index.ts'
import { clientCertificate, dialTls, tlsOptions, tlsPeer } from './tls-support.ts'

/** CONNECT of MQTT 3.1.1, clean session, client id 'c'. */
const CONNECT = Buffer.from('100d00044d5154540402003c000163', 'hex')
const HELLO_OF_OPENWIRE = Buffer.from('\0\0\x01\x03\x01ActiveMQ\0\0\0\x0c', 'latin1')

interface AnyRig extends Rig {
  /** Protocol of each accepted connection, in the order of `accepted`. */
  readonly chosen: string[]
}

async function startAny(
  options: Partial<AnyListenerOptions> = {},
  setUp?: (accepted: Accepted) => void,
): Promise<AnyRig> {
  const chosen: string[] = []
  const rig = await startRig(
    (context, accept) => {
      const serve = (name: ServedProtocol['name']): ServedProtocol => ({
        name,
        websocketSubprotocols: [],
        takesTextFrames: false,
        inboundBytesMax: 1_000_000,
        accept: (transport) => {
          chosen.push(name)
          return accept(transport)
        },
      })
      const made = {
        ...TEST_OPTIONS,
        key: 'any',
        protocols: [serve('mqtt'), serve('stomp')],
        tls: tlsOptions(),
        requiresTls: false,
        httpAdvice: () => 'WebSocket clients connect to port 8083.',
        tlsAdvice: () => 'connect to port 8883 instead',
        ...options,
      }
      return createAnyListener(made, context)
    },
    onTestFinished,
    setUp,
  )
  return { ...rig, chosen }
}

/** What the peer gets until its connection is closed. */
async function answerTo(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await closed(socket)
  return Buffer.concat(chunks).toString('latin1')
}

test.each([
  [CONNECT, 'mqtt'],
  [Buffer.from('\nSTOMP\naccept-version:1.2\nhost:x\n\n\0'), 'stomp'],
])('the first bytes choose the adapter, which gets all of them, plain and within TLS (%#)', async (bytes, protocol) => {
  const rig = await startAny()
  for (const dial of [rig.dial, () => dialTls(rig.bound)]) {
    const peer = await dial()
    peer.write(bytes)
    const accepted = await rig.nextAccepted()
    await accepted.until(() => accepted.receivedBytes === bytes.length)
    expect(Buffer.concat(accepted.received)).toEqual(bytes)
    accepted.transport.write(Buffer.from('answer'))
    expect(((await once(peer, 'data')) as [Buffer])[0].toString()).toBe('answer')
    peer.write('more')
    await accepted.until(() => accepted.receivedBytes === bytes.length + 4)
  }
  expect(rig.chosen).toEqual([protocol, protocol])
  expect(rig.accepted.map(({ transport }) => transport.peer.tls?.version)).toEqual([undefined, 'TLSv1.3'])
  expect(rig.accepted[0]?.transport.peer).toMatchObject({ listener: 'any', address: '127.0.0.1' })
  expect(rig.listener.stats).toMatchObject({ open: 2, accepted: 2, failedHandshakes: 0, unknownProtocols: 0 })
  expect(rig.clock.timerCount).toBe(0)
})

test('bytes that come one by one are the same as all at once, in front of TLS too', async () => {
  const rig = await startAny()
  const plain = await rig.dial()
  for (const byte of CONNECT) {
    plain.write(Uint8Array.of(byte))
    await turn()
    await turn()
  }
  const accepted = await rig.nextAccepted()
  await accepted.until(() => accepted.receivedBytes === CONNECT.length)
  expect(Buffer.concat(accepted.received)).toEqual(CONNECT)

  // A proxy that cuts the ClientHello after its first byte.
  const secure = await dialTls(await startCutter(rig, 1))
  secure.write(CONNECT)
  const second = await rig.nextAccepted()
  await second.until(() => second.receivedBytes === CONNECT.length)
  expect(second.transport.peer.tls).toBeDefined()
})

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s with a client certificate names the peer', async (version) => {
  const rig = await startAny({ tls: tlsOptions({ clientCertificates: 'require' }), requiresTls: true })
  const peer = await dialTls(rig.bound, { minVersion: version, maxVersion: version, ...clientCertificate('sensor') })
  peer.write(CONNECT)
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.peer.tls).toMatchObject({ version, commonName: 'sensor' })
})

test('a failed handshake is told as on a TLS port', async () => {
  const rig = await startAny()
  await closed(tlsPeer(rig.bound, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  await rig.eventually(() => rig.events.length > 0)
  expect(rig.events[0]).toMatchObject({
    kind: 'handshake-failed',
    text: expect.stringContaining('offers no TLS version') as unknown,
  })
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
})

test('100 MB in random pieces after the first bytes, byte for byte, to a reader that stops and starts', async () => {
  const rig = await startAny()
  const peer = await rig.dial()
  peer.write(CONNECT)
  expect(await pumpRandomPieces(await rig.nextAccepted(), peer, 100_000_000)).toBe(100_000_000)
})

test('an OpenWire client is closed, and the event names the way in', async () => {
  const rig = await startAny()
  const peer = await rig.dial()
  peer.write(HELLO_OF_OPENWIRE)
  expect(await answerTo(peer)).toBe('')
  expect(rig.events).toEqual([
    expect.objectContaining({
      kind: 'unserved',
      listener: 'any',
      text: expect.stringMatching(/AMQP 1\.0.*Qpid JMS/) as unknown,
    }),
  ])
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats).toMatchObject({ unservedProtocols: 1, unknownProtocols: 0 })
  expect(rig.accepted).toEqual([])
})

test.each([['plain'], ['secure']])('a browser gets 400 and is told where to go (%s)', async (way) => {
  const rig = await startAny()
  const peer = way === 'plain' ? await rig.dial() : await dialTls(rig.bound)
  peer.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const answer = await answerTo(peer)
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(answer).toContain('listener any speaks MQTT, STOMP. WebSocket clients connect to port 8083.')
})

test('what nobody knows is closed and shown in hexadecimal', async () => {
  const rig = await startAny()
  const peer = await rig.dial()
  peer.write('SSH-2.0-x\r\n')
  await answerTo(peer)
  expect(rig.events[0]).toMatchObject({
    kind: 'unknown-protocol',
    text: expect.stringContaining('53 53 48 2d 32') as unknown,
  })
  expect(rig.listener.stats.unknownProtocols).toBe(1)
})

test('a silent peer is closed at the time limit: before its first byte, before the last that is needed, and within TLS', async () => {
  const rig = await startAny({ handshakeMs: 3_000 })
  const silent = await rig.dial()
  const slow = await rig.dial()
  slow.write('\x10')
  const secure = await dialTls(rig.bound, { maxVersion: 'TLSv1.2' }) // there the server is the first to be done
  await rig.eventually(() => rig.clock.timerCount === 3)
  await turn()
  rig.clock.advance(2_999)
  await turn()
  for (const peer of [silent, slow, secure]) peer.resume()
  expect([silent, slow, secure].map((peer) => peer.closed)).toEqual([false, false, false])
  rig.clock.advance(1)
  await Promise.all([closed(silent), closed(slow), closed(secure)])
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.silentPeers).toBe(3)
  const text = 'the peer did not send the first bytes of a protocol within 3000 ms'
  expect(rig.events[0]).toMatchObject({ kind: 'silent', address: '127.0.0.1', text })
})

test('a time limit that changes holds for new connections', async () => {
  const rig = await startAny()
  rig.listener.use({ handshakeMs: 500 })
  const silent = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.clock.advance(500)
  await closed(silent)
  expect(rig.events[0]?.text).toContain('within 500 ms')
})

test('who connects and goes without a word is no event; who goes after a word is', async () => {
  const rig = await startAny()
  const probe = await rig.dial()
  probe.end()
  probe.resume()
  await closed(probe)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.events).toEqual([])
  for (const word of ['\x16', 'STO']) {
    const peer = await rig.dial()
    peer.resume()
    peer.end(word)
    await closed(peer)
  }
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats).toMatchObject({ accepted: 3, unknownProtocols: 2, silentPeers: 0 })
  expect(rig.events[0]?.text).toBe('the peer closed after its first bytes: 16')
  expect(rig.clock.timerCount).toBeLessThanOrEqual(1) // the gate of the events
})

test('a reset before the first bytes leaves nothing behind', async () => {
  const rig = await startAny()
  const peer = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  peer.resetAndDestroy()
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.clock.timerCount).toBe(0)
})

test('where TLS is required, a peer without it is refused before any adapter sees it', async () => {
  const rig = await startAny({ requiresTls: true })
  const peer = await rig.dial()
  peer.write(CONNECT)
  await answerTo(peer)
  expect(rig.accepted).toEqual([])
  const text = 'the peer does not use TLS, and listeners.any.encryption is "required"'
  expect(rig.events[0]).toMatchObject({ kind: 'unserved', text })
  await rig.eventually(() => rig.listener.stats.open === 0)
})

test('where there is no TLS, a ClientHello is a protocol that is not served', async () => {
  const rig = await startAny({ tls: undefined })
  const peer = await rig.dial()
  peer.write(Buffer.from('160301', 'hex'))
  await answerTo(peer)
  expect(rig.events[0]).toMatchObject({
    kind: 'unserved',
    text: 'the peer uses TLS, and listener any is not encrypted; connect to port 8883 instead',
  })
})

test('stopping gives up those that have not said what they speak, and leaves the others', async () => {
  const rig = await startAny()
  const live = await rig.dial()
  live.write(CONNECT)
  const accepted = await rig.nextAccepted()
  const silent = await rig.dial()
  const inHandshake = await rig.dial()
  inHandshake.write(Buffer.from('160301', 'hex'))
  const secure = await dialTls(rig.bound)
  await rig.eventually(() => rig.clock.timerCount === 3)
  rig.listener.stopAccepting()
  await Promise.all([silent, inHandshake, secure].map(closed))
  await rig.eventually(() => rig.listener.stats.open === 1)
  expect(accepted.closedWith).toEqual([])
  await rig.listener.close('over')
  expect(accepted.closedWith).toEqual(['over'])
  expect(rig.listener.stats.open).toBe(0)
})

test('the limit of connections counts those that have said nothing', async () => {
  const rig = await startAny({ connectionsMax: 1 })
  await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  await closed(await rig.dial())
  expect(rig.listener.stats).toMatchObject({ open: 1, refusedByListenerLimit: 1 })
})

/** A port that passes bytes on to the listener, the first `byteCount` of a connection alone and the rest a little later. */
async function startCutter(rig: Rig, byteCount: number): Promise<Rig['bound']> {
  const { createServer } = await import('node:net')
  const server = createServer((near) => {
    const far = connect({ ...rig.bound, noDelay: true })
    for (const socket of [near, far]) socket.on('error', () => {})
    near.once('data', (chunk: Buffer) => {
      near.pause()
      far.write(chunk.subarray(0, byteCount))
      void rig
        .eventually(() => rig.listener.stats.open === 2)
        .then(async () => {
          for (let count = 0; count < 5; count++) await turn()
          far.write(chunk.subarray(byteCount))
          near.pipe(far)
        })
    })
    far.pipe(near)
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 }
}
