/** The calls that a browser logs in and out with, and who makes a call. */
import { getMe, login, type LoginBody, logout, type Me } from '@ternmq/api'
import { ApiError } from '@ternmq/management'
import type { OwnCall } from './bind.ts'
import { cookieIn, type Identifier, type Identity } from './identity.ts'
import type { Accounts } from './options.ts'
import type { Sessions } from './sessions.ts'

export interface SessionCallsOptions {
  readonly identifier: Identifier
  readonly sessions: Sessions
  readonly accounts: Accounts
  readonly cookieName: string
  readonly isSecure: boolean
}

/** With TLS the name itself keeps neighbours from setting the cookie. [RFC 6265bis §4.1.3.2] */
export function cookieNameFor(isSecure: boolean): string {
  return isSecure ? '__Host-ternmq' : 'ternmq'
}

export function sessionCalls(options: SessionCallsOptions): readonly OwnCall[] {
  const { identifier, sessions, accounts, cookieName, isSecure } = options
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`

  const handleLogin: OwnCall['handle'] = async ({ body, headers, address, trail, setCookie }) => {
    const { user, password } = body as LoginBody
    trail.loginOf(user)
    const principal = await identifier.checkPassword(user, Buffer.from(password), address)
    if (accounts.get(principal.name)?.role === undefined) {
      throw new ApiError('NOT_ALLOWED', `user '${user}' has no role in the console; an administrator can give one`)
    }
    const before = cookieIn(headers.cookie, cookieName)
    if (before !== undefined) sessions.end(before)
    const { id, session } = sessions.begin(principal)
    setCookie(`${cookieName}=${id}; ${attributes}`)
    return meOf(identifier.ofSession(session, id, address))
  }

  const handleLogout: OwnCall['handle'] = ({ headers, identity, setCookie }) => {
    const id = cookieIn(headers.cookie, cookieName)
    if (identity?.by === 'cookie' && id !== undefined) sessions.end(id)
    setCookie(`${cookieName}=; ${attributes}; Max-Age=0`)
  }

  return [
    { kind: 'own', route: login, handle: handleLogin },
    { kind: 'own', route: logout, handle: handleLogout },
    { kind: 'own', route: getMe, handle: ({ identity }) => meOf(identity!) },
  ]
}

function meOf({ user, role, scopes, by, session }: Identity): Me {
  return {
    user,
    ...(role !== undefined && { role }),
    scopes: [...scopes],
    by,
    ...(session !== undefined && { csrfToken: session.csrfToken, expiresAtMs: session.expiresAtMs }),
  }
}
