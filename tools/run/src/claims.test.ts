import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { claimingFiles } from './claims.ts'

function treeOf(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'ternmq-claims-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

test('conformance tests always claim, others where an id in brackets says so', () => {
  const root = treeOf({
    'packages/mqtt/test/conformance/mqtt5/ch3.test.ts': 'it(`${id} pings`)',
    'packages/mqtt/test/system/sockets.test.ts': "it('[MQTT311-7.1.1-1] a stream')",
    'packages/mqtt/src/codec.test.ts': "it('reads [MQTT5 §3.1]')",
    'packages/core/src/session/session.test.ts': "it('ends [MQTT31-A-k]')",
    'packages/core/src/session/session.ts': '// [MQTT5-3.1.2-5]',
    'apps/broker/test/start.test.ts': "it('starts')",
  })
  expect(claimingFiles(root)).toEqual([
    'packages/core/src/session/session.test.ts',
    'packages/mqtt/test/conformance/mqtt5/ch3.test.ts',
    'packages/mqtt/test/system/sockets.test.ts',
  ])
})
