/**
 * Connections of the ports, within their limits. Where there is no room for a new one, the oldest gives way of those whose callers have not
 * shown who they are; then, of the others, the one that has had no call under way for the longest time, and of these rather one that has not begun
 * to send the next. So a port is full only when all its connections are at work: nobody shuts it for others by opening connections and saying
 * nothing, with a login or without.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { fairnessKey } from '@ternmq/auth'
import type { ApiServerSettings } from './options.ts'

interface Connection {
  readonly socket: Socket
  /** Who counts as one. */
  readonly address: string
  isKnown: boolean
  /** Calls that are not answered to their end. */
  callsUnderWay: number
  /** Of the last call that came to its end: the lowest is idle for the longest time. */
  lastEnd: number
  /** All that had come in by then: what is more is the beginning of a call. */
  bytesAtEnd: number
}

export class Connections {
  readonly #limits: Pick<ApiServerSettings, 'connectionsMax' | 'connectionsPerAddressMax'>
  /** Oldest first. By the ports of both ends: with TLS a call has another socket than the one that came in. */
  readonly #open = new Map<string, Connection>()
  readonly #countByAddress = new Map<string, number>()
  #endCount = 0

  constructor(limits: Pick<ApiServerSettings, 'connectionsMax' | 'connectionsPerAddressMax'>) {
    this.#limits = limits
  }

  /** Of one that came in: it is destroyed where there is no room, and none to be made. */
  add(socket: Socket): void {
    const { remoteAddress } = socket
    if (remoteAddress === undefined) return void socket.destroy() // reset before we got to it
    const address = fairnessKey(remoteAddress)
    if (!this.#makeRoom(address)) return void socket.destroy()
    const key = keyOf(socket)
    const connection: Connection = { socket, address, isKnown: false, callsUnderWay: 0, lastEnd: 0, bytesAtEnd: 0 }
    this.#open.set(key, connection)
    this.#countByAddress.set(address, this.#countOf(address) + 1)
    socket.once('close', () => this.#remove(key, connection))
  }

  /** Its caller has shown who he is. */
  keep(socket: Socket): void {
    const connection = this.#open.get(keyOf(socket))
    if (connection !== undefined) connection.isKnown = true
  }

  /** A call has come in, with its answer still to be given. */
  begin(socket: Socket, response: ServerResponse): void {
    const connection = this.#open.get(keyOf(socket))
    if (connection === undefined) return
    connection.callsUnderWay++
    response.once('close', () => {
      connection.callsUnderWay--
      connection.lastEnd = ++this.#endCount
      connection.bytesAtEnd = connection.socket.bytesRead
    })
  }

  #makeRoom(address: string): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits
    const isAddressFull = this.#countOf(address) >= connectionsPerAddressMax
    if (!isAddressFull && this.#open.size < connectionsMax) return true
    const givesWay = this.#findToGiveWay(isAddressFull ? address : undefined)
    if (givesWay === undefined) return false
    const [key, connection] = givesWay
    this.#remove(key, connection)
    connection.socket.destroy()
    return true
  }

  /** Of all connections, or of those of an address. */
  #findToGiveWay(address: string | undefined): readonly [key: string, connection: Connection] | undefined {
    let idlest: readonly [string, Connection] | undefined = undefined
    for (const each of this.#open) {
      const [, connection] = each
      if (address !== undefined && connection.address !== address) continue
      if (!connection.isKnown) return each
      if (connection.callsUnderWay > 0) continue
      if (idlest === undefined || isIdler(connection, idlest[1])) idlest = each
    }
    return idlest
  }

  #countOf(address: string): number {
    return this.#countByAddress.get(address) ?? 0
  }

  #remove(key: string, connection: Connection): void {
    if (this.#open.get(key) !== connection) return
    this.#open.delete(key)
    const left = this.#countOf(connection.address) - 1
    if (left === 0) this.#countByAddress.delete(connection.address)
    else this.#countByAddress.set(connection.address, left)
  }
}

/** Whoever has sent the beginning of a call comes last: he would get no answer. That is no right to stay: bytes cost nothing. */
function isIdler(one: Connection, other: Connection): boolean {
  const [hasBegun, hasOtherBegun] = [one, other].map(({ socket, bytesAtEnd }) => socket.bytesRead > bytesAtEnd)
  return hasBegun === hasOtherBegun ? one.lastEnd < other.lastEnd : hasOtherBegun === true
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
