/**
 * Transactions of AMQP 1.0 for rhea, which knows none: a session of its own with a link to the coordinator, whose transfers and outcomes
 * say which transaction they belong to. [AMQP10 §4]
 */
import { once } from 'node:events'
import rhea from 'rhea'
import type { Connection, Delivery, EventContext, Sender, SenderOptions, Typed } from 'rhea'

/** Descriptors. */
const COORDINATOR = 0x30
const DECLARED = 0x33
const TRANSACTIONAL = 0x34
const ACCEPTED = 0x24
/** Place of the field in a transfer; the state follows. */
const RCV_SETTLE_MODE = 6
const STATE_BYTES_MAX = 64

interface Described extends Typed {
  readonly descriptor: { readonly value: number }
  readonly value: readonly Described[]
}

/** What of an attach, a disposition and a transfer matters here. */
interface Performative {
  readonly delivery_id?: number
  readonly first: number
  readonly last?: number
  /** Fields by their places. */
  readonly value: unknown[]
  state?: unknown
  target?: unknown
}

interface Frame {
  readonly performative: Performative
}

/** Recreated with each connection. */
interface Outgoing {
  compute_max_payload(tag: Buffer): number | undefined
}

/** What of rhea's session is put to use here and is not in its types. */
interface Session {
  readonly outgoing: Outgoing
  open_sender(options: SenderOptions): Sender & { readonly local: { readonly attach: { target: unknown } } }
  output(performative: Performative, payload?: Buffer): void
  on_attach(frame: Frame): void
  on_disposition(frame: Frame): void
  begin(): void
}

function described(value: unknown, descriptor: number): unknown {
  return rhea.types.wrap_described(value, descriptor)
}

function binary(bytes: Buffer): unknown {
  return rhea.types.wrap_binary(bytes)
}

/** Messages to the coordinator, byte by byte: rhea writes no value with a descriptor into a body. */
const DECLARE = Buffer.from([0x00, 0x53, 0x77, 0x00, 0x53, 0x31, 0x45])

function discharge(transaction: Buffer, fails: boolean): Buffer {
  const head = [0x00, 0x53, 0x77, 0x00, 0x53, 0x32, 0xc0, transaction.length + 4, 2, 0xa0, transaction.length]
  return Buffer.concat([Buffer.from(head), transaction, Buffer.from([fails ? 0x41 : 0x42])])
}

interface Pending {
  resolve(): void
  reject(error: Error): void
}

export class RheaTransactions {
  readonly #connection: Connection
  readonly #session: Session
  readonly #coordinator: Sender
  /** Of what is on its way out, by delivery id. */
  readonly #states = new Map<number, unknown>()
  readonly #declared = new Map<number, Buffer>()
  #roomy: Outgoing | undefined = undefined
  /** Commands without an answer. */
  readonly #pending = new Map<Delivery, Pending>()

  /** Resolves when commands may be sent. */
  static async begin(connection: Connection): Promise<RheaTransactions> {
    const made = new RheaTransactions(connection)
    await once(made.#coordinator, 'sendable')
    return made
  }

  /** On a connection that is open. */
  constructor(connection: Connection) {
    this.#connection = connection
    this.#session = connection.create_session() as unknown as Session
    this.#session.begin()
    this.#watchFrames()
    const coordinator = this.#session.open_sender({ name: 'coordinator' })
    coordinator.local.attach.target = described([], COORDINATOR)
    this.#coordinator = coordinator
    this.#watchOutcomes()
  }

  /** A link for what is sent in transactions. */
  openSender(options: SenderOptions): Sender {
    return this.#session.open_sender(options)
  }

  /** Resolves with the id of a new transaction. As `discharge`, rejects when the connection is lost. */
  async declare(): Promise<Buffer> {
    const delivery = await this.#command(DECLARE)
    return this.#declared.get(delivery.id)!
  }

  /** Resolves when the transaction has ended as it was asked; rejects with condition and text when it has not. */
  async discharge(transaction: Buffer, fails: boolean): Promise<void> {
    await this.#command(discharge(transaction, fails))
  }

  /** Its outcome is an event of the sender, as ever: that it is taken, for as long as the transaction is open. */
  send(sender: Sender, message: object, transaction: Buffer): Delivery {
    this.#leaveRoom(this.#session.outgoing)
    const delivery = sender.send(message as Parameters<Sender['send']>[0])
    this.#states.set(delivery.id, described([binary(transaction)], TRANSACTIONAL))
    return delivery
  }

  /** rhea fills frames to their end, and counts on no state in them. */
  #leaveRoom(outgoing: Outgoing): void {
    if (this.#roomy === outgoing) return
    this.#roomy = outgoing
    const usual = outgoing.compute_max_payload.bind(outgoing)
    outgoing.compute_max_payload = (tag) => {
      const bytes = usual(tag)
      return bytes === undefined ? undefined : bytes - STATE_BYTES_MAX
    }
  }

  /** Of any receiver of the connection. It is settled with the discharge. */
  accept(delivery: Delivery, transaction: Buffer): void {
    delivery.update(true, described([binary(transaction), described([], ACCEPTED)], TRANSACTIONAL))
  }

  #command(payload: Buffer): Promise<Delivery> {
    const { promise, resolve, reject } = Promise.withResolvers<Delivery>()
    const delivery = this.#coordinator.send(payload, undefined, 0)
    this.#pending.set(delivery, { resolve: () => resolve(delivery), reject })
    return promise
  }

  #watchOutcomes(): void {
    this.#coordinator.on('accepted', ({ delivery }: EventContext) => this.#settle(delivery!)?.resolve())
    this.#coordinator.on('rejected', ({ delivery }: EventContext) => {
      const { error } = delivery!.remote_state as {
        readonly error?: { readonly condition: string; readonly description: string }
      }
      this.#settle(delivery!)?.reject(new Error(`${error?.condition}: ${error?.description}`))
    })
    // rhea opens the session and its links again by itself, and counts deliveries anew.
    this.#connection.on('disconnected', () => {
      for (const pending of this.#pending.values()) pending.reject(new Error('the connection was lost'))
      for (const kept of [this.#pending, this.#states, this.#declared]) kept.clear()
    })
  }

  #settle(delivery: Delivery): Pending | undefined {
    const pending = this.#pending.get(delivery)
    this.#pending.delete(delivery)
    return pending
  }

  /** rhea would not know what to make of these. */
  #watchFrames(): void {
    const session = this.#session
    const output = session.output.bind(session)
    const onAttach = session.on_attach.bind(session)
    const onDisposition = session.on_disposition.bind(session)
    session.output = (performative, payload) => {
      const id = payload === undefined ? undefined : performative.delivery_id
      // rhea has the field, and no way to write it.
      if (id !== undefined && this.#states.has(id))
        performative.value.splice(RCV_SETTLE_MODE, 2, null, this.#states.get(id))
      output(performative, payload)
    }
    session.on_attach = (frame) => {
      const { performative } = frame
      if ((performative.target as Described | undefined)?.descriptor.value === COORDINATOR)
        performative.target = undefined
      onAttach(frame)
    }
    session.on_disposition = (frame) => {
      this.#translate(frame.performative)
      onDisposition(frame)
    }
  }

  /** Into outcomes that rhea knows. */
  #translate(disposition: Performative): void {
    const { first, last, state } = disposition
    const { descriptor, value } = (state ?? { descriptor: undefined }) as Described
    for (let id = first; id <= (last ?? first); id++) this.#states.delete(id)
    if (descriptor?.value === TRANSACTIONAL) disposition.state = value[1]
    if (descriptor?.value !== DECLARED) return
    this.#declared.set(first, value[0]!.value as unknown as Buffer)
    disposition.state = described([], ACCEPTED)
  }
}
