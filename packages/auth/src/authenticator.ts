/**
 * Finds out who logs in: the answer to the core's `SaslLogin`. By mechanism:
 *
 * - 'plain': the client certificate if the listener maps one and the peer has it (name and password are then not looked
 *   at: some devices send telemetry in them), else name and password, else anonymous if the listener allows it;
 * - 'external': only the client certificate;  'anonymous': only that;
 * - 'scram-sha-256': an exchange of two messages.
 *
 * No refusal, and no time it takes, tells an unknown name from a wrong password. A text is fit for the client.
 */
import type {
  Clock,
  LoginExchange,
  LoginRefusal,
  LoginRequest,
  LoginStep,
  PeerInfo,
  Principal,
  SaslLogin,
} from '@ternmq/core'
import { certificateName, hasCertificate } from './certificate.ts'
import type { CertificateField } from './certificate.ts'
import { Decoys } from './decoy.ts'
import { quoted } from './errors.ts'
import { HashQueue } from './hash-queue.ts'
import type { HashCounters } from './hash-queue.ts'
import type { Hold, LoginGuard } from './login-guard.ts'
import { DEFAULT_SCRYPT_COST, parsePasswordVerifier, passwordProblem, verifyPassword } from './password.ts'
import type { ScryptCost } from './password.ts'
import { parseScramVerifier, SCRAM_SHA_256 } from './scram-verifier.ts'
import { ScramServer } from './scram.ts'
import { ANONYMOUS_NAME, UserPrincipal, userNameProblem } from './users.ts'
import type { UserStore } from './users.ts'
import { VerifiedCache } from './verified-cache.ts'

/** Who may come in through one listener. */
export interface ListenerAccess {
  readonly anonymous: boolean
  /** Takes the identity from client certificates. */
  readonly certificate?: {
    readonly field: CertificateField
    /** Refuses a certificate whose name is not among the users. */
    readonly mustBeUser: boolean
  }
}

export interface AuthenticatorOptions {
  readonly users: UserStore
  readonly clock: Pick<Clock, 'monoMs'>
  /** By listener key. A listener that is not here lets in only users with a password. */
  readonly listeners: Readonly<Record<string, ListenerAccess>>
  /** Cost that unknown users pretend to have while there is no user to copy it from. */
  readonly cost?: ScryptCost
  readonly scramIterations?: number
  /** Password hashes at once. */
  readonly hashesMax?: number
  readonly hashesWaitingMax?: number
  /** Remembered logins; 0 hashes every time. */
  readonly rememberedMax?: number
  readonly rememberedMs?: number
  /** Slows down who guesses passwords; several authenticators may share one. Without it nobody is. */
  readonly guard?: LoginGuard
}

export interface LoginCounters extends HashCounters {
  readonly accepted: number
  readonly refused: Readonly<Record<LoginRefusal, number>>
  /** Logins that needed no hash because the same one was right before. */
  readonly remembered: number
  /** Logins that shared the hash of the same login under way. */
  readonly shared: number
  /** Hashes that ended in an error, for want of memory; answered as 'busy'. */
  readonly hashFailed: number
}

/** What who finds no place is told to wait: as long as some hashes take. */
const BUSY_RETRY_MS = 2_000

const ANONYMOUS: Principal = { name: ANONYMOUS_NAME, anonymous: true }
const PASSWORD_LISTENER: ListenerAccess = { anonymous: false }

export class Authenticator implements SaslLogin {
  readonly #users: UserStore
  readonly #listeners: ReadonlyMap<string, ListenerAccess>
  readonly #decoys: Decoys
  readonly #queue: HashQueue
  readonly #verified: VerifiedCache
  readonly #guard: LoginGuard | undefined
  /** Hashes waiting or running, by the tag of what they check. As many as the queue holds. */
  readonly #underWay = new Map<string, Promise<LoginStep>>()
  readonly #counts = { accepted: 0, remembered: 0, shared: 0, hashFailed: 0 }
  readonly #refused: Record<LoginRefusal, number> = {
    'bad-credentials': 0,
    'bad-mechanism': 0,
    'not-authorized': 0,
    'locked-out': 0,
    busy: 0,
  }

  constructor(options: AuthenticatorOptions) {
    const { users, clock } = options
    this.#users = users
    this.#guard = options.guard
    this.#listeners = new Map(Object.entries(options.listeners))
    this.#decoys = new Decoys(users, options.cost ?? DEFAULT_SCRYPT_COST, options.scramIterations)
    this.#queue = new HashQueue({
      clock,
      ...(options.hashesMax === undefined ? {} : { runningMax: options.hashesMax }),
      ...(options.hashesWaitingMax === undefined ? {} : { waitingMax: options.hashesWaitingMax }),
    })
    this.#verified = new VerifiedCache({
      clock,
      ...(options.rememberedMax === undefined ? {} : { entriesMax: options.rememberedMax }),
      ...(options.rememberedMs === undefined ? {} : { lifetimeMs: options.rememberedMs }),
    })
  }

  get counters(): LoginCounters {
    return { ...this.#counts, refused: { ...this.#refused }, ...this.#queue.counters }
  }

  /** What `begin` would not refuse as such. A name and password may always be right. */
  mechanisms(peer: PeerInfo): readonly string[] {
    const { anonymous, certificate } = this.#accessOf(peer)
    const offersExternal = certificate !== undefined && hasCertificate(peer.tls)
    return [...(offersExternal ? ['EXTERNAL'] : []), SCRAM_SHA_256, 'PLAIN', ...(anonymous ? ['ANONYMOUS'] : [])]
  }

  /** At once unless a password must be hashed. Never rejects. */
  begin(request: LoginRequest): LoginStep | Promise<LoginStep> {
    const access = this.#accessOf(request.peer)
    switch (request.mechanism.toLowerCase()) {
      case 'plain':
        if (access.certificate !== undefined && hasCertificate(request.peer.tls)) return this.#external(request.peer)
        if (request.username === undefined && request.password === undefined) return this.#anonymous(request.peer)
        return this.#password(request)
      case 'external':
        return this.#external(request.peer)
      case 'anonymous':
        return this.#anonymous(request.peer)
      case 'scram-sha-256':
        return this.#scram(request.data, request.peer)
      default:
        return this.#refuse(
          'bad-mechanism',
          `mechanism ${quoted(request.mechanism)} is not offered; PLAIN, EXTERNAL, ANONYMOUS and SCRAM-SHA-256 are`,
        )
    }
  }

  #accessOf(peer: PeerInfo): ListenerAccess {
    return this.#listeners.get(peer.listener) ?? PASSWORD_LISTENER
  }

  #anonymous(peer: PeerInfo): LoginStep {
    if (this.#accessOf(peer).anonymous) return this.#accept(ANONYMOUS)
    return this.#refuse(
      'bad-credentials',
      `listener ${peer.listener} does not allow anonymous clients: give a user name and password`,
    )
  }

  #external(peer: PeerInfo): LoginStep {
    const mapping = this.#accessOf(peer).certificate
    if (mapping === undefined) {
      return this.#refuse(
        'bad-mechanism',
        `listener ${peer.listener} does not take identities from client certificates`,
      )
    }
    if (!hasCertificate(peer.tls)) return this.#refuse('bad-credentials', 'no client certificate was shown')
    const mapped = certificateName(peer.tls, mapping.field)
    if (!mapped.ok) return this.#refuse('bad-credentials', mapped.problem)
    if (mapping.mustBeUser && this.#users.get(mapped.name) === undefined) {
      return this.#refuse(
        'not-authorized',
        `${quoted(mapped.name)}, the name in the client certificate (${mapping.field}), is not a user here`,
      )
    }
    return this.#accept(new UserPrincipal(mapped.name, this.#users))
  }

  #password(request: LoginRequest): LoginStep | Promise<LoginStep> {
    const { username = '', password = new Uint8Array(0), peer } = request
    if (this.#users.list().length === 0) return this.#refuse('bad-credentials', 'there are no users yet')
    // What nobody can have as name is no secret, and costs no hash.
    const isPossible = userNameProblem(username) === undefined
    const hold = this.#guard?.holds(isPossible ? username : undefined, peer.address)
    if (hold !== undefined) return this.#count(heldBack(hold))
    if (!isPossible || passwordProblem(password) !== undefined) {
      this.#guard?.onFailed(isPossible ? username : undefined, peer.address)
      return this.#refuseCredentials(username)
    }

    const verifier = this.#users.get(username)?.verifier
    const tag = this.#verified.tagOf(username, verifier ?? '', password)
    if (verifier !== undefined && this.#verified.has(tag)) {
      this.#counts.remembered++
      this.#guard?.onRight(username, peer.address)
      return this.#accept(new UserPrincipal(username, this.#users))
    }
    const sameLogin = this.#underWay.get(tag)
    if (sameLogin !== undefined) {
      this.#counts.shared++
      return sameLogin.then((step) => this.#count(step))
    }
    const copy = Uint8Array.from(password) // the caller's memory may be reused while the login waits
    this.#guard?.onTried(username, peer.address)
    const login = this.#hash(username, verifier, copy, tag, peer.address).finally(() => this.#underWay.delete(tag))
    this.#underWay.set(tag, login)
    return login.then((step) => {
      this.#note(step, username, peer.address)
      return this.#count(step)
    })
  }

  /** What became of a login that was tried. */
  #note(step: LoginStep, username: string, address: string): void {
    if (step.kind === 'accepted') this.#guard?.onRight(username, address)
    else if (step.kind === 'refused' && step.refusal === 'bad-credentials') this.#guard?.onFailed(username, address)
    else this.#guard?.onGivenUp(username, address)
  }

  /** The step is not counted yet: several logins may share it. */
  async #hash(
    name: string,
    verifier: string | undefined,
    password: Uint8Array,
    tag: string,
    address: string,
  ): Promise<LoginStep> {
    try {
      const outcome = await this.#queue.run(address, () =>
        verifyPassword(
          verifier === undefined ? this.#decoys.passwordVerifierFor(name) : parsePasswordVerifier(verifier),
          password,
        ),
      )
      if (!outcome.ran) return busy('too many logins at once')
      // The password may have changed, or the user gone, while the hash ran.
      const isRight = outcome.value && verifier !== undefined && this.#users.get(name)?.verifier === verifier
      if (!isRight) return badCredentials(name)
      this.#verified.add(tag)
      return accepted(new UserPrincipal(name, this.#users))
    } catch {
      this.#counts.hashFailed++ // scrypt's only error with checked parameters: no memory
      return busy('the password could not be checked now')
    }
  }

  #scram(clientFirst: Uint8Array | undefined, peer: PeerInfo): LoginStep {
    if (this.#users.list().length === 0) return this.#refuse('bad-credentials', 'there are no users yet')
    const exchange = new ScramExchange(this.#users, this.#decoys, this.#guardAt(peer.address), (step) =>
      this.#count(step),
    )
    // A client may wait to be asked for its first message. [RFC 4422 §3, §5.1]
    if (clientFirst === undefined) return { kind: 'challenge', data: new Uint8Array(0), exchange }
    return exchange.respond(clientFirst)
  }

  #guardAt(address: string): GuardAtAddress | undefined {
    const guard = this.#guard
    if (guard === undefined) return undefined
    return {
      holds: (name) => guard.holds(name, address),
      onFailed: (name) => guard.onFailed(name, address),
      onRight: (name) => guard.onRight(name, address),
    }
  }

  #accept(principal: Principal): LoginStep {
    return this.#count(accepted(principal))
  }

  #refuse(refusal: LoginRefusal, text: string): LoginStep {
    return this.#count(refused(refusal, text))
  }

  #refuseCredentials(username: string): LoginStep {
    return this.#count(badCredentials(username))
  }

  #count(step: LoginStep): LoginStep {
    if (step.kind === 'accepted') this.#counts.accepted++
    if (step.kind === 'refused') this.#refused[step.refusal]++
    return step
  }
}

/** Of one connection. */
interface GuardAtAddress {
  holds(name: string): Hold | undefined
  onFailed(name: string): void
  onRight(name: string): void
}

/** Two messages from the client, two from the server. */
class ScramExchange implements LoginExchange {
  readonly #users: UserStore
  readonly #server: ScramServer
  readonly #onStep: (step: LoginStep) => LoginStep
  readonly #guard: GuardAtAddress | undefined
  /** The name and verifier that this exchange is about; no verifier for an unknown name. */
  #name: string | undefined
  #scram: string | undefined
  #isStarted = false

  constructor(
    users: UserStore,
    decoys: Decoys,
    guard: GuardAtAddress | undefined,
    onStep: (step: LoginStep) => LoginStep,
  ) {
    this.#users = users
    this.#guard = guard
    this.#onStep = onStep
    this.#server = new ScramServer({
      lookup: (name) => {
        this.#name = name
        this.#scram = users.get(name)?.scram
        const decoy = decoys.scramVerifierFor(name) // made for known names too: the time must not differ
        return this.#scram === undefined
          ? { verifier: decoy, isKnown: false }
          : { verifier: parseScramVerifier(this.#scram), isKnown: true }
      },
    })
  }

  respond(data: Uint8Array): LoginStep {
    return this.#onStep(this.#isStarted ? this.#finish(data) : this.#start(data))
  }

  #start(clientFirst: Uint8Array): LoginStep {
    this.#isStarted = true
    const started = this.#server.start(clientFirst)
    if (!started.ok) return refused('bad-credentials', started.detail)
    const hold = this.#guard?.holds(this.#name!)
    if (hold !== undefined) return heldBack(hold)
    return { kind: 'challenge', data: started.serverFirst, exchange: this }
  }

  /** The guard is asked again: of many exchanges that began before the first failed, no more may be tried than that. */
  #finish(clientFinal: Uint8Array): LoginStep {
    const name = this.#name!
    const hold = this.#guard?.holds(name)
    if (hold !== undefined) return heldBack(hold)
    const finished = this.#server.finish(clientFinal)
    // The password may have changed, or the user gone, since the exchange began.
    if (finished.ok && this.#users.get(finished.username)?.scram === this.#scram) {
      this.#guard?.onRight(name)
      return { kind: 'accepted', principal: new UserPrincipal(finished.username, this.#users), data: finished.serverFinal }
    }
    this.#guard?.onFailed(name)
    return finished.ok ? badCredentials(finished.username) : refused('bad-credentials', finished.detail)
  }
}

function accepted(principal: Principal): LoginStep {
  return { kind: 'accepted', principal, data: undefined }
}

function refused(refusal: LoginRefusal, text: string): LoginStep {
  return { kind: 'refused', refusal, text }
}

/** One text for an unknown name and a wrong password. */
function badCredentials(username: string): LoginStep {
  return refused('bad-credentials', `user ${quoted(username)}: unknown, or the password is wrong`)
}

/** The same for names that exist and names that do not. */
function heldBack(hold: Hold): LoginStep {
  if (hold.kind === 'crowded') return busy('too many logins of this user at once')
  const seconds = Math.ceil(hold.waitMs / 1_000)
  const text = `too many failed logins: none is tried now; try again in ${seconds} s`
  return { kind: 'refused', refusal: 'locked-out', text, retryAfterMs: Math.ceil(hold.waitMs) }
}

function busy(why: string): LoginStep {
  const text = `${why}: try again in a few seconds`
  return { kind: 'refused', refusal: 'busy', text, retryAfterMs: BUSY_RETRY_MS }
}
