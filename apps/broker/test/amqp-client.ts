/** rhea as tests use it, over every listener that speaks AMQP: attached when it is handed out, gone after the test. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import rhea, {
  type Connection,
  type ConnectionOptions,
  type EventContext,
  type Message,
  type Receiver,
  type Sender,
} from 'rhea'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

import type { Started } from './support.ts'

/** `any` without TLS and with it. */
export const CARRIERS = ['amqp', 'amqps', 'ws', 'wss', 'any', 'any with TLS'] as const
export type Carrier = (typeof CARRIERS)[number]

export function listenerOf(carrier: Carrier): string {
  return carrier === 'any with TLS' ? 'any' : carrier
}

/** What rhea needs to get there. The development certificate names localhost. */
function placeOf(broker: Started, carrier: Carrier): Record<string, unknown> {
  const port = broker.port(listenerOf(carrier))
  const ca = (): Buffer => readFileSync(join(broker.dataDir, 'certificates', 'ca.pem'))
  switch (carrier) {
    case 'amqp':
    case 'any':
      return { host: '127.0.0.1', port }
    case 'amqps':
    case 'any with TLS':
      return { transport: 'tls', host: 'localhost', servername: 'localhost', port, ca: ca() }
    case 'ws':
    case 'wss': {
      const options = carrier === 'wss' ? { ca: ca() } : {}
      const dial = rhea.websocket_connect(WebSocket)
      return { connection_details: dial(`${carrier}://localhost:${port}/`, ['amqp'], options) }
    }
  }
}

/** Resolves when `open` has come, rejects with what the broker says instead. */
export async function connectAmqp(
  broker: Started,
  carrier: Carrier,
  options: Partial<ConnectionOptions> = {},
): Promise<Connection> {
  const container = rhea.create_container()
  container.on('error', () => {}) // each test looks at what matters to it
  const how = { container_id: rhea.generate_uuid(), reconnect: false, ...placeOf(broker, carrier), ...options }
  const connection = container.connect(how as ConnectionOptions)
  onTestFinished(() => connection.close())
  await new Promise<void>((resolve, reject) => {
    connection.once('connection_open', () => resolve())
    connection.once('connection_error', () => reject(new Error(JSON.stringify(connection.error))))
    connection.once('disconnected', ({ error }: EventContext) =>
      reject(error instanceof Error ? error : new Error('disconnected')),
    )
  })
  return connection
}

export async function sender(connection: Connection, address: string): Promise<Sender> {
  const link = connection.open_sender(address)
  await once(link, 'sendable')
  return link
}

/** A link with all that comes, in a row: nothing is missed by who waits for something else. */
export class Inbox {
  readonly #messages: Message[] = []
  #onMessage: () => void = () => {}

  constructor(link: Receiver) {
    link.on('message', ({ message }: EventContext) => {
      this.#messages.push(message!)
      this.#onMessage()
    })
  }

  /** The next message, oldest first. One waits at a time. */
  async next(): Promise<Message> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#onMessage = resolve))
    return this.#messages.shift()!
  }
}

/** Resolves when the link is there. Everything that comes is accepted. */
export async function receiver(connection: Connection, address: string): Promise<Inbox> {
  const link = connection.open_receiver(address)
  const inbox = new Inbox(link)
  await once(link, 'receiver_open')
  return inbox
}

/** A text is a value, bytes are data. */
export function textOf({ body }: Message): string {
  return typeof body === 'string' ? body : (body as { content: Buffer }).content.toString()
}

/** Resolves when the broker has accepted it. */
export async function send(link: Sender, message: Message): Promise<void> {
  const accepted = once(link, 'accepted')
  link.send(message)
  await accepted
}
