/** A form in a dialog: what it sends, what went wrong with it, and the same call with curl. */
import { Button, Group, Stack } from '@mantine/core'
import type { Call, Problem, Route } from '@ternmq/api'
import type { ReactNode } from 'react'
import type { CallInput } from '../lib/api.ts'
import { useAct } from '../lib/query.ts'
import { CurlView } from './curl-view.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemView } from './problem-view.tsx'

interface FormDialogProps<C extends Call> {
  readonly title: string
  readonly route: Route<C>
  /** Undefined while something is missing that must be there. */
  readonly input: CallInput<C> | undefined
  readonly submit: string
  readonly size?: string
  readonly onClose: () => void
  readonly onDone?: ((answer: C['answer']) => void) | undefined
  readonly says?: ((answer: C['answer']) => string) | undefined
  /** The page that shows what the call names goes when it is done. */
  readonly removes?: boolean
  /** Passwords do not belong in a shell's history. */
  readonly withoutCurl?: boolean
  /** Fields; they get the problem of the last try, to show what it says of them. */
  readonly children: (problem: Problem | undefined) => ReactNode
}

export function FormDialog<C extends Call>(props: FormDialogProps<C>) {
  const act = useAct(props.route, {
    says: props.says,
    removes: props.removes === true ? ({ params }) => [{ ...params }] : undefined,
    onDone: (answer) => {
      props.onClose()
      props.onDone?.(answer)
    },
  })
  return (
    <Dialog title={props.title} size={props.size ?? 'md'} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (props.input !== undefined && !act.isRunning) act.run(props.input)
        }}
      >
        <Stack gap="sm">
          {props.children(act.problem)}
          <ProblemView problem={act.problem} />
          {props.withoutCurl !== true && <CurlView route={props.route} input={props.input} />}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={props.input === undefined} loading={act.isRunning}>
              {props.submit}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
