/** Schemas of the broker as a whole. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import {
  getOverview,
  getOverviewHistory,
  listEvents,
  listListeners,
  watchStream,
  type EventItem,
  type EventQuery,
  type ListenerItem,
  type Overview,
  type OverviewSample,
  type Rates,
  type StreamQuery,
  type Totals,
} from '../resources/overview.ts'
import { PAGE_LIMIT_MAX } from '../page.ts'
import {
  ADDRESS_CHARS_MAX,
  amount,
  choice,
  component,
  count,
  flag,
  list,
  moment,
  name,
  schemasFor,
  type SchemaEntry,
  search,
  text,
  timeQuery,
  TEXT_CHARS_MAX,
  whole,
} from './fields.ts'

const rates = component(
  'Rates',
  typed<Rates>()(
    z.strictObject({
      inPerSecond: amount('Messages a second that came in.', 1200),
      outPerSecond: amount('Messages a second that were delivered.', 1190),
      settledPerSecond: amount('Deliveries a second that were settled.', 1188),
      bytesInPerSecond: amount('Bytes a second that came in.', 307_200),
      bytesOutPerSecond: amount('Bytes a second that were delivered.', 304_640),
    }),
  ),
)

const totals = component(
  'Totals',
  typed<Totals>()(
    z.strictObject({
      messagesIn: count('Messages that came in.', 90_210),
      messagesOut: count('Deliveries.', 90_105),
      settled: count('Deliveries that were settled.', 90_100),
      bytesIn: count('Bytes that came in.', 23_093_760),
      bytesOut: count('Bytes that were delivered.', 23_066_880),
      unmatched: count('Messages that nobody wanted.', 12),
      dropped: count('Messages dropped because a limit was reached.', 0),
      expired: count('Messages whose time to live ended.', 3),
      redelivered: count('Deliveries that were not the first of their message.', 4),
      deadLettered: count('Messages that became dead letters.', 2),
      refused: count('Messages that were refused.', 1),
    }),
  ),
)

const overview = component(
  'Overview',
  typed<Overview>()(
    z.strictObject({
      atMs: moment('When these numbers were read.'),
      node: z
        .strictObject({
          version: text('Version of the broker.', '0.1.0'),
          node: text('Version of Node.', '24.21.0'),
          platform: text('System and processor.', 'linux x64'),
          pid: count('Process id.', 4711),
          hostName: text('Name of the machine.', 'broker-1'),
          dataDir: text('Folder with the data; empty without one.', '/var/lib/ternmq'),
          startedAtMs: moment('When the process began.', 1_795_790_000_000),
        })
        .meta({ description: 'The process.' }),
      counts: z
        .strictObject({
          connections: count('Clients that are connected.', 42),
          sessions: count('Sessions, connected or not.', 57),
          queues: count('Queues.', 18),
          consumers: count('Consumers of queues.', 33),
          subscriptions: count('Subscriptions of topics.', 120),
          retained: count('Topics with a retained message.', 64),
          schedules: count('Messages to be sent later.', 5),
        })
        .meta({ description: 'How many of everything.' }),
      readyCount: count('Messages that wait, in queues and sessions.', 1042),
      inflightCount: count('Messages delivered and not settled.', 12),
      totals,
      byProtocol: list(
        z.strictObject({
          protocol: text('Protocol.', 'mqtt'),
          connections: count('Clients that are connected with it.', 30),
          totals,
          rates: rates.optional(),
        }),
        'The same for each protocol.',
      ),
      rates: rates.optional(),
      memory: z
        .strictObject({
          rssBytes: count('Memory of the process.', 98_566_144),
          heapBytes: count('JavaScript heap in use.', 31_457_280),
          waitingBytes: count('Memory of messages that wait.', 1_048_576),
          waitingBytesMax: count('Most of it before publishers have to wait.', 536_870_912),
        })
        .meta({ description: 'Memory.' }),
      disk: z
        .strictObject({
          engine: choice(['journal', 'memory'], 'Where messages are kept.'),
          durability: text('What an acknowledged persistent message survives, by default.', 'fsync-local'),
          usedBytes: count('Bytes of the store.', 67_108_864),
          maxBytes: count('Most of it; 0: what the disk has.', 0),
          freeBytes: count('Free bytes of the disk; left out without one.', 42_949_672_960).optional(),
        })
        .meta({ description: 'Disk.' }),
      eventLoop: z
        .strictObject({
          p50Ms: amount('How late a timer is, median.', 0.4),
          p99Ms: amount('How late a timer is, 99 of 100 are not later.', 3.1),
          utilization: amount('Share of its time in which the thread is busy, 0 to 1.', 0.12),
        })
        .meta({ description: 'How busy the thread is.' }),
      alarms: list(
        z.strictObject({
          id: text('Name of the alarm.', 'queues-blocking'),
          severity: choice(['warning', 'critical'], 'How bad it is.'),
          text: text(
            'What is wrong and what to do.',
            '1 queue is full and its publishers wait; add consumers or room.',
          ),
          link: text('Page of the console that explains it.', '/queues?unhealthy=true'),
        }),
        'What is wrong now.',
      ),
    }),
  ),
)

const sample = component(
  'OverviewSample',
  typed<OverviewSample>()(
    z.strictObject({
      atMs: moment('When the second ended.'),
      rates: rates.optional(),
      readyCount: count('Messages that wait.', 1042),
      inflightCount: count('Messages delivered and not settled.', 12),
      connections: count('Clients that are connected.', 42),
      rssBytes: count('Memory of the process.', 98_566_144),
      cpuShare: amount(
        'Processor time in this second: 1 is one core; left out where it is not known yet.',
        0.21,
      ).optional(),
    }),
  ),
)

const listener = component(
  'Listener',
  typed<ListenerItem>()(
    z.strictObject({
      name: text('Name in the configuration.', 'mqtts'),
      protocols: list(text('Protocol.', 'MQTT'), 'What is spoken there.'),
      host: text('Address that it is bound to.', '127.0.0.1'),
      port: count('Port.', 8883, 65_535),
      tls: flag('Whether connections are encrypted.'),
      webSocket: flag('Whether they are WebSockets.', false),
      profile: text('How addresses are read, where the protocol leaves a choice.', 'activemq').optional(),
      anonymous: flag('Whether clients without a login may come in.', false),
      openCount: count('Connections now.', 12),
      acceptedCount: count('Connections since the start.', 130),
      refusedCount: count('Connections that were refused.', 2),
      connectionsMax: count('Most connections at once.', 100_000),
      certificate: z
        .strictObject({
          subject: text('Subject.', 'CN=broker-1'),
          notAfterMs: moment('When it ends.', 1_827_331_200_000),
          isDevelopment: flag('Made by the broker for trying out.', false),
          problem: text(
            'Why the files that are there now are not used; missing when they are.',
            '/etc/ternmq/tls/server.pem is not a PEM certificate',
          ).optional(),
        })
        .meta({ description: 'The certificate that clients see.' })
        .optional(),
    }),
  ),
)

const EVENT_ID = 179_579_000_000_311

const event = component(
  'Event',
  typed<EventItem>()(
    z.strictObject({
      id: count('Ascending; those of a later process are greater.', EVENT_ID),
      atMs: moment('When it happened.'),
      kind: text('What happened.', 'connection-ended'),
      source: text('Part of the broker that tells it.', 'mqtt'),
      listener: text('Listener of the connection; empty without one.', 'mqtt'),
      peer: text('Address of the client.', '192.0.2.7:51514'),
      clientId: text('Client id; empty before there is one.', 'sensor-7'),
      user: text('User; empty before there is one.', 'ann'),
      text: text('What it was, in a sentence.', 'the client kept silent for 90 s'),
      clause: text('The rule that was broken; empty when none was.', 'MQTT5-3.1.2-22'),
    }),
  ),
)

const eventQuery = typed<EventQuery>()(
  z.strictObject({
    limit: z
      .int()
      .min(1)
      .max(PAGE_LIMIT_MAX)
      .meta({ description: 'Events at most; 100 when left out.', examples: [50] })
      .optional(),
    before: count('Only older ones than this id; one of an earlier process is as none.', EVENT_ID).optional(),
    ...timeQuery(),
    kind: text('Only of this kind.', 'connection-ended', TEXT_CHARS_MAX).optional(),
    clientId: text('Only of this client.', 'sensor-7', ADDRESS_CHARS_MAX).optional(),
    user: text('Only of this user.', 'ann', TEXT_CHARS_MAX).optional(),
    q: search(),
  }),
)

const streamQuery = typed<StreamQuery>()(
  z.strictObject({
    watch: name('What to watch: up to 16 names with commas between them.', 'overview,queue:orders', ADDRESS_CHARS_MAX),
    vhost: name('Virtual host; `/` when left out.', '/').optional(),
  }),
)

export const overviewSchemas: readonly SchemaEntry[] = [
  schemasFor(getOverview, { answer: overview }),
  schemasFor(getOverviewHistory, {
    answer: z.strictObject({ samples: list(sample, 'One for each second, the oldest first.') }),
  }),
  schemasFor(listListeners, { answer: whole(listener) }),
  schemasFor(listEvents, {
    query: eventQuery,
    answer: z.strictObject({
      items: list(event, 'The newest first.'),
      lastId: count(
        'Of the newest event of all: a stream with it as `Last-Event-ID` goes on where this list ends.',
        EVENT_ID,
      ),
    }),
  }),
  schemasFor(watchStream, { query: streamQuery }),
]
