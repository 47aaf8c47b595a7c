/**
 * The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: a state machine from messages to
 * messages. It knows no users and no transport; `lookup` gives it a verifier for a name, a made-up one (decoy.ts) for
 * an unknown name, so that both look the same from outside.
 *
 *   start(client-first) → server-first    finish(client-final) → server-final and the name
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { quoted } from './errors.ts'
import { SCRAM_MESSAGE_BYTES_MAX, SCRAM_NONCE_CHARS_MAX } from './limits.ts'
import { saslPrep } from './saslprep.ts'
import { fromBase64, hmacSha256, sha256, toBase64, utf8Text, xor } from './scram-verifier.ts'
import type { ScramVerifier } from './scram-verifier.ts'

/** The server-error-values of RFC 5802 §7 that occur here. */
export type ScramError =
  | 'invalid-encoding'
  | 'extensions-not-supported'
  | 'invalid-proof'
  | 'channel-bindings-dont-match'
  | 'channel-binding-not-supported'
  | 'invalid-username-encoding'
  | 'other-error'

export interface ScramFailure {
  readonly ok: false
  readonly error: ScramError
  /** What was wrong, and the rule. Fit for the client: it never tells an unknown name from a wrong password. */
  readonly detail: string
}

export type ScramStart = { readonly ok: true; readonly serverFirst: Uint8Array } | ScramFailure
export type ScramFinish =
  | { readonly ok: true; readonly serverFinal: Uint8Array; readonly username: string }
  | ScramFailure

export interface ScramCandidate {
  readonly verifier: ScramVerifier
  /** False for a made-up verifier: even a right proof is refused. */
  readonly isKnown: boolean
}

export interface ScramServerOptions {
  /** Called once, with the prepared name. */
  readonly lookup: (username: string) => ScramCandidate
  /** The server's half of the nonce; random unless a test fixes it. */
  readonly serverNonce?: string
}

interface Pending {
  readonly username: string
  readonly candidate: ScramCandidate
  readonly gs2Header: string
  readonly nonce: string
  /** client-first-message-bare and server-first-message, joined as in AuthMessage. */
  readonly authMessageHead: string
}

const PROOF_BYTES = 32
/** `printable` of RFC 5802 §7: visible ASCII without the comma. */
const PRINTABLE = /^[\x21-\x2b\x2d-\x7e]+$/
const ATTRIBUTE = /^[A-Za-z]=[^\0]+$/su

/** One login attempt; used once. */
export class ScramServer {
  readonly #lookup: (username: string) => ScramCandidate
  readonly #serverNonce: string
  #state: 'new' | 'started' | 'over' = 'new'
  #pending: Pending | undefined

  constructor(options: ScramServerOptions) {
    this.#lookup = options.lookup
    this.#serverNonce = options.serverNonce ?? randomBytes(18).toString('base64')
  }

  /** Reads client-first. Throws only when called twice, which is the caller's mistake, not the peer's. */
  start(clientFirst: Uint8Array): ScramStart {
    if (this.#state !== 'new') throw new Error('ScramServer.start: one exchange has one client-first message')
    this.#state = 'over'
    const first = parseClientFirst(clientFirst)
    if (!first.ok) return first

    const candidate = this.#lookup(first.username)
    const nonce = first.clientNonce + this.#serverNonce
    const { salt, iterations } = candidate.verifier
    const serverFirst = `r=${nonce},s=${toBase64(salt)},i=${iterations}`
    this.#pending = {
      username: first.username,
      candidate,
      gs2Header: first.gs2Header,
      nonce,
      authMessageHead: `${first.bare},${serverFirst}`,
    }
    this.#state = 'started'
    return { ok: true, serverFirst: Buffer.from(serverFirst) }
  }

  /** Reads client-final. Throws only when no `start` succeeded before, which is the caller's mistake. */
  finish(clientFinal: Uint8Array): ScramFinish {
    const pending = this.#pending
    if (this.#state !== 'started' || pending === undefined) {
      throw new Error('ScramServer.finish: comes once, after a successful start')
    }
    this.#state = 'over'
    const final = parseClientFinal(clientFinal, pending)
    if (!final.ok) return final

    const authMessage = `${pending.authMessageHead},${final.withoutProof}`
    const { storedKey, serverKey } = pending.candidate.verifier
    const clientKey = xor(final.proof, hmacSha256(storedKey, authMessage))
    const isProven = timingSafeEqual(sha256(clientKey), storedKey)
    if (!isProven || !pending.candidate.isKnown) {
      // One answer for a wrong password and an unknown name.
      return failure('invalid-proof', `user ${quoted(pending.username)}: unknown, or the password is wrong`)
    }
    const serverSignature = hmacSha256(serverKey, authMessage)
    return { ok: true, serverFinal: Buffer.from(`v=${toBase64(serverSignature)}`), username: pending.username }
  }
}

interface ClientFirst {
  readonly ok: true
  /** gs2-header as sent, to be found again in client-final. */
  readonly gs2Header: string
  readonly bare: string
  readonly username: string
  readonly clientNonce: string
}

/** client-first-message = gs2-header client-first-message-bare [RFC 5802 §7] */
function parseClientFirst(bytes: Uint8Array): ClientFirst | ScramFailure {
  const text = messageText(bytes)
  if (typeof text !== 'string') return text
  const header = /^(?:n|y|p=[A-Za-z0-9.-]+),(?:a=([^,]+))?,/.exec(text)
  if (header === null)
    return failure('other-error', 'client-first does not start with n,, or y,, (RFC 5802 §7 gs2-header)')
  const gs2Header = header[0]
  if (gs2Header.startsWith('p')) {
    return failure(
      'channel-binding-not-supported',
      'client-first asks for channel binding, which is not offered (RFC 5802 §6)',
    )
  }

  const bare = text.slice(gs2Header.length)
  const [name = '', nonce = '', ...extensions] = bare.split(',')
  if (name.startsWith('m=')) {
    return failure(
      'extensions-not-supported',
      'client-first has a mandatory extension (m=), none is known (RFC 5802 §5.1)',
    )
  }
  if (
    !name.startsWith('n=') ||
    !nonce.startsWith('r=') ||
    !extensions.every((extension) => ATTRIBUTE.test(extension))
  ) {
    return failure('other-error', 'client-first is not n=<name>,r=<nonce> (RFC 5802 §7 client-first-message-bare)')
  }
  const username = preparedName(name.slice(2))
  if (username === undefined) {
    return failure(
      'invalid-username-encoding',
      'the name in client-first is empty, has a bad = escape or fails SASLprep (RFC 5802 §5.1)',
    )
  }
  if (header[1] !== undefined && preparedName(header[1]) !== username) {
    return failure(
      'other-error',
      `user ${quoted(username)} asks to act as another one (a=), which is not offered (RFC 5802 §5.1)`,
    )
  }
  const clientNonce = nonce.slice(2)
  if (clientNonce.length > SCRAM_NONCE_CHARS_MAX || !PRINTABLE.test(clientNonce)) {
    return failure(
      'other-error',
      `the nonce in client-first is not 1 to ${SCRAM_NONCE_CHARS_MAX} printable characters (RFC 5802 §7)`,
    )
  }
  return { ok: true, gs2Header, bare, username, clientNonce }
}

interface ClientFinal {
  readonly ok: true
  readonly withoutProof: string
  readonly proof: Uint8Array
}

/** client-final-message = channel-binding "," nonce ["," extensions] "," proof [RFC 5802 §7] */
function parseClientFinal(bytes: Uint8Array, pending: Pending): ClientFinal | ScramFailure {
  const text = messageText(bytes)
  if (typeof text !== 'string') return text
  const proofAt = text.lastIndexOf(',p=')
  const withoutProof = text.slice(0, Math.max(proofAt, 0))
  const [binding = '', nonce = '', ...extensions] = withoutProof.split(',')
  if (
    !binding.startsWith('c=') ||
    !nonce.startsWith('r=') ||
    !extensions.every((extension) => ATTRIBUTE.test(extension))
  ) {
    return failure(
      'other-error',
      'client-final is not c=<binding>,r=<nonce>,p=<proof> (RFC 5802 §7 client-final-message)',
    )
  }
  if (fromBase64(binding.slice(2))?.equals(Buffer.from(pending.gs2Header)) !== true) {
    return failure(
      'channel-bindings-dont-match',
      'c= in client-final is not the header of client-first (RFC 5802 §5.1)',
    )
  }
  if (nonce.slice(2) !== pending.nonce) {
    return failure('other-error', 'r= in client-final is not the nonce of this exchange (RFC 5802 §5.1)')
  }
  const proof = fromBase64(text.slice(proofAt + 3))
  if (proof?.length !== PROOF_BYTES) {
    return failure('invalid-encoding', `p= in client-final is not ${PROOF_BYTES} bytes of base64 (RFC 5802 §5.1)`)
  }
  return { ok: true, withoutProof, proof }
}

function messageText(bytes: Uint8Array): string | ScramFailure {
  if (bytes.length > SCRAM_MESSAGE_BYTES_MAX) {
    return failure('other-error', `a SCRAM message of ${bytes.length} bytes exceeds ${SCRAM_MESSAGE_BYTES_MAX}`)
  }
  const text = utf8Text(bytes)
  if (text === undefined || text.includes('\0')) {
    return failure('invalid-encoding', 'a SCRAM message is not UTF-8 without NUL (RFC 5802 §7)')
  }
  return text
}

/** A saslname unescaped and prepared; undefined when it is none. [RFC 5802 §5.1] */
function preparedName(saslname: string): string | undefined {
  if (/=(?!2C|3D)/.test(saslname)) return undefined
  const prepared = saslPrep(saslname.replaceAll('=2C', ',').replaceAll('=3D', '='))
  return prepared.ok && prepared.text !== '' ? prepared.text : undefined
}

function failure(error: ScramError, detail: string): ScramFailure {
  return { ok: false, error, detail }
}
