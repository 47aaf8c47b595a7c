/** Random lives of queues with several transactions open, beside a model; a failure says its seed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lives } from './lives.ts'
import { Pair, QUEUES, step } from './transaction-pair.ts'

const RUNS = 50
const STEPS = 120

test('whatever clients do with several transactions, each message is where it should be, over restarts', async () => {
  let committedCount = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS, size: 'max' }), async (steps) => {
      const lives = await Lives.begin({ keepsReleased: true })
      // So that modified deliveries never run out of attempts.
      for (const name of QUEUES) {
        const redelivery = { deliveriesMax: 0, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 }
        lives.vhost.destinations.define({ name, settings: { redelivery } })
      }
      await lives.quiet()
      const pair = new Pair(lives)
      for (const [at, each] of steps.entries()) {
        await pair.run(each)
        if (at % 5 === 4) await pair.check()
      }
      await pair.check()
      committedCount += pair.committedCount
    }),
    { numRuns: RUNS },
  )
  expect(committedCount).toBeGreaterThan(RUNS)
})
