/** A store's report as text: one line for the whole, a table for each partition. */
import type { QueueItem, StoreReport } from '@ternmq/api'
import { countText, several, sizeText } from '../cli/format.ts'
import { type Column, Table } from '../cli/table.ts'

const COLUMNS = ['file', 'bytes', 'first lsn', 'last lsn', 'live', 'live bytes'] as const
const QUEUE_COLUMNS: ReadonlyArray<Column<QueueItem>> = [
  { title: 'QUEUE', value: ({ name }) => name, cut: true },
  { title: 'DURABILITY', value: ({ durability }) => durability },
  { title: 'READY', value: ({ readyCount }) => countText(readyCount), right: true },
  { title: 'IN FLIGHT', value: ({ inflightCount }) => countText(inflightCount), right: true },
  { title: 'CONSUMERS', value: ({ consumerCount }) => countText(consumerCount), right: true },
]

export function reportLines(folder: string, report: StoreReport): string[] {
  const { formatVersion, diskBytes, tornBytes, partitions, catalogKeys, faults } = report
  const segments = partitions.flatMap((partition) => partition.segments)
  const liveBytes = segments.reduce((sum, segment) => sum + segment.liveBytes, 0)
  const whole = `${folder}: format ${formatVersion}, ${several(segments.length, 'segment')}, ${sizeText(diskBytes)} on disk, ${sizeText(liveBytes)} live, ${several(catalogKeys, 'definition')}`
  const lines = [whole]
  if (tornBytes > 0) lines.push(`${tornBytes} bytes of a write that was not finished; the next start cuts them off`)
  if (faults.length > 0) lines.push(`${several(faults.length, 'damaged place')}; \`ternmq store verify\` says where`)
  for (const { id, segments: files, snapshot, lastLsn } of partitions) {
    const snapshotText =
      snapshot === undefined
        ? 'no snapshot'
        : `snapshot ${snapshot.file} after lsn ${snapshot.at}, ${sizeText(snapshot.bytes)}`
    lines.push('', `partition ${id}: last lsn ${lastLsn}, ${snapshotText}`)
    const rows = files.map((each) =>
      [each.file, each.bytes, each.firstLsn, each.lastLsn, each.liveRecords, each.liveBytes].map(String),
    )
    lines.push(...tableLines([COLUMNS, ...rows]))
  }
  return lines
}

export interface ShownQueues {
  readonly queues: readonly QueueItem[]
  readonly queueCount: number
}

/** The queues of a broker that runs; of one that does not nothing is known without a start. */
export function queueLines(shown: ShownQueues | undefined, widthMax: number): string[] {
  if (shown === undefined) return ['', 'queues: shown while a broker runs on the data directory']
  const { queues, queueCount } = shown
  const left = queueCount - queues.length
  const more = left > 0 ? [`and ${countText(left)} more, none of them fuller`] : []
  return ['', ...new Table(QUEUE_COLUMNS, widthMax).lines(queues), ...more]
}

/** The first column to the left, numbers to the right. */
function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  )
}
