/**
 * Accepts TCP connections within the limits, for every kind of listener. What happens to an admitted socket (bytes, TLS, an
 * upgrade) is the business of the listener it belongs to; so is telling `release` when it is gone.
 */
import { createServer, type Server, type Socket } from 'node:net'

import { AddressCounts } from './address-limit.ts'
import { bindError, closeReason } from './errors.ts'
import { EventGate } from './event-gate.ts'
import { ConnectionBudget, FILES_KEPT } from './connection-budget.ts'
import type {
  BoundAddress,
  ListenerContext,
  ListenerEvent,
  ListenerOptions,
  ListenerSettings,
  ListenerStats,
  PeerFault,
} from './listener.ts'

/** Handshakes the kernel completes for us while we are busy; a fleet that reconnects at once comes in thousands. */
const BACKLOG = 4096

/** A peer that vanished without a word is noticed by the kernel after about this long plus 9 probes. */
const KEEP_ALIVE_DELAY_MS = 60_000

const STAT_OF_FAULT = {
  silent: 'silentPeers',
  unserved: 'unservedProtocols',
  'unknown-protocol': 'unknownProtocols',
} as const satisfies Record<PeerFault, keyof ListenerStats>

/** A socket within the limits. `address` and `port` are the peer's. */
export type Admit = (socket: Socket, address: string, port: number) => void

export class Acceptor {
  readonly stats: { -readonly [name in keyof ListenerStats]: ListenerStats[name] } = {
    open: 0,
    accepted: 0,
    refusedByListenerLimit: 0,
    refusedByBrokerLimit: 0,
    refusedByAddressLimit: 0,
    refusedByFileLimit: 0,
    failedHandshakes: 0,
    silentPeers: 0,
    unservedProtocols: 0,
    unknownProtocols: 0,
    acceptErrors: 0,
  }
  #options: ListenerOptions
  readonly #admit: Admit
  readonly #budget: ConnectionBudget
  readonly #server: Server
  readonly #counts = new AddressCounts()
  readonly #gate: EventGate

  /** `pauseOnConnect`: nothing is read from an admitted socket until somebody does. */
  constructor(options: ListenerOptions, context: ListenerContext, pauseOnConnect: boolean, admit: Admit) {
    this.#options = options
    this.#admit = admit
    this.#budget = context.budget ?? new ConnectionBudget()
    this.#gate = new EventGate(context.env.clock, (event) => context.onEvent(event))
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
      // A peer that half-closes still gets the answers to what it sent.
      allowHalfOpen: true,
      pauseOnConnect,
    })
    this.#server.on('connection', (socket) => this.#accept(socket))
  }

  start(): Promise<BoundAddress> {
    const { key, host, port } = this.#options
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => reject(bindError(key, host, port, error))
      this.#server.once('error', refuse)
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', refuse)
        this.#server.on('error', (error) => this.#acceptFailed(error))
        const bound = this.#server.address()
        resolve({ host, port: bound !== null && typeof bound === 'object' ? bound.port : port })
      })
    })
  }

  use(settings: Partial<ListenerSettings>): void {
    this.#options = { ...this.#options, ...settings }
  }

  stopAccepting(): void {
    if (this.#server.listening) this.#server.close()
  }

  /** An admitted connection is gone. */
  release(address: string): void {
    this.stats.open--
    this.#budget.remove()
    this.#counts.remove(address)
  }

  handshakeFailed(address: string, text: string | undefined): void {
    this.stats.failedHandshakes++
    if (text !== undefined) this.report('handshake-failed', address, text)
  }

  /** Nobody here speaks with this peer. */
  notServed(fault: PeerFault, address: string, text: string): void {
    this.stats[STAT_OF_FAULT[fault]]++
    this.report(fault, address, text)
  }

  report(kind: ListenerEvent['kind'], address: string, text: string): void {
    this.#gate.report({ kind, listener: this.#options.key, address, text })
  }

  #accept(socket: Socket): void {
    const { remoteAddress: address, remotePort: port } = socket
    if (address === undefined || port === undefined) {
      socket.destroy() // reset before we got to it
      return
    }
    const { key, connectionsMax, connectionsPerAddressMax } = this.#options
    const { stats } = this
    const budget = this.#budget
    if (stats.open >= connectionsMax) {
      stats.refusedByListenerLimit++
      this.#refuse(socket, address, `listeners.${key}.maxConnections is ${connectionsMax}, and as many are open`)
    } else if (budget.isSpent) {
      stats.refusedByBrokerLimit++
      this.#refuse(socket, address, `limits.maxConnections is ${budget.connectionsMax}, and as many are open`)
    } else if (budget.takesLastFiles(fileNumber(socket))) {
      stats.refusedByFileLimit++
      const text = `the process may have ${budget.filesMax} files open and ${FILES_KEPT} are kept for the rest of the broker`
      this.#refuse(socket, address, `${text}; raise the limit (ulimit -Hn, or LimitNOFILE= of the service)`)
    } else if (!this.#counts.add(address, connectionsPerAddressMax)) {
      stats.refusedByAddressLimit++
      const limit = `listeners.${key}.maxConnectionsPerAddress is ${connectionsPerAddressMax}`
      this.#refuse(socket, address, `${limit}, and ${address} has as many`)
    } else {
      stats.open++
      stats.accepted++
      budget.add()
      this.#admit(socket, address, port)
    }
  }

  #refuse(socket: Socket, address: string, text: string): void {
    socket.destroy()
    this.report('refused', address, `connection refused: ${text}`)
  }

  /** Accepting goes on: libuv waits for the next connection, and those there are keep working. */
  #acceptFailed(error: Error): void {
    this.stats.acceptErrors++
    this.report('accept-failed', '', `listener ${this.#options.key} cannot accept: ${closeReason(error)}`)
  }
}

/** -1 where the system has none (Windows). */
function fileNumber(socket: Socket): number {
  return (socket as unknown as { readonly _handle: { readonly fd?: number } | null })._handle?.fd ?? -1
}
