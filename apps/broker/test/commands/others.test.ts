/** What commands say of clients, access and settings; events, audit, top, completion; and what a terminal is shown. */
import type { AuditItem } from '@ternmq/api'
import { expect, test } from 'vitest'

import { CLI } from '../support.ts'
import { Program } from '../clients/program.ts'
import { cellsOf, Operator, runHere } from './operator.ts'

test('connections, sessions, consumers and subscriptions of a client are shown, and the connection is closed', async () => {
  const operator = await Operator.start()
  const client = await operator.client('sensor-1')
  await client.subscribeAsync(['plant/+', '$queue/orders'], { qos: 1 })
  const [id] = await operator.lines('connections', 'list', '--names')
  expect(cellsOf(await operator.lines('connections', 'list'))[1]?.[1]).toBe('sensor-1')
  const shown = await operator.lines('connections', 'show', id!)
  expect(shown).toContainEqual(expect.stringMatching(/^client +sensor-1$/))
  expect(shown).toContainEqual(expect.stringMatching(/^plant\/\+ +1$/))
  expect(cellsOf(await operator.lines('sessions', 'show', 'sensor-1'))).toContainEqual(['connected', `yes, ${id}`])
  expect(cellsOf(await operator.lines('consumers', 'orders'))[1]?.slice(0, 2)).toEqual(['orders', 'sensor-1'])
  expect(await operator.lines('subscriptions', '--topic', 'plant/1', '--names')).toEqual(['plant/+'])

  const disconnected = new Promise((resolve) => client.once('close', () => resolve('closed')))
  expect(await operator.lines('connections', 'close', id!, '--reason', 'maintenance')).toEqual([
    `connection ${id} closed`,
  ])
  expect(await disconnected).toBe('closed')
  // The broker may hear of the close after the client does.
  const history = (): Promise<unknown> => operator.jsonLines('connections', 'history', '--client', 'sensor-1')
  await expect.poll(history).toMatchObject([{ clientId: 'sensor-1', endedBy: 'operator' }])
  expect(await operator.lines('events', '--client', 'sensor-1', '--json')).not.toEqual([])
})

test('who sends and gets most bytes is seen in the list of connections, and sorts it', async () => {
  const operator = await Operator.start()
  const [reader, sender] = [await operator.client('reader'), await operator.client('sender')]
  await reader.subscribeAsync('plant/1')
  const got = new Promise((resolve) => void reader.once('message', resolve))
  await sender.publishAsync('plant/1', 'x'.repeat(64 * 1_024), { qos: 1 })
  await got
  const [heads, first, second] = cellsOf(await operator.lines('connections', 'list', '--sort=-bytesIn'))
  const [at, outAt] = [heads!.indexOf('BYTES IN'), heads!.indexOf('BYTES OUT')]
  expect([first![1], first![at]]).toEqual(['sender', expect.stringMatching(/^6\d.* KiB$/)])
  expect([second![1], second![outAt]]).toEqual(['reader', expect.stringMatching(/^6\d.* KiB$/)])
})

test('a session that is away is deleted with what waits in it', async () => {
  const operator = await Operator.start()
  const url = `mqtt://127.0.0.1:${operator.broker.port('mqtt')}`
  const { connectAsync } = await import('mqtt')
  const away = await connectAsync(url, { clientId: 'away', clean: false, protocolVersion: 4 })
  await away.subscribeAsync('a', { qos: 1 })
  await away.endAsync()
  const publisher = await operator.client()
  await publisher.publishAsync('a', 'x', { qos: 1 })
  expect(await operator.jsonLines('sessions', 'list', '--away', '--backlog')).toMatchObject([
    { clientId: 'away', waitingCount: 1 },
  ])
  expect(await operator.jsonLines('messages', 'browse', '--session', 'away')).toHaveLength(1)
  expect(await operator.lines('sessions', 'delete', 'away', '--yes')).toEqual(['session of away deleted'])
  expect(await operator.run('sessions', 'show', 'away')).toMatchObject({ code: 1 })
})

test('a token is made on the machine of the broker, used from elsewhere, and good no more when it is removed', async () => {
  const operator = await Operator.start()
  const [token = ''] = await operator.lines(
    'tokens',
    'create',
    'ci',
    '--for',
    'admin',
    '--scope',
    'read',
    '--expires',
    '1h',
  )
  const remotely = (...args: string[]): ReturnType<typeof runHere> =>
    runHere(args, '', { TERNMQ_URL: operator.url, TERNMQ_TOKEN: token })
  expect(await remotely('destinations', 'list')).toMatchObject({ code: 0 })
  expect(await remotely('destinations', 'create', 'x')).toMatchObject({ code: 1, stdout: [] })
  expect((await operator.runWith('another horse', 'users', 'passwd', 'admin', '--password-stdin')).stdout).toEqual([
    'password of admin changed',
    '1 token of admin stays good: `ternmq tokens list --of admin` has it, `ternmq tokens remove ID` takes one back',
  ])
  expect(await remotely('destinations', 'list')).toMatchObject({ code: 0 })
  const [{ id } = { id: '' }] = await operator.jsonLines<{ readonly id: string }>('tokens', 'list')
  expect(await operator.lines('tokens', 'remove', id, '--yes')).toEqual([`token ${id} removed`])
  expect(await remotely('destinations', 'list')).toMatchObject({ code: 1 })
  expect(await operator.run('tokens', 'create', 'x', '--for', 'admin')).toMatchObject({ code: 2 })
  expect(await operator.run('tokens', 'create', 'x', '--scope', 'read')).toMatchObject({ code: 2 })
})

test('permissions and policies are set, and `can` says which rule decides, with its exit code', async () => {
  const operator = await Operator.start()
  await operator.run('users', 'add', 'bob', '--no-password')
  const set = ['permissions', 'set', 'p1', 'plant/#', '--for', 'bob', '--allow', 'read,write']
  expect(await operator.run(...set)).toMatchObject({
    code: 2,
    stdout: [],
    stderr: [expect.stringContaining('from now on what no permission allows is denied')],
  })
  expect(await operator.jsonLines('permissions', 'list')).toEqual([])
  const open = 'without any permission everybody may do everything'
  expect((await operator.run('permissions', 'list')).stderr).toEqual(['no permissions', open])
  expect(await operator.lines(...set, '--yes')).toEqual(['permission p1 set'])
  expect(await operator.lines(...set)).toEqual(['permission p1 set'])
  expect(await operator.run('can', 'bob', 'publish', 'topic://plant.1')).toMatchObject({ code: 0 })
  const refused = await operator.run('can', 'bob', 'publish', 'topic://other')
  expect(refused).toMatchObject({ code: 1, stderr: [] })
  expect(cellsOf(refused.stdout)).toContainEqual(['allowed', 'no'])
  expect(await operator.run('can', 'bob', 'fly', 'topic://other')).toMatchObject({ code: 2 })
  expect((await operator.run('permissions', 'list', '--of', 'eve')).stderr).toEqual([
    'no permissions',
    'where no permission says anything: deny',
  ])
  expect(cellsOf(await operator.lines('permissions', 'list'))[1]?.slice(0, 3)).toEqual(['p1', 'bob', 'read, write'])
  expect(await operator.lines('permissions', 'remove', 'p1', '--yes')).toEqual(['permission p1 removed'])
  expect(await operator.run('can', 'bob', 'publish', 'topic://other')).toMatchObject({ code: 0 })

  await operator.run('destinations', 'create', 'orders.eu')
  expect(await operator.lines('policies', 'preview', 'big', 'orders.>', 'messagesMax=5')).toEqual([
    'it reaches 1 queue, and would change 1 setting',
    expect.stringMatching(/^ {2}orders\.eu {2}messagesMax: \S+ → 5$/),
  ])
  expect(await operator.lines('policies', 'set', 'big', 'orders.>', 'messagesMax=5')).toEqual([
    'policy big set; it reaches 1 queue',
  ])
  expect(await operator.lines('policies', 'list', '--json')).toHaveLength(1)
  expect(await operator.lines('policies', 'remove', 'big', '--yes')).toEqual(['policy big removed'])
})

test('settings of a broker that runs are listed, changed and taken back; the audit log has it', async () => {
  const operator = await Operator.start()
  expect(await operator.lines('config', 'set', 'mqtt.maxQos=1')).toEqual(['mqtt.maxQos counts now'])
  expect(await operator.jsonLines('config', 'list', '-q', 'mqtt.maxQos')).toMatchObject([{ value: 1, source: 'api' }])
  expect(await operator.run('config', 'set', 'mqtt.maxQos=7')).toEqual({
    code: 1,
    stdout: [],
    stderr: [expect.stringContaining('mqtt.maxQos is 7; allowed is a whole number from 0 to 2')],
  })
  expect(await operator.lines('config', 'reset', 'mqtt.maxQos')).toEqual(['mqtt.maxQos counts now'])
  expect(await operator.jsonLines('audit', '--action', 'config.change')).toMatchObject([
    { outcome: 'done', detail: 'mqtt.maxQos taken back' },
    { outcome: 'refused' },
    { outcome: 'done' },
  ])
  const rules = `auth.rules=${JSON.stringify([{ user: 'ann', allow: ['read'], topics: ['a'] }])}`
  for (const [asked, ...args] of [
    ['deny what no rule allows', 'set', rules],
    ['let everybody do what no rule denies', 'reset', 'auth.rules'],
  ] as const) {
    expect(await operator.run('config', ...args)).toMatchObject({
      code: 2,
      stderr: [expect.stringContaining(`whether to ${asked}`)],
    })
    expect(await operator.lines('config', ...args, '--yes')).toEqual(['auth.rules counts now'])
  }
})

test('after a restart the audit log has what was before it', async () => {
  const operator = await Operator.start()
  await operator.lines('config', 'set', 'mqtt.maxQos=1')
  const before = await operator.jsonLines('audit')
  await operator.broker.program.stop('SIGTERM')
  const later = await Operator.start({ dataDir: operator.broker.dataDir })
  const ofBefore = (await later.jsonLines<AuditItem>('audit')).slice(-before.length)
  expect(ofBefore).toEqual(before)
  expect(await later.jsonLines('audit', '--since', '1h', '--action', 'config.change')).toHaveLength(1)
  expect(await later.jsonLines('audit', '--until', '1h')).toEqual([])
  expect(await later.lines('events', '--until', '1h', '--json')).toEqual([])
  expect(await later.lines('connections', 'history', '--since', '1h', '--json')).toEqual([])
})

test('`events --follow` goes on with what happens', async () => {
  const operator = await Operator.start()
  const args = [CLI, 'events', '--follow', '--json', '--data-dir', operator.broker.dataDir]
  await using following = Program.start(process.execPath, args)
  // Whether it has begun to follow cannot be seen: clients come until one of them is told.
  const isTold = (): boolean => following.lines.some((line) => line.includes('"clientId":"visitor'))
  for (let number = 0; !isTold() && !following.hasEnded; number++)
    await (await operator.client(`visitor-${number}`)).endAsync()
  expect(following.hasEnded).toBe(false)
})

test('`top` prints once where there is no terminal', async () => {
  const operator = await Operator.start()
  await operator.put({ orders: ['a'] })
  const lines = await operator.lines('top', '--sort', 'readyCount')
  expect(lines).toContain('queues by readyCount')
  expect(lines.at(-1)).toMatch(/^orders .* 1 +0 +0/)
  expect(await operator.json('top')).toMatchObject({ overview: { readyCount: 1 }, queues: [{ name: 'orders' }] })
})

test('names that clients chose cannot write to the terminal', async () => {
  const operator = await Operator.start()
  const client = await operator.client('x\u001B[31mred')
  await client.subscribeAsync('a')
  expect((await operator.lines('connections', 'list')).join('\n')).toContain('x\\u{1b}[31mred')
  expect((await operator.lines('sessions', 'list')).join('\n')).not.toContain('\u001B')
})

test('standard input is a password, or what is published, and not both', async () => {
  const operator = await Operator.start()
  for (const args of [
    ['messages', 'publish', 'queue://orders'],
    ['definitions', 'plan', '-'],
  ]) {
    expect(await operator.runRemotely(...args)).toMatchObject({
      code: 2,
      stderr: [expect.stringContaining('standard input is the password, and cannot be the ')],
    })
  }
})

test.each(['bash', 'zsh', 'fish'])('`completion %s` has every command', async (shell) => {
  const { code, stdout } = await runHere(['completion', shell])
  expect(code).toBe(0)
  for (const word of ['destinations', 'definitions', 'completion', 'unhealthy'])
    expect(stdout.join('\n')).toContain(word)
})
