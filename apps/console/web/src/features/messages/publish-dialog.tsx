/** Sends a message from the page, as a script would over HTTP. */
import { Button, Checkbox, Group, NumberInput, SegmentedControl, Stack, Textarea, TextInput } from '@mantine/core'
import { type PublishBody, publishMessage } from '@ternmq/api'
import { useState } from 'react'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Icon } from '../../components/icons.tsx'
import { fieldError } from '../../lib/api.ts'

interface PublishDialogProps {
  /** As the HTTP API writes it: `queue://orders`. */
  readonly address: string
  readonly onClose: () => void
}

type Pair = readonly [key: string, value: string]

export function PublishDialog({ address: first, onClose }: PublishDialogProps) {
  const [address, setAddress] = useState(first)
  const [body, setBody] = useState('')
  const [more, setMore] = useState<Omit<PublishBody, 'address' | 'body'>>({})
  const [pairs, setPairs] = useState<readonly Pair[]>([])
  const properties = Object.fromEntries(pairs.filter(([key]) => key !== ''))
  const input =
    address === '' ? undefined : { body: { address, body, ...more, ...(pairs.length === 0 ? {} : { properties }) } }
  const set = (changes: Partial<PublishBody>): void => setMore({ ...more, ...changes })
  const isRetained = address.startsWith('topic://')
  return (
    <FormDialog
      title="Publish a message"
      route={publishMessage}
      input={input}
      submit="Publish"
      size="lg"
      onClose={onClose}
      says={({ outcome }) =>
        outcome === 'routed' ? 'The message is published.' : 'The message is published, and nobody wanted it.'
      }
    >
      {(problem) => (
        <Stack gap="sm">
          <TextInput
            label="Address"
            description="queue://orders.new or topic://site.1.temperature"
            value={address}
            onChange={(event) => setAddress(event.currentTarget.value)}
            error={fieldError(problem, 'address')}
            required
          />
          <Textarea
            label="Body"
            value={body}
            onChange={(event) => setBody(event.currentTarget.value)}
            minRows={5}
            maxRows={16}
            autosize
            data-autofocus
            classNames={{ input: 'mono' }}
            error={fieldError(problem, 'body')}
          />
          <Group gap="sm" align="flex-end">
            <SegmentedControl
              size="xs"
              aria-label="How the body is written"
              value={more.encoding ?? 'text'}
              onChange={(value) => set({ encoding: value === 'base64' ? 'base64' : undefined })}
              data={[
                { value: 'text', label: 'Text' },
                { value: 'base64', label: 'Base64' },
              ]}
            />
            <TextInput
              label="Content type"
              size="xs"
              value={more.contentType ?? ''}
              onChange={(event) =>
                set({ contentType: event.currentTarget.value === '' ? undefined : event.currentTarget.value })
              }
              error={fieldError(problem, 'contentType')}
            />
          </Group>
          <div className="fields fields-tight">
            <Count
              label="Priority (0 to 9)"
              value={more.priority}
              onChange={(priority) => set({ priority })}
              error={fieldError(problem, 'priority')}
            />
            <Count
              label="Time to live (ms)"
              value={more.ttlMs}
              onChange={(ttlMs) => set({ ttlMs })}
              error={fieldError(problem, 'ttlMs')}
            />
            <Count
              label="Delay (ms)"
              value={more.delayMs}
              onChange={(delayMs) => set({ delayMs })}
              error={fieldError(problem, 'delayMs')}
            />
            <TextInput
              size="xs"
              label="Reply to"
              value={more.replyTo ?? ''}
              onChange={(event) =>
                set({ replyTo: event.currentTarget.value === '' ? undefined : event.currentTarget.value })
              }
              error={fieldError(problem, 'replyTo')}
            />
          </div>
          <Group gap="lg">
            <Checkbox
              label="Persistent"
              checked={more.durable !== false}
              onChange={(event) => set({ durable: event.currentTarget.checked ? undefined : false })}
            />
            {isRetained && (
              <Checkbox
                label="Retained"
                checked={more.retain === true}
                onChange={(event) => set({ retain: event.currentTarget.checked ? true : undefined })}
              />
            )}
          </Group>
          <PairFields pairs={pairs} onChange={setPairs} />
        </Stack>
      )}
    </FormDialog>
  )
}

interface CountProps {
  readonly label: string
  readonly value: number | undefined
  readonly onChange: (value: number | undefined) => void
  readonly error: string | undefined
}

function Count({ label, value, onChange, error }: CountProps) {
  return (
    <NumberInput
      size="xs"
      label={label}
      value={value ?? ''}
      onChange={(given) => onChange(typeof given === 'number' ? given : undefined)}
      allowDecimal={false}
      allowNegative={false}
      hideControls
      error={error}
    />
  )
}

function PairFields({
  pairs,
  onChange,
}: {
  readonly pairs: readonly Pair[]
  readonly onChange: (pairs: readonly Pair[]) => void
}) {
  return (
    <Stack gap={6}>
      {pairs.map(([key, value], index) => (
        <Group key={index} gap={6}>
          <TextInput
            size="xs"
            aria-label={`Property ${index + 1}`}
            placeholder="property"
            value={key}
            onChange={(event) => onChange(pairs.with(index, [event.currentTarget.value, value]))}
          />
          <TextInput
            size="xs"
            aria-label={`Value of property ${index + 1}`}
            placeholder="value"
            value={value}
            onChange={(event) => onChange(pairs.with(index, [key, event.currentTarget.value]))}
          />
        </Group>
      ))}
      <Button
        variant="subtle"
        size="compact-xs"
        w="max-content"
        leftSection={<Icon name="plus" size={12} />}
        onClick={() => onChange([...pairs, ['', '']])}
      >
        Property
      </Button>
    </Stack>
  )
}
