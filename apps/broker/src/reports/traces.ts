/** Spans of messages for a collector, where the configuration wants them. What makes them is loaded only then. */
import type { TracingConfig } from '@ternmq/config'
import type { Env, Events } from '@ternmq/core'
import type { Tracing } from '@ternmq/tracing'

import { VERSION } from '../version.ts'

/** Undefined while tracing is off. */
export async function openTraces(config: TracingConfig, env: Env, events: Events): Promise<Tracing | undefined> {
  if (!config.enabled) return undefined
  const { openTracing } = await import('@ternmq/tracing')
  return openTracing({
    ...config,
    env,
    headers: Object.fromEntries((config.headers ?? []).map(nameAndValue)),
    version: VERSION,
    report: (text, isFailure) => events.emit({ kind: isFailure ? 'failure' : 'hint', source: 'tracing', text }),
  })
}

/** Of 'name: value', as the schema has checked it. */
function nameAndValue(header: string): [name: string, value: string] {
  const at = header.indexOf(': ')
  return [header.slice(0, at), header.slice(at + 2)]
}
