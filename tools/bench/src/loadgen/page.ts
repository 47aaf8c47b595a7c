/** docs/benchmarks/mqtt.md, stomp.md and amqp.md: TernMQ beside its peers, and where it is slow. */
import { factsTable, type LabFacts, table } from '@ternmq/lab'

import { type Case, casesNamed, type Goal, type Suite, SUITES } from './cases.ts'
import { type RelayReport, relaySection, relayShortfalls } from '../amqp/page.ts'
import { type OwnReport, ownSection, ownShortfalls } from '../stomp/page.ts'
import type { Summary } from './results.ts'
import { judge, type Verdict } from './verdict.ts'

export const OURS = 'ternmq'

export interface CaseReport {
  readonly id: string
  readonly title: string
  readonly results: readonly Summary[]
}

export interface LoadgenReport {
  readonly facts: LabFacts
  readonly protocol: Suite['protocol']
  readonly peers: readonly { readonly name: string; readonly version: string }[]
  /** Identifies the sources of the load generator. */
  readonly loadgen: string
  readonly cases: readonly CaseReport[]
  /** Measured without the load generator; left out where that was not asked for. */
  readonly own?: OwnReport | undefined
  readonly relay?: RelayReport | undefined
}

/** A core's quarter: above it a run shared the machine and compare.py has repeated it in vain. */
const NOISY_CORES = 0.25

export function loadgenPage(report: LoadgenReport): string {
  const { facts, peers, loadgen, cases, own, relay } = report
  const { title, command } = SUITES[report.protocol]
  const judged = cases.map(({ id, results }) => {
    const one = casesNamed([id])[0]!
    const ours = results.find(({ target }) => target === OURS)
    return {
      one,
      verdict: judge(
        one,
        ours,
        results.filter(({ target }) => target !== OURS),
      ),
    }
  })
  return [
    `# ${title} beside other brokers`,
    '',
    `Made by \`${command}\`; changes here are overwritten. The brokers take turns in every`,
    'round; each number is the median of the rounds. The load generator shares the machine with the broker it measures.',
    '',
    factsTable(facts, {
      ...Object.fromEntries(peers.map(({ name, version }) => [name, version])),
      'load generator': loadgen,
    }),
    '## Where we stand',
    '',
    table(
      ['case', 'best peer in the same run', 'TernMQ', 'ratio', 'goal (at least)', 'goal (aim)', ''],
      judged.map(({ one, verdict }) => [
        `${one.id}: ${one.title}`,
        verdict.best === undefined ? '–' : `${verdict.best.target} ${cellOf(one, verdict.best)}`,
        verdict.ours === undefined ? '–' : cellOf(one, verdict.ours),
        verdict.ratio,
        goalText(one, 'least', one.goal.least),
        goalText(one, 'aim', one.goal.aim),
        verdict.standing,
      ]),
    ),
    '## Where we are slow or beaten',
    '',
    ...shortfalls(judged, report),
    '',
    ...(own === undefined ? [] : ownSection(own)),
    ...(relay === undefined ? [] : relaySection(relay)),
    '## Everything that was measured',
    '',
    ...cases.flatMap(({ id, title, results }) => [`### ${id}: ${title}`, '', detailTable(results)]),
  ].join('\n')
}

function shortfalls(
  judged: readonly { readonly one: Case; readonly verdict: Verdict }[],
  { own, relay }: LoadgenReport,
): string[] {
  const missed = judged.filter(({ verdict }) => verdict.shortfall !== '')
  const beaten = judged.filter(
    ({ one, verdict }) => one.measure !== 'connections' && isBeaten(verdict) && verdict.shortfall === '',
  )
  const lines = [
    ...missed.map(({ one, verdict }) => `- ${one.id}, ${one.title}: ${verdict.shortfall}.`),
    ...beaten.map(({ one, verdict }) => `- ${one.id}, ${one.title}: ${verdict.ratio}, which is within the goal.`),
    ...(own === undefined ? [] : ownShortfalls(own)),
    ...(relay === undefined ? [] : relayShortfalls(relay)),
  ]
  return lines.length === 0 ? ['Nowhere in these cases.'] : lines
}

/** Slower than the best peer, whatever the goal. */
function isBeaten({ best, ours }: Verdict): boolean {
  if (best?.messagesPerSecond === undefined || ours?.messagesPerSecond === undefined) return false
  return ours.messagesPerSecond < best.messagesPerSecond
}

function cellOf({ measure }: Case, summary: Summary): string {
  const noise = summary.otherCores > NOISY_CORES ? ' (noisy)' : ''
  switch (measure) {
    case 'rate':
    case 'flood':
      return `${rate(summary.messagesPerSecond)}${noise}`
    case 'backlog':
      return `push ${rate(summary.pushedPerSecond)}, drain ${rate(summary.messagesPerSecond)}, ${Math.round(summary.rssMiB ?? 0)} MiB${noise}`
    case 'latency':
      return `p50 ${time(summary.p50Us)}, p99 ${time(summary.p99Us)}${noise}`
    case 'connections':
      return `${kib(summary.bytesPerConnection)} each, ${whole(summary.connectsPerSecond)} connects/s${noise}`
  }
}

function goalText(
  { measure, equals, perSecond, rssMiBMax }: Case,
  kind: 'least' | 'aim',
  [first, second]: Goal['least'],
): string {
  switch (measure) {
    case 'rate': {
      const times = equals === undefined ? `${first} × the best` : `${first} × the best of those that sync`
      return perSecond === undefined ? times : `${rate(perSecond[kind])} and ${times}`
    }
    case 'latency':
      return `p50 at most ${first} ×, p99 at most ${second} × mosquitto's`
    case 'connections':
      return `${first} KiB each, ${second} connects/s`
    case 'backlog':
      return `push ${first} ×, drain ${second} × the best, at most ${rssMiBMax} MiB`
    case 'flood':
      return 'bounded memory, nothing lost'
  }
}

function detailTable(results: readonly Summary[]): string {
  const rows = results.map((summary) => [
    summary.target,
    summary.pushedPerSecond !== undefined
      ? `push ${rate(summary.pushedPerSecond)}, drain ${rate(summary.messagesPerSecond)} (${rate(summary.messagesPerSecondMin)} to ${rate(summary.messagesPerSecondMax)})`
      : summary.messagesPerSecond === undefined
        ? `${whole(summary.connectsPerSecond)} connects/s`
        : `${rate(summary.messagesPerSecond)} (${rate(summary.messagesPerSecondMin)} to ${rate(summary.messagesPerSecondMax)})`,
    [summary.p50Us, summary.p99Us, summary.p999Us, summary.maxUs].map(time).join(' / '),
    summary.cpuUsPerMessage === undefined ? '–' : `${summary.cpuUsPerMessage.toFixed(2)} µs`,
    summary.rssMiB === undefined ? '–' : `${Math.round(summary.rssMiB)} MiB`,
    remarks(summary),
  ])
  return table(
    ['broker', 'median (lowest to highest round)', 'p50 / p99 / p99.9 / max', 'CPU per message', 'RSS', ''],
    rows,
  )
}

function remarks({
  rounds,
  failures,
  lost,
  undelivered,
  duplicates,
  outOfOrder,
  otherCores,
  bytesPerConnection,
}: Summary): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
  return [
    bytesPerConnection === undefined ? '' : `${kib(bytesPerConnection)} each`,
    lost > 0 ? `${percent(lost)} lost` : '',
    undelivered > 0 ? `${percent(undelivered)} not delivered when it was cut off` : '',
    duplicates > 0 ? `${duplicates} duplicates` : '',
    outOfOrder > 0 ? `${outOfOrder} out of order` : '',
    failures.length > 0 ? `${failures.length} of ${rounds} runs failed: ${failures[0]}` : '',
    otherCores > NOISY_CORES ? `noisy: others used ${otherCores.toFixed(2)} cores` : '',
  ]
    .filter((part) => part !== '')
    .join(', ')
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '–'
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M/s`
  return perSecond >= 1e4 ? `${Math.round(perSecond / 1e3)}k/s` : `${Math.round(perSecond)}/s`
}

function time(us: number | undefined): string {
  if (us === undefined) return '–'
  if (us >= 1e6) return `${(us / 1e6).toFixed(2)} s`
  return us >= 1e3 ? `${(us / 1e3).toFixed(1)} ms` : `${Math.round(us)} µs`
}

function kib(bytes: number | undefined): string {
  return bytes === undefined ? '–' : `${(bytes / 1024).toFixed(1)} KiB`
}

function whole(value: number | undefined): string {
  return value === undefined ? '–' : String(Math.round(value))
}
