/** `bench console`: whether the admin API is quick with very much of everything, and what messages cost while somebody watches. */
import { factsTable, labFacts, table, writeJson, writePage } from '@ternmq/lab'

import { parseNumbers } from '../queues/options.ts'
import { type Browsed, measureBrowse } from './browse.ts'
import { Crowd } from './crowd.ts'
import { type Lists, measureLists } from './lists.ts'
import { measureOverhead, type Overhead } from './overhead.ts'
import { CHROMIUM, measureScrolling, type Scrolled } from './scrolling.ts'

const HELP = `Usage: npm run -s bench -- console [--queues N] [--connections N] [--messages N] [--pairs N] [--dry]

Lists and filters of the admin API with 10,000 queues and 10,000 connections, and their pages scrolled from end to end in Chromium, where there
is one; a queue of 1,000,000 messages browsed to its end; and CPU of the broker per message with metrics scraped, with the overview open, and with 100 permission rules, in N pairs of rounds, default 20. Writes
docs/benchmarks/console.md and .json, unless --dry is given. Linux only, and best alone on the machine: a quarter of an hour.
`
const LIST_MS_MAX = 100
/** Longer, and somebody sees it. */
const FRAME_MS_MAX = 50

export async function consoleBench(args: readonly string[]): Promise<number> {
  const options = parseNumbers(args, { queues: 10_000, connections: 10_000, messages: 1_000_000, pairs: 20 }, HELP)
  if (options === undefined) return 0
  const facts = labFacts()
  const { lists, scrolled } = await measureCrowd(options.queues, options.connections)
  const browsed = await measureBrowse(options.messages)
  const overheads = await measureOverhead(options.pairs)
  const page = pageOf(factsTable(facts), options, lists, scrolled, browsed, overheads)
  process.stdout.write(page)
  if (!options.isDry) {
    process.stdout.write(
      `${writeJson('docs/benchmarks/console.json', { facts, ...options, lists, scrolled, browsed, overheads })}\n`,
    )
    process.stdout.write(`${writePage('docs/benchmarks/console.md', page)}\n`)
  }
  return 0
}

async function measureCrowd(
  queues: number,
  connections: number,
): Promise<{ lists: Lists; scrolled: readonly Scrolled[] | undefined }> {
  await using crowd = await Crowd.gather(queues, connections)
  return { lists: await measureLists(crowd), scrolled: await measureScrolling(crowd) }
}

function pageOf(
  facts: string,
  { queues, connections }: { readonly queues: number; readonly connections: number },
  lists: Lists,
  scrolled: readonly Scrolled[] | undefined,
  browsed: Browsed,
  overheads: readonly Overhead[],
): string {
  return [
    '# The admin API, and what it costs',
    '',
    'Made by `npm run -s bench -- console`; changes here are overwritten.',
    '',
    facts,
    `## Lists and filters, ${N(queues)} queues and ${N(connections)} connections`,
    '',
    `One call after another over HTTP, a page of 100 each; each has a goal of at most ${LIST_MS_MAX} ms. The client shares the machine with the broker.`,
    `The first call of all took ${ms(lists.firstMs)}: what answers calls is loaded for it.`,
    '',
    table(
      ['list', 'median', 'slowest of 30', 'goal'],
      lists.times.map(({ list, medianMs, slowestMs }) => [
        list,
        ms(medianMs),
        ms(slowestMs),
        slowestMs < LIST_MS_MAX ? 'met' : 'missed',
      ]),
    ),
    '## Their pages, scrolled from end to end',
    '',
    ...scrollingLines(scrolled),
    '## A long queue, browsed to its end',
    '',
    `${N(browsed.messages)} messages of 256 bytes, ${N(browsed.pages)} pages: ${browsed.seconds.toFixed(1)} s, the slowest page ${ms(browsed.slowestPageMs)}. Memory of the broker`,
    `before ${browsed.rssBeforeMiB.toFixed(0)} MiB, at most ${browsed.rssPeakMiB.toFixed(0)} MiB meanwhile.`,
    '',
    '## What messages cost while somebody watches',
    '',
    'QoS 0, one publisher, one subscriber, ten topics, as fast as it goes. CPU of the broker per message, in pairs of rounds of 3 s that follow one another. The',
    'interval has the true median of the differences in it with 95 %; its upper end must be below the goal.',
    '',
    table(
      ['with', 'without it', 'more, median', 'interval', 'goal', ''],
      overheads.map(({ what, withoutNs, difference, percentMax, pairs }) => [
        `${what} (${pairs} pairs)`,
        `${withoutNs.toFixed(0)} ns`,
        percent(difference.median),
        `${percent(difference.low)} to ${percent(difference.high)}`,
        `below ${percentMax} %`,
        difference.high < percentMax ? 'met' : 'missed',
      ]),
    ),
  ].join('\n')
}

function scrollingLines(scrolled: readonly Scrolled[] | undefined): string[] {
  if (scrolled === undefined) return [`Not measured: there is no Chromium at ${CHROMIUM}.`, '']
  return [
    'Headless Chromium on the same machine, 500 rows a page, 200 pixels with each frame, while the list is looked up anew every three seconds. The goal is',
    `no frame and no task of a script over ${FRAME_MS_MAX} ms; tasks are counted while pages are turned, too.`,
    '',
    table(
      ['list', 'rows scrolled', 'frames', 'longest frame', 'tasks over 50 ms', 'goal'],
      scrolled.map(({ list, rows, frames, longestFrameMs, longTasks }) => [
        list,
        N(rows),
        N(frames),
        ms(longestFrameMs),
        N(longTasks),
        longTasks === 0 && longestFrameMs <= FRAME_MS_MAX ? 'met' : 'missed',
      ]),
    ),
  ]
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`
}

function percent(value: number): string {
  return `${value.toFixed(1)} %`
}

function N(value: number): string {
  return value.toLocaleString('en-US')
}
