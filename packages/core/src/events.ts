/**
 * What happened to clients, for operators: why a connection ended, what was refused. A bounded ring that can be asked later,
 * and listeners that hear at once: the log, and whoever watches.
 */
import type { Cancel, Clock } from './env.ts'
import { EVENT_LISTENERS_MAX } from './limits.ts'
import { Recent } from './recent.ts'
import type { PeerInfo, Transport } from './connection/transport.ts'

/** `hint`: it worked, but perhaps not as it was meant. */
export type EventKind = 'connected' | 'refused' | 'disconnected' | 'limit' | 'failure' | 'hint'

export interface BrokerEvent {
  /** Ascending from 1, in the order in which things happened; begins anew with the process. */
  readonly id: number
  /** Unix ms. */
  readonly atMs: number
  readonly kind: EventKind
  /** 'mqtt', 'core', 'transport'. */
  readonly source: string
  /** Listener the connection came in by; '' when it is about none. */
  readonly listener: string
  /** Id of the connection's transport; 0 when it is about none. */
  readonly connection: number
  /** Remote address and port; '' when it is about none. */
  readonly peer: string
  readonly clientId: string
  readonly user: string
  /** What happened and why, in a sentence. */
  readonly text: string
  /** The rule that was broken: 'MQTT5-3.1.2-3'; '' when none was. */
  readonly clause: string
}

export type EventDetails = Pick<BrokerEvent, 'kind' | 'source' | 'text'> & Partial<Omit<BrokerEvent, 'id' | 'atMs'>>

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
    connection: about.transport.id,
    peer: peerText(peer),
    clientId: about.clientId,
    user: about.userName,
    text,
    clause,
  }
}

/** '10.0.0.1:50123'; the address alone where there is no port. */
export function peerText({ address, port }: PeerInfo): string {
  return port === 0 ? address : `${address}:${port}`
}

export interface EventsAfter {
  /** Oldest first. */
  readonly events: readonly BrokerEvent[]
  /** False: some that came after the one asked about are forgotten, or it was of an earlier process. */
  readonly isComplete: boolean
}

export class Events {
  readonly #clock: Clock
  readonly #recent: Recent<BrokerEvent>
  /** Replaced, never changed: one that ends in the middle of an event disturbs no other. */
  #listeners: readonly ((event: BrokerEvent) => void)[] = []

  /** Keeps the last `sizeMax` events; older ones are forgotten. */
  constructor(clock: Clock, sizeMax: number) {
    this.#clock = clock
    this.#recent = new Recent(sizeMax)
  }

  /** Id of the latest event; 0 before the first. */
  get lastId(): number {
    return this.#recent.cameCount
  }

  /**
   * Every event from now on also goes to `listener`, which must not throw, until what is returned is called.
   * Undefined when EVENT_LISTENERS_MAX listen already: it hears nothing.
   */
  listen(listener: (event: BrokerEvent) => void): Cancel | undefined {
    if (this.#listeners.length >= EVENT_LISTENERS_MAX) return undefined
    // Its own place, though the same function may listen twice.
    const own = (event: BrokerEvent): void => listener(event)
    this.#listeners = [...this.#listeners, own]
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== own)
    }
  }

  emit(details: EventDetails): void {
    const event: BrokerEvent = {
      id: this.#recent.cameCount + 1,
      atMs: this.#clock.wallMs(),
      kind: details.kind,
      source: details.source,
      listener: details.listener ?? '',
      connection: details.connection ?? 0,
      peer: details.peer ?? '',
      clientId: clip(details.clientId ?? '', NAME_CHARS_MAX),
      user: clip(details.user ?? '', NAME_CHARS_MAX),
      text: clip(details.text, TEXT_CHARS_MAX),
      clause: details.clause ?? '',
    }
    this.#recent.push(event)
    for (const listener of this.#listeners) listener(event)
  }

  /** Oldest first. */
  recent(): BrokerEvent[] {
    return this.#recent.all()
  }

  /** What came after the event with that id, at most `max` events: for a stream that goes on where it was. */
  after(id: number, max: number): EventsAfter {
    const { cameCount: lastId, size } = this.#recent
    const isComplete = id <= lastId && id >= lastId - size
    return { events: this.#recent.after(id <= lastId ? id : 0, max), isComplete }
  }
}

/** What a client chose is cut to this: 10,000 remembered events must not hold 64 KiB each. */
export const NAME_CHARS_MAX = 256
export const TEXT_CHARS_MAX = 1_024

/** Cut strings are made anew: a slice would keep the whole original alive. */
export function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : [...text.slice(0, charsMax)].join('') + '…'
}
