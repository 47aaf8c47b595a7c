/**
 * One port for all: finds out from the first bytes whether a peer uses TLS, and then, from those inside, what it speaks. Once both
 * are known a connection is the same as on a port of its own. [ADR-0010]
 */
import type { Socket } from 'node:net'

import type { Clock, PeerInfo, ServedProtocol } from '@ternmq/core'

import { Acceptor } from '../acceptor.ts'
import type { ServerCertificate } from '../tls/certificate-files.ts'
import { detectProtocol } from './detect.ts'
import { Handshakes } from '../handshakes.ts'
import { adopt } from '../in-place-reading.ts'
import {
  type BoundAddress,
  HANDSHAKE_MS,
  type ListenerContext,
  type ListenerOptions,
  type ListenerSettings,
  type ListenerStats,
} from '../listener.ts'
import { closedText, ProtocolChooser, silentText } from './protocol-chooser.ts'
import { readChunks, SOCKET_READING, SocketTransport, type TransportOwner } from '../socket-transport.ts'
import { TlsHandshakes, type TlsSettings } from '../tls/tls-handshakes.ts'
import type { SecureListener } from '../tls/tls.ts'
import { TransportSet } from '../transport-set.ts'

export interface AnyListenerOptions extends ListenerOptions {
  readonly protocols: readonly ServedProtocol[]
  /** Undefined: connections are never encrypted. */
  readonly tls: TlsSettings | undefined
  /** Peers without TLS are refused. Needs `tls`. */
  readonly requiresTls: boolean
  /** Where a browser or a WebSocket client should have gone: a sentence, or ''. */
  readonly httpAdvice: () => string
  /** Where a client that uses TLS should have gone where `tls` is undefined: what a sentence ends with, or ''. */
  readonly tlsAdvice: () => string
}

class AnyListener implements SecureListener, TransportOwner {
  readonly key: string
  readonly clock: Clock
  readonly #context: ListenerContext
  readonly #requiresTls: boolean
  readonly #acceptor: Acceptor
  /** Sockets of which nothing is known. */
  readonly #fresh: Handshakes<Socket, string>
  readonly #tls: TlsHandshakes | undefined
  readonly #chooser: ProtocolChooser
  readonly #transports = new TransportSet()

  constructor(options: AnyListenerOptions, context: ListenerContext) {
    const { key, tls, protocols, httpAdvice, tlsAdvice, handshakeMs: limitMs = HANDSHAKE_MS } = options
    const { clock } = context.env
    this.key = key
    this.clock = clock
    this.#context = context
    this.#requiresTls = options.requiresTls
    const acceptor = new Acceptor(options, context, true, (socket, address, port) => this.#admit(socket, address, port))
    this.#acceptor = acceptor
    this.#fresh = new Handshakes(clock, limitMs, (address, usedMs) => {
      acceptor.notServed('silent', address, silentText(usedMs))
    })
    this.#chooser = new ProtocolChooser({
      listener: key,
      clock,
      protocols,
      limitMs,
      httpAdvice,
      tlsAdvice,
      notServed: (fault, address, text) => acceptor.notServed(fault, address, text),
    })
    this.#tls =
      tls &&
      new TlsHandshakes(tls, limitMs, clock, acceptor, (socket, address, port, peer) => {
        this.#begin(socket, { listener: key, address, port, tls: peer })
        readChunks(socket)
      })
  }

  get stats(): ListenerStats {
    return this.#acceptor.stats
  }

  start(): Promise<BoundAddress> {
    return this.#acceptor.start()
  }

  use(settings: Partial<ListenerSettings>): void {
    this.#acceptor.use(settings)
    if (settings.handshakeMs === undefined) return
    this.#fresh.limitMs = settings.handshakeMs
    this.#chooser.limitMs = settings.handshakeMs
    if (this.#tls !== undefined) this.#tls.limitMs = settings.handshakeMs
  }

  /** Those that have not said what they speak are given up, too. */
  stopAccepting(): void {
    this.#acceptor.stopAccepting()
    this.#fresh.destroyAll()
    this.#tls?.destroyUnfinished()
    this.#chooser.destroyUndecided()
  }

  close(reason: string): Promise<void> {
    this.stopAccepting()
    return this.#transports.destroyAll(reason)
  }

  setCertificate(certificate: ServerCertificate): void {
    this.#tls?.setCertificate(certificate)
  }

  transportClosed(transport: SocketTransport): void {
    this.#transports.delete(transport)
    if (transport.peer.tls === undefined) this.#acceptor.release(transport.peer.address)
  }

  /** Waits for the first bytes. What is read here is read by net itself, into memory of the socket's own. */
  #admit(socket: Socket, address: string, port: number): void {
    let bytes: Buffer = NO_BYTES
    const gone = (): void => {
      this.#acceptor.release(address)
      if (this.#fresh.finish(socket) === undefined || bytes.length === 0) return
      this.#acceptor.notServed('unknown-protocol', address, closedText(bytes))
    }
    const end = (): unknown => socket.destroy() // it said nothing, or too little
    const read = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
      const isTls = this.#tls !== undefined && beginsTls(bytes)
      if (isTls === undefined) return
      socket.off('readable', read)
      socket.off('end', end)
      this.#fresh.finish(socket)
      if (isTls) {
        socket.unshift(bytes)
        this.#tls?.begin(socket, address, port)
      } else {
        socket.off('close', gone)
        this.#beginPlain(socket, { listener: this.key, address, port }, bytes)
      }
    }
    socket.on('close', gone)
    socket.on('error', () => {}) // 'close' follows
    socket.on('end', end)
    socket.on('readable', read)
    this.#fresh.begin(socket, address)
  }

  #beginPlain(accepted: Socket, peer: PeerInfo, bytes: Uint8Array): void {
    stopReading(accepted)
    const transport = this.#begin(adopt(accepted, SOCKET_READING), peer)
    if (!this.#requiresTls) {
      transport.receive(bytes, true)
      return
    }
    const text = `the peer does not use TLS, and listeners.${this.key}.encryption is "required"`
    this.#acceptor.notServed('unserved', peer.address, text)
    transport.refuse(text, undefined)
  }

  #begin(socket: Socket, peer: PeerInfo): SocketTransport {
    const transport = new SocketTransport(socket, peer, this.#context.outbox, this)
    this.#transports.add(transport)
    this.#chooser.begin(transport)
    return transport
  }
}

/** A listener that tells by the first bytes what a peer speaks, within TLS or without. */
export function createAnyListener(options: AnyListenerOptions, context: ListenerContext): SecureListener {
  return new AnyListener(options, context)
}

const NO_BYTES = Buffer.alloc(0)

/** Undefined: only the second byte tells. */
function beginsTls(bytes: Uint8Array): boolean | undefined {
  const found = detectProtocol(bytes)
  if (found === 'more' && bytes[0] === TLS_HANDSHAKE) return undefined
  return found === 'tls'
}

/** Type of the record that a ClientHello begins with. */
const TLS_HANDSHAKE = 0x16

/** Nothing more comes to `socket`: its handle is about to change hands. */
function stopReading(socket: Socket): void {
  const handle = (socket as unknown as { readonly _handle: { reading: boolean; readStop(): void } })._handle
  handle.reading = false
  handle.readStop()
}
