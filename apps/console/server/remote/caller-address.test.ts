import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { CallerAddresses } from './caller-address.ts'

function addressOf(trusted: readonly string[], socketAddress: string, forwarded?: string): string {
  const socket = { remoteAddress: socketAddress } as IncomingMessage['socket']
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return new CallerAddresses(trusted).of({ socket, headers })
}

test('without a proxy that is trusted the socket says it, whatever the caller claims', () => {
  expect(addressOf([], '192.0.2.7', '203.0.113.9')).toBe('192.0.2.7')
  expect(addressOf(['127.0.0.1'], '192.0.2.7', '203.0.113.9')).toBe('192.0.2.7')
})

test('a trusted proxy says it, and what stands before its own word does not count', () => {
  expect(addressOf(['127.0.0.1'], '127.0.0.1', '198.51.100.1, 203.0.113.9')).toBe('203.0.113.9')
  expect(addressOf(['127.0.0.1'], '::ffff:127.0.0.1', '203.0.113.9')).toBe('203.0.113.9')
  expect(addressOf(['::1', '10.0.0.0/8'], '::1', '198.51.100.1, 203.0.113.9, 10.1.2.3')).toBe('203.0.113.9')
  expect(addressOf(['2001:db8::/32'], '2001:db8::5', '2001:db9::1')).toBe('2001:db9::1')
})

test('a trusted proxy that says nothing, or nonsense, is the caller itself', () => {
  expect(addressOf(['127.0.0.1'], '127.0.0.1')).toBe('127.0.0.1')
  expect(addressOf(['127.0.0.1'], '127.0.0.1', 'unknown')).toBe('127.0.0.1')
})
