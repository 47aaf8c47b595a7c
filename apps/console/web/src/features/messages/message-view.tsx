/** One message with everything that it has; looking does not change it. */
import { ActionIcon, Button, Group, SegmentedControl, Select, Text } from '@mantine/core'
import type { MessageBody, MessageDetail } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { Facts } from '../../components/facts.tsx'
import { Icon } from '../../components/icons.tsx'
import { Ago, Mark } from '../../components/marks.tsx'
import { BROKER_URL } from '../../lib/base.ts'
import { formatBytes, formatCount } from '../../lib/format.ts'
import { type BodyView, showBody, viewsOf } from './body.ts'
import { CODE_STYLES } from './client-code.ts'
import { queueNameOf } from './spellings.ts'

type Shown = Omit<MessageDetail, 'id' | 'state' | 'annotations'> & Partial<Pick<MessageDetail, 'annotations' | 'state'>>

interface MessageViewProps {
  readonly title: string
  readonly message: Shown
  /** Address of the whole body. */
  readonly download?: string | undefined
  readonly onClose: () => void
  readonly actions?: ReactNode
}

const VIEW_LABELS = { text: 'Text', json: 'JSON', hex: 'Hex' } as const satisfies Record<BodyView, string>

export function MessageView({ title, message, download, onClose, actions }: MessageViewProps) {
  return (
    <aside className="message" aria-label={title}>
      <Group justify="space-between" wrap="nowrap">
        <Text fw={600} className="mono">
          {title}
        </Text>
        <ActionIcon aria-label="Close the message" onClick={onClose}>
          <Icon name="close" />
        </ActionIcon>
      </Group>
      {actions !== undefined && <Group gap={6}>{actions}</Group>}
      <BodyPart body={message.body} download={download} />
      <DeadLetterPart message={message} />
      <Facts
        facts={[
          ['Sent to', <AddressLink address={message.address} />],
          ['Arrived', message.arrivedAtMs === undefined ? '–' : <Ago atMs={message.arrivedAtMs} />],
          message.timestampMs !== undefined && ['Made', <Ago atMs={message.timestampMs} />],
          message.publisher !== undefined && ['By', message.publisher],
          ['Came in', message.format],
          message.state !== undefined && ['State', message.state],
          ['Persistent', message.durable ? 'yes' : 'no'],
          ['Priority', message.priority],
          ['Failed attempts', formatCount(message.failedCount)],
          message.expiresAtMs !== undefined && ['Expires', <Ago atMs={message.expiresAtMs} />],
          message.contentType !== undefined && ['Content type', message.contentType],
          message.messageId !== undefined && ['Message id', message.messageId],
          message.correlationId !== undefined && ['Correlation id', message.correlationId],
          message.replyTo !== undefined && ['Reply to', message.replyTo],
          message.type !== undefined && ['Type', message.type],
          message.groupId !== undefined && ['Group', message.groupId],
          ['Size', `${formatBytes(message.bytes)}, body ${formatBytes(message.bodyBytes)}`],
        ]}
      />
      <Pairs title="Properties" pairs={message.properties} />
      <Pairs
        title="Annotations"
        pairs={Object.entries(message.annotations ?? {}).map(([key, value]) => [key, String(value)])}
      />
      <CodePart message={message} />
    </aside>
  )
}

function AddressLink({ address }: { readonly address: string }) {
  const queue = queueNameOf(address)
  if (queue === undefined) return <span className="mono">{address}</span>
  return (
    <Link to="/queues/$queue" params={{ queue }} className="mono">
      {queue}
    </Link>
  )
}

function BodyPart({ body, download }: { readonly body: MessageBody; readonly download: string | undefined }) {
  const views = viewsOf(body)
  const [chosen, setChosen] = useState<BodyView | undefined>(undefined)
  const view = chosen !== undefined && views.includes(chosen) ? chosen : views[0]!
  return (
    <div className="stack-tight">
      <Group justify="space-between">
        <SegmentedControl
          size="xs"
          aria-label="How the body is shown"
          value={view}
          onChange={(value) => setChosen(value)}
          data={views.map((value) => ({ value, label: VIEW_LABELS[value] }))}
        />
        {download !== undefined && (
          <Button
            component="a"
            href={download}
            download
            variant="default"
            size="compact-xs"
            leftSection={<Icon name="download" size={14} />}
          >
            Download {formatBytes(body.bytes)}
          </Button>
        )}
      </Group>
      {body.bytes === 0 ? (
        <Text c="dimmed" size="sm">
          The body is empty.
        </Text>
      ) : (
        <CodeBlock text={showBody(body, view)} label="Body" />
      )}
      {body.truncated && (
        <Text size="xs" c="dimmed">
          Only the first part of {formatBytes(body.bytes)} is shown. Download it to see all.
        </Text>
      )}
    </div>
  )
}

function DeadLetterPart({ message: { deadLetter } }: { readonly message: Shown }) {
  if (deadLetter === undefined) return null
  return (
    <div className="dead-letter">
      <Group gap="xs">
        <Mark tone="bad">{deadLetter.cause}</Mark>
        <span>{deadLetter.reason ?? 'without a reason'}</span>
      </Group>
      <Text size="sm" c="dimmed" component="div">
        {deadLetter.originalQueue === undefined ? (
          'It is not known where it came from.'
        ) : (
          <>It came from {deadLetter.originalQueue}</>
        )}{' '}
        <Ago atMs={deadLetter.atMs} />
      </Text>
    </div>
  )
}

function Pairs({ title, pairs }: { readonly title: string; readonly pairs: ReadonlyArray<readonly [string, string]> }) {
  if (pairs.length === 0) return null
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        {title}
      </Text>
      <table className="pairs">
        <tbody>
          {pairs.map(([key, value], index) => (
            <tr key={index}>
              <th scope="row">{key}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function CodePart({ message }: { readonly message: Shown }) {
  const [key, setKey] = useState('curl')
  const style = CODE_STYLES.find((one) => one.key === key) ?? CODE_STYLES[0]!
  return (
    <details>
      <summary>Send the same again, as code</summary>
      <div className="stack-tight" style={{ marginTop: 8 }}>
        <Select
          size="xs"
          w={170}
          aria-label="Client"
          data={CODE_STYLES.map(({ key: value, label }) => ({ value, label }))}
          value={style.key}
          onChange={(value) => setKey(value ?? 'curl')}
          allowDeselect={false}
        />
        <CodeBlock
          text={style.write(message, BROKER_URL, new URL(BROKER_URL).hostname)}
          label="Code"
        />
        {message.body.truncated && (
          <Text size="xs" c="dimmed">
            The body is longer than what stands here.
          </Text>
        )}
      </div>
    </details>
  )
}
