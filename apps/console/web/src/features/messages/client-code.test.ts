import { expect, test, vi } from 'vitest'

vi.mock('../../lib/base.ts', () => ({ addressOf: (path: string) => path }))

import { CODE_STYLES, publishBodyOf, type Sample } from './client-code.ts'
import { stompSpelling, uriSpelling } from './spellings.ts'

const sample: Sample = {
  address: '$queue/orders.new',
  body: { encoding: 'text', value: `it's "so"\n</script>`, bytes: 20, truncated: false },
  durable: true,
  priority: 4,
  contentType: 'text/plain',
  properties: [
    ['colour', 'red'],
    ['colour', 'blue'],
  ],
}

test('an address is written as each protocol writes it', () => {
  expect([stompSpelling('a/b.c/d'), uriSpelling('a/b.c/d')]).toEqual(['/topic/a.b/c.d', 'topic://a.b/c.d'])
  expect([stompSpelling('$queue/a.b'), uriSpelling('$queue/a.b')]).toEqual(['/queue/a.b', 'queue://a.b'])
})

test('the body of the call has the message as it is, of a property that comes twice its last value', () => {
  expect(publishBodyOf(sample)).toEqual({
    address: 'queue://orders.new',
    body: sample.body.value,
    encoding: undefined,
    contentType: 'text/plain',
    durable: true,
    priority: 4,
    properties: { colour: 'blue' },
  })
})

test('a text with quotes is quoted for its language in every sample', () => {
  const code = Object.fromEntries(
    CODE_STYLES.map(({ key, write }) => [key, write(sample, 'http://localhost:8161', 'localhost')]),
  )
  expect(code['curl']).toContain(String.raw`it'\''s \"so\"\n</script>`)
  expect(code['ternmq']).toContain(String.raw`--body 'it'\''s "so"`)
  for (const key of ['mqttjs', 'paho', 'stompjs', 'rhea'])
    expect(code[key]).toContain(String.raw`"it's \"so\"\n</script>"`)
})

test('bytes stay bytes in every sample', () => {
  const binary: Sample = { ...sample, body: { encoding: 'base64', value: 'AP8=', bytes: 2, truncated: false } }
  for (const { write } of CODE_STYLES) {
    const code = write(binary, 'http://localhost:8161', 'localhost')
    expect(code).toContain('AP8=')
    expect(code).toMatch(/base64|atob|b64decode/)
  }
})
