/** The plain TCP listener. */
import { Socket } from 'node:net'

import type { AcceptTransport, Clock } from '@ternmq/core'

import { Acceptor } from './acceptor.ts'
import type {
  BoundAddress,
  Listener,
  ListenerContext,
  ListenerOptions,
  ListenerSettings,
  ListenerStats,
} from './listener.ts'
import { SocketTransport, type TransportOwner, transportOf } from './socket-transport.ts'
import { TransportSet } from './transport-set.ts'

/** One read takes at most this much. */
const READ_BYTES = 64 * 1024

/**
 * Every TCP socket reads into this one buffer, and the adapter copies what must stay. Reading into fresh buffers, as net does
 * by itself, costs twice the CPU at full 64 KiB reads and more than twice the process's memory.
 */
const readBuffer: Uint8Array = Buffer.allocUnsafeSlow(READ_BYTES)

const readInPlace = {
  buffer: readBuffer,
  callback(this: Socket, byteCount: number): boolean {
    transportOf(this)?.receive(readBuffer.subarray(0, byteCount), byteCount < READ_BYTES)
    return true
  },
}

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
    const socket = adopt(accepted)
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

/**
 * Moves the connection of an accepted socket to one that reads in place: net offers that for outgoing sockets only, so the
 * handle changes hands. test/system/tcp.test.ts fails if a Node version stops allowing it.
 */
function adopt(accepted: Socket): Socket {
  const owner = accepted as unknown as { _handle: unknown }
  const handle = owner._handle
  owner._handle = null
  accepted.destroy() // without a handle: it only leaves the server's count
  return new Socket({ handle, onread: readInPlace, allowHalfOpen: true } as ConstructorParameters<typeof Socket>[0])
}
