import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'
import { loadConfig } from './load.ts'
import { settings } from './settings.ts'
import type { BrokerConfigInput } from './types.ts'

const scratch = new Scratch()

describe('of several sources of one setting', () => {
  const file = 'mqtt:\n  maxQos: 0\n  topicAliasMax: 10\n  maxTopicLevels: 10\n  keepAliveMaxSeconds: 10\n'
  const env = {
    TERNMQ_MQTT__TOPIC_ALIAS_MAX: '20',
    TERNMQ_MQTT__MAX_TOPIC_LEVELS: '20',
    TERNMQ_MQTT__KEEP_ALIVE_MAX_SECONDS: '20',
  }
  const sets = ['mqtt.maxTopicLevels=30', 'mqtt.keepAliveMaxSeconds=30']
  const values: BrokerConfigInput = { mqtt: { keepAliveMaxSeconds: 40 } }
  const result = scratch.load(file, { env, sets, values })

  test('a program goes before a flag, a flag before the environment, that before the file, that before the default', () => {
    expect(result).toMatchObject({
      ok: true,
      config: {
        mqtt: { maxQos: 0, topicAliasMax: 20, maxTopicLevels: 30, keepAliveMaxSeconds: 40, receiveMaximum: 1_024 },
      },
    })
  })

  test('the one that counts is remembered, for every setting', () => {
    const sources = result.ok ? result.sources : new Map()
    expect([...sources.keys()]).toEqual([...settings.keys()])
    expect(sources.get('mqtt.receiveMaximum')).toEqual({ kind: 'default', text: 'default' })
    expect(sources.get('mqtt.maxQos')).toEqual({ kind: 'file', text: 'file config.yaml:2:11' })
    expect(sources.get('mqtt.topicAliasMax')).toEqual({ kind: 'environment', text: 'env TERNMQ_MQTT__TOPIC_ALIAS_MAX' })
    expect(sources.get('mqtt.maxTopicLevels')).toEqual({ kind: 'flag', text: 'flag --set mqtt.maxTopicLevels' })
    expect(sources.get('mqtt.keepAliveMaxSeconds')).toEqual({ kind: 'program', text: 'program' })
  })

  test('the defaults of a program go before those of the schema, and behind everything else', () => {
    const defaults: BrokerConfigInput = { mqtt: { maxQos: 1, receiveMaximum: 7 } }
    expect(scratch.load(file, { env, sets, values, defaults })).toMatchObject({
      ok: true,
      config: { mqtt: { maxQos: 0, topicAliasMax: 20, keepAliveMaxSeconds: 40, receiveMaximum: 7 } },
    })
  })

  test('a mistake in one that does not count is a mistake all the same', () => {
    expect(scratch.errorsIn('mqtt: {maxQos: 7}', { sets: ['mqtt.maxQos=1'] })).toEqual([
      'config.yaml:1:16: mqtt.maxQos is 7; allowed is a whole number from 0 to 2',
    ])
  })

  test('a list is replaced as a whole', () => {
    const text = 'listeners: {ws: {allowedOrigins: ["https://a.example", "https://b.example"]}}'
    const listEnv = { TERNMQ_LISTENERS__WS__ALLOWED_ORIGINS: '["https://c.example"]' }
    expect(scratch.load(text, { env: listEnv })).toMatchObject({
      ok: true,
      config: { listeners: { ws: { allowedOrigins: ['https://c.example'] } } },
    })
  })
})

test('a configuration cannot be changed, so that no part of the broker changes what others see', () => {
  const result = loadConfig({ sets: ['auth.rules=[{"user":"a","allow":["read"],"topics":["t"]}]'] })
  const parts: unknown[] = result.ok ? [result.config] : []
  let seen = 0
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    if (typeof part !== 'object' || part === null) continue
    expect(part).toSatisfy(Object.isFrozen)
    seen++
    parts.push(...(Object.values(part) as unknown[]).filter((value) => value !== undefined))
  }
  expect(seen).toBeGreaterThan(20)
})

describe('a relative path', () => {
  test('in the file is relative to the folder of the file', () => {
    mkdirSync(join(scratch.folder, 'etc'))
    scratch.write(
      'etc/ternmq.yaml',
      'dataDir: ../data\nlisteners: {mqtts: {tls: {cert: tls/a.pem, key: /abs/a.key}}}\n',
    )
    const { folder } = scratch
    expect(loadConfig({ file: 'etc/ternmq.yaml', cwd: folder })).toMatchObject({
      ok: true,
      config: {
        dataDir: join(folder, 'data'),
        listeners: { mqtts: { tls: { cert: join(folder, 'etc', 'tls', 'a.pem'), key: '/abs/a.key' } } },
      },
    })
  })

  test.each([
    ['as the default', {}, 'ternmq-data'],
    ['in the environment', { env: { TERNMQ_DATA_DIR: 'env-data' } }, 'env-data'],
    ['in a flag', { sets: ['dataDir=./flag-data'] }, 'flag-data'],
    ['from a program', { values: { dataDir: 'program-data' } }, 'program-data'],
  ])('%s is relative to the current directory', (_, options, expected) => {
    expect(loadConfig({ cwd: '/srv/here', ...options })).toMatchObject({
      ok: true,
      config: { dataDir: join('/srv/here', expected) },
    })
  })

  test('without a current directory given is relative to that of the process', () => {
    expect(loadConfig()).toMatchObject({ ok: true, config: { dataDir: join(process.cwd(), 'ternmq-data') } })
  })
})

describe('a value that is not allowed', () => {
  test.each([
    [
      'a number beyond its limit',
      'mqtt: {maxPacketBytes: 12}',
      '1:24: mqtt.maxPacketBytes is 12; allowed is a whole number from 1024 to 268435460',
    ],
    ['a fraction', 'mqtt: {maxQos: 1.5}', '1:16: mqtt.maxQos is 1.5; allowed is a whole number from 0 to 2'],
    ['infinity', 'mqtt: {maxQos: .inf}', '1:16: mqtt.maxQos is Infinity; allowed is a whole number from 0 to 2'],
    ['a number as text', 'mqtt: {maxQos: "1"}', '1:16: mqtt.maxQos is "1"; allowed is a whole number from 0 to 2'],
    ['yes for true', 'auth: {scram: yes}', '1:15: auth.scram is "yes"; allowed is true or false'],
    [
      'one that is not among the choices',
      'log: {level: loud}',
      '1:14: log.level is "loud"; allowed is one of "silent", "fatal", "error", "warn", "info", "debug", "trace"',
    ],
    [
      'a number where text is wanted',
      'listeners: {mqtt: {host: 1}}',
      '1:26: listeners.mqtt.host is 1; allowed is an IP address or a host name, without port and brackets, in quotes',
    ],
    ['nothing', 'mqtt:\n  maxQos:\n', '2:3: mqtt.maxQos is empty; allowed is a whole number from 0 to 2'],
    [
      'neither true, false nor auto',
      'listeners: {ws: {authentication: {anonymous: 1}}}',
      '1:46: listeners.ws.authentication.anonymous is 1; allowed is true or false or "auto"',
    ],
    [
      'a section where a value is wanted',
      'mqtt: {maxQos: {a: 1}}',
      '1:16: mqtt.maxQos is {"a":1}; allowed is a whole number from 0 to 2',
    ],
  ])('%s is answered with file, place, key, value and what is allowed', (_, text, sentence) => {
    expect(scratch.errorsIn(text)).toEqual([`config.yaml:${sentence}`])
  })

  test('inside a list is found at its own place', () => {
    const text = [
      'auth:',
      '  rules:',
      '    - {user: a, allow: [reed], topics: [t, "a/#/b"]}',
      '    - {user: 7, allow: [read], topics: []}',
      '    - {user: a, usr: a, allow: [read], topics: [t]}',
      '    - {user: a, topics: [t]}',
      '    - 5',
      '    - {user: a, topics: []}',
      '    - {user: a, group: g, allow: [admin], topics: [t]}',
      '    - {allow: [browse], topics: [t]}',
    ].join('\n')
    expect(scratch.errorsIn(text)).toEqual([
      'config.yaml:3:25: auth.rules[0].allow[0] is "reed"; allowed is one of "read", "write", "browse", "admin"',
      'config.yaml:3:44: auth.rules[0].topics[1] is "a/#/b"; allowed is an MQTT topic filter, + and # alone in their level, # only as the last, % only as %u, %c or %%; of queues, $queue/NAME with * and >',
      'config.yaml:4:14: auth.rules[1].user is 7; allowed is text of 1 to 256 characters, in quotes',
      'config.yaml:4:40: auth.rules[1].topics is []; allowed is a list of 1 to 1000 entries',
      'config.yaml:5:22: auth.rules[2].usr is not a known key; did you mean user?',
      'config.yaml:6:7: auth.rules[3] is {"user":"a","topics":["t"]}; allowed is a rule with user or group, topics, and allow or deny or both',
      'config.yaml:7:7: auth.rules[4] is 5; allowed is a rule with user or group, topics, and allow or deny or both',
      'config.yaml:8:25: auth.rules[5].topics is []; allowed is a list of 1 to 1000 entries',
      'config.yaml:9:7: auth.rules[6] is {"user":"a","group":"g","allow":["admin"],"topics":["t"]}; allowed is a rule with user or group, topics, and allow or deny or both',
      'config.yaml:10:7: auth.rules[7] is {"allow":["browse"],"topics":["t"]}; allowed is a rule with user or group, topics, and allow or deny or both',
    ])
  })

  test('that is long is cut', () => {
    expect(scratch.errorsIn(`mqtt: {maxQos: ${'x'.repeat(1_000)}}`)).toEqual([
      `config.yaml:1:16: mqtt.maxQos is "${'x'.repeat(79)}…; allowed is a whole number from 0 to 2`,
    ])
  })
})

describe('an unknown key', () => {
  test.each([
    [
      'of a setting',
      'listeners: {mqtts: {prot: 1}}',
      '1:21: listeners.mqtts.prot is not a known key; did you mean listeners.mqtts.port?',
    ],
    [
      'of a section',
      'listeners: {mqts: {port: 1}}',
      '1:13: listeners.mqts is not a known key; did you mean listeners.mqtts?',
    ],
    [
      'of a section of another protocol',
      'listeners: {stmp: {}}',
      '1:13: listeners.stmp is not a known key; did you mean listeners.stomp?',
    ],
    [
      'in another spelling',
      'mqtt: {max_packet_bytes: 1}',
      '1:8: mqtt.max_packet_bytes is not a known key; did you mean mqtt.maxPacketBytes?',
    ],
    ['at the wrong place', 'port: 1883', '1:1: port is not a known key; did you mean listeners.mqtt.port?'],
    ['with dots', 'mqtt.maxQos: 1', '1:1: mqtt.maxQos is not a known key; write it in sections, mqtt: maxQos:'],
    [
      'like nothing of ours',
      'log: {colour: red}',
      '1:7: log.colour is not a known key; known keys there are level, format',
    ],
    [
      'like nothing at all',
      'colour: red',
      '1:1: colour is not a known key; known keys are dataDir, listeners, mqtt, stomp, amqp, console, store, queues, policies, limits, auth, log, events, tracing',
    ],
    [
      'that is empty',
      '"": 1',
      '1:1: "" is not a known key; known keys are dataDir, listeners, mqtt, stomp, amqp, console, store, queues, policies, limits, auth, log, events, tracing',
    ],
    [
      'that merges in YAML 1.1',
      'log: {<<: {level: info}}',
      '1:7: log.<< is not a known key; known keys there are level, format',
    ],
  ])('%s is answered with the nearest known one', (_, text, sentence) => {
    expect(scratch.errorsIn(text)).toEqual([`config.yaml:${sentence}`])
  })

  test('stops the start beside all other mistakes, of all sources', () => {
    const errors = scratch.errorsIn('a: 1\nmqtt: {maxQos: 9}', {
      env: { TERNMQ_X: '1' },
      sets: ['b=1'],
      values: { c: 1 } as object,
    })
    expect(errors.map((error) => error.split(';')[0])).toEqual([
      'config.yaml:1:1: a is not a known key',
      'environment: TERNMQ_X is not a known variable',
      '--set b: b is not a known key',
      'options: c is not a known key',
      'config.yaml:2:16: mqtt.maxQos is 9',
    ])
  })
})

describe('settings changed through the admin API', () => {
  test('go before all others and are shown as such', () => {
    const result = scratch.load('mqtt: {maxQos: 0}', {
      sets: ['mqtt.maxQos=1'],
      overrides: new Map([['mqtt.maxQos', 2]]),
    })
    expect(result).toMatchObject({ ok: true, config: { mqtt: { maxQos: 2 } } })
    expect(result.ok && result.sources.get('mqtt.maxQos')).toEqual({ kind: 'api', text: 'api' })
  })

  test('are checked like any other', () => {
    const overrides = new Map<string, unknown>([
      ['mqtt.maxQos', 9],
      ['mqtt.maxQuos', 1],
      ['mqtt', 1],
    ])
    expect(scratch.load('', { overrides })).toMatchObject({
      ok: false,
      errors: [
        'mqtt.maxQuos: mqtt.maxQuos is not a known key; did you mean mqtt.maxQos?',
        'mqtt: mqtt is a section, not a setting; set one of its keys, such as mqtt.maxPacketBytes',
        'mqtt.maxQos: mqtt.maxQos is 9; allowed is a whole number from 0 to 2',
      ],
    })
  })
})

describe('a name of a later version', () => {
  test('is accepted with one warning for each place, whatever is below it', () => {
    const result = scratch.load('virtualHosts: {a: {port: 8080, anything: [1]}}\n', {
      sets: ['virtualHosts.a.port=8080', 'virtualHosts.a.port=8081', 'virtualHosts=x'],
    })
    expect(result).toMatchObject({
      ok: true,
      warnings: [
        'config.yaml:1:1: virtualHosts is not built yet (planned); the setting has no effect',
        '--set virtualHosts.a.port: virtualHosts is not built yet (planned); the setting has no effect',
        '--set virtualHosts: virtualHosts is not built yet (planned); the setting has no effect',
      ],
    })
  })

  test('is also told when the configuration is refused', () => {
    expect(scratch.load('virtualHosts: 5\na: 1')).toMatchObject({
      ok: false,
      warnings: ['config.yaml:1:1: virtualHosts is not built yet (planned); the setting has no effect'],
    })
  })
})
