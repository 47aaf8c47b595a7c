/** Puts the parts together: what follows messages, what makes spans of that, what sends them. */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Env, Random, Tracer } from '@ternmq/core'
import { MessageTracer } from './message-tracer.ts'
import { type SpanCounts, SpanExport, type SpanReport } from './span-export.ts'
import { SpanClock } from './span-clock.ts'

/** For one request, tries again included. */
const EXPORT_MS_MAX = 10_000
/** Longer texts are cut: clients choose their names, and what is wrong with a message is told in sentences. */
const ATTRIBUTE_CHARS_MAX = 1_024

export interface TracingOptions {
  readonly env: Env
  /** Where a collector takes OTLP over HTTP: 'http://127.0.0.1:4318/v1/traces'. */
  readonly endpoint: string
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>
  /** How many of the messages that name no trace begin one, 0 to 1. */
  readonly sampleRatio: number
  /** Spans that wait to be sent; beyond it new ones are dropped, and counted. */
  readonly spansWaitingMax: number
  /** How long a span waits for others to go along. */
  readonly batchMs: number
  readonly serviceName: string
  /** Of the broker. */
  readonly version: string
  /** What operators should know: that spans are lost, and that they are not any more. */
  readonly report: SpanReport
}

export interface Tracing {
  readonly tracer: Tracer
  /** As they are now. */
  readonly counts: SpanCounts
  /** Ends what is open, and sends what waits unless that takes too long. Never rejects. */
  close(): Promise<void>
}

/** `exporter` takes the place of the one for `endpoint`. */
export function openTracing(options: TracingOptions, exporter: SpanExporter = otlp(options)): Tracing {
  const { env, serviceName, version } = options
  const clock = new SpanClock(env.clock)
  const spans = new SpanExport(exporter, clock, options)
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    // Which messages are followed has been decided before there is a span.
    sampler: new AlwaysOnSampler(),
    idGenerator: idsFrom(env.random),
    spanProcessors: [spans],
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_CHARS_MAX },
  })
  const tracer = new MessageTracer(provider.getTracer('ternmq', version), spans, clock, env.random, options.sampleRatio)
  return {
    tracer,
    get counts() {
      return spans.counts
    },
    async close() {
      tracer.close()
      await spans.close()
    },
  }
}

function otlp({ endpoint, headers }: TracingOptions): SpanExporter {
  return new OTLPTraceExporter({
    url: endpoint,
    headers: { ...headers },
    timeoutMillis: EXPORT_MS_MAX,
    concurrencyLimit: 1,
  })
}

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8

function idsFrom(random: Random): { generateTraceId(): string; generateSpanId(): string } {
  const id = (bytes: number): string => Buffer.from(random.bytes(bytes)).toString('hex')
  return { generateTraceId: () => id(TRACE_ID_BYTES), generateSpanId: () => id(SPAN_ID_BYTES) }
}
