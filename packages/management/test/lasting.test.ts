/** What a call has answered is there after a loss of power at once after it. */
import {
  type Call,
  deleteQueue,
  deleteRetained,
  deleteSession,
  pauseQueue,
  putQueue,
  resumeQueue,
  type Route,
} from '@ternmq/api'
import { allowAll, DEFAULT_CORE_LIMITS, VirtualHost } from '@ternmq/core'
import { openJournal } from '@ternmq/store/journal'
import { SimulatedWorld, virtualEnv } from '@ternmq/testkit'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Bound, Handler } from '../src/handlers.ts'
import { LASTING_WAIT_MS, whenLasting } from '../src/lasting.ts'
import type { ManagedBroker } from '../src/managed-broker.ts'
import { httpHeaders } from '../src/http-messaging/http-headers.ts'
import { readPublish } from '../src/http-messaging/http-message.ts'
import { queueHandlers } from '../src/destinations/queues.ts'
import { retainedHandlers } from '../src/destinations/retained.ts'
import type { Sampler } from '../src/broker/sampler.ts'
import { sessionHandlers } from '../src/clients/sessions.ts'
import { ADMIN, VHOST } from './message-world.ts'

let sim: SimulatedWorld
let vhost: VirtualHost
let bound: readonly Bound[]

beforeEach(async () => {
  sim = new SimulatedWorld({ seed: 1 })
  await start()
})

async function start(): Promise<void> {
  const engine = await sim.run(openJournal(sim.env, { segmentBytes: 4_096, minFreeBytes: 8_192, reserveBytes: 8_192 }))
  const env = { clock: sim.clock, random: sim.random }
  // The loss of power ends it.
  const options = { env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS, onLogEnded: () => {} }
  vhost = new VirtualHost(options)
  await sim.run(vhost.openLog(engine, [httpHeaders]))
  const settings = { config: { store: { engine: 'journal' } } }
  const broker = { vhost, settings } as ManagedBroker // the rest is of no concern to these
  bound = [
    ...queueHandlers(broker, { ask: () => {}, ratesOfQueue: () => undefined } as unknown as Sampler),
    ...retainedHandlers(broker),
    ...sessionHandlers(broker),
  ]
}

/** Resolves after a loss of power that came with the answer, and a start. */
async function survived<C extends Call>(route: Route<C>, params: object, body: object = {}): Promise<void> {
  const { handler } = bound.find((each) => each.route.id === route.id)! as { readonly handler: Handler<Call> }
  const signal = new AbortController().signal
  const call = { params: { ...VHOST, ...params }, query: {}, body, caller: ADMIN, signal, note: () => {} }
  await sim.run(Promise.resolve(handler(call)))
  sim.crash('power')
  await start()
}

describe('after its answer lasts', () => {
  test('a queue that was made, changed, paused, resumed and deleted', async () => {
    const q = { queue: 'q' }
    await survived(putQueue, q)
    await survived(putQueue, q, { settings: { messagesMax: 7 } })
    expect(vhost.destinations.find('q')!.queue.settings.messagesMax).toBe(7)
    await survived(pauseQueue, q)
    expect(vhost.destinations.find('q')!.queue.isPaused).toBe(true)
    await survived(resumeQueue, q)
    expect(vhost.destinations.find('q')!.queue.isPaused).toBe(false)
    await survived(deleteQueue, q)
    expect(vhost.destinations.find('q')).toBeUndefined()
  })

  test('the end of a retained message', async () => {
    const { message } = readPublish({ address: 't', body: 'x', retain: true }, 't', 'p', 0)
    vhost.publishAs({ principal: ADMIN.principal, clientId: 'p' }, message)
    await sim.settle()
    expect(vhost.retained.get(['t'])).toBeDefined()
    await survived(deleteRetained, { topic: 't' })
    expect(vhost.retained.get(['t'])).toBeUndefined()
  })

  test('the end of a session', async () => {
    const owner = { onEvicted: () => {} }
    const { principal } = ADMIN
    vhost.sessions.open({
      clientId: 'c',
      principal,
      cleanStart: false,
      expiryMs: 9e8,
      creditMax: 9,
      will: undefined,
      owner,
    })
    await sim.settle()
    await survived(deleteSession, { clientId: 'c' })
    expect(vhost.sessions.find('c')).toBeUndefined()
  })
})

test('a store that takes nothing is told after a while, with what is done and what is not', async () => {
  const env = virtualEnv()
  const full = { env, log: { settledSoFar: () => new Promise<void>(() => {}) } } as unknown as VirtualHost
  const lasting = whenLasting(full)
  env.clock.advance(LASTING_WAIT_MS)
  await expect(lasting).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
