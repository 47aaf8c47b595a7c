/** Wills of clients whose broker ends: with kill -9, and in order while a will waits for its delay. */
import { connect, type IClientOptions } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'

import { client, start, type Started, until } from './support.ts'

const LASTING = { clean: false, properties: { sessionExpiryInterval: 3_600 } } satisfies IClientOptions
const WATCHER = { ...LASTING, clientId: 'watcher' } satisfies IClientOptions

function urlOf(broker: Started): string {
  return `mqtt://127.0.0.1:${broker.port('mqtt')}`
}

/** A session that gets every will, and is away. */
async function watch(broker: Started): Promise<void> {
  const watcher = await client(urlOf(broker), WATCHER)
  await watcher.subscribeAsync('wills/#', { qos: 1 })
  await watcher.endAsync()
}

/** A client with a will whose broker is about to end. */
async function joinWithWill(broker: Started, clientId: string, willDelayInterval: number): Promise<void> {
  const will = { topic: `wills/${clientId}`, payload: Buffer.from('gone'), qos: 1 as const, properties: { willDelayInterval } }
  await client(urlOf(broker), { ...LASTING, clientId, will })
}

/** `count` wills that came to the watcher, in the order of their topics. */
async function willsOf(broker: Started, count: number): Promise<string[]> {
  const watcher = connect(urlOf(broker), { ...WATCHER, protocolVersion: 5, reconnectPeriod: 0 })
  onTestFinished(() => watcher.endAsync(true))
  const received: string[] = []
  watcher.on('message', (topic, payload) => received.push(`${topic} ${payload.toString()}`))
  await until(`${count} wills`, () => received.length >= count)
  await watcher.endAsync()
  return received.sort()
}

test('after kill -9 the wills of kept sessions are published by the broker that follows, once', async () => {
  const first = await start()
  await watch(first)
  await joinWithWill(first, 'a', 0)
  await joinWithWill(first, 'b', 1)
  await joinWithWill(first, 'back in time', 3_600)
  await first.program.stop('SIGKILL')
  const second = await start({ dataDir: first.dataDir })
  await client(urlOf(second), { ...LASTING, clientId: 'back in time' })
  expect(await willsOf(second, 2)).toEqual(['wills/a gone', 'wills/b gone'])
  await second.program.stop('SIGTERM') // its last commit has the watcher's acknowledgements
  const third = await start({ dataDir: first.dataDir })
  const last = await client(urlOf(third))
  await last.publishAsync('wills/c', 'last', { qos: 1 })
  expect(await willsOf(third, 1)).toEqual(['wills/c last'])
})

test('a will that waits for its delay when the broker is stopped is published by the one that follows', async () => {
  const first = await start()
  await watch(first)
  await joinWithWill(first, 'at once', 0)
  await joinWithWill(first, 'later', 1)
  await first.program.stop('SIGTERM')
  const second = await start({ dataDir: first.dataDir })
  expect(await willsOf(second, 2)).toEqual(['wills/at once gone', 'wills/later gone'])
})
