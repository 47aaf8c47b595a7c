import { execFileSync } from 'node:child_process'
import { join, sep } from 'node:path'
import { expect, test } from 'vitest'

import { rhea } from './rhea-types.ts'

/** In a process of its own: other tests have loaded more of rhea into this one. */
const LIST_LOADED = `
  import ${JSON.stringify(join(import.meta.dirname, 'rhea-types.ts'))}
  import { createRequire } from 'node:module'
  console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)))
`

test('importing its types loads three files of rhea, and no connection, container or socket', () => {
  expect(rhea.Null().value).toBeNull()
  const args = ['--input-type=module', '-e', LIST_LOADED]
  const paths = JSON.parse(
    execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' }),
  ) as string[]
  const loaded = paths.map((path) => path.split(`${sep}rhea${sep}`).at(1)).filter((path) => path !== undefined)
  expect(loaded.sort()).toEqual(['errors.js', 'types.js', 'util.js'].map((file) => `lib${sep}${file}`))
})
