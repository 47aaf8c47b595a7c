import { describe, expect, test } from 'vitest'
import { allowsAnonymous, checkExposure, isLoopback, requiresAuthentication } from './listener-rules.ts'
import { loadConfig } from './load.ts'
import type { BrokerConfig } from './types.ts'

function configOf(...sets: string[]): BrokerConfig {
  const result = loadConfig({ sets })
  if (!result.ok) throw new Error(result.errors.join('\n'))
  return result.config
}

describe('only this machine reaches', () => {
  test.each(['127.0.0.1', '127.8.9.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost', 'LOCALHOST'])(
    '%s',
    (host) => {
      expect(isLoopback(host)).toBe(true)
    },
  )
})

describe('other machines may reach', () => {
  test.each([
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    'localhost.example.com',
    '127.0.0.1.example.com',
    'broker',
  ])('%s', (host) => {
    expect(isLoopback(host)).toBe(false)
  })
})

describe('anonymous clients', () => {
  test.each([
    ['127.0.0.1', 'auto', true],
    ['127.0.0.1', 'true', true],
    ['127.0.0.1', 'false', false],
    ['0.0.0.0', 'auto', false],
    ['0.0.0.0', 'true', true],
    ['0.0.0.0', 'false', false],
  ])('on %s with anonymous: %s are let in: %s', (host, anonymous, expected) => {
    const { listeners } = configOf(
      `listeners.mqtt.host=${host}`,
      `listeners.mqtt.authentication.anonymous=${anonymous}`,
    )
    expect(allowsAnonymous(listeners.mqtt)).toBe(expected)
  })
})

describe('a listener that other machines reach', () => {
  const open = 'listeners.mqtt.host=0.0.0.0'

  test('requires authentication unless it is stated that anyone may connect', () => {
    expect(requiresAuthentication(configOf(open).listeners.mqtt)).toBe(true)
    expect(requiresAuthentication(configOf(open, 'listeners.mqtt.authentication.anonymous=false').listeners.mqtt)).toBe(
      true,
    )
    expect(requiresAuthentication(configOf(open, 'listeners.mqtt.authentication.anonymous=true').listeners.mqtt)).toBe(
      false,
    )
    expect(requiresAuthentication(configOf().listeners.mqtt)).toBe(false)
  })

  test('is refused without users, with a sentence that says what to set', () => {
    expect(checkExposure(configOf(open), { userCount: 0 })).toEqual([
      'listeners.mqtt listens on 0.0.0.0, which other machines can reach, but there is no user who could log in: add a user ' +
        'with `ternmq users add NAME`, let in anyone with listeners.mqtt.authentication.anonymous=true, or listen on this ' +
        'machine only with listeners.mqtt.host=127.0.0.1',
    ])
  })

  test.each([
    ['a user', [open], 1],
    ['the statement that anyone may connect', [open, 'listeners.mqtt.authentication.anonymous=true'], 0],
    ['being disabled', [open, 'listeners.mqtt.enabled=false'], 0],
  ])('is accepted with %s', (_, sets, userCount) => {
    expect(checkExposure(configOf(...sets), { userCount })).toEqual([])
  })

  describe('with client certificates and without users', () => {
    const tls = (name: string, value: string): string => `listeners.mqtts.tls.${name}=${value}`
    const named = [
      'listeners.mqtts.host=::',
      tls('ca', 'ca.pem'),
      tls('clientCertificate', 'require'),
      tls('identity', 'cn'),
    ]

    test('is accepted when every client must show one and its name is enough', () => {
      expect(checkExposure(configOf(...named, tls('identityMustBeUser', 'false')), { userCount: 0 })).toEqual([])
    })

    test.each([
      ['the name must be that of a user', named],
      ['the certificate names nobody', [...named, tls('identityMustBeUser', 'false'), tls('identity', 'none')]],
      [
        'a certificate is only asked for',
        [...named, tls('identityMustBeUser', 'false'), tls('clientCertificate', 'request')],
      ],
    ])('is refused when %s, and certificates are among the ways out', (_, sets) => {
      const sentences = checkExposure(configOf(...sets), { userCount: 0 })
      expect(sentences).toHaveLength(1)
      expect(sentences[0]).toMatch(
        /^listeners\.mqtts listens on ::, .* let in whoever listeners\.mqtts\.tls\.ca vouches for with .*identityMustBeUser=false/,
      )
    })
  })

  test('each has a sentence of its own', () => {
    const config = configOf(open, 'listeners.ws.host=10.0.0.1', 'listeners.wss.host=broker.example.com')
    expect(checkExposure(config, { userCount: 0 }).map((sentence) => sentence.split(' ')[0])).toEqual([
      'listeners.mqtt',
      'listeners.ws',
      'listeners.wss',
    ])
  })
})
