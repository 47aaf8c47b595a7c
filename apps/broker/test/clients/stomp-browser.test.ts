/** examples/browser-stomp in Debian's Chromium, as its README says: two people on a page, and a thermometer that speaks MQTT. */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { Browser } from './chromium/browser.ts'
import { INSTALL_MS_MAX, needs } from './debian.ts'
import { TestClient } from './mqtt-js-client.ts'
import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

const FOLDER = join(import.meta.dirname, '..', '..', '..', '..', 'examples', 'browser-stomp')

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

function run(file: string, env: Readonly<Record<string, string>>, ...args: readonly string[]): Program {
  const program = Program.start(process.execPath, [file, ...args], { cwd: FOLDER, env })
  onTestFinished(() => program.stop())
  return program
}

describe.each(['ws', 'wss'] as const)('with a broker at %s', (listener) => {
  /** Where the page is. */
  async function serve(): Promise<string> {
    const server = run('server.js', { PORT: '0', BROKER_URL: broker.url(listener) })
    return /http:\S+\//.exec(await server.untilLine('the chat is at'))![0]
  }

  test('two people and a thermometer talk', async () => {
    const page = await serve()
    const device = run('device.js', { MQTT_URL: broker.url('mqtt') }, `kitchen-${listener}`)
    await device.untilLine('is in the chat')
    await using ada = await browser!.visit(`${page}?name=ada`)
    await using ben = await browser!.visit(`${page}?name=ben`)
    for (const tab of [ada, ben]) await tab.untilText('#state', 'connected')
    // Pages that came after the device know of it: its status is retained.
    for (const tab of [ada, ben]) await tab.untilText('#devices li', `kitchen-${listener}online`)

    await ada.enter('#text', 'Hallo, Ben! <b>grüße</b>')
    for (const tab of [ada, ben]) await tab.untilText('#messages li', 'adaHallo, Ben! <b>grüße</b>')
    await ben.enter('#text', 'what is the temperature?')
    await device.untilLine('ben: what is the temperature?')
    for (const tab of [ada, ben]) await tab.untilText('#messages li', '°C, ben')
    for (const tab of [ada, ben]) {
      expect(await tab.texts('#messages li')).toEqual([
        'adaHallo, Ben! <b>grüße</b>',
        'benwhat is the temperature?',
        expect.stringMatching(new RegExp(`^kitchen-${listener}2\\d\\.\\d °C, ben$`)),
      ])
    }
    expect(await ada.texts('#messages b')).toEqual([])

    await device.stop('SIGINT')
    for (const tab of [ada, ben]) await tab.untilText('#devices li', `kitchen-${listener}offline`)
  })

  test('a page that lost its broker says so, comes back by itself and hears MQTT again', async () => {
    await using tab = await browser!.visit(`${await serve()}?name=ada`)
    await tab.untilText('#state', 'connected')
    await broker.kill()
    await tab.untilText('#state', 'connecting…')
    await broker.startAgain()
    await tab.untilText('#state', 'connected')
    // Its subscription came before what it says itself.
    await tab.enter('#text', 'am I back?')
    await tab.untilText('#messages li', 'am I back?')
    await using client = await TestClient.connect(broker)
    const properties = { userProperties: { from: 'mqtt.js' }, payloadFormatIndicator: true }
    await client.mqtt.publishAsync('chat/lobby', 'welcome back', { qos: 1, properties })
    await tab.untilText('#messages li', 'welcome back')
    expect(await tab.texts('#messages li')).toEqual(['adaam I back?', 'mqtt.jswelcome back'])
  })
})
