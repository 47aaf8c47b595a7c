/**
 * Who may do what where. The core asks once per producer address, binding and consumer, and keeps the
 * answer until `generation` moves; packages/auth has the rules. [ADR-0001]
 */
import type { Address, Pattern } from './routing/address.ts'

/** An authenticated identity. Made by the login, carried by the session. */
export interface Principal {
  /** User name, or 'anonymous'. */
  readonly name: string
  readonly anonymous: boolean
  /** The user has gone since the login, whoever has the name now: no session is opened for him. Left out for who is no user. */
  readonly isGone?: boolean
}

/** write = publish to, read = subscribe or consume, browse = look without taking, admin = change settings. */
export type Action = 'read' | 'write' | 'create' | 'browse' | 'admin'

export interface Decision {
  readonly allowed: boolean
  /** The rule that decided, in the words of the configuration; shown to operators, never to the client. */
  readonly rule: string
  /** A rule says no: not only that none says yes. */
  readonly isDenied?: true
}

/** The parties of one question. `clientId` is there for rules with `%c`. */
export interface Subject {
  readonly principal: Principal
  readonly clientId: string
}

export interface Authorizer {
  /** Moves on whenever an earlier answer may have changed. */
  readonly generation: number
  /** One concrete address: publish, create, a single destination. Must not throw. */
  mayUse(subject: Subject, action: Action, address: Address): Decision
  /** A pattern: every address that it matches must be allowed. Must not throw. */
  mayMatch(subject: Subject, action: Action, pattern: Pattern): Decision
}

const ALLOWED: Decision = { allowed: true, rule: 'there are no permissions: everybody may do everything' }

/** Used until rules are configured. */
export const allowAll: Authorizer = {
  generation: 0,
  mayUse: () => ALLOWED,
  mayMatch: () => ALLOWED,
}
