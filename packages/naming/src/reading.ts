/** What the rules share: what is known while a text is read, and which names queues and topics may have. */
import type { PatternLevel } from '@ternmq/core'
import { type Destination, type ParsedAddress, QUEUE_LEVEL, queueAddress, topicAddress } from './address.ts'
import { type Dialect, readDotted } from './levels.ts'
import { LEVELS_MAX, QUEUE_NAME_LENGTH_MAX } from './limits.ts'
import type { Profile, Protocol, Purpose } from './protocols.ts'
import { AddressRefused } from './refusal.ts'
import type { RuleId } from './rules.ts'

export type KindHint = 'queue' | 'topic' | 'temp-queue' | 'temp-topic'

/** Prefixes that a listener takes off, as Artemis' `anycastPrefix` and `multicastPrefix`. */
export interface ListenerPrefixes {
  /** Of queues. */
  readonly anycast?: readonly string[]
  /** Of topics. */
  readonly multicast?: readonly string[]
}

export interface ResolveOptions {
  readonly protocol: Protocol
  /** 'activemq' when left out. */
  readonly profile?: Profile | undefined
  readonly purpose: Purpose
  /** What the client says beside the address: STOMP `destination-type`, AMQP terminus capability, `x-opt-jms-dest`. */
  readonly kindHint?: KindHint | undefined
  readonly prefixes?: ListenerPrefixes | undefined
  /** Is there a queue of that name, a topic of that name in core form? Nothing exists when left out. */
  readonly exists?: ((kind: 'queue' | 'topic', name: string) => boolean) | undefined
  /** Levels of a topic, LEVELS_MAX when left out. */
  readonly levelsMax?: number | undefined
}

/** What a rule makes of a text. */
export interface Reading {
  readonly rule: RuleId
  readonly address: ParsedAddress
  readonly options?: readonly (readonly [name: string, value: string])[]
  readonly mustExist?: boolean
  readonly notes?: readonly string[]
}

/** One text on its way through the rules. */
export interface Attempt {
  /** The rule at work: whose refusal it is. */
  rule: RuleId | undefined
  readonly options: ResolveOptions
  readonly profile: Profile
  readonly isReceiving: boolean
}

/** Throws AddressRefused for a name that is empty. */
export function named(name: string, what: string): string {
  if (name === '') throw new AddressRefused(`the name of the ${what} is missing`)
  return name
}

/** Throws AddressRefused when no queue can have that name. */
export function queueOf(name: string): Destination {
  named(name, 'queue')
  if (name.length > QUEUE_NAME_LENGTH_MAX) {
    throw new AddressRefused(`a queue's name has at most ${QUEUE_NAME_LENGTH_MAX} characters, not ${name.length}`)
  }
  return queueAddress(name)
}

/** The topic or pattern of a name with '.' between levels. Throws AddressRefused. */
export function topicOf(text: string, dialect: Dialect, attempt: Attempt, isEncoded: boolean): Destination {
  return topicAddress(checkLevels(readDotted(text, dialect, { isReceiving: attempt.isReceiving, isEncoded }), attempt))
}

/** The levels, when a topic or pattern can have them. Throws AddressRefused. */
export function checkLevels(levels: readonly PatternLevel[], { options }: Attempt): readonly PatternLevel[] {
  const { levelsMax = LEVELS_MAX } = options
  if (levels.length === 1 && levels[0] === '') throw new AddressRefused('the name of the topic is missing')
  if (levels.length > levelsMax) {
    throw new AddressRefused(`it has ${levels.length} levels; a topic has at most ${levelsMax}`, 'limit-reached')
  }
  if (levels[0] === QUEUE_LEVEL && levels.length > 1) {
    const text = `a topic cannot begin with the level '${QUEUE_LEVEL}': MQTT writes queues so, and other protocols /queue/NAME`
    throw new AddressRefused(text)
  }
  return levels
}
