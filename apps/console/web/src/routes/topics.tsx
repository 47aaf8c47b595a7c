/** The tree of topics, one level at a time, and their retained messages. */
import { Button } from '@mantine/core'
import { deleteRetained, getRetained, listRetained, type RetainedItem } from '@ternmq/api'
import { useState } from 'react'
import { agoColumn, bytesColumn, textColumn } from '../components/columns.tsx'
import { ConfirmDialog } from '../components/confirm-dialog.tsx'
import type { Column } from '../components/data-table.tsx'
import { EmptyState } from '../components/empty-state.tsx'
import { List } from '../components/list.tsx'
import { Page } from '../components/page.tsx'
import { ProblemView } from '../components/problem-view.tsx'
import { UrlTabs } from '../components/url-tabs.tsx'
import { MessageView } from '../features/messages/message-view.tsx'
import { PublishDialog } from '../features/messages/publish-dialog.tsx'
import { uriSpelling } from '../features/messages/spellings.ts'
import { TopicTree } from '../features/topics/topic-tree.tsx'
import { isLoss, toProblem } from '../lib/api.ts'
import { useLook } from '../lib/query.ts'
import { IfMay } from '../lib/session.tsx'
import { useUrlState } from '../lib/url-state.ts'

export function TopicsPage() {
  const url = useUrlState()
  const topic = url.get('open')
  const open = (next: string): void =>
    url.set({ open: next === topic ? '' : next }, { replace: true, keepScroll: true })
  const [isPublishing, setPublishing] = useState(false)
  return (
    <Page
      title="Topics"
      fills
      about="Topics that somebody has subscribed to by name, or that have a retained message. Patterns are under Subscriptions."
      actions={
        <IfMay scope="messages">
          <Button onClick={() => setPublishing(true)}>Publish</Button>
        </IfMay>
      }
    >
      <div className="split" data-open={topic !== '' || undefined}>
        <div className="split-main">
          <UrlTabs
            label="Ways to look at topics"
            tabs={[
              { key: 'tree', label: 'Tree', content: () => <TopicTree openTopic={topic} onOpen={open} /> },
              {
                key: 'retained',
                label: 'Retained messages',
                content: () => <Retained openTopic={topic} onOpen={open} />,
              },
            ]}
          />
        </div>
        {topic !== '' && <RetainedMessage key={topic} topic={topic} onClose={() => open(topic)} />}
      </div>
      {isPublishing && (
        <PublishDialog address={topic === '' ? 'topic://' : uriSpelling(topic)} onClose={() => setPublishing(false)} />
      )}
    </Page>
  )
}

interface OpenProps {
  readonly openTopic: string
  readonly onOpen: (topic: string) => void
}

function Retained({ openTopic, onOpen }: OpenProps) {
  const columns: ReadonlyArray<Column<RetainedItem>> = [
    {
      key: 'topic',
      label: 'Topic',
      render: (row) => (
        <button type="button" className="link mono" title={row.topic} onClick={() => onOpen(row.topic)}>
          {row.topic}
        </button>
      ),
    },
    bytesColumn('bodyBytes', 'Body'),
    textColumn('format', 'Came in', { width: 10 }),
    agoColumn('expiresAtMs', 'Expires', { none: 'never' }),
    textColumn('publisher', 'By', { width: 18 }),
  ]
  return (
    <List
      noun="retained messages"
      route={listRetained}
      columns={columns}
      keyOf={(row) => row.topic}
      openKey={openTopic}
      search={{ key: 'filter', label: 'Topic filter: site/+/temperature' }}
      empty={
        <EmptyState icon="topics" title="No retained message">
          A message that is published with retain stays here for who subscribes later.
        </EmptyState>
      }
    />
  )
}

function RetainedMessage({ topic, onClose }: { readonly topic: string; readonly onClose: () => void }) {
  const { data, error } = useLook(getRetained, { params: { topic } })
  const [isAsked, setAsked] = useState(false)
  if (error !== null && !isLoss(error)) {
    return (
      <aside className="message" aria-label={topic}>
        <ProblemView problem={toProblem(error)} onRetry={onClose} />
      </aside>
    )
  }
  if (data === undefined) return <aside className="message" aria-label={topic} />
  return (
    <>
      <MessageView
        title={topic}
        message={{ ...data.message, properties: data.properties, body: data.body }}
        onClose={onClose}
        actions={
          <IfMay scope="operate">
            <Button size="compact-xs" variant="default" className="danger" onClick={() => setAsked(true)}>
              Forget…
            </Button>
          </IfMay>
        }
      />
      {isAsked && (
        <ConfirmDialog
          title="Forget the retained message"
          name={topic}
          confirm="Forget it"
          route={deleteRetained}
          input={{ params: { topic } }}
          removes
          onClose={() => setAsked(false)}
          onDone={onClose}
          says={() => `${topic} has no retained message any more.`}
        >
          Who subscribes to {topic} from now on gets nothing until somebody publishes to it.
        </ConfirmDialog>
      )}
    </>
  )
}
