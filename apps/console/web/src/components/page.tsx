/** The frame of every page: its name, what it is about, what can be done. */
import { Group, Text, Title } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'

interface PageProps {
  readonly title: string
  /** Pages above it. */
  readonly above?: { readonly label: string; readonly to: string } | undefined
  readonly about?: ReactNode
  /** Marks beside the title. */
  readonly marks?: ReactNode
  readonly actions?: ReactNode
  /** The page fills the window and scrolls inside: of lists. */
  readonly fills?: boolean
  readonly children: ReactNode
}

export function Page({ title, above, about, marks, actions, fills, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · TernMQ`
  }, [title])
  return (
    <div className={fills === true ? 'page page-fills' : 'page'}>
      <header className="page-head">
        <div className="page-names">
          {above !== undefined && (
            <Text size="xs" className="page-above">
              <Link to={above.to}>{above.label}</Link>
            </Text>
          )}
          <Group gap="sm" wrap="wrap">
            <Title order={1} size="h3" className="page-title">
              {title}
            </Title>
            {marks}
          </Group>
          {about !== undefined && (
            <Text size="sm" c="dimmed" component="div" className="page-about">
              {about}
            </Text>
          )}
        </div>
        <Group gap="xs" className="page-actions">
          {actions}
        </Group>
      </header>
      {children}
    </div>
  )
}

/** A titled part of a page. */
export function Panel({
  title,
  right,
  children,
  flush,
}: {
  readonly title?: string
  readonly right?: ReactNode
  readonly children: ReactNode
  readonly flush?: boolean
}) {
  return (
    <section className={flush === true ? 'panel panel-flush' : 'panel'} aria-label={title}>
      {title !== undefined && (
        <header className="panel-head">
          <Title order={2} size="sm">
            {title}
          </Title>
          {right}
        </header>
      )}
      {children}
    </section>
  )
}
