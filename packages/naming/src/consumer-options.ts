/** `?consumer.NAME=VALUE&consumer.NAME=VALUE` behind an address, as ActiveMQ's clients write how they want to consume. */
import { OPTIONS_MAX } from './limits.ts'
import { decodePart } from './percent.ts'
import { AddressRefused, quote } from './refusal.ts'

/** Options that a broker here goes by, and their values. */
const KNOWN: Readonly<Record<string, RegExp>> = {
  exclusive: /^(true|false)$/,
  priority: /^-?\d{1,9}$/,
  prefetchSize: /^\d{1,9}$/,
  retroactive: /^(true|false)$/,
  noLocal: /^(true|false)$/,
}

/** What is wrong with an option; undefined for one that means something. */
export function consumerOptionProblem(name: string, value: string): string | undefined {
  if (Object.hasOwn(KNOWN, name) && KNOWN[name]!.test(value)) return undefined
  return `option consumer.${name}=${value} means nothing here; there are exclusive, priority, prefetchSize, retroactive and noLocal`
}

const MARK = '?consumer.'
const PREFIX = 'consumer.'

/** The text without its options, and these. A '?' that no `consumer.` follows belongs to the name. Throws AddressRefused. */
export function splitOptions(text: string): [text: string, options: (readonly [string, string])[]] {
  const at = text.indexOf(MARK)
  if (at < 0) return [text, []]
  const pairs = text.slice(at + 1).split('&')
  if (pairs.length > OPTIONS_MAX) {
    throw new AddressRefused(`it has ${pairs.length} options; an address has at most ${OPTIONS_MAX}`, 'limit-reached')
  }
  const options = pairs.map((pair): readonly [string, string] => {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    if (!name.startsWith(PREFIX) || name === PREFIX || equals < 0) {
      throw new AddressRefused(`${quote(pair)} is no option; one is consumer.NAME=VALUE, with '&' between several`)
    }
    return [name.slice(PREFIX.length), decodePart(pair.slice(equals + 1))]
  })
  return [text.slice(0, at), options]
}
