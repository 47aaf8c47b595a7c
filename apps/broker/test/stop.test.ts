/** How a broker ends, and what a signal does to it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { CLI, client, newFolder, openSocket, start, until } from './support.ts'

/** DISCONNECT reason code: server shutting down. [MQTT5 §3.14.2.1] */
const SERVER_SHUTTING_DOWN = 0x8b

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s tells MQTT 5 clients, ends well and leaves no socket behind',
  async (signal) => {
    const broker = await start({ listeners: ['mqtt', 'ws'] })
    const clients = [
      await client(`mqtt://127.0.0.1:${broker.port('mqtt')}`),
      await client(`ws://127.0.0.1:${broker.port('ws')}`),
    ]
    const reasons: Array<number | undefined> = []
    for (const each of clients) each.on('disconnect', ({ reasonCode }) => reasons.push(reasonCode))
    process.kill(broker.ready.pid, signal)
    expect(await broker.program.ended()).toEqual({ code: 0, signal: null })
    await until('both clients to hear of it', () => reasons.length === 2)
    expect(reasons).toEqual([SERVER_SHUTTING_DOWN, SERVER_SHUTTING_DOWN])
    expect(existsSync(join(broker.dataDir, 'admin.sock'))).toBe(false)
  },
)

test('what was acknowledged before the end has arrived before the end', async () => {
  const broker = await start()
  const url = `mqtt://127.0.0.1:${broker.port('mqtt')}`
  const subscriber = await client(url)
  const publisher = await client(url)
  let received = 0
  subscriber.on('message', () => received++)
  await subscriber.subscribeAsync('#', { qos: 0 })
  const payload = Buffer.alloc(10_000)
  await Promise.all(Array.from({ length: 500 }, () => publisher.publishAsync('a', payload, { qos: 1 })))
  process.kill(broker.ready.pid, 'SIGTERM')
  await broker.program.ended()
  await until('every message', () => received === 500)
  expect(received).toBe(500)
})

test('a second signal ends it at once, with the code of that signal', async () => {
  const broker = await start()
  // A peer that does not close its side keeps a draining broker waiting for seconds.
  await openSocket(broker.port('mqtt'))
  process.kill(broker.ready.pid, 'SIGTERM')
  await broker.program.untilLine('SIGTERM: stopping')
  await until('the end', () => {
    if (!broker.program.hasEnded) process.kill(broker.ready.pid, 'SIGTERM')
    return broker.program.hasEnded
  })
  expect(await broker.program.ended()).toEqual({ code: 143, signal: null })
})

test('a fault of ours is logged with its stack, and ends the process with 1', async () => {
  const fault = "process.on('SIGUSR2', () => { throw new Error('on purpose') })"
  const broker = await start({ nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(fault)}`] })
  process.kill(broker.ready.pid, 'SIGUSR2')
  expect((await broker.program.ended()).code).toBe(1)
  const log = broker.program.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  // On a slow machine it may not be the last: what is under way goes on until the log is written.
  const fatal = log.find(({ level }) => level === 'fatal')
  expect(fatal).toMatchObject({ msg: 'internal error: on purpose' })
  expect(fatal?.['stack']).toContain('Error: on purpose\n')
})

test('SIGHUP takes what may change while it runs, says what has to wait, and keeps going with a mistake', async () => {
  const file = join(newFolder(), 'broker.yaml')
  writeFileSync(file, 'mqtt: { maxQos: 2 }\n')
  const broker = await start({ args: ['--config', file] })
  const url = `mqtt://127.0.0.1:${broker.port('mqtt')}`
  const before = await client(url)

  writeFileSync(file, 'mqtt: { maxQos: 1 }\nauth: { hashQueueMax: 7 }\n')
  process.kill(broker.ready.pid, 'SIGHUP')
  const applied = await broker.program.untilLine('"applied"')
  expect(JSON.parse(applied)).toMatchObject({ applied: ['mqtt.maxQos'] })
  expect(JSON.parse(await broker.program.untilLine('"waiting"'))).toMatchObject({ waiting: ['auth.hashQueueMax'] })
  const [grantedAfter] = await (await client(url)).subscribeAsync('a', { qos: 2 })
  expect(grantedAfter?.qos).toBe(1)
  const [grantedBefore] = await before.subscribeAsync('a', { qos: 2 })
  expect(grantedBefore?.qos).toBe(2)

  writeFileSync(file, 'mqtt: { maxQos: 3 }\n')
  process.kill(broker.ready.pid, 'SIGHUP')
  await broker.program.untilLine('reload: nothing has changed')
  await before.publishAsync('still', 'there', { qos: 1 })
})

test('a log that cannot be written does not hold up the end', async () => {
  const folder = newFolder()
  const readyFile = join(folder, 'ready.json')
  const ports = ['mqtt', 'mqtts', 'ws', 'wss', 'stomp', 'stomps', 'amqp', 'amqps'].flatMap((name) => ['--set', `listeners.${name}.port=0`]).concat('--set', 'console.port=0')
  const full = openSync('/dev/full', 'w') // every write to it fails: no space left
  const broker = spawn(process.execPath, [CLI, 'start', '--data-dir', join(folder, 'data'), '--ready-json', readyFile, ...ports], {
    stdio: ['ignore', full, 'ignore'],
  })
  closeSync(full)
  await until('the broker is ready', () => existsSync(readyFile))
  broker.kill('SIGTERM')
  const [code] = (await once(broker, 'exit')) as [number | null]
  expect(code).toBe(0)
})
