/**
 * What an unknown user is answered with, so that nobody can find out from outside which names exist: verifiers that look
 * and cost like those of a known user and that nothing meets. The same name gets the same answer, after a restart too.
 *
 * Cost and iterations are copied from a real user chosen by the name: where they differ among users (after the
 * configured cost has changed), they differ among unknown names in the same proportion.
 */
import { decoyVerifier, parsePasswordVerifier } from './password.ts'
import type { PasswordVerifier, ScryptCost } from './password.ts'
import { DEFAULT_SCRAM_ITERATIONS, SCRAM_SALT_BYTES, hmacSha256, parseScramVerifier } from './scram-verifier.ts'
import type { ScramVerifier } from './scram-verifier.ts'
import type { UserRecord, UserStore } from './users.ts'

export class Decoys {
  readonly #users: UserStore
  readonly #cost: ScryptCost
  readonly #iterations: number

  constructor(users: UserStore, cost: ScryptCost, iterations: number = DEFAULT_SCRAM_ITERATIONS) {
    this.#users = users
    this.#cost = cost
    this.#iterations = iterations
  }

  passwordVerifierFor(name: string): PasswordVerifier {
    const verifier = this.#modelFor(name)?.verifier
    return decoyVerifier(verifier === undefined ? this.#cost : parsePasswordVerifier(verifier).cost)
  }

  scramVerifierFor(name: string): ScramVerifier {
    const scram = this.#modelFor(name)?.scram
    return {
      iterations: scram === undefined ? this.#iterations : parseScramVerifier(scram).iterations,
      salt: this.#bytesFor('salt', name).subarray(0, SCRAM_SALT_BYTES),
      storedKey: this.#bytesFor('stored key', name),
      serverKey: this.#bytesFor('server key', name),
    }
  }

  #modelFor(name: string): UserRecord | undefined {
    const users = this.#users.list()
    return users[this.#bytesFor('model', name).readUInt32BE(0) % Math.max(users.length, 1)]
  }

  #bytesFor(purpose: string, name: string): Buffer {
    return hmacSha256(this.#users.decoySecret, `${purpose}\0${name}`)
  }
}
