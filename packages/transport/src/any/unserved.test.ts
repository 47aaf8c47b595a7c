import { expect, test } from 'vitest'

import { shown, unserved } from './unserved.ts'

const SERVED = {
  listener: 'any',
  protocols: ['mqtt'],
  httpAdvice: 'WebSocket clients connect to port 8083.',
  tlsAdvice: 'connect to port 8883 instead',
} as const
const NO_BYTES = new Uint8Array(0)

test('an OpenWire client is told the way in, and whether it is open', () => {
  expect(unserved('openwire', NO_BYTES, SERVED)).toEqual({
    fault: 'unserved',
    text:
      'the peer speaks OpenWire, and listener any speaks MQTT; OpenWire clients get in by AMQP 1.0, which this listener does not ' +
      "speak yet: with JMS, use Qpid JMS instead of ActiveMQ's client",
  })
  expect(unserved('openwire', NO_BYTES, { ...SERVED, protocols: ['mqtt', 'amqp'] }).text).toBe(
    'the peer speaks OpenWire, and listener any speaks MQTT, AMQP 1.0; OpenWire clients get in by AMQP 1.0: with JMS, use Qpid JMS ' +
      "instead of ActiveMQ's client",
  )
})

test('an AMQP 0-9-1 client is answered with the header of AMQP 1.0 where that is spoken', () => {
  const text =
    'the peer speaks AMQP 0-9-1, and listener any speaks MQTT; AMQP 0-9-1 clients get in by AMQP 1.0, which this listener does not speak yet'
  expect(unserved('amqp-0-9-1', NO_BYTES, SERVED)).toEqual({ fault: 'unserved', text })
  const { answer } = unserved('amqp-0-9-1', NO_BYTES, { ...SERVED, protocols: ['amqp'] })
  expect(Buffer.from(answer ?? []).toString('latin1')).toBe('AMQP\0\u0001\0\0')
})

test('a browser gets a whole answer, with the advice as its text', () => {
  const { fault, text, answer } = unserved('http', NO_BYTES, SERVED)
  expect({ fault, text }).toEqual({ fault: 'unserved', text: 'the peer speaks HTTP, and listener any speaks MQTT' })
  const [head = '', body = ''] = Buffer.from(answer ?? [])
    .toString()
    .split('\r\n\r\n')
  expect(body).toBe('This port is no web server: listener any speaks MQTT. WebSocket clients connect to port 8083.\n')
  expect(head.split('\r\n')).toEqual([
    'HTTP/1.1 400 Bad Request',
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
  ])
})

test.each([
  ['stomp', 'the peer speaks STOMP, and listener any speaks MQTT'],
  ['amqp', 'the peer speaks AMQP 1.0, and listener any speaks MQTT'],
  ['tls', 'the peer uses TLS, and listener any is not encrypted; connect to port 8883 instead'],
] as const)('%s is named', (found, text) => {
  expect(unserved(found, NO_BYTES, SERVED)).toEqual({ fault: 'unserved', text })
})

test('a client with TLS is told to come without where there is no port for it', () => {
  const text = 'the peer uses TLS, and listener any is not encrypted; connect without TLS'
  expect(unserved('tls', NO_BYTES, { ...SERVED, tlsAdvice: '' })).toEqual({ fault: 'unserved', text })
})

test('of an unknown protocol the first bytes are shown', () => {
  expect(unserved('unknown', Buffer.from('SSH-2'), SERVED)).toEqual({
    fault: 'unknown-protocol',
    text: 'the peer speaks no protocol that is known; it began with 53 53 48 2d 32',
  })
})

test.each([
  [0, 'nothing'],
  [1, '00'],
  [32, Array.from({ length: 32 }, () => '00').join(' ')],
  [33, `${Array.from({ length: 32 }, () => '00').join(' ')} and 1 bytes more`],
])('%i bytes are shown as they are, the first 32 of them', (count, text) => {
  expect(shown(new Uint8Array(count))).toBe(text)
})
