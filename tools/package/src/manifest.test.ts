import { expect, test } from 'vitest'

import { manifestOf } from './manifest.ts'

const BROKER = JSON.stringify({ version: '1.2.3', license: 'Apache-2.0' })
const WORKSPACE = 'catalog:\n  ws: 8.0.0\n  zod: 4.0.0\n  vitest: 5.0.0\n'

test('the package depends on what it imports, at the versions of the catalog, and on nothing else', () => {
  expect(manifestOf(BROKER, WORKSPACE, new Set(['zod', 'ws']))).toMatchObject({
    name: 'ternmq',
    version: '1.2.3',
    license: 'Apache-2.0',
    dependencies: { ws: '8.0.0', zod: '4.0.0' },
  })
})

test('an import that the catalog does not know is refused', () => {
  expect(() => manifestOf(BROKER, WORKSPACE, new Set(['left-pad']))).toThrow(
    "the package would import 'left-pad', which is not in the catalog",
  )
})
