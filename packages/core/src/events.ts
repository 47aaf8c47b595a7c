/**
 * What happened to clients, for operators: why a connection ended, what was refused. A bounded ring that can be asked later,
 * and one listener that writes the log.
 */
import type { Clock } from './env.ts'
import type { Transport } from './transport.ts'

/** `hint`: it worked, but perhaps not as it was meant. */
export type EventKind = 'connected' | 'refused' | 'disconnected' | 'limit' | 'failure' | 'hint'

export interface BrokerEvent {
  /** Unix ms. */
  readonly atMs: number
  readonly kind: EventKind
  /** 'mqtt', 'core', 'transport'. */
  readonly source: string
  /** Listener the connection came in by; '' when it is about none. */
  readonly listener: string
  /** Remote address and port; '' when it is about none. */
  readonly peer: string
  readonly clientId: string
  readonly user: string
  /** What happened and why, in a sentence. */
  readonly text: string
  /** The rule that was broken: 'MQTT5-3.1.2-3'; '' when none was. */
  readonly clause: string
}

export type EventDetails = Pick<BrokerEvent, 'kind' | 'source' | 'text'> & Partial<BrokerEvent>

/** Of a connection, whatever it speaks, as far as events tell it. */
export interface EventSubject {
  readonly transport: Transport
  readonly clientId: string
  readonly userName: string
}

/** What an adapter tells of one of its connections. */
export function connectionEvent(source: string, about: EventSubject, kind: EventKind, text: string, clause: string): EventDetails {
  const { peer } = about.transport
  return {
    kind,
    source,
    listener: peer.listener,
    peer: peer.port === 0 ? peer.address : `${peer.address}:${peer.port}`,
    clientId: about.clientId,
    user: about.userName,
    text,
    clause,
  }
}

/** What a client chose is cut to this: 10,000 remembered events must not hold 64 KiB each. */
const NAME_CHARS_MAX = 256
const TEXT_CHARS_MAX = 1_024

export class Events {
  readonly #clock: Clock
  readonly #sizeMax: number
  readonly #ring: BrokerEvent[] = []
  #oldest = 0
  #listener: ((event: BrokerEvent) => void) | undefined = undefined

  /** Keeps the last `sizeMax` events; older ones are forgotten. */
  constructor(clock: Clock, sizeMax: number) {
    this.#clock = clock
    this.#sizeMax = sizeMax
  }

  /** Every event from now on also goes to `listener`: the log. */
  listen(listener: (event: BrokerEvent) => void): void {
    this.#listener = listener
  }

  emit(details: EventDetails): void {
    const event: BrokerEvent = {
      atMs: this.#clock.wallMs(),
      kind: details.kind,
      source: details.source,
      listener: details.listener ?? '',
      peer: details.peer ?? '',
      clientId: clip(details.clientId ?? '', NAME_CHARS_MAX),
      user: clip(details.user ?? '', NAME_CHARS_MAX),
      text: clip(details.text, TEXT_CHARS_MAX),
      clause: details.clause ?? '',
    }
    if (this.#ring.length < this.#sizeMax) {
      this.#ring.push(event)
    } else if (this.#sizeMax > 0) {
      this.#ring[this.#oldest] = event
      this.#oldest = (this.#oldest + 1) % this.#sizeMax
    }
    this.#listener?.(event)
  }

  /** Oldest first. */
  recent(): BrokerEvent[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)]
  }
}

/** Cut strings are made anew: a slice would keep the whole original alive. */
function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : [...text.slice(0, charsMax)].join('') + '…'
}
