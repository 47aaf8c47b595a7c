import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandLineReference } from '@ternmq/broker/cli'
import { expect, test } from 'vitest'
import { renderCliReference } from './page.ts'

const page = await renderCliReference()

test('docs/reference/cli.md is what the table says; write it with node tools/docs/src/cli-reference.ts', () => {
  const path = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'reference', 'cli.md')
  expect(readFileSync(path, 'utf8')).toBe(page)
})

test('every command and every option of it is on the page', async () => {
  const { nouns } = await commandLineReference()
  for (const { usage, options } of nouns.flatMap(({ commands }) => commands)) {
    const section = page.split(`### \`ternmq ${usage}\`\n`)[1]?.split('\n### ')[0]
    for (const { text } of options) expect(section, usage).toContain(`| \`${text}\` |`)
  }
})
