import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'
import { loadConfig } from './load.ts'
import { configAsJson, configAsYaml, visible } from './print.ts'
import { settings } from './settings.ts'

const scratch = new Scratch()

const EVERYTHING = `
dataDir: "data: with # and spaces"
listeners:
  mqtt: {host: "::", port: 0, authentication: {anonymous: true}}
  ws: {host: "true", allowedOrigins: ["https://a.example"], enabled: false}
  mqtts: {tls: {cert: a.pem, key: a.key, ca: "true", clientCertificate: require, identity: san-dns}}
auth:
  rules:
    - {user: "*", allow: [read], topics: ["#", "a b/\\"c\\"/\\n"]}
    - {user: "null", deny: [read, write], topics: [x]}
policies:
  - {match: "orders.>", settings: {whenFull: reject, redelivery: {multiplier: 1.5}}}
log: {level: debug}
`

describe('printed as YAML', () => {
  test('each line has key, value and source', () => {
    const result = scratch.load('mqtt:\n  maxQos: 1\n', {
      env: { TERNMQ_LOG__LEVEL: 'debug' },
      sets: ['listeners.ws.enabled=false'],
      dataDir: '/srv/data',
    })
    const printed = result.ok ? configAsYaml(result.config, result.sources) : ''
    const lines = printed.split('\n').map((line) => line.replace(/ +# /, ' # '))
    expect(lines).toContain('dataDir: /srv/data # flag --data-dir')
    expect(lines).toContain('  maxQos: 1 # file config.yaml:2:11')
    expect(lines).toContain('  level: debug # env TERNMQ_LOG__LEVEL')
    expect(lines).toContain('    enabled: false # flag --set listeners.ws.enabled')
    expect(lines).toContain('    port: 1883 # default')
    expect(lines).toContain('  rules: [] # default')
  })

  test('what is not set is shown as a comment', () => {
    const result = loadConfig()
    expect(result.ok && configAsYaml(result.config, result.sources)).toMatch(/^ {6}# cert: not set +# default$/m)
  })

  test.each([
    ['the defaults', ''],
    ['a configuration with everything', EVERYTHING],
  ])('%s can be read back and mean the same', (_, text) => {
    const first = scratch.load(text)
    expect(first).toMatchObject({ ok: true })
    if (!first.ok) return
    const second = scratch.load(configAsYaml(first.config, first.sources))
    expect(second.ok ? second.config : second.errors).toEqual(first.config)
  })

  test('a line break in the name of the file does not break a line', () => {
    scratch.write('a\nb.yaml', 'log: {level: debug}')
    const result = loadConfig({ file: 'a\nb.yaml', cwd: scratch.folder })
    expect(result.ok && configAsYaml(result.config, result.sources)).toContain('# file a\\u000ab.yaml:1:14\n')
  })
})

describe('printed as JSON', () => {
  test('every setting has key, value and source, null when it is not set', () => {
    const result = scratch.load(EVERYTHING)
    const printed = result.ok ? configAsJson(result.config, result.sources) : []
    expect(printed.map(({ key }) => key)).toEqual([...settings.keys()])
    expect(printed).toContainEqual({ key: 'log.level', value: 'debug', source: 'file config.yaml:13:14' })
    expect(printed).toContainEqual({
      key: 'dataDir',
      value: join(scratch.folder, 'data: with # and spaces'),
      source: 'file config.yaml:2:10',
    })
    expect(printed).toContainEqual({ key: 'listeners.wss.tls.cert', value: null, source: 'default' })
    expect(JSON.parse(JSON.stringify(printed))).toEqual(printed)
  })
})

test('of a secret only is shown whether it is set', () => {
  expect(visible('hunter2', true)).toBe('(hidden)')
  expect(visible(undefined, true)).toBeUndefined()
  expect(visible('info', false)).toBe('info')
})
