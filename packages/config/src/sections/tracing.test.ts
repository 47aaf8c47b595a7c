import { describe, expect, test } from 'vitest'
import { settings } from '../settings.ts'

describe('a collector', () => {
  const endpoint = settings.get('tracing.endpoint')?.schema

  test.each(['http://127.0.0.1:4318/v1/traces', 'https://otel.example.com', 'http://[::1]:4318/?a=b'])(
    'may be %s',
    (text) => expect(endpoint?.safeParse(text).success).toBe(true),
  )

  test.each(['', '127.0.0.1:4318', 'grpc://a', 'http://', 'http://u:p@a/', 'http://u@a/', 'http://a/#b'])(
    'may not be "%s"',
    (text) => expect(endpoint?.safeParse(text).success).toBe(false),
  )
})

describe('headers', () => {
  const headers = settings.get('tracing.headers')

  test.each(['authorization: Bearer abc', 'x-scope-orgid: 1', 'a: b c'])('may be "%s"', (text) =>
    expect(headers?.schema.safeParse([text]).success).toBe(true),
  )

  test.each(['', 'authorization', 'a:b', 'a: ', 'a b: c', 'a: b\r\nc: d', 'a: b ', ': a'])('may not be %j', (text) =>
    expect(headers?.schema.safeParse([text]).success).toBe(false),
  )

  test('are not shown', () => expect(headers?.isSecret).toBe(true))
})
