import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'
import { loadConfig, type LoadOptions } from './load.ts'

const scratch = new Scratch()

function judged(options: LoadOptions): { errors: readonly string[]; warnings: readonly string[] } {
  const result = loadConfig({ cwd: '/srv', ...options })
  return { errors: result.ok ? [] : result.errors, warnings: result.warnings }
}

describe('certificate and key', () => {
  test.each([
    ['cert', 'key'],
    ['key', 'cert'],
  ])('%s without %s is refused, with the place', (given, missing) => {
    expect(scratch.errorsIn(`listeners: {wss: {tls: {${given}: a.pem}}}`)).toEqual([
      `config.yaml:1:${given === 'cert' ? 31 : 30}: listeners.wss.tls.${given} is set and listeners.wss.tls.${missing} is not; ` +
        'set both, or neither to use the development certificate',
    ])
  })

  test('may be given by different sources', () => {
    expect(
      scratch.errorsIn('listeners: {wss: {tls: {cert: a.pem}}}', { sets: ['listeners.wss.tls.key=b.pem'] }),
    ).toEqual([])
  })
})

describe('the console', () => {
  test('that listens where clients connect is refused', () => {
    expect(judged({ sets: ['console.port=1883'] }).errors).toEqual([
      '--set console.port: console and listeners.mqtt both listen on 127.0.0.1:1883; give one of them another port',
    ])
  })

  test('that is disabled may have the port of a listener', () => {
    expect(judged({ sets: ['console.port=1883', 'console.enabled=false'] }).errors).toEqual([])
  })

  test('with a certificate and no key is refused', () => {
    expect(judged({ sets: ['console.tls.cert=a.pem'] }).errors).toEqual([
      '--set console.tls.cert: console.tls.cert is set and console.tls.key is not; set both, or neither to use the development certificate',
    ])
  })
})

describe('client certificates', () => {
  test.each(['request', 'require'])('%s without an authority to check them is refused', (clientCertificate) => {
    expect(judged({ sets: [`listeners.mqtts.tls.clientCertificate=${clientCertificate}`] }).errors).toEqual([
      `--set listeners.mqtts.tls.clientCertificate: listeners.mqtts.tls.clientCertificate is "${clientCertificate}" and ` +
        'listeners.mqtts.tls.ca is not set; set listeners.mqtts.tls.ca to the file with the authorities that sign client certificates',
    ])
  })

  test('naming the user without being asked for are refused', () => {
    expect(judged({ sets: ['listeners.mqtts.tls.identity=cn'] }).errors).toEqual([
      '--set listeners.mqtts.tls.identity: listeners.mqtts.tls.identity is "cn" and listeners.mqtts.tls.clientCertificate is "none", ' +
        'so there is no certificate to take a name from; set listeners.mqtts.tls.clientCertificate to "request" or "require"',
    ])
  })

  test('with an authority and nobody asked for one are a warning', () => {
    expect(judged({ sets: ['listeners.mqtts.tls.ca=ca.pem'] })).toEqual({
      errors: [],
      warnings: [
        '--set listeners.mqtts.tls.ca: listeners.mqtts.tls.ca has no effect while listeners.mqtts.tls.clientCertificate is "none"',
      ],
    })
  })
})

describe('the port for all protocols', () => {
  const set = (name: string, value: string): string => `listeners.any.${name}=${value}`
  const certain = [set('enabled', 'true'), set('tls.ca', 'ca.pem'), set('tls.clientCertificate', 'require')]

  test.each(['optional', 'none'])(
    'lets nobody past the certificate that all must show: encryption %s is refused',
    (encryption) => {
      expect(judged({ sets: [...certain, set('encryption', encryption)] }).errors).toEqual([
        '--set listeners.any.tls.clientCertificate: listeners.any.tls.clientCertificate is "require" and listeners.any.encryption is ' +
          `"${encryption}", so clients without TLS would show no certificate; set listeners.any.encryption to "required"`,
      ])
    },
  )

  test('may ask for one that need not be there, and for one of all when all use TLS', () => {
    expect(judged({ sets: [...certain, set('encryption', 'required')] }).errors).toEqual([])
    expect(judged({ sets: [...certain, set('tls.clientCertificate', 'request')] }).errors).toEqual([])
  })

  test('has no certificates to check without encryption', () => {
    const sets = [set('enabled', 'true'), set('encryption', 'none'), set('tls.cert', 'a.pem')]
    expect(judged({ sets })).toEqual({ errors: [], warnings: [] })
  })
})

describe('two listeners', () => {
  test('on one address are refused, whichever source made it so', () => {
    expect(judged({ env: { TERNMQ_LISTENERS__WS__PORT: '1883' } }).errors).toEqual([
      'TERNMQ_LISTENERS__WS__PORT: listeners.ws and listeners.mqtt both listen on 127.0.0.1:1883; give one of them another port',
    ])
    expect(judged({ sets: ['listeners.mqtt.port=8083'] }).errors).toEqual([
      'listeners.ws and listeners.mqtt both listen on 127.0.0.1:8083; give one of them another port',
    ])
  })

  test.each([
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '0.0.0.0'],
    ['::', '10.0.0.1'],
    ['::', '0.0.0.0'],
    ['LocalHost', 'localhost'],
  ])('on %s and %s with one port are refused', (first, second) => {
    const sets = ['listeners.ws.port=1883', `listeners.mqtt.host=${first}`, `listeners.ws.host=${second}`]
    expect(judged({ sets }).errors.join()).toMatch(/listeners\.ws and listeners\.mqtt both listen on port 1883 of /)
  })

  test.each([
    ['0.0.0.0', '::1'],
    ['127.0.0.1', '127.0.0.2'],
    ['127.0.0.1', '::1'],
  ])('on %s and %s may share a port', (first, second) => {
    const sets = ['listeners.ws.port=1883', `listeners.mqtt.host=${first}`, `listeners.ws.host=${second}`]
    expect(judged({ sets }).errors).toEqual([])
  })

  test('may both let the system choose a port, and may share one when one of them is disabled', () => {
    expect(judged({ sets: ['listeners.ws.port=0', 'listeners.mqtt.port=0'] }).errors).toEqual([])
    expect(judged({ sets: ['listeners.ws.port=1883', 'listeners.mqtt.enabled=false'] }).errors).toEqual([])
  })
})

test('no listener at all is a warning', () => {
  const sets = ['mqtt', 'mqtts', 'stomp', 'stomps', 'amqp', 'amqps', 'ws', 'wss'].map((name) => `listeners.${name}.enabled=false`)
  expect(judged({ sets })).toEqual({
    errors: [],
    warnings: ['every listener is disabled, so no client can connect; set listeners.mqtt.enabled=true'],
  })
})

test('packets that no session could keep are a warning', () => {
  expect(judged({ sets: ['mqtt.maxQueuedBytes=1048575'] }).warnings).toEqual([
    '--set mqtt.maxQueuedBytes: mqtt.maxQueuedBytes is 1048575 and mqtt.maxPacketBytes is 1048576, so the largest messages can never wait for a subscriber',
  ])
  expect(judged({ sets: ['mqtt.maxQueuedBytes=1048576'] }).warnings).toEqual([])
})

test('packets that may be larger than any message may be are a warning', () => {
  expect(judged({ sets: ['limits.maxMessageBytes=1048575'] }).warnings).toEqual([
    'mqtt.maxPacketBytes is 1048576 and limits.maxMessageBytes is 1048575, so MQTT clients are told the second',
  ])
  expect(judged({ sets: ['limits.maxMessageBytes=1048576'] }).warnings).toEqual([])
})

test('less memory for what comes in pieces than the largest message needs is a warning', () => {
  const low = 'limits.unfinishedBytesMax=1048576'
  expect(judged({ sets: [low, 'stomp.maxBodyBytes=1048575', 'amqp.maxMessageBytes=1048575'] }).warnings).toEqual([
    '--set limits.unfinishedBytesMax: limits.unfinishedBytesMax is 1048576 and mqtt.maxPacketBytes lets 1048576 bytes in, so the largest messages can never come in whole',
  ])
  expect(judged({ sets: [low, 'mqtt.maxPacketBytes=1048575', 'amqp.maxMessageBytes=1048575'] }).warnings).toEqual([
    '--set limits.unfinishedBytesMax: limits.unfinishedBytesMax is 1048576 and stomp.maxBodyBytes lets 16777216 bytes in, so the largest messages can never come in whole',
  ])
  const small = [low, 'mqtt.maxPacketBytes=1048575', 'stomp.maxBodyBytes=1048575']
  expect(judged({ sets: small }).warnings).toEqual([
    '--set limits.unfinishedBytesMax: limits.unfinishedBytesMax is 1048576 and amqp.maxMessageBytes lets 16777216 bytes in, so the largest messages can never come in whole',
  ])
  expect(judged({ sets: [low, 'limits.maxMessageBytes=1048575', 'mqtt.maxPacketBytes=1048575'] }).warnings).toEqual([])
})

test('a journal smaller than three of its files is refused', () => {
  const sets = ['store.segmentBytes=1048576', 'store.maxBytes=3145727']
  expect(judged({ sets }).errors).toEqual([
    '--set store.maxBytes: store.maxBytes is 3145727, less than 3 times store.segmentBytes (1048576), so no space could ever come back; ' +
      'raise store.maxBytes or lower store.segmentBytes',
  ])
  expect(judged({ sets: ['store.segmentBytes=1048576', 'store.maxBytes=3145728'] }).errors).toEqual([])
  expect(judged({ sets: ['store.maxBytes=0'] }).errors).toEqual([])
})

describe('a time to live', () => {
  test('longer than the longest is refused, for all queues and for some', () => {
    expect(judged({ sets: ['queues.ttlMs=1001', 'queues.ttlMaxMs=1000'] }).errors).toEqual([
      '--set queues.ttlMs: queues.ttlMs is 1001 and queues.ttlMaxMs is 1000; the first must not be the longer one',
    ])
    expect(scratch.errorsIn('policies: [{match: a, settings: {ttlMs: 2, ttlMaxMs: 1}}]')).toEqual([
      'config.yaml:1:11: policies[0].settings.ttlMs is 2 and policies[0].settings.ttlMaxMs is 1; the first must not be the longer one',
    ])
  })

  test('may be as long as the longest, or have none', () => {
    expect(judged({ sets: ['queues.ttlMs=1000', 'queues.ttlMaxMs=1000'] }).errors).toEqual([])
    expect(judged({ sets: ['queues.ttlMs=1000'] }).errors).toEqual([])
  })
})
