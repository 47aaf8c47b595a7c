/** Who may come in and what they may do, from users and configuration; both can be replaced while the broker runs. */
import { Authenticator, changesGroups, RuleAuthorizer, SCRAM_SHA_256, type UserChange, type UserStore } from '@ternmq/auth'
import type { BrokerConfig } from '@ternmq/config'
import type { Clock, LoginRequest, LoginStep, PeerInfo, SaslLogin } from '@ternmq/core'

import { toLoginSettings } from './settings.ts'

const NO_SCRAM: LoginStep = {
  kind: 'refused',
  refusal: 'bad-mechanism',
  text: `mechanism ${SCRAM_SHA_256} is switched off (auth.scram)`,
}

export class Access implements SaslLogin {
  readonly authorizer: RuleAuthorizer
  readonly #users: UserStore
  readonly #clock: Clock
  #config: BrokerConfig
  #authenticator: Authenticator

  /** Throws AuthError for rules that cannot be. */
  constructor(config: BrokerConfig, users: UserStore, clock: Clock) {
    this.#users = users
    this.#clock = clock
    this.#config = config
    this.authorizer = this.check(config)
    this.#authenticator = this.#makeAuthenticator()
  }

  /** Whether users get a SCRAM verifier with their next password, and may use it. */
  get offersScram(): boolean {
    return this.#config.auth.scram
  }

  /** Throws AuthError for rules that cannot be. */
  check(config: BrokerConfig): RuleAuthorizer {
    return new RuleAuthorizer(config.auth, 'auth', (name) => this.#users.get(name)?.groups ?? [])
  }

  /** What rules say of the user may be something else now. */
  onUserChange(change: UserChange): void {
    if (changesGroups(change, this.#users)) this.authorizer.forget()
  }

  /** For logins and questions from now on. Throws as `check` does, and keeps what it has then. */
  use(config: BrokerConfig): void {
    this.authorizer.replaceConfig(config.auth)
    this.#config = config
    this.#authenticator = this.#makeAuthenticator()
  }

  mechanisms(peer: PeerInfo): readonly string[] {
    const mechanisms = this.#authenticator.mechanisms(peer)
    return this.offersScram ? mechanisms : mechanisms.filter((name) => name !== SCRAM_SHA_256)
  }

  begin(request: LoginRequest): LoginStep | Promise<LoginStep> {
    if (!this.offersScram && request.mechanism.toUpperCase() === SCRAM_SHA_256) return NO_SCRAM
    return this.#authenticator.begin(request)
  }

  #makeAuthenticator(): Authenticator {
    return new Authenticator({ users: this.#users, clock: this.#clock, ...toLoginSettings(this.#config) })
  }
}
