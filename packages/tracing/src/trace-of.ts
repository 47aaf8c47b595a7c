/** The trace that a message names. Few do, and looking must not cost the others that their headers are read. */
import { type Message, readTraceparent, type TraceContext, TRACEPARENT, TRACESTATE } from '@ternmq/core'

export interface NamedTrace extends TraceContext {
  /** Of `tracestate`; undefined for a message without. */
  readonly state: string | undefined
}

const NAME = Buffer.from(TRACEPARENT)
/** That of the machine: for bytes of any kind, and without a Buffer for each message. */
const search = Reflect.get(Buffer.prototype, 'indexOf') as (this: Uint8Array, value: Uint8Array) => number
/** Name and value; headers that are shorter name none. */
const BYTES_MIN = TRACEPARENT.length + 55

/** Undefined for a message that names none, or whose name for it is no trace. Whatever the format: all of them have the name as it is. */
export function traceOf(message: Message): NamedTrace | undefined {
  if (message.bodyStart - message.headerStart < BYTES_MIN) return undefined
  if (search.call(message.headerBytes, NAME) < 0) return undefined
  let parent: string | undefined
  let state: string | undefined
  for (const [name, value] of message.headers.properties) {
    if (name === TRACEPARENT) parent ??= value
    else if (name === TRACESTATE) state ??= value
  }
  const read = parent === undefined ? undefined : readTraceparent(parent)
  return read && { ...read, state }
}
