import { expect, test } from 'vitest'
import { withDepths } from './depths.ts'

test('each look adds one depth, and the oldest go', () => {
  let depths = withDepths(new Map(), [{ name: 'a', readyCount: 0 }])
  for (let count = 1; count <= 50; count++) depths = withDepths(depths, [{ name: 'a', readyCount: count }])
  expect(depths.get('a')).toHaveLength(40)
  expect(depths.get('a')!.at(-1)).toBe(50)
})

test('queues that are not shown any more are forgotten', () => {
  const depths = withDepths(new Map([['a', [1]]]), [{ name: 'b', readyCount: 2 }])
  expect([...depths.keys()]).toEqual(['b'])
})
