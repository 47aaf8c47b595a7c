/**
 * The conformance harness of STOMP: a broker without a kernel and without real time, and clients that speak bytes.
 *
 *     const world = new World()
 *     const client = world.connect({ version: 11 })
 *     client.send(subscribe(1, '/queue/q'), send('/queue/q', 'x', { receipt: 'r' }))   // one chunk, as from one write
 *     expect(client.next('MESSAGE').body).toBe('x')
 *     world.advance(5_000)                                                             // five virtual seconds pass
 *     client.send(raw('SEND\n\n^@'))                                                   // any bytes
 *     expect(client.error()).toMatch(/destination/)                                    // ERROR, and nothing after it but the end
 *
 * `send`, `advance`, `hangUp` and `vanish` return when everything that follows from them has happened; with a log, `await finish`.
 */
import type { Assurance, HeaderCodec, Login, PeerInfo } from '@ternmq/core'
import { NearMisses } from '@ternmq/naming'
import { type Engine, MemoryEngine } from '@ternmq/store'
import {
  AdapterWorld,
  type AdapterWorldOptions,
  everybody,
  type RawClient,
  type VirtualClock,
  type VirtualEnv,
  virtualEnv,
} from '@ternmq/testkit'
import { StompAdapter } from '../src/adapter.ts'
import { stompHeaders, stompTextHeaders } from '../src/headers.ts'
import { DEFAULT_STOMP_SETTINGS, type StompSettings } from '../src/settings.ts'
import { frame, type Value } from './peer/build.ts'
import { type Frame, FrameParser, type ServerCommand } from './peer/parse.ts'

export * from './peer/build.ts'
export * from './peer/parse.ts'

export type Version = 10 | 11 | 12
const VERSION_NAMES: Readonly<Record<Version, string>> = { 10: '1.0', 11: '1.1', 12: '1.2' }

export interface WorldOptions extends AdapterWorldOptions {
  /** What its clients speak unless they say otherwise; 1.2 by default. */
  readonly version?: Version
  readonly settings?: Partial<StompSettings>
  /** Lets everybody in under the name they give, 'anonymous' without one, unless said otherwise. */
  readonly login?: Login
}

export interface ClientOptions {
  readonly version?: Version
  readonly peer?: PeerInfo
  /** Bytes that the pipe holds for a client that does not read. */
  readonly kernelBytes?: number
  /** Of CONNECT, beside `accept-version` and `host`. */
  readonly headers?: Readonly<Record<string, Value>>
}

/** One broker with everything around it. */
export class World extends AdapterWorld {
  readonly adapter: StompAdapter
  readonly #version: Version

  /** Without a log, as it is here, nothing is durable and nothing waits: every exchange is finished when `send` returns. */
  constructor(options: WorldOptions = {}, env: VirtualEnv = virtualEnv(options.seed)) {
    super(options, env)
    this.#version = options.version ?? 12
    this.adapter = new StompAdapter({
      vhost: this.vhost,
      login: options.login ?? everybody,
      settings: { ...DEFAULT_STOMP_SETTINGS, ...options.settings },
      events: this.eventSink,
      nearMisses: new NearMisses((topic) => this.vhost.router.isHeard(topic)),
    })
  }

  /** A broker with a log, as it runs in earnest. A second world on the same engine and env is the broker after a restart. */
  static async withLog(
    options: WorldOptions = {},
    env: VirtualEnv = virtualEnv(options.seed),
    engine: Engine = new MemoryEngine(env),
  ): Promise<World> {
    const world = new World(options, env)
    await world.vhost.openLog(engine, [stompHeaders, stompTextHeaders])
    return world
  }

  /** A connection that has said nothing yet. */
  open(options: ClientOptions = {}): Client {
    const { version = this.#version, peer, kernelBytes } = options
    const pipe = { ...(peer && { peer }), ...(kernelBytes !== undefined && { kernelBytes }) }
    const client = new Client(this, this.network.connect(this.adapter.accept, pipe), version)
    this.run()
    return client
  }

  /** A connected client; its CONNECTED is in `client.connected`. Throws when the broker refuses it. */
  connect(options: ClientOptions = {}): Client {
    const client = this.open(options)
    client.send(connectFrame(client.version, options.headers))
    client.accepted()
    return client
  }

  /** As `connect`, where the CONNECTED waits for a login. */
  async join(options: ClientOptions = {}): Promise<Client> {
    const client = this.open(options)
    await client.finish(connectFrame(client.version, options.headers))
    client.accepted()
    return client
  }

  /** As another protocol publishes: a topic or `$queue/NAME` in core form, without headers; its body is in the form of `codec`. */
  publish(topic: string, body: string, assurance: Assurance = 1, codec: HeaderCodec = stompHeaders): void {
    this.publishAs(topic, codec, NO_BYTES, Buffer.from(body), assurance)
  }
}

/** A log that takes as long as the test likes: while it is held nothing comes into it. */
export class SlowLog {
  readonly engine: Engine
  readonly #waiting: (() => void)[] = []
  readonly #clock: VirtualClock
  #isHeld = false

  constructor(env: VirtualEnv) {
    const { clock } = env
    this.#clock = clock
    this.engine = new MemoryEngine({
      clock: {
        wallMs: () => clock.wallMs(),
        monoMs: () => clock.monoMs(),
        endOfTurn: (f) => (this.#isHeld ? void this.#waiting.push(f) : clock.endOfTurn(f)),
      },
    })
  }

  hold(): void {
    this.#isHeld = true
  }

  /** What waited is done with the next turn. */
  release(): void {
    this.#isHeld = false
    for (const f of this.#waiting.splice(0)) this.#clock.endOfTurn(f)
  }
}

/** A world with a log that a test can hold. */
export async function slowWorld(options: WorldOptions = {}): Promise<{ world: World; log: SlowLog }> {
  const env = virtualEnv(options.seed)
  const log = new SlowLog(env)
  return { world: await World.withLog(options, env, log.engine), log }
}

const NO_BYTES = new Uint8Array(0)

export function connectFrame(version: Version, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  const spoken = version === 10 ? {} : { 'accept-version': VERSION_NAMES[version], host: 'broker' }
  return frame('CONNECT', { ...spoken, ...headers })
}

/** A client in a test's hands. Frames wait in the order they came until the test takes them. */
export class Client {
  readonly version: Version
  readonly #world: World
  readonly #raw: RawClient
  readonly #parser = new FrameParser()
  #frames: Frame[] = []
  #connected: Frame | undefined = undefined

  constructor(world: World, raw: RawClient, version: Version) {
    this.#world = world
    this.#raw = raw
    this.version = version
  }

  /** The broker has closed the connection, or the client has. */
  get isClosed(): boolean {
    return this.#raw.isClosed
  }

  get connected(): Frame {
    if (this.#connected === undefined) throw new Error('this client has not been accepted')
    return this.#connected
  }

  /** Heart-beats that came since the last call. */
  takeBeats(): number {
    this.#read()
    const count = this.#parser.beatCount
    this.#parser.beatCount = 0
    return count
  }

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
    this.#raw.sendBytes(Buffer.concat(frames))
  }

  /** Takes the oldest frame. Throws unless it is there and of this kind. */
  next(command: ServerCommand): Frame {
    this.#read()
    const found = this.#frames.shift()
    if (found?.command === command) return found
    const got =
      found === undefined
        ? `nothing${this.isClosed ? ', the connection is closed' : ''}`
        : JSON.stringify({ ...found, bytes: undefined })
    throw new Error(`expected ${command}, got ${got}`)
  }

  /** Takes every frame that has come. */
  received(): Frame[] {
    this.#read()
    const frames = this.#frames
    this.#frames = []
    return frames
  }

  /** Takes every frame that has come; throws when one is no MESSAGE. */
  messages(): Frame[] {
    return this.received().map((each) => {
      if (each.command !== 'MESSAGE')
        throw new Error(`expected nothing but MESSAGE, got ${JSON.stringify({ ...each, bytes: undefined })}`)
      return each
    })
  }

  /** Bodies of the messages that have come. */
  bodies(): string[] {
    return this.messages().map(({ body }) => body)
  }

  /** Ids of the receipts that have come, and of nothing else. */
  receipts(): string[] {
    return this.received().map((each) => {
      if (each.command !== 'RECEIPT')
        throw new Error(`expected nothing but RECEIPT, got ${JSON.stringify({ ...each, bytes: undefined })}`)
      return each.headers['receipt-id']!
    })
  }

  /** Takes the CONNECTED that accepts this client. */
  accepted(): Frame {
    this.#connected = this.next('CONNECTED')
    return this.#connected
  }

  /** The broker has ended the connection with an ERROR: takes it. Throws when something follows it, or the connection is open. */
  errorFrame(): Frame {
    const found = this.next('ERROR')
    if (this.#frames.length > 0)
      throw new Error(`the broker went on after its ERROR: ${this.#frames.map(({ command }) => command).join(', ')}`)
    if (!this.isClosed) throw new Error(`the connection is open after ERROR ${found.headers['message']}`)
    return found
  }

  /** The `message` of `errorFrame`. */
  error(): string {
    return this.errorFrame().headers['message']!
  }

  /** The program ends without a DISCONNECT: FIN. */
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

  #read(): void {
    this.#frames.push(...this.#parser.read(this.#raw.takeBytes()))
    if (this.isClosed && this.#parser.waitingByteCount > 0) throw new Error('the connection ended within a frame')
  }
}

/** Id that ACK and NACK of a 1.2 client name. */
export function ackOf(message: Frame): string {
  const id = message.headers['ack']
  if (id === undefined) throw new Error('the MESSAGE has no header ack')
  return id
}
