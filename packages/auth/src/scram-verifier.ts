/**
 * What a server keeps for SCRAM-SHA-256 (RFC 5802 §3, RFC 7677): enough to check a proof and to prove itself, not
 * enough to log in. Stored as one text, `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, as PostgreSQL does.
 */
import { createHmac, hash, pbkdf2, randomBytes } from 'node:crypto'
import { AuthError } from './errors.ts'
import { SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN } from './limits.ts'
import { saslPrep } from './saslprep.ts'

export const SCRAM_SHA_256 = 'SCRAM-SHA-256'

/** Four times what RFC 7677 §4 asks at least. The client pays it at every login, and small devices are clients too. */
export const DEFAULT_SCRAM_ITERATIONS = 16_384

/** Bytes of a salt, for made-up ones too: they must look alike. */
export const SCRAM_SALT_BYTES = 16
const KEY_BYTES = 32

export interface ScramVerifier {
  readonly iterations: number
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/**
 * Makes the verifier for a password. `password` must be UTF-8 text that SASLprep accepts.
 * Throws AuthError('AUTH_PASSWORD_INVALID' | 'AUTH_COST_INVALID').
 */
export async function makeScramVerifier(
  password: Uint8Array,
  iterations: number = DEFAULT_SCRAM_ITERATIONS,
): Promise<ScramVerifier> {
  if (!isIterations(iterations)) {
    throw new AuthError(
      'AUTH_COST_INVALID',
      `SCRAM iterations are ${iterations}; ${SCRAM_ITERATIONS_MIN} to ${SCRAM_ITERATIONS_MAX} are allowed`,
    )
  }
  const text = utf8Text(password)
  const prepared = text === undefined ? { ok: false as const, problem: 'is not UTF-8' } : saslPrep(text)
  if (!prepared.ok || prepared.text === '') {
    const problem = prepared.ok ? 'is empty after SASLprep' : prepared.problem
    throw new AuthError(
      'AUTH_PASSWORD_INVALID',
      `the password ${problem}; SCRAM needs a text password: choose another one or leave SCRAM out for this user`,
    )
  }
  const salt = randomBytes(SCRAM_SALT_BYTES)
  const { clientKey, serverKey } = await deriveScramKeys(prepared.text, salt, iterations)
  return { iterations, salt, storedKey: sha256(clientKey), serverKey }
}

/** The keys of RFC 5802 §3 from a prepared password; PBKDF2 runs in libuv's pool. */
export async function deriveScramKeys(
  preparedPassword: string,
  salt: Uint8Array,
  iterations: number,
): Promise<{ readonly clientKey: Buffer; readonly serverKey: Buffer }> {
  const saltedPassword = await new Promise<Buffer>((resolve, reject) => {
    pbkdf2(preparedPassword, salt, iterations, KEY_BYTES, 'sha256', (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
  return { clientKey: hmacSha256(saltedPassword, 'Client Key'), serverKey: hmacSha256(saltedPassword, 'Server Key') }
}

export function formatScramVerifier(verifier: ScramVerifier): string {
  const [salt, storedKey, serverKey] = [verifier.salt, verifier.storedKey, verifier.serverKey].map(toBase64)
  return `${SCRAM_SHA_256}$${verifier.iterations}:${salt}$${storedKey}:${serverKey}`
}

/** Reads a verifier text. Throws AuthError('AUTH_VERIFIER_INVALID'), which never shows the text itself. */
export function parseScramVerifier(text: string): ScramVerifier {
  const parts = text.length <= 512 ? /^SCRAM-SHA-256\$(\d{1,8}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(text) : null
  const iterations = Number(parts?.[1])
  const salt = fromBase64(parts?.[2] ?? '')
  const storedKey = fromBase64(parts?.[3] ?? '')
  const serverKey = fromBase64(parts?.[4] ?? '')
  const isWhole = salt !== undefined && storedKey?.length === KEY_BYTES && serverKey?.length === KEY_BYTES
  if (!isWhole || !isIterations(iterations)) {
    throw new AuthError(
      'AUTH_VERIFIER_INVALID',
      `a SCRAM verifier is SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey in base64, ` +
        `with ${SCRAM_ITERATIONS_MIN} to ${SCRAM_ITERATIONS_MAX} iterations`,
    )
  }
  return { iterations, salt, storedKey, serverKey }
}

function isIterations(value: number): boolean {
  return Number.isInteger(value) && value >= SCRAM_ITERATIONS_MIN && value <= SCRAM_ITERATIONS_MAX
}

export function hmacSha256(key: Uint8Array, data: string | Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

export function sha256(data: Uint8Array): Buffer {
  return hash('sha256', data, 'buffer')
}

/** `a` XOR `b`, of equal length. */
export function xor(a: Uint8Array, b: Uint8Array): Buffer {
  const result = Buffer.from(a)
  for (let index = 0; index < result.length; index++) result[index] = (a[index] ?? 0) ^ (b[index] ?? 0)
  return result
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** Strict base64, padded, one text per value; undefined for anything else, the empty text included. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Text of well-formed UTF-8 bytes, byte order marks kept; undefined otherwise. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined // the decoder's only error: not UTF-8
  }
}
