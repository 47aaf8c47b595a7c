import { existsSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'

import { runCrashes } from '../src/index.ts'

test('a broker that acknowledges what it does not keep is found out, and its data directory stays to be looked at', async () => {
  const config = { queues: { durability: 'memory' } }
  const message = await runCrashes({ kills: 4, seed: 7, config, standstillMsMax: 5_000 }).then(
    () => 'every promise was kept',
    (error: Error) => error.message,
  )
  expect(message).toMatch(/^seed 7: /)
  // Of which queue is a matter of the moment of the kill: none of them is on disk.
  expect(message).toMatch(/a confirmed message is lost: \S+ of \S+ in queue (?:crash\.\w|subscription:\w) /)
  const dataDir = /store verify --data-dir (\S+)/.exec(message)?.[1] ?? ''
  expect(existsSync(dataDir)).toBe(true)
  rmSync(dirname(dataDir), { recursive: true })
})
