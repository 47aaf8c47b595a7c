/** The programs of docs/clients, from the text of the pages, against a broker. */
import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { ADMIN_PASSWORD, Operator } from '../commands/operator.ts'
import { CLI, newFolder } from '../support.ts'
import { INSTALL_MS_MAX, needs, PYTHON } from './debian.ts'
import { Program } from './program.ts'
import { RheaClient } from './rhea-client.ts'
import { RunningBroker } from './running-broker.ts'

const PAGES = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'clients')
const MODULES = join(import.meta.dirname, '..', '..', 'node_modules')

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
  await broker.addUser('ada', 'correct horse')
})

afterAll(() => broker.stop())

/** Blocks of code whose first line is a comment with their file name. */
function programsOf(page: string): ReadonlyMap<string, string> {
  const text = readFileSync(join(PAGES, page), 'utf8')
  const blocks = [...text.matchAll(/^```\w+\n((?:\/\/|#) ([\w.-]+)\n[\s\S]*?)^```$/gm)]
  return new Map(blocks.map(([, code, name]) => [name!, code!]))
}

/** The page's programs in a folder of the test's own, with what they import. */
function start(page: string, name: string, nodeArgs: readonly string[] = []): Program {
  const folder = newFolder()
  const code = programsOf(page).get(name)
  if (code === undefined) throw new Error(`${page} has no program ${name}`)
  writeFileSync(join(folder, name), code)
  mkdirSync(join(folder, 'node_modules'))
  for (const each of ['rhea', 'ws', 'mqtt', 'stompit', '@stomp/stompjs']) {
    const link = join(folder, 'node_modules', each)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(MODULES, each)), link)
  }
  const env = {
    MQTT_URL: broker.url('mqtt'),
    MQTT_PORT: String(broker.port('mqtt')),
    STOMP_PORT: String(broker.port('stomp')),
    WS_URL: broker.url('ws'),
    AMQP_PORT: String(broker.port('amqp')),
    AMQPS_PORT: String(broker.port('amqps')),
    AMQP_CA: broker.caFile,
    WSS_URL: broker.url('wss'),
  }
  return Program.start(name.endsWith('.py') ? PYTHON : process.execPath, [...nodeArgs, join(folder, name)], { env })
}

/** Runs it to its end: what it said. */
async function run(page: string, name: string, nodeArgs: readonly string[] = []): Promise<readonly string[]> {
  await using program = start(page, name, nodeArgs)
  const { code } = await program.ended()
  expect({ code, errors: program.errors }).toEqual({ code: 0, errors: [] })
  return program.lines
}

async function publish(topic: string, body: string): Promise<void> {
  await using client = await RheaClient.connect(broker)
  await (await client.sender(topic)).send({ body, durable: true })
}

/** As most MQTT tools do: nothing says that it is text. */
async function publishBytes(topic: string, body: string): Promise<void> {
  const client = await connectAsync(broker.url('mqtt'))
  await client.publishAsync(topic, body, { qos: 1 })
  await client.endAsync()
}

/** All of a queue, taken. */
async function emptied(queue: string): Promise<unknown[]> {
  await using client = await RheaClient.connect(broker)
  const receiver = await client.receiver(queue, { credit_window: 0 })
  return await receiver.drain(1_000)
}

describe.each([
  ['javascript.md', 'mjs'],
  ['python.md', 'py'],
])('%s', (page, suffix) => {
  beforeEach(async (context) => {
    if (suffix === 'py') await needs(context, 'python3-qpid-proton')
  }, INSTALL_MS_MAX)

  test('sends three, and receives them, one of them twice', async () => {
    expect(await run(page, `send.${suffix}`)).toEqual(['accepted', 'accepted', 'accepted'])
    const none = suffix === 'py' ? '0' : 'undefined'
    const lines = await run(page, `receive.${suffix}`)
    expect(lines.map((line) => line.replace(/ 0$/, ` ${none}`)).toSorted()).toEqual(
      [`cocoa ${none}`, 'coffee 1', 'coffee: again later', `tea ${none}`].toSorted(),
    )
  })

  test('subscribes durably, and gets what came while it was away', async () => {
    for (const text of ['one', 'two']) {
      await using subscriber = start(page, `subscribe.${suffix}`)
      await subscriber.untilLine('subscribed')
      if (text === 'one') await publish('topic://news.today', text)
      expect(await subscriber.untilLine(text)).toBe(text)
      await subscriber.ended()
      if (text === 'one') await publishBytes('news/today', 'two')
    }
    await using client = await RheaClient.connect(broker, { containerId: 'desk-1' })
    await (await client.receiver({ name: 'news', credit_window: 0 })).close()
  })

  test('asks and is answered', async () => {
    await using server = start(page, `server.${suffix}`)
    await server.untilLine('serving')
    expect(await run(page, `ask.${suffix}`)).toEqual(['HELLO'])
  })

  test('logs in over TLS', async () => {
    const expected = suffix === 'py' ? ['in'] : ['tls: in', 'webSocket: in']
    expect([...(await run(page, `secure.${suffix}`))].toSorted()).toEqual(expected)
  })
})

describe('javascript.md', () => {
  test('publishes a reading over MQTT and hears it', async () => {
    expect(await run('javascript.md', 'readings.mjs')).toEqual(['home/kitchen/temperature 21.5'])
  })

  test('goes back to an MQTT session, and gets what came while it was away', async () => {
    for (const [greeting, text] of Object.entries({ subscribed: 'one', back: 'two' })) {
      await using subscriber = start('javascript.md', 'mqtt-session.mjs')
      await subscriber.untilLine(greeting)
      if (text === 'one') await publish('topic://news.today', text)
      expect(await subscriber.untilLine(text)).toBe(text)
      await subscriber.ended()
      if (text === 'one') await publish('topic://news.today', 'two')
    }
  })

  test('takes from a queue over MQTT, and rejects', async () => {
    const lines = await run('javascript.md', 'mqtt-queue.mjs')
    expect(lines).toEqual(['$queue/jobs tea', '$queue/jobs cocoa'])
    expect(await emptied('queue://DLQ')).toEqual([Buffer.from('soap')])
    expect(await emptied('queue://jobs')).toEqual([])
  })

  test.each([
    ['with a WebSocket', []],
    ['without one', ['--no-experimental-websocket']],
  ] as const)('takes from a queue over STOMP on WebSocket, and rejects, on a Node %s', async (_, nodeArgs) => {
    const lines = await run('javascript.md', 'stomp-queue.mjs', nodeArgs)
    expect(lines.filter((line) => !line.includes('disk'))).toEqual(['tea', 'soap', 'cocoa'])
    expect(lines.filter((line) => line.includes('disk')).toSorted()).toEqual(
      ['cocoa', 'soap', 'tea'].map((order) => `${order} is on disk`),
    )
    expect(await emptied('queue://DLQ')).toEqual(['soap'])
  })

  test('sends and takes over STOMP on TCP', async () => {
    expect((await run('javascript.md', 'stomp-tcp.mjs')).toSorted()).toEqual(['on disk', 'one parcel'])
  })
})

test('javascript.md looks through a queue', async () => {
  await publish('queue://orders', 'of no unit')
  await run('javascript.md', 'send.mjs')
  expect(await run('javascript.md', 'browse.mjs')).toEqual(['tea', 'coffee', 'cocoa'])
  expect(await emptied('queue://orders')).toEqual(['of no unit', 'tea', 'coffee', 'cocoa'])
})

describe('python.md', () => {
  beforeEach(async (context) => {
    for (const name of ['python3-paho-mqtt', 'python3-stomp', 'python3-qpid-proton'] as const)
      await needs(context, name)
  }, INSTALL_MS_MAX)

  test('publishes a reading over MQTT and hears it', async () => {
    expect(await run('python.md', 'readings.py')).toEqual(['home/kitchen/temperature 21.5'])
  })

  test('takes one parcel over STOMP, and makes the other a dead letter', async () => {
    expect(await run('python.md', 'parcels.py')).toEqual(['brick', 'book'])
    expect((await emptied('queue://DLQ')).map(String)).toEqual(['brick'])
  })

  test('moves a message in a transaction over AMQP', async () => {
    await publish('queue://orders', 'tea')
    expect(await run('python.md', 'move.py')).toEqual(['moved'])
    expect([await emptied('queue://orders'), await emptied('queue://done')]).toEqual([[], ['tea']])
  })
})

describe('c-and-shell.md', () => {
  /** What a script of the page says, with `ternmq` in its path. */
  async function runScript(name: string): Promise<readonly string[]> {
    const operator = await Operator.start({ listeners: ['mqtt', 'stomp'] })
    const folder = newFolder()
    const command = join(folder, 'ternmq')
    writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`)
    chmodSync(command, 0o755)
    const env = {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      MQTT_PORT: String(operator.broker.port('mqtt')),
      STOMP_PORT: String(operator.broker.port('stomp')),
      CONSOLE_URL: operator.url.replace(/\/$/, ''),
      TERNMQ_ADMIN_PASSWORD: ADMIN_PASSWORD,
      TERNMQ_DATA_DIR: operator.broker.dataDir,
    }
    await using script = Program.start('/bin/sh', ['-e', '-c', programsOf('c-and-shell.md').get(name)!], { env })
    expect({ ...(await script.ended()), errors: script.errors }).toMatchObject({ code: 0, errors: [] })
    return script.lines
  }

  beforeEach(async (context) => {
    for (const name of ['mosquitto-clients', 'netcat-openbsd', 'curl'] as const) await needs(context, name)
  }, INSTALL_MS_MAX)

  test('puts a job into a queue and takes it over MQTT, and hears what is retained', async () => {
    expect(await runScript('mqtt.sh')).toEqual(['one job', 'home/door open'])
  })

  test('speaks STOMP by hand', async () => {
    expect(await runScript('stomp.sh')).toEqual(['one note'])
  })

  test('publishes and takes over HTTP', async () => {
    expect(await runScript('http.sh')).toEqual(['{"outcome":"routed"}', 'one letter'])
  })

  test("publishes, looks and takes with the broker's own command", async () => {
    expect((await runScript('messages.sh')).join('\n')).toContain('one coffee')
  })
})

describe('c-and-shell.md in C', () => {
  beforeEach(async (context) => {
    for (const name of ['gcc', 'libc6-dev', 'libmosquitto-dev'] as const) await needs(context, name)
  }, INSTALL_MS_MAX)

  test('publishes a reading with libmosquitto, and hears that the broker has it', async () => {
    const program = join(newFolder(), 'sensor')
    writeFileSync(`${program}.c`, programsOf('c-and-shell.md').get('sensor.c')!)
    await Program.run('gcc', ['-Wall', '-Werror', '-o', program, `${program}.c`, '-lmosquitto'])
    const env = { MQTT_PORT: String(broker.port('mqtt')) }
    expect(await Program.run(program, [], { env })).toEqual(['acknowledged'])
  })
})

const TESTED_PAGES = ['javascript.md', 'python.md', 'c-and-shell.md']

test('every program of the pages that run here is run', () => {
  const names = TESTED_PAGES.flatMap((page) => [...programsOf(page).keys()])
  const own = readFileSync(import.meta.filename, 'utf8')
  const isNamed = (name: string): boolean => own.includes(name) || own.includes(name.replace(/\w+$/, '${suffix}'))
  expect(names.filter((name) => !isNamed(name))).toEqual([])
  expect(names.length).toBeGreaterThan(21)
})
