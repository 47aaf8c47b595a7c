/** Addresses: what a text means in a protocol, and how an address is written in it. */
export {
  addressKey,
  type Alias,
  type Anonymous,
  type Destination,
  type DestinationList,
  type DynamicNode,
  type Exchange,
  fromCoreName,
  type Fqqn,
  kindText,
  type ParsedAddress,
  type QueueAddress,
  type SharedSubscription,
  type SubscriptionReference,
  type Temporary,
  toCoreName,
  type TopicAddress,
} from './address.ts'
export { ClientHints, type ClientHintsOptions } from './client-hints.ts'
export { consumerOptionProblem } from './consumer-options.ts'
export { HintGate, type HintGateLimits } from './hint-gate.ts'
export { filterHints, type Hint, type HintId, hintsFor } from './hints.ts'
export { NearMisses, type NearMissLimits, type NearMissReason, type Suggestion, type Teller } from './near-misses.ts'
export { type Profile, PROFILES, type Protocol, PROTOCOLS, type Purpose } from './protocols.ts'
export { LEVELS_MAX, LIST_PARTS_MAX, OPTIONS_MAX, TEXT_LENGTH_MAX } from './limits.ts'
export type { KindHint, ListenerPrefixes, ResolveOptions } from './reading.ts'
export { type Resolution, resolve } from './resolve.ts'
export { type Rule, type RuleId, RULES } from './rules.ts'
export { spell, spellings, type Spellings } from './spell.ts'
export * from './fields/index.ts'
