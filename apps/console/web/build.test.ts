import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPages, FIRST_VIEW_BYTES_MAX, type Manifest, measurePages, scriptsOf } from './build.ts'

let outDir: string

beforeAll(async () => {
  outDir = await mkdtemp(join(tmpdir(), 'ternmq-pages-'))
  await buildPages(outDir)
}, 120_000)

afterAll(async () => {
  await rm(outDir, { recursive: true, force: true })
})

test('the first view needs no more script than its budget', async () => {
  const { firstView, firstViewBytes } = await measurePages(outDir)
  expect(firstView.size).toBeGreaterThan(1)
  expect(firstViewBytes).toBeGreaterThan(50_000)
  expect(firstViewBytes).toBeLessThanOrEqual(FIRST_VIEW_BYTES_MAX)
})

test('the page names nothing outside, and has no script or style inside', async () => {
  const html = await readFile(join(outDir, 'index.html'), 'utf8')
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  expect(html).not.toMatch(/<style|style="|<script(?![^>]* src=)|\son\w+=/)
})

test('styles load nothing from elsewhere', async () => {
  const names = (await readdir(join(outDir, 'assets'))).filter((name) => name.endsWith('.css'))
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) {
    const css = await readFile(join(outDir, 'assets', name), 'utf8')
    expect(css).not.toMatch(/@import|url\(\s*["']?(?!data:|#)/)
  }
})

test('the schemas of the API and the clients of Try it are not in the first view', async () => {
  const manifest = JSON.parse(await readFile(join(outDir, 'manifest.json'), 'utf8')) as Manifest
  for (const file of scriptsOf(manifest, 'index.html')) {
    const script = await readFile(join(outDir, file), 'utf8')
    expect(script).not.toContain('ZodError')
    expect(script).not.toContain('CONNACK')
  }
})
