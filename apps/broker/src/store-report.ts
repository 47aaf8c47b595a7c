/** A store's report as text: one line for the whole, a table for each partition. */
import type { StoreReport } from '@ternmq/store/journal'

import type { QueueList } from './queue-list.ts'

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const
const COLUMNS = ['file', 'bytes', 'first lsn', 'last lsn', 'live', 'live bytes'] as const
const QUEUE_COLUMNS = ['queue', 'level', 'waiting', 'unacknowledged', 'consumers'] as const

export function reportLines(folder: string, report: StoreReport): string[] {
  const { formatVersion, diskBytes, tornBytes, partitions, catalogKeys, faults } = report
  const segments = partitions.flatMap((partition) => partition.segments)
  const liveBytes = segments.reduce((sum, segment) => sum + segment.liveBytes, 0)
  const whole = `${folder}: format ${formatVersion}, ${segments.length} segments, ${sizeText(diskBytes)} on disk, ${sizeText(liveBytes)} live, ${catalogKeys} definitions`
  const lines = [whole]
  if (tornBytes > 0) lines.push(`${tornBytes} bytes of a write that was not finished; the next start cuts them off`)
  if (faults.length > 0) lines.push(`${faults.length} damaged places; \`ternmq store verify\` names them`)
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

/** The queues of a broker that runs; of one that does not nothing is known without a start. */
export function queueLines({ queues, queueCount }: Partial<QueueList>): string[] {
  if (queues === undefined) return ['', 'queues: shown while a broker runs on the data directory']
  const rows = queues.map(({ name, durability, waiting, unacknowledged, consumers }) => [
    name,
    durability,
    ...[waiting, unacknowledged, consumers].map(String),
  ])
  const left = (queueCount ?? 0) - queues.length
  return ['', ...tableLines([QUEUE_COLUMNS, ...rows]), ...(left > 0 ? [`and ${left} more, none of them fuller`] : [])]
}

/** 1536 → '1.5 KiB'. */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? `${bytes} bytes` : `${(bytes / 1_024 ** power).toFixed(1)} ${UNITS[power]}`
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
