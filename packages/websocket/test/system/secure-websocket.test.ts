import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'

import {
  closed,
  readInFits,
  type Rig,
  startRig,
  StreamChecker,
  TEST_OPTIONS,
  turn,
  writeRandomPieces,
} from '@ternmq/testkit'
import { developmentCertificates, readCertificate } from '@ternmq/transport'
import { expect, onTestFinished, test } from 'vitest'

import { createSecureWebSocketListener } from '../../src/index.ts'
import { dialWs, MIB, protocolsOf, takeBytes, UPGRADE } from './support.ts'

async function startWss(): Promise<{ rig: Rig; ca: Buffer }> {
  const folder = await mkdtemp(join(tmpdir(), 'ternmq-wss-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = await developmentCertificates({ folder, names: [], nowMs: Date.now() })
  const certificate = await readCertificate(files)
  const rig = await startRig((context, acceptTransport) => {
    const protocols = protocolsOf(acceptTransport)
    const tls = { certificate, clientCertificates: 'none', alpnProtocols: ['http/1.1'] } as const
    const settings = { protocols, maxMessageBytes: 1_000_000, allowedOrigins: [] }
    return createSecureWebSocketListener({ ...TEST_OPTIONS, key: 'wss', ...tls, ...settings }, context)
  }, onTestFinished)
  return { rig, ca: await readFile(files.caFile) }
}

test('bytes go both ways over TLS, and the peer is described', async () => {
  const { rig, ca } = await startWss()
  const peer = await dialWs(rig.bound, ['mqtt'], { scheme: 'wss', ca })
  const accepted = await rig.nextAccepted()
  peer.send(Buffer.from('hello'))
  await accepted.until(() => accepted.receivedBytes === 5)
  accepted.transport.write(Buffer.from('world'))
  const [bytes] = (await once(peer, 'message')) as [Buffer]
  expect(bytes.toString()).toBe('world')
  expect(accepted.transport.peer).toMatchObject({
    listener: 'wss',
    address: '127.0.0.1',
    tls: { version: 'TLSv1.3', altNames: [] },
  })
})

test('60 MB in random pieces reach a reader that stops and starts, byte for byte', async () => {
  const { rig, ca } = await startWss()
  const peer = await dialWs(rig.bound, ['mqtt'], { scheme: 'wss', ca })
  const accepted = await rig.nextAccepted()
  const checker = new StreamChecker(60_000_000)
  peer.on('message', readInFits(peer, checker))
  await writeRandomPieces(accepted, 60_000_000)
  await checker.done
  expect(checker.readBytes).toBe(60_000_000)
})

test('a peer that never starts the TLS handshake is closed after 10 s', async () => {
  const { rig } = await startWss()
  const peer = await rig.dial()
  await rig.eventually(() => rig.listener.stats.open === 1)
  rig.clock.advance(10_000)
  await closed(peer)
  await rig.eventually(() => rig.listener.stats.open === 0)
  expect(rig.events[0]?.text).toBe('the peer did not finish the TLS handshake within 10000 ms')
})

test('close waits for the last connection, unfinished handshakes included', async () => {
  const { rig, ca } = await startWss()
  const silent = await rig.dial()
  await dialWs(rig.bound, ['mqtt'], { scheme: 'wss', ca })
  const accepted = await rig.nextAccepted()
  await rig.listener.close('broker stops')
  expect(accepted.closedWith).toEqual(['broker stops'])
  await closed(silent)
  await turn()
  expect(rig.listener.stats.open).toBe(0)
})

test('a peer that takes a large message slowly over TLS is alive', async () => {
  const { rig, ca } = await startWss()
  const peer = connect({ host: rig.bound.host, port: rig.bound.port, ca, servername: 'localhost' })
  onTestFinished(() => void peer.destroy())
  await once(peer, 'secureConnect')
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
})
