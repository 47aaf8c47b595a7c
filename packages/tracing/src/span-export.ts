/**
 * Spans on their way to the collector, within bounds: so many wait, one request is under way at a time, and what has no place is dropped
 * and counted. A collector that is slow or away costs spans, never memory and never a message.
 */
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Cancel } from '@ternmq/core'
import type { SpanClock } from './span-clock.ts'

/** Spans of one request. */
const SPANS_PER_REQUEST_MAX = 512
/** Least time between two reports that spans are lost. */
const REPORT_MS = 60_000
/** How long a stop waits for the collector; what it has not taken by then is dropped. */
const CLOSE_MS_MAX = 2_000
/** `ExportResultCode.SUCCESS` of OpenTelemetry. */
const SUCCESS = 0

export interface SpanCounts {
  /** Taken by the collector. */
  readonly exported: number
  /** Lost: no place, or the collector did not take them. */
  readonly dropped: number
  readonly waiting: number
}

/** Hears a sentence for operators; `isFailure` is false for one that all is well again. */
export type SpanReport = (text: string, isFailure: boolean) => void

export interface SpanExportOptions {
  readonly endpoint: string
  readonly spansWaitingMax: number
  readonly batchMs: number
  readonly report: SpanReport
}

export class SpanExport implements SpanProcessor {
  readonly #exporter: SpanExporter
  readonly #clock: SpanClock
  readonly #options: SpanExportOptions
  /** The endpoint as it is told: its query may be a key. */
  readonly #collector: string
  #waiting: ReadableSpan[] = []
  #exportedCount = 0
  #droppedCount = 0
  #cancelTimer: Cancel | undefined = undefined
  #isSending = false
  #isClosed = false
  /** Set while it is being closed: called when nothing waits and nothing is under way. */
  #onIdle: (() => void) | undefined = undefined
  /** Operators have heard that spans are lost, and not yet that they are taken again. */
  #isReported = false
  #reportedAtMs = -Infinity

  constructor(exporter: SpanExporter, clock: SpanClock, options: SpanExportOptions) {
    this.#exporter = exporter
    this.#clock = clock
    this.#options = options
    this.#collector = options.endpoint.replace(/\?.*$/s, '')
  }

  get counts(): SpanCounts {
    return { exported: this.#exportedCount, dropped: this.#droppedCount, waiting: this.#waiting.length }
  }

  /** A span that is made now would be dropped when it ends. */
  get isFull(): boolean {
    return this.#waiting.length >= this.#options.spansWaitingMax
  }

  /** One that was not made, since there is no place for it. */
  dropUnmade(): void {
    this.#drop(1, `${this.#options.spansWaitingMax} wait for it already (tracing.spansWaitingMax)`)
  }

  // ── SpanProcessor ──

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.#isClosed || this.isFull) return this.dropUnmade()
    this.#waiting.push(span)
    if (this.#isSending) return
    // Never here: whoever ends a span has a message in hand.
    if (this.#waiting.length === SPANS_PER_REQUEST_MAX) this.#sendAfter(0)
    else if (this.#cancelTimer === undefined) this.#sendAfter(this.#options.batchMs)
  }

  forceFlush(): Promise<void> {
    return Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.close()
  }

  /** Sends what waits, as far as the collector takes it in time. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed || this.#onIdle !== undefined) return
    // One that takes nothing has had its chance.
    if (!this.#isReported) await this.#sendAll()
    this.#isClosed = true
    this.#cancelTimer?.()
    this.#loseAll()
    // It ends when its requests do, which may go nowhere: nobody waits for that.
    void this.#exporter.shutdown().catch(() => {})
  }

  /** Resolves when nothing waits, or when that takes too long. */
  #sendAll(): Promise<void> {
    return new Promise<void>((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS_MAX, resolve)
      this.#onIdle = () => {
        cancel()
        resolve()
      }
      if (!this.#isSending) this.#send()
    })
  }

  #sendAfter(delayMs: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = this.#clock.after(delayMs, () => this.#send())
  }

  #send(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#waiting.length === 0) return this.#onIdle?.()
    const batch = this.#waiting.splice(0, SPANS_PER_REQUEST_MAX)
    this.#isSending = true
    this.#exporter.export(batch, ({ code, error }) => {
      this.#isSending = false
      if (code === SUCCESS) this.#onTaken(batch.length)
      else this.#drop(batch.length, error?.message ?? 'it gives no reason')
      if (!this.#isClosed) this.#goOn()
    })
  }

  /** Whatever came meanwhile. */
  #goOn(): void {
    const mayWait = this.#onIdle === undefined && this.#waiting.length < SPANS_PER_REQUEST_MAX
    if (!mayWait) this.#send()
    else if (this.#waiting.length > 0) this.#sendAfter(this.#options.batchMs)
  }

  #onTaken(count: number): void {
    this.#exportedCount += count
    if (!this.#isReported) return
    this.#isReported = false
    this.#options.report(`${this.#collector} takes spans again; ${this.#droppedCount} were lost since the start`, false)
  }

  #loseAll(): void {
    this.#droppedCount += this.#waiting.length
    this.#waiting = []
  }

  #drop(count: number, why: string): void {
    this.#droppedCount += count
    const nowMs = this.#clock.monoMs()
    if (this.#isClosed || nowMs - this.#reportedAtMs < REPORT_MS) return
    this.#reportedAtMs = nowMs
    this.#isReported = true
    this.#options.report(
      `${this.#droppedCount} spans are lost so far, since ${this.#collector} does not take them: ${why}; messages go on`,
      true,
    )
  }
}
