/** What a row of the table of fields is. */

/** AMQP 0-9-1 has its place here; its names come with its adapter. */
export type FieldProtocol = 'mqtt5' | 'mqtt3' | 'stomp' | 'amqp10' | 'rest' | 'amqp091'

/** Protocols that have a place in every row. */
export type TabledProtocol = Exclude<FieldProtocol, 'amqp091'>

export const TABLED_PROTOCOLS: readonly TabledProtocol[] = ['mqtt5', 'mqtt3', 'stomp', 'amqp10', 'rest']

/** Protocols whose fields come as pairs of texts: user properties, headers, application properties. */
export type PairProtocol = 'mqtt5' | 'stomp' | 'amqp10'

/** One value that has a name of its own where fields are pairs. */
export type Part =
  | 'messageId'
  | 'correlationId'
  | 'replyTo'
  | 'type'
  | 'contentType'
  | 'contentEncoding'
  | 'priority'
  | 'durable'
  | 'expires'
  | 'timestamp'
  | 'userId'
  | 'appId'
  | 'groupId'
  | 'groupSequence'
  | 'delay'
  | 'period'
  | 'repeats'
  | 'cron'
  | 'deliverAt'
  | 'scheduledId'
  | 'redelivered'
  | 'deliveryCount'
  | 'deathAddress'
  | 'deathQueue'
  | 'deathText'
  | 'deathCause'
  | 'deathReason'
  | 'deathCount'
  | 'deathExpiredAt'
  | 'deathTime'
  | 'dedupId'
  | 'bodyKind'
  | 'retain'
  | 'retainJms'
  | 'retained'

/**
 * native: a field of the protocol's own, which its adapter reads and writes. pairs: texts by these names. annotations: of an AMQP message,
 * and what is read from its application properties beside them. lost: it has none, and why. `partly`: what does not come back as it was.
 */
export type Place =
  | { readonly kind: 'native'; readonly name: string; readonly partly?: string }
  | { readonly kind: 'pairs'; readonly names: Readonly<Partial<Record<Part, string>>>; readonly partly?: string }
  | {
      readonly kind: 'annotations'
      readonly names: Readonly<Partial<Record<Part, string>>>
      readonly pairs?: Readonly<Partial<Record<Part, string>>>
      readonly partly?: string
    }
  | { readonly kind: 'lost'; readonly reason: string }

export type FieldId =
  | 'id'
  | 'correlation'
  | 'replyTo'
  | 'destination'
  | 'type'
  | 'contentType'
  | 'contentEncoding'
  | 'priority'
  | 'durable'
  | 'expiry'
  | 'timestamp'
  | 'userId'
  | 'appId'
  | 'group'
  | 'schedule'
  | 'redelivery'
  | 'deadLetter'
  | 'dedupId'
  | 'bodyKind'
  | 'retain'
  | 'retained'
  | 'properties'
  | 'annotations'
  | 'trace'

export interface Field {
  readonly id: FieldId
  readonly what: string
  /** Where it lives in the core. */
  readonly core: string
  /**
   * end-to-end: receivers get what the publisher said. request: it asks the broker for something, and receivers do not get it.
   * broker: only the broker says it; from a client it counts for nothing.
   */
  readonly life: 'end-to-end' | 'request' | 'broker'
  readonly in: Readonly<Record<TabledProtocol, Place>> & { readonly amqp091?: Place }
  readonly note?: string
}
