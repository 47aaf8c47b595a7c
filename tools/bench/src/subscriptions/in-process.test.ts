import { expect, test } from 'vitest'

import { measureInProcess } from './in-process.ts'
import { LOADS } from './plan.ts'

test('both brokers take turns with every load', () => {
  const measured = measureInProcess(LOADS, { few: 50, many: 2_500 }, 2, 5)
  expect([...measured.keys()]).toEqual(LOADS)
  for (const pairs of measured.values()) {
    expect(pairs).toHaveLength(2)
    for (const { few, many } of pairs) expect(Math.min(few, many)).toBeGreaterThan(0)
  }
})
