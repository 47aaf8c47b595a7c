/**
 * Exactly once over crashes at any moment: careful clients, the journal on a simulated disk that loses what was not synced, and a seed
 * that says when. [MQTT5-4.3.3] [ADR-0007]
 */
import { type JournalEngine, openJournal } from '@ternmq/store/journal'
import { nodeDisk } from '@ternmq/store/node-disk'
import { SimulatedWorld, type VirtualClock, virtualEnv } from '@ternmq/testkit'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { disconnect, publish, pubrec, subscribe, World } from '../../harness.ts'
import { lasting } from '../mqtt5/scenes.ts'
import { CarefulClient } from './careful-client.ts'

const MESSAGES = 40
const LIVES = 6
const SEEDS = 40
/** Of a life that must reach something. */
const STEPS_MAX = 10_000
/** Enough for all that is left, and for a while in which nothing more may come. */
const STEPS_LAST = 600

interface Outcome {
  readonly got: readonly string[]
  readonly idsOf: ReadonlyMap<string, ReadonlySet<number>>
  readonly repeatedCount: number
}

/** Some lives of a broker that end by a crash, and a last one in which everything is finished. */
async function live(seed: number, filter: string, qos: 1 | 2): Promise<Outcome> {
  const address = filter.startsWith('$queue') ? filter : 'a'
  const sim = new SimulatedWorld({ seed })
  const reader = new CarefulClient('reader', filter)
  const writer = new CarefulClient('writer')
  let sent = 0
  for (let life = 1; life <= LIVES; life++) {
    const engine = await sim.run(openJournal(sim.env, { segmentBytes: 16_384, minFreeBytes: 8_192, reserveBytes: 8_192 }))
    const world = await sim.run(World.withLog({ onLogEnded: () => {} }, sim.env, engine)) // the crash ends it
    reader.connect(world)
    writer.connect(world)
    const step = async (): Promise<void> => {
      await sim.step()
      reader.react()
      writer.react()
    }
    if (life === 1) await untilReady(reader, step)
    const isLast = life === LIVES
    for (let left = isLast ? STEPS_LAST : sim.random.below(120); left > 0; left--) {
      if (sent < MESSAGES && (isLast || sim.random.below(5) === 0)) writer.publish(address, String(++sent), qos)
      await step()
    }
    if (!isLast) sim.crash(sim.random.below(2) === 0 ? 'power' : 'kill')
  }
  if (!writer.isDone) throw new Error(`seed ${seed}: the writer waits for answers`)
  return reader
}

async function untilReady(client: CarefulClient, step: () => Promise<void>): Promise<void> {
  for (let steps = 0; !client.isReady; steps++) {
    if (steps > STEPS_MAX) throw new Error(`${client.clientId} is not subscribed after ${STEPS_MAX} steps`)
    await step()
  }
}

const numbers = Array.from({ length: MESSAGES }, (_, index) => String(index + 1))

describe.each(['a', '$queue/q', '$share/g/a'])('a broker that crashes at any moment, its reader subscribed to %s', (filter) => {
  it('[MQTT5-4.3.3-1, MQTT5-4.3.3-10, MQTT5-4.4.0-1] gives each QoS 2 message once, in order and under one identifier', async () => {
    let repeatedCount = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await live(seed, filter, 2)
      expect(outcome.got, `seed ${seed}`).toEqual(numbers)
      for (const [text, ids] of outcome.idsOf) expect(ids.size, `seed ${seed}, message ${text}`).toBe(1)
      repeatedCount += outcome.repeatedCount
    }
    expect(repeatedCount).toBeGreaterThan(SEEDS / 4)
  }, 60_000)

  it('[MQTT5-4.3.2-1, MQTT5-4.4.0-1] loses no QoS 1 message', async () => {
    for (let seed = 101; seed <= 100 + SEEDS / 2; seed++) {
      const { got } = await live(seed, filter, 1)
      expect([...new Set(got)].sort(byNumber), `seed ${seed}`).toEqual(numbers)
    }
  }, 60_000)
})

describe('on a real disk', () => {
  it('[MQTT5-4.4.0-1, MQTT5-4.1-a] sessions, queues and unfinished exchanges are there when the broker is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ternmq-'))
    const env = virtualEnv()
    const stop = keepTurning(env.clock)
    try {
      const begin = async (): Promise<[World, JournalEngine]> => {
        const disk = nodeDisk(folder)
        const engine = await openJournal({ clock: env.clock, disk }, { segmentBytes: 65_536, minFreeBytes: 0, reserveBytes: 8_192 })
        return [await World.withLog({}, env, engine), engine]
      }
      const [before, engine] = await begin()
      const client = await before.join('c', lasting())
      await client.finish(subscribe(1, '$queue/q', 'a'))
      client.next('SUBACK')
      const writer = before.connect('p')
      await writer.finish(publish('$queue/q', 'one', { qos: 2, id: 1 }), publish('a', 'two', { qos: 2, id: 2 }))
      const [one, two] = client.publishes()
      await client.finish(pubrec(one!.id))
      client.vanish()
      await writer.finish(publish('$queue/other', 'three', { qos: 1, id: 3 }), disconnect())
      await before.vhost.log.close()
      await engine.close()

      const [after, again] = await begin()
      const back = await after.join('c', lasting())
      expect(back.connack.sessionPresent).toBe(true)
      const packets = back.received()
      expect(packets).toHaveLength(2)
      expect(packets).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ type: 'PUBREL', id: one!.id }),
          expect.objectContaining({ type: 'PUBLISH', payload: 'two', id: two!.id, dup: true }),
        ]),
      )
      await back.finish(subscribe(2, '$queue/other'))
      expect(back.received()).toMatchObject([{ type: 'SUBACK' }, { type: 'PUBLISH', payload: 'three' }])
      await after.vhost.log.close()
      await again.close()
    } finally {
      stop()
      await rm(folder, { recursive: true })
    }
  })
})

/** Turns go on while a test waits for the disk, until what it returns is called. */
function keepTurning(clock: VirtualClock): () => void {
  let isStopped = false
  const turn = (): void => {
    if (isStopped) return
    clock.settle()
    setImmediate(turn)
  }
  turn()
  return () => {
    isStopped = true
  }
}

function byNumber(one: string, other: string): number {
  return Number(one) - Number(other)
}
