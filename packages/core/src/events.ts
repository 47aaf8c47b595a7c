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
  /** Ascending without gaps, in the order in which things happened; those of a later process are greater, so that no id ever means two events. */
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
export function connectionEvent(
  source: string,
  about: EventSubject,
  kind: EventKind,
  text: string,
  clause: string,
): EventDetails {
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

/**
 * Ids of a process begin at the wall clock's ms times this: fewer happen in each ms of its life, so the next process begins beyond them.
 * 15 digits until the year 2286, and exact as a number.
 */
const IDS_PER_MS = 100

export class Events {
  /** The id before the first of this process: of whoever has had none of it. */
  readonly bornId: number
  readonly #clock: Clock
  readonly #recent: Recent<BrokerEvent>
  /** Replaced, never changed: one that ends in the middle of an event disturbs no other. */
  #listeners: readonly ((event: BrokerEvent) => void)[] = []

  /** Keeps the last `sizeMax` events; older ones are forgotten. */
  constructor(clock: Clock, sizeMax: number) {
    this.#clock = clock
    this.#recent = new Recent(sizeMax)
    this.bornId = Math.floor(clock.wallMs()) * IDS_PER_MS
  }

  /** Id of the latest event; before the first the one before it. */
  get lastId(): number {
    return this.bornId + this.#recent.cameCount
  }

  /** Whether this process has got as far as that id. False for one of an earlier process. */
  hasCounted(id: number): boolean {
    return id >= this.bornId && id <= this.lastId
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
      id: this.lastId + 1,
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

  /** What came after the event with that id, oldest first, at most `max`; from the oldest on for one of an earlier process. */
  after(id: number, max: number): BrokerEvent[] {
    return this.#recent.after(this.hasCounted(id) ? id - this.bornId : 0, max)
  }
}

/** What a client chose is cut to this: 10,000 remembered events must not hold 64 KiB each. */
export const NAME_CHARS_MAX = 256
export const TEXT_CHARS_MAX = 1_024

/** Cut strings are made anew: a slice would keep the whole original alive. */
export function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : [...text.slice(0, charsMax)].join('') + '…'
}
