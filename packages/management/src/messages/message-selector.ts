/** Selectors in calls. */
import { parseSelector, type Selector } from '@ternmq/core'
import { ApiError } from '../errors.ts'

/** Undefined without a text. Throws ApiError('INVALID') that says where it is wrong. */
export function readSelector(text: string | undefined): Selector | undefined {
  if (text === undefined) return undefined
  const parsed = parseSelector(text)
  if (parsed.ok) return parsed.selector
  const { position, text: why } = parsed.error
  const rule = "a selector of SQL-92, as priority > 4 AND colour = 'red'"
  throw new ApiError('INVALID', `the selector is wrong at character ${position}: ${why}`, { field: 'selector', value: text, rule })
}
