/**
 * Somebody who can log in to the console: a data directory without one gets the user `admin` at its first start. There is no default
 * password: it is the operator's, or a random one that is told once, and not in the log, which may be kept, or leave it out.
 */
import { makeUser, type UserStore, withAccess } from '@ternmq/auth'
import type { Random } from '@ternmq/core'
import { isAdministrator } from '@ternmq/management'

import { BrokerError, messageOf } from '../errors.ts'
import type { Log } from '../reports/log.ts'

export const ADMIN_NAME = 'admin'
/** Environment variable with the password of the first administrator. */
export const ADMIN_PASSWORD_VARIABLE = 'TERNMQ_ADMIN_PASSWORD'

/** Random bytes in a password that we make: 144 bits, 24 characters. */
const PASSWORD_BYTES = 18

/** Of an administrator who was made just now. */
export interface FirstLogin {
  readonly user: string
  readonly password: string
}

export interface FirstAdministratorParts {
  readonly users: UserStore
  readonly log: Log
  readonly random: Random
  readonly nowMs: number
  readonly scram: boolean
  /** What the operator wants it to be. */
  readonly password: string | undefined
  /** Tells the operator a password that was made; it is told nowhere else. */
  readonly tell: (login: FirstLogin) => void
}

/** Does nothing where somebody can log in as administrator. Rejects with BrokerError 'PASSWORD_UNUSABLE'. */
export async function ensureAdministrator({
  users,
  log,
  random,
  nowMs,
  scram,
  password,
  tell,
}: FirstAdministratorParts): Promise<void> {
  if (users.list().some(isAdministrator)) return
  if (users.get(ADMIN_NAME) !== undefined) {
    const text = `nobody can log in to the console as administrator; give somebody the role: \`ternmq users set ${ADMIN_NAME} --role administrator\``
    return log.warn({}, text)
  }
  const isMade = password === undefined
  const secret = password ?? Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url')
  try {
    const user = await makeUser({ name: ADMIN_NAME, password: Buffer.from(secret), scram, nowMs })
    await users.put(withAccess(user, { role: 'administrator' }))
  } catch (cause) {
    const text = `cannot make the user '${ADMIN_NAME}' with the password of ${ADMIN_PASSWORD_VARIABLE}: ${messageOf(cause)}`
    throw isMade ? cause : new BrokerError('PASSWORD_UNUSABLE', text, { cause })
  }
  const made = `made the user '${ADMIN_NAME}' for the console`
  if (isMade) tell({ user: ADMIN_NAME, password: secret })
  log.info(
    { user: ADMIN_NAME },
    isMade ? made : `${made}: its password is that of ${ADMIN_PASSWORD_VARIABLE}; ${adviceFor(ADMIN_NAME)}`,
  )
}

/** For whoever has no better way to tell it. */
export function firstLoginText({ user, password }: FirstLogin): string {
  return `the password of the user '${user}' for the console is ${password} and is told only this once; ${adviceFor(user)}`
}

function adviceFor(user: string): string {
  return `change it with \`ternmq users passwd ${user}\``
}
