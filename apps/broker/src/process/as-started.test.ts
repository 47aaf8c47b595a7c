import { describe, expect, test } from 'vitest'

import { asStarted, startedAs } from './as-started.ts'

const NPM = { npm_package_name: 'ternmq', npm_lifecycle_event: 'start' }
const advice = 'add a user with `ternmq users add NAME`, or see `ternmq start --help`'

describe('the command in a sentence', () => {
  test.each([
    [['node', '/repo/cli.ts', 'start'], NPM, 'npm run -s ternmq -- users add NAME'],
    [['node', '/usr/bin/ternmq', 'start'], {}, 'ternmq users add NAME'],
    [
      ['/opt/node', '/repo/my cli.ts', 'start'],
      { npm_lifecycle_event: 'start' },
      "/opt/node '/repo/my cli.ts' users add NAME",
    ],
    [['node', '/usr/bin/ternmq', 'start', '--data-dir', '/a b'], {}, "ternmq users add NAME --data-dir '/a b'"],
    [
      ['node', '/usr/bin/ternmq', 'start', '--set', 'dataDir=/x', '--prot', '1'],
      {},
      'ternmq users add NAME --data-dir /x',
    ],
    [['node', '/repo/cli.ts', 'start', '--config=t.yaml'], NPM, 'npm run -s ternmq -- users add NAME --config t.yaml'],
    [['node', '/usr/bin/ternmq'], { TERNMQ_DATA_DIR: '/d' }, 'ternmq users add NAME --data-dir /d'],
  ])('after %j is the one that works', (argv, env, expected) => {
    expect(asStarted(advice, startedAs(argv, env))).toContain(`add a user with \`${expected}\`, or see`)
  })

  test('of another start keeps what was set, and sets its own after it', () => {
    const started = startedAs(
      ['node', '/usr/bin/ternmq', 'start', '--set', 'listeners.ws.port=1', '--set', 'dataDir=/x'],
      {},
    )
    const sentence = 'or `ternmq start --set listeners.ws.port=0`'
    expect(asStarted(sentence, started)).toBe(
      'or `ternmq start --set listeners.ws.port=1 --set listeners.ws.port=0 --data-dir /x`',
    )
  })

  test('asks for help without a data directory', () => {
    const started = startedAs(['node', '/usr/bin/ternmq', 'start', '--data-dir', '/x'], {})
    expect(asStarted(advice, started)).toMatch(/, or see `ternmq start --help`$/)
  })

  test('is nothing else than what stands between backquotes', () => {
    expect(asStarted('ternmq `a ternmq b`', startedAs(['node', '/x.ts'], {}))).toBe('ternmq `a ternmq b`')
  })
})
