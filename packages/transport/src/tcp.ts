/** The plain TCP listener. */
import type { Socket } from 'node:net'

import type { AcceptTransport, Clock } from '@ternmq/core'

import { Acceptor } from './acceptor.ts'
import { adopt } from './in-place-reading.ts'
import type {
  BoundAddress,
  Listener,
  ListenerContext,
  ListenerOptions,
  ListenerSettings,
  ListenerStats,
} from './listener.ts'
import { PlainHello } from './any/plain-hello.ts'
import { SOCKET_READING, SocketTransport, type TransportOwner } from './socket-transport.ts'
import { TransportSet } from './transport-set.ts'
import { tlsText } from './any/unserved.ts'

export interface TcpListenerOptions extends ListenerOptions {
  /** Where a client that uses TLS should have gone: what a sentence ends with, or ''. */
  readonly tlsAdvice?: () => string
}

class TcpListener implements Listener, TransportOwner {
  readonly key: string
  readonly clock: Clock
  readonly #context: ListenerContext
  readonly #acceptTransport: AcceptTransport
  readonly #acceptor: Acceptor
  readonly #transports = new TransportSet()
  readonly #tlsAdvice: () => string

  constructor(options: TcpListenerOptions, context: ListenerContext, acceptTransport: AcceptTransport) {
    this.key = options.key
    this.clock = context.env.clock
    this.#context = context
    this.#acceptTransport = acceptTransport
    this.#tlsAdvice = options.tlsAdvice ?? (() => '')
    this.#acceptor = new Acceptor(options, context, true, (socket, address, port) => this.#admit(socket, address, port))
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
    return this.#transports.destroyAll(reason)
  }

  transportClosed(transport: SocketTransport): void {
    this.#transports.delete(transport)
    this.#acceptor.release(transport.peer.address)
  }

  #admit(accepted: Socket, address: string, port: number): void {
    const socket = adopt(accepted, SOCKET_READING)
    const transport = new SocketTransport(socket, { listener: this.key, address, port }, this.#context.outbox, this)
    this.#transports.add(transport)
    transport.attach(new PlainHello(transport, this.#acceptTransport(transport), this.#onTls))
  }

  /** The adapter, which hears the reason, is the one to tell operators. */
  readonly #onTls = (): string => {
    this.#acceptor.stats.unservedProtocols++
    return tlsText({ listener: this.key, tlsAdvice: this.#tlsAdvice() })
  }
}

/** A listener for plain TCP. `acceptTransport` makes the adapter's side of every connection. */
export function createTcpListener(
  options: TcpListenerOptions,
  context: ListenerContext,
  acceptTransport: AcceptTransport,
): Listener {
  return new TcpListener(options, context, acceptTransport)
}
