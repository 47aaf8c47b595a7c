/** Messages between HTTP and the other protocols, with real clients of these: fields go by the names of the table, in both directions. */
import { type PublishBody, publishMessage, type Route, type TakenMessage, takeMessages, type Call } from '@ternmq/api'
import { type Handler, type ManagedBroker, Messaging, messagingHandlers } from '@ternmq/management'
import { connect, type IPublishPacket } from 'mqtt'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import rhea, { type Connection, type EventContext, type Message } from 'rhea'
import { expect, onTestFinished, test } from 'vitest'

import { type EmbeddedBroker, startBroker } from './embed.ts'

const BODY: PublishBody = {
  address: 'topic://plant.1',
  body: '{"t":21}',
  contentType: 'application/json',
  messageId: 'm1',
  correlationId: 'c1',
  replyTo: 'queue://answers',
  type: 'reading',
  appId: 'shop',
  priority: 7,
  groupId: 'g1',
  properties: { colour: 'red' },
}

interface Scene {
  readonly broker: EmbeddedBroker
  call<C extends Call>(route: Route<C>, body: C['body']): Promise<C['answer']>
}

async function begin(): Promise<Scene> {
  const broker = await startBroker()
  onTestFinished(() => broker.stop())
  const messaging = new Messaging(broker.vhost)
  onTestFinished(() => messaging.close())
  const bound = messagingHandlers({ vhost: broker.vhost } as ManagedBroker, messaging)
  const caller = {
    user: 'ann',
    principal: { name: 'ann', anonymous: false },
    role: undefined,
    scopes: new Set(['messages'] as const),
    by: 'token',
    address: '',
    isValid: () => true,
    mayGoOn: () => true,
  } as const
  return {
    broker,
    async call<C extends Call>(route: Route<C>, body: C['body']): Promise<C['answer']> {
      const { handler } = bound.find((each) => each.route.id === route.id)!
      const request = {
        params: { vhost: '/' },
        query: {},
        body,
        caller,
        signal: new AbortController().signal,
        note: () => {},
      }
      return (handler as unknown as Handler<C>)(request)
    },
  }
}

/** A STOMP client that has connected and sent its frames; `until` waits for a text of the broker. */
function stomp({ listeners }: EmbeddedBroker, ...frames: readonly string[]): { until(text: string): Promise<string> } {
  const { host, port } = listeners.stomp!
  const socket: Socket = createConnection(port, host)
  onTestFinished(() => void socket.destroy())
  socket.write(['CONNECT\naccept-version:1.2\nhost:/\n\n', ...frames].map((frame) => `${frame}\0`).join(''))
  let all = ''
  socket.on('data', (chunk) => (all += String(chunk)))
  return {
    async until(text) {
      while (!all.includes(text)) await once(socket, 'data')
      return all
    },
  }
}

async function mqtt({ listeners }: EmbeddedBroker): Promise<ReturnType<typeof connect>> {
  const { host, port } = listeners.mqtt!
  const client = connect(`mqtt://${host}:${port}`, { reconnectPeriod: 0, protocolVersion: 5 })
  onTestFinished(() => client.endAsync(true))
  await new Promise((resolve) => client.once('connect', resolve))
  return client
}

function nextMessage(
  client: ReturnType<typeof connect>,
): Promise<{ readonly topic: string; readonly text: string; readonly packet: IPublishPacket }> {
  return new Promise((resolve) =>
    client.once('message', (topic, payload, packet) => resolve({ topic, text: payload.toString(), packet })),
  )
}

async function amqp({ listeners }: EmbeddedBroker): Promise<Connection> {
  const connection = rhea.create_container().connect({ ...listeners.amqp!, reconnect: false })
  onTestFinished(() => connection.close())
  await new Promise((resolve) => connection.once('connection_open', resolve))
  return connection
}

test('MQTT 5 gets what was published over HTTP', async () => {
  const { broker, call } = await begin()
  const client = await mqtt(broker)
  await client.subscribeAsync('plant/+', { qos: 1 })
  const came = nextMessage(client)
  expect(await call(publishMessage, BODY)).toEqual({ outcome: 'routed' })
  const { topic, text, packet } = await came
  expect([topic, text]).toEqual(['plant/1', '{"t":21}'])
  expect(packet.properties).toMatchObject({
    contentType: 'application/json',
    responseTopic: '$queue/answers',
    payloadFormatIndicator: true,
    userProperties: {
      'x-message-id': 'm1',
      JMSType: 'reading',
      'app-id': 'shop',
      priority: '7',
      JMSXGroupID: 'g1',
      colour: 'red',
    },
  })
})

test('STOMP gets what was published over HTTP', async () => {
  const { broker, call } = await begin()
  const client = stomp(broker, 'SUBSCRIBE\nid:1\ndestination:/topic/plant.1\nreceipt:in\n\n')
  await client.until('receipt-id:in')
  await call(publishMessage, BODY)
  const frame = await client.until('{"t":21}')
  const lines = [
    'content-type:application/json',
    'correlation-id:c1',
    'reply-to:/queue/answers',
    'type:reading',
    'app-id:shop',
    'priority:7',
    'JMSXGroupID:g1',
    'colour:red',
    'persistent:true',
    'amq-msg-type:text',
  ]
  for (const line of lines) expect(frame.split('\n')).toContain(line)
})

test('AMQP 1.0 gets what was published over HTTP', async () => {
  const { broker, call } = await begin()
  const connection = await amqp(broker)
  const receiver = connection.open_receiver('topic://plant.1')
  await once(receiver, 'receiver_open')
  const came = new Promise<Message>((resolve) =>
    receiver.once('message', ({ message }: EventContext) => resolve(message!)),
  )
  await call(publishMessage, BODY)
  const message = await came
  expect(message).toMatchObject({
    message_id: 'm1',
    correlation_id: 'c1',
    subject: 'reading',
    content_type: 'application/json',
    priority: 7,
    durable: true,
    group_id: 'g1',
    reply_to: 'queue://answers',
    application_properties: { colour: 'red', 'app-id': 'shop' },
  })
  expect(String(message.body)).toBe('{"t":21}')
})

test('HTTP gets what MQTT 5, STOMP and AMQP 1.0 have sent, and can answer where they ask it to', async () => {
  const { broker, call } = await begin()
  const client = await mqtt(broker)
  await client.publishAsync('$queue/in', 'm', {
    qos: 1,
    properties: {
      correlationData: Buffer.from('c'),
      responseTopic: 'a/b',
      userProperties: { colour: 'red', JMSType: 't' },
    },
  })
  await stomp(
    broker,
    'SEND\ndestination:/queue/in\ncorrelation-id:c\nreply-to:/topic/a.b\ntype:t\ncolour:red\nreceipt:sent\n\ns',
  ).until('receipt-id:sent')
  const sender = (await amqp(broker)).open_sender('queue://in')
  await once(sender, 'sendable')
  sender.send({
    correlation_id: 'c',
    reply_to: 'topic://a.b',
    subject: 't',
    application_properties: { colour: 'red' },
    body: { deep: [1, 'two'] },
  })
  await once(sender, 'accepted')

  const { items } = await call(takeMessages, { address: 'queue://in', max: 10, waitMs: 0 })
  const seen = ({ format, correlationId, replyTo, type, properties, body }: TakenMessage): unknown[] => [
    format,
    correlationId,
    replyTo,
    type,
    properties,
    body.value,
  ]
  const common = ['c', '/topics/a.b', 't', [['colour', 'red']]]
  expect(items.map(seen)).toEqual([
    ['mqtt5', ...common, 'm'],
    ['stomp', ...common, 's'],
    ['amqp10', ...common, '{"deep":[1,"two"]}'],
  ])
  expect(items[2]!.body.encoding).toBe('json')
  await client.subscribeAsync('a/b')
  const answer = nextMessage(client)
  await call(publishMessage, { address: items[0]!.replyTo!, body: 'answer' })
  expect((await answer).text).toBe('answer')
})

test('what is taken over HTTP counts for it', async () => {
  const { broker, call } = await begin()
  await call(publishMessage, { address: 'queue://q', body: 'x' })
  await call(takeMessages, { address: 'queue://q' })
  const { http, core } = broker.vhost.countersBy
  expect([http.messagesIn, http.messagesOut, core.messagesOut]).toEqual([1, 1, 0])
})
