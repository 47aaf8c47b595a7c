/** Each rule with what it must find and what it must leave alone. Banned words are put together here, not written out. */
import { describe, expect, test } from 'vitest'
import { arrows } from './rules/arrows.ts'
import { deadFiles } from './rules/dead-files.ts'
import { dependencies } from './rules/dependencies.ts'
import { files } from './rules/files.ts'
import { links } from './rules/links.ts'
import { lockFiles } from './rules/lock-files.ts'
import { tests } from './rules/tests.ts'
import { throughEnv } from './rules/through-env.ts'
import { words } from './rules/words.ts'
import { SourceTree } from './source-tree.ts'
import { type Rule, toLine } from './violation.ts'

/** 'path:line rule' of everything the rule finds in these files. */
function found(rule: Rule, texts: Record<string, string>): string[] {
  const tree = new SourceTree(Object.entries(texts).map(([path, text]) => ({ path, text })))
  return rule(tree).map((violation) => toLine(violation).split(':').slice(0, 2).join(':'))
}

describe('arrow', () => {
  const check = (path: string, text: string): string[] => found(arrows, { [path]: text })

  test('an adapter may import core and Node, not another adapter, an app or a support package', () => {
    expect(
      check('packages/mqtt/src/a.ts', `import { x } from '@ternmq/core'\nimport { y } from 'node:crypto'`),
    ).toEqual([])
    expect(check('packages/mqtt/src/a.ts', `import { x } from '@ternmq/stomp'`)).toEqual([
      'packages/mqtt/src/a.ts:1 arrow',
    ])
    expect(check('packages/stomp/src/a.ts', `\nimport type { X } from '@ternmq/mqtt'`)).toEqual([
      'packages/stomp/src/a.ts:2 arrow',
    ])
    expect(check('packages/mqtt/src/a.ts', `import { x } from '@ternmq/broker'`)).toHaveLength(1)
    expect(check('packages/mqtt/src/a.ts', `import { x } from '@ternmq/transport'`)).toHaveLength(1)
  })

  test('core imports no adapter, no module of Node, no package, and of store only types', () => {
    for (const specifier of ['@ternmq/mqtt', '@ternmq/transport', 'node:net', 'node:fs', 'ws']) {
      expect(check('packages/core/src/a.ts', `import { x } from '${specifier}'`), specifier).toHaveLength(1)
    }
    expect(check('packages/core/src/a.ts', `import type { Engine } from '@ternmq/store'`)).toEqual([])
    expect(check('packages/core/src/a.ts', `import { engine } from '@ternmq/store'`)).toHaveLength(1)
    expect(check('packages/core/src/a.ts', `const x = await import('node:fs')`)).toHaveLength(1)
  })

  test('store may use Node but neither core nor packages', () => {
    expect(check('packages/store/src/a.ts', `import { open } from 'node:fs'`)).toEqual([])
    expect(check('packages/store/src/a.ts', `import { x } from '@ternmq/core'`)).toHaveLength(1)
    expect(check('packages/store/src/a.ts', `import { x } from 'lmdb'`)).toHaveLength(1)
  })

  test('tests may use testkit, a memory engine and any package, but no adapter of another protocol', () => {
    const text = `import { test } from 'vitest'\nimport { x } from '@ternmq/testkit'\nimport { y } from '@ternmq/store'`
    expect(check('packages/core/src/a.test.ts', text)).toEqual([])
    expect(check('packages/mqtt/test/conformance/a.test.ts', text)).toEqual([])
    expect(check('packages/core/src/a.test.ts', `import { x } from '@ternmq/mqtt'`)).toHaveLength(1)
    expect(check('packages/mqtt/src/a.test.ts', `import { x } from '@ternmq/stomp'`)).toHaveLength(1)
  })

  test('apps and tools may import everything', () => {
    expect(check('apps/broker/src/a.ts', `import { x } from '@ternmq/mqtt'\nimport pino from 'pino'`)).toEqual([])
    expect(check('tools/bench/src/a.ts', `import { x } from '@ternmq/core'`)).toEqual([])
  })

  test('a relative import stays inside its package', () => {
    expect(check('packages/mqtt/src/codec/a.ts', `import { x } from '../names.ts'`)).toEqual([])
    expect(check('packages/mqtt/src/a.ts', `import { x } from '../../core/src/ring.ts'`)).toHaveLength(1)
  })

  test('a package without a layer is reported', () => {
    expect(check('packages/new-thing/src/a.ts', '')).toEqual(['packages/new-thing/src/a.ts:1 arrow'])
  })
})

describe('env', () => {
  const check = (path: string, text: string): string[] => found(throughEnv, { [path]: text })

  test('core and store take no time, timer or chance from the machine', () => {
    for (const use of [
      'Date.now()',
      'new Date()',
      'Math.random()',
      'setTimeout(f, 1)',
      'setInterval(f)',
      'setImmediate(f)',
    ]) {
      expect(check('packages/core/src/a.ts', `\nconst x = ${use}`), use).toEqual(['packages/core/src/a.ts:2 env'])
      expect(check('packages/store/src/a.ts', `const x = ${use}`), use).toHaveLength(1)
    }
  })

  test('the same words in comments, strings, members, tests and other packages are free', () => {
    expect(check('packages/core/src/a.ts', `// Date.now()\nclock.setTimeout(f)\nconst s = 'Math.random()'`)).toEqual([])
    expect(check('packages/core/src/a.test.ts', `Date.now()`)).toEqual([])
    expect(check('packages/transport/src/a.ts', `Date.now()`)).toEqual([])
  })
})

describe('words', () => {
  const check = (text: string): string[] => found(words, { 'docs/a.md': text })

  test('paths of a machine are reported, paths of the repository, URLs and system folders are not', () => {
    for (const path of ['work/main', 'root', 'home/ada/x', 'Users/ada', 'tmp/w']) {
      expect(check(`see /${path}`), path).toEqual(['docs/a.md:1 machine-path'])
      expect(check(`"/${path}"`), path).toHaveLength(1)
    }
    for (const path of [
      './work/main',
      'https://host/root/x',
      '/var/lib/ternmq',
      'a/home/b',
      '/tmp/where',
      '/workers',
      '/homes/x/y',
    ]) {
      expect(check(`see ${path}`), path).toEqual([])
    }
  })

  test('registries and their credentials are reported', () => {
    expect(check(`https://${'registry'}.example.org/ws`)).toEqual(['docs/a.md:1 registry-host'])
    expect(check(`\n${'registry'}=https://example.org`)).toEqual(['docs/a.md:1 registry-host'])
    expect(check(`//example.org/:_auth${'Token'}=abc`)).toHaveLength(1)
    expect(check('a registry of clients')).toEqual([])
  })

  test('notes of undone work are reported', () => {
    expect(check(`// TO${'DO'}: later`)).toEqual(['docs/a.md:1 undone'])
    expect(check(`x\n# FIX${'ME'}`)).toEqual(['docs/a.md:2 undone'])
    expect(check('nothing to do')).toEqual([])
  })
})

test('a test that is switched off, or the only one, is reported; a condition is not', () => {
  const path = 'packages/mqtt/src/a.test.ts'
  for (const call of ['test.only', 'it.skip', 'describe.skip', 'test.each.skip', 'test.todo', 'xit']) {
    expect(found(tests, { [path]: `\n${call}('x', () => {})` }), call).toEqual([`${path}:2 test-switch`])
  }
  expect(found(tests, { [path]: `test.skipIf(!has('python3'))('x', f)\nexpect('test.only').toBe(1)` })).toEqual([])
  expect(found(tests, { 'packages/mqtt/src/a.ts': `test.only('x')` })).toEqual([])
})

describe('files', () => {
  const lines = (count: number, first = ''): string => first + 'x\n'.repeat(count)

  test('more than 500 lines need a reason near the top', () => {
    expect(found(files, { 'packages/core/src/a.ts': lines(500) })).toEqual([])
    expect(found(files, { 'packages/core/src/a.ts': lines(501) })).toEqual(['packages/core/src/a.ts:501 length'])
    expect(found(files, { 'packages/core/src/a.ts': lines(501, '// long: one table\n') })).toEqual([])
    expect(found(files, { 'packages/core/src/a.ts': lines(501, '// long:\n') })).toHaveLength(1)
    expect(found(files, { 'packages/core/src/a.ts': `${lines(501)}// long: too late\n` })).toHaveLength(1)
  })

  test('tests, generated files and documents may be long', () => {
    for (const path of ['packages/core/src/a.test.ts', 'packages/core/src/a.generated.ts', 'docs/a.md']) {
      expect(found(files, { [path]: lines(501) }), path).toEqual([])
    }
  })

  test('names are kebab-case', () => {
    for (const path of ['packages/core/src/topicTree.ts', 'packages/core/src/Queue.ts', 'tools/my_tool/src/main.ts']) {
      expect(found(files, { [path]: '' }), path).toHaveLength(1)
    }
    for (const path of [
      'packages/core/src/routing/topic-tree.test.ts',
      'docs/README.md',
      'docs/adr/0001-the-seam.md',
      'LICENSE',
      '.ci/run',
    ]) {
      expect(found(files, { [path]: '' }), path).toEqual([])
    }
  })
})

describe('lock', () => {
  const check = (text: string): string[] => found(lockFiles, { 'pnpm-lock.yaml': text })

  test('checksums are welcome, addresses are not', () => {
    expect(check('ws@8.23.0:\n  resolution: {integrity: sha512-abc==}')).toEqual([])
    expect(check('ws@8.23.0:\n  resolution: {integrity: sha512-abc==, tarball: https://host/ws.tgz}')).toHaveLength(1)
    expect(check('a:\n  resolution: {tarball: file.tgz}')).toEqual(['pnpm-lock.yaml:2 lock'])
    expect(check('a:\n  version: git+ssh://host/a')).toHaveLength(1)
  })

  test("a maintainer's remark may hold an address", () => {
    expect(check('a:\n  deprecated: see https://host/why')).toEqual([])
  })

  test('the lock file must be there, and no other tool may have its own', () => {
    expect(found(lockFiles, {})).toEqual(['pnpm-lock.yaml:1 lock'])
    expect(found(lockFiles, { 'pnpm-lock.yaml': '', 'yarn.lock': '' })).toEqual(['yarn.lock:1 lock'])
    const npmLock = '{\n"resolved": "https://host/a.tgz" }'
    expect(found(lockFiles, { 'pnpm-lock.yaml': '', 'examples/a/package-lock.json': npmLock })).toHaveLength(1)
  })
})

describe('link', () => {
  const tree = { 'docs/guide.md': '# Guide\n\n## Two words, here\n', 'README.md': '', 'docs/a/b.ts': '' }
  const check = (text: string): string[] => found(links, { ...tree, 'docs/page.md': text })

  test('links to files, folders, headings and other sites are followed', () => {
    expect(
      check('[a](guide.md) [b](../README.md) [c](a) [d](a/b.ts#L3) [e](https://host/x) [f](guide.md#two-words-here)'),
    ).toEqual([])
    expect(check('# Here\n[a](#here)\n\n[b]: guide.md')).toEqual([])
  })

  test('links that lead nowhere are reported', () => {
    for (const link of ['gone.md', 'guide.md#gone', '#gone', '../../out.md', '/docs/guide.md']) {
      expect(check(`\n[a](${link})`), link).toEqual(['docs/page.md:2 link'])
    }
    expect(check('[b]: gone.md')).toHaveLength(1)
  })

  test('examples in code are not links', () => {
    expect(check('`[a](gone.md)`\n```\n[a](gone.md)\n```')).toEqual([])
  })
})

describe('dependency', () => {
  const manifest = (fields: object): string => JSON.stringify(fields, null, 2)
  const root = { 'package.json': manifest({ devDependencies: { vitest: 'catalog:' } }) }
  const catalog = {
    'pnpm-workspace.yaml':
      "catalog:\n  vitest: 5.1.1\n  ws: 8.0.0\n  '@types/ws': 8.0.0\n\nallowBuilds:\n  node: true\n",
  }
  const account = { 'docs/dependencies.md': '`ws`: because' }
  const declared = {
    'packages/websocket/package.json': manifest({
      dependencies: { ws: 'catalog:' },
      devDependencies: { '@types/ws': 'catalog:' },
    }),
  }
  const code = {
    'packages/websocket/src/a.ts': `import { WebSocket } from 'ws'`,
    'packages/websocket/src/a.test.ts': `import { test } from 'vitest'`,
  }
  const whole = { ...root, ...catalog, ...account, ...declared, ...code }

  test('what is imported is declared, what is declared is imported', () => {
    expect(found(dependencies, whole)).toEqual([])
  })

  test('an import that only devDependencies name is reported in sources, not in tests', () => {
    const dev = {
      'packages/websocket/package.json': manifest({ devDependencies: { ws: 'catalog:', '@types/ws': 'catalog:' } }),
    }
    expect(found(dependencies, { ...whole, ...dev })).toEqual(['packages/websocket/src/a.ts:1 dependency'])
    expect(
      found(dependencies, {
        ...whole,
        ...dev,
        'packages/websocket/src/a.ts': '',
        'packages/websocket/src/b.test.ts': code['packages/websocket/src/a.ts'],
      }),
    ).toEqual([])
  })

  test('pages for browsers are built ahead: devDependencies are enough for them', () => {
    const pages = {
      'apps/console/package.json': manifest({ devDependencies: { ws: 'catalog:' } }),
      'apps/console/web/src/a.tsx': code['packages/websocket/src/a.ts'],
    }
    expect(found(dependencies, { ...whole, ...pages })).toEqual([])
  })

  test('an import that nobody declares is reported', () => {
    expect(
      found(dependencies, { ...whole, 'packages/websocket/src/b.test.ts': `\nimport { x } from 'undeclared'` }),
    ).toEqual(['packages/websocket/src/b.test.ts:2 dependency'])
  })

  test('a declaration that nothing imports is reported, unless the package has no code yet', () => {
    expect(found(dependencies, { ...whole, 'packages/websocket/src/a.ts': '' })).toHaveLength(2)
    expect(found(dependencies, { ...root, ...catalog, ...account, ...declared })).toEqual([])
  })

  test('a runtime dependency without an account is reported', () => {
    expect(found(dependencies, { ...whole, 'docs/dependencies.md': '' })).toEqual([
      'packages/websocket/package.json:3 dependency',
    ])
  })

  test('versions stand in the catalog, exact, and only those somebody uses', () => {
    const pinned = {
      'packages/websocket/package.json': declared['packages/websocket/package.json'].replace(
        '"ws": "catalog:"',
        '"ws": "^8.0.0"',
      ),
    }
    expect(found(dependencies, { ...whole, ...pinned })).toEqual(['packages/websocket/package.json:3 version'])
    const loose = { 'pnpm-workspace.yaml': catalog['pnpm-workspace.yaml'].replace('5.1.1', '^5.1.1') }
    expect(found(dependencies, { ...whole, ...loose })).toEqual(['pnpm-workspace.yaml:2 catalog'])
    const more = { 'pnpm-workspace.yaml': catalog['pnpm-workspace.yaml'].replace('\n\n', '\n  nobody: 1.0.0\n\n') }
    expect(found(dependencies, { ...whole, ...more })).toEqual(['pnpm-workspace.yaml:5 catalog'])
  })
})

test('a file that nothing reaches is dead; entries, tests and files named by address are not', () => {
  const texts = {
    'packages/core/package.json': `{ "exports": { ".": "./src/index.ts" } }`,
    'packages/core/src/index.ts': `export * from './used.ts'\nnew Worker(new URL('./worker.ts', import.meta.url))`,
    'packages/core/src/used.ts': '',
    'packages/core/src/worker.ts': '',
    'packages/core/src/used.test.ts': '',
    'packages/core/src/dead.ts': '',
    'tools/bench/src/main.ts': '',
  }
  expect(found(deadFiles, texts)).toEqual(['packages/core/src/dead.ts:1 dead-file'])
})
