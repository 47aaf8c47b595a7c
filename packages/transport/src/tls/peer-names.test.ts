import { expect, test } from 'vitest'

import { parseAltNames } from './peer-names.ts'

test.each([
  ['', []],
  ['DNS:a.example', ['DNS:a.example']],
  ['DNS:a.example, DNS:b.example', ['DNS:a.example', 'DNS:b.example']],
  [
    'URI:urn:dev:1, email:x@y.example, IP Address:127.0.0.1',
    ['URI:urn:dev:1', 'email:x@y.example', 'IP Address:127.0.0.1'],
  ],
  ['IP Address:0:0:0:0:0:0:0:1', ['IP Address:0:0:0:0:0:0:0:1']],
  ['DNS:"a.example, DNS:admin.example", DNS:b.example', ['DNS:a.example, DNS:admin.example', 'DNS:b.example']],
  ['DNS:"quote \\" and \\\\ in it"', ['DNS:quote " and \\ in it']],
])('%j is read as %j', (text, names) => {
  expect(parseAltNames(text)).toEqual(names)
})

test.each(['DNS', 'DNS:"open', 'DNS:a"b', 'DNS:"a"b, DNS:c', 'DNS:a, , DNS:b'])(
  '%j, which Node never writes, gives no name at all',
  (text) => {
    expect(parseAltNames(text)).toEqual([])
  },
)
