import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { runFile } from '../src/micro/command.ts'

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts')

test('an unknown command is answered with those there are', () => {
  const done = spawnSync(process.execPath, [MAIN, 'macro'], { encoding: 'utf8' })
  expect(done.status).toBe(2)
  expect(done.stdout).toContain('micro')
})

test('a filter that fits no benchmark is refused in a sentence', () => {
  const done = spawnSync(process.execPath, [MAIN, 'micro', 'no-such-file'], { encoding: 'utf8' })
  expect(done.status).toBe(1)
  expect(done.stderr).toBe("bench micro: no *.bench.ts under packages/ has 'no-such-file' in its path\n")
})

test('a benchmark file is run and what it measured is read', async () => {
  const results = await runFile(join(import.meta.dirname, 'sample.bench.ts'), new AbortController().signal)
  expect(results.map(({ name }) => name)).toEqual(['add', 'sort'])
  for (const { minNs, medianNs, maxNs } of results) {
    expect(minNs).toBeLessThanOrEqual(medianNs)
    expect(medianNs).toBeLessThanOrEqual(maxNs)
  }
})
