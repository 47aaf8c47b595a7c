import { platform } from 'node:os'
import { expect, test } from 'vitest'

import { measureEndToEnd } from '../src/subscriptions/end-to-end.ts'
import { LOADS } from '../src/subscriptions/plan.ts'

test.skipIf(platform() !== 'linux')('two broker processes take turns, and their CPU is known', async () => {
  const measured = await measureEndToEnd(LOADS, { few: 50, many: 2_500 }, 2, 20)
  for (const pairs of measured.values()) {
    expect(pairs).toHaveLength(2)
    for (const { few, many } of pairs) expect(Math.min(few, many)).toBeGreaterThan(0)
  }
})
