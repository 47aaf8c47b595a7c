/** What went wrong, with what to do, wherever a call has failed. */
import { Alert, Button, Code, Group, Text } from '@mantine/core'
import type { Problem } from '@ternmq/api'
import { isLoss, toProblem, UNREACHABLE } from '../lib/api.ts'
import { asSentence, formatValue } from '../lib/format.ts'

interface ProblemViewProps {
  readonly problem: Problem | undefined
  /** What a button for trying again does. */
  readonly onRetry?: (() => void) | undefined
}

export function ProblemView({ problem, onRetry }: ProblemViewProps) {
  if (problem === undefined) return null
  return (
    <Alert
      color={problem.code === UNREACHABLE ? 'yellow' : 'red'}
      variant="light"
      title={problem.title}
      role="alert"
      className={problem.code === UNREACHABLE ? 'problem notice' : 'problem'}
    >
      <Text size="sm">{asSentence(problem.detail)}</Text>
      <ProblemFacts problem={problem} />
      {problem.others?.map((other, index) => (
        <div key={index} className="problem-other">
          <Text size="sm">{asSentence(other.detail)}</Text>
          <ProblemFacts problem={other} />
        </div>
      ))}
      <Group gap="xs" mt="xs" justify="space-between">
        <Text size="xs" c="dimmed">
          {problem.code}
        </Text>
        {onRetry !== undefined && (
          <Button variant="default" size="compact-xs" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  )
}

/** What of a look shows whether it worked. */
export interface Look {
  readonly error: Error | null
  readonly isFetching: boolean
  readonly refetch: () => Promise<unknown>
}

/** Of a look that failed; that the broker does not answer is told by the bar on top. */
export function LookProblem({ of: { error, refetch } }: { readonly of: Omit<Look, 'isFetching'> }) {
  if (error === null || isLoss(error)) return null
  return <ProblemView problem={toProblem(error)} onRetry={() => void refetch()} />
}

function ProblemFacts({ problem }: { readonly problem: Pick<Problem, 'field' | 'value' | 'rule'> }) {
  if (problem.field === undefined && problem.rule === undefined) return null
  return (
    <dl className="problem-facts">
      {problem.field !== undefined && (
        <>
          <dt>Field</dt>
          <dd>
            <Code>{problem.field}</Code>
          </dd>
        </>
      )}
      {problem.value !== undefined && (
        <>
          <dt>Given</dt>
          <dd>
            <Code>{formatValue(problem.value)}</Code>
          </dd>
        </>
      )}
      {problem.rule !== undefined && (
        <>
          <dt>Allowed</dt>
          <dd>{problem.rule}</dd>
        </>
      )}
    </dl>
  )
}
