/**
 * Password verifiers: scrypt (RFC 7914) from Node's own OpenSSL, stored as one text that carries its parameters:
 * `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, the form passlib and others write. How many run at once is hash-queue.ts.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { AuthError } from './errors.ts'
import { PASSWORD_BYTES_MAX, SCRYPT_MEMORY_BYTES_MAX, SCRYPT_WORK_MAX } from './limits.ts'

/** scrypt's parameters: N = 2^ln rounds over blocks of 128 × r bytes, p times. Memory is 128 × r × N bytes. */
export interface ScryptCost {
  readonly ln: number
  readonly r: number
  readonly p: number
}

/**
 * 32 MiB and about 90 ms of one core. Below OWASP's first choice for people's passwords (ln=17) on purpose: most
 * logins are devices with generated passwords, and every one of them hashes once after a restart.
 */
export const DEFAULT_SCRYPT_COST: ScryptCost = { ln: 15, r: 8, p: 1 }

const SALT_BYTES = 16
const HASH_BYTES = 32

/** A verifier text taken apart. */
export interface PasswordVerifier {
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const VERIFIER = /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43,86})$/

/** Reads a verifier text. Throws AuthError('AUTH_VERIFIER_INVALID'), which never shows the text itself. */
export function parsePasswordVerifier(text: string): PasswordVerifier {
  const parts = text.length <= 256 ? VERIFIER.exec(text) : null
  const cost = { ln: Number(parts?.[1]), r: Number(parts?.[2]), p: Number(parts?.[3]) }
  const salt = fromPhcBase64(parts?.[4] ?? '')
  const hash = fromPhcBase64(parts?.[5] ?? '')
  if (salt === undefined || hash === undefined) {
    throw new AuthError(
      'AUTH_VERIFIER_INVALID',
      'a password verifier is $scrypt$ln=…,r=…,p=…$salt$hash with unpadded base64',
    )
  }
  const problem = costProblem(cost)
  if (problem !== undefined) throw new AuthError('AUTH_VERIFIER_INVALID', `a password verifier has ${problem}`)
  return { cost, salt, hash }
}

/** Why these parameters cannot be used, as the end of a sentence; undefined when they can. */
export function costProblem(cost: ScryptCost): string | undefined {
  const { ln, r, p } = cost
  const isWhole = Number.isInteger(ln) && Number.isInteger(r) && Number.isInteger(p)
  if (!isWhole || ln < 10 || r < 1 || p < 1) return `ln=${ln},r=${r},p=${p}: ln is at least 10, r and p are at least 1`
  const memoryBytes = 128 * r * (2 ** ln + p)
  if (memoryBytes > SCRYPT_MEMORY_BYTES_MAX) {
    return `ln=${ln},r=${r},p=${p}: needs ${memoryBytes} bytes of memory, at most ${SCRYPT_MEMORY_BYTES_MAX} are allowed`
  }
  if (2 ** ln * r * p > SCRYPT_WORK_MAX) return `ln=${ln},r=${r},p=${p}: 2^ln × r × p is above ${SCRYPT_WORK_MAX}`
  return undefined
}

/** Why this password cannot be set, as the end of a sentence; undefined when it can. */
export function passwordProblem(password: Uint8Array): string | undefined {
  if (password.length === 0) return 'is empty'
  if (password.length > PASSWORD_BYTES_MAX)
    return `has ${password.length} bytes, at most ${PASSWORD_BYTES_MAX} are allowed`
  return undefined
}

/**
 * Makes the verifier text for a password, taken as bytes and never changed.
 * Throws AuthError('AUTH_PASSWORD_INVALID' | 'AUTH_COST_INVALID').
 */
export async function hashPassword(password: Uint8Array, cost: ScryptCost = DEFAULT_SCRYPT_COST): Promise<string> {
  const problem = passwordProblem(password)
  if (problem !== undefined) throw new AuthError('AUTH_PASSWORD_INVALID', `the password ${problem}`)
  const badCost = costProblem(cost)
  if (badCost !== undefined) throw new AuthError('AUTH_COST_INVALID', `the password cost is ${badCost}`)
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, HASH_BYTES, cost)
  return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${toPhcBase64(salt)}$${toPhcBase64(hash)}`
}

/** True when the password is the one the verifier was made from. Takes the time of one hash either way. */
export async function verifyPassword(verifier: PasswordVerifier, password: Uint8Array): Promise<boolean> {
  const hash = await derive(password, verifier.salt, verifier.hash.length, verifier.cost)
  return timingSafeEqual(hash, verifier.hash)
}

/** A verifier that no password meets, to spend on an unknown user the time that a known one takes. */
export function decoyVerifier(cost: ScryptCost): PasswordVerifier {
  return { cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }
}

/** True when the verifier was made with another cost than the present one; the next password change makes it anew. */
export function needsRehash(verifier: PasswordVerifier, cost: ScryptCost): boolean {
  return (
    verifier.cost.ln !== cost.ln ||
    verifier.cost.r !== cost.r ||
    verifier.cost.p !== cost.p ||
    verifier.salt.length < SALT_BYTES
  )
}

function derive(password: Uint8Array, salt: Uint8Array, hashBytes: number, cost: ScryptCost): Promise<Buffer> {
  const options = { N: 2 ** cost.ln, r: cost.r, p: cost.p, maxmem: 2 * SCRYPT_MEMORY_BYTES_MAX }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hashBytes, options, (error, hash) => (error === null ? resolve(hash) : reject(error)))
  })
}

function toPhcBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}

/** Strict: one text per value. Undefined for anything else, the empty text included. */
function fromPhcBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && toPhcBase64(bytes) === text ? bytes : undefined
}
