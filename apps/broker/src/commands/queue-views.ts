/** Queues and their consumers as tables and rows. */
import type { ConsumerItem, QueueDetail, QueueItem } from '@ternmq/api'
import { countText, durationText, rateText, sizeText } from '../cli/format.ts'
import type { Listing } from '../cli/output.ts'
import { valueText } from '../cli/settings-input.ts'
import { type Column, row, Table } from '../cli/table.ts'
import { safeText } from '../cli/text.ts'

export const QUEUE_LISTING: Listing<QueueItem> = {
  columns: [
    { title: 'QUEUE', value: ({ name }) => name, cut: true },
    { title: 'KIND', value: ({ kind }) => kind, extra: true },
    { title: 'READY', value: ({ readyCount }) => countText(readyCount), right: true },
    { title: 'IN FLIGHT', value: ({ inflightCount }) => countText(inflightCount), right: true },
    { title: 'DELAYED', value: ({ delayedCount }) => countText(delayedCount), right: true, extra: true },
    { title: 'SIZE', value: ({ readyBytes }) => sizeText(readyBytes), right: true, extra: true },
    { title: 'OLDEST', value: ({ oldestAgeMs }) => ageText(oldestAgeMs), right: true },
    { title: 'CONSUMERS', value: ({ consumerCount }) => countText(consumerCount), right: true },
    { title: 'IN/S', value: ({ inPerSecond }) => rateText(inPerSecond), right: true, extra: true },
    { title: 'OUT/S', value: ({ outPerSecond }) => rateText(outPerSecond), right: true, extra: true },
    { title: 'DURABILITY', value: ({ durability }) => durability, extra: true },
    { title: 'STATE', value: stateOf, cut: true },
  ],
  name: ({ name }) => name,
  none: 'no queues',
}

function ageText(ageMs: number | undefined): string {
  return ageMs === undefined ? '' : durationText(ageMs)
}

function stateOf({ paused, blocking, problem }: QueueItem): string {
  return problem ?? (paused ? 'paused' : blocking ? 'full' : 'ok')
}

export const CONSUMER_COLUMNS: ReadonlyArray<Column<ConsumerItem>> = [
  { title: 'CLIENT', value: ({ clientId }) => clientId, cut: true },
  { title: 'USER', value: ({ user }) => user, cut: true },
  { title: 'PROTOCOL', value: ({ protocol }) => protocol },
  { title: 'UNSETTLED', value: ({ unsettledCount }) => countText(unsettledCount), right: true },
  { title: 'CREDIT', value: ({ credit }) => countText(credit), right: true },
  { title: 'PRIORITY', value: ({ priority }) => String(priority), right: true, extra: true },
  { title: 'KIND', value: kindOf },
  { title: 'SELECTOR', value: ({ selector = '' }) => selector, cut: true, extra: true },
]

function kindOf({ attached, exclusive, browsing }: ConsumerItem): string {
  const kinds = [attached ? '' : 'away', exclusive ? 'exclusive' : '', browsing ? 'browses' : '']
  return kinds.filter((kind) => kind !== '').join(', ')
}

export function queueDetailLines(queue: QueueDetail, widthMax: number, title: (text: string) => string): string[] {
  const { name, kind, automatic, readyCount, readyBytes, inflightCount, delayedCount, oldestAgeMs, bindings } = queue
  const counts = [
    `${countText(queue.messagesIn)} in`,
    `${countText(queue.messagesOut)} out`,
    `${countText(queue.settledCount)} settled`,
    `${countText(queue.redeliveredCount)} redelivered`,
    `${countText(queue.deadLetteredCount)} dead-lettered`,
    `${countText(queue.expiredCount)} expired`,
    `${countText(queue.droppedCount)} dropped`,
  ]
  const settings = queue.effective.map(({ key, value, from, policy }) => ({
    key,
    value: valueText(value),
    from: policy === undefined ? from : `policy ${policy}`,
  }))
  return [
    row('queue', `${safeText(name)} (${kind}${automatic ? ', made by being used' : ''})`),
    row('state', stateOf(queue)),
    row('ready', `${countText(readyCount)}, ${sizeText(readyBytes)}`),
    row('in flight', `${countText(inflightCount)}, ${countText(delayedCount)} wait for another attempt`),
    ...(oldestAgeMs === undefined ? [] : [row('oldest', durationText(oldestAgeMs))]),
    row('since the start', counts.join(', ')),
    ...bindings.map((binding, index) => row(index === 0 ? 'from topics' : '', safeText(binding))),
    '',
    ...new Table(SETTING_COLUMNS, widthMax, title).lines(settings),
    '',
    ...(queue.consumers.length === 0
      ? ['no consumers']
      : new Table(CONSUMER_COLUMNS, widthMax, title).lines(queue.consumers)),
  ]
}

interface ShownSetting {
  readonly key: string
  readonly value: string
  readonly from: string
}

const SETTING_COLUMNS: ReadonlyArray<Column<ShownSetting>> = [
  { title: 'SETTING', value: ({ key }) => key },
  { title: 'VALUE', value: ({ value }) => value, cut: true },
  { title: 'FROM', value: ({ from }) => from, cut: true },
]
