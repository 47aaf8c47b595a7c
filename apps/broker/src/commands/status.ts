/** `ternmq status`: the broker as a whole. */
import { getOverview, listListeners, type ListenerItem, type Overview } from '@ternmq/api'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { countText, durationText, percentText, ratesText, several, sizeText } from '../cli/format.ts'
import { printJson, printLines, tableWidth } from '../cli/output.ts'
import { type Style, styleOf } from '../cli/style.ts'
import { row, Table } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'

export const status: Noun = {
  name: 'status',
  summary: 'how the broker is: counts, rates, memory, disk, what is wrong',
  commands: [
    brokerCommand({
      verb: '',
      args: '',
      summary: 'how the broker is: counts, rates, memory, disk, what is wrong',
      json: 'document',
      run: async ({ connection: { client }, values, io }) => {
        const overview = await client.call(getOverview)
        const { items: listeners } = await client.call(listListeners)
        if (values.json === true) printJson(io, { ...overview, listeners })
        else printLines(io, linesOf(overview, listeners, styleOf(io), tableWidth(io)))
        return 0
      },
    }),
  ],
}

function linesOf(overview: Overview, listeners: readonly ListenerItem[], style: Style, widthMax: number): string[] {
  const { node, atMs, counts, rates, readyCount, inflightCount, memory, disk, eventLoop, alarms, totals } = overview
  const limit = disk.maxBytes === 0 ? '' : ` of ${sizeText(disk.maxBytes)}`
  const free = disk.freeBytes === undefined ? '' : `, ${sizeText(disk.freeBytes)} free`
  return [
    row('broker', `TernMQ ${node.version}, process ${node.pid} on ${safeText(node.hostName)}, Node ${node.node}`),
    row('data directory', node.dataDir === '' ? 'none' : node.dataDir),
    row('up for', durationText(atMs - node.startedAtMs)),
    row('connections', `${countText(counts.connections)}, ${several(counts.sessions, 'session')}`),
    row('queues', `${countText(counts.queues)}, ${several(counts.consumers, 'consumer')}`),
    row(
      'topics',
      `${several(counts.subscriptions, 'subscription')}, ${several(counts.retained, 'retained message')}, ${several(counts.schedules, 'schedule')}`,
    ),
    row('messages', `${countText(readyCount)} ready, ${countText(inflightCount)} in flight`),
    row('per second', ratesText(rates)),
    row(
      'since the start',
      `${countText(totals.messagesIn)} in, ${countText(totals.messagesOut)} out, ${countText(totals.deadLettered)} dead-lettered, ` +
        `${countText(totals.expired)} expired, ${countText(totals.dropped)} dropped`,
    ),
    row(
      'memory',
      `${sizeText(memory.rssBytes)}, waiting messages ${sizeText(memory.waitingBytes)} of ${sizeText(memory.waitingBytesMax)}`,
    ),
    row('disk', `${disk.engine}, ${disk.durability}: ${sizeText(disk.usedBytes)}${limit}${free}`),
    row('thread', `${percentText(eventLoop.utilization)} busy, timers ${eventLoop.p99Ms.toFixed(1)} ms late (p99)`),
    '',
    ...new Table(LISTENER_COLUMNS, widthMax, style.bold).lines(listeners),
    '',
    ...(alarms.length === 0
      ? [style.green('nothing is wrong')]
      : alarms.map(({ severity, text }) =>
          (severity === 'critical' ? style.red : style.yellow)(`${severity}: ${safeText(text)}`),
        )),
  ]
}

const LISTENER_COLUMNS = [
  { title: 'LISTENER', value: ({ name }: ListenerItem) => name },
  { title: 'PROTOCOLS', value: ({ protocols }: ListenerItem) => protocols.join(', '), cut: true },
  { title: 'ADDRESS', value: ({ host, port }: ListenerItem) => `${host}:${port}` },
  { title: 'TLS', value: ({ tls }: ListenerItem) => (tls ? 'yes' : 'no') },
  { title: 'OPEN', value: ({ openCount }: ListenerItem) => countText(openCount), right: true },
  { title: 'ACCEPTED', value: ({ acceptedCount }: ListenerItem) => countText(acceptedCount), right: true, extra: true },
  { title: 'REFUSED', value: ({ refusedCount }: ListenerItem) => countText(refusedCount), right: true, extra: true },
] as const
