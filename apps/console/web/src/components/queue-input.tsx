/** The name of a queue, with those that there are as proposals. */
import { Autocomplete } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { listQueues } from '@ternmq/api'
import { useLook } from '../lib/query.ts'

const PROPOSALS_MAX = 12

interface QueueInputProps {
  readonly label: string
  readonly description?: string
  readonly value: string
  readonly onChange: (name: string) => void
  readonly error?: string | undefined
  readonly placeholder?: string
}

export function QueueInput(props: QueueInputProps) {
  const [asked] = useDebouncedValue(props.value, 150)
  const found = useLook(listQueues, { query: { q: asked, limit: PROPOSALS_MAX } }).data?.items ?? []
  return (
    <Autocomplete
      size="sm"
      data={found.map(({ name }) => name)}
      comboboxProps={{ transitionProps: { duration: 0 } }}
      filter={({ options }) => options}
      {...props}
    />
  )
}
