/** The `selector` of SUBSCRIBE. */
import { parseSelector, type Selector } from '@ternmq/core'
import { HeaderId } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'
import { quote } from './codec/problem.ts'
import { Refused } from './refused.ts'

/** Undefined where the client wants all. Throws Refused with the position for a text that is none. */
export function selectorOf(headers: FrameHeaders): Selector | undefined {
  const text = headers.get(HeaderId.selector)
  if (text === undefined) return undefined
  const parsed = parseSelector(text)
  if (parsed.ok) return parsed.selector
  throw new Refused(headers, `the selector ${quote(text)} is wrong at character ${parsed.error.position}: ${parsed.error.text}`)
}
