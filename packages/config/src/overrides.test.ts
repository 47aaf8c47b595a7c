import { describe, expect, test } from 'vitest'
import { loadConfig, type LoadOptions } from './load.ts'
import { settings } from './settings.ts'

function errorsOf(options: LoadOptions): readonly string[] {
  const result = loadConfig(options)
  return result.ok ? [] : result.errors
}

describe('an environment variable', () => {
  test('is read as the type of its setting', () => {
    const env = {
      TERNMQ_MQTT__MAX_PACKET_BYTES: '65536',
      TERNMQ_AUTH__SCRAM: 'false',
      TERNMQ_LOG__LEVEL: 'debug',
      TERNMQ_LISTENERS__MQTT__AUTHENTICATION__ANONYMOUS: 'true',
      TERNMQ_LISTENERS__WS__AUTHENTICATION__ANONYMOUS: 'auto',
      TERNMQ_AUTH__RULES: '[{"user": "*", "allow": ["read"], "topics": ["#"]}]',
    }
    expect(loadConfig({ env })).toMatchObject({
      ok: true,
      config: {
        mqtt: { maxPacketBytes: 65_536 },
        auth: { scram: false, rules: [{ user: '*', allow: ['read'], deny: [], topics: ['#'] }] },
        log: { level: 'debug' },
        listeners: { mqtt: { authentication: { anonymous: true } }, ws: { authentication: { anonymous: 'auto' } } },
      },
    })
  })

  test('exists for every setting', () => {
    const env = Object.fromEntries([...settings.values()].map(({ environment }) => [environment, '\0']))
    expect(errorsOf({ env }).filter((error) => error.includes('not a known variable'))).toEqual([])
  })

  test('of another program is none of our business', () => {
    expect(
      loadConfig({ env: { PATH: '/bin', TERNMQX: '1', ternmq_mqtt__max_qos: '1', XTERNMQ_A: '1' } }),
    ).toMatchObject({ ok: true, warnings: [] })
  })

  test('that is undefined is not there', () => {
    expect(loadConfig({ env: { TERNMQ_NONSENSE: undefined } })).toMatchObject({ ok: true })
  })

  test.each([
    ['text for a number', 'TERNMQ_MQTT__MAX_QOS', 'one', 'mqtt.maxQos is "one"; allowed is a whole number from 0 to 2'],
    ['nothing for a number', 'TERNMQ_MQTT__MAX_QOS', '', 'mqtt.maxQos is ""; allowed is a whole number from 0 to 2'],
    ['a fraction', 'TERNMQ_MQTT__MAX_QOS', '1.0', 'mqtt.maxQos is "1.0"; allowed is a whole number from 0 to 2'],
    [
      'a number with a space',
      'TERNMQ_MQTT__MAX_QOS',
      '1 ',
      'mqtt.maxQos is "1 "; allowed is a whole number from 0 to 2',
    ],
    [
      'a number beyond all limits',
      'TERNMQ_MQTT__MAX_QOS',
      '9'.repeat(400),
      'mqtt.maxQos is Infinity; allowed is a whole number from 0 to 2',
    ],
    ['1 for true', 'TERNMQ_AUTH__SCRAM', '1', 'auth.scram is "1"; allowed is true or false'],
    [
      'no JSON for a list',
      'TERNMQ_AUTH__RULES',
      'x',
      'auth.rules is "x"; allowed is a list of 0 to 10000 entries, as JSON',
    ],
    [
      'another JSON for a list',
      'TERNMQ_AUTH__RULES',
      '{}',
      'auth.rules is {}; allowed is a list of 0 to 10000 entries',
    ],
    ['no path', 'TERNMQ_DATA_DIR', '', 'dataDir is ""; allowed is a directory path'],
  ])('with %s is refused', (_, name, text, sentence) => {
    expect(errorsOf({ env: { [name]: text } })).toEqual([`${name}: ${sentence}`])
  })

  test.each([
    ['TERNMQ_MQTT__MAX_PACKET_BYTE', 'is not a known variable; did you mean TERNMQ_MQTT__MAX_PACKET_BYTES?'],
    ['TERNMQ_MQTT_MAX_PACKET_BYTES', 'is not a known variable; did you mean TERNMQ_MQTT__MAX_PACKET_BYTES?'],
    ['TERNMQ_DATADIR', 'is not a known variable; did you mean TERNMQ_DATA_DIR?'],
    ['TERNMQ_', 'is not a known variable; `ternmq config print` shows all settings'],
    ['TERNMQ_SOMETHING_ELSE', 'is not a known variable; `ternmq config print` shows all settings'],
    ['TERNMQ_MQTT', 'names a section, not a setting; set one of its keys, such as TERNMQ_MQTT__MAX_PACKET_BYTES'],
    [
      'TERNMQ_LISTENERS__WSS__TLS',
      'names a section, not a setting; set one of its keys, such as TERNMQ_LISTENERS__WSS__TLS__CERT',
    ],
  ])('%s, which is no setting, stops the start', (name, sentence) => {
    expect(errorsOf({ env: { [name]: 'secret' } })).toEqual([`environment: ${name} ${sentence}`])
  })

  test.each(['TERNMQ_ADMIN_PASSWORD', 'TERNMQ_URL', 'TERNMQ_TOKEN'])(
    '%s, which others read, is no setting and no mistake',
    (name) => {
      expect(loadConfig({ env: { [name]: 'secret' } })).toMatchObject({ ok: true, warnings: [] })
    },
  )

  test.each([
    [
      'TERNMQ_VIRTUAL_HOSTS',
      'TERNMQ_VIRTUAL_HOSTS: virtualHosts is not built yet (planned); the setting has no effect',
    ],
    [
      'TERNMQ_VIRTUAL_HOSTS__ONE',
      'TERNMQ_VIRTUAL_HOSTS__ONE: virtualHosts is not built yet (planned); the setting has no effect',
    ],
  ])('%s, of a later version, is a warning without the value', (name, sentence) => {
    expect(loadConfig({ env: { [name]: 'secret' } })).toMatchObject({
      ok: true,
      warnings: [`environment: ${sentence}`],
    })
  })
})

describe('--set', () => {
  test('takes what stands behind the first equals sign, as the type of its setting', () => {
    const sets = [
      'dataDir=/srv/a=b',
      'mqtt.maxQos=1',
      'auth.scram=false',
      'listeners.ws.allowedOrigins=["https://a.example"]',
    ]
    expect(loadConfig({ sets })).toMatchObject({
      ok: true,
      config: {
        dataDir: '/srv/a=b',
        mqtt: { maxQos: 1 },
        auth: { scram: false },
        listeners: { ws: { allowedOrigins: ['https://a.example'] } },
      },
    })
  })

  test('given several times for one key counts the last time', () => {
    expect(loadConfig({ sets: ['mqtt.maxQos=0', 'mqtt.maxQos=1'] })).toMatchObject({
      ok: true,
      config: { mqtt: { maxQos: 1 } },
    })
  })

  test.each([
    ['mqtt.maxQos', '--set mqtt.maxQos: has no value; write --set mqtt.maxQos=VALUE'],
    ['mqtt.maxQos=3', '--set mqtt.maxQos: mqtt.maxQos is 3; allowed is a whole number from 0 to 2'],
    [
      'listeners.mqts.port=1',
      '--set listeners.mqts.port: listeners.mqts.port is not a known key; did you mean listeners.mqtts.port?',
    ],
    [
      'listeners.mqtt=1',
      '--set listeners.mqtt: listeners.mqtt is a section, not a setting; set one of its keys, such as listeners.mqtt.enabled',
    ],
    ['auth.rules.0.user=x', '--set auth.rules.0.user: auth.rules is a single value and has no 0.user; set all of it'],
    [
      '=1',
      '--set "": "" is not a known key; known keys are dataDir, listeners, mqtt, stomp, amqp, console, store, queues, policies, limits, auth, log, events, tracing',
    ],
    ['', '--set "": has no value; write --set ""=VALUE'],
  ])('%s is refused', (text, sentence) => {
    expect(errorsOf({ sets: [text] })).toEqual([sentence])
  })
})

test('--data-dir goes before --set dataDir and is its own source', () => {
  const result = loadConfig({ dataDir: '/srv/flag', sets: ['dataDir=/srv/set'] })
  expect(result).toMatchObject({ ok: true, config: { dataDir: '/srv/flag' } })
  expect(result.ok && result.sources.get('dataDir')).toEqual({ kind: 'flag', text: 'flag --data-dir' })
  expect(errorsOf({ dataDir: '' })).toEqual(['--data-dir: dataDir is ""; allowed is a directory path'])
})

describe('values of a program', () => {
  test('are checked like all others, those that are undefined count as left out', () => {
    const values = { listeners: { mqtt: { port: 0 }, ws: undefined }, dataDir: undefined }
    expect(loadConfig({ values, cwd: '/srv' })).toMatchObject({
      ok: true,
      config: { dataDir: '/srv/ternmq-data', listeners: { mqtt: { port: 0 }, ws: { port: 8083 } } },
    })
    expect(errorsOf({ values: { mqtt: { maxQos: 3 } } })).toEqual([
      'options: mqtt.maxQos is 3; allowed is a whole number from 0 to 2',
    ])
  })

  test('of the wrong shape are refused', () => {
    expect(errorsOf({ values: { log: [1] } as object })).toEqual([
      'options: log is [1]; allowed is a section with level, format',
    ])
    expect(errorsOf({ values: { logs: {} } as object })).toEqual([
      'options: logs is not a known key; did you mean log?',
    ])
  })
})
