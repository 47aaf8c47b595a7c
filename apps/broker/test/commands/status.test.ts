/** `ternmq status`, and how commands find a broker. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { newFolder, start, ternmq } from '../support.ts'
import { ADMIN_PASSWORD, Operator } from './operator.ts'

test('`status` tells version, process, counts and listeners, and that nothing is wrong', async () => {
  const operator = await Operator.start()
  await operator.client()
  const lines = await operator.lines('status')
  expect(lines[0]).toContain(`TernMQ 0.1.0, process ${operator.broker.ready.pid} on `)
  expect(lines).toContainEqual(expect.stringMatching(/^connections +1, 1 session$/))
  expect(lines).toContainEqual(
    expect.stringMatching(new RegExp(`^mqtt +mqtt +127.0.0.1:${operator.broker.port('mqtt')} `)),
  )
  expect(lines.at(-1)).toBe('nothing is wrong')
  expect(await operator.json('status')).toMatchObject({
    counts: { connections: 1, retained: 0 }, // those of $SYS are in no list either
    listeners: [{ name: 'mqtt' }],
    alarms: [],
  })
})

describe('a broker elsewhere', () => {
  test('is asked with name and password, or with both from the environment; who is not known is refused with 1', async () => {
    const operator = await Operator.start()
    expect(await operator.runRemotely('status')).toMatchObject({ code: 0, stderr: [] })
    const login = ['--user', 'admin', '--password-stdin']
    const env = { TERNMQ_URL: operator.url }
    expect(await ternmq(['status', ...login], ADMIN_PASSWORD, env)).toMatchObject({ code: 0, stderr: [] })
    expect(await ternmq(['status', ...login], 'wrong', env)).toMatchObject({ code: 1, stdout: [] })
    expect(await ternmq(['status'], undefined, { ...env, TERNMQ_TOKEN: 'tmq_unknown' })).toMatchObject({
      code: 1,
      stderr: [expect.stringContaining('the token is unknown')],
    })
  })

  test('is not asked when the command names a data directory, whatever the environment says', async () => {
    const { dataDir } = await start()
    const env = { TERNMQ_URL: 'http://127.0.0.1:1', TERNMQ_TOKEN: 'x' }
    expect(await ternmq(['status', '--data-dir', dataDir], undefined, env)).toMatchObject({ code: 0 })
  })

  test('that speaks TLS with a certificate of its own is believed with --ca, and not without', async () => {
    const operator = await Operator.start({ settings: ['console.tls.enabled=true'] })
    const url = operator.url.replace('127.0.0.1', 'localhost')
    const args = ['status', '--url', url, '--user', 'admin', '--password-stdin']
    const ca = join(operator.broker.dataDir, 'certificates', 'ca.pem')
    expect(await ternmq([...args, '--ca', ca], ADMIN_PASSWORD)).toMatchObject({ code: 0, stderr: [] })
    expect(await ternmq(args, ADMIN_PASSWORD)).toMatchObject({
      code: 3,
      stderr: [
        expect.stringMatching(
          /cannot be reached: .*certificate.*; give the authority of its certificate with --ca FILE/,
        ),
      ],
    })
  })

  test('that cannot be reached ends with 3, and says what was tried', async () => {
    const env = { TERNMQ_TOKEN: 'x' }
    const url = 'http://127.0.0.1:1'
    expect(await ternmq(['status', '--url', url], undefined, env)).toEqual({
      code: 3,
      stdout: [],
      stderr: [expect.stringMatching(`^ternmq: the broker at ${url} cannot be reached: .*ECONNREFUSED.*; see whether`)],
    })
  })
})

describe('a data directory', () => {
  test.each(['is missing', 'has no broker', 'has the socket of a broker that died'])(
    'that %s ends with 3 and advice',
    async (which) => {
      const dataDir = join(newFolder(), 'data')
      if (which !== 'is missing') mkdirSync(dataDir)
      if (which.endsWith('died')) writeFileSync(join(dataDir, 'admin.sock'), '')
      const { code, stdout, stderr } = await ternmq(['status', '--data-dir', dataDir])
      expect({ code, stdout }).toEqual({ code: 3, stdout: [] })
      expect(stderr).toEqual([
        expect.stringMatching(
          `^ternmq: no broker runs on the data directory ${dataDir}: nobody listens at .*sock; start one with \`.* start --data-dir .*\`, .* with --url$`,
        ),
      ])
    },
  )

  test('with a path too long for a socket address is no hindrance', async () => {
    const dataDir = join(newFolder(), 'd'.repeat(100), 'e'.repeat(100))
    await start({ dataDir })
    expect(await ternmq(['status', '--data-dir', dataDir])).toMatchObject({ code: 0, stderr: [] })
  })
})

test.each([
  [
    ['status', '--url', 'http://h', '--data-dir', 'd'],
    '--url is a broker elsewhere, and excludes --data-dir, --config and --set',
  ],
  [['status', '--url', 'h:8161'], "--url is 'h:8161'; it is http://HOST:PORT or https://HOST:PORT"],
  [['status', '--url', 'http://a:b@h'], '--url has a login in it, which others can see'],
  [['status', '--url', 'http://h'], '--url needs to know who asks: --token, TERNMQ_TOKEN, or --user'],
  [['status', '--url', 'http://h', '--token', 't', '--user', 'u'], '--token and --user exclude one another'],
  [['status', '--url', 'http://localhost', '--user', 'u'], 'standard input is no terminal to ask for a password at'],
  [['status', '--nope'], "unknown option '--nope'"],
  [['status', 'x'], "'x' is one argument too many"],
])('%j is not understood, and the sentence says why', async (args, sentence) => {
  expect(await ternmq(args)).toMatchObject({ code: 2, stdout: [], stderr: [expect.stringContaining(sentence)] })
})
