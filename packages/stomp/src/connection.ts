/**
 * One STOMP connection: takes frames in order, keeps what belongs to the connection and ends it in one place. What a frame means
 * is in handlers/. Every refusal is an ERROR frame, and the connection closes after it. [STOMP12-ERROR-a]
 */
import type {
  AdminConnection,
  Connection,
  ConnectionFacts,
  ConnectionState,
  EndedBy,
  InputHolder,
  Producer,
  PublishOwner,
  PublishResult,
  RefusalDetail,
  Session,
  SessionOwner,
  Transport,
  WheelEntry,
} from '@ternmq/core'
import type { StompAdapter } from './adapter.ts'
import { Command, COMMAND_NAMES, isClientCommand } from './codec/commands.ts'
import { encodeError, type HeaderPair, writeReceipt } from './codec/encode.ts'
import { unescape } from './codec/escapes.ts'
import { type FrameSink, FrameSplitter } from './codec/frame-splitter.ts'
import type { FrameHeaders } from './codec/headers.ts'
import type { FrameLimits } from './codec/limits.ts'
import { aboutFrame, FrameProblem } from './codec/problem.ts'
import type { StompVersion } from './codec/versions.ts'
import { Destinations } from './destinations.ts'
import { factsOf } from './facts.ts'
import { handleAck } from './handlers/acks.ts'
import { handleConnect } from './handlers/connect.ts'
import { handleSend } from './handlers/send.ts'
import { handleSubscribe, handleUnsubscribe } from './handlers/subscribe.ts'
import { handleAbort, handleBegin, handleCommit, type OpenTransaction } from './handlers/transactions.ts'
import { HeartBeats, silenceLimitMs } from './heart-beats.ts'
import { receiptOf } from './receipts.ts'
import { Refused } from './refused.ts'
import { WHEEL_TICK_MS } from './settings.ts'
import type { Held, Subscription } from './subscription.ts'
import { Unfinished } from './unfinished.ts'

/** new: waits for CONNECT. authenticating: it came. leaving: DISCONNECT came, and what was before it is being finished. */
type Phase = 'new' | 'authenticating' | 'connected' | 'leaving' | 'closed'

const STATE_OF_PHASE = {
  new: 'connecting',
  authenticating: 'connecting',
  connected: 'connected',
  leaving: 'closing',
  closed: 'ended',
} as const satisfies Record<Phase, ConnectionState>

export class StompConnection implements Connection, AdminConnection, SessionOwner, PublishOwner, WheelEntry, FrameSink, InputHolder {
  readonly adapter: StompAdapter
  readonly transport: Transport
  readonly #splitter = new FrameSplitter()
  #phase: Phase = 'new'
  /** What it is not read for, since what it sends has no room; undefined while it is read. */
  pausedFor: string | undefined = undefined
  #isBusy = false
  /** Tick of the adapter's wheel at which the last byte came. */
  #heardTick: number
  /** Tick at which the frame that has not ended was first seen; -1 while there is none. */
  #frameTick = -1
  /** The client sends something this often; 0: it may be silent. */
  hearsMs = 0
  #heartBeats: HeartBeats | undefined = undefined

  // ── from CONNECT ──
  version: StompVersion = 12
  clientId = ''
  /** The client chose its id, so what it names after itself lasts. */
  hasOwnClientId = false
  userName = ''
  session: Session = undefined as unknown as Session
  producer!: Producer
  destinations!: Destinations
  /** Begins every message-id of this connection. [STOMP12-MESSAGE-c] */
  idPrefix = ''

  /** `addSubscription` and `removeSubscription` change it. */
  readonly subscriptions: Map<string, Subscription> = new Map()
  #subscriptionChars = 0
  readonly transactions: Map<string, OpenTransaction> = new Map()
  /** Names of transactions that were open for too long, oldest first. */
  readonly timedOut: Set<string> = new Set()
  /** Messages that wait for ACK or NACK, by the number in their ack id, in the order they were sent. */
  readonly held: Map<number, Held> = new Map()
  readonly unfinished: Unfinished = new Unfinished(this)
  #lastTag = 0
  #subscriptionCount = 0
  /** Subscriptions that look through a queue. */
  browserCount = 0
  readonly #writableWaiters: (() => void)[] = []

  unfinishedBytes = 0

  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  constructor(adapter: StompAdapter, transport: Transport) {
    this.adapter = adapter
    this.transport = transport
    this.#heardTick = adapter.wheel.tick
    adapter.wheel.add(this, adapter.settings.handshakeTimeoutMs)
  }

  get state(): ConnectionState {
    return STATE_OF_PHASE[this.#phase]
  }

  get isClosed(): boolean {
    return this.#phase === 'closed'
  }

  /** No frames are taken: something that `waitFor` was given is under way. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  get lastTag(): number {
    return this.#lastTag
  }

  /** A number that no other message of this connection has. Hot path. */
  nextTag(): number {
    return ++this.#lastTag
  }

  // ── Connection ──

  /** Hot path. */
  onBytes(chunk: Uint8Array): void {
    if (this.#phase === 'closed') return
    this.#heardTick = this.adapter.wheel.tick
    try {
      this.#splitter.read(chunk, this)
    } catch (error) {
      this.fail(error)
    }
    this.#afterReading()
  }

  onWritable(): void {
    this.#wakeWriters()
    if (this.#phase === 'connected' || this.#phase === 'leaving') this.session.onWritable()
  }

  onClosed(reason: string): void {
    if (this.#phase !== 'closed') this.#close(`connection lost: ${reason}`, '', 'network')
  }

  // ── AdminConnection ──

  facts(): ConnectionFacts {
    return factsOf(this)
  }

  endByOperator(text: string): void {
    if (this.#phase !== 'closed') this.#end(text, '', undefined, [], 'operator')
  }

  // ── FrameSink ──

  get limits(): FrameLimits {
    return this.#phase === 'new' ? this.adapter.loginLimits : this.adapter.settings
  }

  /** Hot path. */
  onFrame(headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean {
    const command: number = headers.command
    this.#frameTick = -1
    if (this.#phase !== 'connected') this.#onEarlyFrame(headers)
    else if (command === Command.send) handleSend(this, headers, bytes, bodyStart, bodyEnd)
    else this.#onControl(headers)
    return this.#phase !== 'closed' && !this.#isBusy
  }

  // ── SessionOwner ──

  onEvicted(): void {
    this.endByOperator('an operator ended the session')
  }

  // ── PublishOwner ──

  onPublishSettled(tag: number, result: Exclude<PublishResult, 'pending'>): void {
    this.unfinished.onSettled(tag, result)
  }

  // ── InputHolder ──

  endUnfinished(text: string): void {
    this.refuse(text, 'STOMP12-Size_Limits-a')
  }

  // ── WheelEntry ──

  /** A time limit may have passed: for CONNECT, for a frame, for silence. */
  onDue(): void {
    if (this.#phase === 'closed') return
    const { settings, wheel } = this.adapter
    const handshakeSeconds = settings.handshakeTimeoutMs / 1000
    if (this.#phase === 'new') return this.refuse(`no complete CONNECT within ${handshakeSeconds} s`, 'STOMP12-Connecting-b')
    if (this.#phase === 'authenticating') {
      return this.refuse(`CONNECT refused, the login took longer than ${handshakeSeconds} s; try again later`, 'STOMP12-Connecting-b')
    }
    if (this.#frameTick >= 0 && this.adapter.silentMs(this.#frameTick) >= settings.frameTimeoutMs && this.pausedFor === undefined) {
      return this.refuse(`a frame has begun and not ended within stomp.frameTimeoutMs ${settings.frameTimeoutMs}`, 'STOMP12-Size_Limits-a')
    }
    // What it sent while nobody read is still to be read.
    const silentMs = this.pausedFor !== undefined || this.#isBusy ? 0 : this.adapter.silentMs(this.#heardTick)
    const limitMs = silenceLimitMs(this.hearsMs)
    if (limitMs > 0 && silentMs >= limitMs) {
      return this.refuse(`nothing heard for ${Math.round(silentMs / 1000)} s; heart-beats were agreed on, send them in time`, 'STOMP12-Heart-beating-g')
    }
    const waits = [limitMs > 0 ? limitMs - silentMs : Infinity]
    if (this.#frameTick >= 0) waits.push(Math.max(WHEEL_TICK_MS, settings.frameTimeoutMs - this.adapter.silentMs(this.#frameTick)))
    const nextMs = Math.min(...waits)
    if (nextMs < Infinity) wheel.add(this, nextMs)
  }

  // ── for handlers ──

  /** CONNECT is under way. */
  authenticate(): void {
    this.#phase = 'authenticating'
  }

  /** CONNECTED was sent: frames are taken, heart-beats count. Each in ms, 0 for none. */
  begin(sendsMs: number, hearsMs: number): void {
    this.#phase = 'connected'
    this.#heardTick = this.adapter.wheel.tick
    this.destinations = new Destinations(this)
    this.adapter.wheel.remove(this)
    if (hearsMs > 0) {
      this.hearsMs = hearsMs
      this.adapter.wheel.add(this, silenceLimitMs(hearsMs))
    }
    if (sendsMs === 0) return
    this.#heartBeats = new HeartBeats(this, sendsMs)
    this.#heartBeats.start()
  }

  /** Frames wait until `work` is done; reading pauses, so that little waits. */
  waitFor(work: Promise<void>): void {
    this.#isBusy = true
    this.transport.pauseReading()
    work.then(
      () => this.#goOn(),
      (error: unknown) => this.fail(error),
    )
  }

  /** Characters of the ids and destinations of its subscriptions. */
  get subscriptionChars(): number {
    return this.#subscriptionChars
  }

  addSubscription(key: string, subscription: Subscription): void {
    this.subscriptions.set(key, subscription)
    this.#subscriptionChars += key.length + subscription.destination.length
  }

  removeSubscription(key: string): void {
    const subscription = this.subscriptions.get(key)
    if (subscription === undefined) return
    this.subscriptions.delete(key)
    this.#subscriptionChars -= key.length + subscription.destination.length
  }

  /** Numbers of subscriptions are never used again. */
  nextSubscription(): number {
    return ++this.#subscriptionCount
  }

  subscriptionNumbered(number: number): Subscription | undefined {
    for (const subscription of this.subscriptions.values()) if (subscription.number === number) return subscription
    return undefined
  }

  /** Resolves when the transport takes more, and when it is gone. */
  whenWritable(): Promise<void> {
    if (this.transport.writable || this.isClosed) return Promise.resolve()
    return new Promise((resolve) => this.#writableWaiters.push(resolve))
  }

  /** An operator wants to know; the client stays. */
  hint(text: string): void {
    this.adapter.hints.hint(this, text)
  }

  // ── the end ──

  /** The one place where a broken rule ends a connection. Anything but a problem of the client is our own mistake. */
  fail(error: unknown): void {
    if (this.#phase === 'closed') return
    if (error instanceof FrameProblem) {
      const { text, clause, command, receipt } = error
      return this.#end(aboutFrame(COMMAND_NAMES.indexOf(command), text), clause, receipt, [])
    }
    if (error instanceof Refused) return this.#end(error.message, error.clause, error.receipt, error.headers)
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.adapter.report(this, 'failure', `internal error: ${text}`, '')
    this.#end('internal error', '', undefined, [])
  }

  /** Ends the connection with an ERROR that says `text`; `receipt` is that of the frame it is about. */
  refuse(text: string, clause: string, receipt?: string): void {
    if (this.#phase !== 'closed') this.#end(text, clause, receipt, [])
  }

  /** The core has refused what a frame asked for. */
  refuseFor({ text }: RefusalDetail, command: string, receipt: Uint8Array | undefined): void {
    if (this.#phase === 'closed') return
    const id = receipt === undefined ? undefined : decoder.decode(receipt)
    this.#end(`${command}: ${text}`, '', id === undefined || this.version === 10 ? id : unescape(id), [])
  }

  #end(text: string, clause: string, receipt: string | undefined, headers: readonly HeaderPair[], endedBy: EndedBy = 'broker'): void {
    this.transport.write(encodeError({ message: text, receipt, headers }, this.version))
    this.#close(text, clause, endedBy)
    this.transport.end(text)
  }

  #close(text: string, clause: string, endedBy: EndedBy): void {
    const wasConnected = this.#phase === 'connected' || this.#phase === 'leaving'
    this.#phase = 'closed'
    this.adapter.wheel.remove(this)
    this.#heartBeats?.stop()
    this.#splitter.clear()
    this.adapter.vhost.unfinished.note(this, 0)
    this.#wakeWriters()
    this.adapter.onEnded(this, { endedBy, reason: text, clause, wasConnected })
    if (this.session === undefined) return
    for (const subscription of this.subscriptions.values()) subscription.onConnectionClosed()
    this.subscriptions.clear()
    this.held.clear()
    this.session.disconnect()
  }

  #wakeWriters(): void {
    for (const resolve of this.#writableWaiters.splice(0)) resolve()
  }

  #onEarlyFrame(headers: FrameHeaders): void {
    const { command } = headers
    if (this.#phase === 'leaving') {
      throw new Refused(headers, 'it came after DISCONNECT; nothing may follow that', 'STOMP12-DISCONNECT-b')
    }
    if (this.#phase === 'new' && (command === Command.connect || command === Command.stomp)) return handleConnect(this, headers)
    const text = `the first frame is ${COMMAND_NAMES[command]!}; connect with CONNECT before anything else`
    throw new Refused(headers, text, 'STOMP12-Connecting-a')
  }

  #onControl(headers: FrameHeaders): void {
    switch (headers.command) {
      case Command.ack:
        handleAck(this, headers, true)
        break
      case Command.nack:
        if (this.version === 10) throw new Refused(headers, 'NACK is a command of STOMP 1.1 and later', 'STOMP10-Augmented_BNF-c')
        handleAck(this, headers, false)
        break
      case Command.subscribe:
        handleSubscribe(this, headers)
        break
      case Command.unsubscribe:
        handleUnsubscribe(this, headers)
        break
      case Command.begin:
        handleBegin(this, headers)
        break
      case Command.commit:
        handleCommit(this, headers)
        break
      case Command.abort:
        handleAbort(this, headers)
        break
      case Command.disconnect:
        this.#leave(headers)
        break
      default:
        this.#refuseCommand(headers)
    }
  }

  #refuseCommand(headers: FrameHeaders): never {
    const text = isClientCommand(headers.command) ? 'the connection has had its login; there is one' : 'only servers send such a frame'
    throw new Refused(headers, text, 'STOMP12-Client_Frames-a')
  }

  /** The receipt of DISCONNECT says that everything before it is done. [STOMP12-DISCONNECT-a] */
  #leave(headers: FrameHeaders): void {
    const receipt = receiptOf(headers)
    this.#phase = 'leaving'
    // A client that leaves would lose what it was sent now.
    this.held.clear()
    for (const subscription of this.subscriptions.values()) subscription.close()
    this.subscriptions.clear()
    this.unfinished.whenDone(() => {
      this.adapter.vhost.log.afterBatches(() => {
        if (this.isClosed) return
        if (receipt !== undefined) writeReceipt(this.transport, receipt)
        this.#close('client disconnected', '', 'client')
        this.transport.end('client disconnected')
      })
    })
  }

  #goOn(): void {
    this.#isBusy = false
    this.#heardTick = this.adapter.wheel.tick
    if (this.isClosed) return
    if (this.pausedFor === undefined) this.transport.resumeReading()
    try {
      this.#splitter.resume(this)
    } catch (error) {
      this.fail(error)
    }
    this.#afterReading()
  }

  #afterReading(): void {
    if (this.#phase !== 'closed') this.adapter.vhost.unfinished.note(this, this.#splitter.heldBytes)
    this.#watchFrame()
    this.#checkPressure()
  }

  /** The time of a frame runs from the read that began it and did not complete it. */
  #watchFrame(): void {
    if (!this.#splitter.isWithinFrame) {
      this.#frameTick = -1
      return
    }
    if (this.#frameTick >= 0 || this.#phase !== 'connected') return
    const { wheel, settings } = this.adapter
    this.#frameTick = wheel.tick
    const isWatched = this.wheelTick >= 0 && (this.wheelTick - wheel.tick) * WHEEL_TICK_MS <= settings.frameTimeoutMs + 2 * WHEEL_TICK_MS
    if (!isWatched) wheel.add(this, settings.frameTimeoutMs)
  }

  /** A client that also receives is read on while what it sent waits for room: its acknowledgements may be what makes it. */
  #checkPressure(): void {
    const queue = this.adapter.vhost.takePressure()
    if (this.#phase !== 'connected' || this.pausedFor !== undefined || this.transactions.size > 0) return
    const receives = this.subscriptions.size > 0
    const { producer } = this
    if (queue !== undefined && !receives) this.#pauseUntil((release) => queue.holdProducer(release), `room in queue '${queue.name}'`)
    else if (producer.isBlocked && !(receives && producer.waitsForRoom)) this.#pauseUntil((release) => producer.whenUnblocked(release, receives), producer.blockedFor)
  }

  #pauseUntil(released: (release: () => void) => void, pausedFor: string): void {
    this.transport.pauseReading()
    this.pausedFor = pausedFor
    released(() => {
      this.pausedFor = undefined
      this.#heardTick = this.adapter.wheel.tick // what it sent meanwhile is still to be read
      if (this.#frameTick >= 0) this.#frameTick = this.#heardTick // and so is the rest of its frame
      if (this.#phase !== 'closed' && !this.#isBusy) this.transport.resumeReading()
    })
  }
}

const decoder = new TextDecoder()
