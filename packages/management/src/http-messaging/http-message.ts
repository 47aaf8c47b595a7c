/** From the body of a publish to a message of the core, by the mapping table of fields. */
import type { PublishBody } from '@ternmq/api'
import {
  type Headers,
  Message,
  PRIORITY_DEFAULT,
  type PublishOptions,
  readTraceparent,
  TRACEPARENT,
  TRACESTATE,
} from '@ternmq/core'
import { addressSpelling, bytesOfText } from '@ternmq/naming'
import { ApiError } from '../errors.ts'
import type { TraceHeaders } from '../handlers.ts'
import { httpHeaders } from './http-headers.ts'

export interface HttpPublish {
  readonly message: Message
  readonly options: PublishOptions
}

const SPELLING = addressSpelling('rest')

/** The same in every protocol; see the table. */
const DEDUP_PROPERTY = '_AMQ_DUPL_ID'
/** As of names in every protocol: the core keeps them in memory. */
const NAME_LENGTH_MAX = 1_024

/** `topic` in core form; of a list its names with ',' between, and each part gets its own. Throws ApiError('INVALID') for a field that cannot be what it is. */
export function readPublish(body: PublishBody, topic: string, publisher: string, nowMs: number): HttpPublish {
  const {
    priority = PRIORITY_DEFAULT,
    durable = true,
    retain = false,
    ttlMs = 0,
    delayMs = 0,
    groupId,
    properties = {},
  } = body
  const headers = httpHeaders.encode(headersOf(body))
  const content = contentOf(body)
  const bytes = new Uint8Array(headers.length + content.length)
  bytes.set(headers)
  bytes.set(content, headers.length)
  const dedupId = Object.hasOwn(properties, DEDUP_PROPERTY) ? properties[DEDUP_PROPERTY] : undefined
  if (groupId !== undefined) checkName('groupId', groupId)
  if (dedupId !== undefined) checkName(`properties.${DEDUP_PROPERTY}`, dedupId)
  const message = new Message({
    topic,
    codec: httpHeaders,
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: headers.length,
    end: bytes.length,
    // Whoever calls waits for an answer: it is not dropped without one, whether it outlives the process or not.
    assurance: 1,
    durable,
    retain,
    expiresAtMs: ttlMs === 0 ? 0 : nowMs + ttlMs,
    publisher,
    priority,
    extras: groupId === undefined ? undefined : { groupId },
  })
  const options = { ...(delayMs > 0 && { schedule: { delayMs } }), ...(dedupId !== undefined && { dedupId }) }
  return { message, options }
}

/**
 * The message belongs to the trace of the call that publishes it, unless its properties name one. What is no trace context is left out, as
 * W3C has it: nobody who publishes should fail because of it.
 */
export function withTrace(body: PublishBody, trace: TraceHeaders | undefined): PublishBody {
  const { properties = {} } = body
  if (trace === undefined || Object.hasOwn(properties, TRACEPARENT)) return body
  if (readTraceparent(trace.traceparent) === undefined) return body
  const rest = Object.fromEntries(Object.entries(properties).filter(([name]) => name !== TRACESTATE))
  const { traceparent, tracestate } = trace
  return { ...body, properties: { ...rest, traceparent, ...(tracestate !== undefined && { tracestate }) } }
}

function headersOf(body: PublishBody): Headers {
  const { messageId, correlationId, contentType, contentEncoding, replyTo, type, appId, properties = {} } = body
  return {
    ...(messageId !== undefined && { messageId }),
    ...(type !== undefined && { type }),
    ...(correlationId !== undefined && { correlationId: bytesOfText(correlationId) }),
    ...(contentType !== undefined && { contentType }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(appId !== undefined && { appId }),
    ...(replyTo !== undefined && { replyTo: replyAddress(replyTo) }),
    ...(body.encoding !== 'base64' && { text: true }),
    properties: Object.entries(properties),
  }
}

function replyAddress(text: string): string {
  const read = SPELLING.read(text)
  if ('address' in read) return read.address
  throw new ApiError('INVALID', `replyTo is no address that an answer can be sent to: ${read.rule}`, {
    field: 'replyTo',
    value: text,
    rule: read.rule,
  })
}

function contentOf({ body, encoding }: PublishBody): Uint8Array {
  if (encoding !== 'base64') return Buffer.from(body, 'utf8')
  const content = Buffer.from(body, 'base64')
  // What Node leaves out silently was no base64.
  if (content.toString('base64') === body) return content
  const rule = 'base64 with padding (RFC 4648 §4)'
  throw new ApiError('INVALID', `body is not ${rule}`, { field: 'body', value: body.slice(0, 80), rule })
}

function checkName(field: string, value: string): void {
  if (value !== '' && value.length <= NAME_LENGTH_MAX) return
  const rule = `a text of 1 to ${NAME_LENGTH_MAX} characters`
  throw new ApiError('INVALID', `${field} has ${value.length} characters, and must be ${rule}`, {
    field,
    value: value.slice(0, 80),
    rule,
  })
}
