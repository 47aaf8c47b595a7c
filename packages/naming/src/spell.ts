/**
 * How an address is written in a protocol. Each kind has a usual form; where that would be read as something else (a comma, two colons,
 * a wildcard as an ordinary character) the percent-encoded path takes its place. What is handed out has been read back: `resolve` of it
 * is the same address.
 */
import { addressKey, type Destination, type ParsedAddress, slashed, TEMPORARY_LEVEL, toCoreName } from './address.ts'
import { DIALECTS, dotted } from './levels.ts'
import { encodePart } from './percent.ts'
import type { Profile, Protocol } from './protocols.ts'
import { resolve } from './resolve.ts'

/** Undefined when the protocol has no way to write it. */
export function spell(address: ParsedAddress, protocol: Protocol, profile: Profile = 'activemq'): string | undefined {
  if (address.kind === 'dynamic' || address.kind === 'anonymous') return undefined
  return spellWhere(address, protocol, profile, () => true)
}

function spellWhere(
  address: ParsedAddress,
  protocol: Protocol,
  profile: Profile,
  isGood: (text: string) => boolean,
): string | undefined {
  const key = addressKey(address)
  return candidates(address, protocol, profile).find((text) => {
    if (!isGood(text)) return false
    // As a receiver reads it: whoever sends takes fewer characters for wildcards, none more.
    const read = resolve(text, { protocol, profile, purpose: 'receive', levelsMax: Infinity })
    return read.ok && addressKey(read.address) === key
  })
}

export type Spellings = Readonly<Record<'mqtt' | 'stomp' | 'amqp10' | 'amqp10-rabbitmq' | 'rest', string | undefined>>

/** In every protocol. Where clients of RabbitMQ write something else in AMQP 1.0, that as well. */
export function spellings(address: ParsedAddress, profile: Profile = 'activemq'): Spellings {
  return {
    mqtt: spell(address, 'mqtt', profile),
    stomp: spell(address, 'stomp', profile),
    amqp10: spell(address, 'amqp10', profile === 'rabbitmq' ? 'activemq' : profile),
    'amqp10-rabbitmq': spell(address, 'amqp10', 'rabbitmq'),
    rest: spell(address, 'rest', profile),
  }
}

/** Texts that might do, the usual one first. */
function candidates(address: ParsedAddress, protocol: Protocol, profile: Profile): readonly string[] {
  if (protocol === 'mqtt') return mqtt(address)
  if (address.kind === 'list') return list(address.parts, protocol, profile)
  const path = encodedPath(address, protocol)
  const usual = protocol === 'stomp' ? stomp(address, profile) : protocol === 'amqp10' ? amqp(address, profile) : []
  const isPathUsual = protocol === 'rest' || (protocol === 'amqp10' && profile === 'rabbitmq')
  const other = stomp(address, profile) // forms that every protocol but MQTT takes
  return isPathUsual ? [...path, ...usual, ...other] : [...usual, ...path, ...other]
}

function mqtt(address: ParsedAddress): readonly string[] {
  if (address.kind === 'topic-pattern') return [slashed(address.levels)]
  if (address.kind === 'share') return [`$share/${address.group}/${slashed(address.levels)}`]
  const name = toCoreName(address)
  return name === undefined ? [] : [name]
}

/** Blanks at the ends of a part would be lost. */
function isTight(text: string): boolean {
  return !/^[ \t]|[ \t]$/.test(text)
}

/** A list is read as one only when it does not begin with a percent-encoded path. */
function list(parts: readonly Destination[], protocol: Protocol, profile: Profile): readonly string[] {
  const texts: string[] = []
  for (const part of parts) {
    const text = spellWhere(part, protocol === 'rest' ? 'stomp' : protocol, profile, isTight)
    if (text === undefined) return []
    texts.push(text)
  }
  const isPath = (text: string): boolean => text.startsWith('/queues/') || text.startsWith('/exchanges/')
  return [[...texts.filter((text) => !isPath(text)), ...texts.filter(isPath)].join(',')]
}

function encodedPath(address: ParsedAddress, protocol: Protocol): readonly string[] {
  switch (address.kind) {
    case 'queue':
    case 'queue-pattern':
      return [`/queues/${encodePart(address.name)}`]
    case 'temp-queue':
      return [`/queues/${encodePart(`${TEMPORARY_LEVEL}/${address.id}`)}`]
    case 'topic':
    case 'topic-pattern':
      return protocol === 'rest'
        ? [`/topics/${dotted(address.levels, DIALECTS.rest, true)}`]
        : [`/exchanges/amq.topic/${dotted(address.levels, DIALECTS.exchange, true)}`]
    case 'temp-topic':
      return [`${protocol === 'rest' ? '/topics' : '/exchanges/amq.topic'}/${TEMPORARY_LEVEL}.${address.id}`]
    case 'exchange':
      return [
        `/exchanges/${encodePart(address.exchange)}${address.key === undefined ? '' : `/${encodePart(address.key)}`}`,
      ]
    default:
      return []
  }
}

function stomp(address: ParsedAddress, profile: Profile): readonly string[] {
  const isEncoded = profile === 'rabbitmq'
  const plain = (name: string): string => (isEncoded ? encodePart(name) : name)
  switch (address.kind) {
    case 'queue':
    case 'queue-pattern':
      return [`/queue/${plain(address.name)}`]
    case 'topic':
    case 'topic-pattern':
      return [`/topic/${dotted(address.levels, DIALECTS[profile], isEncoded)}`]
    case 'temp-queue':
    case 'temp-topic':
      return [`/remote-${address.kind}/${address.id}`]
    case 'temp-queue-alias':
      return [`/temp-queue/${plain(address.alias)}`]
    case 'temp-topic-alias':
      return [`/temp-topic/${plain(address.alias)}`]
    case 'subscription':
      return [`/dsub/${plain(address.name)}`]
    case 'fqqn':
      return [`/queue/${address.address}::${address.queue}`, `${address.address}::${address.queue}`]
    case 'exchange':
      return [`/exchange/${plain(address.exchange)}${address.key === undefined ? '' : `/${plain(address.key)}`}`]
    default:
      return []
  }
}

function amqp(address: ParsedAddress, profile: Profile): readonly string[] {
  switch (address.kind) {
    case 'queue':
    case 'queue-pattern':
      return [`queue://${profile === 'rabbitmq' ? encodePart(address.name) : address.name}`]
    case 'topic':
    case 'topic-pattern':
      return [`topic://${dotted(address.levels, DIALECTS[profile], profile === 'rabbitmq')}`]
    case 'temp-queue':
    case 'temp-topic':
      return [`${address.kind}://${address.id}`]
    case 'fqqn':
      return [`${address.address}::${address.queue}`]
    default:
      return []
  }
}
