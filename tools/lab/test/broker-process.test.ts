import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, test } from 'vitest'

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

test('a broker that cannot start is an error with what it logged', async () => {
  await expect(BrokerProcess.start({ config: { mqtt: { maxQoss: 1 } } })).rejects.toThrow('maxQoss')
})

test('a listener that was not asked for has no port', async () => {
  await using broker = await BrokerProcess.start()
  expect(() => broker.port('wss')).toThrow("no listener 'wss'")
})
