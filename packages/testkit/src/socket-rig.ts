/** Real listeners and peers for tests: everything on 127.0.0.1 and port 0, closed after the test that started it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import type { Cancel, Clock, Connection, Env, Transport } from '@ternmq/core'
import {
  type BoundAddress,
  type Listener,
  type ListenerContext,
  type ListenerEvent,
  type ListenerOptions,
  Outbox,
  realEnv,
} from '@ternmq/transport'

/** One accepted connection, with everything that happened to it. */
export class Accepted implements Connection {
  readonly transport: Transport
  readonly closedWith: string[] = []
  received: Buffer[] = []
  receivedBytes = 0
  writableCalls = 0
  #listeners: (() => void)[] = []

  constructor(transport: Transport) {
    this.transport = transport
  }

  onBytes(chunk: Uint8Array): void {
    this.received.push(Buffer.from(chunk))
    this.receivedBytes += chunk.length
    this.changed()
  }

  onWritable(): void {
    this.writableCalls++
    this.changed()
  }

  onClosed(reason: string): void {
    this.closedWith.push(reason)
    this.changed()
  }

  changed(): void {
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }

  /** Returns once `isTrue` holds; asked after everything that happens to the connection. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      await new Promise<void>((resolve) => {
        this.#listeners.push(resolve)
      })
    }
  }

  get text(): string {
    return Buffer.concat(this.received).toString()
  }
}

/** The real clock, but timers run only when the test says so: handshake limits without waiting for them. */
export class SteppedClock implements Clock {
  readonly #real = realEnv().clock
  #timers: { atMs: number; f: () => void }[] = []
  #nowMs = 0

  wallMs(): number {
    return this.#real.wallMs()
  }

  monoMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, f: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, f }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  endOfTurn(f: () => void): void {
    this.#real.endOfTurn(f)
  }

  flush(f: () => void): void {
    this.#real.flush(f)
  }

  advance(ms: number): void {
    this.#nowMs += ms
    const due = this.#timers.filter((timer) => timer.atMs <= this.#nowMs)
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.#nowMs)
    for (const timer of due) timer.f()
  }

  get timerCount(): number {
    return this.#timers.length
  }
}

export interface Rig {
  readonly listener: Listener
  readonly bound: BoundAddress
  readonly accepted: Accepted[]
  readonly events: ListenerEvent[]
  readonly clock: SteppedClock
  readonly outbox: Outbox
  /** The next connection that the listener hands over, or one that came already and nobody asked for. */
  nextAccepted(): Promise<Accepted>
  /** A TCP peer that is connected. Destroyed after the test. */
  dial(): Promise<Socket>
  /** Returns once `isTrue` holds; asked every turn of the event loop. */
  eventually(isTrue: () => boolean): Promise<void>
}

export const TEST_OPTIONS: ListenerOptions = {
  key: 'mqtt',
  host: '127.0.0.1',
  port: 0,
  connectionsMax: 1_000,
  connectionsPerAddressMax: 1_000,
}

type Create = (context: ListenerContext, accept: (transport: Transport) => Connection) => Listener

/** Runs its argument when the test is over: vitest's `onTestFinished`. */
export type AtEnd = (f: () => void | Promise<void>) => void

/** Starts a listener for one test; `atEnd` closes it and its peers. */
export async function startRig(create: Create, atEnd: AtEnd, setUp?: (accepted: Accepted) => void): Promise<Rig> {
  const clock = new SteppedClock()
  const env: Env = { clock, random: realEnv().random }
  const outbox = new Outbox(clock)
  const accepted: Accepted[] = []
  const unasked: Accepted[] = []
  const waiting: ((accepted: Accepted) => void)[] = []
  const events: ListenerEvent[] = []
  const context = { env, outbox, onEvent: (event: ListenerEvent): unknown => events.push(event) }
  const listener = create(context, (transport) => {
    const connection = new Accepted(transport)
    accepted.push(connection)
    setUp?.(connection)
    const next = waiting.shift()
    if (next === undefined) unasked.push(connection)
    else next(connection)
    return connection
  })
  const bound = await listener.start()
  atEnd(() => listener.close('test finished'))
  const nextAccepted = (): Promise<Accepted> => {
    const next = unasked.shift()
    if (next !== undefined) return Promise.resolve(next)
    return new Promise((resolve) => {
      waiting.push(resolve)
    })
  }
  const eventually = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await turn()
  }
  const dial = async (): Promise<Socket> => {
    const socket = connect({ host: bound.host, port: bound.port, noDelay: true })
    atEnd(() => void socket.destroy())
    socket.on('error', () => {}) // a test that expects one looks at 'close'
    await once(socket, 'connect')
    return socket
  }
  return { listener, bound, accepted, events, clock, outbox, nextAccepted, dial, eventually }
}

/** Returns when the peer's side is closed, in peace or with an error. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/**
 * Reads until `byteCount` bytes are there, more of them if they come in the same turn: in how many chunks is a matter of chance. Rejects
 * when the socket closes before.
 */
export function readBytes(socket: Socket, byteCount: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let have = 0
    const done = (finish: () => void): void => {
      socket.off('data', onData)
      socket.off('close', onClose)
      finish()
    }
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      have += chunk.length
      if (have >= byteCount) done(() => resolve(Buffer.concat(chunks)))
    }
    const onClose = (): void => done(() => reject(new Error(`closed after ${have} of ${byteCount} bytes`)))
    socket.on('data', onData)
    socket.on('close', onClose)
  })
}
