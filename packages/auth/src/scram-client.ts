/**
 * The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding: for tests and tools.
 *
 *   first() → client-first    final(server-first) → client-final    verify(server-final)
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { quoted } from './errors.ts'
import { SCRAM_ITERATIONS_MAX, SCRAM_ITERATIONS_MIN } from './limits.ts'
import { saslPrep } from './saslprep.ts'
import { deriveScramKeys, fromBase64, hmacSha256, sha256, toBase64, utf8Text, xor } from './scram-verifier.ts'

export interface ScramClientOptions {
  readonly username: string
  readonly password: string
  /** Random unless a test fixes it. */
  readonly nonce?: string
  /** 'y' says: this client knows channel binding and believes that the server does not. */
  readonly gs2Flag?: 'n' | 'y'
  /** Iterations a server may ask for; beyond it the exchange is refused: the work would be ours. */
  readonly iterationsMax?: number
}

/** One login attempt; used once. Methods throw an Error saying what is wrong with a name or the server's message. */
export class ScramClient {
  readonly #username: string
  readonly #password: string
  readonly #nonce: string
  readonly #gs2Header: string
  readonly #iterationsMax: number
  #serverSignature: Buffer | undefined

  constructor(options: ScramClientOptions) {
    this.#username = prepared('name', options.username)
    this.#password = prepared('password', options.password)
    this.#nonce = options.nonce ?? randomBytes(18).toString('base64')
    this.#gs2Header = `${options.gs2Flag ?? 'n'},,`
    this.#iterationsMax = options.iterationsMax ?? SCRAM_ITERATIONS_MAX
  }

  first(): Uint8Array {
    return Buffer.from(this.#gs2Header + this.#bare())
  }

  async final(serverFirst: Uint8Array): Promise<Uint8Array> {
    const text = utf8Text(serverFirst) ?? ''
    const parts = /^r=([\x21-\x2b\x2d-\x7e]+),s=([^,]+),i=([1-9]\d{0,8})(?:,|$)/.exec(text)
    const [, nonce = '', saltText = '', iterationsText = ''] = parts ?? []
    const salt = fromBase64(saltText)
    const iterations = Number(iterationsText)
    if (salt === undefined) throw new Error(`the server answered ${quoted(text)} instead of r=…,s=…,i=…`)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new Error('the nonce of the server does not continue ours (RFC 5802 §5.1)')
    }
    if (iterations < SCRAM_ITERATIONS_MIN || iterations > this.#iterationsMax) {
      throw new Error(
        `the server asks for ${iterations} iterations; ${SCRAM_ITERATIONS_MIN} to ${this.#iterationsMax} are accepted`,
      )
    }
    const withoutProof = `c=${toBase64(Buffer.from(this.#gs2Header))},r=${nonce}`
    const authMessage = `${this.#bare()},${text},${withoutProof}`
    const { clientKey, serverKey } = await deriveScramKeys(this.#password, salt, iterations)
    const proof = xor(clientKey, hmacSha256(sha256(clientKey), authMessage))
    this.#serverSignature = hmacSha256(serverKey, authMessage)
    return Buffer.from(`${withoutProof},p=${toBase64(proof)}`)
  }

  /** Throws unless the server has proven that it knows the verifier. */
  verify(serverFinal: Uint8Array): void {
    const text = utf8Text(serverFinal) ?? ''
    if (text.startsWith('e=')) throw new Error(`the server refused: ${quoted(text.slice(2))}`)
    const signature = fromBase64(/^v=([^,]+)(?:,|$)/.exec(text)?.[1] ?? '')
    const expected = this.#serverSignature
    if (expected === undefined || signature?.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Error('the server did not prove that it knows the password (RFC 5802 §5.1)')
    }
  }

  #bare(): string {
    return `n=${this.#username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`
  }
}

function prepared(what: string, text: string): string {
  const result = saslPrep(text)
  if (!result.ok) throw new Error(`the ${what} ${result.problem}`)
  if (result.text === '') throw new Error(`the ${what} is empty`)
  return result.text
}
