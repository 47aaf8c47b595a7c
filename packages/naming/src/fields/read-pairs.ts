/**
 * From the pairs of a publisher (STOMP's headers, MQTT 5's user properties, AMQP's application properties) to what they mean in the core.
 * Pairs that stand for no field are properties, in their order; those that only the broker may say are left out, and named.
 */
import type { Headers, ScheduleOptions } from '@ternmq/core'
import { quote } from '../refusal.ts'
import { type AddressSpelling, addressSpelling } from './spelling.ts'
import { FRAME_HEADERS, partNames, PROPERTY_PREFIX } from './names.ts'
import type { PairProtocol, Part } from './types.ts'
import { bytesOfText, truth, wholeNumber } from './texts.ts'

/** Name and value, decoded. */
export type Pair = readonly [name: string, value: string]

/** A value that its field cannot have. The adapter refuses the message, in its protocol's words. */
export interface Fault {
  readonly name: string
  readonly value: string
  /** What the value must be. */
  readonly rule: string
  /** What its writer can do. */
  readonly remedy: string
}

/** What the pairs say. Left out: they say nothing of it. */
export interface PairsRead {
  readonly headers: Headers
  /** 0…9 */
  readonly priority?: number
  readonly groupId?: string
  readonly groupEnds?: boolean
  /** Unix ms; 0: never. */
  readonly expiresAtMs?: number
  readonly durable?: boolean
  /** Keep it as the last message of its topic, or forget the one that is kept. */
  readonly retain?: 'set' | 'remove'
  readonly schedule?: ScheduleOptions
  readonly dedupId?: string
  readonly faults: readonly Fault[]
  /** Names of pairs that count for nothing: a field that stood before, and what only the broker may say. */
  readonly ignored: readonly string[]
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

interface Draft extends Mutable<Omit<PairsRead, 'headers' | 'schedule'>> {
  readonly headers: Mutable<Headers>
  schedule?: Mutable<ScheduleOptions>
}

/** Undefined: taken. A text: what the value must be. */
type Reader = (draft: Draft, value: string, addresses: AddressSpelling) => string | undefined

/** Bytes of a group's name or of an id for duplicates: the core keeps them in memory. */
const NAME_LENGTH_MAX = 1_024
const GROUP_SEQUENCE_MAX = 2_147_483_647

const READERS: Readonly<Record<Part, Reader | 'broker'>> = {
  messageId: (draft, value) => assign(draft.headers, 'messageId', value),
  correlationId: (draft, value) => assign(draft.headers, 'correlationId', bytesOfText(value)),
  replyTo(draft, value, addresses) {
    const read = addresses.read(value)
    if ('rule' in read) return `an address that an answer can be sent to: ${read.rule}`
    draft.headers.replyTo = read.address
    return undefined
  },
  type: (draft, value) => assign(draft.headers, 'type', value),
  contentType: (draft, value) => assign(draft.headers, 'contentType', value),
  contentEncoding: (draft, value) => assign(draft.headers, 'contentEncoding', value),
  priority: (draft, value) => assign(draft, 'priority', wholeNumber(value, 0, 9), 'a whole number from 0 to 9'),
  durable: (draft, value) => assign(draft, 'durable', truth(value), TRUTH),
  expires: (draft, value) =>
    assign(draft, 'expiresAtMs', wholeNumber(value, 0), 'a moment in ms since 1970, or 0 for never'),
  timestamp: (draft, value) => assign(draft.headers, 'timestampMs', wholeNumber(value, 0), 'a moment in ms since 1970'),
  appId: (draft, value) => assign(draft.headers, 'appId', value),
  groupId: (draft, value) => assign(draft, 'groupId', named(value), NAME),
  groupSequence(draft, value) {
    const sequence = wholeNumber(value, -GROUP_SEQUENCE_MAX, GROUP_SEQUENCE_MAX)
    if (sequence === undefined) return 'a whole number of 32 bits; one below 0 ends the group'
    draft.headers.groupSequence = sequence
    if (sequence < 0) draft.groupEnds = true
    return undefined
  },
  delay: (draft, value) => scheduled(draft, 'delayMs', wholeNumber(value, 0), MILLISECONDS),
  period: (draft, value) => scheduled(draft, 'periodMs', wholeNumber(value, 0), MILLISECONDS),
  repeats: (draft, value) =>
    scheduled(draft, 'repeats', wholeNumber(value, -1), 'a whole number from 0, or -1 for no end'),
  cron: (draft, value) => scheduled(draft, 'cron', value, ''),
  deliverAt: (draft, value) => scheduled(draft, 'deliverAtMs', wholeNumber(value, 0), 'a moment in ms since 1970'),
  dedupId: (draft, value) => assign(draft, 'dedupId', named(value), NAME),
  bodyKind(draft, value) {
    if (value !== 'text' && value !== 'bytes') return "'text' or 'bytes'"
    draft.headers.text = value === 'text'
    return undefined
  },
  retain(draft, value) {
    const isSet = value === 'set' || truth(value)
    if (isSet === undefined && value !== 'remove') return "'true', 'set' or 'remove'"
    if (isSet !== false) draft.retain = value === 'remove' ? 'remove' : 'set'
    return undefined
  },
  retainJms(draft, value) {
    const isSet = truth(value)
    if (isSet === undefined) return TRUTH
    if (isSet) draft.retain ??= 'set'
    return undefined
  },
  userId: 'broker',
  scheduledId: 'broker',
  redelivered: 'broker',
  deliveryCount: 'broker',
  deathAddress: 'broker',
  deathQueue: 'broker',
  deathText: 'broker',
  deathCause: 'broker',
  deathReason: 'broker',
  deathCount: 'broker',
  deathExpiredAt: 'broker',
  deathTime: 'broker',
  retained: 'broker',
}

const TRUTH = "'true' or 'false'"
const MILLISECONDS = 'a whole number of ms from 0'
const NAME = `a text of 1 to ${NAME_LENGTH_MAX} characters`

function named(value: string): string | undefined {
  return value === '' || value.length > NAME_LENGTH_MAX ? undefined : value
}

function assign<T extends object, K extends keyof T>(
  target: T,
  key: K,
  value: T[K] | undefined,
  rule = '',
): string | undefined {
  if (value === undefined) return rule
  target[key] = value
  return undefined
}

function scheduled<K extends keyof ScheduleOptions>(
  draft: Draft,
  key: K,
  value: ScheduleOptions[K] | undefined,
  rule: string,
): string | undefined {
  return assign<Mutable<ScheduleOptions>, K>((draft.schedule ??= {}), key, value, rule)
}

/** What a name means in a protocol. */
type Meaning = { readonly part: Part; readonly reader: Reader | 'broker' } | 'frame'

const MEANINGS: Readonly<Record<PairProtocol, ReadonlyMap<string, Meaning>>> = {
  mqtt5: meaningsIn('mqtt5'),
  stomp: meaningsIn('stomp'),
  amqp10: meaningsIn('amqp10'),
}

function meaningsIn(protocol: PairProtocol): ReadonlyMap<string, Meaning> {
  const meanings = new Map<string, Meaning>(FRAME_HEADERS[protocol].map((name) => [name, 'frame']))
  for (const [part, name] of partNames(protocol)) meanings.set(name, { part, reader: READERS[part] })
  return meanings
}

/** A property may not be written under this name: it would be read as something else. */
export function isReserved(protocol: PairProtocol, name: string): boolean {
  const meaning = MEANINGS[protocol].get(name)
  return (
    (meaning !== undefined && (meaning === 'frame' || meaning.part !== 'dedupId')) || name.startsWith(PROPERTY_PREFIX)
  )
}

const SPELLINGS: Readonly<Record<PairProtocol, AddressSpelling>> = {
  mqtt5: addressSpelling('mqtt'),
  stomp: addressSpelling('stomp'),
  amqp10: addressSpelling('amqp10'),
}

/**
 * Reads pairs as they came, in their order. The first of a field counts. Never throws: a value that its field cannot have is a fault, and
 * the pair a property, for whoever reads a message that was accepted all the same.
 */
export function readPairs(
  protocol: PairProtocol,
  pairs: Iterable<Pair>,
  addresses: AddressSpelling = SPELLINGS[protocol],
): PairsRead {
  const meanings = MEANINGS[protocol]
  const properties: Pair[] = []
  const faults: Fault[] = []
  const ignored: string[] = []
  const draft: Draft = { headers: { properties }, faults, ignored }
  const seen = new Set<Part>()
  for (const pair of pairs) {
    const [name, value] = pair
    const meaning = meanings.get(name)
    if (meaning === undefined) {
      properties.push(name.startsWith(PROPERTY_PREFIX) ? [name.slice(PROPERTY_PREFIX.length), value] : pair)
    } else if (meaning !== 'frame') {
      const { part, reader } = meaning
      if (reader === 'broker' || seen.has(part)) {
        ignored.push(name)
        continue
      }
      seen.add(part)
      const rule = reader(draft, value, addresses)
      if (rule !== undefined) faults.push({ name, value, rule, remedy: remedyOf(protocol, name) })
      if (rule !== undefined || part === 'dedupId') properties.push(pair)
    }
  }
  if (draft.schedule !== undefined && !asksForLater(draft.schedule)) delete draft.schedule
  return draft
}

/** As in ActiveMQ: repeats alone, or a delay of 0, mean at once. */
export function asksForLater({ deliverAtMs, delayMs = 0, periodMs = 0, cron = '' }: ScheduleOptions): boolean {
  return deliverAtMs !== undefined || delayMs > 0 || periodMs > 0 || cron !== ''
}

function remedyOf(protocol: PairProtocol, name: string): string {
  return `correct it or leave it out; a property of your own by that name is written '${PROPERTY_PREFIX}${name}'${protocol === 'stomp' ? '' : ' for this broker'}`
}

const PAIR_WORDS: Readonly<Record<PairProtocol, string>> = {
  mqtt5: 'user property',
  stomp: 'header',
  amqp10: 'application property',
}

/** For a reason string, an ERROR frame, an event: who, what value, which rule, what to do. */
export function faultText(protocol: PairProtocol, { name, value, rule, remedy }: Fault): string {
  return `${PAIR_WORDS[protocol]} ${quote(name)} is ${quote(value)}, which must be ${rule}: ${remedy}`
}
