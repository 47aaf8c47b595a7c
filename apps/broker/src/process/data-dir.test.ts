import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { openDataDir } from './data-dir.ts'

let parent = ''

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'ternmq-'))
})

afterEach(() => rmSync(parent, { recursive: true }))

test('a missing data directory is made, with its parents, for its owner only', async () => {
  const dataDir = await openDataDir(join(parent, 'a', 'b'), 'broker')
  expect(statSync(dataDir.path).mode & 0o777).toBe(0o700)
  for (const file of readdirSync(dataDir.path)) expect(statSync(join(dataDir.path, file)).mode & 0o077).toBe(0)
  dataDir.release()
})

test('a second broker on a directory is refused at once, and told which process has it', async () => {
  const first = await openDataDir(parent, 'broker')
  await expect(openDataDir(parent, 'broker')).rejects.toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: `the data directory ${parent} is in use by process ${process.pid}; stop it, or give this one its own with --data-dir`,
  })
  first.release()
})

test('a directory that was released may be used by the next, and releasing twice harms nobody', async () => {
  const first = await openDataDir(parent, 'broker')
  first.release()
  const second = await openDataDir(parent, 'broker')
  first.release()
  await expect(openDataDir(parent, 'broker')).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' })
  second.release()
})

test('whoever comes while a command has the directory waits until it is done', async () => {
  const command = await openDataDir(parent, 'command')
  const broker = openDataDir(parent, 'broker')
  command.release()
  const opened = await broker
  expect(opened.path).toBe(parent)
  opened.release()
})

test('a directory left by a process that was killed is free: its owner file locks nobody out', async () => {
  writeFileSync(join(parent, 'lock'), '')
  writeFileSync(join(parent, 'lock.owner'), JSON.stringify({ pid: process.pid, holder: 'broker' }))
  const dataDir = await openDataDir(parent, 'broker')
  expect(dataDir.path).toBe(parent)
  dataDir.release()
})

test('a path that is a file is refused with a sentence', async () => {
  const file = join(parent, 'file')
  writeFileSync(file, '')
  await expect(openDataDir(file, 'broker')).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' })
  await expect(openDataDir(file, 'broker')).rejects.toThrow(
    /cannot use the data directory .*file: .*; set dataDir or --data-dir to another/,
  )
})
