import { MemoryUserStore } from '@ternmq/auth'
import { realEnv } from '@ternmq/transport'
import { expect, test } from 'vitest'

import { ensureAdministrator, type FirstLogin, firstLoginText } from './first-administrator.ts'
import type { Log } from '../reports/log.ts'

interface Run {
  readonly users: MemoryUserStore
  readonly lines: string[]
  readonly told: FirstLogin[]
}

async function run(password?: string, users = new MemoryUserStore()): Promise<Run> {
  const lines: string[] = []
  const note = (_: object, text: string): void => void lines.push(text)
  const log: Log = { debug: note, info: note, warn: note, error: note, fatal: note }
  const told: FirstLogin[] = []
  const tell = (login: FirstLogin): void => void told.push(login)
  await ensureAdministrator({ users, log, random: realEnv().random, nowMs: 1, scram: false, password, tell })
  return { users, lines, told }
}

test('where there is nobody, admin is made with a random password that is told once, and not in the log', async () => {
  const { users, lines, told } = await run()
  expect(users.get('admin')).toMatchObject({ role: 'administrator' })
  expect(told).toEqual([{ user: 'admin', password: expect.stringMatching(/^[\w-]{24}$/) as string }])
  expect(firstLoginText(told[0]!)).toContain(`${told[0]!.password} and is told only this once`)
  expect(lines).toEqual(["made the user 'admin' for the console"])
  expect(await run(undefined, users)).toMatchObject({ lines: [], told: [] })
})

test('two brokers do not make the same password', async () => {
  expect((await run()).told).not.toEqual((await run()).told)
})

test('a password of the operator is taken and not told', async () => {
  const { users, lines, told } = await run('correct horse')
  expect(users.get('admin')?.verifier).toBeDefined()
  expect(told).toEqual([])
  expect(lines.join()).not.toContain('correct horse')
})

test('a password that cannot be is refused with the name of its variable', async () => {
  await expect(run('')).rejects.toThrow('with the password of TERNMQ_ADMIN_PASSWORD')
})

test('a user who is called admin and is none is left alone, and the log says how to make him one', async () => {
  const users = new MemoryUserStore()
  await users.put({ name: 'admin', groups: [], createdAtMs: 1, changedAtMs: 1 })
  const { lines } = await run(undefined, users)
  expect(users.get('admin')).toEqual({ name: 'admin', groups: [], createdAtMs: 1, changedAtMs: 1 })
  expect(lines).toEqual([expect.stringContaining('`ternmq users set admin --role administrator`')])
})
