/** A broker as it is on an ordinary day: every page has something to show, and some of it is not well. */
import {
  actOnMessages,
  closeConnection,
  createToken,
  listConnections,
  putPermission,
  putPolicy,
  putQueue,
} from '@ternmq/api'
import { onTestFinished } from 'vitest'

import { amqpConnection, fill, mqttClient, publish, reject, stompClient } from './clients.ts'
import { Stage } from './stage.ts'

export const PLANT_QUEUE = 'orders.new'
export const PLANT_CLIENT = 'press-1'
const REPORT_MS = 100

export async function openPlant(): Promise<Stage> {
  const stage = await Stage.open()
  await stage.addUser('olga', 'operator')
  await stage.addUser('vera', 'viewer')
  await setUp(stage)
  await Promise.all([sendOrders(stage), connectMachines(stage)])
  await runPress(stage)
  return stage
}

/** Something flows as long as the test runs. */
async function runPress(stage: Stage): Promise<void> {
  const press = await mqttClient(stage, 'press-2')
  const timer = setInterval(() => press.publish('site/2/temperature', '{"celsius":22}'), REPORT_MS)
  onTestFinished(() => clearInterval(timer))
}

async function setUp(stage: Stage): Promise<void> {
  await stage.call(putPolicy, {
    params: { id: 'orders' },
    body: { match: 'orders.>', settings: { messagesMax: 5_000, deadLetter: 'orders.dead' } },
  })
  await stage.call(putPermission, {
    params: { id: 'everyone' },
    query: { everybody: 'limited' },
    body: { user: '*', allow: ['read', 'write', 'browse', 'admin'], topics: ['#', '$queue/>'], description: 'For now' },
  })
  await stage.call(putPermission, {
    params: { id: 'no-secrets' },
    body: { user: 'vera', deny: ['read'], topics: ['site/+/secret'] },
  })
  await stage.call(createToken, { body: { name: 'monitoring', scopes: ['read'] } })
  for (const queue of ['emails', 'billing.invoices', 'billing.reminders']) {
    await stage.call(putQueue, { params: { queue }, body: {} })
  }
}

async function sendOrders(stage: Stage): Promise<void> {
  await fill(stage, PLANT_QUEUE, 4)
  await reject(stage, PLANT_QUEUE, 'The customer is not known.')
  await fill(stage, 'emails', 2)
  await reject(stage, 'emails', 'The address has no @.')
  await fill(stage, PLANT_QUEUE, 30)
  await publish(stage, {
    address: `queue://${PLANT_QUEUE}`,
    body: '{"order":31,"customer":"Lund","lines":[{"part":"bolt","count":400}]}',
    contentType: 'application/json',
    priority: 9,
    messageId: 'order-31',
    properties: { colour: 'red' },
  })
  await publish(stage, { address: 'queue://emails', body: 'Good morning', delayMs: 3_600_000 })
  await stage.call(actOnMessages, {
    params: { queue: PLANT_QUEUE },
    body: { action: 'copy', selector: "colour = 'red'", target: 'billing.invoices' },
  })
  const worker = await amqpConnection(stage, 'billing-worker')
  worker.open_receiver({ source: 'queue://billing.invoices', credit_window: 5, autoaccept: false })
}

async function connectMachines(stage: Stage): Promise<void> {
  const press = await mqttClient(stage, PLANT_CLIENT)
  await press.subscribeAsync(['site/1/command', 'site/+/alarm'])
  const away = await mqttClient(stage, 'tablet', { clean: false, properties: { sessionExpiryInterval: 86_400 } })
  await away.subscribeAsync('site/#', { qos: 1 })
  await away.endAsync()
  const gate = await mqttClient(stage, 'gate-7')
  for (const machine of [1, 2, 3]) {
    await press.publishAsync(`site/${machine}/temperature`, `{"celsius":${20 + machine}}`, { retain: true, qos: 1 })
  }
  const { items } = await stage.call(listConnections, { query: { q: 'gate-7' } })
  const closed = new Promise<void>((resolve) => void gate.once('close', () => resolve()))
  await stage.call(closeConnection, { params: { id: items[0]!.id }, query: { reason: 'It is moved to another hall.' } })
  await closed
  const dashboard = await stompClient(stage)
  dashboard.subscribe('/topic/site.*.temperature', () => {})
}
