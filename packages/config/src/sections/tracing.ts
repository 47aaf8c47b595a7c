/** The `tracing` section: whether and where spans of messages go. */
import { z } from 'zod'
import { typed } from '../typed.ts'
import type { TracingConfig } from '../types.ts'

const HEADERS_MAX = 32
/** A name of HTTP, and a value without control characters that begins and ends with something. */
const HEADER = /^[\w!#$%&'*+.^`|~-]{1,128}: [!-~](?:[ -~]{0,8190}[!-~])?$/

const schema = z
  .strictObject({
    enabled: z.boolean().default(false).meta({
      description:
        'Whether spans of messages are made and sent to a collector of OpenTelemetry. Messages pass on `traceparent` in any case.',
      reload: 'start',
    }),
    endpoint: z.string().max(2_048).refine(isHttpUrl).default('http://127.0.0.1:4318/v1/traces').meta({
      description: 'Where the collector takes OTLP over HTTP, path included.',
      allowed: 'a URL that begins with http:// or https://, without user, password and fragment',
      reload: 'start',
    }),
    headers: z
      .array(
        z
          .string()
          .refine((text) => HEADER.test(text))
          .meta({ allowed: 'a header such as "authorization: Bearer TOKEN"' }),
      )
      .max(HEADERS_MAX)
      .readonly()
      .optional()
      .meta({ description: 'Headers that go with each request to the collector.', secret: true, reload: 'start' }),
    sampleRatio: z.number().min(0).max(1).default(0.01).meta({
      description:
        'Part of the messages without a `traceparent` that begin a trace. One with a `traceparent` is traced where that says so, whatever the part is.',
      reload: 'start',
    }),
    spansWaitingMax: z.int().min(512).max(1_000_000).default(8_192).meta({
      description:
        'Spans that wait to be sent, about 1 KiB each. Beyond it no more are made until the collector has taken some, and those that were not are counted.',
      reload: 'start',
    }),
    batchMs: z.int().min(10).max(60_000).default(1_000).meta({
      description: 'Time in ms that a span waits for others to go along in one request; 512 of them go at once.',
      reload: 'start',
    }),
    serviceName: z.string().min(1).max(256).default('ternmq').meta({
      description: '`service.name` of the spans: what tells this broker from others.',
      reload: 'start',
    }),
  })
  .prefault({})
  .meta({ description: 'Traces for OpenTelemetry.' })

export const tracingSchema: z.ZodType<TracingConfig> = typed<TracingConfig>()(schema)

function isHttpUrl(text: string): boolean {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
  const { username, password, hash } = new URL(text)
  return username === '' && password === '' && hash === ''
}
