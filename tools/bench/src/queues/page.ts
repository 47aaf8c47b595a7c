/**
 * docs/benchmarks/queues.md: what is asked of queues in speed and memory, and what was measured. Each measurement is a command of its
 * own, for they take long: it puts its results into queues.json and the page is made anew from all of them.
 */
import { factsTable, type LabFacts, ROOT, table, writeJson, writePage } from '@ternmq/lab'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const JSON_PATH = 'docs/benchmarks/queues.json'
const PAGE_PATH = 'docs/benchmarks/queues.md'
const MIB = 1_048_576

export interface Backlog {
  readonly messages: number
  readonly payloadBytes: number
  /** Per second, of each tenth of the messages. */
  readonly publishRates: readonly number[]
  readonly publishRate: number
  /** Of the broker, with all of them waiting, and the most there was until then. */
  readonly rssBytes: number
  readonly peakBytes: number
  readonly diskBytes: number
  readonly drainRates: readonly number[]
  readonly drainRate: number
  readonly rssAfterDrainBytes: number
}

export interface Restart {
  readonly messages: number
  readonly payloadBytes: number
  /** From the start of the process until it accepts: after SIGKILL, and after it was stopped. */
  readonly killedMs: number
  readonly stoppedMs: number
  readonly rssBytes: number
  readonly purgeMs: number
  readonly diskBytes: number
  readonly diskAfterPurgeBytes: number
  /** From the purge until the disk has most of the space back; undefined when it has not after a while. */
  readonly spaceBackMs: number | undefined
}

export interface ManyQueues {
  readonly queues: number
  readonly payloadBytes: number
  readonly rssBytes: number
  readonly killedMs: number
  readonly stoppedMs: number
  readonly rssAfterRestartBytes: number
}

export interface Sample {
  readonly second: number
  readonly diskBytes: number
  /** The last that the store has told. */
  readonly liveBytes: number
}

export interface Churn {
  readonly seconds: number
  readonly payloadBytes: number
  readonly messages: number
  readonly segmentBytes: number
  readonly samples: readonly Sample[]
}

export interface Results {
  readonly backlog?: Measured<Backlog>
  readonly restart?: Measured<Restart>
  readonly queues?: Measured<ManyQueues>
  readonly churn?: Measured<Churn>
}

export type Measured<T> = T & { readonly facts: LabFacts }

/** Lays the new results over those that are there. Returns the page; writes it and the JSON unless `isDry`. */
export function addResults(results: Results, isDry: boolean): string {
  const file = join(ROOT, JSON_PATH)
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {}
  const all = { ...before, ...results }
  const page = pageOf(all)
  if (isDry) return page
  writeJson(JSON_PATH, all)
  writePage(PAGE_PATH, page)
  if (all.churn !== undefined) writePage('docs/benchmarks/queues-disk.svg', diskPlot(all.churn))
  return page
}

/** Disk use that is still well at a time. */
export function limitBytes({ segmentBytes }: Churn, liveBytes: number): number {
  return 3 * liveBytes + 3 * segmentBytes
}

export function pageOf({ backlog, restart, queues, churn }: Results): string {
  const rows = [
    ...(backlog === undefined ? [] : backlogRows(backlog)),
    ...(restart === undefined ? [] : restartRows(restart)),
    ...(queues === undefined ? [] : queueRows(queues)),
    ...(churn === undefined ? [] : churnRows(churn)),
  ]
  const sections = Object.entries({ backlog, restart, queues, churn }).flatMap(([name, result]) =>
    result === undefined ? [] : [`### \`bench ${name}\``, '', factsTable(result.facts)],
  )
  return [
    '# Queues: speed, memory, disk',
    '',
    'Made by `npm run -s bench -- backlog`, `restart`, `queues` and `churn`; changes here are overwritten. Persistent messages over MQTT with',
    'QoS 1 to `$queue/NAME`, acknowledged after `fdatasync`; the broker is a process of its own with everything at its default but for the limit',
    'of the queue; clients share the machine with it.',
    '',
    table(['case', 'measured', 'at least', 'we aim for', ''], rows),
    ...(backlog === undefined
      ? []
      : [
          '## Whether a long queue makes a broker slower',
          '',
          `Messages per second of each tenth of ${N(backlog.messages)} messages of ${backlog.payloadBytes} bytes.`,
          '',
          table(
            ['', ...backlog.publishRates.map((_, index) => String(index + 1))],
            [
              ['published', ...backlog.publishRates.map(thousands)],
              ['drained', ...backlog.drainRates.map(thousands)],
            ],
          ),
        ]),
    ...(churn === undefined
      ? []
      : [
          '## Disk use',
          '',
          `${N(churn.messages)} messages of ${churn.payloadBytes} bytes went through a queue in ${churn.seconds} seconds, while one message that came first stayed.`,
          '',
          '![disk use over time](queues-disk.svg)',
          '',
        ]),
    '## Where it was measured',
    '',
    ...sections,
  ].join('\n')
}

type Row = [name: string, measured: string, least: string, aim: string, standing: string]

function standing(value: number, least: number, aim: number | undefined, isMoreBetter: boolean): string {
  const reaches = (goal: number): boolean => (isMoreBetter ? value >= goal : value <= goal)
  if (aim !== undefined && reaches(aim)) return 'aim met'
  return reaches(least) ? 'goal met' : 'missed'
}

function backlogRows(backlog: Backlog): Row[] {
  const { messages, payloadBytes, publishRates, publishRate, rssBytes, peakBytes, diskBytes, drainRate } = backlog
  const what = `${N(messages)} × ${payloadBytes} B`
  const fall = 1 - (publishRates.at(-1) ?? NaN) / (publishRates[0] ?? NaN)
  return [
    [
      `memory with a backlog of ${what}`,
      `${mib(rssBytes)} (at most ${mib(peakBytes)}; ${mib(diskBytes)} on disk)`,
      'under 600 MiB',
      'under 300 MiB',
      standing(rssBytes, 600 * MIB, 300 * MIB, false),
    ],
    [
      'publishing of it, last tenth beside the first',
      `${thousands(publishRate)}/s, ${fall > 0 ? `${(fall * 100).toFixed(0)} % less` : `${(-fall * 100).toFixed(0)} % more`}`,
      'less than 20 % less',
      '',
      standing(fall, 0.2, undefined, false),
    ],
    [
      'draining of it, 4 consumers',
      `${thousands(drainRate)}/s`,
      '150k/s',
      '400k/s',
      standing(drainRate, 150_000, 400_000, true),
    ],
  ]
}

function restartRows(restart: Restart): Row[] {
  const {
    messages,
    payloadBytes,
    killedMs,
    stoppedMs,
    rssBytes,
    purgeMs,
    diskBytes,
    diskAfterPurgeBytes,
    spaceBackMs,
  } = restart
  const what = `${N(messages)} × ${payloadBytes} B`
  const row = (name: string, ms: number, more: string): Row => [
    name,
    `${seconds(ms)}${more}`,
    'under 3 s',
    'under 1 s',
    standing(ms, 3_000, 1_000, false),
  ]
  return [
    row(`restart with ${what} waiting, after kill -9`, killedMs, `, ${mib(rssBytes)}`),
    row('the same, after it was stopped', stoppedMs, ''),
    [
      `purge of ${what}`,
      `${seconds(purgeMs)}; ${mib(diskBytes)} on disk before, ${mib(diskAfterPurgeBytes)} ${spaceBackMs === undefined ? 'after a while' : `${seconds(spaceBackMs)} later`}`,
      'under 1 s, space returned',
      '',
      standing(spaceBackMs === undefined ? Infinity : purgeMs, 1_000, undefined, false),
    ],
  ]
}

function queueRows({ queues, rssBytes, killedMs, stoppedMs, rssAfterRestartBytes }: ManyQueues): Row[] {
  const most = Math.max(rssBytes, rssAfterRestartBytes)
  const ms = Math.max(killedMs, stoppedMs)
  return [
    [
      `${N(queues)} queues, 1 message each`,
      `${mib(rssBytes)}, after a restart ${mib(rssAfterRestartBytes)}`,
      'under 200 MiB',
      '',
      standing(most, 200 * MIB, undefined, false),
    ],
    [
      'restart with them, after kill -9 and after it was stopped',
      `${seconds(killedMs)} and ${seconds(stoppedMs)}`,
      'under 2 s',
      '',
      standing(ms, 2_000, undefined, false),
    ],
  ]
}

function churnRows(churn: Churn): Row[] {
  const share = Math.max(...churn.samples.map(({ diskBytes, liveBytes }) => diskBytes / limitBytes(churn, liveBytes)))
  const most = Math.max(...churn.samples.map(({ diskBytes }) => diskBytes))
  return [
    [
      `disk use in ${churn.seconds} s of publishing and consuming with one stuck message`,
      `at most ${mib(most)}, ${(share * 100).toFixed(0)} % of what is allowed`,
      '3 × live bytes + 3 segments',
      '',
      standing(share, 1, undefined, false),
    ],
  ]
}

const PLOT = { width: 720, height: 260, left: 70, right: 20, top: 20, bottom: 40 }

/** Disk use and what is allowed, over time. Colours that can be told apart on white and on black. */
export function diskPlot(churn: Churn): string {
  const { width, height, left, right, top, bottom } = PLOT
  const { samples } = churn
  const allowed = samples.map(({ liveBytes }) => limitBytes(churn, liveBytes))
  const bytesMax = Math.max(...allowed, ...samples.map(({ diskBytes }) => diskBytes)) * 1.1
  const secondMax = Math.max(samples.at(-1)?.second ?? 1, 1)
  const x = (second: number): string => (left + (second / secondMax) * (width - left - right)).toFixed(1)
  const y = (bytes: number): string => (height - bottom - (bytes / bytesMax) * (height - top - bottom)).toFixed(1)
  const line = (values: readonly number[], style: string): string =>
    `<polyline fill="none" ${style} points="${values.map((bytes, index) => `${x(samples[index]!.second)},${y(bytes)}`).join(' ')}"/>`
  const label = (at: string, text: string): string =>
    `<text ${at} font-size="12" font-family="sans-serif" fill="#888">${text}</text>`
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const bytes = share * bytesMax
    const second = Math.round(share * secondMax)
    return [
      `<line x1="${left}" x2="${width - right}" y1="${y(bytes)}" y2="${y(bytes)}" stroke="#888" stroke-opacity="0.3"/>`,
      label(`x="${left - 6}" y="${y(bytes)}" text-anchor="end" dominant-baseline="middle"`, mib(bytes)),
      label(`x="${x(second)}" y="${height - bottom + 18}" text-anchor="middle"`, `${second} s`),
    ]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Disk use over time">`,
    ...ticks,
    line(allowed, 'stroke="#c33" stroke-width="1.5" stroke-dasharray="6 4"'),
    line(
      samples.map(({ diskBytes }) => diskBytes),
      'stroke="#38c" stroke-width="1.5"',
    ),
    label(`x="${left + 8}" y="${top + 4}"`, 'dashed: 3 × live bytes + 3 segments; line: bytes on disk'),
    '</svg>',
    '',
  ].join('\n')
}

function N(value: number): string {
  return value.toLocaleString('en-US')
}

function mib(bytes: number): string {
  return `${N(Math.round(bytes / MIB))} MiB`
}

function thousands(rate: number): string {
  return `${Math.round(rate / 1_000)}k`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}
