/**
 * A client in a test's hands. Frames wait in the order they came until the test takes them; what no server may send, frames beyond
 * windows and credit included, fails the test.
 */
import type { RawClient } from '@ternmq/testkit'
import { type Fields } from '../wire/composites.ts'
import { frame, type FrameShape, header, SASL, saslFrame } from './frames.ts'
import { type Frame, FrameParser } from './parse.ts'
import { SessionPeer } from './session-peer.ts'

/** What a peer needs of the broker's world. */
export interface PeerWorld {
  run(): void
  settle(): Promise<void>
}

export class Peer {
  readonly #world: PeerWorld
  readonly #raw: RawClient
  readonly #parser = new FrameParser()
  readonly #sessions = new Map<number, SessionPeer>()
  #frames: Frame[] = []

  constructor(world: PeerWorld, raw: RawClient) {
    this.#world = world
    this.#raw = raw
  }

  /** The broker has closed the connection, or the client has. */
  get isClosed(): boolean {
    return this.#raw.isClosed
  }

  // ── bytes ──

  /** Sends everything in one chunk and lets the broker handle it. */
  send(...frames: readonly Uint8Array[]): void {
    this.push(...frames)
    this.#world.run()
  }

  /** As `send`, and waits for logins and for the log. */
  async finish(...frames: readonly Uint8Array[]): Promise<void> {
    this.push(...frames)
    await this.#world.settle()
  }

  /** Sends without letting the broker run: what several clients push arrives in one turn, in that order. */
  push(...frames: readonly Uint8Array[]): void {
    this.#read()
    if (frames.length > 0) this.#raw.sendBytes(Buffer.concat(frames))
  }

  /** The program ends without a close: FIN. */
  hangUp(): void {
    this.#raw.hangUp()
    this.#world.run()
  }

  /** The network fails: RST. */
  vanish(): void {
    this.#raw.vanish()
    this.#world.run()
  }

  /** Stops taking bytes from its socket. */
  stopReading(): void {
    this.#raw.stopReading()
  }

  readAgain(): void {
    this.#raw.readAgain()
    this.#world.run()
  }

  // ── frames that came ──

  /** Takes the oldest frame. Throws unless it is there and of this kind. */
  next(kind: string): Frame {
    this.#read()
    const found = this.#frames.shift()
    if (found?.kind === kind) return found
    throw new Error(
      `expected ${kind}, got ${found === undefined ? `nothing${this.isClosed ? ', the connection is closed' : ''}` : show(found)}`,
    )
  }

  /** Takes every frame that has come. */
  received(): Frame[] {
    this.#read()
    return this.#frames.splice(0)
  }

  /** Takes every frame of these kinds; the others stay. */
  takeAll(...kinds: readonly string[]): Frame[] {
    this.#read()
    const found = this.#frames.filter(({ kind }) => kinds.includes(kind))
    this.#frames = this.#frames.filter(({ kind }) => !kinds.includes(kind))
    return found
  }

  /** Kinds of the frames that have come, which stay. */
  get waiting(): string[] {
    this.#read()
    return this.#frames.map(({ kind }) => kind)
  }

  /** The broker has ended the connection with a close: takes it. Throws when something else came before it, or the connection is open. */
  closed(): Frame {
    const found = this.next('close')
    if (!this.isClosed) throw new Error(`the connection is open after ${show(found)}`)
    return found
  }

  /** Condition of the error of `closed`. */
  closeCondition(): unknown {
    return conditionOf(this.closed())
  }

  // ── headers, login and open ──

  /** Says the header and takes the answer. */
  exchangeHeaders(): void {
    this.send(header())
    this.next('header')
  }

  /** Logs in with SASL and takes all of the answers, up to the outcome. */
  logIn(mechanism = 'ANONYMOUS', fields: Fields = {}): Frame {
    this.send(header(SASL), saslFrame('sasl-init', { mechanism, ...fields }))
    this.next('header')
    this.next('sasl-mechanisms')
    return this.next('sasl-outcome')
  }

  /** An open of ours; what it says holds from here on for what the server may send. */
  openFrame(fields: Fields = {}): Buffer {
    const all = { containerId: 'test', ...fields }
    this.#parser.frameBytesMax = Number(all['maxFrameSize' as keyof typeof all] ?? 0xffff_ffff)
    this.#parser.channelMax = Number(all['channelMax' as keyof typeof all] ?? 65_535)
    return frame('open', all)
  }

  /** Says open and takes the answer. */
  open(fields: Fields = {}): Frame {
    this.send(this.openFrame(fields))
    return this.next('open')
  }

  close(fields: Fields = {}): void {
    this.send(frame('close', fields))
  }

  // ── sessions ──

  /** Begins a session and takes the answer. */
  begin(fields: Fields = {}, channel: number = this.#freeChannel()): SessionPeer {
    const session = this.session(channel, fields)
    this.send(session.beginFrame())
    session.begun(this.next('begin'))
    return session
  }

  /** A session that has said nothing yet. */
  session(channel: number = this.#freeChannel(), fields: Fields = {}): SessionPeer {
    const session = new SessionPeer(this, channel, fields)
    this.#sessions.set(channel, session)
    return session
  }

  /** One performative on a channel. */
  perform(kind: string, fields: Fields = {}, shape: FrameShape = {}): void {
    this.send(frame(kind, fields, shape))
  }

  #freeChannel(): number {
    let channel = 0
    while (this.#sessions.has(channel)) channel++
    return channel
  }

  #read(): void {
    for (const found of this.#parser.read(this.#raw.takeBytes())) {
      this.#frames.push(found)
      if (found.kind === 'end' || found.kind === 'close') this.#sessions.delete(found.channel)
      else
        for (const session of this.#sessions.values()) if (session.remoteChannel === found.channel) session.note(found)
    }
    if (this.isClosed && this.#parser.waitingByteCount > 0) throw new Error('the connection ended within a frame')
  }
}

/** Condition of the error of a detach, end or close; undefined without one. */
export function conditionOf(found: Frame): unknown {
  return (found['error'] as { readonly condition?: unknown } | undefined)?.condition
}

/** A frame in a message of a test. */
export function show(found: Frame): string {
  return JSON.stringify({ ...found, payload: found.payload.toString('hex') }, (_, each: unknown) =>
    typeof each === 'bigint' ? String(each) : each,
  )
}
