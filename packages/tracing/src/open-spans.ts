/** Spans that have begun and not ended, the oldest first, and not too many of them: what an offline client has may never be settled. */
import type { Span } from '@opentelemetry/api'
import { Attribute } from './attributes.ts'
import type { SpanClock } from './span-clock.ts'

/** Spans open at once; beyond it the oldest is ended, and says that its end was not seen. */
export const SPANS_OPEN_MAX = 8_192

export class OpenSpans {
  readonly #clock: SpanClock
  readonly #spans = new Set<Span>()

  constructor(clock: SpanClock) {
    this.#clock = clock
  }

  add(span: Span): void {
    this.#spans.add(span)
    if (this.#spans.size <= SPANS_OPEN_MAX) return
    const [oldest] = this.#spans
    this.#endUnseen(oldest!)
  }

  /** One that was ended before its end was seen stays as it is. */
  end(span: Span): void {
    if (this.#spans.delete(span)) span.end(this.#clock.now())
  }

  endAll(): void {
    for (const span of this.#spans) this.#endUnseen(span)
  }

  #endUnseen(span: Span): void {
    span.setAttribute(Attribute.outcome, 'unseen')
    this.end(span)
  }
}
