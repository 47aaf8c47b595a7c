import { closed, type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import { expect, onTestFinished, test } from 'vitest'

import { ConnectionBudget, createTcpListener, FILES_KEPT } from '../../src/index.ts'
import { startTcp } from './support.ts'

test('connections over the limit of the listener are closed at once, counted and told', async () => {
  const rig = await startTcp({ connectionsMax: 3 })
  const peers = await Promise.all([1, 2, 3].map(() => rig.dial()))
  await Promise.all(peers.map(() => rig.nextAccepted()))
  const flood = await Promise.all(Array.from({ length: 50 }, () => rig.dial()))
  await Promise.all(flood.map((peer) => closed(peer)))
  expect(rig.accepted.length).toBe(3)
  expect(rig.listener.stats).toMatchObject({ open: 3, accepted: 3, refusedByListenerLimit: 50 })
  expect(rig.events).toEqual([
    {
      kind: 'refused',
      listener: 'mqtt',
      address: '127.0.0.1',
      text: 'connection refused: listeners.mqtt.maxConnections is 3, and as many are open',
      count: 1,
    },
  ])
  rig.clock.advance(1_000)
  expect(rig.events[1]?.count).toBe(49) // one line for the rest of the second
  const [gone] = rig.accepted
  peers[0]?.destroy()
  await gone?.until(() => gone.closedWith.length > 0)
  await rig.dial()
  await rig.nextAccepted()
  expect(rig.listener.stats.open).toBe(3)
})

test('connections over the limit of one address are closed at once', async () => {
  const rig = await startTcp({ connectionsPerAddressMax: 2 })
  await rig.dial()
  await rig.dial()
  const third = await rig.dial()
  await closed(third)
  expect(rig.listener.stats).toMatchObject({ open: 2, refusedByAddressLimit: 1, refusedByListenerLimit: 0 })
  expect(rig.events[0]?.text).toBe(
    'connection refused: listeners.mqtt.maxConnectionsPerAddress is 2, and 127.0.0.1 has as many',
  )
})

test('connections that would take the last files are closed at once, counted and told', async () => {
  const filesMax = FILES_KEPT + 1 // this process has more than one already
  const rig = await startRig(
    (context, accept) =>
      createTcpListener(TEST_OPTIONS, { ...context, budget: new ConnectionBudget({ filesMax }) }, accept),
    onTestFinished,
  )
  await closed(await rig.dial())
  expect(rig.listener.stats).toMatchObject({ open: 0, accepted: 0, refusedByFileLimit: 1 })
  expect(rig.events[0]?.text).toBe(
    `connection refused: the process may have ${filesMax} files open and 64 are kept for the rest of the broker; ` +
      'raise the limit (ulimit -Hn, or LimitNOFILE= of the service)',
  )
})

test('all listeners together keep to the limit of the broker, which may change', async () => {
  const budget = new ConnectionBudget({ connectionsMax: 2 })
  const start = (): Promise<Rig> =>
    startRig((context, accept) => createTcpListener(TEST_OPTIONS, { ...context, budget }, accept), onTestFinished)
  const [one, other] = [await start(), await start()]
  await one.dial()
  await one.nextAccepted()
  await other.dial()
  const last = await other.nextAccepted()
  await closed(await one.dial())
  expect(one.listener.stats).toMatchObject({ open: 1, refusedByBrokerLimit: 1 })
  expect(one.events[0]?.text).toBe('connection refused: limits.maxConnections is 2, and as many are open')
  last.transport.destroy('makes room')
  await other.eventually(() => budget.open === 1)
  await one.dial()
  await one.nextAccepted()
  budget.connectionsMax = 3
  await one.dial()
  await one.nextAccepted()
  expect(budget.open).toBe(3)
})

test('limits that change hold for new connections', async () => {
  const rig = await startTcp({ connectionsMax: 1 })
  await rig.dial()
  await rig.nextAccepted()
  rig.listener.use({ connectionsMax: 2 })
  await rig.dial()
  await rig.nextAccepted()
  rig.listener.use({ connectionsMax: 1_000, connectionsPerAddressMax: 2 })
  await closed(await rig.dial())
  expect(rig.listener.stats).toMatchObject({ open: 2, refusedByListenerLimit: 0, refusedByAddressLimit: 1 })
})
