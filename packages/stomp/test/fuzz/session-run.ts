/** Carries out the actions of a run on a broker without a kernel, and looks after each whether everything still holds. */
import type { Transport } from '@ternmq/core'
import { PipeNetwork, type RawClient } from '@ternmq/testkit'
import { assert } from '@ternmq/testkit/fuzzer'
import type { StompConnection } from '../../src/connection.ts'
import { type Frame, FrameParser, type Version, World } from '../harness.ts'
import type { Action } from './session-actions.ts'

export const SLOTS = 4
const SUBSCRIPTIONS_MAX = 8
const TRANSACTIONS_MAX = 256
const PREFETCH_MAX = 20
const LIMITS = {
  sessionsMax: 6,
  bindingsPerSessionMax: SUBSCRIPTIONS_MAX,
  queuedMessagesMax: 20,
  queuedBytesMax: 32_768,
  messageBytesMax: 4_096,
  heldMessagesMax: 16,
  queuesMax: 60,
  retainedMessagesMax: 6,
  retainedBytesMax: 8_192,
}
const SETTINGS = { heartBeatMs: 1_000, prefetch: PREFETCH_MAX, maxHeaderBytes: 2_048, maxHeaders: 16, maxHeaderLineBytes: 512, maxBodyBytes: 8_192 }
/** So small that they are full soon. */
const QUEUES = [
  { name: 'full', settings: { messagesMax: 3, blockMaxMs: 4_000 } },
  { name: 'ring', settings: { messagesMax: 3, whenFull: 'drop-oldest', duplicatesMax: 10 } },
] as const
/** So little that a client which does not read soon gets no more, and is cut off when it goes on asking. */
const OUTBOX_LIMITS = { unsentBytesMax: 4_000, stuckBytesMax: 100_000 }
/** Longer than anything lasts that a client can ask for here. */
const UNTIL_ALL_IS_OVER_MS = 10 * 60_000

/** One connection, as its client sees it. */
export interface Peer {
  readonly client: { readonly version: Version; readonly isClosed: boolean }
  /** As ACK and NACK name them. */
  readonly unacked: { readonly id: string; readonly subscription: string }[]
  /** What the client has sent in frames that may have been taken. */
  readonly subscriptions: string[]
  readonly transactions: string[]
}

class FuzzPeer implements Peer {
  readonly raw: RawClient
  readonly connection: StompConnection
  readonly version: Version
  readonly unacked: { readonly id: string; readonly subscription: string }[] = []
  readonly subscriptions: string[] = []
  readonly transactions: string[] = []
  readonly #parser = new FrameParser()
  /** Ids of subscriptions whose messages wait for an ACK. */
  readonly #acknowledging = new Set<string>()
  #sent = ''
  #hasEnded = false

  constructor(raw: RawClient, connection: StompConnection, version: Version) {
    this.raw = raw
    this.connection = connection
    this.version = version
  }

  get client(): FuzzPeer {
    return this
  }

  get isClosed(): boolean {
    return this.raw.isClosed
  }

  say(text: string): void {
    this.#sent += text
    for (const [, id, rest] of text.matchAll(/^SUBSCRIBE\nid:(\d+)$([^\0]*)/gm)) {
      this.subscriptions.push(id!)
      if (rest!.includes('\nack:client') && !rest!.includes('\nbrowser:true')) this.#acknowledging.add(id!)
    }
    for (const [, name] of text.matchAll(/^BEGIN\ntransaction:(.*)$/gm)) this.transactions.push(name!)
    if (this.subscriptions.length > 20) this.subscriptions.splice(0, 5)
    if (this.transactions.length > 20) this.transactions.splice(0, 5)
    this.raw.sendBytes(Buffer.from(text, 'latin1'))
  }

  /** Takes what has come. Throws for what no server may send. Returns how much there was. */
  read(): { readonly messages: number; readonly errors: number } {
    let messages = 0
    let errors = 0
    for (const frame of this.#parser.read(this.raw.takeBytes())) {
      assert(!this.#hasEnded, `${frame.command} after ERROR`)
      if (frame.command === 'ERROR') {
        errors++
        this.#hasEnded = true
      }
      if (frame.command === 'MESSAGE') {
        messages++
        this.#note(frame)
      }
      const receipt = frame.headers['receipt-id']
      if (frame.command === 'RECEIPT') assert(this.#sent.includes(`receipt:${receipt}`), `a receipt that nobody asked for: ${receipt}`)
    }
    return { messages, errors }
  }

  #note({ headers }: Frame): void {
    const { subscription = '', ack } = headers
    if (this.version > 10) assert(this.#sent.includes(`id:${subscription}`), `a message for the subscription ${subscription}, which nobody asked for`)
    const id = this.version === 12 ? ack : headers['message-id']
    if (id === undefined || !this.#acknowledging.has(subscription)) return
    this.unacked.push({ id, subscription })
    if (this.unacked.length > 30) this.unacked.shift()
  }

  /** What the broker holds for the client is what its consumers have unsettled, and bounded. */
  check(): void {
    const { subscriptions, transactions, held, isClosed } = this.connection
    if (isClosed) {
      assert(held.size === 0 && subscriptions.size === 0, 'a closed connection holds something')
      return
    }
    assert(subscriptions.size <= SUBSCRIPTIONS_MAX, `${subscriptions.size} subscriptions`)
    assert(transactions.size <= TRANSACTIONS_MAX, `${transactions.size} transactions`)
    let unsettled = 0
    for (const subscription of subscriptions.values()) {
      for (const receiver of subscription.receivers) unsettled += [...receiver.unsettled()].length
    }
    assert(held.size === unsettled, `${held.size} messages held for ${unsettled} unsettled ones`)
  }
}

export class SessionRun {
  readonly world: World
  readonly peers: (FuzzPeer | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  readonly #network: PipeNetwork
  readonly #hasLog: boolean
  /** Messages that clients have read. */
  messageCount = 0
  #errorCount = 0

  static async start(hasLog: boolean): Promise<SessionRun> {
    const options = { settings: SETTINGS, limits: LIMITS }
    return new SessionRun(hasLog ? await World.withLog(options) : new World(options), hasLog)
  }

  private constructor(world: World, hasLog: boolean) {
    this.world = world
    this.#hasLog = hasLog
    this.#network = new PipeNetwork(world.clock, OUTBOX_LIMITS)
    this.#define()
  }

  #define(): void {
    for (const { name, settings } of QUEUES) this.world.define(name, settings)
  }

  /** Throws what is wrong afterwards. */
  async do(action: Action): Promise<void> {
    switch (action.kind) {
      case 'open': {
        this.peers[action.slot]?.raw.vanish()
        await this.#settle()
        let connection: StompConnection | undefined = undefined
        const accept = (transport: Transport): StompConnection => (connection = this.world.adapter.accept(transport) as StompConnection)
        const raw = this.#network.connect(accept, { kernelBytes: action.kernelBytes })
        this.peers[action.slot] = new FuzzPeer(raw, connection!, action.version)
        break
      }
      case 'send':
        this.peers[action.slot]?.say(action.text)
        return // nothing happens before the next turn
      case 'publish':
        this.world.publish(action.address, 'from elsewhere', action.assurance)
        break
      case 'turn':
        this.world.clock.turn()
        return
      case 'settle':
        break
      case 'wait':
        this.world.advance(action.ms)
        break
      case 'fin':
        this.peers[action.slot]?.raw.hangUp()
        break
      case 'rst':
        this.peers[action.slot]?.raw.vanish()
        break
      case 'stop':
        this.peers[action.slot]?.raw.stopReading()
        break
      case 'read':
        this.peers[action.slot]?.raw.readAgain()
        break
    }
    await this.#settle()
    this.#check()
  }

  /** Everybody leaves, time passes and all queues go: nothing may be left. Throws what is. */
  async finish(): Promise<void> {
    for (const peer of this.peers) peer?.raw.vanish()
    await this.#settle()
    this.#check()
    const { vhost, adapter } = this.world
    // Twice: what was scheduled for a full queue comes when that has gone.
    for (let round = 0; round < 2; round++) {
      this.world.advance(UNTIL_ALL_IS_OVER_MS)
      await this.#settle()
      for (const named of [...vhost.destinations.all()]) vhost.destinations.delete(named)
      await this.#settle()
    }
    const left = {
      sessions: vhost.sessions.count,
      connections: adapter.connectionCount,
      bindings: vhost.router.bindingCount,
      'temporary destinations': vhost.temporaries.count,
      'scheduled messages': vhost.schedule.count,
      'unsent bytes': this.#network.unsentBytes,
      'waiting bytes': vhost.waiting.bytes,
    }
    for (const [what, count] of Object.entries(left)) assert(count === 0, `${count} ${what} are left when all have gone`)
    assert(vhost.log.isIdle, 'something still waits for the log when all have gone')
    assert(vhost.retained.count <= LIMITS.retainedMessagesMax, `${vhost.retained.count} retained messages`)
    this.peers.fill(undefined)
    this.#define()
  }

  /** Connections that an ERROR ended since the last call. */
  takeRefused(): number {
    const count = this.#errorCount
    this.#errorCount = 0
    return count
  }

  async #settle(): Promise<void> {
    if (this.#hasLog) await this.world.settle()
    else this.world.run()
  }

  #check(): void {
    for (const peer of this.peers) {
      if (peer === undefined) continue
      const { messages, errors } = peer.read()
      this.messageCount += messages
      this.#errorCount += errors
      peer.check()
    }
    const failure = this.world.events.find(({ kind }) => kind === 'failure')
    assert(failure === undefined, `the broker failed: ${failure?.text}`)
    const { vhost } = this.world
    assert(vhost.sessions.count <= LIMITS.sessionsMax, `${vhost.sessions.count} sessions`)
    assert(vhost.destinations.count <= LIMITS.queuesMax, `${vhost.destinations.count} queues`)
    for (const { name, settings } of QUEUES) {
      const count = this.world.queue(name).waitingCount
      assert(count <= settings.messagesMax + SLOTS * PREFETCH_MAX, `${count} messages wait in ${name}`)
    }
  }
}
