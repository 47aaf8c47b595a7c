/** `ternmq destinations` */
import { expect, test } from 'vitest'

import { cellsOf, Operator } from './operator.ts'

test('`destinations list` shows queues with what is in them, on the machine of the broker and from elsewhere', async () => {
  const operator = await Operator.start()
  await operator.put({ few: ['a'], many: ['a', 'b', 'c'] })
  const local = await operator.run('destinations', 'list', '--sort', '-readyCount')
  expect(local).toMatchObject({ code: 0, stderr: [] })
  const [titles, ...rows] = cellsOf(local.stdout)
  expect(titles?.slice(0, 4)).toEqual(['QUEUE', 'KIND', 'READY', 'IN FLIGHT'])
  expect(rows.map((row) => row.slice(0, 3))).toEqual([
    ['many', 'queue', '3'],
    ['few', 'queue', '1'],
  ])
  expect((await operator.runRemotely('destinations', 'list', '--names')).stdout).toEqual(['few', 'many'])
})

test('`destinations list` filters, limits, and is JSON a line for scripts', async () => {
  const operator = await Operator.start()
  await operator.run('destinations', 'create', 'empty')
  await operator.put({ 'orders.eu': ['a'], 'orders.us': ['a'] })
  const names = (...args: string[]): Promise<readonly string[]> =>
    operator.lines('destinations', 'list', '--names', ...args)
  expect(await names('--non-empty')).toEqual(['orders.eu', 'orders.us'])
  expect(await names('-q', 'EU')).toEqual(['orders.eu'])
  expect(await names('--limit', '2', '--sort', '-name')).toEqual(['orders.us', 'orders.eu'])
  expect(await names('--unhealthy')).toEqual(['orders.eu', 'orders.us']) // nobody reads from them
  expect(await operator.jsonLines('destinations', 'list', '-q', 'empty')).toMatchObject([
    { name: 'empty', readyCount: 0 },
  ])
  const limited = await operator.run('destinations', 'list', '--limit', '1')
  expect(limited.stderr).toEqual(['1 shown, of 3'])
  expect((await operator.run('destinations', 'list', '-q', 'nobody')).stderr).toEqual(['no queues'])
})

test('a queue is made with settings, shown with where each is from, changed, paused, purged and deleted', async () => {
  const operator = await Operator.start()
  expect(
    await operator.run('destinations', 'create', 'orders', 'messagesMax=10', 'redelivery.maxDeliveries=3'),
  ).toEqual({
    code: 0,
    stdout: ['queue orders made'],
    stderr: [],
  })
  expect(await operator.run('destinations', 'create', 'orders')).toMatchObject({
    code: 1,
    stderr: [expect.stringContaining("queue 'orders' exists already; `")],
  })
  expect(await operator.run('destinations', 'set', 'orders', 'messagesMax=', 'whenFull=reject')).toMatchObject({
    code: 0,
  })
  expect(await operator.json('destinations', 'show', 'orders')).toMatchObject({
    settings: { redelivery: { maxDeliveries: 3 }, whenFull: 'reject' },
  })
  const shown = cellsOf(await operator.lines('destinations', 'show', 'orders'))
  expect(shown).toContainEqual(['redelivery.maxDeliveries', '3', 'queue'])
  expect(shown).toContainEqual(['messagesMax', expect.any(String), 'default'])
  expect(await operator.run('destinations', 'set', 'orders', 'messageMax=1')).toMatchObject({
    code: 1,
    stdout: [],
    stderr: ['ternmq: messageMax is not known; did you mean messagesMax?'],
  })

  await operator.put({ orders: ['a', 'b'] })
  expect(await operator.lines('destinations', 'pause', 'orders')).toEqual(['queue orders paused'])
  expect(await operator.json('destinations', 'show', 'orders')).toMatchObject({ paused: true })
  expect(await operator.lines('destinations', 'resume', 'orders')).toEqual(['queue orders resumed'])
  expect(await operator.run('destinations', 'purge', 'orders')).toMatchObject({
    code: 2,
    stderr: [
      expect.stringContaining("no terminal to ask at whether to purge queue 'orders' of 2 messages; give --yes"),
    ],
  })
  expect(await operator.lines('destinations', 'purge', 'orders', '--yes')).toEqual([
    'queue orders purged of 2 messages',
  ])
  await operator.put({ orders: ['c'] })
  expect(await operator.run('destinations', 'delete', 'orders', '--yes', '--if-empty')).toMatchObject({ code: 1 })
  expect(await operator.lines('destinations', 'delete', 'orders', '--yes')).toEqual([
    'queue orders deleted with 1 message',
  ])
  expect(await operator.run('destinations', 'show', 'orders')).toMatchObject({
    code: 1,
    stderr: [expect.stringContaining("there is no queue 'orders'")],
  })
})

test('a queue is found by its address in any protocol, and the one that was meant is named where there is none', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a'], other: ['b'], 'queue://other': ['c'] })
  // That one is called as the address of another, and is the one that is meant.
  expect(await operator.lines('destinations', 'delete', 'queue://other', '--yes')).toEqual([
    'queue queue://other deleted with 1 message',
  ])
  for (const address of ['queue://orders', '/queue/orders', '/queues/orders', '$queue/orders'])
    expect(await operator.lines('messages', 'browse', address, '--names')).toHaveLength(1)
  expect(await operator.run('messages', 'move', 'queue://orders', 'queue://other', '--all')).toMatchObject({ code: 0 })
  expect(await operator.json('destinations', 'show', 'queue://other')).toMatchObject({ name: 'other', readyCount: 2 })
  for (const named of ['oders', 'queue://oders'])
    expect(await operator.run('destinations', 'purge', named, '--yes')).toMatchObject({
      code: 1,
      stderr: ["ternmq: there is no queue 'oders'; did you mean orders?"],
    })
  expect(await operator.lines('destinations', 'delete', 'other', 'queue://orders', '--yes')).toEqual([
    'queue other deleted with 2 messages',
    'queue orders deleted with 0 messages',
  ])
})
