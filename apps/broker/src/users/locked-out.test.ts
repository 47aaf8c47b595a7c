/** Who guesses at the console is told when to come again, and keeps out nobody else: not on the same machine, and never the owner of the broker. */
import { getMe, login, type Me, type Problem, putUser } from '@ternmq/api'
import { ApiClient } from '@ternmq/api/client'
import { httpTransport } from '@ternmq/api/client-http'
import { MovableClock } from '@ternmq/testkit'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { type EmbeddedBroker, startBroker } from '../embed.ts'

const PASSWORD = 'correct horse'
const WAIT_SECONDS = 40

interface Scene {
  readonly broker: EmbeddedBroker
  readonly clock: MovableClock
  /** Of somebody on the machine, by the port. */
  readonly logIn: (user: string, password: string) => Promise<Response>
  /** Of the owner, by the socket. */
  readonly owner: ApiClient
}

async function open(attempts: number): Promise<Scene> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const clock = new MovableClock()
  const config = { console: { enabled: true }, auth: { lockOut: { attempts, waitSeconds: WAIT_SECONDS } } }
  const broker = await startBroker({ config, dataDir, clock, adminPassword: PASSWORD })
  onTestFinished(() => broker.stop())
  const transport = httpTransport({ socketPath: join(dataDir, 'admin.sock') })
  onTestFinished(() => transport.close())
  const logIn = (user: string, password: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${broker.console!.port}/api/v1${login.path}`, {
      method: login.method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, password }),
    })
  return { broker, clock, logIn, owner: new ApiClient({ transport: transport.send }) }
}

test('a login that has to wait is told for how long: in the header, in the problem and in its sentence, as a command says it', async () => {
  const { broker, logIn } = await open(1)
  expect((await logIn('admin', 'guess')).status).toBe(401)
  const answer = await logIn('admin', PASSWORD)
  const problem = (await answer.json()) as Problem
  expect([answer.status, problem.code]).toEqual([429, 'LOCKED_OUT'])
  const seconds = Number(answer.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(WAIT_SECONDS - 5)
  expect(seconds).toBeLessThanOrEqual(WAIT_SECONDS)
  expect(Math.ceil(problem.retryAfterMs! / 1_000)).toBe(seconds)
  expect(problem.detail).toBe(`too many failed logins: none is tried now; try again in ${seconds} s`)
  const remote = httpTransport({ url: `http://127.0.0.1:${broker.console!.port}` })
  onTestFinished(() => remote.close())
  const client = new ApiClient({ transport: remote.send, login: { user: 'admin', password: PASSWORD } })
  await expect(client.call(getMe)).rejects.toThrow(/try again in \d+ s$/)
})

test('one who guesses the names of others on the machine keeps out nobody there who has the right password', async () => {
  const { broker, clock, logIn } = await open(1)
  const told: string[] = []
  broker.events.listen(({ text }) => void told.push(text))
  for (let guess = 0; guess < 12; guess++) await logIn(`$${guess}`, 'guess') // names that cost no hash
  expect(told.at(-1)).toContain('address 127.0.0.1 has failed to log in 10 times: one login a second is tried for 40 s')
  expect((await logIn('user-99', 'guess')).status).toBe(429)
  await clock.advance('1s')
  expect((await logIn('admin', PASSWORD)).status).toBe(200)
})

test('the socket of its owner asks nobody: an administrator who is locked out gets in by it, and ends the wait with a new password', async () => {
  const { logIn, owner } = await open(1)
  await logIn('admin', 'guess')
  expect((await logIn('admin', PASSWORD)).status).toBe(429)
  expect((await owner.call(getMe)) satisfies Me).toMatchObject({ role: 'administrator', by: 'socket' })
  await owner.call(putUser, { params: { name: 'admin' }, body: { password: 'another horse' } })
  expect((await logIn('admin', 'another horse')).status).toBe(200)
})
