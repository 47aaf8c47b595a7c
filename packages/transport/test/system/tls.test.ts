import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'

import { closed, pumpRandomPieces, readBytes, turn } from '@ternmq/testkit'
import { expect, onTestFinished, test } from 'vitest'

import {
  authority,
  clientCertificate,
  dialTls,
  serverCertificate,
  startTls,
  strangeAuthority,
  tlsPeer,
} from './tls-support.ts'

test.each(['TLSv1.2', 'TLSv1.3'] as const)('bytes go both ways over %s, and the peer is described', async (version) => {
  const rig = await startTls()
  const peer = await dialTls(rig.bound, { minVersion: version, maxVersion: version })
  const accepted = await rig.nextAccepted()
  peer.write('hello')
  await accepted.until(() => accepted.receivedBytes === 5)
  expect(accepted.text).toBe('hello')
  accepted.transport.write(Buffer.from('wor'))
  accepted.transport.write(Buffer.from('ld'))
  expect((await readBytes(peer, 5)).toString()).toBe('world')
  const port = peer.localPort
  expect(accepted.transport.peer).toEqual({
    listener: 'mqtts',
    address: '127.0.0.1',
    port,
    tls: { version, altNames: [] },
  })
})

test('TLS 1.1 is refused, and the event says so', async () => {
  const rig = await startTls()
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  await closed(tlsPeer(rig.bound, old))
  await rig.eventually(() => rig.events.length > 0)
  expect(rig.events[0]?.text).toBe('the peer offers no TLS version that is new enough (ERR_SSL_UNSUPPORTED_PROTOCOL)')
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
})

test.each([
  [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    /^the peer speaks plain HTTP, this listener expects TLS \(ERR_SSL_HTTP_REQUEST\)$/,
  ],
  ['\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00', /^(the peer does not speak TLS|TLS handshake failed:)/],
])('a peer that does not speak TLS is closed and named (%#)', async (bytes, text) => {
  const rig = await startTls()
  const peer = await rig.dial()
  peer.resume()
  peer.write(Buffer.from(bytes, 'latin1'))
  await closed(peer)
  await rig.eventually(() => rig.events.length > 0)
  expect(rig.events[0]).toMatchObject({ kind: 'handshake-failed', listener: 'mqtts', address: '127.0.0.1', count: 1 })
  expect(rig.events[0]?.text).toMatch(text)
  expect(rig.accepted.length).toBe(0)
})

test('a peer that never starts the handshake is closed after 10 s', async () => {
  const rig = await startTls()
  const peer = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.clock.advance(9_999)
  await turn()
  expect(peer.closed).toBe(false)
  rig.clock.advance(1)
  await closed(peer)
  expect(rig.events[0]?.text).toBe('the peer did not finish the TLS handshake within 10000 ms')
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
})

test('TLS 1.2 is refused where 1.3 is the oldest, also after a new certificate', async () => {
  const rig = await startTls({ minVersion: 'TLSv1.3' })
  const next = serverCertificate()
  for (const round of [1, 2]) {
    await closed(tlsPeer(rig.bound, { maxVersion: 'TLSv1.2' }))
    await rig.eventually(() => rig.listener.stats.failedHandshakes === round)
    await dialTls(rig.bound)
    rig.secure.setCertificate({ cert: Buffer.from(next.certificate), key: Buffer.from(next.privateKey) })
  }
  expect(rig.listener.stats).toMatchObject({ accepted: 4, failedHandshakes: 2 })
})

test('a peer that closes its side during the handshake holds no place until the time limit', async () => {
  const rig = await startTls()
  const peer = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  peer.resume()
  peer.end()
  await closed(peer)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
})

test('stopping to accept gives up unfinished handshakes', async () => {
  const rig = await startTls()
  const peer = await rig.dial()
  peer.resume()
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.listener.stopAccepting()
  await closed(peer)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.accepted.length).toBe(0)
})

test('another time limit holds for handshakes that begin after it', async () => {
  const rig = await startTls()
  const before = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.listener.use({ handshakeMs: 2_000 })
  const after = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 2)
  rig.clock.advance(2_000)
  await closed(after)
  expect(before.closed).toBe(false)
  expect(rig.events[0]?.text).toBe('the peer did not finish the TLS handshake within 2000 ms')
})

test('a peer that asks for a second handshake on its connection is refused: it costs us more than the peer', async () => {
  const rig = await startTls()
  const peer = await dialTls(rig.bound, { maxVersion: 'TLSv1.2' })
  const refused = once(peer, 'error')
  peer.renegotiate({}, () => peer.destroy(new Error('a second handshake was done')))
  expect(await refused).toEqual([expect.objectContaining({ code: 'ERR_SSL_NO_RENEGOTIATION' })])
})

test('a peer that resets in the middle of the handshake is counted once', async () => {
  const rig = await startTls()
  const peer = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  peer.write(Buffer.from('1603010200010001fc0303', 'hex')) // the head of a ClientHello
  peer.resetAndDestroy()
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.listener.stats.failedHandshakes).toBe(1)
  expect(rig.clock.timerCount).toBeLessThanOrEqual(1) // the event gate's
})

test('a requested client certificate gives the peer its names', async () => {
  const rig = await startTls({ clientCertificates: 'request' })
  await dialTls(rig.bound, clientCertificate('device-1'))
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.peer.tls).toEqual({
    version: 'TLSv1.3',
    commonName: 'device-1',
    altNames: ['DNS:device-1.example'],
  })
})

test('a requested client certificate may be missing', async () => {
  const rig = await startTls({ clientCertificates: 'request' })
  await dialTls(rig.bound)
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.peer.tls).toEqual({ version: 'TLSv1.3', altNames: [] })
})

test('a requested client certificate of a strange authority gives no names', async () => {
  const rig = await startTls({ clientCertificates: 'request' })
  await dialTls(rig.bound, clientCertificate('admin', strangeAuthority))
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.peer.tls).toEqual({ version: 'TLSv1.3', altNames: [] })
})

test('a listener without client certificates ignores the one it is shown', async () => {
  const rig = await startTls({ clientCertificates: 'none' })
  await dialTls(rig.bound, clientCertificate('admin'))
  const accepted = await rig.nextAccepted()
  expect(accepted.transport.peer.tls?.commonName).toBeUndefined()
})

test('a required client certificate that is missing is refused', async () => {
  const rig = await startTls({ clientCertificates: 'require' })
  await closed(tlsPeer(rig.bound))
  await rig.eventually(() => rig.events.length > 0)
  expect(rig.events[0]?.text).toMatch(/^the peer shows no client certificate, and this listener requires one/)
  expect(rig.accepted.length).toBe(0)
})

test('a required client certificate of a strange authority is refused', async () => {
  const rig = await startTls({ clientCertificates: 'require' })
  await closed(tlsPeer(rig.bound, clientCertificate('device-1', strangeAuthority)))
  await rig.eventually(() => rig.events.length > 0)
  expect(rig.events[0]?.text).toMatch(/^the client certificate is not accepted: /)
  expect(rig.accepted.length).toBe(0)
})

test('a required client certificate of our authority is accepted, and so is the session resumed with it', async () => {
  const rig = await startTls({ clientCertificates: 'require' })
  const peer = tlsPeer(rig.bound, clientCertificate('device-1'))
  const session = once(peer, 'session')
  const first = await rig.nextAccepted()
  first.transport.write(Buffer.from('x'))
  const [ticket] = (await session) as [Buffer]
  const again = await dialTls(rig.bound, { ...clientCertificate('device-1'), session: ticket })
  const second = await rig.nextAccepted()
  expect(again.isSessionReused()).toBe(true)
  expect([first, second].map(({ transport }) => transport.peer.tls?.commonName)).toEqual(['device-1', 'device-1'])
})

test.each([
  [['mqtt'], 'mqtt'],
  [['h2', 'mqtt'], 'mqtt'],
  [['x-amzn-mqtt-ca'], 'x-amzn-mqtt-ca'],
  [undefined, false],
])('a client that offers %j in ALPN is accepted', async (offered, chosen) => {
  const rig = await startTls()
  const peer = await dialTls(rig.bound, offered === undefined ? {} : { ALPNProtocols: offered })
  await rig.nextAccepted()
  expect(peer.alpnProtocol).toBe(chosen)
})

test('a new certificate holds for new connections, those there are keep theirs', async () => {
  const rig = await startTls()
  const before = await dialTls(rig.bound)
  const accepted = await rig.nextAccepted()
  const next = serverCertificate()
  rig.secure.setCertificate({ cert: Buffer.from(next.certificate), key: Buffer.from(next.privateKey) })
  const after = await dialTls(rig.bound)
  expect(after.getPeerX509Certificate()?.fingerprint256).toBe(new X509Certificate(next.certificate).fingerprint256)
  expect(before.getPeerX509Certificate()?.fingerprint256).not.toBe(after.getPeerX509Certificate()?.fingerprint256)
  accepted.transport.write(Buffer.from('still here'))
  expect((await readBytes(before, 10)).toString()).toBe('still here')
})

test('a certificate that OpenSSL refuses changes nothing', async () => {
  const rig = await startTls()
  expect(() => rig.secure.setCertificate({ cert: Buffer.from('no'), key: Buffer.from('no') })).toThrow()
  const peer = await dialTls(rig.bound)
  expect(peer.authorized).toBe(true)
})

test('end flushes what was written and closes the session', async () => {
  const rig = await startTls()
  const peer = await dialTls(rig.bound)
  const accepted = await rig.nextAccepted()
  accepted.transport.writeShared(Buffer.alloc(3_000_000, 5))
  accepted.transport.write(Buffer.from('last words'))
  accepted.transport.end('server shuts down')
  const bytes = await readBytes(peer, 3_000_010)
  expect(bytes.subarray(3_000_000).toString()).toBe('last words')
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['server shuts down'])
  expect(rig.clock.timerCount).toBe(0)
})

test('a peer that closes is answered and reported', async () => {
  const rig = await startTls({}, (accepted) => {
    accepted.onBytes = (chunk) => accepted.transport.write(chunk)
  })
  const raw = connectTcp({ host: rig.bound.host, port: rig.bound.port, allowHalfOpen: true })
  const peer = connect({ socket: raw, ca: authority.certificate, servername: 'localhost' })
  onTestFinished(() => {
    raw.destroy()
  })
  await once(peer, 'secureConnect')
  const accepted = await rig.nextAccepted()
  peer.end('question')
  expect((await readBytes(peer, 8)).toString()).toBe('question')
  await accepted.until(() => accepted.closedWith.length > 0)
  expect(accepted.closedWith).toEqual(['closed by peer'])
})

test('a reset while bytes are under way is reported once', async () => {
  const rig = await startTls()
  const raw = await rig.dial()
  const peer = connect({ socket: raw, ca: authority.certificate, servername: 'localhost' })
  peer.on('error', () => {})
  await once(peer, 'secureConnect')
  const accepted = await rig.nextAccepted()
  peer.pause()
  accepted.transport.writeShared(Buffer.alloc(20_000_000))
  await turn()
  raw.resetAndDestroy()
  await accepted.until(() => accepted.closedWith.length > 0)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(accepted.closedWith.length).toBe(1)
  expect(accepted.closedWith[0]).toMatch(/reset|EPIPE|closed by peer/)
  expect(rig.outbox.unsentBytes).toBe(0)
})

test('150 MB in random pieces reach a reader that stops and starts, byte for byte', async () => {
  const rig = await startTls()
  const peer = await dialTls(rig.bound)
  const accepted = await rig.nextAccepted()
  expect(await pumpRandomPieces(accepted, peer, 150_000_000)).toBe(150_000_000)
})

test('handshakes count against the limit of the listener', async () => {
  const rig = await startTls({ connectionsMax: 2 })
  await rig.dial()
  await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 2)
  const third = await rig.dial()
  await closed(third)
  expect(rig.listener.stats).toMatchObject({ open: 2, refusedByListenerLimit: 1 })
})

test('close gives up unfinished handshakes too', async () => {
  const rig = await startTls()
  const silent = await rig.dial()
  const peer = await dialTls(rig.bound)
  const accepted = await rig.nextAccepted()
  await rig.listener.close('broker stops')
  await Promise.all([closed(silent), closed(peer)])
  expect(accepted.closedWith).toEqual(['broker stops'])
})

test('who goes before the first byte of a handshake holds no place, by closing as by a reset, and is counted only', async () => {
  const rig = await startTls()
  for (const leave of ['end', 'resetAndDestroy'] as const) {
    const peer = await rig.dial()
    peer.resume()
    await rig.eventually(() => rig.listener.stats.open === 1)
    peer[leave]()
    await rig.eventually(() => rig.listener.stats.open === 0)
  }
  expect(rig.listener.stats.failedHandshakes).toBe(2)
  expect(rig.events).toEqual([])
  const peer = await rig.dial()
  peer.end(Buffer.from([22, 3, 1])) // of a ClientHello
  peer.resume()
  await rig.eventually(() => rig.listener.stats.failedHandshakes === 3)
  expect(rig.events[0]?.text).toMatch(/^the peer closed during the TLS handshake/)
  expect(rig.clock.timerCount).toBe(1) // the gate of the events
})
