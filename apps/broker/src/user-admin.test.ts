import { MemoryUserStore } from '@ternmq/auth'
import { beforeEach, expect, test } from 'vitest'

import { toUserRequest, UserAdmin } from './user-admin.ts'

let users = new MemoryUserStore()
let scram = false
let admin = new UserAdmin({ users, scram: () => scram, nowMs: () => 7 })

beforeEach(() => {
  users = new MemoryUserStore()
  scram = false
  admin = new UserAdmin({ users, scram: () => scram, nowMs: () => 7 })
})

const password = Buffer.from('secret').toString('base64')

test('a user is added, changed, listed and removed', async () => {
  await admin.run({ op: 'user.add', name: 'alice', password })
  const before = users.get('alice')?.verifier
  scram = true
  const alice = { name: 'alice', groups: [], password: true, scram: true, createdAtMs: 7, changedAtMs: 7 }
  expect(await admin.run({ op: 'user.passwd', name: 'alice', password })).toEqual([alice])
  expect(users.get('alice')?.verifier).not.toBe(before)
  expect(await admin.run({ op: 'user.list' })).toEqual([alice])
  expect(await admin.run({ op: 'user.remove', name: 'alice' })).toEqual([])
  expect(await admin.run({ op: 'user.list' })).toEqual([])
})

test('a user who comes with a certificate has no password', async () => {
  const added = await admin.run({ op: 'user.add', name: 'device-1' })
  expect(added).toEqual([
    { name: 'device-1', groups: [], password: false, scram: false, createdAtMs: 7, changedAtMs: 7 },
  ])
})

test('groups and role are given with a user and changed without a password', async () => {
  await admin.run({ op: 'user.add', name: 'alice', password, groups: ['ops'], role: 'viewer' })
  const before = users.get('alice')
  expect(before).toMatchObject({ groups: ['ops'], role: 'viewer' })
  expect(await admin.run({ op: 'user.set', name: 'alice', role: 'operator' })).toMatchObject([
    { name: 'alice', groups: ['ops'], role: 'operator' },
  ])
  await admin.run({ op: 'user.set', name: 'alice', groups: ['dev', 'qa'], role: null })
  expect(users.get('alice')).toEqual({ ...before, groups: ['dev', 'qa'], role: undefined })
  await admin.run({ op: 'user.passwd', name: 'alice', password })
  expect(users.get('alice')?.groups).toEqual(['dev', 'qa'])
})

test('adding twice at once makes one user: the second is told', async () => {
  const [first, second] = await Promise.allSettled([
    admin.run({ op: 'user.add', name: 'alice', password }),
    admin.run({ op: 'user.add', name: 'alice', password }),
  ])
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ reason: { code: 'USER_EXISTS' } })
})

test.each(['user.passwd', 'user.set', 'user.remove'] as const)('%s of nobody is refused', async (op) => {
  await expect(admin.run({ op, name: 'bob', password })).rejects.toMatchObject({ code: 'USER_UNKNOWN' })
})

test('what is wrong with a name or a password is said', async () => {
  await expect(admin.run({ op: 'user.add', name: '*', password })).rejects.toMatchObject({ code: 'AUTH_NAME_INVALID' })
  await expect(admin.run({ op: 'user.add', name: 'alice', password: '' })).rejects.toMatchObject({
    code: 'AUTH_PASSWORD_INVALID',
  })
})

test.each([
  null,
  3,
  'user.list',
  {},
  { op: 'user.drop', name: 'a' },
  { op: 'user.add' },
  { op: 'user.add', name: 'a', password: 3 },
  { op: 'user.set', name: 'a', role: 'king' },
  { op: 'user.set', name: 'a', groups: 'ops' },
  { op: 'user.add', name: 'a', groups: [7] },
])('%j is no request', (value) => {
  expect(() => toUserRequest(value)).toThrow('the request is not one that this broker knows')
})
