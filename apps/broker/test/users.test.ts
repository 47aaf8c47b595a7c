/** `ternmq users`, and what the users may do afterwards. */
import { ScramClient } from '@ternmq/auth'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type PacketCallback } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'

import { client, newFolder, openSocket, refusalOf, start, type Started, ternmq, until } from './support.ts'

const PASSWORDS_ONLY = ['listeners.mqtt.authentication.anonymous=false']

function user(dataDir: string, action: string, name: string, password?: string): ReturnType<typeof ternmq> {
  const args = ['users', action, name, '--data-dir', dataDir, ...(action === 'remove' ? ['--yes'] : [])]
  return password === undefined ? ternmq(args) : ternmq([...args, '--password-stdin'], password)
}

function urlOf(broker: Started): string {
  return `mqtt://127.0.0.1:${broker.port('mqtt')}`
}

describe('a user of a broker that runs', () => {
  test('logs in as soon as the command is done, with a new password after `passwd`, and not at all after `remove`', async () => {
    const broker = await start({ settings: PASSWORDS_ONLY })
    expect(await user(broker.dataDir, 'add', 'alice', 'first\n')).toEqual({
      code: 0,
      stdout: ['user alice added'],
      stderr: [],
    })
    await client(urlOf(broker), { username: 'alice', password: 'first' })
    expect(await refusalOf(urlOf(broker), { username: 'alice', password: 'wrong' })).toContain(
      'Bad User Name or Password',
    )

    expect(await user(broker.dataDir, 'passwd', 'alice', 'second')).toMatchObject({ code: 0 })
    expect(await refusalOf(urlOf(broker), { username: 'alice', password: 'first' })).toContain(
      'Bad User Name or Password',
    )
    await client(urlOf(broker), { username: 'alice', password: 'second' })

    expect(await user(broker.dataDir, 'remove', 'alice')).toMatchObject({ code: 0, stdout: ['user alice removed'] })
    expect(await refusalOf(urlOf(broker), { username: 'alice', password: 'second' })).toContain(
      'Bad User Name or Password',
    )
  })

  test('is cut off when removed, and with the user goes what was kept for it', async () => {
    const broker = await start({ settings: PASSWORDS_ONLY })
    await user(broker.dataDir, 'add', 'alice', 'secret')
    await user(broker.dataDir, 'add', 'bob', 'secret')
    const session = { clean: false, properties: { sessionExpiryInterval: 3_600 } }
    const alice = { ...session, username: 'alice', password: 'secret' }
    const connected = await client(urlOf(broker), { ...alice, clientId: 'alice-1' })
    const away = await client(urlOf(broker), { ...alice, clientId: 'alice-2' })
    await away.endAsync()
    const bob = await client(urlOf(broker), { username: 'bob', password: 'secret' })
    let reasonCode: number | undefined = undefined
    connected.on('disconnect', (packet) => (reasonCode = packet.reasonCode))

    await user(broker.dataDir, 'remove', 'alice')
    await until('the DISCONNECT', () => reasonCode !== undefined)
    expect(reasonCode).toBe(0x98) // administrative action
    await bob.publishAsync('still', 'there', { qos: 1 })

    await user(broker.dataDir, 'add', 'alice', 'secret')
    const next = connect(urlOf(broker), { ...alice, clientId: 'alice-2', protocolVersion: 5, reconnectPeriod: 0 })
    onTestFinished(() => next.endAsync(true))
    const isPresent = await new Promise((resolve) => {
      next.once('connect', ({ sessionPresent }) => resolve(sessionPresent))
    })
    expect(isPresent).toBe(false)
  })

  test('is there after a restart', async () => {
    const first = await start({ settings: PASSWORDS_ONLY })
    await user(first.dataDir, 'add', 'alice', 'secret')
    await first.program.stop('SIGKILL')
    const second = await start({ settings: PASSWORDS_ONLY, dataDir: first.dataDir })
    await client(urlOf(second), { username: 'alice', password: 'secret' })
    const { stdout } = await ternmq(['users', 'list', '-q', 'alice', '--data-dir', first.dataDir])
    expect(stdout).toEqual([
      expect.stringMatching(/^NAME +LOGIN/),
      expect.stringMatching(/^alice +password, SCRAM-SHA-256 +\d{4}-/),
    ])
  })

  test('may log in by SCRAM-SHA-256, unless that is switched off', async () => {
    const broker = await start({ settings: PASSWORDS_ONLY })
    await user(broker.dataDir, 'add', 'alice', 'secret')
    expect(await scramLogin(urlOf(broker), 'alice', 'secret')).toBe('accepted')
    expect(await scramLogin(urlOf(broker), 'alice', 'wrong')).not.toBe('accepted')
    await broker.program.stop('SIGTERM')
    const without = await start({ settings: [...PASSWORDS_ONLY, 'auth.scram=false'], dataDir: broker.dataDir })
    expect(await scramLogin(urlOf(without), 'alice', 'secret')).toContain('Bad authentication method')
  })
})

/** 'accepted', or why not. */
async function scramLogin(url: string, username: string, password: string): Promise<string> {
  const scram = new ScramClient({ username, password })
  const method = { authenticationMethod: 'SCRAM-SHA-256' }
  const properties = { ...method, authenticationData: Buffer.from(scram.first()) }
  const connecting = connect(url, { protocolVersion: 5, reconnectPeriod: 0, properties })
  onTestFinished(() => connecting.endAsync(true))
  const answer = async (challenge: Buffer, done: PacketCallback): Promise<void> => {
    const authenticationData = Buffer.from(await scram.final(challenge))
    done(undefined, { cmd: 'auth', reasonCode: 24, properties: { ...method, authenticationData } })
  }
  connecting.handleAuth = (packet, done) => void answer(packet.properties?.authenticationData ?? Buffer.alloc(0), done)
  return await new Promise((resolve) => {
    connecting.once('connect', ({ properties: proven }) => {
      scram.verify(proven?.authenticationData ?? Buffer.alloc(0)) // throws unless the broker knows the verifier
      resolve('accepted')
    })
    connecting.once('error', (error) => resolve(error.message))
  })
}

describe('a user of a broker that does not run', () => {
  test('is kept for its first start, in a directory that the command makes', async () => {
    const dataDir = join(newFolder(), 'not', 'yet')
    expect(await user(dataDir, 'add', 'alice', 'secret')).toMatchObject({ code: 0 })
    expect(existsSync(join(dataDir, 'admin.sock'))).toBe(false)
    const broker = await start({ settings: PASSWORDS_ONLY, dataDir })
    await client(urlOf(broker), { username: 'alice', password: 'secret' })
  })

  test('is not lost among commands that run at once', async () => {
    const dataDir = join(newFolder(), 'data')
    const names = ['a', 'b', 'c'] // each waits 5 s at most for those before it
    const results = await Promise.all(names.map((name) => user(dataDir, 'add', name, 'secret')))
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(names.map(() => ({ code: 0, stderr: [] })))
    const { stdout } = await ternmq(['users', 'list', '--names', '--data-dir', dataDir])
    expect(stdout).toEqual(names)
  })
})

test('what cannot be done is said in a sentence, and exit codes tell a failure from a mistake in the command', async () => {
  const dataDir = join(newFolder(), 'data')
  const failures = [
    [await user(dataDir, 'remove', 'nobody'), 1, "there is no user 'nobody'"],
    [await user(dataDir, 'add', 'anonymous', 'x'), 1, 'user name "anonymous" has a meaning of its own in access rules'],
    [await user(dataDir, 'add', 'alice', ''), 1, 'password'],
    [
      await user(dataDir, 'add', 'alice'),
      2,
      'standard input is no terminal to ask for a password at; give --password-stdin',
    ],
    [await ternmq(['users', 'add', '--data-dir', dataDir]), 2, '`users add` needs NAME'],
    [await ternmq(['users', 'drop', 'alice']), 2, 'there is no `users drop`'],
    [await ternmq(['users', 'set', 'alice']), 2, '`users set` needs --role, --group or --no-groups'],
    [
      await ternmq(['users', 'set', 'alice', '--role', 'king']),
      2,
      "--role is 'king'; it is one of viewer, operator, administrator, none",
    ],
    [await ternmq(['users', 'passwd', 'alice', '--group', 'a']), 2, "unknown option '--group'"],
    [
      await ternmq(['users', 'remove', 'alice', '--data-dir', dataDir]),
      2,
      "to remove user 'alice' with connections, sessions and tokens; give --yes",
    ],
  ] as const
  for (const [ended, code, sentence] of failures) {
    expect(ended.code).toBe(code)
    expect(ended.stdout).toEqual([])
    expect(ended.stderr).toEqual([expect.stringContaining(sentence)])
  }
})

test('groups and role are given with `add`, changed with `set` while the broker runs, and shown by `list`', async () => {
  const rules = [{ group: 'ops', allow: ['read', 'write'], topics: ['plant/#'] }]
  const broker = await start({ settings: [...PASSWORDS_ONLY, `auth.rules=${JSON.stringify(rules)}`] })
  const set = (...options: string[]): ReturnType<typeof ternmq> =>
    ternmq(['users', 'set', 'alice', ...options, '--data-dir', broker.dataDir])
  const add = ['users', 'add', 'alice', '--password-stdin', '--role', 'viewer', '--group', 'dev']
  expect(await ternmq([...add, '--data-dir', broker.dataDir], 'secret')).toMatchObject({ code: 0 })
  const alice = await client(urlOf(broker), { username: 'alice', password: 'secret' })
  await expect(alice.publishAsync('plant/1', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/i)

  expect(await set('--group', 'dev', '--group', 'ops', '--role', 'operator')).toEqual({
    code: 0,
    stdout: ['user alice changed'],
    stderr: [],
  })
  const alices = async (): Promise<unknown> => {
    const { stdout } = await ternmq(['users', 'list', '-q', 'alice', '--json', '--data-dir', broker.dataDir])
    return stdout.map((line) => JSON.parse(line) as unknown)
  }
  expect(await alices()).toMatchObject([{ role: 'operator', groups: ['dev', 'ops'], scram: true, connectionCount: 1 }])
  await alice.publishAsync('plant/1', 'x', { qos: 1 })
  expect(await set('--no-groups', '--role', 'none')).toMatchObject({ code: 0 })
  await expect(alice.publishAsync('plant/1', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/i)
  expect(await alices()).toEqual([expect.objectContaining({ groups: [] })])
  expect(await alices()).not.toEqual([expect.objectContaining({ role: expect.anything() as unknown })])
})

test('a user who has failed to log in too often has to wait at that address, whatever the protocol', async () => {
  const broker = await start({
    listeners: ['mqtt', 'stomp'],
    settings: [...PASSWORDS_ONLY, 'auth.lockOut.attempts=2', 'auth.lockOut.waitSeconds=600'],
  })
  await user(broker.dataDir, 'add', 'alice', 'secret')
  await user(broker.dataDir, 'add', 'bob', 'secret')
  const wrong = { username: 'alice', password: 'wrong' }
  const right = { username: 'alice', password: 'secret' }
  for (const guess of ['wrong', 'wronger']) {
    expect(await refusalOf(urlOf(broker), { ...wrong, password: guess })).toContain('Bad User Name or Password')
  }
  expect(await refusalOf(urlOf(broker), right)).toContain('Connection rate exceeded')
  expect(await refusalOf(urlOf(broker), { ...right, protocolVersion: 4 })).toContain('Server unavailable')
  const socket = await openSocket(broker.port('stomp'))
  const answer = new Promise<string>((resolve) => socket.once('data', (bytes) => resolve(bytes.toString())))
  socket.write('CONNECT\naccept-version:1.2\nhost:/\nlogin:alice\npasscode:secret\n\n\0')
  expect(await answer).toMatch(/^ERROR\n[^]*too many failed logins: none is tried now; try again in [1-6]\d\d s/)
  await client(urlOf(broker), { username: 'bob', password: 'secret' })

  expect(await user(broker.dataDir, 'passwd', 'alice', 'another')).toMatchObject({ code: 0 })
  await client(urlOf(broker), { username: 'alice', password: 'another' })
})

test('access rules decide who may publish and subscribe, and refusals have their reason', async () => {
  const rules = [
    { user: 'alice', allow: ['read', 'write'], topics: ['home/%u/#'] },
    { user: 'anonymous', allow: ['read'], topics: ['public/#'] },
  ]
  const broker = await start({ settings: [`auth.rules=${JSON.stringify(rules)}`] })
  await user(broker.dataDir, 'add', 'alice', 'secret')
  const alice = await client(urlOf(broker), { username: 'alice', password: 'secret' })
  const guest = await client(urlOf(broker))

  const [own] = await alice.subscribeAsync('home/alice/#', { qos: 1 })
  expect(own?.qos).toBe(1)
  await alice.publishAsync('home/alice/lamp', 'on', { qos: 1 })
  await expect(alice.publishAsync('home/bob/lamp', 'on', { qos: 1 })).rejects.toThrow(/Not authorized/i)
  await expect(guest.publishAsync('public/news', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/i)
  await expect(guest.subscribeAsync('home/alice/#', { qos: 1 })).rejects.toThrow(/Not authorized/i)
  await guest.subscribeAsync('public/#', { qos: 1 })
})

test('what a change of groups takes from a client ends at once, also from a session that is away, and after a restart', async () => {
  const rules = [{ group: 'ops', allow: ['read', 'write'], topics: ['plant/#'] }]
  const settings = [...PASSWORDS_ONLY, `auth.rules=${JSON.stringify(rules)}`]
  const broker = await start({ settings })
  for (const name of ['alice', 'bob']) {
    const add = ['users', 'add', name, '--password-stdin', '--group', 'ops', '--data-dir', broker.dataDir]
    expect(await ternmq(add, 'secret')).toMatchObject({ code: 0 })
  }
  const kept = { clean: false, properties: { sessionExpiryInterval: 3_600 }, password: 'secret' }
  const sessionOf = (username: string, clientId: string, url = urlOf(broker)): ReturnType<typeof client> =>
    client(url, { ...kept, username, clientId })
  const [here, away, bob] = await Promise.all([
    sessionOf('alice', 'here'),
    sessionOf('alice', 'away'),
    sessionOf('bob', 'bob'),
  ])
  for (const each of [here, away, bob]) await each.subscribeAsync('plant/#', { qos: 1 })
  await away.endAsync()
  let reasonCode: number | undefined = undefined
  here.on('disconnect', (packet) => (reasonCode = packet.reasonCode))
  expect(await ternmq(['users', 'set', 'alice', '--no-groups', '--data-dir', broker.dataDir])).toMatchObject({
    code: 0,
  })
  await until('the DISCONNECT', () => reasonCode !== undefined)
  expect(reasonCode).toBe(0x87) // not authorized

  await broker.program.stop('SIGTERM')
  await ternmq(['users', 'set', 'bob', '--group', 'none', '--data-dir', broker.dataDir])
  await ternmq(['users', 'set', 'alice', '--group', 'ops', '--data-dir', broker.dataDir])
  const again = await start({ settings, dataDir: broker.dataDir })
  const heard: string[] = []
  const [late, bobAgain] = await Promise.all([
    sessionOf('alice', 'away', urlOf(again)),
    sessionOf('bob', 'bob', urlOf(again)),
  ])
  for (const each of [late, bobAgain]) each.on('message', (topic) => heard.push(topic))
  await late.publishAsync('plant/1', 'x', { qos: 1 })
  // Its SUBACK comes after what it was sent before.
  for (const each of [late, bobAgain])
    await expect(each.subscribeAsync('other', { qos: 1 })).rejects.toThrow(/Not authorized/i)
  expect(heard).toEqual([])
})

test('numbers about the broker are under $SYS, and not under #', async () => {
  const broker = await start()
  const watcher = await client(urlOf(broker))
  const everything = await client(urlOf(broker))
  const seen = new Map<string, string>()
  const other: string[] = []
  watcher.on('message', (topic, payload) => seen.set(topic, payload.toString()))
  everything.on('message', (topic) => other.push(topic))
  await everything.subscribeAsync('#')
  await watcher.subscribeAsync('$SYS/#')
  await until('the numbers', () => seen.has('$SYS/broker/clients/total'))
  await everything.publishAsync('last', 'x', { qos: 1 })
  await until('the last message', () => other.length > 0)
  expect(seen.get('$SYS/broker/version')).toBe('TernMQ version 0.1.0')
  expect(other).toEqual(['last'])
})
