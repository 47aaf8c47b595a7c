/** What operators hear of clients that may mean something else than they say: hints about their addresses, and topics that nearly meet. */
import { type Clock, connectionEvent, type Events, type EventSubject, EventThrottle, type PatternLevel, type ProducerTarget } from '@ternmq/core'
import { HintGate } from './hint-gate.ts'
import type { NearMisses, Suggestion, Teller } from './near-misses.ts'

export interface ClientHintsOptions {
  /** As near misses name the protocol: 'STOMP'. */
  readonly protocol: string
  /** As events name it: 'stomp'. */
  readonly source: string
  readonly clock: Clock
  readonly events: Events
  /** Hears of topics that are sent to and subscribed to, and says which nearly meet. That of the virtual host; without one nobody does. */
  readonly nearMisses: NearMisses | undefined
}

export class ClientHints {
  readonly #options: ClientHintsOptions
  /** A client may send to many names that look mistaken. */
  readonly #throttle: EventThrottle
  readonly #gate = new HintGate()

  constructor(options: ClientHintsOptions) {
    this.#options = options
    this.#throttle = new EventThrottle(options.clock, (event) => options.events.emit(event))
  }

  /** It worked, but perhaps not as it was meant. Told once a second for each client. */
  hint(client: EventSubject, text: string): void {
    const { source, clock } = this.#options
    if (!this.#gate.admits(client, text, clock.monoMs())) return
    this.#throttle.report(`${client.clientId} hint`, connectionEvent(source, client, 'hint', text, ''))
  }

  /** A topic or pattern was subscribed to: operators hear of topics that it nearly matches. */
  noteSubscribed(client: EventSubject, pattern: readonly PatternLevel[]): void {
    const { nearMisses, clock } = this.#options
    if (nearMisses === undefined || isReserved(pattern[0])) return
    this.#suggest(client, nearMisses.noteSubscribed(pattern, this.#tellerOf(client), clock.monoMs()))
  }

  /** Nobody wanted a message to this target. Once for each set of bindings. */
  noteUnheard(client: EventSubject, target: ProducerTarget): void {
    const { nearMisses, clock } = this.#options
    target.unheardAt = target.route.generation
    if (nearMisses === undefined) return
    for (const address of target.addresses) {
      if (isReserved(address)) continue
      this.#suggest(client, nearMisses.noteUnheard(address.split('/'), this.#tellerOf(client), clock.monoMs()))
    }
  }

  /** Tells what was held back: nothing more comes. */
  flush(): void {
    this.#throttle.flush()
  }

  #suggest(client: EventSubject, suggestions: readonly Suggestion[]): void {
    const { events, source } = this.#options
    for (const { text } of suggestions) events.emit(connectionEvent(source, client, 'hint', text, ''))
  }

  #tellerOf({ clientId }: EventSubject): Teller {
    return { protocol: this.#options.protocol, clientId }
  }
}

/** Queues, temporary topics and what the broker says of itself: nobody means something else by one of them. */
function isReserved(start: PatternLevel | undefined): boolean {
  return typeof start === 'string' && start.startsWith('$')
}
