/** mosquitto_pub, mosquitto_sub and mosquitto_rr, from Debian's mosquitto-clients, with the command lines that people type. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { INSTALL_MS_MAX, needs } from './debian.ts'
import { TestClient } from './mqtt-js-client.ts'
import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

const MATRIX = (['mqtt', 'mqtts'] as const).flatMap((listener) =>
  (['mqttv31', 'mqttv311', 'mqttv5'] as const).map((version) => ({ listener, version })),
)

/** What mosquitto_sub prints of a message: QoS, whether retained, topic, body. */
const FORMAT = ['-F', '%q %r %t %p']

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
  await broker.addUser('ada', 'correct horse')
})

afterAll(() => broker.stop())

beforeEach((context) => needs(context, 'mosquitto-clients'), INSTALL_MS_MAX)

/** Nobody else's. */
function freshTopic(): string {
  return `test/${randomUUID()}`
}

function freshId(): string {
  return `mosq-${randomUUID().slice(0, 8)}`
}

/** Where and how: arguments for all three programs. */
function to(listener: 'mqtt' | 'mqtts', version = 'mqttv311'): string[] {
  const tls = listener === 'mqtts' ? ['--cafile', broker.caFile] : []
  return ['-h', 'localhost', '-p', String(broker.port(listener)), '-V', version, ...tls]
}

/** Resolves once the broker has granted what `args` subscribe to. */
async function subscribed(...args: readonly string[]): Promise<Program> {
  // -d makes mosquitto_sub say so, among other things; without stdbuf it would say it to its buffer.
  const program = Program.start('stdbuf', ['-oL', 'mosquitto_sub', ...FORMAT, '-d', ...args])
  try {
    await program.untilLine(/^Subscribed \(mid: \d+\)/)
    return program
  } catch (error) {
    await program.stop()
    throw error
  }
}

/** The messages among the lines of `subscribed`. */
function messagesOf({ lines }: Program): string[] {
  return lines.filter((line) => /^[012] [01] /.test(line))
}

/** Resolves once `subscribed` has printed a message to `topic`; -d names the topic in a line before it. */
async function untilMessageTo(topic: string, program: Program): Promise<void> {
  await program.untilLine(new RegExp(`^[012] [01] ${topic} `))
}

async function publish(...args: readonly string[]): Promise<void> {
  await Program.run('mosquitto_pub', args)
}

describe.each(MATRIX)('over $listener with -V $version', ({ listener, version }) => {
  const at = (...args: readonly string[]): string[] => [...to(listener, version), ...args]

  test('messages of QoS 0, 1 and 2 arrive with their QoS', async () => {
    const topic = freshTopic()
    await using subscriber = await subscribed(...at('-t', `${topic}/#`, '-q', '2', '-C', '3'))
    for (const qos of ['0', '1', '2']) await publish(...at('-t', `${topic}/${qos}`, '-q', qos, '-m', `body ${qos}`))
    expect(await subscriber.ended()).toMatchObject({ code: 0 })
    expect(messagesOf(subscriber).toSorted()).toEqual(['0', '1', '2'].map((q) => `${q} 0 ${topic}/${q} body ${q}`))
  })

  test.each(['1', '2'])('five hundred lines of standard input arrive in order with QoS %s', async (qos) => {
    const topic = freshTopic()
    await using subscriber = await subscribed(...at('-t', topic, '-q', qos, '-C', '500'))
    const texts = Array.from({ length: 500 }, (_, index) => `line ${index}`)
    await Program.run('mosquitto_pub', at('-t', topic, '-q', qos, '-l'), { input: `${texts.join('\n')}\n` })
    await subscriber.ended()
    expect(messagesOf(subscriber)).toEqual(texts.map((text) => `${qos} 0 ${topic} ${text}`))
  })

  test('a retained message waits for subscribers until it is cleared', async () => {
    const topic = freshTopic()
    await publish(...at('-t', `${topic}/a`, '-q', '1', '-r', '-m', 'kept'))
    const once = ['-t', `${topic}/#`, '-q', '1', '-C', '1', ...FORMAT]
    expect(await Program.run('mosquitto_sub', at(...once))).toEqual([`1 1 ${topic}/a kept`])

    await publish(...at('-t', `${topic}/a`, '-q', '1', '-r', '-n'))
    await using late = await subscribed(...at('-t', `${topic}/#`, '-q', '1', '-C', '1'))
    await publish(...at('-t', `${topic}/end`, '-q', '1', '-m', 'end'))
    await late.ended()
    expect(messagesOf(late)).toEqual([`1 0 ${topic}/end end`])
  })

  test('the will of a killed client is published, of one that ends by itself it is not', async () => {
    const topic = freshTopic()
    const will = (body: string): string[] => ['--will-topic', topic, '--will-qos', '1', '--will-payload', body]
    await using watcher = await subscribed(...at('-t', topic, '-q', '1', '-C', '1'))
    // Ctrl-C would not do: mosquitto_sub then asks a broker of MQTT 5 to publish its will.
    await Program.run('mosquitto_sub', at('-t', freshTopic(), ...will('not this'), '-E'))
    await using sudden = await subscribed(...at('-t', freshTopic(), ...will('gone')))
    await sudden.stop('SIGKILL')
    await watcher.ended()
    expect(messagesOf(watcher)).toEqual([`1 0 ${topic} gone`])
  })

  test('a session that stays collects messages', async () => {
    const topic = freshTopic()
    const session = ['-i', freshId(), '-c', '-t', topic, '-q', '1', ...(version === 'mqttv5' ? ['-x', '60'] : [])]
    await Program.run('mosquitto_sub', at(...session, '-E')) // subscribes and leaves
    for (const text of ['first', 'second']) await publish(...at('-t', topic, '-q', '1', '-m', text))
    const collected = await Program.run('mosquitto_sub', at(...session, '-C', '2'))
    expect(collected).toEqual(['first', 'second'])
  })

  test('members of a shared subscription get every message once between them', async () => {
    const topic = freshTopic()
    const member = (): Promise<Program> => subscribed(...at('-t', `$share/group/${topic}`, '-q', '1', '-C', '10'))
    await using one = await member()
    await using two = await member()
    const texts = Array.from({ length: 20 }, (_, index) => `job ${index}`)
    await Program.run('mosquitto_pub', at('-t', topic, '-q', '1', '-l'), { input: `${texts.join('\n')}\n` })
    await one.ended()
    await two.ended()
    const done = [...messagesOf(one), ...messagesOf(two)]
    expect(done.toSorted()).toEqual(texts.map((text) => `1 0 ${topic} ${text}`).toSorted())
  })

  test('a user comes in with the right password only', async () => {
    const attempt = (password: string): string[] =>
      at('-u', 'ada', '-P', password, '-t', freshTopic(), '-m', 'x', '-q', '1')
    await publish(...attempt('correct horse'))
    await using refused = Program.start('mosquitto_pub', attempt('wrong'))
    const { code } = await refused.ended()
    expect(code).not.toBe(0)
    expect(refused.errors.join()).toMatch(/bad user name or password/i)
  })
})

test('topics that begin with a slash have an empty first level, which + matches too', async () => {
  const at = ['-h', '127.0.0.1', '-p', String(broker.port('mqtt'))]
  await using parts = await subscribed(...at, '-t', '/computer/part/+', '-q', '1')
  await using withoutSlash = await subscribed(...at, '-t', 'computer/part/+', '-q', '1')
  await using anyFirst = await subscribed(...at, '-t', '+/computer/part/+', '-q', '1')
  await publish(...at, '-t', '/computer/part/cpu', '-q', '1', '-m', 'intel cpu')
  await publish(...at, '-t', '/computer/part/keyboard', '-q', '1', '-m', 'ducky')
  await publish(...at, '-t', '/computer/part/cpu/intel', '-q', '1', '-m', 'deeper')
  await publish(...at, '-t', 'computer/part/ram', '-q', '1', '-m', 'samsung')
  await publish(...at, '-t', '/computer/part/end', '-q', '1', '-m', 'end')
  const expected = [
    '1 0 /computer/part/cpu intel cpu',
    '1 0 /computer/part/keyboard ducky',
    '1 0 /computer/part/end end',
  ]
  for (const program of [parts, anyFirst]) {
    await untilMessageTo('/computer/part/end', program)
    expect(messagesOf(program)).toEqual(expected)
  }
  await untilMessageTo('computer/part/ram', withoutSlash)
  expect(messagesOf(withoutSlash)).toEqual(['1 0 computer/part/ram samsung'])
})

test('+ stands for one level, # for all below and the level above', async () => {
  const at = to('mqtt')
  await using memory = await subscribed(...at, '-t', '/japan/tokyo/+/memory')
  await using device = await subscribed(...at, '-t', '/japan/tokyo/device1/#')
  const topics = [
    'device1',
    'device1/cpu',
    'device1/memory',
    'device1/cpu/load',
    'device2/memory',
    'end/memory',
    'device1/end',
  ]
  for (const topic of topics) await publish(...at, '-t', `/japan/tokyo/${topic}`, '-q', '1', '-m', 'x')
  await untilMessageTo('/japan/tokyo/end/memory', memory)
  await untilMessageTo('/japan/tokyo/device1/end', device)
  const topicsOf = (program: Program): string[] =>
    messagesOf(program).map((line) => line.replace(/^0 0 \/japan\/tokyo\/(\S+) x$/, '$1'))
  expect(topicsOf(memory)).toEqual(['device1/memory', 'device2/memory', 'end/memory'])
  expect(topicsOf(device)).toEqual(['device1', 'device1/cpu', 'device1/memory', 'device1/cpu/load', 'device1/end'])
})

test('properties of MQTT 5 arrive, and mosquitto_rr gets its answer', async () => {
  const topic = freshTopic()
  const at = to('mqtts', 'mqttv5')
  const user = ['-D', 'publish', 'user-property', 'unit', 'celsius']
  const others = ['-D', 'publish', 'content-type', 'text/plain', '-D', 'publish', 'response-topic', 'answers']
  await using subscriber = await subscribed(...at, '-t', topic, '-C', '1', '-F', '%C %R %P %p')
  await publish(...at, '-t', topic, '-m', '20', '-q', '1', ...user, ...others)
  expect(await subscriber.untilLine('text/plain')).toBe('text/plain answers unit:celsius 20')

  await using responder = await TestClient.connect(broker)
  responder.mqtt.on('message', (_topic, body, { properties }) => {
    const { responseTopic = '', correlationData } = properties ?? {}
    responder.mqtt.publish(responseTopic, `${body.toString()}, too`, {
      qos: 1,
      properties: correlationData === undefined ? {} : { correlationData },
    })
  })
  await responder.mqtt.subscribeAsync(`${topic}/ask`, { qos: 1 })
  const ask = ['-t', `${topic}/ask`, '-e', `${topic}/answer`, '-m', 'hello', '-q', '1']
  expect(await Program.run('mosquitto_rr', [...at, ...ask])).toEqual(['hello, too'])
})
