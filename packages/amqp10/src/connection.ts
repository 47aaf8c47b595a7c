/**
 * One AMQP connection: protocol headers, login, `open` and `close`, time limits, and which session gets which frame. It ends in one
 * place; every broken rule is told in a `close`, an `end` or a `detach` before that. [AMQP10 §2.4]
 */
import type { AdminConnection, Connection, ConnectionFacts, EndedBy, InputHolder, LoginStep, Principal, Session, SessionOwner, Transport } from '@ternmq/core'
import type { AmqpAdapter } from './adapter.ts'
import { decodeClose, decodeOpen, performativeCode } from './codec/decode-control.ts'
import { Descriptor } from './codec/descriptors.ts'
import { encodeClose, encodeOpen, PROTOCOL_HEADER_AMQP, PROTOCOL_HEADER_SASL } from './codec/encode-control.ts'
import { AmqpFault, type Condition } from './codec/faults.ts'
import { type FrameSink, FrameSplitter } from './codec/frame-splitter.ts'
import type { Open, PeerError } from './codec/performatives.ts'
import { factsOf } from './facts.ts'
import { announcement, beginUnnamedLogin, checkOpen, EARLY_FRAME_BYTES_MAX, FRAME_BYTES_MIN, freeChannel, openSession, SOLE_CONNECTION, unspokenText } from './open.ts'
import { PostponedAnswers } from './postponed-answers.ts'
import { type LoginProgress, SASL_FRAME, SaslFrames } from './sasl-frames.ts'
import { AmqpSession, CONTROL_WORK } from './session.ts'
import { TimeLimits } from './time-limits.ts'
import { ConnectionTransactions } from './transactions.ts'

/**
 * header: waits for a protocol header. sasl: the login is under way. secured: it is done, the AMQP header follows. opening: waits for
 * `open`. opened. closing: the client has closed, what it sent is being finished. ended: we have closed; what still comes is not looked at.
 */
type Phase = 'header' | 'sasl' | 'secured' | 'opening' | 'opened' | 'closing' | 'ended'

/** Protocol ids of headers. [AMQP10 §2.2, §5.3.1] */
const AMQP_ID = 0
const SASL_ID = 3

/** Work of one connection, in deliveries that are looked up, until others have their turn: about 10 ms. */
const TURN_WORK_MAX = 50_000

export class AmqpConnection implements Connection, AdminConnection, SessionOwner, InputHolder, FrameSink {
  readonly adapter: AmqpAdapter
  readonly transport: Transport
  readonly transactions: ConnectionTransactions
  readonly #splitter = new FrameSplitter()
  #sasl: SaslFrames | undefined = undefined
  #principal: Principal | undefined = undefined
  #phase: Phase = 'header'
  #isBusy = false
  /** As `spend` counts it, since it was read without a break. */
  #spent = 0
  #isPaused = false
  #isReading = false
  readonly #timeLimits: TimeLimits

  // ── from open ──
  containerId = ''
  userName = ''
  /** Id of the core's session: that of the container where it has no other connection. */
  clientId = ''
  session: Session = undefined as unknown as Session
  /** Largest frame that the client takes. */
  peerFrameBytesMax: number = FRAME_BYTES_MIN
  #peerChannelMax = 0

  /** By channel. */
  readonly #sessions: (AmqpSession | undefined)[] = []
  /** To ends of sessions, by our channel. */
  readonly endAnswers: PostponedAnswers<number>
  /** Those that have something to say at the end of the turn. */
  readonly #due: AmqpSession[] = []
  #isDue = false
  /** Of messages that have begun and not ended. */
  #partialBytes = 0
  /** Publishes that have no outcome yet. */
  #pendingCount = 0
  #whenDone: (() => void) | undefined = undefined
  /** Links that have a receiver in the core: what they acknowledge may be what makes room. */
  consumerCount = 0
  /** Links that look through a queue. */
  browserCount = 0
  /** A queue has asked that its publishers pause: links get no credit until it lets go. */
  isPressed = false
  /** What it is paused or pressed for; of meaning while it is. */
  #waitsFor = ''

  constructor(adapter: AmqpAdapter, transport: Transport) {
    this.adapter = adapter
    this.transport = transport
    this.endAnswers = new PostponedAnswers(adapter.vhost)
    this.transactions = new ConnectionTransactions(this)
    this.#timeLimits = new TimeLimits(this)
  }

  /** What it is not read for, or gets no credit for; undefined when nothing is in its way. */
  get pausedFor(): string | undefined {
    return this.isPressed || this.#isPaused ? this.#waitsFor : undefined
  }

  get isOpened(): boolean {
    return this.#phase === 'opened'
  }

  /** It has been opened, and has not ended. */
  get isEstablished(): boolean {
    return this.#phase === 'opened' || this.#phase === 'closing'
  }

  /** Nothing is read from it now. */
  get isReadingHeld(): boolean {
    return this.#isPaused || this.#isBusy
  }

  /** Messages have begun and not ended. */
  get hasPartials(): boolean {
    return this.#partialBytes > 0
  }

  get isEnded(): boolean {
    return this.#phase === 'ended'
  }

  // ── Connection ──

  /** Hot path. */
  onBytes(chunk: Uint8Array): void {
    if (this.#phase === 'ended') return
    this.#timeLimits.heard()
    this.#isReading = true
    try {
      this.#splitter.read(chunk, this)
    } catch (error) {
      this.fail(error)
    }
    this.#afterReading()
  }

  onWritable(): void {
    if (this.#phase !== 'opened' && this.#phase !== 'closing') return
    for (const session of this.#sessions) session?.onWritable()
    this.session.onWritable()
  }

  onClosed(reason: string): void {
    if (this.#phase !== 'ended') this.#leave(`connection lost: ${reason}`, '', 'network')
  }

  // ── AdminConnection ──

  facts(): ConnectionFacts {
    return factsOf(this)
  }

  endByOperator(text: string): void {
    this.refuse('amqp:connection:forced', text, '', 'operator')
  }

  // ── FrameSink ──

  get frameBytesMax(): number {
    return this.#phase === 'opened' ? this.adapter.settings.maxFrameBytes : EARLY_FRAME_BYTES_MAX
  }

  get expectsHeader(): boolean {
    return this.#phase === 'header' || this.#phase === 'secured'
  }

  /** [AMQP10 §2.2] [AMQP10 §5.3.2] */
  onHeader(protocolId: number, major: number, minor: number, revision: number): boolean {
    const isOurs = major === 1 && minor === 0 && revision === 0
    if (isOurs && protocolId === AMQP_ID) {
      this.transport.write(PROTOCOL_HEADER_AMQP)
      this.#phase = 'opening'
      return true
    }
    if (isOurs && protocolId === SASL_ID && this.#phase === 'header') {
      this.#sasl = new SaslFrames(this.adapter.login, this.transport)
      this.#phase = 'sasl'
      return true
    }
    const text = unspokenText(protocolId, major, minor, revision)
    this.#refuseHeader(text, protocolId === SASL_ID && this.#sasl === undefined ? PROTOCOL_HEADER_SASL : PROTOCOL_HEADER_AMQP)
    return false
  }

  /** Something else than AMQP. */
  onBadHeader(bytes: Uint8Array): void {
    this.#refuseHeader(`the first bytes are no AMQP header: ${Buffer.from(bytes).toString('hex')}`, PROTOCOL_HEADER_AMQP)
  }

  /** Hot path. */
  onFrame(type: number, channel: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#phase === 'opened') this.#onOpened(type, channel, bytes, start, end)
    else this.#onEarly(type, channel, bytes, start, end)
    return this.#phase !== 'ended' && !this.#isBusy
  }

  // ── SessionOwner ──

  onEvicted(): void {
    this.endByOperator('an operator ended the session')
  }

  // ── InputHolder ──

  unfinishedBytes = 0

  endUnfinished(text: string): void {
    this.refuse('amqp:resource-limit-exceeded', text)
  }

  // ── for sessions and links ──

  /** `session.flush` follows at the end of what is being read, or of the turn. Each says it once until then. */
  scheduleFlush(session: AmqpSession): void {
    this.#due.push(session)
    if (this.#isReading || this.#isDue) return
    this.#isDue = true
    this.adapter.vhost.turns.wake({ runTurn: () => this.#flush() })
  }

  /** Something has cost more than its bytes tell: after much of it others have their turn. */
  spend(work: number): void {
    this.#spent += work
    if (this.#spent < TURN_WORK_MAX || this.#isBusy) return
    this.#spent = 0
    this.#hold()
    this.adapter.vhost.env.clock.after(0, () => this.#goOn())
  }

  /** A message that has begun and not ended has so many bytes more, or less. */
  notePartial(byteCount: number): void {
    const wasEmpty = this.#partialBytes === 0
    this.#partialBytes += byteCount
    if (wasEmpty && this.#partialBytes > 0) this.#timeLimits.watchMessages()
  }

  /** Something was asked for that has its outcome later. Call `settled` then. */
  begin(): void {
    this.#pendingCount++
  }

  settled(): void {
    this.#pendingCount--
    this.#checkDone()
  }

  /** Only the session itself calls this: both sides have ended it. */
  forgetSession(session: AmqpSession): void {
    if (this.#sessions[session.peerChannel] === session) this.#sessions[session.peerChannel] = undefined
  }

  *sessions(): Generator<AmqpSession> {
    for (const session of this.#sessions) if (session !== undefined) yield session
  }

  /** An operator wants to know; the client stays. */
  hint(text: string): void {
    this.adapter.hints.hint(this, text)
  }

  // ── the end ──

  /** The one place where a broken rule ends a connection. Anything but a fault of the client is our own mistake. */
  fail(error: unknown): void {
    if (this.#phase === 'ended') return
    if (error instanceof AmqpFault) return this.#close(error.condition, error.message, error.clause, error.info)
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.adapter.report(this, 'failure', `internal error: ${text}`, '')
    this.#close('amqp:internal-error', 'internal error', '')
  }

  /** Ends the connection with an error that says `text`. */
  refuse(condition: Condition, text: string, clause = '', endedBy: EndedBy = 'broker'): void {
    if (this.#phase !== 'ended') this.#close(condition, text, clause, undefined, endedBy)
  }

  #close(condition: Condition, description: string, clause: string, info?: Readonly<Record<string, string>>, endedBy: EndedBy = 'broker'): void {
    const error: PeerError = { condition, description, info }
    switch (this.#phase) {
      case 'opening':
        // A close follows an open, always. [AMQP10 §2.4.3]
        this.transport.write(encodeOpen(announcement(this, undefined)))
        this.transport.write(encodeClose(error))
        break
      case 'opened':
      case 'closing':
        this.#flush()
        this.transport.write(encodeClose(error))
        break
      default: // before the AMQP header there is no way to say it
    }
    this.#leave(description, clause, endedBy)
    this.transport.end(description)
  }

  /** What is spoken, then the end. [AMQP10 §2.2] */
  #refuseHeader(text: string, spoken: Uint8Array): void {
    this.transport.write(spoken)
    this.#leave(text, 'AMQP10-2.2-a', 'broker')
    this.transport.end(text)
  }

  #leave(text: string, clause: string, endedBy: EndedBy): void {
    const wasConnected = this.isEstablished
    this.#phase = 'ended'
    this.#timeLimits.stop()
    this.#splitter.clear()
    this.adapter.vhost.unfinished.note(this, 0)
    this.adapter.onEnded(this, { endedBy, reason: text, clause, wasConnected })
    for (const session of this.#sessions) session?.stopSending()
    for (const session of this.#sessions) session?.onConnectionEnded()
    this.#sessions.length = 0
    this.#due.length = 0
    if (this.session !== undefined) this.session.disconnect()
  }

  // ── before open ──

  #onEarly(type: number, channel: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#phase === 'closing') return // nothing counts after close [AMQP10 §2.4.3]
    if (this.#phase === 'sasl') return this.#onSasl(type, bytes, start, end)
    if (type === SASL_FRAME) throw new AmqpFault('connection', 'amqp:connection:framing-error', 'a SASL frame came outside of the login')
    if (start === end) return
    if (performativeCode(bytes, start, end) !== Descriptor.open) throw new AmqpFault('connection', 'amqp:illegal-state', 'the first frame must be open')
    if (channel !== 0) throw new AmqpFault('connection', 'amqp:connection:framing-error', `open came on channel ${channel}; it is sent on channel 0`, 'AMQP10-2.4.1-b')
    this.#onOpen(decodeOpen(bytes, start, end))
  }

  #onSasl(type: number, bytes: Uint8Array, start: number, end: number): void {
    const progress = this.#sasl!.take(type, bytes, start, end)
    if (progress instanceof Promise) this.waitFor(progress.then((reached) => this.#onLogin(reached)))
    else this.#onLogin(progress)
  }

  #onLogin(progress: LoginProgress): void {
    if (this.#phase !== 'sasl' || progress.kind === 'more') return
    if (progress.kind === 'refused') {
      this.#leave(`login refused: ${progress.text}`, 'AMQP10-5.3.3.6-a', 'broker')
      return this.transport.end('login refused')
    }
    this.#principal = progress.principal
    this.userName = progress.principal.name
    this.#phase = 'secured'
  }

  // ── open ──

  #onOpen(open: Open): void {
    checkOpen(open, this.adapter.settings)
    this.containerId = open.containerId
    if (this.#principal !== undefined) return this.#accept(open, this.#principal)
    const step = beginUnnamedLogin(this)
    if (step instanceof Promise) this.waitFor(step.then((reached) => this.#takeLogin(reached, open)))
    else this.#takeLogin(step, open)
  }

  #takeLogin(step: LoginStep, open: Open): void {
    if (this.#phase !== 'opening') return
    if (step.kind === 'accepted') return this.#accept(open, step.principal)
    const text = step.kind === 'refused' ? step.text : 'this login has several steps'
    this.refuse('amqp:unauthorized-access', `${text}; log in with SASL`, 'AMQP10-5.3-a')
  }

  #accept(open: Open, principal: Principal): void {
    this.userName = principal.name
    this.session = openSession(this, principal, open.desired.includes(SOLE_CONNECTION))
    this.clientId = this.session.clientId
    this.peerFrameBytesMax = Math.min(open.maxFrameBytes, this.adapter.settings.maxFrameBytes)
    this.#peerChannelMax = open.channelMax
    this.transport.write(encodeOpen(announcement(this, open)))
    this.#phase = 'opened'
    this.#timeLimits.onOpened(open.idleTimeoutMs)
    this.adapter.report(this, 'connected', 'AMQP 1.0', '')
  }

  // ── opened ──

  /** Hot path. */
  #onOpened(type: number, channel: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === SASL_FRAME) throw new AmqpFault('connection', 'amqp:connection:framing-error', 'a SASL frame came outside of the login')
    const { channelMax } = this.adapter.settings
    if (channel > channelMax) {
      throw new AmqpFault('connection', 'amqp:connection:framing-error', `channel ${channel} is above channel-max ${channelMax}`, 'AMQP10-2.7.1-g')
    }
    if (start === end) return
    const code = performativeCode(bytes, start, end)
    const session = this.#sessions[channel]
    if (session !== undefined && code !== Descriptor.close && code !== Descriptor.open) return session.onFrame(code, bytes, start, end)
    if (code === Descriptor.begin) return this.#begin(channel, bytes, start, end)
    if (code === Descriptor.close) return this.#onClose(decodeClose(bytes, start, end))
    if (code === Descriptor.open) throw new AmqpFault('connection', 'amqp:illegal-state', 'the connection is open; there is one open')
    if (code < 0) throw new AmqpFault('connection', 'amqp:decode-error', 'a frame begins with no performative of AMQP 1.0', 'AMQP10-2.3.2-a')
    throw new AmqpFault('connection', 'amqp:not-allowed', `channel ${channel} has no session; begin one first`, 'AMQP10-2.5.1-a')
  }

  #begin(channel: number, bytes: Uint8Array, start: number, end: number): void {
    this.spend(CONTROL_WORK)
    this.#sessions[channel] = new AmqpSession(this, channel, freeChannel(this, channel, this.#peerChannelMax), bytes, start, end)
  }

  /** What it sent before is done before it hears that it is. */
  #onClose(error: PeerError | undefined): void {
    this.#phase = 'closing'
    this.session.sayGoodbye()
    for (const session of this.#sessions) session?.stopSending()
    for (const session of this.#sessions) session?.onConnectionClosing()
    this.#whenDone = () => {
      this.adapter.vhost.log.afterBatches(() => {
        if (this.#phase === 'ended') return
        this.#flush()
        this.transport.write(encodeClose())
        const text = error === undefined ? 'client closed' : `client closed: ${error.condition} ${error.description ?? ''}`
        this.#leave(text, '', 'client')
        this.transport.end(text)
      })
    }
    this.#checkDone()
  }

  #checkDone(): void {
    if (this.#pendingCount > 0) return
    const done = this.#whenDone
    this.#whenDone = undefined
    done?.()
  }

  // ── reading ──

  #afterReading(): void {
    this.#isReading = false
    if (this.#phase === 'ended') return
    this.#flush()
    if (!this.#isBusy) this.#spent = 0
    this.adapter.vhost.unfinished.note(this, this.#splitter.heldBytes + this.#partialBytes)
    this.#checkPressure()
  }

  #flush(): void {
    this.#isDue = false
    for (const session of this.#due.splice(0)) session.flush()
  }

  /** Nothing is read until `work` is done; what goes wrong with it ends the connection. */
  waitFor(work: Promise<void>): void {
    this.#hold()
    work.then(() => this.#goOn()).catch((error: unknown) => this.fail(error))
  }

  #hold(): void {
    this.#isBusy = true
    this.transport.pauseReading()
  }

  #goOn(): void {
    this.#isBusy = false
    this.#timeLimits.heard()
    if (this.#phase === 'ended') return
    if (!this.#isPaused) this.transport.resumeReading()
    this.#isReading = true
    try {
      this.#splitter.resume(this)
    } catch (error) {
      this.fail(error)
    }
    this.#afterReading()
  }

  /**
   * Links get no credit while a queue asks its publishers to pause. Of whom so much waits that more would be refused is not read either;
   * but for one that also receives, while what waits does so for room: its acknowledgements may be what makes it.
   */
  #checkPressure(): void {
    const queue = this.adapter.vhost.takePressure()
    if (queue !== undefined && !this.isPressed) {
      this.isPressed = true
      this.#waitsFor = `room in queue '${queue.name}'`
      queue.holdProducer(() => {
        this.isPressed = false
        for (const session of this.#sessions) session?.onPressureEased()
      })
    }
    if (this.#phase !== 'opened' || this.#isPaused || this.#pendingCount === 0) return
    const receives = this.consumerCount > 0
    for (const session of this.#sessions) {
      const producer = session?.blockedProducer()
      if (producer === undefined || (receives && producer.waitsForRoom)) continue
      this.#isPaused = true
      this.#waitsFor = producer.blockedFor
      this.transport.pauseReading()
      return producer.whenUnblocked(() => {
        this.#isPaused = false
        this.#timeLimits.heard()
        if (this.#phase !== 'ended' && !this.#isBusy) this.transport.resumeReading()
      }, receives)
    }
  }
}
