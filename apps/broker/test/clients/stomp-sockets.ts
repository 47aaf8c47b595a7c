/** What @stomp/stompjs needs of a WebSocket, over each kind of listener: real WebSockets, and TCP and TLS in their guise. */
import type { IStompSocket } from '@stomp/stompjs'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectSecure } from 'node:tls'
import { WebSocket } from 'ws'

import type { RunningBroker, StompListenerName } from './running-broker.ts'

const OPEN = 1
const CLOSED = 3

export const SUBPROTOCOLS: readonly string[] = ['v12.stomp', 'v11.stomp', 'v10.stomp']

export function openSocket(
  broker: RunningBroker,
  listener: StompListenerName,
  subprotocols: readonly string[] = SUBPROTOCOLS,
): IStompSocket {
  if (listener === 'stomp' || listener === 'stomps')
    return new StreamSocket(dial(broker, listener), broker.url(listener))
  return openWebSocket(broker, listener, subprotocols)
}

export function openWebSocket(
  broker: RunningBroker,
  listener: 'ws' | 'wss',
  subprotocols: readonly string[] = SUBPROTOCOLS,
): WebSocket {
  return new WebSocket(broker.url(listener), [...subprotocols], { ca: readFileSync(broker.caFile) })
}

/** Connects over TCP or TLS. */
export function dial(broker: RunningBroker, listener: 'stomp' | 'stomps'): Socket {
  const port = broker.port(listener)
  if (listener === 'stomp') return connect({ host: 'localhost', port })
  return connectSecure({ host: 'localhost', port, ca: readFileSync(broker.caFile) })
}

class StreamSocket implements IStompSocket {
  readonly url: string
  onclose: ((event?: unknown) => unknown) | undefined | null = undefined
  onerror: ((event: unknown) => unknown) | undefined | null = undefined
  onmessage: ((event: unknown) => unknown) | undefined | null = undefined
  onopen: ((event?: unknown) => unknown) | undefined | null = undefined
  readyState = 0
  readonly #socket: Socket

  constructor(socket: Socket, url: string) {
    this.url = url
    this.#socket = socket
    socket.once(url.startsWith('stomps') ? 'secureConnect' : 'connect', () => {
      this.readyState = OPEN
      this.onopen?.()
    })
    socket.on('data', (bytes: Buffer) => this.onmessage?.({ data: Uint8Array.from(bytes).buffer }))
    socket.on('error', (error) => this.onerror?.(error))
    socket.on('close', () => {
      this.readyState = CLOSED
      this.onclose?.({ code: 1000, reason: '' })
    })
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    this.#socket.write(typeof data === 'string' ? data : Buffer.from(data as Uint8Array))
  }

  close(): void {
    this.#socket.end()
  }

  terminate(): void {
    this.#socket.destroy()
  }
}
