/** Ten thousand of everything: what each list and filter takes, over HTTP, as a page of the console asks for it. */
import {
  DEFAULT_VHOST,
  getOverview,
  listConnections,
  listConsumers,
  listQueues,
  listSessions,
  listSubscriptions,
} from '@ternmq/api'
import { BrokerProcess } from '@ternmq/lab'

import { CountingClient } from '../counting-client.ts'
import { publishToEach } from '../queues/load-client.ts'
import { connectPacket, subscribePacket } from '../wire.ts'
import { BenchApi, type Times } from './api.ts'

const CALLS = 30
const VHOST = { vhost: DEFAULT_VHOST }
const CONNACK_BYTES = 4
const SUBACK_BYTES = 5
/** Connections that are made at once. */
const OPENING_MAX = 200

export interface ListTime extends Times {
  readonly list: string
}

export interface Lists {
  /** The first call of all: what answers is loaded for it. */
  readonly firstMs: number
  readonly times: readonly ListTime[]
}

export async function measureLists(queueCount: number, connectionCount: number): Promise<Lists> {
  const config = { limits: { maxConnections: connectionCount + 100 } }
  await using broker = await BrokerProcess.start({ config })
  using api = new BenchApi(broker)
  const queues = Array.from({ length: queueCount }, (_, index) => `$queue/bench.${index % 10}.${index}`)
  await publishToEach(broker.port(), queues, 16)
  const clients = await connectAll(broker.port(), connectionCount)
  try {
    const time: BenchApi['time'] = (route, input, count) => api.time(route, input, count)
    const { medianMs: firstMs } = await time(getOverview, {}, 1)
    const times = [
      { list: 'overview', ...(await time(getOverview, {}, CALLS)) },
      { list: 'queues by name', ...(await time(listQueues, { params: VHOST }, CALLS)) },
      {
        list: 'queues, the fullest first',
        ...(await time(listQueues, { params: VHOST, query: { sort: '-readyCount' } }, CALLS)),
      },
      {
        list: 'queues with "7.9" in their name',
        ...(await time(listQueues, { params: VHOST, query: { q: '7.9' } }, CALLS)),
      },
      {
        list: 'queues with a problem',
        ...(await time(listQueues, { params: VHOST, query: { unhealthy: true } }, CALLS)),
      },
      {
        list: 'connections, the busiest first',
        ...(await time(listConnections, { query: { sort: '-messagesIn' } }, CALLS)),
      },
      { list: 'connections with "99" in their name', ...(await time(listConnections, { query: { q: '99' } }, CALLS)) },
      { list: 'connections with a problem', ...(await time(listConnections, { query: { unhealthy: true } }, CALLS)) },
      { list: 'sessions', ...(await time(listSessions, { params: VHOST, query: { sort: '-waitingCount' } }, CALLS)) },
      { list: 'subscriptions', ...(await time(listSubscriptions, { params: VHOST }, CALLS)) },
      {
        list: 'who would get a message',
        ...(await time(listSubscriptions, { params: VHOST, query: { topic: 'bench/1/state' } }, CALLS)),
      },
      { list: 'consumers', ...(await time(listConsumers, { params: VHOST }, CALLS)) },
    ]
    return { firstMs, times }
  } finally {
    for (const client of clients) client.close()
  }
}

/** Each with a subscription of its own. */
async function connectAll(port: number, count: number): Promise<CountingClient[]> {
  const clients: CountingClient[] = []
  const open = async (index: number): Promise<void> => {
    const client = await CountingClient.open(port)
    clients.push(client)
    const answered = client.receive(CONNACK_BYTES + SUBACK_BYTES)
    client.send(Buffer.concat([connectPacket(4, `bench-${index}`), subscribePacket(4, 1, [`bench/${index}/state`], 0)]))
    await answered
  }
  for (let at = 0; at < count; at += OPENING_MAX) {
    await Promise.all(Array.from({ length: Math.min(OPENING_MAX, count - at) }, (_, index) => open(at + index)))
  }
  return clients
}
