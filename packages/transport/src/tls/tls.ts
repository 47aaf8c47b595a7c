/** The TLS listener: the same byte pipe once the handshake is done. */
import type { AcceptTransport, Clock } from '@ternmq/core'

import type { ServerCertificate } from './certificate-files.ts'
import type { BoundAddress, Listener, ListenerContext, ListenerSettings, ListenerStats } from '../listener.ts'
import { readChunks, SocketTransport, type TransportOwner } from '../socket-transport.ts'
import { TlsAcceptor } from './tls-acceptor.ts'
import type { TlsListenerOptions } from './tls-handshakes.ts'
import { TransportSet } from '../transport-set.ts'

/** A listener whose certificate can be replaced while it runs. */
export interface SecureListener extends Listener {
  /** For connections from now on; those there are keep theirs. Throws, and keeps what it has, when OpenSSL refuses it. */
  setCertificate(certificate: ServerCertificate): void
}

class TlsListener implements SecureListener, TransportOwner {
  readonly key: string
  readonly clock: Clock
  readonly #acceptor: TlsAcceptor
  readonly #transports = new TransportSet()

  constructor(options: TlsListenerOptions, context: ListenerContext, acceptTransport: AcceptTransport) {
    this.key = options.key
    this.clock = context.env.clock
    this.#acceptor = new TlsAcceptor(options, context, (socket, address, port, tls) => {
      const transport = new SocketTransport(socket, { listener: this.key, address, port, tls }, context.outbox, this)
      readChunks(socket)
      this.#transports.add(transport)
      transport.attach(acceptTransport(transport))
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
  }

  stopAccepting(): void {
    this.#acceptor.stopAccepting()
  }

  close(reason: string): Promise<void> {
    this.#acceptor.stopAccepting()
    this.#acceptor.destroyUnfinished()
    return this.#transports.destroyAll(reason)
  }

  setCertificate(certificate: ServerCertificate): void {
    this.#acceptor.setCertificate(certificate)
  }

  transportClosed(transport: SocketTransport): void {
    this.#transports.delete(transport)
  }
}

/** A listener for TLS 1.2 and 1.3. `acceptTransport` makes the adapter's side of every connection whose handshake is done. */
export function createTlsListener(
  options: TlsListenerOptions,
  context: ListenerContext,
  acceptTransport: AcceptTransport,
): SecureListener {
  return new TlsListener(options, context, acceptTransport)
}
