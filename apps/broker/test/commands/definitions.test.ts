/** `ternmq definitions apply` that does not get to its end: its words and its exit code say so, and the same command goes on. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { Operator } from './operator.ts'

const DOCUMENT = `version: 1
policies:
  - { id: all, match: '>', settings: { messagesMax: 100 } }
queues:
  - name: one
  - name: two
  - name: three
`

function fileOf(operator: Operator, text: string): string {
  const file = join(operator.broker.dataDir, 'wanted.yaml')
  writeFileSync(file, text)
  return file
}

test('a limit half-way: what is done, where it failed and why, what is left; the same command does the rest', async () => {
  const operator = await Operator.start({ settings: ['limits.queuesMax=1'] })
  const file = fileOf(operator, DOCUMENT)
  const reason = 'no room for another queue: there are 1 of at most 1 (limits.queuesMax); delete some first'
  const { code, stdout } = await operator.run('definitions', 'apply', file)
  expect(code).toBe(1)
  expect(stdout.slice(-2)).toEqual([
    `2 steps done, then create queue two failed: ${reason}`,
    '1 step left; apply the same document again when that is put right',
  ])
  expect(await operator.lines('destinations', 'list', '--names')).toEqual(['one'])

  const again = await operator.run('definitions', 'apply', file, '--json')
  expect(again.code).toBe(1)
  expect(JSON.parse(again.stdout.join('\n'))).toMatchObject({
    done: [],
    failed: { step: { kind: 'queue', name: 'two' }, reason },
    left: [{ name: 'three' }],
  })

  await operator.lines('config', 'set', 'limits.queuesMax=10')
  expect((await operator.lines('definitions', 'apply', file)).at(-1)).toBe('2 steps done')
  expect(await operator.run('definitions', 'plan', file, '--detailed-exitcode')).toMatchObject({ code: 0 })
})

test('an export of some sections has no password in it, and goes into a file as a whole', async () => {
  const operator = await Operator.start()
  await operator.lines('destinations', 'create', 'one')
  const file = join(operator.broker.dataDir, 'kept.yaml')
  await operator.lines('definitions', 'export', file, '--only', 'queues,policies')
  expect(readFileSync(file, 'utf8')).toBe('version: 1\npolicies: []\nqueues:\n  - name: one\n')
  expect(await operator.run('definitions', 'export', '--only', 'queue')).toMatchObject({
    code: 1,
    stderr: [expect.stringContaining("only has 'queue', which is no section; there are users, permissions")],
  })
})

test('a file that cannot be written: the steps before it are done, and it is done by the same command later', async () => {
  const operator = await Operator.start()
  await operator.run('users', 'add', 'ann', '--no-password')
  const exported = await operator.lines('definitions', 'export', '--json')
  const { users } = JSON.parse(exported.join('\n')) as { users: ReadonlyArray<{ readonly name: string }> }
  const document = { version: 1, users: users.filter(({ name }) => name !== 'ann'), queues: [{ name: 'one' }] }
  const file = fileOf(operator, JSON.stringify(document))
  const inTheWay = join(operator.broker.dataDir, 'users.json.new')
  mkdirSync(inTheWay)
  const { code, stdout } = await operator.run('definitions', 'apply', file, '--prune', '--yes')
  expect(code).toBe(1)
  expect(stdout.at(-2)).toMatch(/^1 step done, then delete user ann failed: .*users\.json/)
  rmdirSync(inTheWay)
  expect((await operator.lines('definitions', 'apply', file, '--prune', '--yes')).at(-1)).toBe('1 step done')
  expect(await operator.lines('users', 'list', '--names')).toEqual(['admin'])
})
