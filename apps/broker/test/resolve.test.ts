/** `ternmq resolve`: what an address means. With a broker that runs, and without. */
import type { ResolveAnswer } from '@ternmq/api'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { client, newFolder, start, ternmq } from './support.ts'

/** The values that stand behind a name, in order. */
function rows(lines: readonly string[], name: string): string[] {
  return lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length).trim())
}

function nowhere(): string[] {
  return ['--data-dir', join(newFolder(), 'none')]
}

describe('`resolve` without a broker', () => {
  test('says what it means, by which rule, how others write it, and that existence is unknown', async () => {
    const { code, stdout } = await ternmq(['resolve', '--protocol', 'stomp', '/topic/v1/2.x', ...nowhere()])
    expect(code).toBe(0)
    expect(rows(stdout, 'means')).toEqual(["topic 'v1.2/x'"])
    expect(rows(stdout, 'rule')).toEqual([expect.stringMatching(/^prefix: /)])
    expect(rows(stdout, 'exists')).toEqual(['unknown without a broker'])
    expect(rows(stdout, 'MQTT')).toEqual(['v1.2/x'])
    expect(rows(stdout, 'STOMP')).toEqual(['/topic/v1/2.x'])
    expect(rows(stdout, 'REST')).toEqual(['/topics/v1%2F2.x'])
  })

  test('refuses with 1, and says why', async () => {
    const { code, stdout } = await ternmq(['resolve', '--protocol', 'mqtt', '--send', 'a/+', ...nowhere()])
    expect(code).toBe(1)
    expect(rows(stdout, 'refused')).toEqual([expect.stringContaining('a message is sent to one topic')])
  })

  test('hints at what was probably meant', async () => {
    const { stdout } = await ternmq(['resolve', '--protocol', 'mqtt', 'Sensor/*', ...nowhere()])
    expect(rows(stdout, 'note')).toEqual([expect.stringContaining("'Sensor/+'")])
  })

  test('reads as the listener does, says for whom, and takes another profile by an option', async () => {
    const notes = async (...args: string[]): Promise<string[]> => {
      const profile = ['--set', 'listeners.stomp.profile=rabbitmq']
      const { stdout } = await ternmq([
        'resolve',
        '--protocol',
        'stomp',
        '/topic/a.#',
        ...profile,
        ...args,
        ...nowhere(),
      ])
      return [rows(stdout, 'means')[0]!, ...rows(stdout, 'note')]
    }
    expect(await notes()).toContain('read as clients of rabbitmq mean it (profile)')
    expect(await notes('--profile', 'activemq')).toContain('read as clients of activemq mean it (profile)')
  })

  test('refuses options that a broker refuses', async () => {
    const { code, stdout } = await ternmq([
      'resolve',
      '--protocol',
      'stomp',
      '/queue/a?consumer.colour=red',
      ...nowhere(),
    ])
    expect(code).toBe(1)
    expect(rows(stdout, 'refused')).toEqual([expect.stringMatching(/^option consumer\.colour=red means nothing here/)])
  })

  test('says when a delayed message is sent, and that a subscription is not delayed', async () => {
    const sent = await ternmq(['resolve', '--protocol', 'mqtt', '--send', '$delayed/5/a/b', ...nowhere()])
    expect(rows(sent.stdout, 'means')).toEqual(["topic 'a/b', 5 s after it was published"])
    const received = await ternmq(['resolve', '--protocol', 'mqtt', '$delayed/5/a/b', ...nowhere()])
    expect(rows(received.stdout, 'note')).toEqual([expect.stringContaining('subscribe to TOPIC')])
  })

  test.each([
    [['/topic/a'], '--protocol is missing'],
    [['/topic/a'], 'see `ternmq resolve --help`'],
    [['--protocol', 'http', '/topic/a'], "--protocol is 'http'; it is one of mqtt, stomp, amqp10, rest"],
    [['--protocol', 'stomp', '--profile', 'kafka', 'a'], "--profile is 'kafka'"],
    [['--protocol', 'stomp', '--kind', 'stream', 'a'], "--kind is 'stream'"],
    [['--protocol', 'stomp'], '`resolve` needs ADDRESS'],
  ])('%j is not understood', async (args, sentence) => {
    expect(await ternmq(['resolve', ...args])).toMatchObject({ code: 2, stderr: [expect.stringContaining(sentence)] })
  })
})

test('`resolve` asks a running broker what exists, and lets that decide', async () => {
  const broker = await start()
  const subscriber = await client(`mqtt://127.0.0.1:${broker.port('mqtt')}`)
  await subscriber.subscribeAsync('$queue/orders', { qos: 1 })
  await subscriber.subscribeAsync('plant/1', { qos: 1 })
  await subscriber.publishAsync('kept', 'x', { qos: 1, retain: true })
  const ask = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await ternmq(['resolve', '--json', '--data-dir', broker.dataDir, ...args])
    return JSON.parse(stdout.join('\n'))
  }
  const [queue, topic, retained, none, pattern, bare] = await Promise.all([
    ask('--protocol', 'stomp', '/queue/orders'),
    ask('--protocol', 'stomp', '/plant/1'),
    ask('--protocol', 'stomp', '/topic/kept'),
    ask('--protocol', 'stomp', '/topic/nobody'),
    ask('--protocol', 'mqtt', 'plant/+'),
    ask('--protocol', 'amqp10', 'plant.1'),
  ])
  expect(queue).toMatchObject({ ok: true, address: '$queue/orders', exists: true })
  expect(topic).toMatchObject({ address: 'plant/1', exists: true, rule: 'existing-node' })
  expect(retained).toMatchObject({ exists: true })
  expect(none).toMatchObject({ exists: false })
  expect(pattern).toMatchObject({ kind: 'topic-pattern' })
  expect(pattern).not.toHaveProperty('exists')
  // Without a broker it would be a queue.
  expect(bare).toMatchObject({ means: "topic 'plant/1'", rule: 'existing-node' })
  expect((bare as ResolveAnswer).spellings).toContainEqual({ protocol: 'amqp10', text: 'topic://plant.1' })
})
