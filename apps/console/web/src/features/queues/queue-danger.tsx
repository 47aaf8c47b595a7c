/** What cannot be undone. */
import { Button, Text } from '@mantine/core'
import { deleteQueue, purgeQueue, type QueueDetail } from '@ternmq/api'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Panel } from '../../components/page.tsx'
import { formatBytes, formatMany } from '../../lib/format.ts'

export function QueueDanger({ queue }: { readonly queue: QueueDetail }) {
  const [open, setOpen] = useState<'purge' | 'delete' | undefined>(undefined)
  const navigate = useNavigate()
  const input = { params: { queue: queue.name } }
  const ready = formatMany(queue.readyCount, 'message')
  return (
    <Panel title="What cannot be undone">
      <div className="danger-row">
        <div>
          <b>Purge</b>
          <Text size="sm" c="dimmed">
            Takes out all that waits. What consumers have stays with them.
          </Text>
        </div>
        <Button color="red" variant="outline" className="danger" onClick={() => setOpen('purge')}>
          Purge {ready}
        </Button>
      </div>
      <div className="danger-row">
        <div>
          <b>Delete</b>
          <Text size="sm" c="dimmed">
            The queue goes with all that is in it. {formatMany(queue.consumerCount, 'consumer')} would lose it; who uses
            its name makes a new one.
          </Text>
        </div>
        <Button color="red" variant="outline" className="danger" onClick={() => setOpen('delete')}>
          Delete queue
        </Button>
      </div>
      {open === 'purge' && (
        <ConfirmDialog
          title="Purge the queue"
          name={queue.name}
          confirm={`Purge ${ready}`}
          route={purgeQueue}
          input={input}
          onClose={() => setOpen(undefined)}
          says={(purged) => `${formatMany(purged.count, 'message')} taken out, ${formatBytes(purged.bytes)}.`}
        >
          {ready} ({formatBytes(queue.readyBytes)}) that wait in {queue.name} will be gone.
        </ConfirmDialog>
      )}
      {open === 'delete' && (
        <ConfirmDialog
          title="Delete the queue"
          name={queue.name}
          confirm="Delete queue"
          route={deleteQueue}
          input={input}
          removes
          onClose={() => setOpen(undefined)}
          onDone={() => void navigate({ to: '/queues' })}
          says={(gone) => `${queue.name} is deleted with ${formatMany(gone.count, 'message')}.`}
        >
          {queue.name} will be gone with {ready} ({formatBytes(queue.readyBytes)}) that wait and{' '}
          {formatMany(queue.inflightCount, 'message')} in flight.
        </ConfirmDialog>
      )}
    </Panel>
  )
}
