import { expect, test } from 'vitest'
import { loadConfig } from '../load.ts'

function errorsOf(set: string): readonly string[] {
  const result = loadConfig({ sets: [set] })
  return result.ok ? [] : result.errors
}

test.each(['/', '/ternmq/', '/a.b/c-d/'])('console.basePath may be %s', (path) => {
  expect(errorsOf(`console.basePath=${path}`)).toEqual([])
})

test.each(['', 'ternmq', '/ternmq', '//', '/a b/', '/../', `/${'a'.repeat(256)}/`])(
  'console.basePath cannot be %j',
  (path) => {
    expect(errorsOf(`console.basePath=${path}`)).toHaveLength(1)
  },
)

test.each(['["https://ops.example.com"]', '["http://10.0.0.1:8080","https://a.b"]'])(
  'console.origins may be %s',
  (origins) => {
    expect(errorsOf(`console.origins=${origins}`)).toEqual([])
  },
)

test.each([
  '["https://ops.example.com/"]',
  '["ops.example.com"]',
  '["https://ops.example.com:443"]',
  '["*"]',
  '["https://*.example.com"]',
  '["capacitor://localhost"]',
])('console.origins cannot be %s', (origins) => {
  expect(errorsOf(`console.origins=${origins}`)).toHaveLength(1)
})

test.each(['["127.0.0.1"]', '["10.0.0.0/8","::1","fd00::/8"]'])('console.trustedProxies may be %s', (proxies) => {
  expect(errorsOf(`console.trustedProxies=${proxies}`)).toEqual([])
})

test.each(['["proxy"]', '["10.0.0.0/33"]', '["10.0.0.0/8/8"]', '["10.0.0.0/"]'])(
  'console.trustedProxies cannot be %s',
  (proxies) => {
    expect(errorsOf(`console.trustedProxies=${proxies}`)).toHaveLength(1)
  },
)
