/** The call behind a button, for a shell: folded away until somebody wants it. */
import type { Call, Route } from '@ternmq/api'
import type { CallInput } from '../lib/api.ts'
import { BROKER_URL } from '../lib/base.ts'
import { curlOf } from '../lib/curl.ts'
import { CodeBlock } from './code-block.tsx'

interface CurlViewProps<C extends Call> {
  readonly route: Route<C>
  /** Undefined while the form behind it is not complete. */
  readonly input: CallInput<C> | undefined
}

export function CurlView<C extends Call>({ route, input }: CurlViewProps<C>) {
  if (input === undefined) return null
  return (
    <details className="curl">
      <summary>The same with curl</summary>
      <CodeBlock text={curlOf(BROKER_URL, route, input)} label="Command" />
    </details>
  )
}
