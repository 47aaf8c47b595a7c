/**
 * The conformance harness: a broker without a kernel and without real time, and clients that speak bytes.
 *
 *     const world = new World()
 *     const client = world.connect('c1', { version: 5, properties: [prop('receiveMaximum', 2)] })
 *     client.send(subscribe(1, 'a/#'))
 *     expect(client.next('SUBACK').reasonCodes).toEqual([2])
 *     client.send(publish('a/b', 'x', { qos: 1, id: 7 }), pingreq())   // one chunk, as from one write
 *     expect(client.received()).toMatchObject([{ type: 'PUBLISH' }, { type: 'PUBACK', id: 7 }, { type: 'PINGRESP' }])
 *     world.advance(5_000)                                             // five virtual seconds pass
 *     client.send(hex('30 01 00'))                                     // any bytes
 *     expect(client.goodbye()).toBe(0x81)                              // DISCONNECT, and nothing after it but the end
 *
 * `send`, `advance`, `hangUp`, `vanish` return when everything that follows from them has happened. What comes from the
 * broker is read by wire/parse.ts, strictly: a packet that no server may send fails the test that receives it.
 */
import type { Login, LoginExchange, LoginRequest, LoginStep, PeerInfo } from '@ternmq/core'
import { NearMisses } from '@ternmq/naming'
import { type Engine, MemoryEngine } from '@ternmq/store'
import {
  AdapterWorld,
  type AdapterWorldOptions,
  everybody,
  keptPromises,
  type RawClient,
  type VirtualEnv,
  virtualEnv,
} from '@ternmq/testkit'
import { MqttAdapter } from '../src/adapter.ts'
import { mqtt3Headers, mqtt5Headers } from '../src/headers.ts'
import { DEFAULT_MQTT_SETTINGS, type MqttSettings } from '../src/settings.ts'
import { connect, type ConnectOptions, type Draft, type Version } from './wire/build.ts'
import { bytes } from './wire/bytes.ts'
import { type Connack, type Packet, type PacketByType, PacketParser, type PacketType } from './wire/parse.ts'

export * from './wire/build.ts'
export * from './wire/bytes.ts'
export * from './wire/parse.ts'
export {
  prop,
  propertyBlock,
  type PropertyName,
  propertyNames,
  propertyId,
  type Properties,
} from './wire/properties.ts'

export interface WorldOptions extends AdapterWorldOptions {
  /** What its clients speak unless they say otherwise; 5 by default. */
  readonly version?: Version
  readonly settings?: Partial<MqttSettings>
  /** Lets everybody in under the name they give, 'anonymous' without one, unless said otherwise. */
  readonly login?: Login
}

export interface OpenOptions {
  /** The world's unless said otherwise. */
  readonly version?: Version
  readonly peer?: PeerInfo
  /** Bytes that the pipe holds for a client that does not read. */
  readonly kernelBytes?: number
}

/** One broker with everything around it. */
export class World extends AdapterWorld {
  readonly adapter: MqttAdapter
  readonly #version: Version
  readonly #logins: PendingLogins

  /** Without a log, as it is here, nothing is durable and nothing waits: every exchange is finished when `send` returns. */
  constructor(options: WorldOptions = {}, env: VirtualEnv = virtualEnv(options.seed)) {
    super(options, env)
    this.#version = options.version ?? 5
    this.#logins = new PendingLogins(options.login ?? everybody)
    this.adapter = new MqttAdapter({
      vhost: this.vhost,
      login: this.#logins,
      settings: { ...DEFAULT_MQTT_SETTINGS, ...options.settings },
      events: this.eventSink,
      nearMisses: new NearMisses((topic) => this.vhost.router.isHeard(topic)),
    })
  }

  /**
   * A broker with a log, as it runs in earnest: kept sessions and retained messages are in `engine`. What waits for the log is
   * finished after `await client.finish(…)`, not after `send`; clients with a kept session come with `await world.join(…)`.
   * A second world on the same engine and env is the broker after a restart.
   */
  static async withLog(
    options: WorldOptions = {},
    env: VirtualEnv = virtualEnv(options.seed),
    engine: Engine = new MemoryEngine(env),
  ): Promise<World> {
    const world = new World(options, env)
    await world.vhost.openLog(engine, [mqtt3Headers, mqtt5Headers])
    return world
  }

  /** A connection that has said nothing yet. */
  open(options: OpenOptions = {}): Client {
    const { version = this.#version, ...pipeOptions } = options
    const client = new Client(this, this.network.connect(this.adapter.accept, pipeOptions), version)
    this.run()
    return client
  }

  /** A connected client; its CONNACK is in `client.connack`. Throws when the broker refuses it. */
  connect(clientId: string, options: OpenOptions & Omit<ConnectOptions, 'clientId'> = {}): Client {
    const client = this.#openFor(options)
    client.send(connect({ ...options, clientId }))
    client.accepted()
    return client
  }

  /** As `connect`, where the CONNACK waits for the log or for a login. */
  async join(clientId: string, options: OpenOptions & Omit<ConnectOptions, 'clientId'> = {}): Promise<Client> {
    const client = this.#openFor(options)
    await client.finish(connect({ ...options, clientId }))
    client.accepted()
    return client
  }

  /** One turn: what was sent arrives, what the broker answers leaves. Only for tests about turns. */
  turn(): void {
    this.clock.turn()
  }

  /** Runs on until no login is under way, for those that hash or that a test answers later, and nothing waits for the log. */
  override async settle(): Promise<void> {
    do {
      this.run()
      if (this.#logins.count > 0) await this.#logins.next()
      else await keptPromises()
    } while (this.#logins.count > 0 || !this.vhost.log.isIdle || !this.clock.isIdle)
  }

  #openFor({ version, peer, kernelBytes }: OpenOptions): Client {
    return this.open({
      ...(version !== undefined && { version }),
      ...(peer && { peer }),
      ...(kernelBytes !== undefined && { kernelBytes }),
    })
  }
}

/** A client in a test's hands. Packets wait in the order they came until the test takes them. */
export class Client {
  readonly version: Version
  readonly #world: World
  readonly #raw: RawClient
  readonly #parser: PacketParser
  #packets: Packet[] = []
  #connack: Connack | undefined = undefined

  constructor(world: World, raw: RawClient, version: Version) {
    this.#world = world
    this.#raw = raw
    this.version = version
    this.#parser = new PacketParser(version)
  }

  /** The broker has closed the connection, or the client has. */
  get isClosed(): boolean {
    return this.#raw.isClosed
  }

  get connack(): Connack {
    if (this.#connack === undefined) throw new Error('this client has not been accepted')
    return this.#connack
  }

  /** Sends everything in one chunk and lets the broker handle it. */
  send(...packets: readonly (Draft | Uint8Array | readonly number[])[]): void {
    this.push(...packets)
    this.#world.run()
  }

  /** As `send`, and waits for logins and for the log. */
  async finish(...packets: readonly (Draft | Uint8Array | readonly number[])[]): Promise<void> {
    this.push(...packets)
    await this.#world.settle()
  }

  /** Sends without letting the broker run: what several clients push arrives in one turn, in that order. */
  push(...packets: readonly (Draft | Uint8Array | readonly number[])[]): void {
    this.#raw.sendBytes(
      bytes(...packets.map((packet) => (typeof packet === 'function' ? packet(this.version) : packet))),
    )
  }

  /** Takes the oldest packet. Throws unless it is there and of this type. */
  next<Type extends PacketType>(type: Type): PacketByType[Type] {
    this.#read()
    const packet = this.#packets.shift()
    if (packet?.type !== type) {
      const got = packet === undefined ? `nothing${this.isClosed ? ', the connection is closed' : ''}` : summary(packet)
      throw new Error(`expected ${type}, got ${got}`)
    }
    return packet as PacketByType[Type]
  }

  /** Takes every packet that has come. */
  received(): Packet[] {
    this.#read()
    const packets = this.#packets
    this.#packets = []
    return packets
  }

  /** Takes every packet that has come; throws when one is not a PUBLISH. */
  publishes(): PacketByType['PUBLISH'][] {
    return this.received().map((packet) => {
      if (packet.type !== 'PUBLISH') throw new Error(`expected nothing but PUBLISH, got ${summary(packet)}`)
      return packet
    })
  }

  /** Takes the CONNACK that accepts this client. */
  accepted(): Connack {
    const connack = this.next('CONNACK')
    if (connack.reasonCode !== 0) throw new Error(`refused: ${summary(connack)}`)
    this.#connack = connack
    return connack
  }

  /**
   * The broker has ended the connection with a DISCONNECT: takes it and gives its reason code. Throws when something
   * follows it, or the connection is still open.
   */
  goodbye(): number {
    return this.#last(this.next('DISCONNECT'))
  }

  /** The broker has refused the CONNECT: takes the CONNACK and gives its reason code. Throws as `goodbye` does. */
  refusal(): number {
    const connack = this.next('CONNACK')
    if (connack.reasonCode === 0) throw new Error('expected a refusal, the broker accepted the CONNECT')
    return this.#last(connack)
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

  #last({ type, reasonCode }: PacketByType['DISCONNECT' | 'CONNACK']): number {
    this.#read()
    const after = this.#packets.map(summary)
    if (after.length > 0) throw new Error(`the broker went on after its ${type}: ${after.join(', ')}`)
    if (!this.isClosed) throw new Error(`the connection is open after ${type} 0x${reasonCode.toString(16)}`)
    return reasonCode
  }

  #read(): void {
    this.#packets.push(...this.#parser.read(this.#raw.takeBytes()))
    if (this.isClosed && this.#parser.waitingByteCount > 0) throw new Error('the connection ended within a packet')
  }
}

function summary(packet: Packet): string {
  return JSON.stringify({ ...packet, raw: undefined }, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  )
}

/** Counts logins that are not answered, so that a test can wait for them. */
class PendingLogins implements Login {
  readonly #login: Login
  readonly #pending = new Set<Promise<unknown>>()

  constructor(login: Login) {
    this.#login = login
  }

  get count(): number {
    return this.#pending.size
  }

  begin(request: LoginRequest): LoginStep | Promise<LoginStep> {
    return this.#watch(this.#login.begin(request))
  }

  /** One of them is answered, and whoever waited for it has heard. */
  async next(): Promise<void> {
    await Promise.race(this.#pending)
    await keptPromises()
  }

  #watch(step: LoginStep | Promise<LoginStep>): LoginStep | Promise<LoginStep> {
    if (!(step instanceof Promise)) return this.#wrap(step)
    const watched = this.#finish(step)
    const nothing = (): void => {} // a login that fails is the broker's business
    const ended = watched.then(nothing, nothing)
    this.#pending.add(ended)
    void ended.then(() => this.#pending.delete(ended))
    return watched
  }

  async #finish(step: Promise<LoginStep>): Promise<LoginStep> {
    return this.#wrap(await step)
  }

  #wrap(step: LoginStep): LoginStep {
    if (step.kind !== 'challenge') return step
    const exchange: LoginExchange = { respond: (answer) => this.#watch(step.exchange.respond(answer)) }
    return { ...step, exchange }
  }
}
