import { describe, expect, test } from 'vitest'
import { placeOf } from './targets.ts'

describe('calls of the broker', () => {
  test.each([
    '/api/v1/overview',
    '/api/v1/vhosts/%2F/queues/a..b?q=..%2F..',
    '/api/v1/vhosts/%2F/queues/.hidden/messages',
    '/api/v1/unknown',
    '/health/live',
    '/metrics',
    '/metrics?x=1',
  ])('%s goes on as it came', (url) => {
    expect(placeOf(url)).toEqual({ kind: 'broker', target: url })
  })
})

describe('a path that leads out of where it begins is refused', () => {
  test.each([
    '/api/v1/../../x',
    '/api/v1/./x',
    '/api/v1/%2e%2e/x',
    '/api/v1/.%2E/x',
    '/api/v1/queues/a%2F..%2F..%2F..%2Fx',
    '/api/v1/queues/a%2f%2e%2e%2fx',
    '/api/v1/..\\x',
    '/api/v1/a%5C..%5Cx',
    '/health/..',
  ])('%s', (url) => {
    expect(() => placeOf(url)).toThrow(expect.objectContaining({ code: 'INVALID' }) as Error)
  })
})

test.each(['http://evil.example/api/v1/overview', '*', 'evil.example:443', ''])(
  'what is no path is refused: %s',
  (url) => {
    expect(() => placeOf(url)).toThrow(expect.objectContaining({ code: 'INVALID' }) as Error)
  },
)

describe('pages', () => {
  test.each([
    ['/', '/'],
    ['/queues/a%2Fb?tab=messages', '/queues/a/b'],
    ['//api/v1/overview', '//api/v1/overview'],
    ['/apix', '/apix'],
    ['/healthy', '/healthy'],
  ])('%s is one', (url, path) => {
    expect(placeOf(url)).toEqual({ kind: 'page', path })
  })

  test.each(['/api', '/api/v2/x', '/%61pi/v1/overview', '/api%2Fv1/overview', '/metrics/x', '/health'])(
    '%s is none, and no call either',
    (url) => {
      expect(() => placeOf(url)).toThrow(expect.objectContaining({ code: 'ROUTE_UNKNOWN' }) as Error)
    },
  )

  test('a path that cannot be decoded is refused', () => {
    expect(() => placeOf('/queues/%ff')).toThrow(/two hexadecimal digits/)
  })
})
