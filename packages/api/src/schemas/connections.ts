/** Schemas of connections, sessions and subscriptions. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { ListQuery, VhostParams } from '../page.ts'
import {
  type AnyConnection,
  closeConnection,
  type ConnectionDetail,
  type ConnectionItem,
  type ConnectionQuery,
  deleteSession,
  type EndedConnection,
  getConnection,
  getSession,
  type HistoryQuery,
  listConnectionHistory,
  listConnections,
  listSessions,
  listSubscriptions,
  type SessionDetail,
  type SessionItem,
  type SessionParams,
  type SessionQuery,
  type SubscriptionInfo,
  type SubscriptionItem,
} from '../resources/connections.ts'
import {
  ADDRESS_CHARS_MAX,
  amount,
  choice,
  component,
  count,
  cursorAndLimit,
  flag,
  list,
  listQuery,
  moment,
  name,
  page,
  schemasFor,
  type SchemaEntry,
  type Shape,
  text,
  TEXT_CHARS_MAX,
  unhealthy,
  timeQuery,
  vhost,
} from './fields.ts'

const lastingFields: Shape<AnyConnection> = {
  id: text('Unique while the process lives.', '17'),
  vhost: text('Virtual host.', '/'),
  protocol: text('Protocol with its version.', 'MQTT 5'),
  listener: text('Listener that it came in by.', 'mqtt'),
  address: text('Address of the client.', '192.0.2.7'),
  port: count('Port of the client.', 51_514, 65_535),
  tls: text('Version of TLS; left out without it.', 'TLSv1.3').optional(),
  webSocket: flag('Whether it is a WebSocket.', false),
  clientId: text('Client id.', 'sensor-7'),
  user: text('User.', 'device'),
  connectedAtMs: moment('When it began.', 1_795_791_600_000),
  bytesIn: count('Bytes from the client.', 52_480),
  bytesOut: count('Bytes to the client.', 1_920),
  messagesIn: count('Messages from the client.', 410),
  messagesOut: count('Messages to the client.', 15),
}

const connectionFields: Shape<ConnectionItem> = {
  ...lastingFields,
  messagesInPerSecond: amount('Messages a second from the client; left out until there are two samples.', 4).optional(),
  messagesOutPerSecond: amount(
    'Messages a second to the client; left out until there are two samples.',
    0.5,
  ).optional(),
  pendingBytes: count('Bytes written and not yet taken by the kernel.', 0),
  subscriptionCount: count('Subscriptions.', 2),
  unsettledCount: count('Messages sent to the client and not settled by it.', 1),
  problem: text('Why it does not get on; left out when all is well.', 'it reads too slowly').optional(),
}

const connection = component('Connection', typed<ConnectionItem>()(z.strictObject(connectionFields)))

const subscriptionFields: Shape<SubscriptionInfo> = {
  address: text('Topic pattern, or queue as `$queue/NAME`.', 'plant/+/state'),
  kind: choice(['topic', 'queue'], 'What it is of.'),
  group: text('Group of a shared subscription.', 'workers').optional(),
  queue: text('Queue behind it, or that is read from.', 'orders').optional(),
  assurance: z
    .int()
    .min(0)
    .max(2)
    .meta({ description: '0: at most once. 1: at least once. 2: exactly once.', examples: [1] }),
  selector: text('What it wants, when it does not want all.', "colour = 'red'").optional(),
  noLocal: flag('Whether it leaves out what its own client publishes.', false),
  credit: count('Deliveries that it may still get; left out where the session counts for all.', 88).optional(),
  unsettledCount: count('Deliveries that it has not settled.', 1).optional(),
}

const subscription = component('Subscription', typed<SubscriptionInfo>()(z.strictObject(subscriptionFields)))

const connectionDetail = component(
  'ConnectionDetail',
  typed<ConnectionDetail>()(
    z.strictObject({
      ...connectionFields,
      subscriptions: list(subscription, 'What it has subscribed to.'),
      sessionExpiryMs: expiry('How long its session stays after it; null: for ever.'),
      heartbeatMs: count('Longest silence of the client; 0: any.', 60_000),
    }),
  ),
)

const endedConnection = component(
  'EndedConnection',
  typed<EndedConnection>()(
    z.strictObject({
      ...lastingFields,
      endedAtMs: moment('When it ended.'),
      endedBy: endedBy('Who ended it.'),
      reason: text('Why, in a sentence.', 'the client kept silent for 90 s'),
      clause: text('The rule that was broken; empty when none was.', 'MQTT5-3.1.2-22'),
    }),
  ),
)

const sessionFields: Shape<SessionItem> = {
  clientId: text('Client id.', 'sensor-7'),
  user: text('User.', 'device'),
  connected: flag('Whether its client is connected.'),
  connectionId: text('Id of its connection.', '17').optional(),
  protocol: text('Protocol of its client.', 'MQTT 5').optional(),
  durable: flag('Whether it outlives its connection, and the process.'),
  expiryMs: expiry('How long it stays without a connection; null: for ever.'),
  waitingCount: count('Messages that wait for its client.', 4),
  waitingBytes: count('Bytes that wait for its client.', 1_024),
  inflightCount: count('Messages delivered and not settled.', 1),
  droppedCount: count('Messages dropped because too many waited.', 0),
  subscriptionCount: count('Subscriptions.', 2),
  problem: text('Why it does not get on; left out when all is well.', '4,000 messages wait').optional(),
}

const session = component('Session', typed<SessionItem>()(z.strictObject(sessionFields)))

const sessionDetail = component(
  'SessionDetail',
  typed<SessionDetail>()(
    z.strictObject({
      ...sessionFields,
      subscriptions: list(subscription, 'What its client has subscribed to.'),
      hasWill: flag('Whether a message is published when its connection ends badly.', false),
    }),
  ),
)

const subscriptionItem = component(
  'SubscriptionItem',
  typed<SubscriptionItem>()(
    z.strictObject({
      ...subscriptionFields,
      clientId: text('Client id.', 'sensor-7'),
      user: text('User.', 'device'),
      protocol: text('Protocol of its client.', 'MQTT 5').optional(),
      connected: flag('Whether its client is connected.'),
      waitingCount: count('Messages that wait for it.', 0),
    }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const connectionParams = z.strictObject({ id: name('Id of the connection.', '17') })
const sessionParams = typed<SessionParams>()(
  z.strictObject({ ...vhost(), clientId: name('Client id.', 'sensor-7', ADDRESS_CHARS_MAX) }),
)

const connectionQuery = typed<ConnectionQuery>()(
  z.strictObject({
    ...listQuery('-connectedAtMs'),
    unhealthy: unhealthy(),
    protocol: text('Only with this protocol.', 'MQTT 5', TEXT_CHARS_MAX).optional(),
    listener: text('Only by this listener.', 'mqtt', TEXT_CHARS_MAX).optional(),
    user: text('Only of this user.', 'device', TEXT_CHARS_MAX).optional(),
  }),
)

const historyQuery = typed<HistoryQuery>()(
  z.strictObject({
    ...cursorAndLimit(),
    clientId: text('Only of this client.', 'sensor-7', ADDRESS_CHARS_MAX).optional(),
    user: text('Only of this user.', 'device', TEXT_CHARS_MAX).optional(),
    address: text('Only from this address.', '192.0.2.7', TEXT_CHARS_MAX).optional(),
    endedBy: endedBy('Only those ended so.').optional(),
    ...timeQuery(),
  }),
)

const sessionQuery = typed<SessionQuery>()(
  z.strictObject({
    ...listQuery('-waitingCount'),
    unhealthy: unhealthy(),
    connected: flag('Only connected ones; with `false`, only the others.').optional(),
    user: text('Only of this user.', 'device', TEXT_CHARS_MAX).optional(),
    backlog: flag('Only those with messages that wait.').optional(),
  }),
)

const subscriptionQuery = typed<ListQuery & { readonly topic?: string | undefined }>()(
  z.strictObject({
    ...listQuery('clientId'),
    topic: text('Only who would get a message published to it.', 'plant/7/state', ADDRESS_CHARS_MAX).optional(),
  }),
)

export const connectionSchemas: readonly SchemaEntry[] = [
  schemasFor(listConnections, { query: connectionQuery, answer: page(connection) }),
  schemasFor(getConnection, { params: connectionParams, answer: connectionDetail }),
  schemasFor(closeConnection, {
    params: connectionParams,
    query: z.strictObject({
      reason: text('What the client hears.', 'maintenance', TEXT_CHARS_MAX).optional(),
    }),
  }),
  schemasFor(listConnectionHistory, { query: historyQuery, answer: page(endedConnection) }),
  schemasFor(listSessions, { params: vhostParams, query: sessionQuery, answer: page(session) }),
  schemasFor(getSession, { params: sessionParams, answer: sessionDetail }),
  schemasFor(deleteSession, { params: sessionParams }),
  schemasFor(listSubscriptions, { params: vhostParams, query: subscriptionQuery, answer: page(subscriptionItem) }),
]

function endedBy(description: string) {
  return choice(['client', 'broker', 'network', 'operator', 'takeover'], description)
}

function expiry(description: string) {
  return z
    .int()
    .min(0)
    .nullable()
    .meta({ description, examples: [3_600_000] })
}
