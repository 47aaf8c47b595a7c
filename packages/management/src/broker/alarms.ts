/** What is wrong with the broker as a whole, each with a sentence that says what to do and the page of the console that explains it. */
import { type Alarm, type CertificateInfo, type Overview, several, type StoreInfo } from '@ternmq/api'
import type { DamagedDefinition } from '../definitions/definition-store.ts'

/** What alarms are made of, at one moment. */
export interface AlarmFacts {
  /** Unix ms. */
  readonly nowMs: number
  readonly memory: Overview['memory']
  readonly disk: Overview['disk']
  readonly eventLoop: Overview['eventLoop']
  readonly store: Pick<StoreInfo, 'problem'>
  /** By name of the listener, or `console`. */
  readonly certificates: ReadonlyMap<string, CertificateInfo>
  /** Queues that publishers wait for. */
  readonly blockingCount: number
  /** Within the last minute. */
  readonly deadLetteredCount: number
  readonly damagedDefinitions: readonly DamagedDefinition[]
  /** `store.minFreeBytes`: with less, nothing is taken. */
  readonly minFreeBytes: number
}

/** Share of a limit from which on it is nearly reached. */
const NEARLY = 0.9
/** Free space of so many times `minFreeBytes` is little. */
const LITTLE_FREE_FACTOR = 2
const DAY_MS = 86_400_000
/** Before a certificate ends. */
const CERTIFICATE_WARNING_MS: number = 14 * DAY_MS
/** How late timers are, at the 99th percentile: clients begin to notice, and keep-alives are in danger. */
const LATE_WARNING_MS = 100
const LATE_CRITICAL_MS = 1_000

type Check = (facts: AlarmFacts) => readonly Alarm[]

/** In the order in which an operator should read them. */
const CHECKS: readonly Check[] = [
  storeFailed,
  diskFull,
  queuesBlocking,
  memoryNearLimit,
  deadLettersGrow,
  definitionsDamaged,
  certificatesEnd,
  certificatesKept,
  loopIsLate,
]

/** The critical ones first. */
export function alarmsOf(facts: AlarmFacts): Alarm[] {
  const alarms = CHECKS.flatMap((check) => check(facts))
  return [
    ...alarms.filter(({ severity }) => severity === 'critical'),
    ...alarms.filter(({ severity }) => severity === 'warning'),
  ]
}

function storeFailed({ store: { problem } }: AlarmFacts): Alarm[] {
  if (problem === undefined) return []
  return [{ id: 'store-failed', severity: 'critical', text: `The store takes no messages: ${problem}`, link: '/store' }]
}

function diskFull({ disk, minFreeBytes }: AlarmFacts): Alarm[] {
  const { usedBytes, maxBytes, freeBytes, engine } = disk
  if (engine === 'memory') return []
  const fullShare = maxBytes === 0 ? 0 : usedBytes / maxBytes
  const isShort = freeBytes !== undefined && freeBytes < minFreeBytes
  if (fullShare >= 1 || isShort) {
    const what = isShort
      ? `The disk has ${freeBytes} bytes free, less than store.minFreeBytes ${minFreeBytes}`
      : `The store has ${usedBytes} bytes on disk, its limit store.maxBytes is ${maxBytes}`
    return [
      {
        id: 'disk-full',
        severity: 'critical',
        text: `${what}: persistent messages are refused. Empty queues, or give it room.`,
        link: '/store',
      },
    ]
  }
  if (fullShare >= NEARLY) {
    const text = `The store has ${usedBytes} of ${maxBytes} bytes (store.maxBytes): soon it is full. Empty queues, or raise the limit.`
    return [{ id: 'disk-nearly-full', severity: 'warning', text, link: '/store' }]
  }
  if (freeBytes === undefined || freeBytes >= minFreeBytes * LITTLE_FREE_FACTOR) return []
  const text = `The disk has ${freeBytes} bytes free; with less than ${minFreeBytes} (store.minFreeBytes) nothing is taken. Give it room.`
  return [{ id: 'disk-nearly-full', severity: 'warning', text, link: '/store' }]
}

function queuesBlocking({ blockingCount }: AlarmFacts): Alarm[] {
  if (blockingCount === 0) return []
  const whose = blockingCount === 1 ? 'a queue that is full' : `${blockingCount} queues that are full`
  const text = `Publishers wait for room in ${whose}. Start consumers, or look at what waits there.`
  return [{ id: 'queues-blocking', severity: 'warning', text, link: '/queues?unhealthy=true' }]
}

function memoryNearLimit({ memory: { waitingBytes, waitingBytesMax } }: AlarmFacts): Alarm[] {
  if (waitingBytes < waitingBytesMax * NEARLY) return []
  const isFull = waitingBytes >= waitingBytesMax
  const then = isFull ? 'publishers wait, or are refused' : 'beyond it publishers wait, or are refused'
  const text = `Messages that wait take ${waitingBytes} of ${waitingBytesMax} bytes of memory (limits.waitingBytesMax): ${then}. Start consumers, or raise the limit.`
  return [
    { id: 'memory-near-limit', severity: isFull ? 'critical' : 'warning', text, link: '/queues?sort=-readyBytes' },
  ]
}

function deadLettersGrow({ deadLetteredCount: count }: AlarmFacts): Alarm[] {
  if (count === 0) return []
  const text = `${several(count, 'message was', 'messages were')} dead-lettered within the last minute. See why, and send again what should not be lost.`
  return [{ id: 'dead-letters-growing', severity: 'warning', text, link: '/dead-letters' }]
}

/** One is told in full: most times there is only one. */
function definitionsDamaged({ damagedDefinitions: [first, ...others] }: AlarmFacts): Alarm[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '' : ` The same goes for ${others.length} more; the events of the start name them.`
  return [{ id: 'definitions-damaged', severity: 'warning', text: `The ${first.text}.${more}`, link: '/definitions' }]
}

function certificatesEnd({ certificates, nowMs }: AlarmFacts): Alarm[] {
  return [...certificates].flatMap(([name, { subject, notAfterMs }]) => {
    if (notAfterMs - nowMs > CERTIFICATE_WARNING_MS) return []
    const isOver = notAfterMs <= nowMs
    const days = Math.ceil(Math.abs(notAfterMs - nowMs) / DAY_MS)
    const within = days === 1 ? 'a day' : `${days} days`
    const text = isOver
      ? `The certificate of ${calledIn(name)} (${subject}) is over, for ${within} at most: clients refuse it. Put a new one in its place.`
      : `The certificate of ${calledIn(name)} (${subject}) ends within ${within}. Put a new one in its place.`
    return [{ id: `certificate-${name}`, severity: isOver ? 'critical' : 'warning', text, link: '/listeners' }]
  })
}

/** Nobody notices it until the old one ends. */
function certificatesKept({ certificates }: AlarmFacts): Alarm[] {
  return [...certificates].flatMap(([name, { problem }]) => {
    if (problem === undefined) return []
    const text = `${upperFirst(calledIn(name))} keeps its old certificate: ${problem}. Mend the files; they are read again by themselves.`
    return [{ id: `certificate-kept-${name}`, severity: 'warning', text, link: '/listeners' }]
  })
}

function calledIn(name: string): string {
  return name === 'console' ? 'the console' : `listener ${name}`
}

function upperFirst(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}

function loopIsLate({ eventLoop: { p99Ms } }: AlarmFacts): Alarm[] {
  if (p99Ms < LATE_WARNING_MS) return []
  const text = `The broker's thread is busy: one timer in a hundred is ${Math.round(p99Ms)} ms late. Spread the load, or give it a faster core.`
  return [{ id: 'event-loop-late', severity: p99Ms >= LATE_CRITICAL_MS ? 'critical' : 'warning', text, link: '/' }]
}
