/** The broker behind real sockets, and clients that speak bytes through them. */
import type { Socket } from 'node:net'

import { allowAll, DEFAULT_CORE_LIMITS, Events, type Login, VirtualHost } from '@ternmq/core'
import { type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import { createTcpListener, type Listener, type ListenerContext } from '@ternmq/transport'
import { createWebSocketListener } from '@ternmq/websocket'
import { onTestFinished } from 'vitest'

import { MqttAdapter } from '../../src/adapter.ts'
import { DEFAULT_MQTT_SETTINGS } from '../../src/settings.ts'
import { type Packet, PacketParser, type Version } from '../harness.ts'

const everybody: Login = {
  begin: () => ({ kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }),
}

function adapterOn({ env }: ListenerContext): MqttAdapter {
  return new MqttAdapter({
    vhost: new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS }),
    login: everybody,
    settings: DEFAULT_MQTT_SETTINGS,
    events: new Events(env.clock, 100),
  })
}

export async function startTcpBroker(): Promise<Rig> {
  const create = (context: ListenerContext): Listener =>
    createTcpListener(TEST_OPTIONS, context, adapterOn(context).accept)
  return await startRig(create, onTestFinished)
}

export async function startWebSocketBroker(): Promise<Rig> {
  const create = (context: ListenerContext): Listener => {
    const protocols = [adapterOn(context)]
    const options = { ...TEST_OPTIONS, key: 'ws', protocols, maxMessageBytes: 1_000_000, allowedOrigins: [] }
    return createWebSocketListener(options, context)
  }
  return await startRig(create, onTestFinished)
}

/** A WebSocket on its way; it keeps what comes. */
export class WebSocketClient {
  readonly socket: WebSocket
  /** What came in frames that are not binary: there must be nothing. */
  readonly others: unknown[] = []
  readonly #parser: PacketParser
  readonly #packets: Packet[] = []
  readonly #ended: Promise<'opened' | 'refused'>
  #isClosed = false
  #changed: () => void = () => {}

  constructor({ bound }: Rig, protocols: readonly string[], version: Version) {
    this.#parser = new PacketParser(version)
    this.socket = new WebSocket(`ws://${bound.host}:${bound.port}/mqtt`, [...protocols])
    this.socket.binaryType = 'arraybuffer'
    onTestFinished(() => this.socket.close())
    this.socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      if (data instanceof ArrayBuffer) this.#packets.push(...this.#parser.read(new Uint8Array(data)))
      else this.others.push(data)
      this.#changed()
    })
    this.socket.addEventListener('close', () => {
      this.#isClosed = true
      this.#changed()
    })
    this.#ended = new Promise((resolve) => {
      this.socket.addEventListener('open', () => resolve('opened'))
      this.socket.addEventListener('error', () => resolve('refused'))
    })
  }

  get handshake(): Promise<'opened' | 'refused'> {
    return this.#ended
  }

  send(frame: Uint8Array | string): void {
    this.socket.send(typeof frame === 'string' ? frame : Uint8Array.from(frame))
  }

  /** Types of the next `count` packets. */
  async types(count: number): Promise<string[]> {
    while (this.#packets.length < count && !this.#isClosed) await this.#change()
    return this.#packets.splice(0, count).map(({ type }) => type)
  }

  /** Everything that came until the server closed. */
  async untilClosed(): Promise<Packet[]> {
    while (!this.#isClosed) await this.#change()
    return this.#packets
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }
}

/** Reads packets from a TCP socket until there are `count`, in however many chunks. */
export function readPackets(socket: Socket, parser: PacketParser, count: number): Promise<Packet[]> {
  return new Promise((resolve) => {
    const packets: Packet[] = []
    const onData = (chunk: Buffer): void => {
      packets.push(...parser.read(chunk))
      if (packets.length < count) return
      socket.off('data', onData)
      resolve(packets)
    }
    socket.on('data', onData)
  })
}
