/**
 * Every connection of a virtual host that an adapter has, whatever it speaks, and those that have ended. Adapters tell of the beginning
 * and of the end; what lies between is asked for when somebody looks.
 */
import { type EndedConnection, ConnectionHistory } from './connection-history.ts'
import { type AdminConnection, connectionInfo, type EndedBy } from './connection-info.ts'
import type { Clock } from '../env.ts'
import { clip, TEXT_CHARS_MAX } from '../events.ts'
import type { ProtocolName } from './transport.ts'

/** How a connection ended. */
export interface ConnectionEnd {
  readonly endedBy: EndedBy
  /** Why, in a sentence. */
  readonly reason: string
  /** The rule that was broken; '' when none was. */
  readonly clause: string
  /** It had been let in. */
  readonly wasConnected: boolean
}

/** The connections of one protocol; bytes of their transports, those that have ended included. */
export interface ConnectionTotals {
  openCount: number
  bytesIn: number
  bytesOut: number
}

export class Connections {
  readonly history: ConnectionHistory
  readonly #clock: Clock
  /** Connections that have ended since the start, by who ended them. */
  readonly endedBy: Record<EndedBy, number> = { client: 0, broker: 0, network: 0, operator: 0, takeover: 0 }
  readonly #ended: Record<ProtocolName, ConnectionTotals> = noTotals()
  readonly #byId = new Map<number, AdminConnection>()

  /** Remembers `historyMax` that have ended. */
  constructor(clock: Clock, historyMax: number) {
    this.#clock = clock
    this.history = new ConnectionHistory(historyMax)
  }

  get count(): number {
    return this.#byId.size
  }

  /** In the order of their coming. */
  all(): IterableIterator<AdminConnection> {
    return this.#byId.values()
  }

  /** `id` is that of its transport. */
  find(id: number): AdminConnection | undefined {
    return this.#byId.get(id)
  }

  /** Only adapters call this, and `onEnded` once for each. */
  add(connection: AdminConnection): void {
    this.#byId.set(connection.transport.id, connection)
  }

  /** True: operators are told. Whoever left without a byte, as probes of a port do, is counted only. */
  onEnded(connection: AdminConnection, end: ConnectionEnd): boolean {
    const { id } = connection.transport
    if (!this.#byId.delete(id)) return false
    const ended = endedConnection(connection, end, this.#clock.wallMs())
    const totals = this.#ended[ended.protocol]
    totals.bytesIn += ended.bytesIn
    totals.bytesOut += ended.bytesOut
    this.endedBy[end.endedBy]++
    const isProbe = ended.bytesIn === 0 && end.endedBy === 'network'
    if (!isProbe) this.history.add(ended)
    return !isProbe
  }

  /** By protocol, as it is now. Takes a look at each connection. */
  totals(): Record<ProtocolName, ConnectionTotals> {
    const totals = noTotals()
    for (const protocol of PROTOCOLS) Object.assign(totals[protocol], this.#ended[protocol])
    for (const connection of this.#byId.values()) {
      const { bytesIn, bytesOut } = connection.transport
      const total = totals[connection.facts().protocol]
      total.openCount++
      total.bytesIn += bytesIn
      total.bytesOut += bytesOut
    }
    return totals
  }

  /** An operator ends a connection, who may say why: the client hears it. False when there is none with that id. */
  close(id: number, reason: string): boolean {
    const connection = this.#byId.get(id)
    if (connection === undefined) return false
    const why = reason === '' ? '' : `: ${clip(reason, TEXT_CHARS_MAX)}`
    connection.endByOperator(`an operator closed the connection${why}`)
    return true
  }
}

const PROTOCOLS: readonly ProtocolName[] = ['mqtt', 'stomp', 'amqp']

function noTotals(): Record<ProtocolName, ConnectionTotals> {
  const none = (): ConnectionTotals => ({ openCount: 0, bytesIn: 0, bytesOut: 0 })
  return { mqtt: none(), stomp: none(), amqp: none() }
}

function endedConnection(
  connection: AdminConnection,
  end: ConnectionEnd,
  endedAtMs: number,
): Omit<EndedConnection, 'cursor'> {
  return { ...connectionInfo(connection), state: 'ended', endedAtMs, ...end }
}
