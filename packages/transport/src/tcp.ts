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
import { SOCKET_READING, SocketTransport, type TransportOwner } from './socket-transport.ts'
import { TransportSet } from './transport-set.ts'

class TcpListener implements Listener, TransportOwner {
  readonly key: string
  readonly clock: Clock
  readonly #context: ListenerContext
  readonly #acceptTransport: AcceptTransport
  readonly #acceptor: Acceptor
  readonly #transports = new TransportSet()

  constructor(options: ListenerOptions, context: ListenerContext, acceptTransport: AcceptTransport) {
    this.key = options.key
    this.clock = context.env.clock
    this.#context = context
    this.#acceptTransport = acceptTransport
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
    transport.attach(this.#acceptTransport(transport))
  }
}

/** A listener for plain TCP. `acceptTransport` makes the adapter's side of every connection. */
export function createTcpListener(
  options: ListenerOptions,
  context: ListenerContext,
  acceptTransport: AcceptTransport,
): Listener {
  return new TcpListener(options, context, acceptTransport)
}
