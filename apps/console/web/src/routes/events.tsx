/** What happens to clients, as it happens: why they were refused, or left. */
import { Switch } from '@mantine/core'
import { type EventItem, listEvents } from '@ternmq/api'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { agoColumn, monoColumn, textColumn } from '../components/columns.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { TIME_FILTERS } from '../components/list-frame.tsx'
import { LogList } from '../components/log-list.tsx'
import { Mark } from '../components/marks.tsx'
import { Page } from '../components/page.tsx'
import { Why } from '../features/connections/client-columns.tsx'
import { formatMany } from '../lib/format.ts'
import { useIsLive, useStream } from '../lib/stream.ts'
import { useUrlState } from '../lib/url-state.ts'

/** Live ones that are kept; older ones are looked up. */
const LIVE_MAX = 500

const COLUMNS: ReadonlyArray<Column<EventItem>> = [
  agoColumn('atMs', 'When'),
  { key: 'kind', label: 'Kind', width: 18, render: (row) => <Mark>{row.kind}</Mark> },
  textColumn('clientId', 'Client', { width: 16 }),
  textColumn('user', 'User'),
  monoColumn('peer', 'Address', { width: 17 }),
  textColumn('listener', 'Listener', { width: 9 }),
  { key: 'text', label: 'What', render: (row) => <Why reason={row.text} clause={row.clause} /> },
]

/** What the filters of the page want; the stream has all. */
export function isWanted(
  event: EventItem,
  filter: Readonly<Record<'q' | 'kind' | 'clientId' | 'user' | 'sinceMs' | 'untilMs', string>>,
): boolean {
  const has = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase())
  return (
    (filter.sinceMs === '' || event.atMs >= Number(filter.sinceMs)) &&
    (filter.untilMs === '' || event.atMs < Number(filter.untilMs)) &&
    (filter.kind === '' || event.kind === filter.kind) &&
    (filter.clientId === '' || event.clientId === filter.clientId) &&
    (filter.user === '' || event.user === filter.user) &&
    (filter.q === '' ||
      [event.text, event.clientId, event.user, event.peer, event.kind].some((text) => has(text, filter.q)))
  )
}

export function EventsPage() {
  const url = useUrlState()
  const [isLive, setLive] = useState(true)
  const [live, setLiveItems] = useState<readonly EventItem[]>([])
  const [missedCount, setMissedCount] = useState(0)
  useStream(isLive ? 'events' : undefined, (event) => {
    if (event.kind === 'event') setLiveItems((before) => [event.data, ...before].slice(0, LIVE_MAX))
    if (event.kind === 'missed') setMissedCount((before) => before + event.data.count)
  })
  const client = useQueryClient()
  const isStreamOpen = useIsLive()
  // What happened before the stream was open, or while it was broken, has not come with it.
  useEffect(() => {
    if (isStreamOpen) void client.invalidateQueries({ queryKey: [listEvents.id] })
  }, [isStreamOpen, client])
  const filter = {
    q: url.get('q'),
    kind: url.get('kind'),
    clientId: url.get('clientId'),
    user: url.get('user'),
    sinceMs: url.get('sinceMs'),
    untilMs: url.get('untilMs'),
  }
  return (
    <Page
      title="Events"
      fills
      about="Why clients were refused or left, slow consumers, full queues. With the rule of the specification where one was broken."
      marks={
        missedCount > 0 && (
          <Mark tone="warn" hint="They came faster than this page could read; refresh to see them.">
            {formatMany(missedCount, 'event')} missed
          </Mark>
        )
      }
    >
      <LogList
        noun="events"
        route={listEvents}
        columns={COLUMNS}
        live={live.filter((event) => isWanted(event, filter))}
        filters={[
          { key: 'kind', label: 'Kind', text: true },
          { key: 'clientId', label: 'Client id', text: true },
          { key: 'user', label: 'User', text: true },
          ...TIME_FILTERS,
        ]}
        right={
          <Switch
            size="xs"
            label="As they come"
            checked={isLive}
            onChange={(event) => setLive(event.currentTarget.checked)}
          />
        }
        empty={
          <EmptyState icon="events" title="Nothing has happened">
            Events show up here while you look.
          </EmptyState>
        }
      />
    </Page>
  )
}
