/**
 * Who makes a call: the socket in the data directory, a bearer token, name and password (HTTP Basic, for scripts), or the cookie of a browser.
 * What was shown counts: a call with a wrong token is refused, though it may have a cookie.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { SCOPES, SCOPES_OF_ROLE } from '@ternmq/auth'
import { ApiError, type Caller, scopesOf } from '@ternmq/management'
import { changesSomething, checkCsrfToken, checkOrigin } from './csrf.ts'
import type { Account, Accounts, Login, LoginAnswer, Tokens } from './options.ts'
import type { BrowserSession, Sessions } from './sessions.ts'

export interface Identity extends Caller {
  /** Of a cookie. */
  readonly session?: BrowserSession
}

export interface Arrival {
  readonly headers: IncomingHttpHeaders
  readonly method: string
  readonly address: string
  /** It came over the socket in the data directory, which only the broker's own user may open. */
  readonly isLocal: boolean
}

export interface IdentifierOptions {
  readonly login: Login
  readonly accounts: Accounts
  readonly tokens: Tokens
  readonly sessions: Sessions
  readonly origins: readonly string[]
  readonly cookieName: string
}

/** Who calls over the socket; no user can have this name. */
export const SOCKET_USER = '$socket'

/** A login that is refused; where waiting helps, the caller is told when to come again. */
export class LoginRefused extends ApiError {
  /** Who it was said to be. */
  readonly user: string

  constructor(answer: LoginAnswer & { readonly ok: false }, user: string) {
    super(answer.code, answer.text, answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs })
    this.user = user
  }
}

export class Identifier {
  readonly #options: IdentifierOptions

  constructor(options: IdentifierOptions) {
    this.#options = options
  }

  /** Undefined for a call that shows nothing. Throws ApiError for one that shows what does not count, or comes from a foreign page. */
  identify(arrival: Arrival): Identity | undefined | Promise<Identity> {
    const { headers, isLocal } = arrival
    if (isLocal) return socketIdentity()
    const { authorization } = headers
    if (authorization !== undefined) {
      const [scheme = '', rest = ''] = authorization.split(/ +(.*)/s)
      switch (scheme.toLowerCase()) {
        case 'bearer':
          return this.#byToken(rest.trim(), arrival)
        case 'basic':
          return this.#byPassword(rest.trim(), arrival)
        default:
          throw new ApiError('NOT_LOGGED_IN', 'this way of authorization is not read here; send Bearer or Basic')
      }
    }
    return this.#byCookie(arrival)
  }

  /** Asks for name and password, throws LoginRefused. */
  async checkPassword(user: string, password: Uint8Array, address: string): Promise<Caller['principal']> {
    const answer = await this.#options.login(user, password, address)
    if (!answer.ok) throw new LoginRefused(answer, user)
    return answer.principal
  }

  /** The caller that a session stands for; his role as it is now. */
  ofSession(session: BrowserSession, id: string, address: string): Identity {
    const { accounts, sessions } = this.#options
    const account = accounts.get(session.user)
    const role = account?.role
    return {
      user: session.user,
      principal: session.principal,
      role,
      scopes: new Set(role === undefined ? [] : SCOPES_OF_ROLE[role]),
      by: 'cookie',
      address,
      session,
      isValid: () => sessions.has(id),
      mayGoOn: () => isSame(account, accounts.get(session.user)),
    }
  }

  #byToken(token: string, { address }: Arrival): Identity {
    const { tokens, accounts } = this.#options
    const found = tokens.verify(token)
    const account = found === undefined ? undefined : accounts.get(found.user)
    if (found === undefined || account === undefined) {
      throw new ApiError('NOT_LOGGED_IN', 'the token is unknown, has ended or was taken back; make a new one')
    }
    const { user } = found
    // A token can do no more than its user can by now.
    const allowed = scopesOf(account.role)
    const isValid = (): boolean => {
      const now = tokens.isGood(found.id) ? accounts.get(user) : undefined
      return now !== undefined && now.role === account.role
    }
    return {
      user,
      principal: { name: user, anonymous: false },
      role: account.role,
      scopes: new Set(found.scopes.filter((scope) => allowed.includes(scope))),
      by: 'token',
      address,
      expiresAtMs: found.expiresAtMs,
      tokenId: found.id,
      isValid,
      mayGoOn: isValid,
    }
  }

  async #byPassword(encoded: string, { headers, method, address }: Arrival): Promise<Identity> {
    // Browsers keep such logins and send them by themselves.
    if (changesSomething(method)) checkOrigin(headers, this.#options.origins)
    const given = Buffer.from(encoded, 'base64')
    const colon = given.indexOf(':')
    if (colon < 0)
      throw new ApiError('NOT_LOGGED_IN', 'the header authorization is not Basic with a name, a colon and a password')
    const name = given.subarray(0, colon).toString('utf8')
    const principal = await this.checkPassword(name, given.subarray(colon + 1), address)
    const { name: user } = principal
    const account = this.#options.accounts.get(user)
    const isValid = (): boolean => isSame(account, this.#options.accounts.get(user))
    return {
      user,
      principal,
      role: account?.role,
      scopes: new Set(scopesOf(account?.role)),
      by: 'password',
      address,
      isValid,
      mayGoOn: isValid,
    }
  }

  #byCookie({ headers, method, address }: Arrival): Identity | undefined {
    const { sessions, cookieName, origins } = this.#options
    const id = cookieIn(headers.cookie, cookieName)
    const session = id === undefined ? undefined : sessions.use(id)
    if (id === undefined || session === undefined) return undefined
    if (changesSomething(method)) {
      checkOrigin(headers, origins)
      checkCsrfToken(headers, session.csrfToken)
    }
    return this.ofSession(session, id, address)
  }
}

function socketIdentity(): Identity {
  return {
    user: SOCKET_USER,
    principal: { name: SOCKET_USER, anonymous: false },
    role: 'administrator',
    scopes: new Set(SCOPES),
    by: 'socket',
    address: '',
    isValid: () => true,
    mayGoOn: () => true,
  }
}

/** Whether a user has the password and the role of before. */
function isSame(before: Account | undefined, now: Account | undefined): boolean {
  return now !== undefined && now.verifier === before?.verifier && now.role === before?.role
}

/** The value of a cookie; of several with the name the first, which is the one of the longest path. [RFC 6265 §5.4] */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}
