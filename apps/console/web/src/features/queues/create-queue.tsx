/** Makes a queue, with settings of its own where they differ from what policies say. */
import { TextInput } from '@mantine/core'
import { putQueue, type QueueDetail, type QueueSettingsInput } from '@ternmq/api'
import { useState } from 'react'
import { FormDialog } from '../../components/form-dialog.tsx'
import { fieldError } from '../../lib/api.ts'
import { SettingsFields } from './settings-fields.tsx'

interface CreateQueueProps {
  readonly onClose: () => void
  readonly onDone: (queue: QueueDetail) => void
}

export function CreateQueue({ onClose, onDone }: CreateQueueProps) {
  const [name, setName] = useState('')
  const [settings, setSettings] = useState<QueueSettingsInput>({})
  const input = name === '' ? undefined : { params: { queue: name }, body: { settings } }
  return (
    <FormDialog
      title="Create a queue"
      route={putQueue}
      input={input}
      submit="Create queue"
      size="lg"
      onClose={onClose}
      onDone={onDone}
      says={(queue) => `The queue ${queue.name} is there.`}
    >
      {(problem) => (
        <>
          <TextInput
            label="Name"
            description="Levels divided by dots: orders.new. Clients write it as they always do: /queue/orders.new, queue://orders.new, $queue/orders.new."
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={fieldError(problem, 'queue')}
            data-autofocus
            required
          />
          <details>
            <summary>Settings of its own</summary>
            <SettingsFields settings={settings} onChange={setSettings} problem={problem} prefix="settings" />
          </details>
        </>
      )}
    </FormDialog>
  )
}
