import { createRequire } from 'node:module'
import { sep } from 'node:path'
import { expect, test } from 'vitest'

import { rhea } from './rhea-types.ts'

test('importing its types loads three files of rhea, and no connection, container or socket', () => {
  expect(rhea.Null().value).toBeNull()
  const loaded = Object.keys(createRequire(import.meta.url).cache)
    .map((path) => path.split(`${sep}rhea${sep}`).at(1))
    .filter((path) => path !== undefined)
  expect(loaded.sort()).toEqual(['errors.js', 'types.js', 'util.js'].map((file) => `lib${sep}${file}`))
})
