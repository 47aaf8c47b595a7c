/** Real clients of a broker, gone after the test. */
import { Client, type StompHeaders } from '@stomp/stompjs'
import { publishMessage, type PublishBody, settleMessages, takeMessages } from '@ternmq/api'
import { once } from 'node:events'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import rhea, { type Connection, type EventContext } from 'rhea'
import { onTestFinished } from 'vitest'

import { ADMIN, PASSWORD, type Stage } from './stage.ts'

const LOGIN = { username: ADMIN, password: PASSWORD }

/** Left as it is when the test ends: the broker goes before it. */
export async function mqttClient(stage: Stage, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${stage.broker.listeners.mqtt!.port}`
  const client = await connectAsync(
    url,
    { ...LOGIN, clientId, protocolVersion: 5, reconnectPeriod: 0, ...options },
    false,
  )
  client.on('error', () => {}) // each test looks at what matters to it
  onTestFinished(() => void client.end(true))
  return client
}

/** Over WebSocket, as pages connect. */
export async function stompClient(stage: Stage, headers: StompHeaders = {}): Promise<Client> {
  const client = new Client({
    brokerURL: `ws://127.0.0.1:${stage.broker.listeners.ws!.port}`,
    connectHeaders: { login: ADMIN, passcode: PASSWORD, ...headers },
    reconnectDelay: 0,
  })
  await new Promise<void>((resolve, reject) => {
    client.onConnect = () => resolve()
    client.onStompError = ({ headers: said }) => reject(new Error(said['message']))
    client.activate()
  })
  onTestFinished(() => client.deactivate({ force: true }))
  return client
}

export async function amqpConnection(stage: Stage, containerId: string): Promise<Connection> {
  const container = rhea.create_container({ id: containerId })
  container.on('error', () => {})
  const connection = container.connect({
    host: '127.0.0.1',
    port: stage.broker.listeners.amqp!.port,
    reconnect: false,
    ...LOGIN,
  })
  onTestFinished(() => connection.close())
  await once(connection, 'connection_open')
  return connection
}

/** A worker that rejects each message with a reason. Resolves when it has rejected `count`, and the broker has heard it. */
export async function rejectAll(connection: Connection, queue: string, count: number, reason: string): Promise<void> {
  const receiver = connection.open_receiver({ source: queue, credit_window: 10, autoaccept: false })
  let left = count
  await new Promise<void>((resolve) => {
    receiver.on('message', ({ delivery }: EventContext) => {
      delivery?.reject({ condition: 'app:refused', description: reason })
      if (--left === 0) resolve()
    })
  })
  receiver.close()
  await once(receiver, 'receiver_close') // the broker's own: it answers in order
}

/** Each acknowledged before the next. */
export async function publish(stage: Stage, ...messages: readonly PublishBody[]): Promise<void> {
  for (const body of messages) await stage.call(publishMessage, { body })
}

/** Texts of numbered messages for a queue, from 1. */
export async function fill(stage: Stage, queue: string, count: number, body = 'order'): Promise<void> {
  const client = await mqttClient(stage, `fill-${queue}`)
  const sent = Array.from({ length: count }, (_, index) =>
    client.publishAsync(`$queue/${queue}`, `${body} ${index + 1}`, { qos: 1 }),
  )
  await Promise.all(sent)
  await client.endAsync()
}

/** Makes dead letters of all that waits, as a script would. */
export async function reject(stage: Stage, queue: string, reason: string): Promise<void> {
  const { items } = await stage.call(takeMessages, { body: { address: `queue://${queue}`, max: 100 } })
  const deliveries = items.map(({ delivery }) => delivery)
  await stage.call(settleMessages, { body: { deliveries, outcome: 'rejected', reason } })
}
