import { describe, expect, test } from 'vitest'

import { casesNamed } from './cases.ts'
import { type RunResult, type Summary, summarize } from './results.ts'
import { judge, type Verdict } from './verdict.ts'

function summary(target: string, result: Partial<RunResult>): Summary {
  return summarize(target, [
    { case: '', target, round: 0, result: { ok: true, expected: 100, received: 100, ...result } },
  ])
}

function verdict(id: string, ours: Partial<RunResult>, ...peers: Summary[]): Verdict {
  return judge(casesNamed([id])[0]!, summary('ternmq', ours), peers)
}

const nats = summary('nats', { receive_rate: 1_000 })
const mosquitto = summary('mosquitto', { receive_rate: 400, lat_us: { p50: 100, p99: 400, p999: 500, max: 600 } })

describe('a rate', () => {
  test.each([
    [1_600, 'aim met', ''],
    [1_100, 'goal met', ''],
    [900, 'missed', '0.90 × nats; the goal is at least 1 ×'],
  ])('of %i is %s', (receive_rate, standing, shortfall) => {
    expect(verdict('a1w', { receive_rate }, mosquitto, nats)).toMatchObject({ standing, shortfall })
  })

  test('of a peer that lost messages does not count', () => {
    const lossy = summary('fast', { receive_rate: 9_000, lost: 1 })
    expect(verdict('a1w', { receive_rate: 1_600 }, lossy, nats).best?.target).toBe('nats')
  })

  test('with losses is none, however high', () => {
    expect(verdict('a1w', { receive_rate: 9_000, lost: 10 }, nats)).toMatchObject({
      standing: 'missed',
      shortfall: '10.0 % lost',
    })
  })

  test('without a peer is not judged', () => {
    expect(verdict('a1w', { receive_rate: 1 })).toMatchObject({ standing: 'not judged', best: undefined })
  })
})

describe('a rate of messages that are on disk first', () => {
  const activemq = summary('activemq', { receive_rate: 8_000 })

  test.each([
    [250_000, 'aim met', ''],
    [120_000, 'goal met', ''],
    [90_000, 'missed', '90000/s; the goal is at least 100000/s'],
    [20_000, 'missed', '2.50 × activemq; the goal is at least 3 ×; 20000/s; the goal is at least 100000/s'],
  ])('of %i is %s beside a peer that syncs, whatever one does that does not', (receive_rate, standing, shortfall) => {
    const inMemory = summary('mosquitto', { receive_rate: 1_000_000 })
    expect(verdict('dd', { receive_rate }, inMemory, activemq)).toMatchObject({ standing, shortfall, best: activemq })
  })

  test('is judged by itself where no peer syncs', () => {
    expect(verdict('dd', { receive_rate: 120_000 }, nats)).toMatchObject({ standing: 'goal met', best: undefined })
    expect(verdict('dd', { receive_rate: 20_000 })).toMatchObject({ standing: 'missed' })
  })
})

describe('latency', () => {
  test.each([
    [{ p50: 90, p99: 390 }, 'aim met'],
    [{ p50: 125, p99: 390 }, 'goal met'],
    [{ p50: 90, p99: 410 }, 'missed'],
    [{ p50: 140, p99: 390 }, 'missed'],
  ])("%o is held against mosquitto's: %s", (lat, standing) => {
    expect(verdict('l', { lat_us: { ...lat, p999: 0, max: 0 } }, nats, mosquitto).standing).toBe(standing)
  })
})

describe('idle connections', () => {
  test.each([
    [7 * 1024, 9_000, 'aim met'],
    [10 * 1024, 9_000, 'goal met'],
    [7 * 1024, 5_000, 'missed'],
    [13 * 1024, 9_000, 'missed'],
  ])('of %i bytes at %i per second: %s', (bytes_per_connection, connect_rate, standing) => {
    expect(verdict('k', { bytes_per_connection, connect_rate }, mosquitto).standing).toBe(standing)
  })
})

describe('a flood', () => {
  test('is withstood when nothing is lost and nothing left', () => {
    expect(verdict('b', { receive_rate: 10 }, nats).standing).toBe('goal met')
    expect(verdict('b', { receive_rate: 10, undelivered: 5 }, nats)).toMatchObject({
      standing: 'missed',
      shortfall: '5.0 % not delivered in time',
    })
  })
})

test('a case that always failed is missed with what it said', () => {
  expect(verdict('a1w', { ok: false, error: 'exit 4' }, nats)).toMatchObject({
    standing: 'missed',
    shortfall: 'every run failed: exit 4',
  })
})

describe('a backlog', () => {
  const half = (rate: number, rss_peak_mb: number): Partial<RunResult> => ({
    ok: true,
    expected: 100,
    received: 100,
    publish_rate: rate,
    receive_rate: rate,
    rss_peak_mb,
  })
  const run = (push: number, drain: number, rss = 150): Partial<RunResult> => ({
    push: half(push, 120) as RunResult,
    drain: half(drain, rss) as RunResult,
  })
  const slow = summary('slow', run(1_000, 500, 2_000))
  const other = summary('other', run(500, 1_000, 2_000))

  test('is compared with who pushes best and who drains best', () => {
    expect(verdict('ms', run(5_000, 7_000), slow, other)).toMatchObject({
      standing: 'aim met',
      ratio: 'push 5.00 × slow, drain 7.00 × other',
    })
  })

  test('misses with one slow half, and with too much memory', () => {
    expect(verdict('ms', run(5_000, 3_000), slow, other)).toMatchObject({
      standing: 'missed',
      shortfall: 'push 5.00 × slow, drain 3.00 × other; the goal is at least 4 × and 6 ×',
    })
    expect(verdict('ms', run(5_000, 7_000, 230), slow, other).shortfall).toBe('230 MiB; the goal is at most 200 MiB')
  })
})
