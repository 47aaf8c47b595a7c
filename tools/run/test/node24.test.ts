/** tools/run/node24.mjs with real processes, in both of its ways: replacing itself (Node 24) and as a parent (Node 20). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const NODE24 = join(import.meta.dirname, '..', 'node24.mjs')
const PROGRAMS = 'tools/run/test/programs'
/** Takes away what Node 20 does not have. */
const AS_NODE_20 = ['--import', 'data:text/javascript,delete process.execve']

function start(nodeArgs: readonly string[], ...args: string[]): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, NODE24, ...args], { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
}

async function finish(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { code, signal, stdout, stderr }
}

describe.each([
  { way: 'replacing itself', nodeArgs: [] },
  { way: 'as a parent', nodeArgs: AS_NODE_20 },
])('$way', ({ nodeArgs }) => {
  test("the program runs on Node 24 with its arguments, in the caller's folder, and nothing else is on stdout", async () => {
    const { code, stdout } = await finish(start(nodeArgs, `${PROGRAMS}/report.mjs`, '0', '--set', 'a b', '--'))
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ major: 24, args: ['0', '--set', 'a b', '--'], cwd: tmpdir() })
  })

  test("the program's exit code is the caller's", async () => {
    expect((await finish(start(nodeArgs, `${PROGRAMS}/report.mjs`, '42'))).code).toBe(42)
  })

  test('SIGTERM reaches the program, which may end in its own way', async () => {
    const child = start(nodeArgs, `${PROGRAMS}/until-signal.mjs`)
    await once(child.stdout!, 'data')
    const ended = finish(child)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 7, stdout: 'drained' })
  })

  test.each(['SIGINT', 'SIGHUP'] as const)(
    '%s ends a program that does not handle it, and the caller sees that signal',
    async (signal) => {
      const child = start(nodeArgs, `${PROGRAMS}/until-signal.mjs`)
      await once(child.stdout!, 'data')
      const ended = finish(child)
      child.kill(signal)
      expect(await ended).toMatchObject({ code: null, signal })
    },
  )
})

test('without a program it says how it is used', async () => {
  const { code, stdout, stderr } = await finish(start([]))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^ternmq: usage: /)
})
