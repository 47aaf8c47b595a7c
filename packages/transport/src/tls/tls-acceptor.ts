/** Accepts TCP connections and finishes the TLS handshake on them, for the TLS and the secure WebSocket listener. */
import { Acceptor } from '../acceptor.ts'
import type { ServerCertificate } from './certificate-files.ts'
import {
  type BoundAddress,
  HANDSHAKE_MS,
  type ListenerContext,
  type ListenerSettings,
  type ListenerStats,
  type PeerFault,
} from '../listener.ts'
import { type AdmitSecure, TlsHandshakes, type TlsListenerOptions } from './tls-handshakes.ts'

export class TlsAcceptor {
  readonly #acceptor: Acceptor
  readonly #handshakes: TlsHandshakes

  constructor(options: TlsListenerOptions, context: ListenerContext, admitSecure: AdmitSecure) {
    this.#acceptor = new Acceptor(options, context, true, (socket, address, port) => {
      socket.on('close', () => this.#acceptor.release(address))
      this.#handshakes.begin(socket, address, port)
    })
    const limitMs = options.handshakeMs ?? HANDSHAKE_MS
    this.#handshakes = new TlsHandshakes(options, limitMs, context.env.clock, this.#acceptor, admitSecure)
  }

  get stats(): ListenerStats {
    return this.#acceptor.stats
  }

  start(): Promise<BoundAddress> {
    return this.#acceptor.start()
  }

  use(settings: Partial<ListenerSettings>): void {
    this.#acceptor.use(settings)
    if (settings.handshakeMs !== undefined) this.#handshakes.limitMs = settings.handshakeMs
  }

  /** Unfinished handshakes are given up, too. */
  stopAccepting(): void {
    this.#acceptor.stopAccepting()
    this.destroyUnfinished()
  }

  /** Unfinished handshakes are given up. */
  destroyUnfinished(): void {
    this.#handshakes.destroyUnfinished()
  }

  /** For connections from now on. Throws, and keeps what it has, when OpenSSL refuses it. */
  setCertificate(certificate: ServerCertificate): void {
    this.#handshakes.setCertificate(certificate)
  }

  /** A handshake, or what followed it, failed. */
  handshakeFailed(address: string, text: string | undefined): void {
    this.#acceptor.handshakeFailed(address, text)
  }

  /** The handshake was fine, what the peer spoke then was not. */
  notServed(fault: PeerFault, address: string, text: string): void {
    this.#acceptor.notServed(fault, address, text)
  }
}
