import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { BrokerProcess } from '../src/broker-process.ts'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a broker accepts when it is ready and is gone when it has stopped', async () => {
  const broker = await BrokerProcess.start()
  const socket = connect(broker.port(), '127.0.0.1')
  await once(socket, 'connect')
  socket.destroy()
  expect(isAlive(broker.pid)).toBe(true)
  await broker.stop()
  expect(isAlive(broker.pid)).toBe(false)
  await broker.stop()
})

test('a broker that was killed comes back on its port and data directory, and both go when it has stopped', async () => {
  const broker = await BrokerProcess.start()
  const { pid, dataDir } = broker
  const port = broker.port()
  // The log is written behind the ready file, and never by a process that is killed before.
  const startsLogged = (): number | undefined => broker.log().match(/is ready/g)?.length
  await expect.poll(startsLogged).toBe(1)
  await broker.kill()
  expect(isAlive(pid)).toBe(false)
  expect(existsSync(join(dataDir, 'journal'))).toBe(true)
  expect(await broker.startAgain()).toBeGreaterThan(0)
  expect(broker.port()).toBe(port)
  expect(broker.pid).not.toBe(pid)
  await broker.pause()
  await broker.startAgain()
  await expect.poll(startsLogged).toBe(3)
  await broker.stop()
  expect(existsSync(dataDir)).toBe(false)
})

test('a folder that is kept is there when the broker has stopped', async () => {
  const broker = await BrokerProcess.start()
  onTestFinished(() => rmSync(broker.folder, { recursive: true, force: true }))
  broker.keep()
  await broker.stop()
  expect(existsSync(broker.dataDir)).toBe(true)
})

test('a broker that cannot start is an error with what it logged', async () => {
  await expect(BrokerProcess.start({ config: { mqtt: { maxQoss: 1 } } })).rejects.toThrow('maxQoss')
})

test('a listener that was not asked for has no port', async () => {
  await using broker = await BrokerProcess.start()
  expect(() => broker.port('wss')).toThrow("no listener 'wss'")
})
