/**
 * Clients that cost next to nothing: they send packets made beforehand, count the bytes of acknowledgements, and look at no more of a
 * message than they must to acknowledge it. Many at once keep a broker busy from one thread beside it.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { connectPacket, publishPacket, remainingLength, subscribePacket } from '../wire.ts'

const STALL_MS_MAX = 60_000
const LOOK_EVERY_MS = 1_000
const CONNACK_BYTES = 4
const PUBACK_BYTES = 4
const PUBLISH = 3
const PUBACK = 0x40
const DISCONNECT = Buffer.from([0xe0, 0])
const READ_BYTES = 1_048_576

/** A connection; fails as a whole by `onFailed`. */
class ByteClient {
  readonly #socket: Socket
  /** The chunk is good during the call only. */
  onBytes: (chunk: Buffer) => void = () => {}
  onFailed: (error: Error) => void = () => {}

  static async open(port: number, clientId: string): Promise<ByteClient> {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    const holder: { client: ByteClient | undefined } = { client: undefined }
    const callback = (size: number): boolean => {
      holder.client?.onBytes(buffer.subarray(0, size))
      return true
    }
    const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
    await once(socket, 'connect')
    const client = new ByteClient(socket)
    holder.client = client
    await client.answered(connectPacket(4, clientId), CONNACK_BYTES)
    return client
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('error', (error) => this.onFailed(error))
    socket.on('close', () => this.onFailed(new Error('the broker closed the connection')))
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends, and resolves once `count` bytes have come. */
  async answered(bytes: Uint8Array, count: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined = undefined
    await new Promise<void>((resolve, reject) => {
      let missing = count
      timer = setTimeout(() => reject(new Error(`no answer within ${STALL_MS_MAX} ms`)), STALL_MS_MAX)
      this.onFailed = reject
      this.onBytes = (chunk) => {
        missing -= chunk.length
        if (missing <= 0) resolve()
      }
      this.send(bytes)
    }).finally(() => clearTimeout(timer))
  }

  /** DISCONNECT. Resolves when the broker has read everything and closed. */
  async end(): Promise<void> {
    this.onFailed = () => {}
    const closed = once(this.#socket, 'close')
    this.#socket.end(DISCONNECT)
    await closed
  }
}

/** Messages of one topic with bodies of one length. */
export interface QueueLoad {
  readonly port: number
  readonly topic: string
  readonly payloadBytes: number
}

export interface PublishOptions {
  readonly clients: number
  /** Messages of one client without an answer. */
  readonly window: number
  readonly count: number
  /** Before every window: whoever wants less than all there is makes it wait. */
  readonly pace?: () => Promise<void>
  /** After every window. */
  readonly onAcknowledged?: (messages: number) => void
}

/** Publishes with QoS 1. Rejects when the broker refuses: before MQTT 5 that ends the connection. */
export async function publishMany(load: QueueLoad, options: PublishOptions): Promise<void> {
  const { clients, window, pace, onAcknowledged } = options
  let left = options.count
  const packets = Array.from({ length: window }, (_, index) => publishOf(load, index + 1))
  const batch = Buffer.concat(packets)
  const publishOn = async (index: number): Promise<void> => {
    const client = await ByteClient.open(load.port, `publisher-${index}`)
    while (left > 0) {
      const size = Math.min(window, left)
      left -= size
      await pace?.()
      await client.answered(size === window ? batch : Buffer.concat(packets.slice(0, size)), size * PUBACK_BYTES)
      onAcknowledged?.(size)
    }
    await client.end()
  }
  await Promise.all(Array.from({ length: clients }, (_, index) => publishOn(index)))
}

/** One message to each topic. */
export async function publishToEach(port: number, topics: readonly string[], payloadBytes: number): Promise<void> {
  const client = await ByteClient.open(port, 'publisher-of-each')
  const window = 100
  for (let at = 0; at < topics.length; at += window) {
    const some = topics.slice(at, at + window)
    const packets = some.map((topic, index) => publishOf({ port, topic, payloadBytes }, index + 1))
    await client.answered(Buffer.concat(packets), some.length * PUBACK_BYTES)
  }
  await client.end()
}

export interface ConsumeOptions {
  /** They compete. */
  readonly clients: number
  readonly count: number
  /** Of every chunk. */
  readonly onTaken?: (messages: number) => void
}

/** Takes and acknowledges. Resolves when the broker has read the last acknowledgement. */
export async function consumeMany(load: QueueLoad, { clients, count, onTaken }: ConsumeOptions): Promise<void> {
  const opening = Array.from({ length: clients }, (_, index) => ByteClient.open(load.port, `consumer-${index}`))
  const consumers = await Promise.all(opening)
  let left = count
  let stalledMs = 0
  let timer: NodeJS.Timeout | undefined = undefined
  await new Promise<void>((resolve, reject) => {
    timer = setInterval(() => {
      stalledMs += LOOK_EVERY_MS
      if (stalledMs >= STALL_MS_MAX)
        reject(new Error(`${left} of ${count} messages have not come, nothing for ${STALL_MS_MAX} ms`))
    }, LOOK_EVERY_MS)
    for (const client of consumers) {
      const acknowledger = new Acknowledger(load)
      client.onFailed = reject
      client.onBytes = (chunk) => {
        stalledMs = 0
        const acks = acknowledger.take(chunk)
        if (acks.length === 0) return
        client.send(acks)
        const taken = acks.length / PUBACK_BYTES
        onTaken?.(taken)
        left -= taken
        if (left <= 0) resolve()
      }
      client.send(subscribePacket(4, 1, [load.topic], 1))
    }
  }).finally(() => clearInterval(timer))
  await Promise.all(consumers.map((client) => client.end()))
}

/** Makes the PUBACKs for what comes. */
export class Acknowledger {
  readonly #publishBytes: number
  readonly #idAt: number
  #rest: Buffer = Buffer.alloc(0)

  constructor(load: QueueLoad) {
    this.#publishBytes = publishOf(load, 1).length
    this.#idAt = this.#publishBytes - load.payloadBytes - 2
  }

  /** For the messages that are whole with `chunk`. Throws at one of another length. */
  take(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const acks = Buffer.allocUnsafe(Math.ceil(bytes.length / this.#publishBytes) * PUBACK_BYTES)
    let size = 0
    let at = 0
    while (at + 5 <= bytes.length) {
      const end = at + packetBytes(bytes, at)
      if (end > bytes.length) break
      if (bytes[at]! >> 4 === PUBLISH) {
        if (end - at !== this.#publishBytes)
          throw new Error(`a message of ${end - at} bytes came, all have ${this.#publishBytes}`)
        acks[size++] = PUBACK
        acks[size++] = 2
        acks[size++] = bytes[at + this.#idAt]!
        acks[size++] = bytes[at + this.#idAt + 1]!
      }
      at = end
    }
    this.#rest = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at))
    return acks.subarray(0, size)
  }
}

const NOTHING = Buffer.alloc(0)

function publishOf({ topic, payloadBytes }: QueueLoad, id: number): Buffer {
  return publishPacket({ version: 4, qos: 1, topic, payloadBytes }, id)
}

function packetBytes(bytes: Buffer, at: number): number {
  let bodyAt = at + 1
  while (bytes[bodyAt]! > 127) bodyAt++
  return bodyAt + 1 - at + remainingLength(bytes, at)
}
