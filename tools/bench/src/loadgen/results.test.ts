import { expect, test } from 'vitest'

import { type LogLine, median, parseLog, type RunResult, summarize } from './results.ts'

const run = (result: Partial<RunResult>, round = 0): LogLine => ({
  case: 'a1w',
  target: 'ternmq',
  round,
  result: { ok: true, expected: 100, received: 100, ...result },
})

test('a log has one run in each line', () => {
  const lines = [run({}), run({ ok: false, error: 'exit 3' }, 1)]
  expect(parseLog(`${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)).toEqual(lines)
})

test('the median of an odd number is the middle one, of an even number the mean of the two', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([undefined, 5]), median([])]).toEqual([2, 2.5, 5, undefined])
})

test('numbers are medians over the runs that did not fail, and the spread is told', () => {
  const lines = [
    run({ receive_rate: 100, broker_cpu_s: 0.0002, lat_us: { p50: 10, p99: 20, p999: 30, max: 40 } }),
    run({ receive_rate: 300, broker_cpu_s: 0.0004, lat_us: { p50: 30, p99: 60, p999: 90, max: 120 } }),
    run({ ok: false, error: 'exit 3 /some/folder/loadgen: refused' }),
    run({ receive_rate: 200, broker_cpu_s: 0.0003, lat_us: { p50: 20, p99: 40, p999: 60, max: 80 } }),
  ]
  expect(summarize('ternmq', lines)).toMatchObject({
    rounds: 4,
    failures: ['exit 3 loadgen: refused'],
    messagesPerSecond: 200,
    messagesPerSecondMin: 100,
    messagesPerSecondMax: 300,
    p50Us: 20,
    p99Us: 40,
    lost: 0,
  })
  expect(summarize('ternmq', lines).cpuUsPerMessage).toBeCloseTo(3)
})

test('what was lost is a share of what was expected', () => {
  expect(summarize('ternmq', [run({ lost: 25, undelivered: 50 })])).toMatchObject({ lost: 0.25, undelivered: 0.5 })
})
