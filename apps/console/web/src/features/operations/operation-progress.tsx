/** How far long work has got, what it left out, and how to go on with it where it stopped. */
import { Button, Group, Progress, Text } from '@mantine/core'
import { cancelOperation, getOperation, type OperationItem, resumeOperation } from '@ternmq/api'
import { formatCount, formatMany } from '../../lib/format.ts'
import { useAct, useLook } from '../../lib/query.ts'
import { IfMay } from '../../lib/session.tsx'

const WATCH_MS = 1_000

const HELD_UP: ReadonlySet<OperationItem['state']> = new Set(['failed', 'stopped', 'interrupted'])

/** `move of orders.new to stock.new`. */
export function nameOperation({ action, queue, target }: OperationItem): string {
  return `${action} of ${queue}${target === undefined ? '' : ` to ${target}`}`
}

/** `1,740 of 5,000 done, 3 left where they are, 12 refused`. */
export function countOperation({ state, doneCount, total, skippedCount, refusedCount }: OperationItem): string {
  // What it did after it was written down last, nobody knows.
  const done = state === 'interrupted' ? `at least ${formatCount(doneCount)}` : formatCount(doneCount)
  const parts = [total === undefined ? `${done} done` : `${done} of ${formatCount(total)} done`]
  if (skippedCount > 0) parts.push(`${formatCount(skippedCount)} left where they are`)
  if (refusedCount > 0) parts.push(`${formatCount(refusedCount)} refused`)
  return parts.join(', ')
}

/** Watched until it is done: what has stopped may go on, from here or from elsewhere. */
export function OperationProgress({ operation: first }: { readonly operation: OperationItem }) {
  const { data: operation = first } = useLook(
    getOperation,
    { params: { id: first.id } },
    { everyMs: WATCH_MS, enabled: first.state !== 'done' },
  )
  return <OperationState operation={operation} />
}

export function OperationState({ operation }: { readonly operation: OperationItem }) {
  const share =
    operation.total === undefined || operation.total === 0 ? undefined : (operation.doneCount / operation.total) * 100
  const input = { params: { id: operation.id } }
  const cancel = useAct(cancelOperation, { tellProblem: true })
  const resume = useAct(resumeOperation, { tellProblem: true })
  return (
    <div className="operation">
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm">{countOperation(operation)}</Text>
        <Group gap={6} wrap="nowrap">
          <IfMay scope="operate">
            {operation.state === 'running' && (
              <Button variant="default" size="compact-xs" loading={cancel.isRunning} onClick={() => cancel.run(input)}>
                Stop
              </Button>
            )}
            {operation.canResume && (
              <Button size="compact-xs" loading={resume.isRunning} onClick={() => resume.run(input)}>
                Resume
              </Button>
            )}
          </IfMay>
        </Group>
      </Group>
      <Progress.Root size="sm">
        <Progress.Section
          value={share ?? 100}
          striped={operation.state === 'running'}
          aria-label={`${nameOperation(operation)}: ${operation.state}`}
          color={HELD_UP.has(operation.state) ? 'coral' : 'tern'}
        />
      </Progress.Root>
      {operation.reason !== undefined && (
        <Text size="xs" c="dimmed">
          {operation.reason}
        </Text>
      )}
    </div>
  )
}

/** For the corner, when it was over at once. */
export function sayOperation(operation: OperationItem): string {
  const what = {
    move: 'moved',
    copy: 'copied',
    delete: 'deleted',
    retry: 'retried',
    apply: 'applied',
    purge: 'purged',
  }[operation.action]
  const rest = operation.skippedCount + operation.refusedCount
  return `${formatMany(operation.doneCount, 'message')} ${what}${rest === 0 ? '' : `, ${formatCount(rest)} not`}.`
}
