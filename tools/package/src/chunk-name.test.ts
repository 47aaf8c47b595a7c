import { expect, test } from 'vitest'

import { chunkName } from './chunk-name.ts'

test.each([
  ['/repository/packages/core/src/index.ts', 'core'],
  ['/repository/packages/store/src/journal/index.ts', 'store-journal'],
  ['/repository/apps/broker/src/commands/start.ts', 'broker-commands-start'],
  ['/repository/apps/console/server/app.ts', 'console-app'],
  ['/repository/apps/broker/src/broker.ts', 'broker'],
  ['/repository/packages/core/src/env.d.ts', 'core-env'],
])('a chunk made for %s is %s', (moduleId, name) => {
  expect(chunkName('/repository', 'src', moduleId)).toBe(name)
})

test('a chunk of no file of ours keeps the name that the bundler gives', () => {
  expect(chunkName('/repository', 'runtime', '\0rolldown/runtime.js')).toBe('runtime')
  expect(chunkName('/repository', 'runtime', undefined)).toBe('runtime')
})
