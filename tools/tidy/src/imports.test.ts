import { expect, test } from 'vitest'
import { findImports, packageNameOf } from './imports.ts'

test('every form of import is found with its line', () => {
  const text = [
    `import { a } from './a.ts'`,
    `import type { B } from './b.ts'`,
    `import {`,
    `  type C,`,
    `  type D,`,
    `} from './c.ts'`,
    `export * from './d.ts'`,
    `import './e.ts'`,
    `const f = await import('./f.ts')`,
    `import g, { type H } from 'g'`,
  ].join('\n')
  const found = findImports(text).sort((a, b) => a.line - b.line)
  expect(found).toEqual([
    { specifier: './a.ts', line: 1, typeOnly: false },
    { specifier: './b.ts', line: 2, typeOnly: true },
    { specifier: './c.ts', line: 3, typeOnly: true },
    { specifier: './d.ts', line: 7, typeOnly: false },
    { specifier: './e.ts', line: 8, typeOnly: false },
    { specifier: './f.ts', line: 9, typeOnly: false },
    { specifier: 'g', line: 10, typeOnly: false },
  ])
})

test('imports in comments and strings are not imports', () => {
  expect(findImports(`// import './a.ts'\nconst b = "import './b.ts'"\nconst c = \`import x from 'c'\``)).toEqual([])
})

test('the package of a specifier is its name without the path inside', () => {
  expect(packageNameOf('ws')).toBe('ws')
  expect(packageNameOf('ws/lib/x.js')).toBe('ws')
  expect(packageNameOf('@ternmq/core')).toBe('@ternmq/core')
  expect(packageNameOf('@ternmq/core/deep')).toBe('@ternmq/core')
  expect(packageNameOf('./a.ts')).toBeUndefined()
  expect(packageNameOf('node:fs')).toBeUndefined()
})
