/**
 * Every field that clients and other users fill in, with markup in it: on each page, and in all that opens there, it is text.
 */
import {
  actOnMessages,
  closeConnection,
  createToken,
  exportDefinitions,
  listConnections,
  putPermission,
  putPolicy,
  putQueue,
  putUser,
} from '@ternmq/api'
import { once } from 'node:events'
import type { Page } from 'playwright-core'
import rhea, { type EventContext } from 'rhea'
import { expect, onTestFinished, test } from 'vitest'

import { expectOffences, PAYLOAD, useChromium } from './chromium.ts'
import { mqttClient, publish, reject, stompClient } from './clients.ts'
import { ADMIN, PASSWORD, Stage } from './stage.ts'

useChromium()

/** Tells which field it is of; without what would be a wildcard in a topic filter. */
function hurt(field: string): string {
  return `${unclosed(field)}>`
}

/** Where `>` is a wildcard. What follows in a page would close it. */
function unclosed(field: string): string {
  return `<img src=x onerror=${PAYLOAD} alt=${field}`
}

const QUEUE = unclosed('queue')

async function defineThings(stage: Stage): Promise<void> {
  await stage.call(putUser, { params: { name: hurt('user') }, body: { password: PASSWORD, groups: [hurt('group')] } })
  await stage.call(createToken, { body: { name: hurt('token'), scopes: ['read'] } })
  await stage.call(putPermission, {
    params: { id: 'everyone' },
    query: { everybody: 'limited' },
    body: { user: '*', allow: ['read', 'write', 'browse', 'admin'], topics: ['#', '$queue/>'] },
  })
  await stage.call(putPermission, {
    params: { id: 'group' },
    body: { group: hurt('group'), deny: ['read'], topics: [hurt('pattern')], description: hurt('description') },
  })
  await stage.call(putPolicy, {
    params: { id: 'policy' },
    body: { match: unclosed('match'), settings: { deadLetter: unclosed('dead-letter-queue') } },
  })
  await stage.call(putQueue, {
    params: { queue: QUEUE },
    body: { settings: { deadLetter: unclosed('dead-letter-queue') } },
  })
  await publish(stage, { address: `topic://${unclosed('schedule')}`, body: 'later', delayMs: 3_600_000 })
}

async function speakMqtt(stage: Stage): Promise<void> {
  const client = await mqttClient(stage, hurt('mqtt-client'), { username: hurt('user') })
  await client.subscribeAsync([`in/${hurt('mqtt-topic')}`, `$share/${hurt('mqtt-share')}/in/shared`])
  await client.publishAsync(hurt('mqtt-retained'), hurt('mqtt-body'), {
    retain: true,
    qos: 1,
    properties: {
      contentType: hurt('mqtt-content-type'),
      responseTopic: hurt('mqtt-reply'),
      userProperties: { [hurt('mqtt-property')]: hurt('mqtt-value') },
    },
  })
  const leaving = await mqttClient(stage, hurt('will-client'), {
    will: { topic: hurt('will-topic'), payload: Buffer.from('gone'), qos: 1, retain: true },
  })
  leaving.stream.destroy()
  await mqttClient(stage, 'stranger', { username: hurt('unknown-user') }).catch(() => undefined)
}

async function speakStomp(stage: Stage): Promise<void> {
  const client = await stompClient(stage, { 'client-id': hurt('stomp-client') })
  const subscribed = new Promise<void>((resolve) => client.watchForReceipt('subscribed', () => resolve()))
  client.subscribe('/topic/stomp', () => {}, {
    selector: `colour = '${hurt('stomp-selector')}'`,
    receipt: 'subscribed',
  })
  await subscribed
  const sent = new Promise<void>((resolve) => client.watchForReceipt('sent', () => resolve()))
  client.publish({
    destination: '/queue/stomp',
    body: 'by stomp',
    headers: { type: hurt('stomp-type'), colour: hurt('stomp-header'), persistent: 'true', receipt: 'sent' },
  })
  await sent
}

async function speakAmqp(stage: Stage): Promise<void> {
  const container = rhea.create_container({ id: hurt('amqp-container') })
  container.on('error', () => {})
  const connection = container.connect({
    host: '127.0.0.1',
    port: stage.broker.listeners.amqp!.port,
    username: ADMIN,
    password: PASSWORD,
    reconnect: false,
    properties: { product: hurt('amqp-product'), version: hurt('amqp-version') },
  })
  onTestFinished(() => connection.close())
  await once(connection, 'connection_open')
  const sender = connection.open_sender('queue://amqp')
  await once(sender, 'sendable')
  sender.send({
    body: 'by amqp',
    durable: true,
    message_id: hurt('amqp-message-id'),
    subject: hurt('amqp-subject'),
    group_id: hurt('amqp-group'),
    application_properties: { colour: 'red' },
  })
  await once(sender, 'accepted')
  const worker = connection.open_receiver({ source: 'queue://amqp', autoaccept: false, credit_window: 1 })
  const [{ delivery }] = (await once(worker, 'message')) as [EventContext]
  delivery!.reject({ condition: 'app:refused', description: hurt('amqp-reason') })
  const receiver = connection.open_receiver({
    name: hurt('amqp-link'),
    source: {
      address: 'topic://amqp',
      filter: rhea.filter.selector(`colour = '${hurt('amqp-selector')}'`),
    },
  })
  await once(receiver, 'receiver_open')
}

/** What an operator did, with words of others in it. */
async function operate(stage: Stage): Promise<void> {
  await publish(
    stage,
    { address: `queue://${QUEUE}`, body: 'one', messageId: 'http-1' },
    { address: `queue://${QUEUE}`, body: 'two', messageId: 'http-2' },
  )
  await reject(stage, QUEUE, hurt('http-reason'))
  await publish(stage, { address: `queue://${QUEUE}`, body: 'three', messageId: 'http-3' })
  await stage.call(actOnMessages, {
    params: { queue: QUEUE },
    body: { action: 'copy', selector: `colour = '${hurt('selector')}'`, target: 'stomp' },
  })
  const closed = await mqttClient(stage, 'closed')
  const gone = new Promise((resolve) => closed.once('close', () => resolve(undefined)))
  const { items } = await stage.call(listConnections, { query: { q: 'closed' } })
  await stage.call(closeConnection, { params: { id: items[0]!.id }, query: { reason: hurt('close-reason') } })
  await gone
  const context = await stage.context()
  await context.request.post('/api/v1/session', { data: { user: hurt('unknown-login'), password: 'wrong' } })
}

/** What stands in a page, and in what each of the buttons opens there. */
interface Place {
  readonly path: string
  readonly shows: readonly string[]
  readonly opens?: ReadonlyArray<readonly [button: RegExp, ...shows: readonly string[]]>
}

const name = encodeURIComponent

/**
 * All that pages show of others. Names of permissions and policies are letters and digits, the API refuses others; link names, ids of STOMP
 * subscriptions and what an AMQP client says of itself stand nowhere.
 */
async function placesOf(stage: Stage): Promise<Place[]> {
  const { items } = await stage.call(listConnections)
  const connection = (clientId: string): string => {
    const { id } = items.find((one) => one.clientId === hurt(clientId))!
    return `/connections/${name(id)}`
  }
  const dead = unclosed('dead-letter-queue')
  return [
    { path: '/events', shows: ['unknown-user', 'close-reason', 'will-client'] },
    { path: '/queues', shows: ['queue', 'dead-letter-queue'] },
    { path: `/queues/${name(QUEUE)}`, shows: ['queue', 'dead-letter-queue'] },
    { path: `/queues/${name(QUEUE)}?tab=settings`, shows: ['dead-letter-queue'], opens: [[/^Change settings/]] },
    {
      path: `/queues/${name(QUEUE)}?tab=danger`,
      shows: ['queue'],
      opens: [
        [/^Purge/, 'queue'],
        [/^Delete/, 'queue'],
      ],
    },
    { path: `/queues/${name(dead)}?tab=messages`, shows: ['http-reason'], opens: [[/^Retry…/, 'dead-letter-queue']] },
    { path: '/queues/stomp?tab=messages', shows: ['stomp-type'], opens: [[/^\d/, 'stomp-type', 'stomp-header']] },
    {
      path: '/queues/DLQ?tab=messages',
      shows: ['amqp-reason', 'amqp-message-id'],
      opens: [[/^<img/, 'amqp-reason', 'amqp-message-id', 'amqp-subject', 'amqp-group']],
    },
    { path: '/topics', shows: ['mqtt-retained', 'will-topic'] },
    { path: '/topics?tab=retained', shows: ['mqtt-retained', 'will-topic'] },
    {
      path: `/topics?open=${name(hurt('mqtt-retained'))}`,
      shows: ['mqtt-body', 'mqtt-property', 'mqtt-value', 'mqtt-content-type', 'mqtt-reply'],
      opens: [[/^Forget/, 'mqtt-retained']],
    },
    { path: '/dead-letters', shows: ['http-reason', 'amqp-reason'], opens: [[/^Delete…/, 'reason']] },
    { path: '/schedules', shows: ['schedule'], opens: [[/^Take back/, 'schedule']] },
    { path: '/operations', shows: ['queue'] },
    { path: '/connections', shows: ['user', 'mqtt-client', 'stomp-client', 'amqp-container'] },
    {
      path: connection('mqtt-client'),
      shows: ['mqtt-client', 'user', 'mqtt-topic', 'mqtt-share'],
      opens: [[/^Close/, 'mqtt-client']],
    },
    { path: connection('stomp-client'), shows: ['stomp-selector'] },
    { path: connection('amqp-container'), shows: ['amqp-selector'] },
    { path: '/ended', shows: ['close-reason'] },
    { path: '/sessions', shows: ['mqtt-client'] },
    {
      path: `/sessions/${name(hurt('mqtt-client'))}`,
      shows: ['mqtt-topic', 'mqtt-share'],
      opens: [[/^End/, 'mqtt-client']],
    },
    { path: '/subscriptions', shows: ['mqtt-topic', 'mqtt-share', 'stomp-selector', 'amqp-selector'] },
    {
      path: '/users',
      shows: ['user', 'group'],
      opens: [
        [/^Change <img/, 'user', 'group'],
        [/^Remove <img/, 'user'],
      ],
    },
    {
      path: '/permissions',
      shows: ['group', 'pattern', 'description'],
      opens: [
        [/^Change group/, 'pattern'],
        [/^Take back group/, 'group'],
      ],
    },
    {
      path: `/permissions?tab=test&user=${name(hurt('user'))}&action=publish&address=${name(`topic://${unclosed('asked')}`)}`,
      shows: ['user', 'asked'],
    },
    { path: '/tokens', shows: ['token'], opens: [[/^Take back/, 'token']] },
    { path: '/audit', shows: ['unknown-login', 'user', 'queue'] },
    { path: '/policies', shows: ['match'], opens: [[/^Change policy/]] },
    { path: '/definitions', shows: ['pattern', 'match'] },
    { path: `/resolve?address=${name(unclosed('asked'))}&protocol=mqtt`, shows: ['asked'] },
  ]
}

/** How many elements were made of text, once all of `fields` stands in the page. */
async function madeIn(page: Page, fields: readonly string[]): Promise<number> {
  for (const field of fields) {
    await page
      .getByText(field === 'reason' ? '<img' : unclosed(field))
      .first()
      .waitFor()
  }
  return page.locator('img, script:not([src]), iframe, [onerror], [onload], a[href^="javascript:"]').count()
}

/** The same of what opens. A dialog is closed again; what opens beside the page stays, and buttons in it open dialogs. */
async function madeBehind(page: Page, [button, ...shows]: readonly [RegExp, ...string[]]): Promise<number> {
  const dialog = page.getByRole('dialog')
  const aside = page.getByRole('complementary')
  const opened = (await aside.count()) === 0 ? dialog.or(aside) : dialog
  await page.locator('main').getByRole('button', { name: button }).first().click()
  await opened.first().waitFor()
  const count = await madeIn(page, shows)
  if ((await dialog.count()) === 0) return count
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  return count
}

test('no field of anybody becomes a part of a page', async () => {
  expectOffences(/status of 401/)
  const stage = await Stage.open()
  await defineThings(stage)
  await Promise.all([speakMqtt(stage), speakStomp(stage), speakAmqp(stage)])
  await operate(stage)
  const page = await stage.look('/')
  for (const { path, shows, opens = [] } of await placesOf(stage)) {
    await page.goto(path)
    expect(await madeIn(page, shows), path).toBe(0)
    for (const one of opens) expect(await madeBehind(page, one), `${path}, ${one[0]}`).toBe(0)
  }
  await page.goto('/definitions')
  await page.getByLabel('Users, with hashes of their passwords').check()
  expect(await madeIn(page, ['user'])).toBe(0)
  await page.goto('/definitions?tab=apply')
  const definitions = await stage.call(exportDefinitions)
  const queues = [{ name: unclosed('plan'), settings: { deadLetter: unclosed('plan') } }]
  await page.getByLabel('Definitions as YAML or JSON').fill(JSON.stringify({ ...definitions, queues }))
  await page.getByLabel('Delete what is not in it (prune)').check()
  await page.getByRole('button', { name: 'Plan', exact: true }).click()
  await page.getByRole('region', { name: 'Steps of the plan' }).waitFor()
  expect(await madeIn(page, ['plan', 'queue'])).toBe(0)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Go to or find' }).fill('<img')
  await page.getByRole('option', { name: /amqp-container/ }).waitFor()
  expect(await madeIn(page, ['amqp-container', 'queue'])).toBe(0)
}, 600_000)
