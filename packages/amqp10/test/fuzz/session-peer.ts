/**
 * A client of the session fuzzer: its connection, what it has written and not sent, and what it makes of what comes. What it does on its
 * sessions is in session-verbs.ts. It keeps the rules until an action breaks one; from then on only what no broker may send to anybody
 * counts.
 */
import type { RawClient } from '@ternmq/testkit'
import { assert } from '@ternmq/testkit/fuzzer'
import type { AmqpConnection } from '../../src/connection.ts'
import { emptyFrame, frame, header, SASL, saslFrame } from '../peer/frames.ts'
import { type Frame, FrameParser } from '../peer/parse.ts'
import type { Fields } from '../wire/composites.ts'
import type { Open } from './session-actions.ts'
import { ALL_QUEUES, DEAD_LETTERS, type Ledger, type Parcel } from './session-ledger.ts'
import { abandon, conclude, type Dealing, giveBack, type SendingLink } from './session-links.ts'
import { type AnyLink, ClientSession } from './session-side.ts'

/** Why a broker may end the connection of a client that keeps the rules: it waits too long, or takes too much, or the broker stops. */
const FAIR_CLOSES: readonly string[] = ['amqp:connection:forced', 'amqp:resource-limit-exceeded']

export interface PeerOptions {
  readonly ledger: Ledger
  /** Credit that the broker gives at most. */
  readonly creditMax: number
}

export class FuzzPeer {
  readonly raw: RawClient
  readonly connection: AmqpConnection
  readonly ledger: Ledger
  readonly creditMax: number
  /** By the client's channel. */
  readonly sessions: Map<number, ClientSession> = new Map()
  readonly #byRemoteChannel = new Map<number, ClientSession>()
  /** Those that can be named. */
  readonly dealings: Dealing[] = []
  readonly #discharging = new Set<Dealing>()
  readonly #parser = new FrameParser()
  #unsent: Buffer = Buffer.alloc(0)
  /** Of messages in it. */
  #unsentParcels: Parcel[] = []
  #isSound = true
  isReading = true
  /** It has not read for a while, and not caught up yet. */
  isLate = false
  isOpened = false
  #isClosing = false
  #isOver = false
  /** Queues of which it gets messages that are settled by being sent. */
  readonly lossyQueues: Set<string> = new Set()
  refusedCount = 0

  constructor(raw: RawClient, connection: AmqpConnection, { ledger, creditMax }: PeerOptions) {
    this.raw = raw
    this.connection = connection
    this.ledger = ledger
    this.creditMax = creditMax
  }

  get isSound(): boolean {
    return this.#isSound
  }

  /** It knows what it has. */
  get isCertain(): boolean {
    return this.#isSound && this.isReading && !this.#isOver && !this.#isClosing
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get isTalking(): boolean {
    return this.isOpened && !this.#isClosing && !this.#isOver
  }

  stop(): void {
    this.isReading = false
    this.isLate = true
    this.raw.stopReading()
  }

  readAgain(): void {
    this.isReading = true
    this.raw.readAgain()
  }

  *links(): Generator<AnyLink> {
    for (const session of this.sessions.values()) yield* session.links.values()
  }

  // ── what it says ──

  write(bytes: Buffer): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes])
  }

  say(channel: number, kind: string, fields: Fields = {}, payload?: Uint8Array): void {
    this.write(frame(kind, fields, { channel, ...(payload && { payload }) }))
  }

  /** Header, login and open in one go: nobody has to wait for the answers. */
  greet({ login, container, frameBytes, idleMs }: Open): void {
    if (login === 'sasl') this.write(Buffer.concat([header(SASL), saslFrame('sasl-init', { mechanism: 'ANONYMOUS' })]))
    this.write(header())
    this.say(0, 'open', { containerId: container, maxFrameSize: frameBytes, channelMax: 7, idleTimeOut: idleMs })
    this.#parser.frameBytesMax = frameBytes
    this.#parser.channelMax = 7
  }

  beat(): void {
    this.write(emptyFrame())
  }

  close(): void {
    this.#isClosing = true
    this.say(0, 'close')
  }

  begin(channel: number, window: number, firstId: number): void {
    const session = new ClientSession(this, channel, window, firstId)
    this.sessions.set(channel, session)
    this.say(channel, 'begin', { nextOutgoingId: firstId >>> 0, incomingWindow: window, outgoingWindow: 100 })
  }

  /** An octet of what has not left becomes another. */
  garble(at: number, octet: number): void {
    if (this.#unsent.length === 0) return
    this.#unsent[at % this.#unsent.length] = octet
    for (const parcel of this.#unsentParcels) this.ledger.forget(parcel)
    this.distrust()
  }

  push(byteCount: number): void {
    const count = byteCount === 0 ? this.#unsent.length : Math.min(byteCount, this.#unsent.length)
    if (count === 0) return
    this.raw.sendBytes(this.#unsent.subarray(0, count))
    this.#unsent = this.#unsent.subarray(count)
    if (!this.hasUnsent) this.#unsentParcels = []
  }

  /** A message is written. */
  noteParcel(parcel: Parcel): void {
    this.#unsentParcels.push(parcel)
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0
  }

  // ── what it hears ──

  /** Takes what has come. Throws for what no broker may send. */
  read(): void {
    for (const found of this.#parser.read(this.raw.takeBytes())) this.#onFrame(found)
    if (this.isReading) this.isLate = false
    if (!this.raw.isClosed || this.#isOver) return
    const wasCut = this.#isSound && this.isReading && this.isTalking
    assert(!wasCut, `the connection ended without a close: ${this.raw.closedBecause ?? ''}`)
    this.end()
  }

  #onFrame(found: Frame): void {
    switch (found.kind) {
      case 'open':
        this.isOpened = true
        return
      case 'begin':
        return this.#onBegin(found)
      case 'close':
        return this.#onClose(found)
      case 'header':
      case 'empty':
      case 'sasl-mechanisms':
      case 'sasl-outcome':
      case 'sasl-challenge':
        return
    }
    const session = this.#byRemoteChannel.get(found.channel)
    assert(session !== undefined, `${found.kind} came on channel ${found.channel}, which has no session`)
    session.onFrame(found)
    if (session.state !== 'gone') return
    this.#byRemoteChannel.delete(found.channel)
    if (this.sessions.get(session.channel) === session) this.sessions.delete(session.channel)
  }

  #onBegin(found: Frame): void {
    const session = this.sessions.get(Number(found['remoteChannel']))
    assert(!this.#byRemoteChannel.has(found.channel), `channel ${found.channel} has begun twice`)
    assert(
      session !== undefined || !this.#isSound,
      `a begin answers channel ${String(found['remoteChannel'])}, on which nothing has begun`,
    )
    // Whoever breaks the rules may have begun what he does not know.
    const known = session ?? new ClientSession(this, Number(found['remoteChannel']), 0, 0)
    this.#byRemoteChannel.set(found.channel, known)
    known.sendLimit = known.nextOutgoing + Number(found['incomingWindow'])
    if (known.state === 'beginning') known.state = 'begun'
  }

  #onClose(found: Frame): void {
    const { condition, description } = (found['error'] ?? {}) as {
      readonly condition?: string
      readonly description?: string
    }
    const isFair = this.#isClosing || FAIR_CLOSES.includes(condition ?? '')
    assert(
      !this.#isSound || isFair,
      `the connection is closed: ${condition ?? 'without an error'}: ${description ?? ''}`,
    )
    assert(condition !== 'amqp:internal-error', `the connection is closed: ${condition}`)
    if (condition !== undefined) this.refusedCount++
    this.#isClosing = true
  }

  noteTransfer(found: Frame): void {
    if (!this.#isSound) this.ledger.lend(found.payload)
  }

  // ── transactions ──

  get hasDealings(): boolean {
    return this.dealings.length + this.#discharging.size > 0
  }

  /** A discharge has its outcome. */
  conclude(dealing: Dealing, what: string | undefined): void {
    assert(what === 'accepted' || what === 'rejected', `discharge has the outcome ${what}`)
    this.#discharging.delete(dealing)
    const isCommitted = what === 'accepted' && dealing.state === 'committing'
    if (!isCommitted) {
      dealing.state = 'failing'
      return abandon(dealing, true)
    }
    for (const parcel of dealing.kept) parcel.state = 'in'
    for (const { held, outcome } of dealing.settles) conclude(held.parcel, held.link, outcome, true)
    dealing.state = 'over'
  }

  /** Whoever declared them cannot end them any more. */
  forgetCoordinator(link: SendingLink): void {
    for (const dealing of [...this.dealings, ...this.#discharging]) {
      if (dealing.coordinator !== link) continue
      if (this.dealings.includes(dealing)) this.dealings.splice(this.dealings.indexOf(dealing), 1)
      this.#discharging.delete(dealing)
      this.#abandon(dealing)
    }
  }

  /** It is being discharged, and cannot be named any more. */
  noteDischarge(dealing: Dealing): void {
    this.dealings.splice(this.dealings.indexOf(dealing), 1)
    this.#discharging.add(dealing)
  }

  #abandon(dealing: Dealing): void {
    if (dealing.state !== 'over') abandon(dealing, this.#isSound)
  }

  // ── the end ──

  /** It breaks a rule: what it knows may be wrong from here on. */
  distrust(): void {
    if (!this.#isSound) return
    this.#isSound = false
    this.#giveBackAll()
    this.#abandonAll()
    for (const session of this.sessions.values()) session.distrust()
    if (!this.isReading) this.ledger.loosen(() => true)
  }

  /** It may have been sent as settled and was not read. */
  #mayHaveHad({ home, mayMove }: Parcel): boolean {
    const { lossyQueues } = this
    return lossyQueues.has(home) || lossyQueues.has(ALL_QUEUES) || (mayMove && lossyQueues.has(DEAD_LETTERS))
  }

  #giveBackAll(): void {
    for (const { held } of this.sessions.values()) {
      for (const { parcel, link } of held) {
        giveBack(parcel, link)
        if (!this.#isSound) parcel?.take('maybe')
      }
    }
  }

  #abandonAll(): void {
    for (const dealing of [...this.dealings.splice(0), ...this.#discharging]) this.#abandon(dealing)
    this.#discharging.clear()
  }

  /** The connection is no more. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (!this.isReading) this.ledger.loosen((parcel) => !this.#isSound || this.#mayHaveHad(parcel))
    this.#giveBackAll()
    for (const session of this.sessions.values()) session.leave(false)
    this.#abandonAll()
    this.sessions.clear()
    this.#byRemoteChannel.clear()
    this.#unsent = Buffer.alloc(0)
  }

  // ── what must hold ──

  /** Everything that was sent has been handled, and everything that came of it was read. */
  settle(): void {
    if (!this.isReading || this.hasUnsent || this.#isOver || this.connection.isReadingHeld || !this.#isSound) return
    for (const session of this.sessions.values()) if (session.state === 'begun') session.settle()
  }

  /** What the broker holds for it is bounded, and nothing once it has gone. */
  check(): void {
    const { connection } = this
    let unsettled = 0
    for (const session of connection.sessions()) unsettled += session.unsettled.size
    if (connection.isEnded) {
      assert(unsettled === 0, `a connection that has ended has ${unsettled} unsettled deliveries`)
      assert(connection.browserCount === 0, `${connection.browserCount} browsers of a connection that has ended`)
      assert(connection.consumerCount === 0, `${connection.consumerCount} consumers of a connection that has ended`)
      assert(!connection.hasPartials, 'a connection that has ended has begun messages')
    }
  }

  /** What it should have heard by now. */
  *missing(): Generator<string> {
    if (!this.#isSound || !this.isReading || this.#isOver || this.hasUnsent || !this.isOpened) return
    if (this.#isClosing) return void (yield 'close was not answered')
    for (const session of this.sessions.values()) yield* session.missing()
    if (this.#discharging.size > 0) yield `${this.#discharging.size} discharges were not answered`
  }
}
