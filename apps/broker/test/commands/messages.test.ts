/** `ternmq messages`, `dlq`, `operations`, `schedules` and `retained`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OperationItem } from '@ternmq/api'
import { expect, test } from 'vitest'

import { newFolder, until } from '../support.ts'
import { cellsOf, Operator } from './operator.ts'

test('messages are published from an argument, standard input and a file, and looked at without a change', async () => {
  const operator = await Operator.start()
  const options = [
    '--property',
    'colour=red',
    '--content-type',
    'text/plain',
    '--priority',
    '7',
    '--correlation-id',
    'c1',
  ]
  const published = await operator.run('messages', 'publish', 'queue://orders', 'one', ...options)
  expect(published).toEqual({ code: 0, stdout: ['published'], stderr: [] })
  expect(await operator.runWith('two\n', 'messages', 'publish', 'queue://orders')).toMatchObject({ code: 0 })
  const file = join(newFolder(), 'body')
  writeFileSync(file, Buffer.from([0xff, 0, 0x1b, 0x5b]))
  expect(await operator.run('messages', 'publish', 'queue://orders', '--file', file)).toMatchObject({ code: 0 })
  expect(await operator.lines('messages', 'publish', 'topic://nobody', 'x')).toEqual([
    'published, and nobody wanted it',
  ])

  const ids = await operator.lines('messages', 'browse', 'orders', '--names')
  expect(ids).toHaveLength(3)
  const shown = cellsOf(await operator.lines('messages', 'show', 'orders', ids[0]!))
  expect(shown).toContainEqual(['property', 'colour = red'])
  expect(shown).toContainEqual(['correlation id', 'c1'])
  expect(shown.at(-1)).toEqual(['one'])
  expect(await operator.lines('messages', 'show', 'orders', ids[1]!, '--body')).toEqual(['two'])
  // What is no text comes to no terminal as it is.
  expect((await operator.lines('messages', 'show', 'orders', ids[2]!)).at(-1)).toMatch(
    /^000000 {2}ff 00 1b 5b +\.\.\.\[$/,
  )
  expect(await operator.lines('messages', 'browse', 'orders', '--names', '--selector', "colour = 'red'")).toEqual([
    ids[0],
  ])
  expect(await operator.jsonLines('messages', 'browse', 'orders', '--limit', '1')).toMatchObject([
    { id: ids[0], priority: 7 },
  ])
})

test('messages are taken and accepted, released or rejected; a dead letter is listed with its reason and retried', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['one', 'two'] })
  expect(await operator.lines('messages', 'take', 'queue://orders', '--release', '--body', '--max', '2')).toEqual([
    'onetwo',
  ])
  expect(await operator.lines('messages', 'take', 'queue://orders', '--body')).toEqual(['one'])
  expect(await operator.lines('messages', 'take', 'queue://orders', '--body', '--reject', 'broken')).toEqual(['two'])
  expect(await operator.run('messages', 'take', 'queue://orders')).toMatchObject({
    code: 1,
    stdout: [],
    stderr: ['ternmq: there is nothing to take from queue://orders; --wait 10s waits for one'],
  })

  const [, dead] = cellsOf(await operator.lines('dlq', 'list'))
  expect(dead?.slice(0, 5)).toEqual(['DLQ', '1', '1', 'rejected', 'orders'])
  expect(dead?.at(-1)).toBe('broken')
  expect(await operator.lines('dlq', 'retry', 'DLQ', '--all')).toEqual(['retried 1 message from DLQ'])
  expect(await operator.json('destinations', 'show', 'orders')).toMatchObject({ readyCount: 1 })

  for (const address of ['queue://oders', 'oders'])
    expect(await operator.run('messages', 'take', address)).toMatchObject({
      code: 1,
      stderr: ["ternmq: there is no queue 'oders'; did you mean orders?"],
    })
  expect(await operator.lines('destinations', 'list', '--names')).not.toContain('oders')
})

test('letters of many reasons are all counted in the list: those of few letters together', async () => {
  const operator = await Operator.start()
  for (let n = 0; n < 103; n++) {
    await operator.put({ orders: ['one'] })
    await operator.lines('messages', 'take', 'queue://orders', '--body', '--reject', `article ${n} unknown`)
  }
  const rows = cellsOf(await operator.lines('dlq', 'list')).slice(1)
  expect(rows.length).toBe(101)
  expect(rows[0]?.slice(0, 2)).toEqual(['DLQ', '103'])
  expect(rows.at(-1)?.slice(0, 4)).toEqual(['DLQ', '3', 'rejected', 'orders'])
  expect(rows.at(-1)?.at(-1)).toBe('(3 other reasons)')
})

test('what cannot be printed is not taken, and its exit code says so; a reader who left is told nothing', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['one', 'two'] })
  const take = ['messages', 'take', 'queue://orders', '--body', '--max', '2']
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(await operator.runIntoNothing(full, ...take)).toMatchObject({
    code: 1,
    stderr: [expect.stringContaining('cannot write to standard output: ENOSPC: no space left')],
  })
  const left = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
  expect(await operator.runIntoNothing(left, ...take)).toMatchObject({ code: 141, stderr: [] })
  expect(await operator.runIntoNothing(left, 'destinations', 'list')).toMatchObject({ code: 141, stderr: [] })
  expect(await operator.lines(...take)).toEqual(['onetwo'])
})

test('messages are moved and copied by id and by selector, and the operations are remembered', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a', 'b', 'c'] })
  await operator.run('destinations', 'create', 'other')
  const [id] = await operator.lines('messages', 'browse', 'orders', '--names')
  expect(await operator.lines('messages', 'move', 'orders', 'other', id!)).toEqual([
    'moved 1 message from orders to other',
  ])
  expect(
    await operator.lines('messages', 'copy', 'orders', 'other', '--selector', 'JMSPriority >= 0', '--limit', '1'),
  ).toEqual(['copied 1 message from orders to other'])
  const operations = await operator.jsonLines<{ readonly id: string; readonly action: string }>('operations', 'list')
  expect(operations.map(({ action }) => action)).toEqual(['copy', 'move'])
  expect(await operator.lines('operations', 'show', operations[1]!.id)).toEqual([
    'moved 1 message from orders to other',
  ])
  expect(await operator.run('operations', 'resume', operations[1]!.id)).toMatchObject({ code: 1 })
})

test('nothing is moved or deleted by leaving something out, or without a yes', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a', 'b'] })
  expect(await operator.run('messages', 'move', 'orders', 'other')).toMatchObject({
    code: 2,
    stderr: [expect.stringContaining('which messages? give ids, --selector or --all')],
  })
  expect(await operator.run('messages', 'move', 'orders', 'nowhere', '--all')).toMatchObject({
    code: 1,
    stderr: [expect.stringContaining("there is no queue 'nowhere'; make it first")],
  })
  expect(await operator.run('messages', 'delete', 'orders', '--all')).toMatchObject({
    code: 2,
    stderr: [expect.stringContaining("whether to delete 2 messages in queue 'orders'; give --yes")],
  })
  expect(await operator.lines('messages', 'delete', 'orders', '--all', '--yes', '--limit', '1')).toEqual([
    'deleted 1 message in orders',
  ])
  expect(await operator.lines('messages', 'purge', 'orders', '--yes')).toEqual(['queue orders purged of 1 message'])
})

test('a slow operation is cancelled and resumed', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a', 'b', 'c', 'd'] })
  await operator.run('destinations', 'create', 'other')
  const moving = operator.run('messages', 'move', 'orders', 'other', '--all', '--per-second', '1')
  const running = async (): Promise<string | undefined> => {
    const items = await operator.jsonLines<{ readonly id: string; readonly state: string }>('operations', 'list')
    return items.find(({ state }) => state === 'running')?.id
  }
  let id = await running()
  while (id === undefined) id = await running() // until the other command has begun it
  expect(await operator.run('operations', 'cancel', id)).toMatchObject({ code: 0 })
  const { code, stdout } = await moving
  expect(code).toBe(1)
  expect(stdout).toEqual([
    expect.stringMatching(new RegExp(`^moved \\d.* from orders to other, cancelled.*operations resume ${id}`)),
  ])
  const again = operator.run('operations', 'resume', id)
  expect(await again).toMatchObject({ code: 0, stdout: ['moved 4 messages from orders to other'] })
})

test('a retry whose origin is full says which limit, and goes on when there is room', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a', 'b', 'c'] })
  await operator.run('messages', 'take', 'queue://orders', '--max', '3', '--reject', 'not now')
  await operator.run('destinations', 'set', 'orders', 'messagesMax=1', 'whenFull=reject')
  const { code, stdout } = await operator.run('dlq', 'retry', 'DLQ', '--all')
  expect([code, stdout]).toEqual([
    1,
    [
      expect.stringMatching(
        /^retried 1 of 3 messages from DLQ, 2 refused, stopped: queue 'orders' is full: it has 1 message, its messagesMax is 1; `ternmq operations resume \w+` goes on$/,
      ),
    ],
  ])
  await operator.run('destinations', 'set', 'orders', 'messagesMax=9', 'whenFull=reject')
  const [, id] = /resume (\w+)/.exec(stdout[0]!)!
  expect(await operator.lines('operations', 'resume', id!)).toEqual(['retried 3 messages from DLQ'])
  expect(await operator.lines('messages', 'take', 'queue://orders', '--body', '--max', '9')).toEqual(['abc'])
})

test('moves that a crash cut off, or that had stopped before it, are listed after it, say where the messages are, and go on', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: [...'abcdefghijkl'], more: [...'mno'] })
  await operator.run('destinations', 'create', 'other')
  await operator.run('destinations', 'create', 'small', 'messagesMax=1', 'whenFull=reject')
  expect((await operator.run('messages', 'move', 'more', 'small', '--all')).code).toBe(1)
  const lost = operator.run('messages', 'move', 'orders', 'other', '--all', '--per-second', '2')
  // Of one that has run for a second there is a record; it has three more to go on for, on a busy machine too.
  await until('two seconds of it', async () => {
    const [item] = await operator.jsonLines<OperationItem>('operations', 'list')
    return item !== undefined && item.doneCount >= 5
  })
  await operator.broker.program.stop('SIGKILL')
  expect((await lost).code).toBe(3)
  const later = await Operator.start({ dataDir: operator.broker.dataDir })
  const [item, stopped] = await later.jsonLines<OperationItem>('operations', 'list')
  expect(item).toMatchObject({ action: 'move', state: 'interrupted', canResume: true })
  expect(await later.lines('operations', 'show', item!.id)).toEqual([
    expect.stringMatching(
      /^moved at least \d+ of 12 messages from orders to other, interrupted: the broker ended in the middle/,
    ),
  ])
  expect((await later.lines('audit', '--json')).some((line) => line.includes('interrupted after'))).toBe(true)
  expect(await later.lines('operations', 'resume', item!.id)).toHaveLength(1)
  expect(await later.lines('messages', 'take', 'queue://other', '--body', '--max', '20')).toEqual(['abcdefghijkl'])
  expect(await later.lines('operations', 'show', stopped!.id)).toEqual([
    `moved 1 of 3 messages from more to small, stopped: queue 'small' is full: it has 1 message, its messagesMax is 1; \`ternmq operations resume ${stopped!.id}\` goes on`,
  ])
  await later.run('destinations', 'set', 'small', 'messagesMax=9', 'whenFull=reject')
  expect(await later.lines('operations', 'resume', stopped!.id)).toEqual(['moved 3 messages from more to small'])
})

test('what is to be sent later is listed and taken back', async () => {
  const operator = await Operator.start()
  await operator.run('messages', 'publish', 'queue://orders', 'later', '--delay', '1h')
  const [id] = await operator.lines('schedules', 'list', '--names')
  expect(cellsOf(await operator.lines('schedules', 'list'))[1]?.slice(0, 4)).toEqual([
    id,
    '$queue/orders',
    expect.any(String),
    'once',
  ])
  expect(await operator.lines('schedules', 'cancel', id!, '--yes')).toEqual([`schedule ${id} cancelled`])
  expect(await operator.lines('schedules', 'list')).toEqual([])
})

test('retained messages and topics are listed, shown and forgotten', async () => {
  const operator = await Operator.start()
  await operator.run('messages', 'publish', 'topic://plant.1', 'hello', '--retain')
  expect(await operator.lines('retained', 'list', 'plant/+', '--json')).toHaveLength(1)
  expect(await operator.lines('retained', 'show', 'plant/1', '--body')).toEqual(['hello'])
  expect(cellsOf(await operator.lines('topics', 'plant'))[1]).toEqual(['plant/1', '0', 'yes'])
  expect(await operator.lines('retained', 'delete', 'plant/1', '--yes')).toEqual([
    'retained message of plant/1 deleted',
  ])
  expect(await operator.run('retained', 'show', 'plant/1')).toMatchObject({ code: 1 })
})

test('definitions are exported, planned with an exit code, applied, and deleted only by who means it', async () => {
  const operator = await Operator.start()
  await operator.run('destinations', 'create', 'orders', 'messagesMax=100')
  await operator.put({ orders: ['a'] })
  const file = join(newFolder(), 'definitions.yaml')
  expect(await operator.run('definitions', 'export', file)).toMatchObject({ code: 0, stdout: [] })
  const plan = (...args: string[]): ReturnType<Operator['run']> =>
    operator.run('definitions', 'plan', file, '--prune', '--detailed-exitcode', ...args)
  expect(await plan()).toMatchObject({
    code: 0,
    stdout: [expect.stringMatching(/^0 to create, 0 to change, 0 to delete, 2 unchanged$/)],
  })
  writeFileSync(file, readFileSync(file, 'utf8').replace('- name: orders', '- name: more'))
  expect(await plan()).toMatchObject({
    code: 2,
    stdout: ['+ queue more', '- queue orders, with 1 message', expect.stringMatching(/^1 to create/)],
  })
  const apply = ['definitions', 'apply', file, '--prune']
  expect(await operator.run(...apply)).toMatchObject({
    code: 2,
    stderr: [expect.stringContaining("whether to delete queue 'orders', with 1 message; give --yes")],
  })
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(await operator.runIntoNothing(full, ...apply, '--yes')).toMatchObject({ code: 1 })
  expect((await operator.lines(...apply, '--yes')).at(-1)).toBe('2 steps done')
  expect(await operator.lines('destinations', 'list', '--names')).toEqual(['more'])
  writeFileSync(file, 'version: 1\npermissions: [{ id: p, user: ann, allow: [read], topics: ["#"] }]\n')
  expect((await plan()).stdout).toEqual([
    '+ permission p',
    expect.stringMatching(/^1 to create/),
    expect.stringContaining('! with the first permission, what no permission allows is denied'),
  ])
  expect(await operator.run(...apply)).toMatchObject({
    code: 2,
    stderr: [expect.stringContaining('whether to make the first permission: until now everybody may do everything')],
  })
  expect((await operator.lines(...apply, '--yes')).at(-1)).toBe('1 step done')
  writeFileSync(file, 'version: 1\npermissions: []\n')
  expect(await operator.run(...apply)).toMatchObject({
    code: 2,
    stderr: [
      expect.stringContaining("whether to delete permission 'p', with 0 messages; and take the last permission back"),
    ],
  })
  expect((await operator.lines(...apply, '--yes')).at(-1)).toBe('1 step done')
  writeFileSync(file, 'queues: [')
  expect(await plan()).toMatchObject({
    code: 1,
    stderr: expect.arrayContaining([expect.stringContaining(`${file}:1:10: this is not valid YAML`)]) as unknown,
  })
})
