/**
 * How an adapter finds out who is there: one question, or an exchange of several (SCRAM). packages/auth answers. [ADR-0001]
 */
import type { Principal } from '../authorizer.ts'
import type { PeerInfo } from './transport.ts'

export interface LoginRequest {
  readonly peer: PeerInfo
  readonly clientId: string
  /** 'plain' also stands for no credentials at all; 'scram-sha-256' begins an exchange. */
  readonly mechanism: string
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  /** First data of an exchange. */
  readonly data: Uint8Array | undefined
}

/**
 * bad-credentials: wrong or missing; bad-mechanism: not offered; locked-out: too many failed, try when the wait is over; busy: too many
 * logins at once, try later.
 */
export type LoginRefusal = 'bad-credentials' | 'bad-mechanism' | 'not-authorized' | 'locked-out' | 'busy'

export type LoginStep =
  | { readonly kind: 'accepted'; readonly principal: Principal; readonly data: Uint8Array | undefined }
  | { readonly kind: 'challenge'; readonly data: Uint8Array; readonly exchange: LoginExchange }
  | {
      readonly kind: 'refused'
      readonly refusal: LoginRefusal
      readonly text: string
      /** Another try before that is refused for the same reason; left out where waiting does not help. */
      readonly retryAfterMs?: number | undefined
    }

/** One exchange under way. It belongs to one connection and ends with it. */
export interface LoginExchange {
  respond(data: Uint8Array): LoginStep | Promise<LoginStep>
}

/** A step comes at once where nothing has to be computed, so that a fleet of anonymous devices connects without waiting. */
export interface Login {
  begin(request: LoginRequest): LoginStep | Promise<LoginStep>
}

/** A login that also says beforehand by which mechanisms a peer may come in, for protocols that announce them (SASL). */
export interface SaslLogin extends Login {
  /** Names as SASL writes them, the preferred one first; never empty. [AMQP10 §5.3.3.1] */
  mechanisms(peer: PeerInfo): readonly string[]
}
