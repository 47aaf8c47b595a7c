import { loadConfig } from '@ternmq/config'
import { developmentCertificates } from '@ternmq/transport'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { checkConfiguration, type ConfigurationReport } from './configuration-check.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2030, 0, 1)
/** Of a server certificate that `developmentCertificates` makes. */
const VALID_DAYS = 397

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ternmq-check-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

function check(...sets: string[]): Promise<ConfigurationReport> {
  return checkConfiguration(loadConfig({ dataDir: join(folder, 'data'), sets }), NOW_MS)
}

/** Settings of a listener, or the console, that has a certificate made so many days ago. */
async function withCertificate(section: string, daysAgo: number, { key = '' } = {}): Promise<string[]> {
  const made = await developmentCertificates({
    folder: join(folder, `made-${daysAgo}`),
    names: [],
    nowMs: NOW_MS - daysAgo * DAY_MS,
  })
  const { certFile, keyFile } = made
  return [`${section}.tls.cert=${certFile}`, `${section}.tls.key=${key === '' ? keyFile : key}`]
}

test('what is good is told: settings that differ, listeners, and no certificate where one will be made', async () => {
  const report = await check('listeners.mqtt.port=1884', 'mqtt.maxQos=2', 'listeners.wss.enabled=false')
  expect(report).toMatchObject({ ok: true, errors: [], warnings: [], certificates: [], userCount: 0 })
  expect(report.developmentFor).toContain('mqtts')
  expect(report.developmentFor).not.toContain('wss')
  expect(report.changed).toEqual(['dataDir', 'listeners.mqtt.port', 'listeners.wss.enabled'])
  expect(report.settingsCount).toBeGreaterThan(200)
  expect(report.listeners).toContainEqual({ name: 'mqtt', host: '127.0.0.1', port: 1884 })
  expect(report.listeners.map(({ name }) => name)).not.toContain('wss')
  expect(report.listeners.at(-1)).toEqual({ name: 'console', host: '127.0.0.1', port: 8161 })
})

test('a setting that cannot be, and a port that is named twice, are errors', async () => {
  expect(await check('mqtt.maxQos=9')).toMatchObject({ ok: false, errors: [expect.stringContaining('mqtt.maxQos')] })
  expect(await check('listeners.mqtt.port=8161')).toMatchObject({
    ok: false,
    errors: [expect.stringContaining('console and listeners.mqtt both listen on 127.0.0.1:8161')],
  })
})

test('a rule that no start would take is an error', async () => {
  const report = await check('auth.rules=[{ user: "*", allow: [write], topics: ["a/#/b"] }]')
  expect(report).toMatchObject({ ok: false, errors: [expect.stringContaining('auth.rules')] })
})

describe.each(['listeners.mqtts', 'console'])('the certificate of %s', (section) => {
  const on = section === 'console' ? ['console.tls.enabled=true'] : []
  const name = section === 'console' ? 'console' : 'mqtts'

  test('is told with its end', async () => {
    const report = await check(...on, ...(await withCertificate(section, 0)))
    expect(report).toMatchObject({ ok: true, errors: [], warnings: [] })
    expect(report.developmentFor).not.toContain(name)
    expect(report.certificates).toEqual([
      { name, file: join(folder, 'made-0', 'server.pem'), notAfterMs: NOW_MS + VALID_DAYS * DAY_MS },
    ])
  })

  test('that ends within 30 days is a warning', async () => {
    const report = await check(...on, ...(await withCertificate(section, VALID_DAYS - 29)))
    expect(report).toMatchObject({ ok: true, errors: [], warnings: [expect.stringContaining('ends on 2030-01-30')] })
    expect(await check(...on, ...(await withCertificate(section, VALID_DAYS - 31)))).toMatchObject({ warnings: [] })
  })

  test.each([
    ['has ended', VALID_DAYS + 1, 'ended on 2029-12-31, and clients refuse it'],
    ['is not good yet', -10, 'counts from'],
  ])('that %s is an error', async (_, daysAgo, text) => {
    const report = await check(...on, ...(await withCertificate(section, daysAgo)))
    expect(report).toMatchObject({ ok: false, errors: [expect.stringContaining(text)] })
  })

  test('that is not there is an error with its setting', async () => {
    const report = await check(...on, `${section}.tls.cert=none.pem`, `${section}.tls.key=none.key`)
    const text = new RegExp(`^${section}\\.tls: cannot read the certificate .*none\\.pem`)
    expect(report).toMatchObject({ ok: false, errors: [expect.stringMatching(text)] })
  })

  test('that is no file is an error before anything is read of it', async () => {
    const report = await check(...on, `${section}.tls.cert=/dev/null`, `${section}.tls.key=none.key`)
    const text = `${section}.tls: cannot read the certificate /dev/null: it is not a file`
    expect(report).toMatchObject({ ok: false, errors: [expect.stringContaining(text)] })
  })

  test('with the key of another is an error', async () => {
    const other = await withCertificate(section, 1)
    const key = other[1]!.split('=')[1]!
    const report = await check(...on, ...(await withCertificate(section, 0, { key })))
    expect(report).toMatchObject({ ok: false, errors: [expect.stringContaining('does not belong to the certificate')] })
  })
})

test('every file that is wrong is told, and none of a listener that is not enabled', async () => {
  const broken = join(folder, 'broken.pem')
  writeFileSync(broken, 'no PEM')
  const report = await check(
    `listeners.mqtts.tls.cert=${broken}`,
    `listeners.mqtts.tls.key=${broken}`,
    `listeners.amqps.tls.ca=${broken}`,
    'listeners.amqps.tls.clientCertificate=request',
    'listeners.stomps.enabled=false',
    `listeners.stomps.tls.cert=${broken}`,
    `listeners.stomps.tls.key=${broken}`,
  )
  expect(report.errors).toEqual([
    expect.stringMatching(/^listeners\.mqtts\.tls: .*broken\.pem is not a PEM certificate/),
    expect.stringMatching(/^listeners\.amqps\.tls: .*broken\.pem is not a PEM certificate/),
  ])
})

test('users that cannot be read are an error', async () => {
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'users.json'), '{')
  expect(await check()).toMatchObject({ ok: false, errors: [expect.stringContaining('users.json')] })
})

test('a listener that nobody could log in to is an error; a first start makes somebody where there is a console', async () => {
  const open = 'listeners.mqtt.host=0.0.0.0'
  expect(await check(open)).toMatchObject({ ok: true })
  expect(await check(open, 'console.enabled=false')).toMatchObject({
    ok: false,
    errors: [expect.stringContaining('there is no user who could log in')],
  })
})
