/**
 * The tour of the README, with its own programs (examples/tour): a device publishes over TLS, a page sees it over STOMP, a worker takes it
 * over AMQP and rejects it, the operator finds it among the dead letters and retries it.
 */
import { join } from 'node:path'
import type { DeadLetterQueue, OperationItem } from '@ternmq/api'
import { beforeEach, expect, onTestFinished, test } from 'vitest'

import { Browser } from './clients/chromium/browser.ts'
import { INSTALL_MS_MAX, needs } from './clients/debian.ts'
import { type End, Program } from './clients/program.ts'
import { ADMIN_PASSWORD, Operator } from './commands/operator.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'examples', 'tour')
const LISTENERS = ['mqtt', 'mqtts', 'amqp', 'ws']

let operator: Operator

beforeEach(async () => {
  operator = await Operator.start({ listeners: LISTENERS })
  const added = await operator.runWith('correct horse', 'users', 'add', 'press-1', '--password-stdin')
  if (added.code !== 0) throw new Error(added.stderr.join('\n'))
})

function run(file: string, env: Readonly<Record<string, string>> = {}, ...args: readonly string[]): Program {
  const { broker } = operator
  const settings = {
    MQTTS_URL: `mqtts://localhost:${broker.port('mqtts')}`,
    BROKER_CA: join(broker.dataDir, 'certificates', 'ca.pem'),
    DEVICE_PASSWORD: 'correct horse',
    AMQP_PORT: String(broker.port('amqp')),
    BROKER_URL: `ws://localhost:${broker.port('ws')}`,
    PORT: '0',
  }
  const program = Program.start(process.execPath, [file, ...args], { cwd: FOLDER, env: { ...settings, ...env } })
  onTestFinished(() => program.stop())
  return program
}

async function publish(celsius: string): Promise<void> {
  const device = run('device.mjs', {}, celsius)
  expect(await device.ended()).toMatchObject({ code: 0 })
  expect(device.lines).toEqual([`published ${celsius}, and the broker has it`])
}

/** What the page for dead letters of the console asks for. */
async function deadLetters(): Promise<readonly DeadLetterQueue[]> {
  const login = Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')
  const headers = { authorization: `Basic ${login}` }
  const answer = await fetch(new URL('/api/v1/vhosts/%2F/dead-letters', operator.url), { headers })
  return ((await answer.json()) as { readonly items: readonly DeadLetterQueue[] }).items
}

test('a reading that the worker rejects is found among the dead letters, and done when it is retried', async () => {
  const worker = run('worker.mjs')
  await worker.untilLine('storing readings')
  await publish('21.5')
  await publish('400')
  await worker.untilLine('stored 21.5 °C')
  await worker.untilLine('rejected 400')
  await worker.stop()

  await expect.poll(deadLetters).toMatchObject([
    {
      queue: 'DLQ',
      groups: [
        {
          cause: 'rejected',
          originalQueue: '$subscription/worker/readings',
          reason: 'tour:too-hot: 400 °C is above 100 °C',
          count: 1,
        },
      ],
    },
  ])
  expect(await operator.jsonLines('dlq', 'list')).toEqual(await deadLetters())

  const better = run('worker.mjs', { HOTTEST: '500' })
  await better.untilLine('storing readings')
  const retried = await operator.json<OperationItem>('dlq', 'retry', 'DLQ', '--all')
  expect(retried).toMatchObject({ state: 'done', doneCount: 1 })
  await better.untilLine('stored 400 °C')
  expect(better.errors).toEqual([])
})

test('what is published while the worker is away waits for it, whether or not it is marked as text', async () => {
  const worker = run('worker.mjs')
  await worker.untilLine('storing readings')
  await worker.stop()
  await publish('19')
  // As mosquitto_pub does: nothing says that the bytes are text.
  const tool = await operator.client()
  for (const reading of ['300', '', '20.5']) await tool.publishAsync('plant/kitchen/temperature', reading, { qos: 1 })

  const back = run('worker.mjs')
  await back.untilLine('stored 20.5 °C')
  expect(back.lines.slice(1)).toEqual(['stored 19 °C', 'rejected 300', 'rejected ', 'stored 20.5 °C'])
})

test('a device with a wrong password is told so, and ends', async () => {
  const device = run('device.mjs', { DEVICE_PASSWORD: 'wrong' })
  const end: Partial<End> = { code: 1 }
  expect(await device.ended()).toMatchObject(end)
  expect(device.errors).toEqual(['Connection refused: Bad User Name or Password'])
})

test(
  'the page shows what devices publish',
  async (context) => {
    await needs(context, 'chromium')
    const server = run('page.mjs')
    const page = /http:\S+\//.exec(await server.untilLine('readings are at'))![0]
    const browser = await Browser.start(join(operator.broker.dataDir, 'certificates', 'server.pem'))
    onTestFinished(() => browser.close())
    await using tab = await browser.visit(page)
    await tab.untilText('#state', 'connected')
    await expect
      .poll(() => operator.lines('subscriptions', '--topic', 'plant/press-1/temperature', '--names'))
      .toHaveLength(1)
    await publish('22.5')
    await tab.untilText('#readings li', 'press-1: 22.5 °C')
    expect(await tab.texts('#readings li')).toEqual(['press-1: 22.5 °C'])
  },
  INSTALL_MS_MAX,
)
