/** What is special about a queue, in short. */
import type { QueueItem } from '@ternmq/api'
import { Mark } from '../../components/marks.tsx'

const KIND_LABELS = {
  queue: undefined,
  subscription: 'subscription',
  temporary: 'temporary',
} as const satisfies Record<QueueItem['kind'], string | undefined>

export function QueueMarks({ queue }: { readonly queue: QueueItem }) {
  const kind = KIND_LABELS[queue.kind]
  return (
    <span className="row queue-marks" style={{ gap: 4, flexWrap: 'nowrap' }}>
      {kind !== undefined && <Mark>{kind}</Mark>}
      {queue.isDeadLetter && (
        <Mark tone="accent" hint="Other queues send what they cannot deliver here.">
          dead letters
        </Mark>
      )}
      {queue.paused && (
        <Mark tone="warn" hint="Nothing is handed out until it is resumed.">
          paused
        </Mark>
      )}
      {queue.blocking && (
        <Mark tone="bad" hint="It is full: publishers wait for room.">
          full
        </Mark>
      )}
    </span>
  )
}
