/** What is in a queue: looked at page by page, filtered by a selector, and acted on. */
import { Button, Group } from '@mantine/core'
import { type ActionBody, browseMessages, downloadBody, getMessage, type MessageItem } from '@ternmq/api'
import { useState } from 'react'
import { agoColumn, bytesColumn, countColumn, textColumn } from '../../components/columns.tsx'
import type { Column } from '../../components/data-table.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { List } from '../../components/list.tsx'
import { Mark } from '../../components/marks.tsx'
import { ProblemView } from '../../components/problem-view.tsx'
import { addressOf } from '../../lib/base.ts'
import { isLoss, targetOf, toProblem } from '../../lib/api.ts'
import { formatMany } from '../../lib/format.ts'
import { useLook } from '../../lib/query.ts'
import { useMay } from '../../lib/session.tsx'
import { useUrlState } from '../../lib/url-state.ts'
import { ActDialog, type Chosen } from './act-dialog.tsx'
import { MessageView } from './message-view.tsx'

interface MessageBrowserProps {
  readonly queue: string
  readonly readyCount: number
  readonly isDeadLetter: boolean
}

interface Asked {
  readonly action: ActionBody['action']
  readonly chosen: Chosen
  readonly count: number | undefined
}

export function messageColumns(
  onOpen: ((id: string) => void) | undefined,
  isDeadLetter: boolean,
): ReadonlyArray<Column<MessageItem>> {
  return [
    {
      key: 'id',
      label: 'Message',
      render: (row) =>
        onOpen === undefined ? (
          <span className="mono" title={row.messageId ?? row.id}>
            {row.messageId ?? row.id}
          </span>
        ) : (
          <button type="button" className="link mono" title={row.messageId ?? row.id} onClick={() => onOpen(row.id)}>
            {row.messageId ?? row.id}
          </button>
        ),
    },
    {
      key: 'state',
      label: 'State',
      width: 9,
      render: (row) => (row.state === 'waiting' ? <Mark>waiting</Mark> : <Mark tone="accent">in flight</Mark>),
    },
    agoColumn('arrivedAtMs', 'Arrived'),
    textColumn('publisher', 'By'),
    textColumn('format', 'Came in', { width: 9 }),
    bytesColumn('bodyBytes', 'Body', { width: 9 }),
    countColumn('priority', 'Priority'),
    countColumn('failedCount', 'Failed'),
    {
      key: 'why',
      label: isDeadLetter ? 'Why it is here' : 'Type',
      render: (row) =>
        row.deadLetter === undefined ? (
          (row.type ?? row.contentType ?? '–')
        ) : (
          <>
            <Mark tone="bad">{row.deadLetter.cause}</Mark> {row.deadLetter.reason}{' '}
            {row.deadLetter.originalQueue !== undefined && (
              <span className="dim">from {row.deadLetter.originalQueue}</span>
            )}
            {row.withheld !== undefined && (
              <span className="dim" title={row.withheld}>
                {' '}
                · not shown: {row.withheld}
              </span>
            )}
          </>
        ),
    },
  ]
}

export function MessageBrowser({ queue, readyCount, isDeadLetter }: MessageBrowserProps) {
  const url = useUrlState()
  const mayOperate = useMay('operate')
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [asked, setAsked] = useState<Asked | undefined>(undefined)
  const openId = url.get('open')
  const selector = url.get('selector')
  const open = (id: string): void => url.set({ open: id === openId ? '' : id }, { replace: true, keepScroll: true })
  const close = (): void => url.set({ open: '' }, { replace: true, keepScroll: true })
  const ask = (action: ActionBody['action'], chosen: Chosen, count?: number): void =>
    setAsked({ action, chosen, count })
  const everything: Chosen = selector === '' ? { all: true } : { selector }
  const wanted: Chosen = selected.size > 0 ? { ids: [...selected] } : everything
  return (
    <div className="split" data-open={openId !== '' || undefined}>
      <List
        noun="messages"
        route={browseMessages}
        params={{ queue }}
        columns={messageColumns(open, isDeadLetter)}
        keyOf={(row) => row.id}
        nameOf={(row) => `message ${row.messageId ?? row.id}`}
        search={{ key: 'selector', label: "Selector: colour = 'red' AND priority > 4" }}
        selection={mayOperate ? { keys: selected, change: setSelected } : undefined}
        openKey={openId}
        right={
          mayOperate && (
            <Group gap={6}>
              <span className="dim small">
                {selected.size > 0
                  ? `${formatMany(selected.size, 'message')} selected`
                  : selector === ''
                    ? 'All'
                    : 'All that match'}
              </span>
              {isDeadLetter && (
                <ActButton action="retry" onClick={() => ask('retry', wanted, count(selected, selector, readyCount))} />
              )}
              <ActButton action="move" onClick={() => ask('move', wanted, count(selected, selector, readyCount))} />
              <ActButton action="copy" onClick={() => ask('copy', wanted, count(selected, selector, readyCount))} />
              <ActButton action="delete" onClick={() => ask('delete', wanted, count(selected, selector, readyCount))} />
            </Group>
          )
        }
        empty={
          <EmptyState icon="messages" title="No message waits">
            Messages are here until a consumer has settled them.
          </EmptyState>
        }
      />
      {openId !== '' && (
        <OpenMessage
          key={openId}
          queue={queue}
          id={openId}
          isDeadLetter={isDeadLetter}
          onClose={close}
          onAct={(action) => ask(action, { ids: [openId] }, 1)}
        />
      )}
      {asked !== undefined && (
        <ActDialog
          {...asked}
          queue={queue}
          openId={openId}
          onClose={() => setAsked(undefined)}
          onDone={() => {
            setSelected(new Set())
            if (asked.action !== 'copy') close()
          }}
        />
      )}
    </div>
  )
}

/** With a selector nobody has counted them. */
function count(selected: ReadonlySet<string>, selector: string, readyCount: number): number | undefined {
  return selected.size > 0 ? selected.size : selector === '' ? readyCount : undefined
}

const LABELS = { move: 'Move', copy: 'Copy', delete: 'Delete', retry: 'Retry' } as const satisfies Record<
  ActionBody['action'],
  string
>

function ActButton({ action, onClick }: { readonly action: ActionBody['action']; readonly onClick: () => void }) {
  return (
    <Button
      size="compact-xs"
      variant={action === 'retry' ? 'filled' : 'default'}
      onClick={onClick}
      {...(action === 'delete' ? { className: 'danger' } : {})}
    >
      {LABELS[action]}…
    </Button>
  )
}

interface OpenMessageProps {
  readonly queue: string
  readonly id: string
  readonly isDeadLetter: boolean
  readonly onClose: () => void
  readonly onAct: (action: ActionBody['action']) => void
}

function OpenMessage({ queue, id, isDeadLetter, onClose, onAct }: OpenMessageProps) {
  const { data, error } = useLook(getMessage, { params: { queue, id } })
  const mayOperate = useMay('operate')
  if (error !== null && !isLoss(error)) {
    return (
      <aside className="message" aria-label="Message">
        <ProblemView problem={toProblem(error)} onRetry={onClose} />
      </aside>
    )
  }
  if (data === undefined) return <aside className="message" aria-label="Message" />
  return (
    <MessageView
      title={`Message ${data.messageId ?? data.id}`}
      message={data}
      download={addressOf(targetOf(downloadBody, { params: { queue, id } }))}
      onClose={onClose}
      actions={
        mayOperate && (
          <>
            {isDeadLetter && <ActButton action="retry" onClick={() => onAct('retry')} />}
            <ActButton action="move" onClick={() => onAct('move')} />
            <ActButton action="copy" onClick={() => onAct('copy')} />
            <ActButton action="delete" onClick={() => onAct('delete')} />
          </>
        )
      }
    />
  )
}
