/**
 * What an address means in a protocol, by which rule, how others write it, and whether it exists. The same for the API and for the command
 * line without a broker; nothing is made by asking.
 */
import { type ResolveAnswer, resolveAddress, type ResolveQuery } from '@ternmq/api'
import { type BrokerConfig, type ListenerName, listenersOf } from '@ternmq/config'
import { queueNameOf, type VirtualHost } from '@ternmq/core'
import {
  consumerOptionProblem,
  hintsFor,
  type KindHint,
  kindText,
  type ParsedAddress,
  type Profile,
  PROFILES,
  type Protocol,
  PROTOCOLS,
  type Resolution,
  resolve,
  type ResolveOptions,
  RULES,
  spellings,
  toCoreName,
} from '@ternmq/naming'
import { definedOf } from '../definitions/definition-kinds.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { vhostOf } from '../vhost.ts'

const KINDS: readonly KindHint[] = ['queue', 'topic', 'temp-queue', 'temp-topic']

/** How an address is to be read. */
export type Reading = Pick<ResolveQuery, 'protocol' | 'profile' | 'purpose' | 'kind'>

/** What a broker is asked about names; undefined where none runs. */
export type Exists = ((kind: 'queue' | 'topic', name: string) => boolean) | undefined

export function resolveHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(resolveAddress, ({ params, query }) => {
      const vhost = vhostOf(broker, params)
      return explainAddress(query, broker.settings.config, existenceIn(vhost))
    }),
  ]
}

/** Throws ApiError('INVALID') for a protocol, profile or kind that there is not; an address that is refused is an answer. */
export function explainAddress(query: ResolveQuery, config: BrokerConfig, exists: Exists): ResolveAnswer {
  const options = optionsOf(query, config)
  const [text, delaySeconds] = undelayed(query.address, options)
  const resolution = read(text, options, exists)
  const { rule } = resolution
  const ruled = { rule: rule ?? 'none', ruleText: rule === undefined ? 'No rule takes it.' : RULES[rule].sentence }
  if (!resolution.ok) return { ok: false, ...ruled, means: resolution.detail.text, spellings: [], notes: [] }
  const { address } = resolution
  const name = toCoreName(address)
  return {
    ok: true,
    ...definedOf({ address: name, exists: name === undefined ? undefined : doesExist(name, exists) }),
    kind: address.kind,
    means:
      delaySeconds === undefined ? kindText(address) : `${kindText(address)}, ${delaySeconds} s after it was published`,
    ...ruled,
    spellings: Object.entries(spellings(address, options.profile)).map(([protocol, spelled]) => ({
      protocol,
      ...definedOf({ text: spelled }),
    })),
    notes: notesOf(text, resolution, options),
  }
}

/** Reads an address; one with an option that means nothing is refused, as a broker refuses it. */
export function read(text: string, options: ResolveOptions, exists: Exists): Resolution {
  const resolution = resolve(text, { ...options, exists })
  if (!resolution.ok) return resolution
  for (const [name, value] of resolution.options) {
    const problem = consumerOptionProblem(name, value)
    if (problem !== undefined)
      return { ok: false, rule: resolution.rule, detail: { refusal: 'mismatch', subject: text, text: problem } }
  }
  return resolution
}

/** Throws ApiError('INVALID'). Without a profile, the one of the first open listener that has the protocol. */
export function optionsOf(
  { protocol, profile, purpose = 'receive', kind }: Reading,
  config: BrokerConfig,
): ResolveOptions {
  // As the listener and its settings are called.
  const known = oneOf<Protocol>('protocol', protocol === 'amqp' ? 'amqp10' : protocol, PROTOCOLS)
  return {
    protocol: known,
    profile: profile === undefined ? profileOf(known, config) : oneOf<Profile>('profile', profile, PROFILES),
    purpose,
    kindHint: kind === undefined ? undefined : oneOf<KindHint>('kind', kind, KINDS),
  }
}

/** Looks, and makes nothing. */
export function existenceIn({ destinations, router, retained }: VirtualHost): NonNullable<Exists> {
  return (kind, name) =>
    kind === 'queue'
      ? destinations.find(name) !== undefined
      : router.isHeard(name) || retained.get(name.split('/')) !== undefined
}

/** An address as people read it: a pattern has no name in core form. */
export function addressText(address: ParsedAddress): string {
  return toCoreName(address) ?? spellings(address).mqtt ?? kindText(address)
}

/** Of MQTT's listeners none has a profile, and REST's has none either. */
const LISTENERS: Readonly<Partial<Record<Protocol, readonly ListenerName[]>>> = {
  stomp: ['stomp', 'stomps', 'ws', 'wss', 'any'],
  amqp10: ['amqp', 'amqps', 'ws', 'wss', 'any'],
}

function profileOf(protocol: Protocol, config: BrokerConfig): Profile {
  const open = listenersOf(config).find(
    ([name, { enabled }]) => enabled && LISTENERS[protocol]?.includes(name) === true,
  )
  return open?.[1].profile ?? 'activemq'
}

/** The topic of MQTT's `$delayed/SECONDS/TOPIC`, and the seconds. */
function undelayed(text: string, { protocol, purpose }: ResolveOptions): [topic: string, seconds: number | undefined] {
  if (protocol !== 'mqtt' || purpose !== 'send') return [text, undefined]
  const [, seconds, topic] = /^\$delayed\/([0-9]{1,7})\/(.+)$/s.exec(text) ?? []
  return topic === undefined ? [text, undefined] : [topic, Number(seconds)]
}

function doesExist(name: string, exists: Exists): boolean | undefined {
  const queue = queueNameOf(name)
  return queue === undefined ? exists?.('topic', name) : exists?.('queue', queue)
}

function notesOf(text: string, resolution: Resolution & { readonly ok: true }, options: ResolveOptions): string[] {
  const { protocol, profile, purpose } = options
  const notes = [...resolution.notes]
  if (protocol === 'stomp' || protocol === 'amqp10')
    notes.push(`read as clients of ${profile ?? 'activemq'} mean it (profile)`)
  if (resolution.mustExist) notes.push('it is not made by being used so')
  for (const [name, value] of resolution.options) notes.push(`option ${name} = ${value}`)
  if (purpose === 'receive' && protocol === 'mqtt' && text.startsWith('$delayed/'))
    notes.push("only a PUBLISH is delayed by '$delayed/SECONDS/TOPIC': subscribe to TOPIC")
  return [...notes, ...hintsFor(text, resolution, options).map((hint) => hint.text)]
}

function oneOf<T extends string>(field: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found !== undefined) return found
  const rule = allowed.join(', ')
  throw new ApiError('INVALID', `there is no ${field} '${value.slice(0, 100)}'; there are ${rule}`, {
    field,
    value,
    rule,
  })
}
