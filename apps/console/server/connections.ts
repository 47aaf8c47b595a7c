/**
 * Connections of the ports, within their limits. Whoever has shown who he is keeps his. Of the others the oldest gives way where there is no room
 * for a new one: nobody shuts a port for others by opening connections and saying nothing.
 */
import type { Socket } from 'node:net'
import { fairnessKey } from '@ternmq/auth'
import type { ApiServerSettings } from './options.ts'

interface Connection {
  readonly socket: Socket
  /** Who counts as one. */
  readonly address: string
  isKnown: boolean
}

export class Connections {
  readonly #limits: Pick<ApiServerSettings, 'connectionsMax' | 'connectionsPerAddressMax'>
  /** Oldest first. By the ports of both ends: with TLS a call has another socket than the one that came in. */
  readonly #open = new Map<string, Connection>()
  readonly #countByAddress = new Map<string, number>()

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
    const connection: Connection = { socket, address, isKnown: false }
    this.#open.set(key, connection)
    this.#countByAddress.set(address, this.#countOf(address) + 1)
    socket.once('close', () => this.#remove(key, connection))
  }

  /** Its caller has shown who he is. */
  keep(socket: Socket): void {
    const connection = this.#open.get(keyOf(socket))
    if (connection !== undefined) connection.isKnown = true
  }

  #makeRoom(address: string): boolean {
    const { connectionsMax, connectionsPerAddressMax } = this.#limits
    const isAddressFull = this.#countOf(address) >= connectionsPerAddressMax
    if (!isAddressFull && this.#open.size < connectionsMax) return true
    for (const [key, connection] of this.#open) {
      if (connection.isKnown || (isAddressFull && connection.address !== address)) continue
      this.#remove(key, connection)
      connection.socket.destroy()
      return true
    }
    return false
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

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
