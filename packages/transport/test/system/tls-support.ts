/** Certificates and TLS peers for the tests of this folder. */
import { once } from 'node:events'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

import type { Connection, Transport } from '@ternmq/core'
import { type Accepted, type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import { onTestFinished } from 'vitest'

import {
  type BoundAddress,
  createTlsListener,
  type ListenerContext,
  type SecureListener,
  type TlsListenerOptions,
} from '../../src/index.ts'
import { type CertifiedKey, makeAuthority, makeCertificate } from '../../src/tls/x509.ts'

const VALID = { nowMs: Date.now(), validMs: 24 * 3_600_000 }

export const authority: CertifiedKey = makeAuthority({ commonName: 'test authority', ...VALID })
export const strangeAuthority: CertifiedKey = makeAuthority({ commonName: 'strange authority', ...VALID })

export function serverCertificate(by: CertifiedKey = authority): CertifiedKey {
  return makeCertificate(by, { commonName: 'server', names: ['localhost', '127.0.0.1'], usage: 'server', ...VALID })
}

export function clientCertificate(commonName: string, by: CertifiedKey = authority): { cert: string; key: string } {
  const made = makeCertificate(by, { commonName, names: [`${commonName}.example`], usage: 'client', ...VALID })
  return { cert: made.certificate, key: made.privateKey }
}

export function tlsOptions(options: Partial<TlsListenerOptions> = {}): TlsListenerOptions {
  const { certificate, privateKey } = serverCertificate()
  return {
    ...TEST_OPTIONS,
    key: 'mqtts',
    certificate: {
      cert: Buffer.from(certificate),
      key: Buffer.from(privateKey),
      clientCa: Buffer.from(authority.certificate),
    },
    clientCertificates: 'none',
    alpnProtocols: ['mqtt'],
    ...options,
  }
}

/** The rig, and the listener as what it is. */
export async function startTls(
  options: Partial<TlsListenerOptions> = {},
  setUp?: (accepted: Accepted) => void,
): Promise<Rig & { secure: SecureListener }> {
  let secure: SecureListener | undefined = undefined
  const create = (context: ListenerContext, accept: (transport: Transport) => Connection): SecureListener =>
    (secure = createTlsListener(tlsOptions(options), context, accept))
  const rig = await startRig(create, onTestFinished, setUp)
  return { ...rig, secure: secure as unknown as SecureListener }
}

/** A peer that trusts our authority; errors are left to 'close'. Destroyed after the test. */
export function tlsPeer(bound: BoundAddress, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ host: bound.host, port: bound.port, ca: authority.certificate, ...options })
  onTestFinished(() => {
    socket.destroy()
  })
  socket.on('error', () => {})
  return socket
}

/** As `tlsPeer`, with the handshake done on its side. */
export async function dialTls(bound: BoundAddress, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = tlsPeer(bound, options)
  await once(socket, 'secureConnect')
  return socket
}
