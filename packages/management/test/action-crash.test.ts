/** Moves and retries over crashes at any moment, on a simulated disk that loses what was not synced: nothing is lost, nothing is there twice. */
import type { ActionBody } from '@ternmq/api'
import { allowAll, browse, DEFAULT_CORE_LIMITS, VirtualHost } from '@ternmq/core'
import { openJournal } from '@ternmq/store/journal'
import { SimulatedWorld } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { actionsHandlers, CutOffAction } from '../src/operations/actions.ts'
import type { Bound } from '../src/handlers.ts'
import type { ManagedBroker } from '../src/managed-broker.ts'
import { httpHeaders } from '../src/http-messaging/http-headers.ts'
import { readPublish } from '../src/http-messaging/http-message.ts'
import { OperationRecords } from '../src/operations/operation-records.ts'
import { Operations } from '../src/operations/operations.ts'
import { ADMIN, VHOST } from './message-world.ts'

const MESSAGES = 60
const NUMBERS = Array.from({ length: MESSAGES }, (_, index) => `${index + 1}`)
const LIVES = 5
const SEEDS = 16
/** Batches of a few: a crash finds some of them done. */
const PER_SECOND = 20

class CrashLife {
  readonly sim: SimulatedWorld
  readonly vhost: VirtualHost
  readonly operations: Operations
  readonly #bound: Bound

  private constructor(sim: SimulatedWorld, records: OperationRecords) {
    const env = { clock: sim.clock, random: sim.random }
    this.sim = sim
    this.vhost = new VirtualHost({
      env,
      name: '/',
      authorizer: allowAll,
      limits: DEFAULT_CORE_LIMITS,
      onLogEnded: () => {},
    }) // the crash ends it
    this.operations = new Operations({ env, records })
    const broker = { vhost: this.vhost } as ManagedBroker // the rest is of no concern to messages
    this.operations.restore((record) => new CutOffAction(broker, record))
    this.#bound = actionsHandlers(broker, this.operations)[0]!
  }

  static async begin(sim: SimulatedWorld): Promise<CrashLife> {
    const engine = await sim.run(
      openJournal(sim.env, { segmentBytes: 4_096, minFreeBytes: 8_192, reserveBytes: 8_192 }),
    )
    const life = new CrashLife(sim, await sim.run(OperationRecords.open(engine.catalog, sim.clock.wallMs())))
    await sim.run(life.vhost.openLog(engine, [httpHeaders]))
    return life
  }

  publish(queue: string, body: string, originalQueue?: string): void {
    const { message } = readPublish({ address: queue, body }, `$queue/${queue}`, 'p', 0)
    if (originalQueue !== undefined) message.extras = { annotations: { cause: 'rejected', originalQueue } }
    this.vhost.publishAs({ principal: ADMIN.principal, clientId: 'p' }, message)
  }

  /** Begins it. What is under way when the disk crashes never answers. */
  async act(queue: string, body: ActionBody): Promise<void> {
    if (this.#bound.kind !== 'call') throw new Error('an action is a call')
    await this.#bound.handler({
      params: { ...VHOST, queue },
      query: { waitMs: 0 },
      body,
      caller: ADMIN,
      signal: new AbortController().signal,
      note: () => {},
    })
  }

  /** Goes on with what the crash before cut off, where that is known. True when it does. */
  resume(): boolean {
    const cutOff = this.operations.list().find(({ state }) => state === 'interrupted')
    if (cutOff !== undefined) this.operations.resume(cutOff.id, ADMIN)
    return cutOff !== undefined
  }

  async contents(queue: string): Promise<string[]> {
    const { entries } = await this.sim.run(browse(this.vhost.destinations.find(queue)!.queue))
    return entries.map(({ message }) => Buffer.from(message.body).toString())
  }
}

interface Story {
  readonly from: string
  readonly to: string
  readonly action: ActionBody
  readonly originalQueue?: string
}

const STORIES: readonly Story[] = [
  { from: 'q', to: 'other', action: { action: 'move', all: true, target: 'other', perSecond: PER_SECOND } },
  { from: 'dead', to: 'q', action: { action: 'retry', all: true, perSecond: PER_SECOND }, originalQueue: '$queue/q' },
]

test.each(STORIES)(
  'a $action.action that crashes end, again and again, comes to its end with every message once and in order',
  async (story) => {
    const { from, to, action, originalQueue } = story
    let crashedInside = 0
    let resumedCount = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const sim = new SimulatedWorld({ seed })
      let life = await CrashLife.begin(sim)
      for (const name of [from, to]) life.vhost.destinations.define({ name })
      for (const body of NUMBERS) life.publish(from, body, originalQueue)
      await sim.settle()
      for (let number = 1; number < LIVES; number++) {
        if (life.resume()) resumedCount++
        else await life.act(from, action)
        for (let left = sim.random.below(120); left > 0; left--) await sim.step()
        sim.crash(sim.random.below(2) === 0 ? 'power' : 'kill')
        life = await CrashLife.begin(sim)
        const [gone, left] = [await life.contents(to), await life.contents(from)]
        expect([seed, number, ...gone, ...left]).toEqual([seed, number, ...NUMBERS])
        if (gone.length > 0 && left.length > 0) crashedInside++
      }
      await life.act(from, action)
      await sim.runUntil(() => life.operations.list()[0]!.state !== 'running')
      expect([seed, life.operations.list()[0]!.state, await life.contents(to), await life.contents(from)]).toEqual([
        seed,
        'done',
        NUMBERS,
        [],
      ])
    }
    // Else it would show nothing.
    expect(crashedInside).toBeGreaterThan(SEEDS)
    expect(resumedCount).toBeGreaterThan(SEEDS / 4)
  },
  60_000,
)
