import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { plannedKeys, settings } from '@ternmq/config'
import { expect, test } from 'vitest'
import { renderConfigReference } from './page.ts'

const page = renderConfigReference()
const rows = page.split('\n').filter((line) => line.startsWith('| `'))

test('docs/reference/config.md is what the schema says; write it with node tools/docs/src/config-reference.ts', () => {
  const path = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'reference', 'config.md')
  expect(readFileSync(path, 'utf8')).toBe(page)
})

test('every setting has one row, in the order of the schema but the top level first, with its variable', () => {
  const keyAndVariable = rows.map(
    (row) => [...row.matchAll(/^\| `([^`]+)` .* \| `(TERNMQ_\w+)` \| /g)].map(([, key, name]) => [key, name])[0],
  )
  const inOrder = [...settings.values()].map(({ key, environment }) => [key, environment] as const)
  const isTop = ([key]: readonly [string, string]): boolean => !key.includes('.')
  expect(keyAndVariable).toEqual([...inOrder.filter(isTop), ...inOrder.filter((row) => !isTop(row))])
})

test('every row has seven cells, whatever stands in them', () => {
  for (const row of rows) expect(row.match(/(?<!\\)\|/g), row).toHaveLength(8)
})

test('no cell is empty or speaks of something undefined', () => {
  for (const row of rows) expect(row).not.toMatch(/\|\s*\||undefined|NaN|\[object/)
})

test('limits, choices, lists and what is not set have their words', () => {
  const rowOf = (key: string): string => rows.find((row) => row.startsWith(`| \`${key}\``)) ?? ''
  expect(rowOf('mqtt.maxPacketBytes')).toContain('| number | `1048576` | 1024 to 268435460 |')
  expect(rowOf('log.format')).toContain('| text | `"json"` | `"json"`, `"pretty"` |')
  expect(rowOf('auth.rules')).toContain(
    '| list of sections | `[]` | 0 to 10000 entries, each a rule with user or group, topics, ',
  )
  expect(rowOf('listeners.wss.tls.cert')).toContain('| path | not set | a file path |')
  expect(rowOf('listeners.ws.authentication.anonymous')).toContain(
    '| boolean or "auto" | `"auto"` | true or false or "auto" |',
  )
})

test('each listener has a table of its own, and the names of later versions are listed', () => {
  expect(page.match(/^## .+$/gm)).toEqual([
    '## Top level',
    '## listeners.mqtt',
    '## listeners.mqtts',
    '## listeners.stomp',
    '## listeners.stomps',
    '## listeners.amqp',
    '## listeners.amqps',
    '## listeners.ws',
    '## listeners.wss',
    '## listeners.any',
    '## mqtt',
    '## stomp',
    '## amqp',
    '## console',
    '## store',
    '## queues',
    '## limits',
    '## auth',
    '## log',
    '## events',
    '## tracing',
    '## Names of later versions',
  ])
  for (const key of plannedKeys) expect(page).toContain(`\`${key}\``)
})
