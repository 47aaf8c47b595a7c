/** A frame that is well formed and cannot be: what the ERROR says. Thrown by handlers, caught in `StompConnection.fail`. */
import type { HeaderPair } from './codec/encode.ts'
import { HeaderId } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'
import { aboutFrame } from './codec/problem.ts'

export class Refused extends Error {
  override readonly name = 'Refused'
  readonly clause: string
  /** For `receipt-id`. [STOMP12-ERROR-c] */
  readonly receipt: string | undefined
  readonly headers: readonly HeaderPair[]

  /** `text` says which header and value, which rule, and what to do. */
  constructor(frame: FrameHeaders, text: string, clause = '', headers: readonly HeaderPair[] = []) {
    super(aboutFrame(frame.command, text))
    this.clause = clause
    this.receipt = frame.get(HeaderId.receipt)
    this.headers = headers
  }
}

/** The value of a header that the frame must have. */
export function required(frame: FrameHeaders, id: (typeof HeaderId)[keyof typeof HeaderId], name: string, clause: string): string {
  const value = frame.get(id)
  if (value === undefined) throw new Refused(frame, `header ${name} is missing`, clause)
  return value
}
