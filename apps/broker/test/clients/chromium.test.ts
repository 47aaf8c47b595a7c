/** Pages in a real browser: Debian's Chromium, with MQTT.js as it is bundled for browsers. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { Browser, STRANGER } from './chromium/browser.ts'
import { INSTALL_MS_MAX, needs } from './debian.ts'
import { VERSIONS } from './mqtt-js-client.ts'
import { RunningBroker } from './running-broker.ts'

const MATRIX = (['ws', 'wss'] as const).flatMap((listener) => VERSIONS.map((version) => ({ listener, version })))

let broker: RunningBroker
let browser: Browser | undefined

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(async () => {
  await browser?.close()
  await broker.stop()
})

beforeEach(async (context) => {
  await needs(context, 'chromium')
  browser ??= await Browser.start(broker.certificateFile)
}, INSTALL_MS_MAX)

function open(listener: 'ws' | 'wss', version: number, host?: string): ReturnType<Browser['open']> {
  if (browser === undefined) throw new Error('beforeEach starts it')
  return browser.open({ url: broker.url(listener), version: String(version) }, host)
}

test.each(MATRIX)('a page exchanges messages over $listener with version $version', async ({ listener, version }) => {
  const result = await open(listener, version)
  expect(result).toEqual({
    connected: true,
    subprotocol: version === 3 ? 'mqttv3.1' : 'mqtt',
    granted: [2],
    messages: [0, 1, 2].map((qos) => ({ qos, text: `grüße ${qos}`, ...(version === 5 && { unit: '°C' }) })),
    largeArrived: true,
  })
})

test('a page from elsewhere may not connect, and the log says which setting would allow it', async () => {
  expect(await open('ws', 5, STRANGER)).toMatchObject({ connected: false, subprotocol: '' })
  await broker.untilLogged(/pages of http:\/\/pages\.example:\d+ may not connect: listeners\.ws\.allowedOrigins/)
})
