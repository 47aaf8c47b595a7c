/** paho for Python, from Debian's python3-paho-mqtt: another implementation of the protocol, in another language. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { INSTALL_MS_MAX, needs, PYTHON } from './debian.ts'
import { TestClient, type Version, VERSIONS } from './mqtt-js-client.ts'
import { Program } from './program.ts'
import { type ListenerName, LISTENERS, RunningBroker } from './running-broker.ts'

const COUNT = 50

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
  await broker.addUser('device', 'correct horse')
})

afterAll(() => broker.stop())

beforeEach((context) => needs(context, 'python3-paho-mqtt'), INSTALL_MS_MAX)

/** Arguments that run one of our scripts against the broker. */
function script(
  file: string,
  at: { readonly listener: ListenerName; readonly version: Version },
  env: Readonly<Record<string, string>>,
): Parameters<typeof Program.start> {
  const isWebSocket = at.listener === 'ws' || at.listener === 'wss'
  const isSecure = at.listener === 'mqtts' || at.listener === 'wss'
  const settings = {
    MQTT_VERSION: String(at.version),
    MQTT_TRANSPORT: isWebSocket ? 'websockets' : 'tcp',
    MQTT_PORT: String(broker.port(at.listener)),
    PYTHONDONTWRITEBYTECODE: '1',
    ...(isSecure && { MQTT_CA: broker.caFile }),
  }
  return [PYTHON, [join(import.meta.dirname, 'paho', file)], { env: { ...settings, ...env } }]
}

async function resultOf(...[command, args, options]: Parameters<typeof Program.start>): Promise<unknown> {
  const lines = await Program.run(command, args, options)
  return JSON.parse(lines.join('\n'))
}

describe.each(LISTENERS)('over %s', (listener) => {
  test.each(VERSIONS)('messages of QoS 0, 1 and 2 arrive once and in order with version %s', async (version) => {
    const env = { MQTT_TOPIC: `test/${randomUUID()}`, MQTT_COUNT: String(COUNT) }
    const result = await resultOf(...script('exchange.py', { listener, version }, env))
    const { granted, received } = result as { granted: number[]; received: [qos: number, text: string][] }
    expect(granted).toEqual([0, 1, 2])
    const texts = Array.from({ length: COUNT }, (_, index) => String(index))
    for (const qos of [0, 1, 2]) {
      expect(received.filter((message) => message[0] === qos).map((message) => message[1])).toEqual(texts)
    }
  })

  test('properties of MQTT 5 arrive', async () => {
    const env = { MQTT_TOPIC: `test/${randomUUID()}` }
    const result = await resultOf(...script('properties.py', { listener, version: 5 }, env))
    const { MessageExpiryInterval, ...properties } = (result as { properties: Record<string, unknown> }).properties
    expect(result).toMatchObject({ qos: 2, retain: true })
    expect(properties).toEqual({
      PayloadFormatIndicator: 1,
      ContentType: 'text/plain',
      ResponseTopic: 'answers',
      CorrelationData: '00ff',
      SubscriptionIdentifier: [42],
      UserProperty: [
        ['unit', '°C'],
        ['path', 'first'],
        ['path', 'second'],
      ],
    })
    expect(MessageExpiryInterval).toBeGreaterThan(80)
  })
})

describe.concurrent('a device with a session that stays and a keep-alive of 3 seconds', () => {
  function device(name: string): Program {
    const env = { MQTT_CLIENT_ID: name, MQTT_USERNAME: 'device', MQTT_PASSWORD: 'correct horse' }
    return Program.start(...script('device.py', { listener: 'mqtt', version: 4 }, env))
  }

  test('stays connected as long as it says so', async () => {
    await using watcher = await TestClient.connect(broker)
    await watcher.mqtt.subscribeAsync('/quiet/status', { qos: 1 })
    await using quiet = device('quiet')
    await quiet.untilLine('subscribed (1, 1, 1, 1, 1)')
    await quiet.untilLine('Received PINGRESP', 2) // 6 s: longer than one and a half times 3
    await watcher.mqtt.publishAsync('/quiet/part/cpu', 'intel cpu', { qos: 1 })
    await quiet.untilLine('message arrived intel cpu')
    expect(quiet.lines.filter((line) => line.startsWith('connected'))).toHaveLength(1)
    expect(watcher.messages).toEqual([])
  })

  test('that falls silent is lost, and gets what it missed when it is back', async () => {
    await using watcher = await TestClient.connect(broker)
    await watcher.mqtt.subscribeAsync('/silent/status', { qos: 1 })
    await using silent = device('silent')
    await silent.untilLine('subscribed (1, 1, 1, 1, 1)')
    expect(silent.lines[0]).toBe('connected, session present: 0')
    silent.signal('SIGSTOP') // its socket stays open, and nobody serves it
    expect(await watcher.takeTexts(1)).toEqual(['lost'])

    const parts = { cpu: 'intel cpu', keyboard: 'ducky', gpu: 'amd', ram: 'samsung' }
    for (const [part, text] of Object.entries(parts)) {
      await watcher.mqtt.publishAsync(`/silent/part/${part}`, text, { qos: 1 })
    }
    silent.signal('SIGCONT')
    await silent.untilLine('message arrived', 4)
    expect(silent.lines).toContain('connected, session present: 1')
    const arrived = silent.lines.flatMap((line) => /^message arrived (.*)$/.exec(line)?.[1] ?? [])
    expect(arrived).toEqual(Object.values(parts))
  })
})
