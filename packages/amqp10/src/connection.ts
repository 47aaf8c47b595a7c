/**
 * One AMQP connection: protocol headers, login, `open` and `close`, time limits, and which session gets which frame. It ends in one
 * place; every broken rule is told in a `close`, an `end` or a `detach` before that. [AMQP10 §2.4]
 */
import type { Connection, InputHolder, LoginStep, Principal, Producer, PublishOwner, Session, SessionOwner, Transport, WheelEntry } from '@ternmq/core'
import type { AmqpAdapter } from './adapter.ts'
import { decodeClose, decodeOpen, decodeSaslInit, decodeSaslResponse, performativeCode } from './codec/decode-control.ts'
import {
  EMPTY_FRAME,
  encodeClose,
  encodeOpen,
  encodeSaslChallenge,
  encodeSaslMechanisms,
  encodeSaslOutcome,
  PROTOCOL_HEADER_AMQP,
  PROTOCOL_HEADER_SASL,
} from './codec/encode-control.ts'
import { AmqpFault, type Condition } from './codec/faults.ts'
import { type FrameSink, FrameSplitter } from './codec/frame-splitter.ts'
import type { Open, PeerError } from './codec/performatives.ts'
import { announcement } from './open.ts'
import { SaslServer, type SaslStep } from './sasl.ts'
import { AmqpSession } from './session.ts'
import { WHEEL_TICK_MS } from './settings.ts'
import { ConnectionTransactions } from './transactions.ts'

/**
 * header: waits for a protocol header. sasl: the login is under way. secured: it is done, the AMQP header follows. opening: waits for
 * `open`. opened. closing: the client has closed, what it sent is being finished. ended: we have closed; what still comes is not looked at.
 */
type Phase = 'header' | 'sasl' | 'secured' | 'opening' | 'opened' | 'closing' | 'ended'

/** Protocol ids of headers. [AMQP10 §2.2, §5.3.1] */
const AMQP_ID = 0
const SASL_ID = 3
const SASL_FRAME = 1

const SASL_INIT = 0x41
const SASL_RESPONSE = 0x43
const OPEN = 0x10
const BEGIN = 0x11
const CLOSE = 0x18

/** Until `open` has said otherwise. The specification's 512 is the least that a peer must take; tokens and properties are longer. [AMQP10 §2.3.1] */
const EARLY_FRAME_BYTES_MAX = 4_096
/** A frame of the other side must be able to hold so much. [AMQP10 §2.7.1] */
const FRAME_BYTES_MIN = 512
/** Shortest silence that a client may ask for: a few ticks of the wheel. [AMQP10 §2.4.5] */
const PEER_IDLE_MS_MIN = 1_000

export class AmqpConnection implements Connection, SessionOwner, PublishOwner, InputHolder, WheelEntry, FrameSink {
  readonly adapter: AmqpAdapter
  readonly transport: Transport
  readonly transactions: ConnectionTransactions
  readonly #splitter = new FrameSplitter()
  #sasl: SaslServer | undefined = undefined
  #principal: Principal | undefined = undefined
  #phase: Phase = 'header'
  #isBusy = false
  #isPaused = false
  #isReading = false
  /** Tick of the adapter's wheel at which the last byte came, and the last empty frame left. */
  #heardTick: number
  #beatTick = 0
  /** Longest silence of ours that the client bears, and how often we break it. 0: any. */
  #beatMs = 0

  // ── from open ──
  containerId = ''
  userName = ''
  /** Id of the core's session: that of the container where it has no other connection. */
  clientId = ''
  session: Session = undefined as unknown as Session
  /** Of transactions; links that send have one of their own. */
  producer!: Producer
  /** Largest frame that the client takes. */
  peerFrameBytesMax: number = FRAME_BYTES_MIN
  #peerChannelMax = 0

  /** By channel. */
  readonly #sessions: (AmqpSession | undefined)[] = []
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

  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  constructor(adapter: AmqpAdapter, transport: Transport) {
    this.adapter = adapter
    this.transport = transport
    this.transactions = new ConnectionTransactions(this)
    this.#heardTick = adapter.wheel.tick
    adapter.wheel.add(this, adapter.settings.handshakeTimeoutMs)
  }

  get isOpened(): boolean {
    return this.#phase === 'opened'
  }

  get isEnded(): boolean {
    return this.#phase === 'ended'
  }

  // ── Connection ──

  /** Hot path. */
  onBytes(chunk: Uint8Array): void {
    if (this.#phase === 'ended') return
    this.#heardTick = this.adapter.wheel.tick
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
    if (this.#phase !== 'ended') this.#leave(`connection lost: ${reason}`, '')
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
      const { login } = this.adapter
      this.#sasl = new SaslServer(login, this.transport.peer)
      this.transport.write(PROTOCOL_HEADER_SASL)
      this.transport.write(encodeSaslMechanisms(this.#sasl.mechanisms))
      this.#phase = 'sasl'
      return true
    }
    const is091 = protocolId === 0 && major === 0 && minor === 9
    const text = is091
      ? 'the peer speaks AMQP 0-9-1, which is not spoken here yet; use AMQP 1.0'
      : `protocol header AMQP ${protocolId} ${major}.${minor}.${revision} is not spoken here; AMQP 1.0 is, with SASL or without`
    this.#refuseHeader(text, protocolId === SASL_ID ? PROTOCOL_HEADER_SASL : PROTOCOL_HEADER_AMQP)
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
    this.refuse('amqp:connection:forced', 'an operator ended the session')
  }

  // ── InputHolder ──

  unfinishedBytes = 0

  endUnfinished(text: string): void {
    this.refuse('amqp:resource-limit-exceeded', text)
  }

  // ── PublishOwner: only commits go through this producer, and they tell by themselves ──

  onPublishSettled(): void {}

  // ── WheelEntry ──

  /** A time limit may have passed: for `open`, for a message, for silence, ours or theirs. [AMQP10 §2.4.5] */
  onDue(): void {
    if (this.#phase === 'ended') return
    const { settings, wheel } = this.adapter
    if (this.#phase !== 'opened' && this.#phase !== 'closing') {
      return this.refuse('amqp:connection:forced', `no complete open within amqp.handshakeTimeoutMs ${settings.handshakeTimeoutMs}`)
    }
    const waits: number[] = []
    if (settings.idleTimeoutMs > 0) {
      // Twice what was announced: clocks and networks are what they are. What it sent while nobody read is still to be read.
      const limitMs = settings.idleTimeoutMs * 2
      const silentMs = this.#isPaused || this.#isBusy ? 0 : this.adapter.silentMs(this.#heardTick)
      if (silentMs >= limitMs) {
        return this.refuse('amqp:resource-limit-exceeded', `nothing heard for ${Math.round(silentMs / 1000)} s; idle-time-out is ${settings.idleTimeoutMs} ms, send an empty frame in time`)
      }
      waits.push(limitMs - silentMs)
    }
    if (this.#beatMs > 0) {
      const sinceMs = (wheel.tick - this.#beatTick) * WHEEL_TICK_MS
      if (sinceMs >= this.#beatMs - WHEEL_TICK_MS) this.#beat()
      waits.push(sinceMs >= this.#beatMs - WHEEL_TICK_MS ? this.#beatMs : this.#beatMs - sinceMs)
    }
    if (this.#partialBytes > 0) {
      for (const session of this.#sessions) session?.checkPartials(settings.messageTimeoutMs)
      waits.push(settings.messageTimeoutMs)
    }
    const nextMs = Math.min(...waits)
    if (nextMs < Infinity) wheel.add(this, Math.max(WHEEL_TICK_MS, nextMs))
  }

  // ── for sessions and links ──

  /** `session.flush` follows at the end of what is being read, or of the turn. Each says it once until then. */
  scheduleFlush(session: AmqpSession): void {
    this.#due.push(session)
    if (this.#isReading || this.#isDue) return
    this.#isDue = true
    this.adapter.vhost.turns.wake({ runTurn: () => this.#flush() })
  }

  /** A message that has begun and not ended has so many bytes more, or less. */
  notePartial(byteCount: number): void {
    const wasEmpty = this.#partialBytes === 0
    this.#partialBytes += byteCount
    if (!wasEmpty || this.#partialBytes === 0) return
    const { wheel, settings } = this.adapter
    const isWatched = this.wheelTick >= 0 && (this.wheelTick - wheel.tick) * WHEEL_TICK_MS <= settings.messageTimeoutMs
    if (!isWatched) wheel.add(this, settings.messageTimeoutMs)
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
    if (this.#sessions[session.channel] === session) this.#sessions[session.channel] = undefined
  }

  *sessions(): Generator<AmqpSession> {
    for (const session of this.#sessions) if (session !== undefined) yield session
  }

  /** An operator wants to know; the client stays. */
  hint(text: string): void {
    this.adapter.hint(this, text)
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
  refuse(condition: Condition, text: string, clause = ''): void {
    if (this.#phase !== 'ended') this.#close(condition, text, clause)
  }

  #close(condition: Condition, description: string, clause: string, info?: Readonly<Record<string, string>>): void {
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
    this.#leave(description, clause)
    this.transport.end(description)
  }

  /** What is spoken, then the end. [AMQP10 §2.2] */
  #refuseHeader(text: string, spoken: Uint8Array): void {
    this.transport.write(spoken)
    this.#leave(text, 'AMQP10-2.2-a')
    this.transport.end(text)
  }

  #leave(text: string, clause: string): void {
    const wasOpened = this.#phase === 'opened' || this.#phase === 'closing'
    this.#phase = 'ended'
    this.adapter.wheel.remove(this)
    this.adapter.forget(this)
    this.#splitter.clear()
    this.adapter.vhost.unfinished.note(this, 0)
    this.adapter.report(this, wasOpened ? 'disconnected' : 'refused', text, clause)
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
    if (performativeCode(bytes, start, end) !== OPEN) throw new AmqpFault('connection', 'amqp:illegal-state', 'the first frame must be open')
    if (channel !== 0) throw new AmqpFault('connection', 'amqp:connection:framing-error', `open came on channel ${channel}; it is sent on channel 0`, 'AMQP10-2.4.1-b')
    this.#onOpen(decodeOpen(bytes, start, end))
  }

  #onSasl(type: number, bytes: Uint8Array, start: number, end: number): void {
    if (type !== SASL_FRAME) throw new AmqpFault('connection', 'amqp:connection:framing-error', 'the login is made of SASL frames only')
    const code = performativeCode(bytes, start, end)
    const sasl = this.#sasl!
    if (code === SASL_INIT) this.#takeLater(sasl.begin(decodeSaslInit(bytes, start, end)))
    else if (code === SASL_RESPONSE) this.#takeLater(sasl.respond(decodeSaslResponse(bytes, start, end)))
    else throw new AmqpFault('connection', 'amqp:connection:framing-error', 'a client sends sasl-init and sasl-response only')
  }

  #takeLater(step: SaslStep | Promise<SaslStep>): void {
    if (step instanceof Promise) this.#waitFor(step.then((done) => this.#takeSasl(done)))
    else this.#takeSasl(step)
  }

  #takeSasl(step: SaslStep): void {
    if (this.#phase !== 'sasl') return
    switch (step.kind) {
      case 'challenge':
        this.transport.write(encodeSaslChallenge(step.data))
        break
      case 'accepted':
        this.transport.write(encodeSaslOutcome(0, step.data))
        this.#principal = step.principal
        this.userName = step.principal.name
        this.#phase = 'secured'
        break
      case 'refused':
        this.transport.write(encodeSaslOutcome(step.code))
        this.#leave(`login refused: ${step.text}`, 'AMQP10-5.3.3.6-a')
        this.transport.end('login refused')
    }
  }

  // ── open ──

  #onOpen(open: Open): void {
    const { settings } = this.adapter
    if (open.maxFrameBytes < FRAME_BYTES_MIN) {
      throw new AmqpFault('connection', 'amqp:invalid-field', `max-frame-size is ${open.maxFrameBytes}; it is ${FRAME_BYTES_MIN} at least`, 'AMQP10-2.7.1-a')
    }
    if (open.idleTimeoutMs > 0 && open.idleTimeoutMs < PEER_IDLE_MS_MIN) {
      throw new AmqpFault('connection', 'amqp:invalid-field', `idle-time-out is ${open.idleTimeoutMs} ms; silences below ${PEER_IDLE_MS_MIN} ms cannot be kept`, 'AMQP10-2.4.5-d')
    }
    const idBytes = Buffer.byteLength(open.containerId)
    if (idBytes === 0 || idBytes > settings.maxContainerIdBytes) {
      throw new AmqpFault('connection', 'amqp:invalid-field', `container-id has ${idBytes} bytes; it has 1 to amqp.maxContainerIdBytes ${settings.maxContainerIdBytes}`)
    }
    this.containerId = open.containerId
    if (this.#principal !== undefined) return this.#accept(open, this.#principal)
    const step = this.adapter.login.begin({
      peer: this.transport.peer,
      clientId: open.containerId,
      mechanism: 'plain',
      username: undefined,
      password: undefined,
      data: undefined,
    })
    if (step instanceof Promise) this.#waitFor(step.then((done) => this.#takeLogin(done, open)))
    else this.#takeLogin(step, open)
  }

  #takeLogin(step: LoginStep, open: Open): void {
    if (this.#phase !== 'opening') return
    if (step.kind === 'accepted') return this.#accept(open, step.principal)
    const text = step.kind === 'refused' ? step.text : 'this login has several steps'
    this.refuse('amqp:unauthorized-access', `${text}; log in with SASL`, 'AMQP10-5.3-a')
  }

  #accept(open: Open, principal: Principal): void {
    const { adapter, containerId } = this
    const { settings, vhost } = adapter
    const isSole = open.desired.includes('sole-connection-for-container')
    this.clientId = containerId
    if (isSole ? adapter.hasContainer(containerId, this) : vhost.sessions.find(containerId) !== undefined) {
      if (isSole) return this.#refuseContainer()
      this.clientId = `${containerId}-${adapter.makeId()}`
    }
    const opened = vhost.sessions.open({
      clientId: this.clientId,
      principal,
      cleanStart: true,
      expiryMs: 0,
      creditMax: 0,
      will: undefined,
      owner: this,
      onConflict: 'refuse',
    })
    if (!opened.ok) {
      if (isSole) return this.#refuseContainer()
      return this.refuse('amqp:resource-limit-exceeded', opened.detail.text)
    }
    this.session = opened.value.session
    this.userName = principal.name
    this.producer = this.session.openProducer(this)
    this.peerFrameBytesMax = Math.min(open.maxFrameBytes, settings.maxFrameBytes)
    this.#peerChannelMax = open.channelMax
    this.transport.write(encodeOpen(announcement(this, open)))
    this.#phase = 'opened'
    this.#heardTick = adapter.wheel.tick
    this.#startTimers(open.idleTimeoutMs)
    adapter.report(this, 'connected', 'AMQP 1.0', '')
  }

  /** In the words that clients of JMS look for. [sole-connection-for-container] */
  #refuseContainer(): void {
    const text = `container '${this.containerId}' has another connection, and this one asks to be its only one; choose another client id`
    this.#close('amqp:invalid-field', text, '', { 'invalid-field': 'container-id' })
  }

  /** Half of what either side may bear is how often something is said. [AMQP10 §2.4.5] */
  #startTimers(peerIdleMs: number): void {
    const { wheel, settings } = this.adapter
    wheel.remove(this)
    this.#beatMs = peerIdleMs === 0 ? 0 : Math.max(WHEEL_TICK_MS, Math.floor(peerIdleMs / 2) - WHEEL_TICK_MS)
    this.#beatTick = wheel.tick
    const nextMs = Math.min(this.#beatMs === 0 ? Infinity : this.#beatMs, settings.idleTimeoutMs === 0 ? Infinity : settings.idleTimeoutMs * 2)
    if (nextMs < Infinity) wheel.add(this, nextMs)
  }

  #beat(): void {
    this.#beatTick = this.adapter.wheel.tick
    this.transport.write(EMPTY_FRAME)
  }

  // ── opened ──

  /** Hot path. */
  #onOpened(type: number, channel: number, bytes: Uint8Array, start: number, end: number): void {
    if (type === SASL_FRAME) throw new AmqpFault('connection', 'amqp:connection:framing-error', 'a SASL frame came outside of the login')
    if (start === end) return
    const code = performativeCode(bytes, start, end)
    const session = this.#sessions[channel]
    if (session !== undefined && code !== CLOSE && code !== OPEN) return session.onFrame(code, bytes, start, end)
    if (code === BEGIN) return this.#begin(channel, bytes, start, end)
    if (code === CLOSE) return this.#onClose(decodeClose(bytes, start, end))
    if (code === OPEN) throw new AmqpFault('connection', 'amqp:illegal-state', 'the connection is open; there is one open')
    if (code < 0) throw new AmqpFault('connection', 'amqp:decode-error', 'a frame begins with no performative of AMQP 1.0', 'AMQP10-2.3.2-a')
    throw new AmqpFault('connection', 'amqp:not-allowed', `channel ${channel} has no session; begin one first`, 'AMQP10-2.5.1-a')
  }

  #begin(channel: number, bytes: Uint8Array, start: number, end: number): void {
    const max = Math.min(this.adapter.settings.channelMax, this.#peerChannelMax)
    if (channel > max) {
      throw new AmqpFault('connection', 'amqp:connection:framing-error', `channel ${channel} is above channel-max ${max}`, 'AMQP10-2.7.1-g')
    }
    this.#sessions[channel] = new AmqpSession(this, channel, bytes, start, end)
  }

  /** What it sent before is done before it hears that it is. */
  #onClose(error: PeerError | undefined): void {
    this.#phase = 'closing'
    this.session.sayGoodbye()
    for (const session of this.#sessions) session?.onConnectionClosing()
    this.#whenDone = () => {
      this.adapter.vhost.log.afterBatches(() => {
        if (this.#phase === 'ended') return
        this.#flush()
        this.transport.write(encodeClose())
        const text = error === undefined ? 'client closed' : `client closed: ${error.condition} ${error.description ?? ''}`
        this.#leave(text, '')
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
    this.adapter.vhost.unfinished.note(this, this.#splitter.heldBytes + this.#partialBytes)
    this.#checkPressure()
  }

  #flush(): void {
    this.#isDue = false
    for (const session of this.#due.splice(0)) session.flush()
  }

  #waitFor(work: Promise<void>): void {
    this.#isBusy = true
    this.transport.pauseReading()
    work.then(
      () => this.#goOn(),
      (error: unknown) => this.fail(error),
    )
  }

  #goOn(): void {
    this.#isBusy = false
    this.#heardTick = this.adapter.wheel.tick
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
   * Links get no credit while a queue asks its publishers to pause. Who has used all the credit it had, and more, is not read either; but
   * for one that also receives: its acknowledgements are what would help.
   */
  #checkPressure(): void {
    const queue = this.adapter.vhost.takePressure()
    if (queue !== undefined && !this.isPressed) {
      this.isPressed = true
      queue.holdProducer(() => {
        this.isPressed = false
        for (const session of this.#sessions) session?.onPressureEased()
      })
    }
    if (this.#phase !== 'opened' || this.consumerCount > 0 || this.#isPaused) return
    for (const session of this.#sessions) {
      const producer = session?.blockedProducer()
      if (producer === undefined) continue
      this.#isPaused = true
      this.transport.pauseReading()
      return producer.whenUnblocked(() => {
        this.#isPaused = false
        this.#heardTick = this.adapter.wheel.tick
        if (this.#phase !== 'ended' && !this.#isBusy) this.transport.resumeReading()
      })
    }
  }
}
