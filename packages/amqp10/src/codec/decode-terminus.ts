/** Source, target and coordinator of a link. [AMQP10 §3.5.3, §3.5.4, §4.5.1] */
import { stateAt } from './decode-state.ts'
import { decodeValue } from './decode-value.ts'
import { behindDescriptor, describedCode, Descriptor, expectDescriptor } from './descriptors.ts'
import { invalidField, quote } from './faults.ts'
import { Fields, NO_FIELDS } from './fields.ts'
import { copyOf } from './parts.ts'
import type { Coordinator, DeliveryState, Filter, Source, Target, Terminus } from './performatives.ts'
import { skipValue } from './structure.ts'

/** The next field of an attach. */
export function sourceOf(fields: Fields, end: number): Source | undefined {
  const at = fields.next()
  if (at < 0) return undefined
  const listAt = expectDescriptor(fields.bytes, at, end, Descriptor.source, 'attach.source')
  const source = new Fields(fields.bytes, listAt, 'source', 11)
  const common = terminusOf(source)
  const distributionMode = source.symbol('distribution-mode')
  const filters = filtersOf(source)
  const defaultOutcome = stateOf(source, end)
  const outcomes = source.symbols('outcomes')
  const capabilities = source.symbols('capabilities')
  return { kind: 'source', ...common, distributionMode, filters, defaultOutcome, outcomes, capabilities }
}

/** The next field of an attach. */
export function targetOf(fields: Fields, end: number): Target | Coordinator | undefined {
  const at = fields.next()
  if (at < 0) return undefined
  if (describedCode(fields.bytes, at, end) === Descriptor.coordinator) {
    const coordinator = new Fields(fields.bytes, behindDescriptor(fields.bytes, at), 'coordinator', 1)
    return { kind: 'coordinator', capabilities: coordinator.symbols('capabilities') }
  }
  const listAt = expectDescriptor(fields.bytes, at, end, Descriptor.target, 'attach.target')
  const target = new Fields(fields.bytes, listAt, 'target', 7)
  return { kind: 'target', ...terminusOf(target), capabilities: target.symbols('capabilities') }
}

/** Terminus durability has three values. [AMQP10 §3.5.5] */
const DURABLE_MAX = 2

/** The fields that sources and targets begin with. */
function terminusOf(fields: Fields): Omit<Terminus, 'capabilities'> {
  const address = fields.string('address')
  const durable = fields.uint('durable') ?? 0
  if (durable > DURABLE_MAX) throw invalidField(`${fields.what}.durable`, `${durable} is none of 0, 1, 2`)
  return {
    address,
    durable,
    expiryPolicy: expiryPolicyOf(fields),
    timeoutSeconds: fields.uint('timeout') ?? 0,
    dynamic: fields.boolean('dynamic') ?? false,
    dynamicNodeProperties: fields.map('dynamic-node-properties') ?? NO_FIELDS,
  }
}

/** [AMQP10 §3.5.6] */
function expiryPolicyOf(fields: Fields): Terminus['expiryPolicy'] {
  const policy = fields.symbol('expiry-policy') ?? 'session-end'
  switch (policy) {
    case 'link-detach':
    case 'session-end':
    case 'connection-close':
    case 'never':
      return policy
    default:
      throw invalidField(
        `${fields.what}.expiry-policy`,
        `${quote(policy)} is none of link-detach, session-end, connection-close, never`,
      )
  }
}

function stateOf(fields: Fields, end: number): DeliveryState | undefined {
  const at = fields.next()
  return at < 0 ? undefined : stateAt(fields.bytes, at, end, 'source.default-outcome')
}

/** [AMQP10 §3.5.8] */
function filtersOf(fields: Fields): ReadonlyMap<string, Filter> {
  const filters = new Map<string, Filter>()
  const { bytes } = fields
  const pairs = fields.pairs('filter') ?? []
  for (const [keyAt, valueAt] of pairs) {
    const value = decodeValue(bytes, valueAt)
    const encoded = copyOf(bytes.subarray(valueAt, skipValue(bytes, valueAt)))
    const isDescribed = value !== null && typeof value === 'object' && 'descriptor' in value
    filters.set(
      fields.keyText('filter', keyAt),
      isDescribed ? { ...value, encoded } : { descriptor: undefined, value, encoded },
    )
  }
  fields.checkKeys('filter', filters, pairs)
  return filters
}
