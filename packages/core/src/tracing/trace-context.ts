/** Trace context of W3C as messages carry it: which trace they belong to, and who in it sent them. [W3C-TRACE-CONTEXT §3.2] */

/** Names of the two properties, in every protocol. */
export const TRACEPARENT = 'traceparent'
export const TRACESTATE = 'tracestate'

export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** Of whoever passed it on: 16 hexadecimal digits. */
  readonly spanId: string
  /** Whoever began the trace wants it recorded. */
  readonly isSampled: boolean
}

const SHAPE = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const VERSION_LENGTH = 55
const ZEROS = /^0+$/
const SAMPLED = 0x01

/** Undefined for what is no `traceparent`: whoever reads it goes on as if there was none. Later versions are read as far as this one goes. */
export function readTraceparent(text: string): TraceContext | undefined {
  const found = SHAPE.exec(text)
  if (found === null) return undefined
  const [, version = '', traceId = '', spanId = '', flags = ''] = found
  if (version === 'ff' || (version === '00' && text.length !== VERSION_LENGTH)) return undefined
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 }
}
