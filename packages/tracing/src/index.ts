/** Traces for OpenTelemetry: spans of messages on their way through the broker, sent to a collector. Imported only where tracing is on. */
export { type SpanCounts, type SpanReport } from './span-export.ts'
export { openTracing, type Tracing, type TracingOptions } from './tracing.ts'
