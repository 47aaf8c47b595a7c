/** The measurements of queues, in small: that they come to an end and have all their numbers. */
import { platform } from 'node:os'
import { describe, expect, test } from 'vitest'

import { measureBacklog } from '../src/backlog/command.ts'
import { measureChurn } from '../src/churn/command.ts'
import { measureQueues } from '../src/queues/command.ts'
import { measureRestart } from '../src/restart/command.ts'

describe.skipIf(platform() !== 'linux')('a measurement of queues in small:', () => {
  test('a backlog is published and drained', async () => {
    const { publishRates, drainRates, rssBytes, diskBytes } = await measureBacklog(20_000, 200)
    expect([publishRates.length, drainRates.length]).toEqual([10, 10])
    expect(Math.min(...publishRates, ...drainRates)).toBeGreaterThan(0)
    expect(rssBytes).toBeGreaterThan(10_000_000)
    expect(diskBytes).toBeGreaterThan(20_000 * 200)
  })

  test('a broker comes back with everything, and it is purged', async () => {
    const { killedMs, stoppedMs, purgeMs, diskBytes } = await measureRestart(5_000, 1_024)
    expect(Math.min(killedMs, stoppedMs, purgeMs)).toBeGreaterThan(0)
    expect(diskBytes).toBeGreaterThan(5_000 * 1_024)
  })

  test('many queues have a message each', async () => {
    const { killedMs, rssBytes, rssAfterRestartBytes } = await measureQueues(250, 1_024)
    expect(Math.min(killedMs, rssBytes, rssAfterRestartBytes)).toBeGreaterThan(0)
  })

  test('messages come and go, and the disk is looked at meanwhile', async () => {
    const { samples, messages } = await measureChurn(3, 1_000, 1_024)
    expect(messages).toBe(3_000)
    expect(samples.length).toBeGreaterThan(0)
    for (const { diskBytes, liveBytes } of samples) expect(Math.min(diskBytes, liveBytes)).toBeGreaterThan(0)
  })
})
