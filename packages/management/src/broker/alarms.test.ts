import type { Alarm, CertificateInfo } from '@ternmq/api'
import { expect, test } from 'vitest'
import { type AlarmFacts, alarmsOf } from './alarms.ts'

const GIB = 1_073_741_824
const DAY_MS = 86_400_000

const well: AlarmFacts = {
  nowMs: 1_000 * DAY_MS,
  memory: { rssBytes: GIB, heapBytes: GIB, waitingBytes: 0, waitingBytesMax: GIB },
  disk: { engine: 'journal', durability: 'fsync-local', usedBytes: GIB, maxBytes: 0, freeBytes: 100 * GIB },
  eventLoop: { p50Ms: 0, p99Ms: 99, utilization: 0.5 },
  store: {},
  certificates: new Map(),
  blockingCount: 0,
  deadLetteredCount: 0,
  damagedDefinitions: [],
  minFreeBytes: GIB,
}

function alarms(facts: Partial<AlarmFacts>): Alarm[] {
  return alarmsOf({ ...well, ...facts })
}

function certificateUntil(notAfterMs: number, problem?: string, name = 'mqtts'): AlarmFacts['certificates'] {
  const certificate: CertificateInfo = { subject: 'CN=mq', notAfterMs, isDevelopment: false, problem }
  return new Map([[name, certificate]])
}

test('when all is well there is no alarm', () => {
  expect(alarms({ certificates: certificateUntil(well.nowMs + 15 * DAY_MS) })).toEqual([])
})

const DAMAGED = [
  { key: 'definitions/policy/p', text: "definition 'definitions/policy/p' is damaged; it does not count" },
  { key: 'definitions/policy/q', text: 'another' },
]

test.each<[string, Partial<AlarmFacts>, string, Alarm['severity'], string, string]>([
  [
    'definitions that cannot be read',
    { damagedDefinitions: DAMAGED },
    'definitions-damaged',
    'warning',
    "The definition 'definitions/policy/p' is damaged; it does not count. The same goes for 1 more",
    '/definitions',
  ],
  ['a store that takes nothing', { store: { problem: 'EIO' } }, 'store-failed', 'critical', 'EIO', '/store'],
  [
    'a disk without room',
    { disk: { ...well.disk, freeBytes: GIB - 1 } },
    'disk-full',
    'critical',
    `less than store.minFreeBytes ${GIB}`,
    '/store',
  ],
  [
    'a store at its limit',
    { disk: { ...well.disk, maxBytes: GIB } },
    'disk-full',
    'critical',
    `store.maxBytes is ${GIB}`,
    '/store',
  ],
  [
    'a disk with little room',
    { disk: { ...well.disk, freeBytes: 2 * GIB - 1 } },
    'disk-nearly-full',
    'warning',
    'Give it room',
    '/store',
  ],
  [
    'a store near its limit',
    { disk: { ...well.disk, maxBytes: 1.1 * GIB } },
    'disk-nearly-full',
    'warning',
    'soon it is full',
    '/store',
  ],
  [
    'full queues',
    { blockingCount: 3 },
    'queues-blocking',
    'warning',
    '3 queues that are full',
    '/queues?unhealthy=true',
  ],
  [
    'memory near its limit',
    { memory: { ...well.memory, waitingBytes: 0.9 * GIB } },
    'memory-near-limit',
    'warning',
    'limits.waitingBytesMax',
    '/queues?sort=-readyBytes',
  ],
  [
    'memory at its limit',
    { memory: { ...well.memory, waitingBytes: GIB } },
    'memory-near-limit',
    'critical',
    'publishers wait',
    '/queues?sort=-readyBytes',
  ],
  [
    'growing dead letters',
    { deadLetteredCount: 1 },
    'dead-letters-growing',
    'warning',
    '1 message was dead-lettered',
    '/dead-letters',
  ],
  [
    'a certificate that is over',
    { certificates: certificateUntil(well.nowMs) },
    'certificate-mqtts',
    'critical',
    'clients refuse it',
    '/listeners',
  ],
  [
    'a certificate that ends soon',
    { certificates: certificateUntil(well.nowMs + DAY_MS) },
    'certificate-mqtts',
    'warning',
    'certificate of listener mqtts (CN=mq) ends within a day',
    '/listeners',
  ],
  [
    'a certificate of the console that ends soon',
    { certificates: certificateUntil(well.nowMs + DAY_MS, undefined, 'console') },
    'certificate-console',
    'warning',
    'certificate of the console (CN=mq) ends within a day',
    '/listeners',
  ],
  [
    'a new certificate that cannot be used',
    { certificates: certificateUntil(well.nowMs + 100 * DAY_MS, 'x.pem is not a PEM certificate') },
    'certificate-kept-mqtts',
    'warning',
    'Listener mqtts keeps its old certificate: x.pem is not a PEM certificate. Mend the files',
    '/listeners',
  ],
  ['a busy thread', { eventLoop: { ...well.eventLoop, p99Ms: 100 } }, 'event-loop-late', 'warning', '100 ms late', '/'],
  [
    'a thread that is hardly there',
    { eventLoop: { ...well.eventLoop, p99Ms: 1_000 } },
    'event-loop-late',
    'critical',
    '1000 ms late',
    '/',
  ],
])('%s is an alarm of its own with what to do and where to look', (_, facts, id, severity, text, link) => {
  expect(alarms(facts)).toEqual([{ id, severity, text: expect.stringContaining(text) as string, link }])
})

test('without a disk none can be full', () => {
  const disk = { engine: 'memory', durability: 'memory', usedBytes: 2 * GIB, maxBytes: GIB } as const
  expect(alarms({ disk })).toEqual([])
})

test('what is critical comes first', () => {
  const found = alarms({ blockingCount: 1, eventLoop: { ...well.eventLoop, p99Ms: 2_000 } })
  expect(found.map(({ id }) => id)).toEqual(['event-loop-late', 'queues-blocking'])
})
