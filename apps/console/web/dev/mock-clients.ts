/** What the made-up broker answers about itself, its clients and topics. */
import * as api from '@ternmq/api'
import * as made from './made-up.ts'
import { type Answering, missing, on, pageOf, Refusal } from './mock-tools.ts'

const NOTHING: api.Totals = {
  messagesIn: 0,
  messagesOut: 0,
  settled: 0,
  bytesIn: 0,
  bytesOut: 0,
  unmatched: 0,
  dropped: 0,
  expired: 0,
  redelivered: 0,
  deadLettered: 0,
  refused: 0,
}
const TOTALS: api.Totals = {
  messagesIn: 8_420_113,
  messagesOut: 9_630_870,
  settled: 9_629_400,
  bytesIn: 2_200_000_000,
  bytesOut: 2_600_000_000,
  unmatched: 812,
  dropped: 120,
  expired: 44,
  redelivered: 1_230,
  deadLettered: 60,
  refused: 17,
}

function rates(atMs: number, share = 1): api.Rates {
  const wave = 1 + 0.3 * Math.sin(atMs / 40_000) + 0.12 * Math.sin(atMs / 7_000)
  return {
    inPerSecond: Math.round(share * 8_200 * wave),
    outPerSecond: Math.round(share * 9_400 * wave),
    settledPerSecond: Math.round(share * 9_300 * wave),
    bytesInPerSecond: Math.round(share * 2_400_000 * wave),
    bytesOutPerSecond: Math.round(share * 2_900_000 * wave),
  }
}

export function overviewSample(atMs: number): api.OverviewSample {
  const wave = Math.sin(atMs / 60_000)
  return {
    atMs,
    rates: rates(atMs),
    readyCount: Math.round(121_000 + 9_000 * wave),
    inflightCount: Math.round(1_900 + 260 * Math.sin(atMs / 11_000)),
    connections: 640 + Math.round(6 * Math.sin(atMs / 30_000)),
    rssBytes: 241_000_000 + Math.round(9_000_000 * wave),
    cpuShare: 0.34 + 0.1 * Math.sin(atMs / 23_000),
  }
}

function overview(): api.Overview {
  const atMs = Date.now()
  const { readyCount, inflightCount, connections, rssBytes } = overviewSample(atMs)
  return {
    atMs,
    node: {
      version: '0.1.0',
      node: '24.21.0',
      platform: 'linux x64',
      pid: 4_711,
      hostName: 'broker-1',
      dataDir: '/var/lib/ternmq',
      startedAtMs: made.START_MS,
    },
    counts: {
      connections,
      sessions: made.sessions.length,
      queues: made.queues.length,
      consumers: 212,
      subscriptions: 1_480,
      retained: 4_210,
      schedules: 3,
    },
    readyCount,
    inflightCount,
    totals: TOTALS,
    byProtocol: ['MQTT 5', 'MQTT 3.1.1', 'STOMP 1.2', 'AMQP 1.0'].map((protocol, index) => ({
      protocol,
      connections: 160,
      totals: { ...NOTHING, messagesIn: 2_100_000 - index * 300_000, messagesOut: 2_400_000 - index * 100_000 },
      rates: rates(atMs, 0.4 - index * 0.1),
    })),
    rates: rates(atMs),
    memory: { rssBytes, heapBytes: 88_000_000, waitingBytes: 61_000_000, waitingBytesMax: 268_435_456 },
    disk: {
      engine: 'journal',
      durability: 'a loss of power (fsync-local)',
      usedBytes: 4_800_000_000,
      maxBytes: 0,
      freeBytes: 31_000_000_000,
    },
    eventLoop: { p50Ms: 0.4, p99Ms: 6.1, utilization: 0.34 },
    alarms: [
      {
        id: 'queues-blocking',
        severity: 'critical',
        text: 'One queue is full and its publishers wait: read from it, or let it hold more.',
        link: '/queues?unhealthy=true',
      },
      {
        id: 'certificate',
        severity: 'warning',
        text: 'The certificate of mqtts ends in 9 days: put a new one in its place.',
        link: '/listeners',
      },
    ],
  }
}

export const me: api.Me = {
  user: 'admin',
  role: 'administrator',
  scopes: ['read', 'operate', 'admin', 'messages'],
  by: 'cookie',
  csrfToken: 'made-up',
}

export function makeEvent(id: number, atMs: number): api.EventItem {
  const end = made.ended[id % made.ended.length]!
  return {
    id,
    atMs,
    kind: ['refused', 'closed', 'slow-consumer', 'takeover'][id % 4]!,
    source: end.protocol.startsWith('MQTT') ? 'mqtt' : 'stomp',
    listener: end.listener,
    peer: `${end.address}:${end.port}`,
    clientId: end.clientId,
    user: end.user,
    text: end.reason,
    clause: end.clause,
  }
}

const TOPICS: Readonly<Record<string, readonly string[]>> = {
  '': ['alarms', 'devices', 'site'],
  site: ['1', '2', '3'],
  'site/1': ['temperature', 'humidity'],
  'site/2': ['temperature'],
  devices: ['d-1', 'd-2'],
  alarms: ['fire'],
}

function topicNodes(parent: string): api.TopicNode[] {
  return (TOPICS[parent] ?? []).map((name, index) => {
    const topic = parent === '' ? name : `${parent}/${name}`
    return {
      name,
      topic,
      hasChildren: TOPICS[topic] !== undefined,
      subscriptionCount: index,
      retained: TOPICS[topic] === undefined,
    }
  })
}

const retained: api.RetainedItem[] = ['site/1/temperature', 'site/1/humidity', 'site/2/temperature', 'alarms/fire'].map(
  (topic, index) => ({
    topic,
    bytes: 210,
    bodyBytes: 109,
    publisher: `sensor-${index}`,
    format: 'mqtt5',
    expiresAtMs: index === 3 ? Date.now() + 3_600_000 : undefined,
  }),
)

export const clientAnswers: readonly Answering[] = [
  on(api.getMe, () => me),
  on(api.login, ({ body }) => {
    if (body.password !== 'tern')
      throw new Refusal({
        code: 'LOGIN_REFUSED',
        status: 401,
        title: 'The login is refused',
        detail: 'User or password is wrong. After five failed logins the address has to wait.',
      })
    return { ...me, user: body.user }
  }),
  on(api.logout, () => undefined as never),
  on(api.getOverview, overview),
  on(api.getOverviewHistory, () => ({
    samples: Array.from({ length: 240 }, (_, index) => overviewSample(Date.now() - (240 - index) * 1_000)),
  })),
  on(api.listListeners, () => ({
    items: [
      {
        name: 'mqtt',
        protocols: ['mqtt'],
        host: '127.0.0.1',
        port: 1_883,
        tls: false,
        webSocket: false,
        anonymous: false,
        openCount: 310,
        acceptedCount: 9_212,
        refusedCount: 3,
        connectionsMax: 10_000,
      },
      {
        name: 'mqtts',
        protocols: ['mqtt'],
        host: '0.0.0.0',
        port: 8_883,
        tls: true,
        webSocket: false,
        anonymous: false,
        openCount: 160,
        acceptedCount: 820,
        refusedCount: 14,
        connectionsMax: 10_000,
        certificate: {
          subject: 'CN=broker.example.org',
          notAfterMs: Date.now() + 9 * 86_400_000,
          isDevelopment: false,
        },
      },
      {
        name: 'ws',
        protocols: ['mqtt', 'stomp', 'amqp'],
        host: '127.0.0.1',
        port: 8_083,
        tls: false,
        webSocket: true,
        anonymous: true,
        openCount: 160,
        acceptedCount: 400,
        refusedCount: 0,
        connectionsMax: 10_000,
      },
      {
        name: 'amqp',
        protocols: ['amqp10'],
        host: '127.0.0.1',
        port: 5_672,
        tls: false,
        webSocket: false,
        profile: 'activemq',
        anonymous: false,
        openCount: 10,
        acceptedCount: 55,
        refusedCount: 0,
        connectionsMax: 10_000,
      },
    ],
  })),
  on(api.listEvents, ({ query }) => ({
    items: Array.from({ length: 60 }, (_, index) =>
      makeEvent(Number(query['before'] ?? 600) - 1 - index, Date.now() - index * 8_000),
    ).filter(({ id, kind }) => id > 0 && (query['kind'] === undefined || kind === query['kind'])),
    lastId: 599,
  })),
  on(api.listConnections, ({ query }) =>
    pageOf(
      made.connections.filter(
        ({ protocol, listener, user }) =>
          [query['protocol'] ?? protocol, query['listener'] ?? listener, query['user'] ?? user].join() ===
          [protocol, listener, user].join(),
      ),
      query,
      ['clientId', 'user', 'address'],
    ),
  ),
  on(api.getConnection, ({ params }) => {
    const found = made.connections.find(({ id }) => id === params['id'])
    if (found === undefined) throw missing('CONNECTION_UNKNOWN', `connection ${params['id']}`)
    return { ...found, subscriptions: made.subscriptions, sessionExpiryMs: 86_400_000, heartbeatMs: 60_000 }
  }),
  on(api.closeConnection, () => undefined as never),
  on(api.listConnectionHistory, ({ query }) =>
    pageOf(
      made.ended.filter(
        ({ endedBy, clientId }) =>
          endedBy === (query['endedBy'] ?? endedBy) && clientId.includes(query['clientId'] ?? ''),
      ),
      query,
      ['clientId'],
    ),
  ),
  on(api.listSessions, ({ query }) =>
    pageOf(
      made.sessions.filter(
        (one) =>
          (query['connected'] === undefined || String(one.connected) === query['connected']) &&
          (query['backlog'] !== 'true' || one.waitingCount > 0),
      ),
      query,
      ['clientId', 'user'],
    ),
  ),
  on(api.getSession, ({ params }) => {
    const found = made.sessions.find(({ clientId }) => clientId === params['clientId'])
    if (found === undefined) throw missing('SESSION_UNKNOWN', `session '${params['clientId']}'`)
    return { ...found, subscriptions: made.subscriptions, hasWill: true }
  }),
  on(api.deleteSession, () => undefined as never),
  on(api.browseSession, ({ query }) =>
    pageOf(
      Array.from({ length: 30 }, (_, index) => made.makeMessage('session', index + 3)),
      { ...query, q: '' },
      ['id'],
    ),
  ),
  on(api.listSubscriptions, ({ query }) =>
    pageOf(
      made.sessions.slice(0, 90).map((one, index) => ({
        ...made.subscriptions[index % 3]!,
        clientId: one.clientId,
        user: one.user,
        protocol: one.protocol,
        connected: one.connected,
        waitingCount: one.waitingCount,
      })),
      query,
      ['clientId', 'address'],
    ),
  ),
  on(api.listTopics, ({ query }) => ({ items: topicNodes(query['parent'] ?? '') })),
  on(api.listRetained, ({ query }) => pageOf(retained, { ...query, q: '' }, ['topic'])),
  on(api.getRetained, ({ params }) => {
    const item = retained.find(({ topic }) => topic === params['topic'])
    if (item === undefined) throw missing('TOPIC_UNKNOWN', `retained message of ${params['topic']}`)
    const message = made.makeMessage('topic', 0)
    return { ...item, message, properties: message.properties, body: message.body }
  }),
  on(api.deleteRetained, () => undefined as never),
  on(api.listSchedules, ({ query }) =>
    pageOf(
      [
        {
          id: 's-1',
          address: '$queue/reports.nightly',
          user: 'reports',
          nextAtMs: Date.now() + 20_000_000,
          cron: '0 2 * * *',
          periodMs: 0,
          left: null,
          durable: true,
        },
        {
          id: 's-2',
          address: 'site/1/refresh',
          user: 'anonymous',
          nextAtMs: Date.now() + 30_000,
          cron: '',
          periodMs: 60_000,
          left: 12,
          durable: true,
        },
        {
          id: 's-3',
          address: '$queue/mail.retry',
          user: 'mail',
          nextAtMs: Date.now() + 5_000,
          cron: '',
          periodMs: 0,
          left: 1,
          durable: false,
        },
      ],
      query,
      ['address'],
    ),
  ),
  on(api.cancelSchedule, () => undefined as never),
  on(api.publishMessage, () => ({ outcome: 'routed' as const })),
  on(api.takeMessages, () => ({ items: [] })),
  on(api.settleMessages, ({ body }) => ({ settledCount: body.deliveries.length, unknown: [] })),
]
