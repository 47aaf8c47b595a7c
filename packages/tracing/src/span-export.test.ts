import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { virtualEnv } from '@ternmq/testkit'
import { beforeEach, expect, test } from 'vitest'
import { SpanClock } from './span-clock.ts'
import { SpanExport } from './span-export.ts'

/** Takes requests, and answers them when the test says so. */
class SlowCollector implements SpanExporter {
  readonly sizes: number[] = []
  isShut = false
  #answer: ((result: { code: number; error?: Error }) => void) | undefined = undefined

  export: SpanExporter['export'] = (spans, answer) => {
    this.sizes.push(spans.length)
    this.#answer = answer
  }

  shutdown(): Promise<void> {
    this.isShut = true
    return Promise.resolve()
  }

  answer(error?: string): void {
    const answer = this.#answer!
    this.#answer = undefined
    answer(error === undefined ? { code: 0 } : { code: 1, error: new Error(error) })
  }
}

const env = virtualEnv()
let collector: SlowCollector
let reports: string[]
let spans: SpanExport

beforeEach(() => {
  collector = new SlowCollector()
  reports = []
  spans = new SpanExport(collector, new SpanClock(env.clock), {
    endpoint: 'http://c/?key=never-told',
    spansWaitingMax: 1_000,
    batchMs: 50,
    report: (text, isFailure) => void reports.push(`${isFailure ? 'failure' : 'well'}: ${text}`),
  })
})

function end(count: number): void {
  for (let n = 0; n < count; n++) spans.onEnd({} as ReadableSpan)
}

test('spans go together after a while; never within the call that ends one', () => {
  end(3)
  env.clock.advance(49)
  expect(collector.sizes).toEqual([])
  env.clock.advance(1)
  expect(collector.sizes).toEqual([3])
  end(511)
  collector.answer()
  env.clock.advance(50)
  collector.answer()
  end(512)
  expect(collector.sizes).toEqual([3, 511])
  env.clock.advance(0)
  expect(collector.sizes).toEqual([3, 511, 512])
  collector.answer()
  expect(spans.counts).toEqual({ exported: 1_026, dropped: 0, waiting: 0 })
})

test('one request is under way at a time; beyond the bound spans are dropped, counted and told of once', () => {
  end(1)
  env.clock.advance(50)
  end(1_100)
  env.clock.advance(1_000)
  expect(collector.sizes).toEqual([1])
  expect(spans.isFull).toBe(true)
  spans.dropUnmade()
  expect(spans.counts).toEqual({ exported: 0, dropped: 101, waiting: 1_000 })
  const why = 'since http://c/ does not take them: 1000 wait for it already (tracing.spansWaitingMax); messages go on'
  expect(reports).toEqual([`failure: 1 spans are lost so far, ${why}`])
  collector.answer()
  expect(reports[1]).toBe('well: http://c/ takes spans again; 101 were lost since the start')
  expect([collector.sizes, spans.counts]).toEqual([[1, 512], { exported: 1, dropped: 101, waiting: 488 }])
})

test('what the collector does not take is lost, and told with its reason once a minute', () => {
  for (let round = 0; round < 3; round++) {
    end(2)
    env.clock.advance(50)
    collector.answer('404')
  }
  expect(reports).toHaveLength(1)
  expect(reports[0]).toContain('2 spans are lost so far, since http://c/ does not take them: 404')
  env.clock.advance(60_000)
  end(2)
  env.clock.advance(50)
  collector.answer('404')
  expect(reports[1]).toContain('8 spans are lost so far')
  expect(spans.counts).toEqual({ exported: 0, dropped: 8, waiting: 0 })
})

test('a close sends what waits, and takes no more', async () => {
  end(600)
  const closed = spans.close()
  collector.answer()
  collector.answer()
  await closed
  end(1)
  expect([collector.sizes, collector.isShut, spans.counts]).toEqual([
    [512, 88],
    true,
    { exported: 600, dropped: 1, waiting: 0 },
  ])
  env.clock.advance(5_000)
  expect(collector.sizes).toEqual([512, 88])
})

test('a close waits two seconds for a collector that does not answer', async () => {
  end(600)
  const closed = spans.close()
  env.clock.advance(2_000)
  await closed
  expect(spans.counts).toEqual({ exported: 0, dropped: 88, waiting: 0 })
  collector.answer('late')
  expect(spans.counts).toEqual({ exported: 0, dropped: 600, waiting: 0 })
})

test('a close does not wait for a collector that is known to take nothing', async () => {
  end(1)
  env.clock.advance(50)
  collector.answer('503')
  end(3)
  await spans.close()
  expect([collector.sizes, spans.counts]).toEqual([[1], { exported: 0, dropped: 4, waiting: 0 }])
})
