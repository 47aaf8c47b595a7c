/** Why a call of the admin API is refused. The server makes a `Problem` of it; the codes are for programs and stay. */
import type { Problem } from '@ternmq/api'

export type ProblemCode =
  | 'VHOST_UNKNOWN'
  | 'QUEUE_UNKNOWN'
  | 'MESSAGE_GONE'
  | 'SESSION_UNKNOWN'
  | 'CONNECTION_UNKNOWN'
  | 'TOPIC_UNKNOWN'
  | 'SCHEDULE_UNKNOWN'
  | 'OPERATION_UNKNOWN'
  | 'USER_UNKNOWN'
  | 'PERMISSION_UNKNOWN'
  | 'POLICY_UNKNOWN'
  | 'TOKEN_UNKNOWN'
  | 'ROUTE_UNKNOWN'
  | 'INVALID'
  | 'NOT_LOGGED_IN'
  | 'LOGIN_REFUSED'
  | 'LOCKED_OUT'
  | 'CSRF'
  | 'NOT_ALLOWED'
  | 'EXISTS'
  | 'CONFLICT'
  | 'FROM_CONFIG'
  | 'CHANGED_SINCE'
  | 'TURNS_ACCESS'
  | 'LIMIT_REACHED'
  | 'TOO_LARGE'
  | 'UNSUPPORTED'
  | 'BUSY'
  | 'STORE_FAILED'
  | 'BROKEN'
  | 'UNREACHABLE'
  | 'NO_ANSWER'

/** Status and title of every code. */
export const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  VHOST_UNKNOWN: [404, 'There is no such virtual host'],
  QUEUE_UNKNOWN: [404, 'There is no such queue'],
  MESSAGE_GONE: [404, 'The message is not there any more'],
  SESSION_UNKNOWN: [404, 'There is no such session'],
  CONNECTION_UNKNOWN: [404, 'There is no such connection'],
  TOPIC_UNKNOWN: [404, 'The topic has no retained message'],
  SCHEDULE_UNKNOWN: [404, 'There is no such scheduled message'],
  OPERATION_UNKNOWN: [404, 'There is no such operation'],
  USER_UNKNOWN: [404, 'There is no such user'],
  PERMISSION_UNKNOWN: [404, 'There is no such permission'],
  POLICY_UNKNOWN: [404, 'There is no such policy'],
  TOKEN_UNKNOWN: [404, 'There is no such token'],
  ROUTE_UNKNOWN: [404, 'There is no such call'],
  INVALID: [400, 'Something in the call is not valid'],
  NOT_LOGGED_IN: [401, 'A login is needed'],
  LOGIN_REFUSED: [401, 'The login is refused'],
  LOCKED_OUT: [429, 'Too many logins have failed'],
  CSRF: [403, 'The call does not come from a page of the console'],
  NOT_ALLOWED: [403, 'That is not allowed'],
  EXISTS: [409, 'It exists already'],
  CONFLICT: [409, 'It cannot be done as things are'],
  FROM_CONFIG: [409, 'The configuration says so, and is changed there'],
  CHANGED_SINCE: [409, 'Something has changed since the plan was made'],
  TURNS_ACCESS: [409, 'It changes what everybody may do'],
  LIMIT_REACHED: [422, 'A limit is reached'],
  TOO_LARGE: [413, 'The call is too large'],
  UNSUPPORTED: [415, 'The body is of a kind that is not read here'],
  BUSY: [503, 'The broker is busy'],
  STORE_FAILED: [503, 'The store takes nothing'],
  BROKEN: [500, 'The broker failed'],
  UNREACHABLE: [502, 'The broker cannot be reached'],
  NO_ANSWER: [504, 'The broker does not answer'],
}

export type ProblemMore = Partial<Pick<Problem, 'field' | 'value' | 'rule' | 'retryAfterMs' | 'others'>>

export class ApiError extends Error {
  readonly code: ProblemCode
  readonly more: ProblemMore

  /** `detail`: what is wrong and what to do, in a sentence. */
  constructor(code: ProblemCode, detail: string, more: ProblemMore = {}) {
    super(detail)
    this.name = 'ApiError'
    this.code = code
    this.more = more
  }

  get status(): number {
    return PROBLEMS[this.code][0]
  }

  toProblem(): Problem {
    const [status, title] = PROBLEMS[this.code]
    return { code: this.code, status, title, detail: this.message, ...this.more }
  }
}
