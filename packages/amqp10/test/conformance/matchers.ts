/** What a test expects of a field whose value it does not know. */
import { expect } from 'vitest'

export const aNumber: unknown = expect.any(Number)
export const aText: unknown = expect.any(String)
/** Says something in words. */
export const aSentence: unknown = expect.stringMatching(/.{10}/)
export const aCondition: unknown = expect.stringMatching(/^amqp:/)

export function textWith(part: string): unknown {
  return expect.stringContaining(part)
}
