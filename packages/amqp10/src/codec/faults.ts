/** What is wrong with what a peer sent or asked for, in AMQP's own words, and how much of the connection ends with it. */

/** What ends: the link, its session, or the connection. [AMQP10 §2.8.14-2.8.18] */
export type FaultLevel = 'link' | 'session' | 'connection'

/** Error conditions of the specification that this broker says. [AMQP10 §2.8.15-2.8.18, §4.5.8] */
export type Condition =
  | 'amqp:internal-error'
  | 'amqp:not-found'
  | 'amqp:unauthorized-access'
  | 'amqp:decode-error'
  | 'amqp:resource-limit-exceeded'
  | 'amqp:not-allowed'
  | 'amqp:invalid-field'
  | 'amqp:not-implemented'
  | 'amqp:resource-locked'
  | 'amqp:precondition-failed'
  | 'amqp:resource-deleted'
  | 'amqp:illegal-state'
  | 'amqp:frame-size-too-small'
  | 'amqp:connection:forced'
  | 'amqp:connection:framing-error'
  | 'amqp:connection:redirect'
  | 'amqp:session:window-violation'
  | 'amqp:session:errant-link'
  | 'amqp:session:handle-in-use'
  | 'amqp:session:unattached-handle'
  | 'amqp:link:detach-forced'
  | 'amqp:link:transfer-limit-exceeded'
  | 'amqp:link:message-size-exceeded'
  | 'amqp:link:redirect'
  | 'amqp:link:stolen'
  | 'amqp:transaction:unknown-id'
  | 'amqp:transaction:rollback'
  | 'amqp:transaction:timeout'

export class AmqpFault extends Error {
  readonly level: FaultLevel
  readonly condition: Condition
  /** Id of the clause that was broken, 'AMQP10-2.3.1-a'; '' where it is a rule of the broker. */
  readonly clause: string
  /** Goes with the error, as the map `info`. */
  readonly info: Readonly<Record<string, string>> | undefined

  /** `text` is what the peer reads: who, what value, which rule, what to do. */
  constructor(
    level: FaultLevel,
    condition: Condition,
    text: string,
    clause = '',
    info?: Readonly<Record<string, string>>,
  ) {
    super(text)
    this.level = level
    this.condition = condition
    this.clause = clause
    this.info = info
  }
}

/** Bytes of `what` that are not what the specification makes them. [AMQP10-2.8.15-a] */
export function malformed(what: string, text: string, clause = ''): AmqpFault {
  return new AmqpFault('connection', 'amqp:decode-error', `${what}: ${text}`, clause)
}

/** A value that the field `what` must not have. [AMQP10-2.8.15-d] */
export function invalidField(what: string, text: string, clause = ''): AmqpFault {
  return new AmqpFault('connection', 'amqp:invalid-field', `${what}: ${text}`, clause)
}

/** A field that must not be null. [AMQP10-1.3.4-a] */
export function missingField(what: string): AmqpFault {
  return invalidField(what, 'the field is mandatory and was not sent', 'AMQP10-1.3.4-a')
}

/** Characters of a peer's text that are repeated back in an error. */
const QUOTED_CHARS_MAX = 48

/** A peer's text for an error: quoted, without control characters, cut. */
export function quote(text: string): string {
  const isLong = text.length > QUOTED_CHARS_MAX
  const shown = JSON.stringify(text.slice(0, QUOTED_CHARS_MAX).toWellFormed()).replace(/[\x7f-\x9f\u2028\u2029]/g, '?')
  return isLong ? `${shown}… (${text.length} characters)` : shown
}
