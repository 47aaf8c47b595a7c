/** rhea behind the face of interop-peers.ts. */
import rhea, { type EventContext, type Message } from 'rhea'

import type { How, Peer, Seen } from './interop-peers.ts'
import { RheaClient, type RheaSender } from './rhea-client.ts'
import type { RunningBroker } from './running-broker.ts'

/** What is said of a message beside its body, by the names that rhea has for the sections and their fields. */
export type Sections = Readonly<Record<string, unknown>>

/** More than any test takes. */
const CREDIT = 1_000

/** Names of rhea's filters are keys; the descriptor says what they are. */
const RETAINED_FILTER = { retained: rhea.types.wrap_described(true, 'x-opt-retained') }

export class AmqpPeer implements Peer {
  readonly protocol = 'amqp10'
  readonly #client: RheaClient
  readonly #senders = new Map<string, RheaSender>()
  readonly #received: Message[] = []
  #taken = 0

  static async connect(broker: RunningBroker): Promise<AmqpPeer> {
    return new AmqpPeer(await RheaClient.connect(broker))
  }

  private constructor(client: RheaClient) {
    this.#client = client
  }

  async subscribe(address: string, { keeps = false }: { readonly keeps?: boolean } = {}): Promise<void> {
    const source = { address: amqpAddressOf(address), ...(keeps && { filter: RETAINED_FILTER }) }
    const { link } = await this.#client.receiver({ source, credit_window: 0 })
    link.on('message', ({ message }: EventContext) => {
      this.#received.push(message!)
      this.#client.look()
    })
    link.add_credit(CREDIT)
  }

  async send(address: string, body: string | Buffer, how: How = {}): Promise<void> {
    const outbox = this.#senders.get(address) ?? (await this.#client.sender(amqpAddressOf(address)))
    this.#senders.set(address, outbox)
    const content: unknown = typeof body === 'string' ? body : rhea.message.data_section(body)
    const { kind, error } = await outbox.send({ ...how.amqp10, body: content })
    if (kind !== 'accepted') throw new Error(`${kind}: ${error?.condition} ${error?.description}`)
  }

  async take(count: number): Promise<Seen[]> {
    const from = this.#taken
    await this.#client.until(`${count} messages`, () => this.#received.length >= from + count)
    this.#taken = this.#received.length
    return this.#received.slice(from).map(seenOf)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }
}

/** As AMQP writes an address: as STOMP, behind a scheme. */
export function amqpAddressOf(address: string): string {
  if (address.startsWith('$queue/')) return `queue://${address.slice('$queue/'.length)}`
  const levels = address.split('/').map((level) => level.replaceAll('.', '/'))
  return `topic://${levels.join('.')}`
}

export function binary(bytes: Buffer): unknown {
  return rhea.types.wrap_binary(bytes)
}

/** rhea takes and gives a Buffer for one. */
export function uuid(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}

/** `kind`: text, bytes or a value of AMQP. Bytes among the fields are shown as Latin-1. */
function seenOf(message: Message): Seen {
  const { body, ...sections } = { ...message } as Sections & { readonly body: unknown }
  const fields = Object.entries(sections).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString('latin1') : value,
  ])
  const { kind, bytes } = readBody(body)
  return { body: bytes, fields: { ...(Object.fromEntries(fields) as Sections), kind } }
}

function readBody(body: unknown): { readonly bytes: Buffer; readonly kind: 'bytes' | 'text' | 'value' } {
  if (typeof body === 'string') return { bytes: Buffer.from(body), kind: 'text' }
  const content = (body as { readonly content?: unknown } | null)?.content
  if (Buffer.isBuffer(content)) return { bytes: content, kind: 'bytes' }
  return { bytes: Buffer.from(JSON.stringify(body)), kind: 'value' }
}
