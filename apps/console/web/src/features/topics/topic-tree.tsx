/** Levels of topics that open one by one; each asks the server for its own children. */
import { Button, Loader } from '@mantine/core'
import { listTopics, type TopicNode } from '@ternmq/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icons.tsx'
import { Mark } from '../../components/marks.tsx'
import { ProblemView } from '../../components/problem-view.tsx'
import { call, isLoss, toProblem } from '../../lib/api.ts'
import { formatMany } from '../../lib/format.ts'

interface TopicTreeProps {
  readonly openTopic: string
  readonly onOpen: (topic: string) => void
}

export function TopicTree(props: TopicTreeProps) {
  return (
    <div className="panel tree-panel" tabIndex={0} role="region" aria-label="Tree of topics">
      <Level {...props} parent={undefined} />
    </div>
  )
}

function Level({ parent, openTopic, onOpen }: TopicTreeProps & { readonly parent: string | undefined }) {
  const { data, error, fetchNextPage, hasNextPage, isFetching, refetch } = useInfiniteQuery({
    queryKey: [listTopics.id, parent],
    queryFn: ({ pageParam, signal }) => call(listTopics, { query: { parent, cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
  })
  if (error !== null && !isLoss(error)) return <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />
  if (data === undefined) return <Loader size="xs" aria-label="Loading" />
  const nodes = data.pages.flatMap(({ items }) => items)
  if (nodes.length === 0 && parent === undefined) {
    return (
      <EmptyState icon="topics" title="No topic yet">
        Topics show up with the first subscription or retained message.
      </EmptyState>
    )
  }
  return (
    <ul className="tree">
      {nodes.map((node) => (
        <Node key={node.topic} node={node} openTopic={openTopic} onOpen={onOpen} />
      ))}
      {hasNextPage && (
        <li>
          <Button variant="subtle" size="compact-xs" loading={isFetching} onClick={() => void fetchNextPage()}>
            More
          </Button>
        </li>
      )}
    </ul>
  )
}

function Node({ node, openTopic, onOpen }: TopicTreeProps & { readonly node: TopicNode }) {
  const [isOpen, setOpen] = useState(openTopic.startsWith(`${node.topic}/`))
  const name = node.name === '' ? '(empty level)' : node.name
  return (
    <li>
      <div className="tree-row" data-open={openTopic === node.topic || undefined}>
        {node.hasChildren ? (
          <button
            type="button"
            className="tree-toggle"
            aria-expanded={isOpen}
            aria-label={`${isOpen ? 'Close' : 'Open'} ${node.topic}`}
            onClick={() => setOpen(!isOpen)}
          >
            <Icon name={isOpen ? 'down' : 'right'} size={12} />
          </button>
        ) : (
          <span className="tree-toggle" />
        )}
        <span className="mono">{name}</span>
        {node.retained && (
          <button
            type="button"
            className="link"
            onClick={() => onOpen(node.topic)}
            aria-label={`Retained message of ${node.topic}`}
          >
            <Mark tone="accent">retained</Mark>
          </button>
        )}
        {node.subscriptionCount > 0 && (
          <span className="dim">{formatMany(node.subscriptionCount, 'subscription')}</span>
        )}
      </div>
      {isOpen && <Level parent={node.topic} openTopic={openTopic} onOpen={onOpen} />}
    </li>
  )
}
