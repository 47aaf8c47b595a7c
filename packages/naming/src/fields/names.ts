/** Names of pairs, as the table has them: what adapters read and write by. */
import { FIELDS } from './table.ts'
import type { Field, FieldId, PairProtocol, Part } from './types.ts'

const BY_ID: ReadonlyMap<FieldId, Field> = new Map(FIELDS.map((field) => [field.id, field]))

export function fieldOf(id: FieldId): Field {
  return BY_ID.get(id)!
}

/** A property that has another meaning under its own name is written with this before it. */
export const PROPERTY_PREFIX = 'x-property.'

/**
 * Headers of STOMP frames that are of the frame and not of the message: they are no properties of what SEND brings, and no property is
 * written under their names. [STOMP12-SEND] [STOMP12-MESSAGE]
 */
const STOMP_FRAME_HEADERS: readonly string[] = [
  'destination',
  'destination-type',
  'content-length',
  'transaction',
  'receipt',
  'receipt-id',
  'message-id',
  'subscription',
  'ack',
  'browser',
]

const NO_NAMES: readonly string[] = []

/** Names by which pairs of the protocol mean something else than a property. */
export const FRAME_HEADERS: Readonly<Record<PairProtocol, readonly string[]>> = {
  mqtt5: NO_NAMES,
  stomp: STOMP_FRAME_HEADERS,
  amqp10: NO_NAMES,
}

/** Parts with their names, in the order of the table. */
export function partNames(protocol: PairProtocol): ReadonlyArray<readonly [part: Part, name: string, field: Field]> {
  return FIELDS.flatMap((field) => {
    const place = field.in[protocol]
    const names = place.kind === 'pairs' ? place.names : place.kind === 'annotations' ? place.pairs : undefined
    return entriesOf(names, field)
  })
}

/** As `partNames`, of the message annotations of AMQP. */
export function annotationNames(): ReadonlyArray<readonly [part: Part, name: string, field: Field]> {
  return FIELDS.flatMap((field) => {
    const place = field.in.amqp10
    return entriesOf(place.kind === 'annotations' ? place.names : undefined, field)
  })
}

function entriesOf(
  names: Readonly<Partial<Record<Part, string>>> = {},
  field: Field,
): ReadonlyArray<readonly [part: Part, name: string, field: Field]> {
  return Object.entries(names).map(([part, name]) => [part as Part, name, field] as const)
}
