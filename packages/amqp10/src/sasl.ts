/**
 * The server's side of SASL: which mechanisms are offered, and from what the client says to who it is. It knows no frames; the
 * connection sends what a step says. [AMQP10 §5.3] [RFC 4422]
 */
import type { LoginExchange, LoginRefusal, LoginStep, PeerInfo, Principal, SaslLogin } from '@ternmq/core'

import type { SaslInit } from './codec/performatives.ts'

/** How an exchange failed: 1 by the credentials, 4 by us and for now. [AMQP10 §5.3.3.6] */
export type SaslFailure = 1 | 4

export type SaslStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array }
  | { readonly kind: 'accepted'; readonly principal: Principal; readonly data: Uint8Array | undefined }
  /** `text` is for the log: an outcome has no room for one. */
  | { readonly kind: 'refused'; readonly code: SaslFailure; readonly text: string }

const CODE_BY_REFUSAL = {
  'bad-credentials': 1,
  'bad-mechanism': 1,
  'not-authorized': 1,
  'locked-out': 4,
  busy: 4,
} as const satisfies Record<LoginRefusal, SaslFailure>

const EMPTY = new Uint8Array(0)

/** One attempt to log in; used once. */
export class SaslServer {
  /** As they are announced, the preferred one first. [AMQP10 §5.3.3.1] */
  readonly mechanisms: readonly string[]
  readonly #login: SaslLogin
  readonly #peer: PeerInfo
  /** What the client's next response belongs to. */
  #exchange: LoginExchange | undefined
  #isBegun = false

  constructor(login: SaslLogin, peer: PeerInfo) {
    this.#login = login
    this.#peer = peer
    this.mechanisms = login.mechanisms(peer)
  }

  begin({ mechanism, initialResponse }: SaslInit): SaslStep | Promise<SaslStep> {
    if (this.#isBegun) return refused('sasl-init came twice: one connection logs in once')
    this.#isBegun = true
    // Exactly one of those announced. [AMQP10 §5.3.3.2]
    if (!this.mechanisms.includes(mechanism)) {
      return refused(`mechanism ${quote(mechanism)} is not offered; ${this.mechanisms.join(', ')} are`)
    }
    switch (mechanism) {
      case 'PLAIN':
        return this.#plain(initialResponse)
      case 'EXTERNAL':
        return this.#external(initialResponse)
      case 'ANONYMOUS':
        // What it holds is a trace and no proof; without it nothing is asked for. [RFC 4505 §2]
        return this.#ask('anonymous', {})
      default:
        return this.#ask(mechanism, { data: initialResponse })
    }
  }

  respond(data: Uint8Array): SaslStep | Promise<SaslStep> {
    const exchange = this.#exchange
    if (exchange === undefined) return refused('sasl-response came without a challenge')
    this.#exchange = undefined
    return this.#take(exchange.respond(data))
  }

  /** `message = [authzid] NUL authcid NUL passwd` [RFC 4616 §2] */
  #plain(message: Uint8Array | undefined): SaslStep | Promise<SaslStep> {
    if (message === undefined) {
      // A client may wait to be asked for its first message. [RFC 4422 §3, §5.1]
      this.#exchange = { respond: (data) => this.#beginPlain(data) }
      return { kind: 'challenge', data: EMPTY }
    }
    return this.#take(this.#beginPlain(message))
  }

  #beginPlain(message: Uint8Array): LoginStep | Promise<LoginStep> {
    const nameAt = message.indexOf(0) + 1
    const passwordAt = message.indexOf(0, nameAt) + 1
    if (nameAt === 0 || passwordAt === 0 || message.includes(0, passwordAt)) {
      return badCredentials('a PLAIN message is not <authorization id> NUL <name> NUL <password> (RFC 4616 §2)')
    }
    const username = utf8Text(message.subarray(nameAt, passwordAt - 1))
    const actsAs = utf8Text(message.subarray(0, nameAt - 1))
    if (username === undefined || actsAs === undefined)
      return badCredentials('a PLAIN message is not UTF-8 (RFC 4616 §2)')
    if (actsAs !== '' && actsAs !== username) {
      return badCredentials(
        `user ${quote(username)} asks to act as another one (PLAIN with an authorization id), which is not offered`,
      )
    }
    return this.#begin('plain', { username, password: message.subarray(passwordAt) })
  }

  /**
   * The message is whom the client wants to act as; empty stands for who it is. Clients write an empty one as null, and could not
   * answer a challenge: it is not asked for. [RFC 4422 §A]
   */
  async #external(actsAs: Uint8Array = EMPTY): Promise<SaslStep> {
    const step = await this.#ask('external', {})
    if (step.kind !== 'accepted' || actsAs.length === 0 || utf8Text(actsAs) === step.principal.name) return step
    return refused(
      `${quote(step.principal.name)}, the name in the client certificate, asks to act as another one (EXTERNAL with an authorization id), which is not offered`,
    )
  }

  #ask(mechanism: string, given: Given): SaslStep | Promise<SaslStep> {
    return this.#take(this.#begin(mechanism, given))
  }

  /** Which container this is, `open` says later. */
  #begin(mechanism: string, { username, password, data }: Given): LoginStep | Promise<LoginStep> {
    return this.#login.begin({
      peer: this.#peer,
      clientId: '',
      mechanism: mechanism.toLowerCase(),
      username,
      password,
      data,
    })
  }

  #take(step: LoginStep | Promise<LoginStep>): SaslStep | Promise<SaslStep> {
    return step instanceof Promise ? step.then((answer) => this.#toStep(answer)) : this.#toStep(step)
  }

  #toStep(step: LoginStep): SaslStep {
    switch (step.kind) {
      case 'accepted':
        return step
      case 'challenge':
        this.#exchange = step.exchange
        return { kind: 'challenge', data: step.data }
      case 'refused':
        return { kind: 'refused', code: CODE_BY_REFUSAL[step.refusal], text: step.text }
    }
  }
}

interface Given {
  readonly username?: string | undefined
  readonly password?: Uint8Array | undefined
  readonly data?: Uint8Array | undefined
}

function refused(text: string): SaslStep {
  return { kind: 'refused', code: 1, text }
}

function badCredentials(text: string): LoginStep {
  return { kind: 'refused', refusal: 'bad-credentials', text }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined // it is not UTF-8
  }
}

/** Characters of a peer's text that are repeated in the log. */
const QUOTED_CHARS_MAX = 64

function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_CHARS_MAX ? `${text.slice(0, QUOTED_CHARS_MAX).toWellFormed()}…` : text)
}
