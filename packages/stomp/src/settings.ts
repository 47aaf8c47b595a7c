/** What the operator may choose about STOMP; apps/broker fills it from the configuration. */
import type { Profile } from '@ternmq/naming'
import { DEFAULT_FRAME_LIMITS, type FrameLimits } from './codec/limits.ts'

export interface StompSettings extends FrameLimits {
  /** How addresses are read, and what NACK means. */
  readonly profile: Profile
  /** How long a connection may take to say CONNECT. */
  readonly handshakeTimeoutMs: number
  /** How long a frame may take from its first byte to its last. */
  readonly frameTimeoutMs: number
  /** Heart-beats that the server sends and wants, at the most often; 0: none. */
  readonly heartBeatMs: number
  /** Unacknowledged messages of a subscription that does not say how many. */
  readonly prefetch: number
  readonly maxTopicLevels: number
  readonly maxClientIdBytes: number
  /** As CONNECTED says it: 'TernMQ/0.1.0'. [STOMP12-CONNECTED_Frame-b] */
  readonly serverName: string
}

export const DEFAULT_STOMP_SETTINGS: StompSettings = {
  ...DEFAULT_FRAME_LIMITS,
  profile: 'activemq',
  handshakeTimeoutMs: 10_000,
  frameTimeoutMs: 60_000,
  heartBeatMs: 1_000,
  prefetch: 1_000,
  maxTopicLevels: 128,
  maxClientIdBytes: 1_024,
  serverName: 'TernMQ',
}

/** Resolution of heart-beats and time limits, in ms. */
export const WHEEL_TICK_MS = 250
