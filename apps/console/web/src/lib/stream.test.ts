import { STREAM_SILENCE_MAX_MS } from '@ternmq/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// base.ts reads the address of the page, which a test does not have.
vi.mock('./base.ts', () => ({ addressOf: (path: string) => path }))

import { LiveStream, type Source, type StreamEvent } from './stream.ts'

class FakeSource implements Source {
  readonly watch: string
  readonly listeners = new Map<string, (event: MessageEvent<string>) => void>()
  onopen: ((event: Event) => void) | null = null
  onerror: ((event: Event) => void) | null = null
  closed = false

  constructor(watch: string) {
    this.watch = watch
  }

  addEventListener(kind: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(kind, listener)
  }

  close(): void {
    this.closed = true
  }

  tell(kind: string, data: unknown): void {
    this.listeners.get(kind)!(new MessageEvent(kind, { data: JSON.stringify(data) }))
  }
}

const opened: FakeSource[] = []
const changes: boolean[] = []
let heardCount = 0

function makeStream(): LiveStream {
  return new LiveStream({
    open: (watch) => {
      const source = new FakeSource(watch)
      opened.push(source)
      return source
    },
    onChange: (isOpen) => changes.push(isOpen),
    onHeard: () => heardCount++,
  })
}

beforeEach(() => {
  vi.useFakeTimers()
  opened.length = 0
  changes.length = 0
  heardCount = 0
})
afterEach(() => {
  vi.useRealTimers()
})

test('all that is watched in one turn goes over one stream', () => {
  const stream = makeStream()
  stream.watch('queue:b', () => {})
  stream.watch('overview', () => {})
  stream.watch('overview', () => {})
  vi.advanceTimersByTime(0)
  expect(opened.map(({ watch }) => watch)).toEqual(['overview,queue:b'])
})

test('a page that goes and one that wants the same leave the stream as it is', () => {
  const stream = makeStream()
  const stop = stream.watch('overview', () => {})
  vi.advanceTimersByTime(0)
  stop()
  stream.watch('overview', () => {})
  vi.advanceTimersByTime(0)
  expect(opened).toHaveLength(1)
  expect(opened[0]!.closed).toBe(false)
})

test('the last watcher that goes closes the stream', () => {
  const stream = makeStream()
  const stop = stream.watch('overview', () => {})
  vi.advanceTimersByTime(0)
  stop()
  vi.advanceTimersByTime(0)
  expect(opened[0]!.closed).toBe(true)
  expect(stream.isOpen).toBe(false)
})

test('watchers get what comes, with its kind', () => {
  const stream = makeStream()
  const got: StreamEvent[] = []
  stream.watch('events', (event) => got.push(event))
  vi.advanceTimersByTime(0)
  opened[0]!.tell('missed', { count: 3 })
  expect(got).toEqual([{ kind: 'missed', data: { count: 3 } }])
})

test('a broken stream opens again, each time after twice as long, and at once as before when it has worked', () => {
  const stream = makeStream()
  stream.watch('overview', () => {})
  vi.advanceTimersByTime(0)
  for (const waitMs of [1_000, 2_000, 4_000]) {
    const before = opened.length
    opened.at(-1)!.onerror!(new Event('error'))
    vi.advanceTimersByTime(waitMs - 1)
    expect(opened).toHaveLength(before)
    vi.advanceTimersByTime(1)
    expect(opened).toHaveLength(before + 1)
  }
  opened.at(-1)!.onopen!(new Event('open'))
  expect(stream.isOpen).toBe(true)
  opened.at(-1)!.onerror!(new Event('error'))
  vi.advanceTimersByTime(1_000)
  expect(opened).toHaveLength(5)
  expect(changes).toEqual([false, false, false, true, false])
})

test('a stream on which nothing comes any more is broken, and heartbeats are enough to keep it', () => {
  const stream = makeStream()
  const got: string[] = []
  stream.watch('events', ({ kind }) => got.push(kind))
  vi.advanceTimersByTime(0)
  opened[0]!.onopen!(new Event('open'))
  for (let count = 0; count < 3; count++) {
    vi.advanceTimersByTime(STREAM_SILENCE_MAX_MS - 1)
    opened[0]!.tell('heartbeat', {})
  }
  expect([got.length, heardCount, stream.isOpen]).toEqual([3, 3, true])
  vi.advanceTimersByTime(STREAM_SILENCE_MAX_MS)
  expect([changes, opened[0]!.closed, stream.isOpen]).toEqual([[true, false], true, false])
  vi.advanceTimersByTime(1_000)
  expect(opened).toHaveLength(2)
})

test('a stream that does not open is broken after a while, and one that is left is not', () => {
  const stream = makeStream()
  const stop = stream.watch('overview', () => {})
  vi.advanceTimersByTime(STREAM_SILENCE_MAX_MS)
  expect([changes, opened[0]!.closed]).toEqual([[false], true])
  vi.advanceTimersByTime(1_000)
  stop()
  vi.advanceTimersByTime(STREAM_SILENCE_MAX_MS)
  expect(changes).toEqual([false])
})
