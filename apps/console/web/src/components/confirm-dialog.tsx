/** Asks before something is done that cannot be undone: says what and how many, and wants the name typed. */
import { Button, Code, Group, Stack, Text, TextInput } from '@mantine/core'
import type { Call, Route } from '@ternmq/api'
import { type ReactNode, useState } from 'react'
import type { CallInput } from '../lib/api.ts'
import { useAct } from '../lib/query.ts'
import { CurlView } from './curl-view.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemView } from './problem-view.tsx'

interface ConfirmDialogProps<C extends Call> {
  readonly title: string
  /** What will be gone, and how much of it. */
  readonly children: ReactNode
  /** Has to be typed; left out for what can be made good again. */
  readonly name?: string | undefined
  /** What the button says: 'Purge 12 messages'. */
  readonly confirm: string
  readonly route: Route<C>
  readonly input: CallInput<C>
  readonly onClose: () => void
  readonly onDone?: ((answer: C['answer']) => void) | undefined
  readonly says?: ((answer: C['answer']) => string) | undefined
  /** The page that shows what the call names goes when it is done. */
  readonly removes?: boolean
}

/** Is there while the question is open. */
export function ConfirmDialog<C extends Call>(props: ConfirmDialogProps<C>) {
  const [typed, setTyped] = useState('')
  const act = useAct(props.route, {
    says: props.says,
    removes: props.removes === true ? ({ params }) => [{ ...params }] : undefined,
    onDone: (answer) => {
      props.onClose()
      props.onDone?.(answer)
    },
  })
  const isRight = props.name === undefined || typed === props.name
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isRight && !act.isRunning) act.run(props.input)
        }}
      >
        <Stack gap="sm">
          <Text size="sm" component="div">
            {props.children}
          </Text>
          {props.name !== undefined && (
            <TextInput
              data-autofocus
              label={
                <>
                  Type <Code>{props.name}</Code> to confirm
                </>
              }
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              autoComplete="off"
              spellCheck={false}
            />
          )}
          <ProblemView problem={act.problem} />
          <CurlView route={props.route} input={props.input} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              Cancel
            </Button>
            <Button type="submit" color="red" disabled={!isRight} loading={act.isRunning}>
              {props.confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  )
}
