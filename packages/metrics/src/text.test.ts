import { expect, test } from 'vitest'
import type { DestinationNumbers, MessageNumbers, MetricsSnapshot } from './snapshot.ts'
import { METRICS } from './table.ts'
import { MetricsText } from './text.ts'

const NO_MESSAGES: MessageNumbers = {
  messagesIn: 0,
  bytesIn: 0,
  messagesOut: 0,
  bytesOut: 0,
  settled: 0,
  unmatched: 0,
  droppedOverLimit: 0,
  droppedOffline: 0,
  expired: 0,
  held: 0,
  slowConsumers: 0,
  refused: 0,
  redelivered: 0,
  lost: 0,
  deadLettered: 0,
  duplicates: 0,
  replaced: 0,
  undeliverable: 0,
  rejected: 0,
}

const QUEUE: DestinationNumbers = {
  name: 'orders',
  messagesIn: 7,
  bytesIn: 70,
  messagesOut: 6,
  bytesOut: 60,
  settledCount: 5,
  redeliveredCount: 4,
  expiredCount: 3,
  deadLetteredCount: 2,
  droppedCount: 1,
  waitingCount: 8,
  waitingBytes: 80,
  inflightCount: 9,
  consumerCount: 10,
}

/** Of the oldest in QUEUE. */
const AGE_MS = 12_500

function rendered(given: MetricsSnapshot, destinationsMax?: number): Promise<string> {
  return new MetricsText(destinationsMax).render(
    () => given,
    () => Promise.resolve(),
  )
}

function snapshot(more: Partial<MetricsSnapshot> = {}): MetricsSnapshot {
  return {
    build: { version: '1.2.3', node: 'v24', engine: 'journal' },
    startedAtMs: 1_700_000_000_500,
    process: { cpuSeconds: 1.5, residentBytes: 1_000, heapUsedBytes: 500, openFiles: undefined },
    eventLoop: { p50Ms: 1, p99Ms: 2.5, maxMs: 10 },
    messages: [
      { protocol: 'mqtt', counts: { ...NO_MESSAGES, messagesIn: 3, expired: 1, droppedOverLimit: 1 } },
      { protocol: 'core', counts: { ...NO_MESSAGES, messagesIn: 1, expired: 4, droppedOffline: 2 } },
    ],
    connections: [{ protocol: 'mqtt', openCount: 2, bytesIn: 20, bytesOut: 30 }],
    connectionsEnded: { client: 4, network: 1 },
    listeners: [{ listener: 'mqtts', open: 2, accepted: 9, refused: 1, failedHandshakes: 3 }],
    certificates: [{ listener: 'mqtts', notAfterMs: 1_827_331_200_000 }],
    logins: { accepted: 5, refused: { 'bad-credentials': 2 } },
    sessions: { connected: 2, offline: 1 },
    subscriptions: { count: 4, sharedCount: 1 },
    retained: { count: 6, bytes: 600, refused: 0 },
    waiting: { bytes: 80, bytesMax: 1_073_741_824 },
    scheduledCount: 0,
    destinations: [QUEUE],
    oldestAgesMs: (names) => Promise.resolve(names.map((name) => (name === QUEUE.name ? AGE_MS : undefined))),
    store: {
      diskBytes: 1,
      liveBytes: 1,
      segments: 1,
      writtenBytes: 1,
      compactedBytes: 0,
      syncs: 4,
      commits: 6,
      committedBytes: 100,
      commitMsTotal: 1_250,
      commitTimes: [1, 2, 3],
      commitTimeBoundsMs: [0.5, 10],
      isFull: true,
      faultCount: 0,
    },
    spans: { exported: 7, dropped: 2, waiting: 1 },
    ...more,
  }
}

function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name))
}

test('every metric that has numbers is told with its help and type before them', async () => {
  const text = await rendered(
    snapshot({ process: { cpuSeconds: 1, residentBytes: 1, heapUsedBytes: 1, openFiles: 12 } }),
  )
  expect(text.endsWith('\n')).toBe(true)
  for (const { name, type } of METRICS) {
    const lines = text.split('\n')
    const help = lines.findIndex((line) => line.startsWith(`# HELP ${name} `))
    expect([name, lines[help + 1]]).toEqual([name, `# TYPE ${name} ${type}`])
    expect(lines[help + 2]!.startsWith(name)).toBe(true)
  }
})

test('every line is one that the text format allows', async () => {
  const odd = 'a"b\\c\nd é 😀 {}'
  const text = await rendered(snapshot({ destinations: [{ ...QUEUE, name: odd }] }))
  const label = String.raw`[a-z_]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"`
  const sample = new RegExp(`^[a-z_]+(?:\\{${label}(?:,${label})*\\})? (?:[0-9.e+-]+|\\+Inf)$`)
  for (const line of text.split('\n').slice(0, -1)) {
    if (!line.startsWith('# ')) expect(line).toMatch(sample)
  }
  expect(linesOf(text, 'ternmq_destination_consumers{')).toEqual([
    String.raw`ternmq_destination_consumers{destination="a\"b\\c\nd é 😀 {}"} 10`,
  ])
})

test('numbers are in base units, with the labels of the table', async () => {
  const text = await rendered(snapshot())
  expect(text).toContain('\nternmq_start_time_seconds 1700000000.5\n')
  expect(text).toContain('ternmq_build_info{version="1.2.3",node="v24",engine="journal"} 1\n')
  expect(linesOf(text, 'ternmq_messages_received_total{')).toEqual([
    'ternmq_messages_received_total{protocol="mqtt"} 3',
    'ternmq_messages_received_total{protocol="core"} 1',
  ])
  expect(linesOf(text, 'ternmq_messages_expired_total')).toEqual(['ternmq_messages_expired_total 5'])
  expect(linesOf(text, 'ternmq_messages_dropped_total{')).toEqual([
    'ternmq_messages_dropped_total{reason="limit"} 1',
    'ternmq_messages_dropped_total{reason="offline"} 2',
  ])
  expect(linesOf(text, 'ternmq_logins_total{')).toEqual([
    'ternmq_logins_total{outcome="accepted"} 5',
    'ternmq_logins_total{outcome="bad-credentials"} 2',
  ])
  expect(linesOf(text, 'ternmq_event_loop_delay_seconds{')).toEqual([
    'ternmq_event_loop_delay_seconds{quantile="1"} 0.01',
    'ternmq_event_loop_delay_seconds{quantile="0.5"} 0.001',
    'ternmq_event_loop_delay_seconds{quantile="0.99"} 0.0025',
  ])
  expect(text).toContain('ternmq_listener_certificate_not_after_seconds{listener="mqtts"} 1827331200\n')
  expect(text).toContain('ternmq_store_full 1\n')
})

test('the busiest destinations say how old their oldest message is, where that is known; the others are not asked', async () => {
  const asked: (readonly string[])[] = []
  const oldestAgesMs = (names: readonly string[]): Promise<(number | undefined)[]> => {
    asked.push(names)
    return Promise.resolve(names.map((name) => ({ orders: 90_500, new: 0 })[name]))
  }
  const destinations = ['orders', 'new', 'empty', 'idle'].map((name, index) => ({
    ...QUEUE,
    name,
    messagesIn: 9 - index,
  }))
  const text = await rendered(snapshot({ destinations, oldestAgesMs }), 3)
  expect(linesOf(text, 'ternmq_destination_oldest_message_age_seconds{')).toEqual([
    'ternmq_destination_oldest_message_age_seconds{destination="orders"} 90.5',
    'ternmq_destination_oldest_message_age_seconds{destination="new"} 0',
  ])
  expect(asked).toEqual([['orders', 'new', 'empty', '(other)']])
})

test('each number of a destination is under its own name', async () => {
  const text = await rendered(snapshot())
  const values = linesOf(text, 'ternmq_destination_').map((line) => Number(line.split(' ')[1]))
  expect(values.toSorted((one, other) => one - other)).toEqual(
    Object.values({ ...QUEUE, age: AGE_MS / 1_000 })
      .filter((each) => typeof each === 'number')
      .toSorted((one, other) => one - other),
  )
})

test('a histogram counts each class with those below it, and ends with all', async () => {
  expect(linesOf(await rendered(snapshot()), 'ternmq_store_commit_duration_seconds')).toEqual([
    'ternmq_store_commit_duration_seconds_bucket{le="0.0005"} 1',
    'ternmq_store_commit_duration_seconds_bucket{le="0.01"} 3',
    'ternmq_store_commit_duration_seconds_bucket{le="+Inf"} 6',
    'ternmq_store_commit_duration_seconds_sum 1.25',
    'ternmq_store_commit_duration_seconds_count 6',
  ])
})

test('without a journal nothing is said of one', async () => {
  expect(await rendered(snapshot({ store: undefined }))).not.toContain('ternmq_store_')
})

test('where nothing is traced nothing is said of spans', async () => {
  expect(await rendered(snapshot())).toContain('\nternmq_trace_spans_dropped_total 2\n')
  expect(await rendered(snapshot({ spans: undefined }))).not.toContain('ternmq_trace_')
})

test('beyond the limit destinations have one line together', async () => {
  const text = await rendered(snapshot({ destinations: [QUEUE, { ...QUEUE, name: 'quiet', messagesIn: 2 }] }), 1)
  expect(linesOf(text, 'ternmq_destination_messages_received_total{')).toEqual([
    'ternmq_destination_messages_received_total{destination="orders"} 7',
    'ternmq_destination_messages_received_total{destination="(other)"} 2',
  ])
})

test('names say what kind of number they are: counters end with _total, and no other metric does', () => {
  expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length)
  for (const { name, type, help, labels } of METRICS) {
    expect(name).toMatch(/^ternmq_[a-z0-9]+(_[a-z0-9]+)*$/)
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter'])
    expect(help).toMatch(/^[A-Z1].*\.$/)
    for (const label of labels) expect(label).toMatch(/^[a-z_]+$/)
    // Base units only.
    expect(name).not.toMatch(/_(ms|millis|milliseconds|micros|kb|kib|mb|mib|percent|ratio)(_|$)/)
  }
})

test('very many destinations are looked at in pieces, and who asks meanwhile gets the same answer', async () => {
  const destinations = Array.from({ length: 2_500 }, (_, index) => ({ ...QUEUE, name: `q${index}`, messagesIn: index }))
  let snapshotCount = 0
  let pauseCount = 0
  const ask = (text: MetricsText): Promise<string> =>
    text.render(
      () => (snapshotCount++, snapshot({ destinations })),
      async () => void pauseCount++,
    )
  const text = new MetricsText()
  const [one, other] = await Promise.all([ask(text), ask(text)])
  expect([other, snapshotCount, pauseCount]).toEqual([one, 1, 2])
  expect(one).toBe(await rendered(snapshot({ destinations })))
  await ask(text)
  expect(snapshotCount).toBe(2)
})

test('a destination that goes and comes again while it is looked has one line', async () => {
  const destinations = Array.from({ length: 1_500 }, (_, index) => ({ ...QUEUE, name: `q${index}`, messagesIn: 1 }))
  destinations[0]!.messagesIn = 1_000
  const text = await new MetricsText().render(
    () => snapshot({ destinations }),
    async () => void destinations.push({ ...QUEUE, name: 'q0', messagesIn: 5 }),
  )
  expect(text.split('destination="q0"').length).toBe(text.split('destination="q1"').length)
})
