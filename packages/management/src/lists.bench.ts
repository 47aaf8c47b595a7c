/** node lists.bench.ts: what a page costs of ten thousand queues, sessions, connections and subscriptions: each list call has to answer in under 100 ms. */
import {
  type Call,
  listConnections,
  listConsumers,
  listQueues,
  listRetained,
  listSessions,
  listSubscriptions,
  listTopics,
  type Route,
} from '@ternmq/api'
import { bench, run } from 'mitata'
import { ADMINISTRATOR } from '../test/managed-world.ts'
import { manyOfEverything } from '../test/scale-world.ts'
import { connectionHandlers } from './clients/connections.ts'
import { consumerHandlers } from './clients/consumers.ts'
import { depthsOf } from './broker/depths.ts'
import { queueHandlers } from './destinations/queues.ts'
import { retainedHandlers } from './destinations/retained.ts'
import { Sampler } from './broker/sampler.ts'
import { sessionHandlers } from './clients/sessions.ts'
import { subscriptionHandlers } from './clients/subscriptions.ts'
import { topicHandlers } from './destinations/topics.ts'

const world = await manyOfEverything()
const { broker, vhost } = world
const sampler = new Sampler(broker)
const bound = [
  ...queueHandlers(broker, sampler),
  ...sessionHandlers(broker),
  ...connectionHandlers(broker, sampler),
  ...subscriptionHandlers(broker),
  ...consumerHandlers(broker),
  ...topicHandlers(broker),
  ...retainedHandlers(broker),
]

function list<C extends Call>(name: string, route: Route<C>, query: C['query']): void {
  const found = bound.find((each) => each.route.id === route.id)
  if (found?.kind !== 'call') throw new Error(`nothing is bound to ${route.id}`)
  const request = {
    params: { vhost: vhost.name },
    query,
    body: undefined,
    caller: ADMINISTRATOR,
    signal: new AbortController().signal,
    note: () => {},
  }
  bench(`${route.id} ${name}`, async () => {
    const answer = Promise.resolve(found.handler(request))
    world.advance(0) // what is done in pieces goes on
    await answer
  })
}

list('by name', listQueues, {})
list('by messages', listQueues, { sort: '-readyCount' })
list('by rate', listQueues, { sort: '-inPerSecond' })
list('the oldest first', listQueues, { sort: '-oldestAgeMs' })
list('by text', listQueues, { q: 'q99' })
list('unhealthy', listQueues, { unhealthy: true, limit: 500 })
list('by client', listSessions, {})
list('with a backlog, by it', listSessions, { backlog: true, sort: '-waitingCount' })
list('by coming', listConnections, {})
list('by bytes', listConnections, { sort: '-bytesIn', q: 'device-9' })
list('by rate', listConnections, { sort: '-messagesInPerSecond' })
list('unhealthy', listConnections, { unhealthy: true })
list('by client', listSubscriptions, {})
list('of a topic', listSubscriptions, { topic: 'devices/77/state' })
list('by queue', listConsumers, {})
list('first level', listTopics, {})
list('a wide level', listTopics, { parent: 'devices' })
list('all', listRetained, {})
bench('all depths', () => depthsOf(vhost))
bench('one sample of all rates', () => world.advance(1_000))

sampler.watch(() => {})
await run()
