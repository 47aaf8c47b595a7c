/**
 * The will is part of a session that lasts, so it outlives the broker: a second world on the first one's engine. The first one ends
 * without a word, as a process that is killed. [MQTT5 §4.1] [MQTT311 §3.1.2.5] [ADR-0007]
 */
import { MemoryEngine } from '@ternmq/store'
import { openJournal } from '@ternmq/store/journal'
import { SimulatedWorld, virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { type Client, connect, disconnect, prop, puback, subscribe, type Version, type WillOptions, World } from '../../harness.ts'
import { CarefulClient } from '../queues/careful-client.ts'
import { lasting } from './scenes.ts'

class Lives {
  readonly env: VirtualEnv = virtualEnv()
  readonly engine: MemoryEngine = new MemoryEngine(this.env)

  async begin(): Promise<World> {
    // A life before has lost the log, and would say so when its time comes.
    const world = await World.withLog({ onLogEnded: () => {} }, this.env, this.engine)
    await pass(world, 1)
    return world
  }
}

/** A life in which somebody watches every will, over restarts, and is away. */
async function watched(lives: Lives): Promise<World> {
  const world = await lives.begin()
  const watcher = await world.join('watcher', lasting())
  await watcher.finish(subscribe(1, { filter: 'will', qos: 1 }), disconnect())
  return world
}

/** What has come of wills since the watcher was there last. */
async function wills(world: World): Promise<string[]> {
  const watcher = await world.join('watcher', lasting())
  await world.settle()
  const got = watcher.publishes()
  await watcher.finish(...got.map(({ id }) => puback(id)), disconnect())
  return got.map(({ payload }) => payload)
}

async function pass(world: World, ms: number): Promise<void> {
  world.advance(ms)
  await world.settle()
}

function withWill(payload: string, delaySeconds: number, more: Partial<WillOptions> = {}): NonNullable<Parameters<World['join']>[1]> {
  const properties = delaySeconds === 0 ? [] : [prop('willDelayInterval', delaySeconds)]
  return { ...lasting(), will: { topic: 'will', payload, qos: 1, properties, ...more } }
}

describe('[MQTT5-4.1-a, MQTT5-3.1.2-7, MQTT5-3.1.2-8] a broker that is killed and comes back publishes the will of a session that lasts', () => {
  it('at once, when there is no delay, and only then', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    await first.join('c', withWill('gone', 0))
    expect(await wills(first)).toEqual([])
    const second = await lives.begin()
    expect(await wills(second)).toEqual(['gone'])
    expect(await wills(await lives.begin())).toEqual([])
  })

  it('after its delay, of which what had passed before is gone', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    await first.join('connected', withWill('connected', 30))
    ;(await first.join('lost', withWill('lost', 30))).vanish()
    await pass(first, 20_000)
    const second = await lives.begin()
    await pass(second, 9_000)
    expect(await wills(second)).toEqual([])
    await pass(second, 2_000)
    expect(await wills(second)).toEqual(['lost'])
    await pass(second, 20_000)
    expect(await wills(second)).toEqual(['connected'])
  })

  it('when the session ends, if that comes first', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    await first.join('c', { ...withWill('gone', 3_600), properties: [prop('sessionExpiryInterval', 10)] })
    const second = await lives.begin()
    await pass(second, 9_000)
    expect(await wills(second)).toEqual([])
    await pass(second, 2_000)
    expect(await wills(second)).toEqual(['gone'])
  })

  it('when the client begins a new session', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    await first.join('c', withWill('gone', 3_600))
    const second = await lives.begin()
    await second.join('c', { clean: true })
    expect(await wills(second)).toEqual(['gone'])
  })

  it('with its properties, its QoS and its RETAIN', async () => {
    const lives = new Lives()
    const first = await lives.begin()
    const properties = [prop('contentType', 'text/plain'), prop('userProperty', ['k', 'v']), prop('messageExpiryInterval', 100)]
    await first.join('c', withWill('gone', 0, { qos: 2, retain: true, properties }))
    await pass(first, 50_000)
    const second = await lives.begin()
    const late = await second.join('late')
    await late.finish(subscribe(1, { filter: 'will', qos: 2 }))
    late.next('SUBACK')
    expect(late.publishes()).toMatchObject([
      {
        payload: 'gone',
        qos: 2,
        retain: true,
        properties: { contentType: 'text/plain', userProperties: [['k', 'v']], messageExpiryInterval: expect.closeTo(100, -1) as number },
      },
    ])
  })

  it('to a queue', async () => {
    const lives = new Lives()
    await (await lives.begin()).join('c', withWill('gone', 0, { topic: '$queue/wills' }))
    const second = await lives.begin()
    const reader = await second.join('reader')
    await reader.finish(subscribe(1, { filter: '$queue/wills', qos: 1 }))
    reader.next('SUBACK')
    expect(reader.publishes()).toMatchObject([{ topic: '$queue/wills', payload: 'gone' }])
  })

  it.each<Version>([4, 3])('[MQTT311-3.1.2-8] of a client of version %i, too', async (version) => {
    const lives = new Lives()
    const first = await watched(lives)
    const will = { topic: 'will', payload: 'gone', qos: 1 } as const
    await first.join('kept', { version, clean: false, will })
    await first.join('clean', { version, clean: true, will: { ...will, payload: 'of a clean session' } })
    const polite = await first.join('polite', { version, clean: false, will: { ...will, payload: 'polite' } })
    await polite.finish(disconnect())
    expect(await wills(await lives.begin())).toEqual(['gone'])
  })
})

describe('[MQTT5-3.1.2-10, MQTT5-4.1-a] after a restart the will is not published', () => {
  it('when the client had said goodbye', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    await (await first.join('c', withWill('gone', 0))).finish(disconnect())
    await (await first.join('d', withWill('gone', 10))).finish(disconnect())
    const second = await lives.begin()
    await pass(second, 60_000)
    expect(await wills(second)).toEqual([])
  })

  it('[MQTT5-3.1.3-9] when the client is back before its delay is over, however many restarts follow', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    const lost: Client = await first.join('c', withWill('gone', 30))
    lost.vanish()
    const second = await lives.begin()
    const back = await second.join('c', lasting())
    expect(back.connack.sessionPresent).toBe(true)
    const third = await lives.begin()
    await pass(third, 60_000)
    expect(await wills(third)).toEqual([])
  })

  it('[MQTT5-3.1.2-10] a second time', async () => {
    const lives = new Lives()
    const first = await watched(lives)
    ;(await first.join('c', withWill('gone', 0))).vanish()
    expect(await wills(first)).toEqual(['gone'])
    expect(await wills(await lives.begin())).toEqual([])
  })
})

/** A client with a will of its own name, and what may become of that. */
interface Testator {
  readonly name: string
  readonly client: Client
  isAccepted: boolean
  hasLeft: boolean
}

const SEEDS = 40
const LIVES = 6
const STEPS_READY_MAX = 10_000
const STEPS_PER_LIFE_MAX = 120
/** Enough for all that is left. */
const STEPS_LAST = 600

/** Clients come, vanish and leave while the broker crashes again and again, its journal on a disk that loses what was not synced. */
async function livesOf(seed: number): Promise<{ readonly testators: readonly Testator[]; readonly got: readonly string[] }> {
  const sim = new SimulatedWorld({ seed })
  const reader = new CarefulClient('reader', 'will')
  const testators: Testator[] = []
  for (let life = 1; life <= LIVES; life++) {
    const engine = await sim.run(openJournal(sim.env, { segmentBytes: 16_384, minFreeBytes: 8_192, reserveBytes: 8_192 }))
    const world = await sim.run(World.withLog({ onLogEnded: () => {} }, sim.env, engine)) // the crash ends it
    const here: Testator[] = []
    reader.connect(world)
    const step = async (): Promise<void> => {
      await sim.step()
      reader.react()
      for (const each of here) if (each.client.received().some(({ type }) => type === 'CONNACK')) each.isAccepted = true
    }
    if (life === 1) await untilReady(reader, step)
    const isLast = life === LIVES
    for (let left = isLast ? STEPS_LAST : sim.random.below(STEPS_PER_LIFE_MAX); left > 0; left--) {
      const what = isLast ? 3 : sim.random.below(12)
      if (what === 0) {
        const name = `w${testators.length}`
        const client = world.open()
        client.push(connect({ clientId: name, ...withWill(name, 0, { qos: 2 }) }))
        const testator = { name, client, isAccepted: false, hasLeft: false }
        here.push(testator)
        testators.push(testator)
      } else if (what < 3 && here.length > 0) {
        const [testator] = here.splice(sim.random.below(here.length), 1)
        testator!.hasLeft = what === 1
        if (what === 1) testator!.client.push(disconnect())
        else testator!.client.vanish()
      }
      await step()
    }
    if (!isLast) sim.crash(sim.random.below(2) === 0 ? 'power' : 'kill')
  }
  return { testators, got: reader.got }
}

async function untilReady(reader: CarefulClient, step: () => Promise<void>): Promise<void> {
  for (let steps = 0; !reader.isReady; steps++) {
    if (steps > STEPS_READY_MAX) throw new Error(`the reader is not subscribed after ${STEPS_READY_MAX} steps`)
    await step()
  }
}

describe('[MQTT5-3.1.2-8, MQTT5-3.1.2-10, MQTT5-4.1-a] a broker that crashes at any moment', () => {
  it('publishes the will of every client that it had accepted and that did not say goodbye, and none twice', async () => {
    let count = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { testators, got } = await livesOf(seed)
      expect(new Set(got).size, `seed ${seed}: ${got.join()}`).toBe(got.length)
      for (const { name, isAccepted, hasLeft } of testators) {
        if (isAccepted && !hasLeft) expect(got, `seed ${seed}`).toContain(name)
      }
      count += got.length
    }
    expect(count).toBeGreaterThan(SEEDS)
  }, 60_000)
})
