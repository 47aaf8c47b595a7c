/**
 * Every connection of a virtual host that an adapter has, whatever it speaks, and those that have ended. Adapters tell of the beginning
 * and of the end; what lies between is asked for when somebody looks.
 */
import { type EndedConnection, ConnectionHistory } from './connection-history.ts'
import { type AdminConnection, connectionInfo, type EndedBy } from './connection-info.ts'
import type { Clock } from './env.ts'
import { clip, TEXT_CHARS_MAX } from './events.ts'

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

export class Connections {
  readonly history: ConnectionHistory
  readonly #clock: Clock
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

  onEnded(connection: AdminConnection, end: ConnectionEnd): void {
    const { id } = connection.transport
    if (!this.#byId.delete(id)) return
    this.history.add(endedConnection(connection, end, this.#clock.wallMs()))
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

function endedConnection(
  connection: AdminConnection,
  end: ConnectionEnd,
  endedAtMs: number,
): Omit<EndedConnection, 'cursor'> {
  return { ...connectionInfo(connection), state: 'ended', endedAtMs, ...end }
}
