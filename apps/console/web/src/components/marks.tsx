/** Small marks: a problem with its reason, a state, an age. */
import { Badge, Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import { asSentence, formatAgo, formatMoment } from '../lib/format.ts'
import { useNowMs } from '../lib/now.ts'
import { Icon } from './icons.tsx'

/** Says why, in the row itself: nobody should have to look for it. */
export function ProblemMark({ problem }: { readonly problem: string | undefined }) {
  if (problem === undefined || problem === '') return null
  return (
    <span className="problem-mark">
      <Icon name="dead" size={14} />
      <span title={problem}>{asSentence(problem)}</span>
    </span>
  )
}

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'accent'

const COLORS = { plain: 'gray', good: 'teal', warn: 'yellow', bad: 'red', accent: 'tern' } as const satisfies Record<
  Tone,
  string
>

export function Mark({
  tone = 'plain',
  children,
  hint,
}: {
  readonly tone?: Tone
  readonly children: ReactNode
  readonly hint?: string
}) {
  const badge = (
    <Badge className={`mark mark-${tone}`} color={COLORS[tone]} variant="light" size="sm" radius="sm">
      {children}
    </Badge>
  )
  return hint === undefined ? badge : <Tooltip label={hint}>{badge}</Tooltip>
}

/** One for each, side by side. */
export function Marks({ of, tone = 'plain' }: { readonly of: readonly string[]; readonly tone?: Tone }) {
  return (
    <span className="row">
      {of.map((text) => (
        <Mark key={text} tone={tone}>
          {text}
        </Mark>
      ))}
    </span>
  )
}

/** Nothing, in a column of numbers: the others stand out. */
export function Zero({ children }: { readonly children: string }) {
  return <span className="dim">{children}</span>
}

/** `3 min ago`, with the moment when it is pointed at. */
export function Ago({ atMs }: { readonly atMs: number | undefined }) {
  const nowMs = useNowMs()
  if (atMs === undefined) return '–'
  return (
    <time dateTime={new Date(atMs).toISOString()} title={formatMoment(atMs)}>
      {formatAgo(atMs, nowMs)}
    </time>
  )
}
