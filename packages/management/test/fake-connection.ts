/** A connection as an adapter has one, without a protocol: what it says of itself is what the test says. */
import type {
  AdminConnection,
  ConnectionEnd,
  ConnectionFacts,
  EndedBy,
  PeerInfo,
  Session,
  Transport,
} from '@ternmq/core'
import type { ManagedWorld } from './managed-world.ts'

export interface FakeOptions {
  readonly clientId: string
  readonly userName?: string
  readonly peer?: Partial<PeerInfo>
  readonly facts?: Partial<ConnectionFacts>
  readonly session?: Session
}

type FakeTransport = {
  -readonly [K in 'id' | 'openedAtMs' | 'bytesIn' | 'bytesOut' | 'pendingBytes' | 'writable' | 'peer']: Transport[K]
}

let lastId = 0

export class FakeConnection implements AdminConnection {
  readonly transport: Omit<Transport, keyof FakeTransport> & FakeTransport
  readonly clientId: string
  readonly userName: string
  /** What an operator said. */
  readonly goodbyes: string[] = []
  readonly #world: ManagedWorld
  #facts: ConnectionFacts

  private constructor(world: ManagedWorld, { clientId, userName = 'ann', peer, facts, session }: FakeOptions) {
    this.#world = world
    this.clientId = clientId
    this.userName = userName
    const transport: FakeTransport = {
      id: ++lastId,
      openedAtMs: world.clock.wallMs(),
      bytesIn: 0,
      bytesOut: 0,
      pendingBytes: 0,
      writable: true,
      peer: { listener: 'mqtt', address: '127.0.0.1', port: 5_000, ...peer },
    }
    this.transport = transport as unknown as this['transport']
    this.#facts = {
      protocol: 'mqtt',
      protocolText: 'MQTT 5',
      state: 'connected',
      session,
      keepAliveMs: 60_000,
      producers: [],
      pausedFor: undefined,
      ...facts,
    }
  }

  static open(world: ManagedWorld, options: FakeOptions): FakeConnection {
    const connection = new FakeConnection(world, options)
    world.vhost.connections.add(connection)
    return connection
  }

  /** It is let in. */
  set session(session: Session) {
    this.#facts = { ...this.#facts, session }
  }

  facts(): ConnectionFacts {
    return this.#facts
  }

  endByOperator(text: string): void {
    this.goodbyes.push(text)
    this.end('operator', text)
  }

  end(endedBy: EndedBy, reason: string, clause: string = ''): void {
    const end: ConnectionEnd = { endedBy, reason, clause, wasConnected: true }
    this.#world.vhost.connections.onEnded(this, end)
  }
}
