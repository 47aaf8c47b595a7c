/** Filters of a source, as clients of JMS and of Qpid write them. What is not known here is left out of the answer, so that they see it. */
import { parseSelector, type Selector } from '@ternmq/core'
import { AmqpFault } from '../codec/faults.ts'
import type { Filter, Source } from '../codec/performatives.ts'

export interface SourceFilters {
  /** Text of the selector, and what it means. */
  readonly selectorText: string | undefined
  readonly selector: Selector | undefined
  /** Nothing that the connection itself publishes. */
  readonly noLocal: boolean
  /** A pattern of topics, for whoever names just the exchange of all topics. */
  readonly topicBinding: string | undefined
  /** The retained messages that match come first. */
  readonly retained: boolean
  /** Those that are known here, for the answer. */
  readonly applied: ReadonlyMap<string, Filter>
}

type Kind = 'selector' | 'no-local' | 'topic-binding' | 'retained'

/** By symbol, by number, and by the key that clients use. */
const KINDS: ReadonlyMap<string | bigint, Kind> = new Map<string | bigint, Kind>([
  ['apache.org:selector-filter:string', 'selector'],
  [0x0000_468c_0000_0004n, 'selector'],
  ['jms-selector', 'selector'],
  ['apache.org:no-local-filter:list', 'no-local'],
  [0x0000_468c_0000_0003n, 'no-local'],
  ['no-local', 'no-local'],
  ['apache.org:legacy-amqp-topic-binding:string', 'topic-binding'],
  [0x0000_468c_0000_0001n, 'topic-binding'],
  ['x-opt-retained', 'retained'],
])

export function filtersOf({ filters }: Source): SourceFilters {
  const applied = new Map<string, Filter>()
  let selectorText: string | undefined = undefined
  let topicBinding: string | undefined = undefined
  let noLocal = false
  let retained = false
  for (const [key, filter] of filters) {
    const kind = (filter.descriptor === undefined ? undefined : KINDS.get(filter.descriptor)) ?? KINDS.get(key)
    if (kind === undefined) continue
    applied.set(key, filter)
    if (kind === 'selector') selectorText = textOf(key, filter)
    else if (kind === 'topic-binding') topicBinding = textOf(key, filter)
    else if (kind === 'no-local') noLocal = true
    else retained = filter.value !== false
  }
  return { selectorText, selector: selectorText === undefined ? undefined : selectorOf(selectorText), noLocal, topicBinding, retained, applied }
}

function textOf(key: string, { value }: Filter): string {
  if (typeof value === 'string') return value
  throw new AmqpFault('link', 'amqp:invalid-field', `source: filter '${key}' is no string`, 'AMQP10-3.5.8-a')
}

function selectorOf(text: string): Selector {
  const parsed = parseSelector(text)
  if (parsed.ok) return parsed.selector
  throw new AmqpFault('link', 'amqp:invalid-field', `the selector '${text}' is wrong at character ${parsed.error.position}: ${parsed.error.text}`)
}
