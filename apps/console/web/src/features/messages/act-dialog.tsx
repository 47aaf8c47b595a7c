/** Asks for what an action on messages needs, does it, and shows how far it has got. */
import { Button, Code, Group, NumberInput, Stack, Text, TextInput } from '@mantine/core'
import { type ActionBody, actOnMessages, type OperationItem } from '@ternmq/api'
import { useState } from 'react'
import { CodeBlock } from '../../components/code-block.tsx'
import { CurlView } from '../../components/curl-view.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemView } from '../../components/problem-view.tsx'
import { QueueInput } from '../../components/queue-input.tsx'
import { fieldError } from '../../lib/api.ts'
import { formatMany } from '../../lib/format.ts'
import { tell, useAct } from '../../lib/query.ts'
import { OperationProgress, sayOperation } from '../operations/operation-progress.tsx'

export type Chosen = Pick<ActionBody, 'ids' | 'selector' | 'all' | 'limit'>

interface ActDialogProps {
  readonly action: ActionBody['action']
  readonly queue: string
  readonly chosen: Chosen
  /** How many that is, as far as it is known. */
  readonly count: number | undefined
  /** The message that is shown beside it; it may not be there afterwards. */
  readonly openId?: string
  readonly onClose: () => void
  readonly onDone?: () => void
}

const VERBS = { move: 'Move', copy: 'Copy', delete: 'Delete', retry: 'Retry' } as const satisfies Record<
  ActionBody['action'],
  string
>

/** `12 messages`, `all that match (3 messages now)`, `all messages`. */
function sayChosen({ ids, selector, limit }: Chosen, count: number | undefined): string {
  if (ids !== undefined) return formatMany(ids.length, 'message')
  const many = selector === undefined ? 'all messages' : 'all that match'
  if (limit !== undefined) return `the first ${formatMany(limit, 'message')}`
  return count === undefined ? many : `${many} (${formatMany(count, 'message')} now)`
}

export function ActDialog({ action, queue, chosen, count, openId = '', onClose, onDone }: ActDialogProps) {
  const [target, setTarget] = useState('')
  const [perSecond, setPerSecond] = useState<number | undefined>(undefined)
  const [typed, setTyped] = useState('')
  const [operation, setOperation] = useState<OperationItem | undefined>(undefined)
  const act = useAct(actOnMessages, {
    removes: () => (action === 'copy' || openId === '' ? [] : [{ queue, id: openId }]),
    onDone: (answer) => {
      onDone?.()
      if (answer.state !== 'done' || answer.skippedCount + answer.refusedCount > 0) {
        setOperation(answer)
        return
      }
      tell(sayOperation(answer))
      onClose()
    },
  })
  const needsTarget = action === 'move' || action === 'copy'
  const wantsTarget = needsTarget || action === 'retry'
  const isSure = action !== 'delete' || typed === queue
  const body: ActionBody = { action, ...chosen, target: target === '' ? undefined : target, perSecond }
  const input = { params: { queue }, body }
  const isReady = isSure && (!needsTarget || target !== '')
  if (operation !== undefined) {
    return (
      <Dialog title={`${VERBS[action]} of ${queue}`} onClose={onClose}>
        <Stack gap="sm">
          <OperationProgress operation={operation} />
          <Text size="sm" c="dimmed">
            It goes on when you close this; Operations has it.
          </Text>
        </Stack>
      </Dialog>
    )
  }
  return (
    <Dialog title={`${VERBS[action]} messages`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !act.isRunning) act.run(input)
        }}
      >
        <Stack gap="sm">
          <Text size="sm">
            {VERBS[action]} {sayChosen(chosen, count)} of <Code>{queue}</Code>
            {action === 'delete' ? '. They cannot be brought back.' : '.'}
          </Text>
          {chosen.selector !== undefined && <CodeBlock text={chosen.selector} label="Selector" />}
          {wantsTarget && (
            <QueueInput
              label={action === 'retry' ? 'To another queue' : 'To the queue'}
              description={action === 'retry' ? 'Empty: each goes back to where it came from.' : 'It has to be there.'}
              value={target}
              onChange={setTarget}
              error={fieldError(act.problem, 'target')}
            />
          )}
          {action !== 'delete' && (
            <NumberInput
              label="Messages a second"
              description="Empty: as fast as it goes."
              value={perSecond ?? ''}
              onChange={(value) => setPerSecond(typeof value === 'number' ? value : undefined)}
              min={1}
              allowDecimal={false}
              allowNegative={false}
              hideControls
              error={fieldError(act.problem, 'perSecond')}
            />
          )}
          {action === 'delete' && (
            <TextInput
              data-autofocus
              label={
                <>
                  Type <Code>{queue}</Code> to confirm
                </>
              }
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
            />
          )}
          <ProblemView problem={act.problem} />
          <CurlView route={actOnMessages} input={input} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              type="submit"
              {...(action === 'delete' ? { color: 'red' } : {})}
              disabled={!isReady}
              loading={act.isRunning}
            >
              {VERBS[action]} {sayChosen(chosen, count)}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
