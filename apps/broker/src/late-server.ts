/**
 * A socket that listens from the start, with a server behind it that is made for the first connection: a broker that nobody administers
 * has no HTTP server in its memory, and starts without waiting for one.
 */
import { chmodSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

import { BrokerError, messageOf, systemCode } from './errors.ts'
import { shortAddress } from './socket-path.ts'

/** What takes a connection that was accepted. */
export type TakeSocket = (socket: Socket) => void

export interface LateServerOptions {
  /** Called once, for the first connection. What it rejects with ends the connections that wait, and is told; the next one tries again. */
  readonly make: () => Promise<TakeSocket>
  readonly onFailed: (error: unknown) => void
  /** Connections at once. Beyond it a new one is closed at once. */
  readonly connectionsMax: number
}

export class LateServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #making: Promise<TakeSocket> | undefined = undefined
  #afterClose: () => void = () => {}

  /** Listens at a host and port. Rejects with BrokerError 'CONSOLE_PORT_FAILED'. */
  static async at(host: string, port: number, options: LateServerOptions): Promise<LateServer> {
    const late = new LateServer(options)
    try {
      await listen(late.#server, (listening) => late.#server.listen({ host, port }, listening))
    } catch (cause) {
      const isTaken = systemCode(cause) === 'EADDRINUSE'
      const why = isTaken
        ? 'the port is in use; stop the other program or set console.port'
        : `${messageOf(cause)}; set console.host and console.port`
      throw new BrokerError('CONSOLE_PORT_FAILED', `the console cannot listen on ${host}:${port}: ${why}`, { cause })
    }
    return late
  }

  /**
   * Listens at a path that only its owner may open. Whoever holds the data directory's lock may call it: a socket of a broker that died
   * is replaced. Rejects with BrokerError 'ADMIN_SOCKET_FAILED'.
   */
  static async atPath(path: string, options: LateServerOptions): Promise<LateServer> {
    const late = new LateServer(options)
    const address = shortAddress(path)
    try {
      rmSync(path, { force: true })
      await listenPrivately(late.#server, address.path)
      chmodSync(path, 0o600)
    } catch (cause) {
      address.free()
      const text = `cannot open the admin socket ${path}: ${messageOf(cause)}; choose another directory with --data-dir`
      throw new BrokerError('ADMIN_SOCKET_FAILED', text, { cause })
    }
    late.#afterClose = () => {
      rmSync(path, { force: true })
      address.free()
    }
    return late
  }

  private constructor(options: LateServerOptions) {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#onSocket(socket, options))
    this.#server.maxConnections = options.connectionsMax
  }

  /** Of one with a host and port. */
  get bound(): { readonly host: string; readonly port: number } {
    const { address: host, port } = this.#server.address() as AddressInfo
    return { host, port }
  }

  /** Open connections are closed. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets) socket.destroy()
    })
    this.#afterClose()
  }

  #onSocket(socket: Socket, { make, onFailed }: LateServerOptions): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const onEarlyError = (): void => void socket.destroy() // the peer is gone: nobody to tell
    socket.on('error', onEarlyError)
    this.#making ??= make()
    this.#making.then(
      (take) => {
        socket.off('error', onEarlyError)
        if (!socket.destroyed) take(socket)
      },
      (error: unknown) => {
        this.#making = undefined
        socket.destroy()
        onFailed(error)
      },
    )
  }
}

function listen(server: Server, start: (listening: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    start(() => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** The socket is never open to others, not even between its making and a chmod. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return listen(server, (listening) => {
    const umask = process.umask(0o177)
    try {
      server.listen(path, listening)
    } finally {
      process.umask(umask) // a path is bound before `listen` returns
    }
  })
}
