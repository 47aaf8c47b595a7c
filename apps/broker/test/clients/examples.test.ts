/** The programs of examples/, run as their READMEs say: processes of their own against a broker with its own certificate. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', '..', 'examples')

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
  await broker.addUser('ada', 'correct horse')
})

afterAll(() => broker.stop())

describe('MQTT 3.1 over TLS with a user (examples/mqtt-js)', () => {
  function example(file: string, env: Readonly<Record<string, string>> = {}): Program {
    const settings = {
      MQTT_PORT: String(broker.port('mqtts')),
      MQTT_USERNAME: 'ada',
      MQTT_PASSWORD: 'correct horse',
      MQTT_CA: broker.caFile,
    }
    const cwd = join(EXAMPLES, 'mqtt-js')
    return Program.start(process.execPath, [file], { cwd, env: { ...settings, ...env } })
  }

  test('what the publisher sends every second reaches the subscriber, and is acknowledged', async () => {
    await using subscriber = example('subscriber.js')
    await subscriber.untilLine('connected')
    await using publisher = example('publisher.js')

    // The second one has been sent by a timer that went on.
    const sent = await publisher.untilLine(/^sent /, 2)
    const message = sent.replace(/^sent +/, '')
    expect(message).toMatch(/^hello, it is \d+ ms$/)
    await subscriber.untilLine(`received ${message}`)
    await publisher.untilLine(`received ${message}`)
    expect(subscriber.errors).toEqual([])
    expect(publisher.errors).toEqual([])
  })

  test('a wrong password is refused by name', async () => {
    await using subscriber = example('subscriber.js', { MQTT_PASSWORD: 'wrong' })
    await subscriber.untilLine('Connection refused: Bad username or password')
    expect(subscriber.lines).not.toContain('connected')
  })

  test('a client that trusts another authority does not connect', async () => {
    // A server certificate is no authority.
    await using subscriber = example('subscriber.js', { MQTT_CA: broker.certificateFile })
    await subscriber.untilLine(/certificate/)
    expect(subscriber.lines).not.toContain('connected')
  })
})

describe('MQTT 5 (examples/mqtt5)', () => {
  function example(file: string, ...args: readonly string[]): Program {
    const env = { MQTT_URL: broker.url('mqtt') }
    return Program.start(process.execPath, [file, ...args], { cwd: join(EXAMPLES, 'mqtt5'), env })
  }

  test('requests are answered on the topic that each names', async () => {
    await using responder = example('responder.js')
    await responder.untilLine('answering')
    await using request = example('request.js')
    expect(await request.ended()).toMatchObject({ code: 0 })
    expect(request.lines.toSorted()).toEqual(['[1,2] = 3', '[3,4,5] = 12', '[6,7,8,9] = 30'])
  })

  test('workers share jobs, and what one of them leaves undone the other does', async () => {
    await using one = example('worker.js', 'one')
    await using two = example('worker.js', 'two')
    await one.untilLine('one is ready')
    await two.untilLine('two is ready')
    two.signal('SIGSTOP') // it is given its four jobs, and does none for now
    await using jobs = example('jobs.js', '12')
    expect(await jobs.ended()).toMatchObject({ code: 0 })
    expect(jobs.lines).toEqual(['12 jobs handed out, 0 of them to nobody'])
    await one.untilLine('one did', 8)

    const stopped = two.stop('SIGINT') // Ctrl-C in the middle of a job
    expect(one.lines.filter((line) => line.startsWith('one did'))).toHaveLength(8)
    two.signal('SIGCONT')
    await stopped
    expect(two.lines).toEqual(['two is ready'])
    for (let job = 1; job <= 12; job++) await one.untilLine(new RegExp(`^one did job ${job}$`))
  })

  test('jobs without a worker are reported as heard by nobody', async () => {
    await using jobs = example('jobs.js', '3')
    expect(await jobs.ended()).toMatchObject({ code: 0 })
    expect(jobs.lines).toEqual(['3 jobs handed out, 3 of them to nobody'])
  })

  test('a device that dies goes offline by its will, and late watchers learn what it said last', async () => {
    await using watch = example('watch.js')
    await using lamp = example('device.js', 'lamp')
    await watch.untilLine(/lamp: status online/)
    await watch.untilLine(/lamp: temperature \d/)
    await lamp.stop('SIGINT')
    await watch.untilLine('lamp: status offline')

    await using late = example('watch.js')
    await late.untilLine('lamp: status offline (retained)')
    await late.untilLine(/lamp: temperature .*\(retained\)/)
    // Who comes back is online again, for everybody.
    await using again = example('device.js', 'lamp')
    await again.untilLine('lamp is online')
    expect(await late.untilLine(/^lamp: status online$/)).toBeDefined()
  })
})
