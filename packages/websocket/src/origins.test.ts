import { expect, test } from 'vitest'

import { isOriginAllowed } from './origins.ts'

test.each([
  [undefined, [], true],
  ['https://app.example', [], false],
  ['https://app.example', ['*'], true],
  ['https://app.example', ['https://app.example'], true],
  ['HTTPS://App.Example', ['https://app.example'], true],
  ['https://app.example:8443', ['https://app.example'], false],
  ['https://app.example.evil', ['https://app.example'], false],
  ['null', ['loopback'], false],
  ['null', ['null'], true],
  ['http://localhost:5173', ['loopback'], true],
  ['http://127.0.0.1', ['loopback'], true],
  ['https://[::1]:3000', ['loopback'], true],
  ['http://app.localhost', ['loopback'], true],
  ['http://localhost.evil.example', ['loopback'], false],
  ['http://127.0.0.1.evil.example', ['loopback'], false],
  ['http://evil.example/?localhost', ['loopback'], false],
] as const)('origin %s with the rules %j: %s', (origin, allowed, isAllowed) => {
  expect(isOriginAllowed(origin, allowed)).toBe(isAllowed)
})
