/**
 * Finishes TLS handshakes on accepted sockets, within the time limit. The certificate can be replaced while it runs: new
 * connections get the new one, those there are keep theirs.
 */
import { constants } from 'node:crypto'
import type { Socket } from 'node:net'
import { createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls'

import type { Clock, TlsPeer } from '@ternmq/core'

import type { ServerCertificate } from './certificate-files.ts'
import { closeReason, systemCode } from '../errors.ts'
import { Handshakes } from '../handshakes.ts'
import type { ListenerOptions } from '../listener.ts'
import { tlsPeer } from './peer-names.ts'

/** Whether clients show a certificate: not asked, asked and used when it is good, or refused without a good one. */
export type ClientCertificates = 'none' | 'request' | 'require'

/** TLS as one listener has it. */
export interface TlsSettings {
  readonly certificate: ServerCertificate
  readonly clientCertificates: ClientCertificates
  /** Oldest TLS version that is accepted; 'TLSv1.2' without one. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Names offered in ALPN: 'mqtt', 'http/1.1'. A client that offers none of them is accepted all the same. */
  readonly alpnProtocols: readonly string[]
}

export interface TlsListenerOptions extends ListenerOptions, TlsSettings {}

/** A socket whose handshake is done. `address` and `port` are the peer's. */
export type AdmitSecure = (socket: TLSSocket, address: string, port: number, peer: TlsPeer) => void

/** Who counts and tells what failed. */
export interface HandshakeReporter {
  /** Undefined: it is counted, and told nobody. */
  handshakeFailed(address: string, text: string | undefined): void
}

/** Node limits handshakes too; ours, of 10 minutes at most, comes first: it is the one that can change and that events name. */
const NODE_HANDSHAKE_MS = 660_000

interface PeerAddress {
  readonly address: string
  readonly port: number
}

export class TlsHandshakes {
  readonly #settings: TlsSettings
  readonly #reporter: HandshakeReporter
  readonly #server: Server
  readonly #handshakes: Handshakes<Socket, PeerAddress>
  readonly #admitSecure: AdmitSecure

  /** `limitMs` is for the whole of a handshake. */
  constructor(
    settings: TlsSettings,
    limitMs: number,
    clock: Clock,
    reporter: HandshakeReporter,
    admitSecure: AdmitSecure,
  ) {
    this.#settings = settings
    this.#reporter = reporter
    this.#admitSecure = admitSecure
    this.#handshakes = new Handshakes(clock, limitMs, ({ address }, usedMs) => {
      reporter.handshakeFailed(address, `the peer did not finish the TLS handshake within ${usedMs} ms`)
    })
    this.#server = createServer({
      ...secureContextOptions(settings, settings.certificate),
      requestCert: settings.clientCertificates !== 'none',
      rejectUnauthorized: settings.clientCertificates === 'require',
      // The port says what is spoken; a name that we do not know is confirmed rather than refused.
      ALPNCallback: ({ protocols }) => settings.alpnProtocols.find((name) => protocols.includes(name)) ?? protocols[0],
      handshakeTimeout: NODE_HANDSHAKE_MS,
    })
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#refused(error, socket))
  }

  /** For handshakes that begin from now on. */
  set limitMs(limitMs: number) {
    this.#handshakes.limitMs = limitMs
  }

  /** Takes over a socket that nobody has read from, or that got back what was read (`unshift`). `address` and `port` are the peer's. */
  begin(socket: Socket, address: string, port: number): void {
    socket.on('error', () => {}) // the TLS socket tells what happened
    this.#handshakes.begin(socket, { address, port })
    // Until it is secure, a peer that closes its side is gone: health checks do this, and must not hold a place until the time limit.
    socket.allowHalfOpen = false
    const gone = (): void => {
      if (this.#handshakes.finish(socket) !== undefined) this.#reporter.handshakeFailed(address, undefined)
    }
    socket.on('close', gone)
    socket.once('readable', () => {
      socket.off('close', gone)
      giveBack(socket)
      this.#server.emit('connection', socket)
    })
  }

  /** Unfinished handshakes are given up: nobody behind them has been promised anything. */
  destroyUnfinished(): void {
    this.#handshakes.destroyAll()
  }

  /** For connections from now on. Throws, and keeps what it has, when OpenSSL refuses it. */
  setCertificate(certificate: ServerCertificate): void {
    this.#server.setSecureContext(secureContextOptions(this.#settings, certificate))
  }

  #secured(socket: TLSSocket): void {
    const peer = this.#handshakes.finish(rawSocket(socket))
    if (peer === undefined) {
      socket.destroy() // given up in this very turn
      return
    }
    socket.allowHalfOpen = true
    // A session that was resumed may come without the certificate that started it.
    if (this.#settings.clientCertificates === 'require' && socket.getPeerX509Certificate() === undefined) {
      this.#reporter.handshakeFailed(peer.address, 'the peer resumed a session without its certificate')
      socket.destroy()
      return
    }
    this.#admitSecure(socket, peer.address, peer.port, tlsPeer(socket))
  }

  #refused(error: Error, socket: TLSSocket): void {
    const peer = this.#handshakes.finish(rawSocket(socket))
    // Who connects and says nothing looks whether the port is open.
    const isProbe = rawSocket(socket).bytesRead === 0
    if (peer !== undefined)
      this.#reporter.handshakeFailed(peer.address, isProbe ? undefined : refusalText(error, socket))
    socket.destroy()
  }
}

/**
 * Lets the handshake begin with bytes that were read already. Node's buffer under OpenSSL is as large as the first thing that it gets asks
 * for: with these 16 KiB, with a read from the kernel 64. It stays so for the connection. In smaller reads a flood is passed on before it takes the
 * subscriber past its mark: measured 160 instead of 255 ns of CPU per message, and 7 KiB less memory per idle connection.
 */
function giveBack(socket: Socket): void {
  const bytes = socket.read() as Uint8Array | null
  if (bytes !== null) socket.unshift(bytes)
}

/** The TCP socket under a TLS socket. test/system/tls.test.ts fails if a Node version stops naming it so. */
function rawSocket(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent
}

function secureContextOptions({ minVersion = 'TLSv1.2' }: TlsSettings, certificate: ServerCertificate): TlsOptions {
  const { cert, key, clientCa } = certificate
  // A second handshake on a connection, of TLS 1.2 only, costs us more than the peer, and nothing we speak has a use for it.
  const secureOptions = constants.SSL_OP_NO_RENEGOTIATION
  return { cert, key, minVersion, secureOptions, ...(clientCa === undefined ? {} : { ca: clientCa }) }
}

const CLOSED = 'the peer closed during the TLS handshake'

const TEXT_BY_CODE: Readonly<Record<string, string>> = {
  ECONNRESET: CLOSED,
  ERR_SSL_HTTP_REQUEST: 'the peer speaks plain HTTP, this listener expects TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the peer does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the peer offers no TLS version that is new enough',
  ERR_SSL_NO_SHARED_CIPHER: 'the peer offers no cipher that we have',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the peer shows no client certificate, and this listener requires one',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the peer does not trust the authority of our certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'the peer does not accept our certificate',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN': 'the peer does not accept our certificate',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the peer wants an older TLS version',
}

function refusalText(error: Error, socket: TLSSocket): string {
  // Types say Error; it is the code of OpenSSL's verdict.
  const verdict: unknown = socket.authorizationError
  if (typeof verdict === 'string' && verdict !== '') return `the client certificate is not accepted: ${verdict}`
  const code = systemCode(error)
  const text = code === undefined ? undefined : TEXT_BY_CODE[code]
  return text === undefined ? `TLS handshake failed: ${closeReason(error)}` : `${text} (${code})`
}
