/** A made-up broker with something of everything, the same at each start: for building pages, and for pictures of them. */
import type {
  ConnectionItem,
  ConsumerItem,
  EndedConnection,
  MessageDetail,
  QueueItem,
  SessionItem,
  SubscriptionInfo,
} from '@ternmq/api'

/** Numbers that look like chance, from a seed: the same at each start. */
export function makeChance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const chance = makeChance(7)
const upTo = (max: number): number => Math.floor(chance() * max)
const pick = <T>(list: readonly T[]): T => list[upTo(list.length)]!

export const START_MS: number = Date.now() - 93_600_000

const AREAS = ['orders', 'billing', 'shipping', 'stock', 'mail', 'reports', 'devices', 'audit']
const STEPS = ['new', 'paid', 'packed', 'sent', 'failed', 'retry', 'archive']

function makeQueue(name: string, over: Partial<QueueItem> = {}): QueueItem {
  const messagesIn = upTo(900_000)
  const readyCount = chance() < 0.5 ? 0 : upTo(chance() < 0.1 ? 90_000 : 400)
  const consumerCount = upTo(5)
  const problem = readyCount > 0 && consumerCount === 0 ? 'it has no consumer' : undefined
  return {
    name,
    kind: 'queue',
    durability: 'fsync-local',
    automatic: chance() < 0.3,
    paused: false,
    blocking: false,
    readyCount,
    readyBytes: readyCount * (200 + upTo(800)),
    inflightCount: consumerCount === 0 ? 0 : upTo(60),
    delayedCount: chance() < 0.1 ? upTo(9) : 0,
    consumerCount,
    messagesIn,
    messagesOut: Math.max(0, messagesIn - readyCount),
    settledCount: Math.max(0, messagesIn - readyCount - 20),
    redeliveredCount: upTo(40),
    deadLetteredCount: chance() < 0.2 ? upTo(60) : 0,
    expiredCount: 0,
    droppedCount: 0,
    inPerSecond: Math.round(chance() ** 3 * 4_000) / 10,
    outPerSecond: consumerCount === 0 ? 0 : Math.round(chance() ** 3 * 4_000) / 10,
    deadLetter: 'DLQ',
    isDeadLetter: false,
    problem,
    ...over,
  }
}

export const queues: QueueItem[] = [
  makeQueue('DLQ', {
    isDeadLetter: true,
    readyCount: 48,
    consumerCount: 0,
    problem: undefined,
    deadLetter: '',
    messagesIn: 60,
  }),
  makeQueue('billing.invoices', { paused: true, readyCount: 1_204, problem: 'It is paused; 1,204 messages wait' }),
  makeQueue('orders.new', {
    readyCount: 312,
    consumerCount: 4,
    inflightCount: 40,
    problem: undefined,
    inPerSecond: 212.4,
    outPerSecond: 208.1,
  }),
  makeQueue('reports.nightly', {
    readyCount: 100_000,
    blocking: true,
    consumerCount: 1,
    problem: 'It is full (100,000 messages): publishers wait for room',
  }),
  makeQueue('<img src=x onerror=alert(1)>', { readyCount: 1 }),
  makeQueue('dashboard/1:devices', { kind: 'subscription', deadLetter: '' }),
  makeQueue('tmp.9f31', { kind: 'temporary', readyCount: 0, durability: 'memory' }),
  ...AREAS.flatMap((area) => STEPS.map((step) => `${area}.${step}`))
    .filter((name) => name !== 'orders.new')
    .map((name) => makeQueue(name)),
  ...Array.from({ length: 1_200 }, (_, index) =>
    makeQueue(`site.${String(index % 40).padStart(2, '0')}.sensor.${index}`, { automatic: true }),
  ),
]

const PROTOCOLS = ['MQTT 5', 'MQTT 3.1.1', 'STOMP 1.2', 'AMQP 1.0'] as const
const LISTENER_OF = { 'MQTT 5': 'mqtt', 'MQTT 3.1.1': 'mqtts', 'STOMP 1.2': 'ws', 'AMQP 1.0': 'amqp' } as const

function makeConnection(index: number): ConnectionItem {
  const protocol = PROTOCOLS[index % PROTOCOLS.length]!
  return {
    id: String(1_000 + index),
    vhost: '/',
    protocol,
    listener: LISTENER_OF[protocol],
    address: `10.0.${upTo(4)}.${upTo(250)}`,
    port: 30_000 + upTo(30_000),
    tls: protocol === 'MQTT 3.1.1' ? 'TLSv1.3' : undefined,
    webSocket: LISTENER_OF[protocol] === 'ws',
    clientId: index === 3 ? '<b>bold</b>' : `${pick(['sensor', 'gateway', 'worker', 'dashboard'])}-${index}`,
    user: pick(['device', 'app', 'ops', 'anonymous']),
    connectedAtMs: START_MS + upTo(90_000_000),
    bytesIn: upTo(90_000_000),
    bytesOut: upTo(90_000_000),
    messagesIn: upTo(400_000),
    messagesOut: upTo(400_000),
    messagesInPerSecond: Math.round(chance() ** 3 * 900) / 10,
    messagesOutPerSecond: Math.round(chance() ** 3 * 900) / 10,
    pendingBytes: index === 5 ? 4_194_304 : 0,
    subscriptionCount: upTo(5),
    unsettledCount: upTo(20),
    problem: index === 5 ? 'It reads slowly: 4 MiB wait to be sent for 31 s' : undefined,
  }
}

export const connections: ConnectionItem[] = Array.from({ length: 640 }, (_, index) => makeConnection(index))

export const subscriptions: SubscriptionInfo[] = [
  { address: 'site/+/temperature', kind: 'topic', assurance: 1, noLocal: false, unsettledCount: 2 },
  {
    address: 'alarms/#',
    kind: 'topic',
    group: 'desk',
    queue: 'desk:alarms/#',
    assurance: 1,
    noLocal: false,
    unsettledCount: 0,
  },
  {
    address: '$queue/orders.new',
    kind: 'queue',
    queue: 'orders.new',
    assurance: 1,
    selector: "colour = 'red' AND priority > 4",
    noLocal: false,
    credit: 100,
    unsettledCount: 12,
  },
]

const ENDS: ReadonlyArray<Pick<EndedConnection, 'endedBy' | 'reason' | 'clause'>> = [
  { endedBy: 'client', reason: 'The client said goodbye', clause: '' },
  { endedBy: 'broker', reason: 'No packet for one and a half times the keep alive of 60 s', clause: 'MQTT5-3.1.2-22' },
  { endedBy: 'network', reason: 'The connection was reset by the other side', clause: '' },
  { endedBy: 'takeover', reason: 'Another connection came with the same client id', clause: 'MQTT5-3.1.4-3' },
  { endedBy: 'operator', reason: 'Closed by admin: maintenance', clause: '' },
  { endedBy: 'broker', reason: 'A PUBLISH had a topic name with a wildcard: a/#', clause: 'MQTT5-3.3.2-2' },
]

export const ended: EndedConnection[] = connections.slice(0, 180).map((one, index) => ({
  ...one,
  id: String(index),
  ...ENDS[index % ENDS.length]!,
  endedAtMs: Date.now() - index * 40_000,
}))

export const sessions: SessionItem[] = connections
  .filter(({ protocol }) => protocol.startsWith('MQTT'))
  .map((one, index) => ({
    clientId: one.clientId,
    user: one.user,
    connected: index % 3 !== 0,
    connectionId: index % 3 === 0 ? undefined : one.id,
    protocol: one.protocol,
    durable: index % 2 === 0,
    expiryMs: index % 5 === 0 ? null : 86_400_000,
    waitingCount: index % 3 === 0 ? upTo(900) : 0,
    waitingBytes: index % 3 === 0 ? upTo(900_000) : 0,
    inflightCount: upTo(10),
    droppedCount: index === 6 ? 120 : 0,
    subscriptionCount: upTo(4),
    problem: index === 6 ? '120 messages were dropped: its queue was full' : undefined,
  }))

export function consumersOf(queue: QueueItem): ConsumerItem[] {
  return Array.from({ length: queue.consumerCount }, (_, index) => ({
    queue: queue.name,
    clientId: `worker-${index + 1}`,
    user: 'app',
    protocol: index % 2 === 0 ? 'AMQP 1.0' : 'STOMP 1.2',
    connectionId: String(1_000 + index),
    attached: true,
    credit: index === 1 ? 0 : 100,
    unsettledCount: upTo(30),
    priority: 0,
    exclusive: false,
    browsing: false,
    selector: index === 2 ? "region = 'north'" : undefined,
  }))
}

const CAUSES = ['rejected', 'deliveries', 'expired'] as const
const BODIES: ReadonlyArray<MessageDetail['body']> = [
  {
    encoding: 'json',
    value:
      '{"order":4711,"items":[{"sku":"A-1","count":2},{"sku":"B-7","count":1}],"note":"<script>alert(1)</script>"}',
    bytes: 109,
    truncated: false,
  },
  { encoding: 'text', value: 'Grüße from the north', bytes: 21, truncated: false },
  { encoding: 'base64', value: 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh/erb7v', bytes: 36, truncated: false },
]

export function makeMessage(queue: string, index: number): MessageDetail {
  const isDead = queue === 'DLQ'
  const body = BODIES[index % BODIES.length]!
  const cause = CAUSES[index % CAUSES.length]!
  return {
    id: String(900_000 + index),
    state: index < 3 && !isDead ? 'in flight' : 'waiting',
    address: isDead ? '$queue/orders.new' : `$queue/${queue}`,
    bytes: body.bytes + 180,
    bodyBytes: body.bytes,
    durable: index % 4 !== 0,
    priority: index % 7 === 0 ? 9 : 4,
    publisher: `sensor-${index % 9}`,
    redelivered: index % 5 === 0,
    failedCount: isDead ? 10 : index % 5 === 0 ? 1 : 0,
    format: ['mqtt5', 'stomp', 'amqp10', 'http'][index % 4]!,
    messageId: `m-${index}`,
    contentType: body.encoding === 'json' ? 'application/json' : undefined,
    arrivedAtMs: index % 4 === 0 ? undefined : Date.now() - index * 61_000,
    timestampMs: index % 4 === 2 ? Date.now() - index * 61_000 - 400 : undefined,
    deadLetter: isDead
      ? {
          cause,
          reason: cause === 'rejected' ? 'the order has no customer' : undefined,
          originalQueue: index % 4 === 0 ? 'billing.paid' : 'orders.new',
          originalAddress: '$queue/orders.new',
          atMs: Date.now() - index * 900_000,
        }
      : undefined,
    properties: [
      ['colour', index % 2 === 0 ? 'red' : 'blue'],
      ['region', 'north'],
      ['region', 'east'],
    ],
    annotations: { 'x-opt-hops': 1 },
    body,
  }
}
