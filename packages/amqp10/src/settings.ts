/** What the operator may choose about AMQP 1.0; apps/broker fills it from the configuration. */
import type { Profile } from '@ternmq/naming'

export interface AmqpSettings {
  /** How addresses are read, and what becomes of a message that nobody wants. */
  readonly profile: Profile
  /** How long a connection may take to get from its first byte to `open`. */
  readonly handshakeTimeoutMs: number
  /** Largest frame that is taken, as `open` says it. */
  readonly maxFrameBytes: number
  /** Largest message that is taken, as `attach` says it. */
  readonly maxMessageBytes: number
  /** How long a message may take from its first transfer to its last. */
  readonly messageTimeoutMs: number
  /** Highest channel number: one session less than there may be. */
  readonly channelMax: number
  /** Highest handle number of a session. */
  readonly handleMax: number
  /** A peer that says nothing for so long is gone; announced as `idle-time-out`. 0: it may be silent. */
  readonly idleTimeoutMs: number
  /** Transfer frames that a session may send before it hears from us. */
  readonly sessionWindow: number
  /** Messages that a sender may send before it hears from us. */
  readonly linkCredit: number
  /** Where our deliveries, transfers and delivery counts begin: 0, but in tests of how they wrap around. */
  readonly firstNumber: number
  readonly maxTopicLevels: number
  readonly maxContainerIdBytes: number
  /** As `open` says it among the properties: product and version. */
  readonly product: string
  readonly version: string
}

export const DEFAULT_AMQP_SETTINGS: AmqpSettings = {
  profile: 'activemq',
  handshakeTimeoutMs: 10_000,
  maxFrameBytes: 131_072,
  maxMessageBytes: 16 * 1024 * 1024,
  messageTimeoutMs: 60_000,
  channelMax: 255,
  handleMax: 4_095,
  idleTimeoutMs: 60_000,
  sessionWindow: 2_048,
  linkCredit: 1_000,
  firstNumber: 0,
  maxTopicLevels: 128,
  maxContainerIdBytes: 1_024,
  product: 'TernMQ',
  version: '',
}

/** Resolution of idle time-outs and time limits, in ms. */
export const WHEEL_TICK_MS = 250
