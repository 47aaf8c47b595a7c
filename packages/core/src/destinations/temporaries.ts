/**
 * Temporary queues and topics: they have a name that nobody could guess, belong to the session that made them, and go with its
 * connection. Anybody who knows the name may send to one; only its owner reads from it. [JMS 3.1 §4.4]
 */
import { QUEUE_PREFIX } from '../routing/address.ts'
import { refuse, type Result } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Temporary destinations of one session; beyond it another one is refused. */
const TEMPORARIES_PER_SESSION_MAX = 1_000
const ID_BYTES = 12

/** First level of temporary topics, and start of the names of temporary queues. */
const TEMPORARY_LEVEL = '$temp'

export class Temporaries {
  readonly #vhost: VirtualHost
  /** By address in core form. */
  readonly #owners = new Map<string, Session>()
  readonly #bySession = new Map<Session, Set<string>>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  get count(): number {
    return this.#owners.size
  }

  /** Makes one. Its address in core form. */
  create(session: Session, kind: 'temp-queue' | 'temp-topic'): Result<string> {
    const own = this.#bySession.get(session) ?? new Set<string>()
    if (own.size >= TEMPORARIES_PER_SESSION_MAX) {
      const text = `session '${session.clientId}' has ${own.size} temporary destinations, the limit; delete those that are not used any more`
      return refuse('limit-reached', session.clientId, text)
    }
    const name = `${TEMPORARY_LEVEL}/${hexOf(this.#vhost.env.random.bytes(ID_BYTES))}`
    const address = kind === 'temp-queue' ? QUEUE_PREFIX + name : name
    if (kind === 'temp-queue') {
      const made = this.#vhost.destinations.define({ name, settings: { durability: 'memory', deadLetter: undefined } })
      if (!made.ok) return made
    }
    own.add(address)
    this.#bySession.set(session, own)
    this.#owners.set(address, session)
    return { ok: true, value: address }
  }

  /** Who reads from it; undefined when there is no such temporary destination. */
  ownerOf(address: string): Session | undefined {
    return this.#owners.get(address)
  }

  /** Ends one of the session's. False when it has none of that address. */
  delete(session: Session, address: string): boolean {
    const own = this.#bySession.get(session)
    if (own?.delete(address) !== true) return false
    if (own.size === 0) this.#bySession.delete(session)
    this.#owners.delete(address)
    const named = address.startsWith(QUEUE_PREFIX) ? this.#vhost.destinations.find(address.slice(QUEUE_PREFIX.length)) : undefined
    if (named !== undefined) this.#vhost.destinations.delete(named)
    return true
  }

  /** The session's connection is gone. */
  endOf(session: Session): void {
    for (const address of [...(this.#bySession.get(session) ?? [])]) this.delete(session, address)
  }
}

function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** It is, or was, the address of a temporary destination. */
export function isTemporary(address: string): boolean {
  return address.startsWith(`${TEMPORARY_LEVEL}/`) || address.startsWith(`${QUEUE_PREFIX}${TEMPORARY_LEVEL}/`)
}
