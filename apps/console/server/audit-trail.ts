/** What the audit log hears of a call: who did what to what, and how it ended. Once for each call. */
import type { AnyRoute, AuditItem } from '@ternmq/api'
import { changesSomething } from './csrf.ts'
import type { Identity } from './identity.ts'
import type { Audit } from './options.ts'

/** Characters of the target and of the detail; what is longer is cut. */
const CHARS_MAX = 1_024

export class AuditTrail {
  readonly #audit: Audit
  readonly route: AnyRoute
  readonly #address: string
  readonly #notes: string[] = []
  #target = ''
  #loginOf = ''
  #isTold = false
  /** Known once the caller is. */
  identity: Identity | undefined

  constructor(audit: Audit, route: AnyRoute, address: string) {
    this.#audit = audit
    this.route = route
    this.#address = address
  }

  note(detail: string): void {
    this.#notes.push(detail)
  }

  /** What the call is about: the parameters of its path but the virtual host. */
  about(params: object): void {
    this.#target = Object.entries(params)
      .flatMap(([name, value]) => (name === 'vhost' ? [] : [String(value)]))
      .join(' ')
  }

  /** Of a login, also of one that fails within another call: nobody is known yet, but who it is said to be. */
  loginOf(user: string): void {
    this.#loginOf = user
  }

  get action(): string {
    return this.route.id
  }

  tell(outcome: AuditItem['outcome'], detail = ''): void {
    if (this.#isTold || !this.#isTellable(outcome)) return
    this.#isTold = true
    this.#audit.record({
      user: cut(this.identity?.user ?? this.#loginOf),
      action: this.#loginOf === '' ? this.route.id : LOGIN,
      target: cut(this.#target),
      outcome,
      detail: cut([...this.#notes, ...(detail === '' ? [] : [detail])].join('; ')),
      address: this.#address,
      by: this.identity?.by ?? 'none',
    })
  }

  /**
   * Not what only looks, and no message that was published or taken: those are counted, and would push out everything else. Nor what
   * nobody did: a call without a login is no event, except to log in.
   */
  #isTellable(outcome: AuditItem['outcome']): boolean {
    if (this.#loginOf !== '') return true
    const { method, needs, id } = this.route
    if (!changesSomething(method)) return false
    if (needs === 'messages') return outcome === 'refused' && this.identity !== undefined
    return this.identity !== undefined || id === LOGIN
  }
}

const LOGIN = 'session.login'

function cut(text: string): string {
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX).toWellFormed()}…` : text
}
