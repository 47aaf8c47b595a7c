import { makeUser, MemoryUserStore } from '@ternmq/auth'
import { loadConfig } from '@ternmq/config'
import type { BrokerConfig } from '@ternmq/config'
import type { EventDetails, LoginRequest } from '@ternmq/core'
import { MovableClock } from '@ternmq/testkit'
import { expect, test } from 'vitest'

import { Access } from './access.ts'

const ann = await makeUser({
  name: 'ann',
  password: Buffer.from('pencil'),
  scram: false,
  cost: { ln: 10, r: 8, p: 1 },
  nowMs: 1,
})

function configOf(...sets: string[]): BrokerConfig {
  const loaded = loadConfig({ sets })
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

function login(password: string, address = '10.0.0.1'): LoginRequest {
  const peer = { listener: 'mqtt', address, port: 5_000 }
  return { peer, clientId: 'c', mechanism: 'plain', username: 'ann', password: Buffer.from(password), data: undefined }
}

function setUp(...sets: string[]) {
  const clock = new MovableClock()
  const users = new MemoryUserStore([ann])
  const events: EventDetails[] = []
  const access = new Access(configOf(...sets), users, clock, (event) => events.push(event))
  users.onChange((change) => access.onUserChange(change))
  const outcome = async (request: LoginRequest): Promise<string> => {
    const step = await access.begin(request)
    return step.kind === 'refused' ? step.refusal : step.kind
  }
  return { access, users, clock, events, outcome }
}

const GROUP_READS = 'auth.rules=[{"group":"ops","allow":["read"],"topics":["a"]}]'
const reads = ({ authorizer }: Access): boolean =>
  authorizer.mayUse({ principal: { name: 'ann', anonymous: false }, clientId: 'c' }, 'read', {
    vhost: '/',
    kind: 'topic',
    levels: ['a'],
  }).allowed

test('a user who comes into a group has what it is given at once, and answers kept are asked for again', async () => {
  const { access, users } = setUp(GROUP_READS)
  const { generation } = access.authorizer
  expect(reads(access)).toBe(false)
  await users.put({ ...ann, groups: ['ops'] })
  expect(reads(access)).toBe(true)
  expect(access.authorizer.generation).toBe(generation + 1)
  await users.put({ ...ann, groups: ['ops'], changedAtMs: 5 })
  expect(access.authorizer.generation).toBe(generation + 1)
  await users.remove('ann')
  expect(reads(access)).toBe(false)
  expect(access.authorizer.generation).toBe(generation + 2)
})

test('an operator hears of a user who has to wait, once', async () => {
  const { events, outcome } = setUp('auth.lockOut.attempts=2')
  for (const guess of ['one', 'two', 'three', 'pencil']) await outcome(login(guess))
  expect(events).toEqual([
    {
      kind: 'limit',
      source: 'auth',
      peer: '10.0.0.1',
      user: 'ann',
      text: "user 'ann' at 10.0.0.1 has failed to log in 2 times: no login is tried for 30 s (auth.lockOut)",
    },
  ])
})

test('a new password ends the wait', async () => {
  const { users, outcome } = setUp('auth.lockOut.attempts=1')
  expect(await outcome(login('wrong'))).toBe('bad-credentials')
  expect(await outcome(login('pencil'))).toBe('locked-out')
  await users.put({ ...ann, changedAtMs: 2 })
  expect(await outcome(login('pencil'))).toBe('accepted')
})

test('a wait outlasts a reload of the configuration, and ends when lock-out is switched off', async () => {
  const { access, outcome } = setUp('auth.lockOut.attempts=1')
  await outcome(login('wrong'))
  access.use(configOf('auth.lockOut.attempts=1', 'auth.lockOut.waitSeconds=60'))
  expect(await outcome(login('pencil'))).toBe('locked-out')
  access.use(configOf('auth.lockOut.attempts=0'))
  expect(await outcome(login('pencil'))).toBe('accepted')
})
