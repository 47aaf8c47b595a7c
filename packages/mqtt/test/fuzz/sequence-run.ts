/** Carries out the actions of a sequence on a broker without a kernel, and looks after each whether everything still holds. */
import { ALL_BELOW } from '@ternmq/core'
import { PipeNetwork } from '@ternmq/testkit'
import { stateOf } from '../../src/session-state.ts'
import { World } from '../harness.ts'
import { publish } from '../wire/build.ts'
import { assert } from '@ternmq/testkit/fuzzer'
import type { Action } from './sequence-actions.ts'
import { makeLogin } from './sequence-login.ts'
import { OrderCheck } from './sequence-payload.ts'
import { Peer } from './sequence-peer.ts'

export const SLOTS = 4
/** Room in a pipe when nothing else is wanted. */
export const KERNEL_BYTES = 65_536

const SESSION_EXPIRY_SECONDS = 120
const MQTT3_RECEIVE_MAXIMUM = 4
export const MAX_PACKET_BYTES = 2_048
const SETTINGS = {
  maxPacketBytes: MAX_PACKET_BYTES,
  receiveMaximum: 8,
  topicAliasMax: 8,
  outboundTopicAliasMax: 3,
  sessionExpiryMaxSeconds: SESSION_EXPIRY_SECONDS,
  mqtt3ReceiveMaximum: MQTT3_RECEIVE_MAXIMUM,
}
const LIMITS = {
  sessionsMax: 6,
  bindingsPerSessionMax: 6,
  queuedMessagesMax: 20,
  queuedBytesMax: 32_768,
  retainedMessagesMax: 6,
  retainedBytesMax: 8_192,
}
/** So little that a client which does not read soon gets no more, and is cut off when it goes on asking. */
const OUTBOX_LIMITS = { unsentBytesMax: 1_000, stuckBytesMax: 50_000 }
/** Longer than any session, will, keep-alive or handshake lasts. */
const UNTIL_ALL_IS_OVER_MS = 10 * 60_000

export class Run {
  readonly world: World
  readonly #network: PipeNetwork
  readonly #hasLog: boolean
  readonly peers: (Peer | undefined)[] = Array.from({ length: SLOTS }, () => undefined)
  readonly #ordersByClientId = new Map<string, OrderCheck>()
  /** Somebody whose client id is not certain has used a shared subscription: it may be in any session. */
  #sharesAnywhere = false

  static async start(hasLog: boolean): Promise<Run> {
    const options = { settings: SETTINGS, limits: LIMITS, login: makeLogin(hasLog) }
    return new Run(hasLog ? await World.withLog(options) : new World(options), hasLog)
  }

  private constructor(world: World, hasLog: boolean) {
    this.world = world
    this.#network = new PipeNetwork(world.clock, OUTBOX_LIMITS)
    this.#hasLog = hasLog
  }

  /** Throws what is wrong afterwards. */
  async do(action: Action): Promise<void> {
    switch (action.kind) {
      case 'open': {
        this.#end(action.slot)
        await this.#settle()
        const raw = this.#network.connect(this.world.adapter.accept, { kernelBytes: action.kernelBytes })
        this.peers[action.slot] = new Peer(raw, action.version, MQTT3_RECEIVE_MAXIMUM)
        break
      }
      case 'send':
        this.peers[action.slot]?.say(action.data, action.sound)
        return // nothing happens before the next turn
      case 'turn':
        this.world.turn()
        return
      case 'settle':
        break
      case 'wait':
        this.world.advance(action.ms)
        break
      case 'fin':
        this.peers[action.slot]?.raw.hangUp()
        break
      case 'rst':
        this.#end(action.slot)
        break
      case 'stop':
        this.peers[action.slot]?.raw.stopReading()
        this.#mayBeCutOff(action.slot)
        break
      case 'read':
        this.peers[action.slot]?.raw.readAgain()
        break
    }
    await this.#settle()
    this.#check()
  }

  /** Everybody leaves and time passes: nothing may be left. Throws what is. */
  async finish(): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot++) this.#end(slot)
    await this.#settle()
    this.#check()
    await this.#letTimePass()
    await this.#forgetRetained()
    await this.#letTimePass()
    const { vhost, adapter, clock } = this.world
    const left = {
      sessions: vhost.sessions.count,
      bindings: vhost.router.bindingCount,
      groups: vhost.shared.count,
      connections: adapter.connectionCount,
      'retained messages': vhost.retained.count,
      'retained bytes': vhost.retained.bytes,
      'unsent bytes': this.#network.unsentBytes,
      timers: clock.timerCount,
    }
    for (const [what, count] of Object.entries(left))
      assert(count === 0, `${count} ${what} are left when all have gone`)
    assert(vhost.log.isIdle, 'something still waits for the log when all have gone')
    this.peers.fill(undefined)
    this.#ordersByClientId.clear()
    this.#sharesAnywhere = false
  }

  async #settle(): Promise<void> {
    if (this.#hasLog) await this.world.settle()
    else this.world.run()
  }

  async #letTimePass(): Promise<void> {
    this.world.advance(UNTIL_ALL_IS_OVER_MS)
    await this.#settle()
  }

  #end(slot: number): void {
    this.peers[slot]?.raw.vanish()
    this.#mayBeCutOff(slot)
  }

  #mayBeCutOff(slot: number): void {
    const peer = this.peers[slot]
    if (peer !== undefined) peer.isReading = false
  }

  #check(): void {
    this.#sharesAnywhere ||= this.peers.some((peer) => peer !== undefined && peer.shares && !peer.isSound)
    for (const peer of this.peers) peer?.read(this.#ordersOf(peer))
    const { events, vhost } = this.world
    const failure = events.find(({ kind }) => kind === 'failure')
    assert(failure === undefined, `the broker failed: ${failure?.text}`)
    for (const clientId of this.#ordersByClientId.keys()) {
      const session = vhost.sessions.find(clientId)
      if (session === undefined) continue
      const { queue, pool } = session
      const { outbound } = stateOf(session)
      assert(queue.waitingCount <= LIMITS.queuedMessagesMax, `${queue.waitingCount} messages wait for ${clientId}`)
      assert(queue.waitingBytes <= LIMITS.queuedBytesMax, `${queue.waitingBytes} bytes wait for ${clientId}`)
      assert(
        queue.waitingCount > 0 || queue.waitingBytes === 0,
        `${queue.waitingBytes} bytes of no message wait for ${clientId}`,
      )
      assert(pool.used === outbound.count, `${pool.used} credits of ${clientId} for ${outbound.count} deliveries`)
    }
    assert(vhost.retained.count <= LIMITS.retainedMessagesMax, `${vhost.retained.count} retained messages`)
    assert(vhost.sessions.count <= LIMITS.sessionsMax, `${vhost.sessions.count} sessions`)
  }

  #ordersOf(peer: Peer): OrderCheck {
    const clientId = peer.wishes?.clientId ?? ''
    if (peer.shares || this.#sharesAnywhere) peer.ownOrders.isOff = true
    if (clientId === '') return peer.ownOrders // a session that the client cannot come back to
    let orders = this.#ordersByClientId.get(clientId)
    if (orders === undefined) this.#ordersByClientId.set(clientId, (orders = new OrderCheck()))
    orders.isOff ||= peer.ownOrders.isOff
    if (peer.isReading) return orders
    // What it reads late was sent before what a later connection of the session has read already.
    if (!peer.isLate) peer.ownOrders = orders.clone()
    peer.isLate = true
    peer.ownOrders.isOff ||= orders.isOff
    return peer.ownOrders
  }

  async #forgetRetained(): Promise<void> {
    const { vhost, env } = this.world
    const topics = vhost.retained.matching([ALL_BELOW], env.clock.wallMs()).map(({ topic }) => topic)
    const janitor = this.world.connect('janitor')
    for (const topic of topics) await janitor.finish(publish(topic, '', { retain: true }))
    janitor.hangUp()
    await this.#settle()
  }
}
