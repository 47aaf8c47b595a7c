/** Carries out the actions of a run on a broker without a kernel, and looks after each whether everything still holds. */
import type { LoginStep, SaslLogin, Transport } from '@ternmq/core'
import { MemoryEngine } from '@ternmq/store'
import { keptPromises, PipeNetwork, virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { assert } from '@ternmq/testkit/fuzzer'
import type { AmqpConnection } from '../../src/connection.ts'
import { World } from '../harness.ts'
import type { Action, Open } from './session-actions.ts'
import { DEAD_LETTERS, Ledger } from './session-ledger.ts'
import { Elsewhere } from './session-elsewhere.ts'
import { emptyQueue } from './session-janitor.ts'
import { ReceivingLink } from './session-links.ts'
import { FuzzPeer } from './session-peer.ts'
import { act } from './session-verbs.ts'

export const SLOTS = 4
/** More than what may wait for room, so that some are not read for a while. */
const LINK_CREDIT = 14
const LIMITS = {
  sessionsMax: 6,
  bindingsPerSessionMax: 8,
  queuedMessagesMax: 20,
  queuedBytesMax: 65_536,
  heldMessagesMax: 12,
  queuesMax: 40,
  transactionAgeMaxMs: 20_000,
}
const BLOCK_MAX_MS = 4_000
const SETTINGS = {
  maxFrameBytes: 2_048,
  maxMessageBytes: 8_192,
  messageTimeoutMs: 4_000,
  channelMax: 7,
  handleMax: 15,
  idleTimeoutMs: 5_000,
  handshakeTimeoutMs: 3_000,
  sessionWindow: 16,
  linkCredit: LINK_CREDIT,
}
/** So small that some are full soon; what is sent to `ring` and `gone` may be lost. */
const QUEUES = [
  { name: 'a', settings: {} },
  { name: 'b', settings: { redelivery: { deliveriesMax: 3, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 } } },
  { name: 'full', settings: { messagesMax: 4, blockMaxMs: BLOCK_MAX_MS } },
  { name: 'ring', settings: { messagesMax: 3, whenFull: 'drop-oldest' } },
  { name: 'gone', settings: {} },
] as const
const LOSSY_QUEUES = ['ring']
/** So little that a client which does not read soon gets no more, and is cut off when it goes on asking. */
const OUTBOX_LIMITS = { unsentBytesMax: 4_000, stuckBytesMax: 100_000 }
/** Longer than anything lasts that a client can ask for here. */
const UNTIL_ALL_IS_OVER_MS = 10 * 60_000

/** While one publish waits for room, a later one may not be read yet. */
const ANSWER_ROUNDS_MAX = 12
const LET_IN: LoginStep = { kind: 'accepted', principal: { name: 'somebody', anonymous: true }, data: undefined }
const LOGIN: SaslLogin = { mechanisms: () => ['ANONYMOUS'], begin: () => LET_IN }
/** As a login that asks somebody else. */
const LATE_LOGIN: SaslLogin = { mechanisms: () => ['ANONYMOUS'], begin: () => Promise.resolve(LET_IN) }
/** Waits for promises, until nothing happens any more. */
const ROUNDS_MAX = 500

export class SessionRun {
  readonly peers: (FuzzPeer | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  readonly hasLog: boolean
  readonly ledger: Ledger = new Ledger(LOSSY_QUEUES)
  readonly #env: VirtualEnv = virtualEnv()
  readonly #engine: MemoryEngine = new MemoryEngine(this.#env)
  readonly #network: PipeNetwork
  #world!: World
  #elsewhere!: Elsewhere
  #refusedCount = 0
  restartCount = 0

  static async start(hasLog: boolean): Promise<SessionRun> {
    const run = new SessionRun(hasLog)
    await run.#begin()
    return run
  }

  private constructor(hasLog: boolean) {
    this.hasLog = hasLog
    this.#network = new PipeNetwork(this.#env.clock, OUTBOX_LIMITS)
  }

  get world(): World {
    return this.#world
  }

  slotOf(peer: FuzzPeer): number {
    return this.peers.indexOf(peer)
  }

  async #begin(): Promise<void> {
    const options = { settings: SETTINGS, limits: LIMITS, login: this.hasLog ? LATE_LOGIN : LOGIN }
    this.#world = this.hasLog ? await World.withLog(options, this.#env, this.#engine) : new World(options, this.#env)
    this.#elsewhere = new Elsewhere(this.#world, this.ledger)
    await this.#define()
  }

  async #define(): Promise<void> {
    for (const { name, settings } of QUEUES) this.world.define(name, settings)
    await this.#settle()
  }

  /** Throws what is wrong afterwards. */
  async do(action: Action): Promise<void> {
    switch (action.do) {
      case 'turn':
        return this.world.clock.turn()
      case 'open':
        await this.#open(action)
        break
      case 'calm':
        break
      case 'wait':
        await this.#settle()
        this.#check()
        this.world.advance(action.ms)
        break
      case 'publish':
        this.#elsewhere.publish(action.queue, action.assurance)
        break
      case 'consume':
        this.#elsewhere.consume(action.queue)
        break
      case 'leave':
        this.#elsewhere.leave()
        break
      case 'delete':
        this.#delete(action.queue)
        break
      case 'restart':
        await this.#restart()
        break
      case 'fin':
      case 'rst':
      case 'stop':
      case 'read':
        await this.#settle()
        this.#check()
        this.#disturb(action.slot, action.do)
        break
      default: {
        const peer = this.peers[action.slot]
        if (peer !== undefined && !peer.isOver) act(peer, action)
        return // nothing happens before the next turn
      }
    }
    await this.#settle()
    this.#check()
  }

  async #open(open: Open): Promise<void> {
    await this.#settle()
    this.#check()
    this.#disturb(open.slot, 'rst')
    await this.#settle()
    let connection: AmqpConnection | undefined = undefined
    const accept = (transport: Transport): AmqpConnection =>
      (connection = this.world.adapter.accept(transport) as AmqpConnection)
    const raw = this.#network.connect(accept, { kernelBytes: open.kernelBytes })
    const peer = new FuzzPeer(raw, connection!, { ledger: this.ledger, creditMax: LINK_CREDIT })
    peer.greet(open)
    this.peers[open.slot] = peer
  }

  /** What the broker has said until now was read. */
  #disturb(slot: number, what: 'fin' | 'rst' | 'stop' | 'read'): void {
    const peer = this.peers[slot]
    if (peer === undefined || peer.isOver) return
    switch (what) {
      case 'fin':
        peer.end()
        return peer.raw.hangUp()
      case 'rst':
        peer.end()
        return peer.raw.vanish()
      case 'stop':
        return peer.stop()
      case 'read':
        peer.readAgain()
    }
  }

  #disturbAll(): void {
    for (let slot = 0; slot < SLOTS; slot++) this.#disturb(slot, 'rst')
    this.#elsewhere.leave()
  }

  #delete(queue: string): void {
    this.ledger.loosen(({ home }) => home === queue)
    const named = this.world.vhost.destinations.find(queue)
    if (named !== undefined) this.world.vhost.destinations.delete(named)
  }

  /** The broker stops and is started again: what is durable is there. */
  async #restart(): Promise<void> {
    if (!this.hasLog) return
    await this.#settle()
    this.#check()
    this.#disturbAll()
    await this.#settle()
    this.ledger.loosen(({ isDurable }) => !isDurable)
    this.world.adapter.drain()
    await this.#settle()
    const closed = this.world.vhost.close()
    await this.#settle()
    await closed
    this.peers.fill(undefined)
    this.restartCount++
    await this.#begin()
  }

  /**
   * Whoever waits gets his answer. Then everybody leaves, time passes, and what is left in the queues is what nobody has taken; nothing
   * else may be left. Throws what is.
   */
  async finish(): Promise<void> {
    await this.#settle()
    this.#check()
    for (let slot = 0; slot < SLOTS; slot++) this.#disturb(slot, 'read')
    await this.#answerAll()
    this.#disturbAll()
    await this.#settle()
    this.#check()
    await this.#takeAll()
    await this.#checkNothingIsLeft()
    this.peers.fill(undefined)
    await this.#define()
  }

  /** All clients send what they have written, and wait for what they are to hear. */
  async #answerAll(): Promise<void> {
    let missing: string[] = []
    for (let round = 0; round < ANSWER_ROUNDS_MAX; round++) {
      for (const peer of this.peers) peer?.push(0)
      await this.#settle()
      this.#check()
      missing = this.peers.flatMap((peer) => [...(peer?.missing() ?? []), ...this.#unfed(peer)])
      if (missing.length === 0) return
      this.world.advance(BLOCK_MAX_MS / 2)
      for (const peer of this.peers) if (peer?.isTalking === true) peer.beat()
    }
    assert(false, `a client waits: ${missing[0]}`)
  }

  /** Links that could have what waits. */
  *#unfed(peer: FuzzPeer | undefined): Generator<string> {
    for (const link of peer?.hasUnsent === false ? peer.links() : []) {
      if (!(link instanceof ReceivingLink) || !link.isHungry || link.queue === undefined) continue
      const count = this.world.vhost.destinations.find(link.queue)?.queue.waitingCount ?? 0
      if (count > 0) yield `${count} messages wait in queue ${link.queue}, and link '${link.wish.name}' gets none`
    }
  }

  async #takeAll(): Promise<void> {
    const { world } = this
    const left = new Map<string, Buffer[]>()
    // Twice: what was scheduled for a full queue comes when there is room.
    for (let round = 0; round < 2; round++) {
      world.advance(UNTIL_ALL_IS_OVER_MS)
      await this.#settle()
      for (const name of [...QUEUES.map((queue) => queue.name), DEAD_LETTERS]) {
        if (world.vhost.destinations.find(name) === undefined) continue
        left.set(name, [...(left.get(name) ?? []), ...(await emptyQueue(world, name, () => this.#settle()))])
      }
    }
    this.ledger.close(left)
  }

  async #checkNothingIsLeft(): Promise<void> {
    const { vhost, adapter, clock } = this.world
    vhost.schedule.cancelAll() // a garbled delay may be of hours
    for (const named of [...vhost.destinations.all()]) {
      assert(
        named.queue.consumers.length === 0,
        `queue ${named.name} has ${named.queue.consumers.length} consumers when all have gone`,
      )
      vhost.destinations.delete(named)
    }
    await this.#settle()
    this.world.advance(UNTIL_ALL_IS_OVER_MS)
    const left = {
      sessions: vhost.sessions.count,
      connections: adapter.connectionCount,
      bindings: vhost.router.bindingCount,
      transactions: vhost.transactions.count,
      'temporary destinations': vhost.temporaries.count,
      'scheduled messages': vhost.schedule.count,
      'unsent bytes': this.#network.unsentBytes,
      'waiting bytes': vhost.waiting.bytes,
      'unfinished bytes': vhost.unfinished.bytes,
      timers: clock.timerCount,
    }
    for (const [what, count] of Object.entries(left))
      assert(count === 0, `${count} ${what} are left when all have gone`)
    assert(vhost.log.isIdle, 'something still waits for the log when all have gone')
  }

  /** Connections that a close with an error ended since the last call. */
  takeRefused(): number {
    const count = this.#refusedCount
    this.#refusedCount = 0
    return count
  }

  /** Goes on until nothing happens any more but with time. */
  async #settle(): Promise<void> {
    const { world } = this
    for (let round = 0; round < ROUNDS_MAX; round++) {
      world.run()
      await keptPromises()
      if (world.vhost.log.isIdle && world.clock.isIdle) return
    }
    throw new Error(`something is still being done after ${ROUNDS_MAX} rounds`)
  }

  #check(): void {
    for (const peer of this.peers) {
      if (peer === undefined) continue
      peer.read()
      peer.check()
      this.#refusedCount += peer.refusedCount
      peer.refusedCount = 0
    }
    for (const peer of this.peers) peer?.settle()
    this.#elsewhere.settle()
    this.ledger.check()
    this.#elsewhere.accept()
    const failure = this.world.events.find(({ kind }) => kind === 'failure')
    assert(failure === undefined, `the broker failed: ${failure?.text}`)
    const { vhost } = this.world
    assert(vhost.sessions.count <= LIMITS.sessionsMax, `${vhost.sessions.count} sessions`)
    assert(vhost.destinations.count <= LIMITS.queuesMax, `${vhost.destinations.count} queues`)
  }
}
