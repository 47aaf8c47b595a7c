/** tools/run/lock.mjs between real processes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const TAKE_LOCK = join(import.meta.dirname, 'programs', 'take-lock.mjs')
const CONTENDERS = 6

let folder: string
let lock: string
let log: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ternmq-lock-'))
  lock = join(folder, 'lock')
  log = join(folder, 'log')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function contend(): Promise<void> {
  const children = Array.from({ length: CONTENDERS }, () =>
    spawn(process.execPath, [TAKE_LOCK, lock, log], { stdio: 'ignore' }),
  )
  const codes = await Promise.all(children.map(async (child) => ((await once(child, 'close')) as [number | null])[0]))
  expect(codes).toEqual(codes.map(() => 0))
}

/** Every "in" is followed by the "out" of the same process. */
function expectOneAtATime(): void {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(CONTENDERS * 2)
  for (let at = 0; at < lines.length; at += 2) {
    expect(lines[at]).toMatch(/^in /)
    expect(lines[at + 1]).toBe(lines[at]!.replace('in', 'out'))
  }
}

test('processes hold the lock one after another and leave nothing behind', async () => {
  await contend()
  expectOneAtATime()
  expect(readdirSync(folder)).toEqual(['log'])
})

test('the lock of a process that died is taken over by exactly one at a time', async () => {
  const dead = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await once(dead, 'close')
  writeFileSync(lock, String(dead.pid))
  await contend()
  expectOneAtATime()
  expect(existsSync(lock)).toBe(false)
})

test('who waits longer than allowed says who holds the lock and where', async () => {
  writeFileSync(lock, String(process.pid))
  const child = spawn(process.execPath, [TAKE_LOCK, lock, log, '150'], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  expect((await once(child, 'close'))[0]).toBe(1)
  expect(stderr).toContain(`process ${process.pid} has held ${lock} for 150 ms`)
  expect(existsSync(log)).toBe(false)
})
