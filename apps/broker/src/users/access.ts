/** Who may come in and what they may do, from users and configuration; both can be replaced while the broker runs. */
import {
  Authenticator,
  changesGroups,
  type LockOut,
  type LockOutSettings,
  LoginGuard,
  RuleAuthorizer,
  SCRAM_SHA_256,
  type UserChange,
  type UserStore,
} from '@ternmq/auth'
import type { AuthConfig, BrokerConfig } from '@ternmq/config'
import type { Clock, EventDetails, LoginRequest, LoginStep, PeerInfo, SaslLogin } from '@ternmq/core'
import type { LoginNumbers } from '@ternmq/metrics'

import { toLoginSettings } from '../configuration/settings.ts'

const NO_SCRAM: LoginStep = {
  kind: 'refused',
  refusal: 'bad-mechanism',
  text: `mechanism ${SCRAM_SHA_256} is switched off (auth.scram)`,
}

export class Access implements SaslLogin {
  readonly authorizer: RuleAuthorizer
  /** The same for whatever protocol, and for the API. */
  readonly guard: LoginGuard
  readonly #users: UserStore
  readonly #clock: Clock
  #config: BrokerConfig
  #authenticator: Authenticator
  /** What authenticators before this one counted. */
  #before: LoginNumbers = { accepted: 0, refused: {} }

  /** `onEvent` hears of users and addresses that have to wait. Throws AuthError for rules that cannot be. */
  constructor(
    config: BrokerConfig,
    users: UserStore,
    clock: Clock,
    onEvent: (event: EventDetails) => void = ignoreEvent,
  ) {
    this.#users = users
    this.#clock = clock
    this.#config = config
    this.authorizer = new RuleAuthorizer(config.auth, 'auth', (name) => this.#users.get(name)?.groups ?? [])
    const settings = toLockOutSettings(config.auth)
    this.guard = new LoginGuard({ clock, settings, onLockOut: (lockOut) => onEvent(eventOf(lockOut)) })
    this.#authenticator = this.#makeAuthenticator()
  }

  /** Since the start, whatever was reloaded. */
  get counters(): LoginNumbers {
    return added(this.#before, this.#authenticator.counters)
  }

  /** Whether users get a SCRAM verifier with their next password, and may use it. */
  get offersScram(): boolean {
    return this.#config.auth.scram
  }

  /** Throws AuthError for rules that cannot be. */
  check({ auth }: BrokerConfig): void {
    this.authorizer.checkConfig(auth)
  }

  /** What rules say of the user may be something else now, and what was wrong before may be right. */
  onUserChange(change: UserChange): void {
    this.guard.forgetUser(change.name)
    if (changesGroups(change, this.#users)) this.authorizer.forget()
  }

  /** For logins and questions from now on. Throws as `check` does, and keeps what it has then. */
  use(config: BrokerConfig): void {
    this.authorizer.replaceConfig(config.auth)
    this.guard.use(toLockOutSettings(config.auth))
    this.#config = config
    this.#before = this.counters
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
    const { guard } = this
    return new Authenticator({ users: this.#users, clock: this.#clock, guard, ...toLoginSettings(this.#config) })
  }
}

function added(one: LoginNumbers, other: LoginNumbers): LoginNumbers {
  const refused = { ...one.refused }
  for (const [refusal, count] of Object.entries(other.refused)) refused[refusal] = (refused[refusal] ?? 0) + count
  return { accepted: one.accepted + other.accepted, refused }
}

function toLockOutSettings({ lockOut }: AuthConfig): LockOutSettings {
  const { attempts, windowSeconds, waitSeconds, waitMaxSeconds } = lockOut
  return {
    attempts,
    windowMs: windowSeconds * 1_000,
    waitMs: waitSeconds * 1_000,
    waitMaxMs: waitMaxSeconds * 1_000,
  }
}

function eventOf({ user, address, failedCount, waitMs, isPaced }: LockOut): EventDetails {
  const who = user === undefined ? `address ${address}` : `user '${user}' at ${address}`
  const tried = isPaced ? 'one login a second' : 'no login'
  const text = `${who} has failed to log in ${failedCount} times: ${tried} is tried for ${waitMs / 1_000} s (auth.lockOut)`
  return { kind: 'limit', source: 'auth', peer: address, ...(user !== undefined && { user }), text }
}

function ignoreEvent(): void {}
