import { describe, expect, test } from 'vitest'
import { HeaderRules } from './headers.ts'

const HERE = 'localhost:8161'
const rules = new HeaderRules({ origin: 'https://ops.example', prefix: '/ternmq', origins: [], isTls: false })
const PREFIX = 'ternmq-bbb170ba5088-'

describe('to the broker', () => {
  test('only what the API reads goes on, and nothing that says who somebody else is', () => {
    const passed = rules.toBroker(
      {
        host: HERE,
        connection: 'keep-alive, traceparent',
        'keep-alive': 'timeout=5',
        upgrade: 'websocket',
        te: 'trailers',
        'proxy-authorization': 'Basic eA==',
        'x-forwarded-for': '203.0.113.9',
        'x-forwarded-host': 'evil.example',
        'x-real-ip': '203.0.113.9',
        forwarded: 'for=203.0.113.9',
        authorization: 'Bearer tmq_x',
        'x-csrf-token': 'c',
        'last-event-id': '7',
        traceparent: '00-1-2-01',
        'content-type': 'application/json',
        'content-length': '2',
      },
      '192.0.2.7',
    )
    expect(passed).toEqual({
      authorization: 'Bearer tmq_x',
      'x-csrf-token': 'c',
      'last-event-id': '7',
      'content-type': 'application/json',
      'content-length': '2',
      'x-forwarded-for': '192.0.2.7',
      via: '1.1 ternmq-console',
    })
  })

  test('a page of the console is as one of the broker, and one of others is nobody’s', () => {
    const originOf = (origin: string): unknown => rules.toBroker({ host: HERE, origin }, '')['origin']
    expect(originOf(`http://${HERE}`)).toBe('https://ops.example')
    expect(originOf('https://evil.example')).toBe('null')
    expect(originOf('https://ops.example')).toBe('null')
    expect(originOf('http://localhost:9000')).toBe('null')
    expect(originOf('null')).toBe('null')
  })

  test('an origin that a proxy in front gives the console is its own, whatever the proxy asks for', () => {
    const behind = new HeaderRules({
      origin: 'https://ops.example',
      prefix: '',
      origins: ['https://console.example'],
      isTls: true,
    })
    const originOf = (origin: string): unknown => behind.toBroker({ host: '127.0.0.1:8161', origin }, '')['origin']
    expect(originOf('https://console.example')).toBe('https://ops.example')
    expect(originOf('https://evil.example')).toBe('null')
  })

  test('what the browser says of the site goes on as it is', () => {
    expect(rules.toBroker({ host: HERE, 'sec-fetch-site': 'cross-site' }, '')['sec-fetch-site']).toBe('cross-site')
  })

  test('a body without a length stays one', () => {
    expect(rules.toBroker({ host: HERE, 'transfer-encoding': 'chunked' }, '')['transfer-encoding']).toBe('chunked')
  })

  test('only cookies of this broker go on, by the names that it gave them', () => {
    const cookie = `ternmq=other; ${PREFIX}__Host-ternmq=mine=; session=x; ternmq-000000000000-ternmq=elsewhere`
    expect(rules.toBroker({ host: HERE, cookie }, '')['cookie']).toBe('__Host-ternmq=mine=')
    expect(rules.toBroker({ host: HERE, cookie: 'ternmq=other' }, '')).not.toHaveProperty('cookie')
  })
})

describe('to the caller', () => {
  test('only what the API answers goes on', () => {
    const passed = rules.toCaller({
      connection: 'close, retry-after',
      'transfer-encoding': 'chunked',
      'content-type': 'application/json',
      'retry-after': '3',
      'access-control-allow-origin': '*',
      'strict-transport-security': 'max-age=1',
      'clear-site-data': '"cookies"',
      server: 'nginx',
    })
    expect(passed).toEqual({ 'content-type': 'application/json' })
  })

  test('a cookie is kept for this broker alone, and without TLS where the browser has none', () => {
    const cookie = '__Host-ternmq=abc; Path=/; HttpOnly; SameSite=Strict; Secure'
    expect(rules.toCaller({ 'set-cookie': [cookie] })['set-cookie']).toEqual([
      `${PREFIX}__Host-ternmq=abc; Path=/; HttpOnly; SameSite=Strict`,
    ])
    const secure = new HeaderRules({ origin: 'http://127.0.0.1:8161', prefix: '', origins: [], isTls: true })
    expect(secure.toCaller({ 'set-cookie': ['ternmq=; Domain=x; Path=/y; Max-Age=0'] })['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-ternmq-\w{12}-ternmq=; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=0$/),
    ])
  })
})
