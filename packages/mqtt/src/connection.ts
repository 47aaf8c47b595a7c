/**
 * One MQTT connection: takes packets in order, keeps what belongs to the connection and ends it in one place. What a packet
 * means is in handlers/. It is also the session's owner and sink and its own timer entry, so that an idle connection costs
 * one object.
 */
import {
  type AdminConnection,
  type Connection,
  type ConnectionFacts,
  type Delivery,
  type DeliverySink,
  type EndedBy,
  type InputHolder,
  type LoginExchange,
  type PeerInfo,
  peerText,
  type Producer,
  type ProducerTarget,
  type PublishOwner,
  type Queue,
  type Session,
  type SessionOwner,
  type Transport,
  type WheelEntry,
} from '@ternmq/core'
import type { MqttAdapter } from './adapter.ts'
import { decodeControl } from './codec/decode-control.ts'
import { encodeDisconnect } from './codec/encode-control.ts'
import { ProtocolError } from './codec/errors.ts'
import { ReasonCode } from './codec/reason-codes.ts'
import { type ControlPacket, type MqttVersion, PACKET_BYTES_LIMIT } from './codec/types.ts'
import { factsOf } from './facts.ts'
import { handlePuback, handlePubcomp, handlePubrec, handlePubrel } from './handlers/acks.ts'
import { handleAuth, handleLoginPacket } from './handlers/auth.ts'
import { handleConnect, type PendingConnect, refuseConnect } from './handlers/connect.ts'
import { handleDisconnect } from './handlers/disconnect.ts'
import { handlePublish, onPublishSettled } from './handlers/publish.ts'
import { canName } from './handlers/queues.ts'
import { handleSubscribe, handleUnsubscribe } from './handlers/subscribe.ts'
import { HeldPackets } from './noted.ts'
import type { Outbound } from './outbound.ts'
import { type PacketSink, PacketSplitter } from './packet-splitter.ts'
import { writePublish } from './publish-out.ts'
import { goOnResuming } from './resumption.ts'
import { type MqttSessionState, releaseShared } from './session-state.ts'
import { WHEEL_TICK_MS } from './settings.ts'
import { InboundAliases, type OutboundAliases } from './topic-alias.ts'
import type { TopicCache } from './topic-cache.ts'

/** new: waits for CONNECT. authenticating: CONNECT came, the login is under way. */
type Phase = 'new' | 'authenticating' | 'connected' | 'closed'

const CONNECT = 1
const PUBLISH = 3
const PUBACK = 4
const PUBREC = 5
const PUBREL = 6
const PUBCOMP = 7

const PINGRESP = Uint8Array.of(0xd0, 0)

export class MqttConnection implements Connection, AdminConnection, SessionOwner, PublishOwner, DeliverySink, WheelEntry, PacketSink, InputHolder {
  readonly adapter: MqttAdapter
  readonly transport: Transport
  readonly #splitter = new PacketSplitter()
  #phase: Phase = 'new'
  /** What it is not read for, since what it publishes has no room: silence is not the client's. Undefined while it is read. */
  pausedFor: string | undefined = undefined
  /** Tick of the adapter's wheel at which the last complete packet came. */
  #heardTick: number
  /** Tick at which the packet that has not ended was first seen; -1 while there is none. */
  #packetTick = -1
  #busyWith: Promise<void> | undefined = undefined
  #problem: string | undefined = undefined

  // ── from CONNECT ──
  version: MqttVersion = 4
  clientId = ''
  userName = ''
  keepAliveMs = 0
  /** Largest packet that the client takes. [MQTT5-3.1.2-24] */
  maxPacketBytes: number = PACKET_BYTES_LIMIT
  /** False: reason strings and user properties stay out of acknowledgements. [MQTT5-3.1.2-29] */
  wantsProblemInformation = true
  /** Session expiry 0 was asked for: DISCONNECT may not ask for another. [MQTT5-3.14.2.2.2-b] */
  endsWithConnection = true
  /** Login steps and what CONNECT asked for, until it is answered; afterwards the method of a re-authentication. */
  pending: PendingConnect | undefined = undefined
  authMethod: string | undefined = undefined
  /** A re-authentication waits for the client's next AUTH. */
  exchange: LoginExchange | undefined = undefined
  outboundAliases: OutboundAliases | undefined = undefined
  #inboundAliases: InboundAliases | undefined = undefined

  /** Undefined until CONNECT was accepted. */
  session: Session = undefined as unknown as Session
  // ── with the session; reading one of them earlier is a bug ──
  state!: MqttSessionState
  outbound!: Outbound
  producer!: Producer
  topics!: TopicCache
  /** Of a resumed session: what is to be sent again and has not been; nothing new goes out before it. */
  unsent: Set<Delivery> | undefined = undefined
  #held: HeldPackets | undefined = undefined
  /** QoS 1 publishes that wait for their PUBACK. */
  openAtLeastOnce = 0
  /** Topic of the PUBLISH at hand. */
  target!: ProducerTarget

  unfinishedBytes = 0

  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  constructor(adapter: MqttAdapter, transport: Transport) {
    this.adapter = adapter
    this.transport = transport
    this.#heardTick = adapter.wheel.tick
    adapter.wheel.add(this, adapter.settings.handshakeTimeoutMs)
  }

  get isConnected(): boolean {
    return this.#phase === 'connected'
  }

  get isClosed(): boolean {
    return this.#phase === 'closed'
  }

  /** Some packet waits for the log, and others behind it. Hot path. */
  get isHolding(): boolean {
    return this.#held !== undefined && !this.#held.isEmpty
  }

  get held(): HeldPackets {
    return (this.#held ??= new HeldPackets(this))
  }

  get inboundAliases(): InboundAliases {
    return (this.#inboundAliases ??= new InboundAliases())
  }

  // ── Connection ──

  /** Hot path. */
  onBytes(chunk: Uint8Array): void {
    if (this.#phase === 'closed') return
    try {
      this.#splitter.read(chunk, this)
    } catch (error) {
      this.fail(error)
    }
    this.#noteUnfinished()
    this.#checkPressure()
  }

  onWritable(): void {
    if (this.#phase !== 'connected') return
    if (this.unsent === undefined) this.session.onWritable()
    else goOnResuming(this)
  }

  onClosed(reason: string): void {
    if (this.#phase !== 'closed') this.#close(`connection lost: ${reason}`, '', 'network')
  }

  // ── AdminConnection ──

  facts(): ConnectionFacts {
    return factsOf(this)
  }

  endByOperator(text: string): void {
    this.disconnect(ReasonCode.administrativeAction, text, '', 'operator')
  }

  // ── PacketSink ──

  get maxInboundBytes(): number {
    return this.adapter.settings.maxPacketBytes
  }

  get refusesPaddedLength(): boolean {
    return this.version === 5
  }

  /** Hot path. */
  onPacket(bytes: Uint8Array, start: number, bodyStart: number, end: number): boolean {
    const type = bytes[start]! >> 4
    if (this.#phase !== 'connected') return this.#onEarlyPacket(type, bytes.subarray(start, end))
    this.#heardTick = this.adapter.wheel.tick
    this.#packetTick = -1
    switch (type) {
      case PUBLISH:
        handlePublish(this, bytes, start, bodyStart, end)
        break
      case PUBACK:
        handlePuback(this, bytes, start, bodyStart, end)
        break
      case PUBREC:
        handlePubrec(this, bytes, start, bodyStart, end)
        break
      case PUBREL:
        handlePubrel(this, bytes, start, bodyStart, end)
        break
      case PUBCOMP:
        handlePubcomp(this, bytes, start, bodyStart, end)
        break
      case CONNECT:
        throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.1.0-2', 'a second CONNECT on one connection')
      default:
        this.#onControl(decodeControl(bytes.subarray(start, end), this.version))
    }
    return this.#busyWith === undefined && !this.isClosed
  }

  // ── DeliverySink ──

  get writable(): boolean {
    return this.unsent === undefined && this.#held?.isFull !== true && this.transport.writable
  }

  /** Hot path. */
  deliver(delivery: Delivery): boolean {
    return writePublish(this, delivery)
  }

  takesFrom(queue: Queue): boolean {
    return canName(this, queue)
  }

  /** 0x97 is for limits that an administrator imposed; 0x93 would be for what the client sends. A client of MQTT 3 is cut off. */
  endSlow(text: string): void {
    this.disconnect(ReasonCode.quotaExceeded, text, '')
  }

  // ── SessionOwner ──

  /** From where the other one comes only operators hear: it is nobody's business who could just try client ids. */
  onEvicted(reason: 'taken-over' | 'deleted', by?: PeerInfo): void {
    if (reason === 'deleted') return this.disconnect(ReasonCode.administrativeAction, 'an operator ended the session', '', 'operator')
    const text = 'another connection uses the same client id'
    const from = by === undefined || by.address === '' ? '' : `, from ${peerText(by)}`
    this.disconnect(ReasonCode.sessionTakenOver, text, 'MQTT5-3.1.4-3', 'takeover', `${text}${from}`)
  }

  /** The binding is gone; a client that asks for it again hears why in SUBACK. */
  onAccessLost(text: string): void {
    this.disconnect(ReasonCode.notAuthorized, text, '', 'operator')
  }

  // ── PublishOwner ──

  /** After the end nobody is answered; what is stored is stored. */
  onPublishSettled(tag: number, result: 'routed' | 'unmatched' | 'refused'): void {
    onPublishSettled(this, tag, result)
  }

  // ── InputHolder ──

  endUnfinished(text: string): void {
    this.disconnect(ReasonCode.quotaExceeded, text, '')
  }

  // ── WheelEntry ──

  /** A time limit may have passed: for CONNECT, for a packet, for silence. [MQTT5-3.1.2-22] [MQTT311-3.1.2-24] */
  onDue(): void {
    if (this.#phase === 'closed') return
    if (this.#phase !== 'connected') {
      const seconds = this.adapter.settings.handshakeTimeoutMs / 1000
      this.#close(`no complete CONNECT within ${seconds} s`, 'MQTT5-3.1.4-a', 'broker')
      this.transport.destroy('CONNECT timed out')
      return
    }
    const packetMs = this.#msLeftForPacket()
    if (packetMs <= 0) {
      const { packetTimeoutMs } = this.adapter.settings
      // Not a keep-alive: the client may have none.
      return this.disconnect(ReasonCode.quotaExceeded, `a packet has begun and not ended within mqtt.packetTimeoutMs ${packetTimeoutMs}`, '')
    }
    const limitMs = this.keepAliveMs > 0 ? this.keepAliveMs * 1.5 : Infinity
    const silentMs = this.pausedFor !== undefined ? 0 : this.adapter.silentMs(this.#heardTick)
    if (silentMs < limitMs) {
      const nextMs = Math.min(limitMs - silentMs, packetMs)
      if (nextMs < Infinity) this.adapter.wheel.add(this, nextMs)
      return
    }
    const text = `nothing heard for ${Math.round(silentMs / 1000)} s, keep-alive is ${this.keepAliveMs / 1000} s`
    this.disconnect(ReasonCode.keepAliveTimeout, text, 'MQTT5-3.1.2-22')
  }

  /** Infinity while there is none. While nobody reads, it is not the client that takes its time. */
  #msLeftForPacket(): number {
    if (this.#packetTick < 0) return Infinity
    const leftMs = this.adapter.settings.packetTimeoutMs - this.adapter.silentMs(this.#packetTick)
    return this.pausedFor !== undefined || this.#busyWith !== undefined ? Math.max(WHEEL_TICK_MS, leftMs) : leftMs
  }

  // ── for handlers ──

  /** The session is this connection's from now on. */
  adopt(session: Session, state: MqttSessionState, topics: TopicCache, producer: Producer): void {
    this.session = session
    this.state = state
    state.begin()
    this.outbound = state.outbound
    this.topics = topics
    this.producer = producer
  }

  /** CONNECT is answered: packets are taken, the keep-alive counts. */
  begin(): void {
    this.#phase = 'connected'
    this.pending = undefined
    this.#heardTick = this.adapter.wheel.tick
    if (this.keepAliveMs > 0) this.adapter.wheel.add(this, this.keepAliveMs * 1.5)
    else this.adapter.wheel.remove(this)
  }

  /** Runs `answer` once the log has all that the session was told: what a client hears is done must not be lost. */
  whenCommitted(answer: () => void): void {
    const wait = this.session.isDurable ? this.adapter.vhost.log.settledSoFar() : undefined
    if (wait === undefined) answer()
    else this.waitFor(wait.then(() => (this.isClosed ? undefined : answer())))
  }

  /** Sends an answer; an empty one stands for one that is larger than the client takes, and then nobody can go on. [MQTT5-3.1.2-24] */
  send(packet: Uint8Array): void {
    if (packet.length > 0) this.transport.write(packet)
    else this.disconnect(ReasonCode.packetTooLarge, `the answer exceeds the client's maximum packet size ${this.maxPacketBytes}`, 'MQTT5-3.1.2-24')
  }

  /** Packets wait until `work` is done, and what `work` itself began to wait for; reading pauses, so that little waits. */
  waitFor(work: Promise<void>): void {
    this.#busyWith = work
    this.transport.pauseReading()
    work.then(
      () => {
        if (this.#busyWith === work) this.#goOn()
      },
      (error: unknown) => this.fail(error),
    )
  }

  /** Something in a packet was refused: kept for the reason string of its answer, and reported. */
  noteProblem(text: string): void {
    this.#problem ??= text
    this.reportRefusal(text, text)
  }

  /** The first problem since the last call, if the client wants to hear of problems. [MQTT5-3.1.2-29] */
  takeProblem(): string | undefined {
    const problem = this.#problem
    this.#problem = undefined
    return this.wantsProblemInformation ? problem : undefined
  }

  /** An operator wants to know; the client has been told or cannot be. `subject`: what it is about. */
  reportRefusal(text: string, subject: string): void {
    this.adapter.reportRefusal(this, subject, text)
  }

  /** The one place where a broken rule ends a connection. Anything but a ProtocolError is our own mistake. [MQTT5-4.13.1-1] */
  fail(error: unknown): void {
    if (this.#phase === 'closed') return
    if (error instanceof ProtocolError) {
      const { reasonCode, detail, clause } = error
      // During a login CONNACK is the packet to say it in. [MQTT5-4.12.0-4] [MQTT5-4.13.1-a]
      if (this.#phase === 'authenticating' && this.version === 5) refuseConnect(this, reasonCode, detail, clause)
      else this.disconnect(reasonCode, detail, clause)
      return
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.adapter.report(this, 'failure', `internal error: ${text}`, '')
    this.disconnect(ReasonCode.unspecifiedError, 'internal error', '')
  }

  /**
   * Ends the connection from our side, with the reason where the version can carry it. Before CONNECT was answered nothing is
   * said: only a CONNACK could be, and `handleConnect` sends that itself. [MQTT5-3.14.0-1] [MQTT311-4.8.0-1]
   * Operators read `reason`, which may say more than the client is told.
   */
  disconnect(reasonCode: number, text: string, clause: string, endedBy: EndedBy = 'broker', reason: string = text): void {
    if (this.#phase === 'closed') return
    if (this.#phase === 'connected' && this.version === 5) {
      this.transport.write(encodeDisconnect({ reasonCode, reasonString: text }, 5, this.maxPacketBytes))
    }
    this.#close(reason, clause, endedBy)
    this.transport.end(text)
  }

  /** The client said goodbye. */
  leave(text: string): void {
    this.#close(text, '', 'client')
    this.transport.end(text)
  }

  /** A client that also receives is read on: its acknowledgements are what would help. */
  #checkPressure(): void {
    const queue = this.adapter.vhost.takePressure()
    if (this.#phase !== 'connected' || this.pausedFor !== undefined) return
    const { producer } = this
    if (queue === undefined && !producer.isBlocked) return
    const receives = this.session.bindingCount > 0 || this.outbound.count > 0
    if (queue !== undefined && !receives) this.#pauseUntil((release) => queue.holdProducer(release), `room in queue '${queue.name}'`)
    else if (producer.isBlocked && !(receives && producer.waitsForRoom)) this.#pauseUntil((release) => producer.whenUnblocked(release, receives), producer.blockedFor)
  }

  #pauseUntil(released: (release: () => void) => void, pausedFor: string): void {
    this.transport.pauseReading()
    this.pausedFor = pausedFor
    released(() => {
      this.pausedFor = undefined
      this.#heardTick = this.adapter.wheel.tick // what it sent meanwhile is still to be read
      this.#packetTick = -1
      this.#watchPacket()
      if (this.#phase !== 'closed' && this.#busyWith === undefined) this.transport.resumeReading()
    })
  }

  #onEarlyPacket(type: number, packet: Uint8Array): boolean {
    if (this.#phase === 'new' && type === CONNECT) {
      this.#phase = 'authenticating'
      handleConnect(this, packet)
    } else if (this.#phase === 'new') {
      throw new ProtocolError(ReasonCode.protocolError, 'MQTT5-3.1.0-1', 'the first packet is not CONNECT')
    } else {
      handleLoginPacket(this, type, packet)
    }
    return this.#busyWith === undefined && !this.isClosed
  }

  #onControl(packet: ControlPacket): void {
    switch (packet.type) {
      case 'subscribe':
        handleSubscribe(this, packet)
        break
      case 'unsubscribe':
        handleUnsubscribe(this, packet)
        break
      case 'pingreq':
        this.transport.write(PINGRESP) // [MQTT5-3.12.4-1] [MQTT311-3.12.4-1]
        break
      case 'disconnect':
        handleDisconnect(this, packet)
        break
      case 'auth':
        handleAuth(this, packet)
        break
    }
  }

  #goOn(): void {
    this.#busyWith = undefined
    this.#packetTick = -1
    if (this.#phase === 'closed') return
    if (this.pausedFor === undefined) this.transport.resumeReading()
    try {
      this.#splitter.resume(this)
    } catch (error) {
      this.fail(error)
    }
    this.#noteUnfinished()
  }

  /** Hot path. */
  #noteUnfinished(): void {
    if (this.#phase === 'closed') return
    this.adapter.vhost.unfinished.note(this, this.#splitter.heldBytes)
    this.#watchPacket()
  }

  /** The time of a packet runs from the read that began it and did not complete it. Hot path. */
  #watchPacket(): void {
    if (!this.#splitter.isWithinPacket) {
      this.#packetTick = -1
      return
    }
    if (this.#packetTick >= 0 || this.#phase !== 'connected') return
    const { wheel, settings } = this.adapter
    this.#packetTick = wheel.tick
    const isWatched = this.wheelTick >= 0 && (this.wheelTick - wheel.tick) * WHEEL_TICK_MS <= settings.packetTimeoutMs + 2 * WHEEL_TICK_MS
    if (!isWatched) wheel.add(this, settings.packetTimeoutMs)
  }

  #close(text: string, clause: string, endedBy: EndedBy): void {
    const wasConnected = this.#phase === 'connected'
    this.#phase = 'closed'
    this.adapter.wheel.remove(this)
    this.#splitter.clear()
    this.adapter.vhost.unfinished.note(this, 0)
    this.pending = undefined
    this.adapter.onEnded(this, { endedBy, reason: text, clause, wasConnected })
    if (this.session === undefined) return
    releaseShared(this.session)
    this.session.disconnect()
  }
}
