/**
 * The rows of the table of headers and guarantees that a message shows by what it carries: how a client of each protocol says it, and
 * what a client of each protocol is shown of it. Where the table says that a protocol loses it, nothing of it may be seen.
 */
import type { FieldId } from '@ternmq/naming'

import { binary, type Sections, uuid } from './interop-amqp-peer.ts'
import type { How } from './interop-peers.ts'

export interface FieldCase {
  readonly field: FieldId
  /** Beside the name of the row. */
  readonly what: string
  readonly how: How
  /** Fields as `Seen` has them. */
  readonly seen: Readonly<Record<'mqtt5' | 'stomp' | 'amqp10', Readonly<Record<string, unknown>>>>
}

/** Native in MQTT 5 as `native`, in STOMP as headers, in AMQP where its sections have it. */
function native(
  field: FieldId,
  what: string,
  [properties, shown]: readonly [properties: Record<string, unknown>, shown: Record<string, unknown>],
  stomp: Readonly<Record<string, string>>,
  amqp10: Sections,
  amqp10Shown: Readonly<Record<string, unknown>> = amqp10,
): FieldCase {
  return {
    field,
    what,
    how: { mqtt5: { properties }, stomp, amqp10 },
    seen: { mqtt5: shown, stomp, amqp10: amqp10Shown },
  }
}

/** User properties of MQTT 5 and headers of STOMP. */
function pairs(
  field: FieldId,
  what: string,
  userProperties: Record<string, string>,
  stomp: Readonly<Record<string, string>>,
  amqp10: Sections,
): FieldCase {
  return {
    field,
    what,
    how: { mqtt5: { properties: { userProperties } }, stomp, amqp10 },
    seen: { mqtt5: { user: userProperties }, stomp, amqp10 },
  }
}

/** The same pairs in MQTT 5 and STOMP, and in AMQP where nothing else is said. */
function same(
  field: FieldId,
  what: string,
  userProperties: Record<string, string>,
  amqp10: Sections = { application_properties: userProperties },
): FieldCase {
  return pairs(field, what, userProperties, userProperties, amqp10)
}

const BYTES = Buffer.from([0xff, 0x00])
const UUID = '0af76519-16cd-43dd-8448-eb211c80319c'

export const FIELD_CASES: readonly FieldCase[] = [
  pairs('id', 'a name', { 'x-message-id': 'order-1' }, { 'amqp-message-id': 'order-1' }, { message_id: 'order-1' }),
  pairs(
    'id',
    'a number of AMQP',
    { 'x-message-id': 'ID:AMQP_ULONG:7' },
    { 'amqp-message-id': 'ID:AMQP_ULONG:7' },
    { message_id: 7 },
  ),
  native(
    'correlation',
    'a text',
    [{ correlationData: Buffer.from('request 7') }, { correlationData: 'request 7' }],
    { 'correlation-id': 'request 7' },
    { correlation_id: 'request 7' },
  ),
  native(
    'correlation',
    'bytes',
    [{ correlationData: BYTES }, { correlationData: BYTES.toString('latin1') }],
    { 'correlation-id': `base64:${BYTES.toString('base64')}` },
    { correlation_id: binary(BYTES) },
    { correlation_id: BYTES.toString('latin1') },
  ),
  native(
    'correlation',
    'a UUID of AMQP',
    [{ correlationData: Buffer.from(`ID:AMQP_UUID:${UUID}`) }, { correlationData: `ID:AMQP_UUID:${UUID}` }],
    { 'correlation-id': `ID:AMQP_UUID:${UUID}` },
    // rhea takes a Buffer for a UUID.
    { correlation_id: uuid(UUID) },
    { correlation_id: uuid(UUID).toString('latin1') },
  ),
  native(
    'replyTo',
    'a topic',
    [{ responseTopic: 'answers/v1.2' }, { responseTopic: 'answers/v1.2' }],
    { 'reply-to': '/topic/answers.v1/2' },
    { reply_to: 'topic://answers.v1/2' },
  ),
  native(
    'replyTo',
    'a queue',
    [{ responseTopic: '$queue/answers.ada' }, { responseTopic: '$queue/answers.ada' }],
    { 'reply-to': '/queue/answers.ada' },
    { reply_to: 'queue://answers.ada' },
  ),
  pairs('type', 'a word', { JMSType: 'order' }, { type: 'order' }, { subject: 'order' }),
  native(
    'contentType',
    'JSON',
    [{ contentType: 'application/json;charset=utf-8' }, { contentType: 'application/json;charset=utf-8' }],
    { 'content-type': 'application/json;charset=utf-8' },
    { content_type: 'application/json;charset=utf-8' },
  ),
  same('contentEncoding', 'gzip', { 'content-encoding': 'gzip' }, { content_encoding: 'gzip' }),
  same('priority', 'the highest', { priority: '9' }, { priority: 9 }),
  same('priority', 'the lowest', { priority: '0' }, { priority: 0 }),
  pairs(
    'timestamp',
    'a moment',
    { JMSTimestamp: '1700000000123' },
    { timestamp: '1700000000123' },
    { creation_time: new Date(1_700_000_000_123) },
  ),
  same('appId', 'a name', { 'app-id': 'billing' }),
  same('group', 'a name', { JMSXGroupID: 'customer 7' }, { group_id: 'customer 7' }),
  same(
    'group',
    'its end',
    { JMSXGroupID: 'customer 7', JMSXGroupSeq: '-1' },
    { group_id: 'customer 7', group_sequence: 0xffff_ffff },
  ),
  same('dedupId', 'an id', { _AMQ_DUPL_ID: 'payment-1' }),
  same('properties', 'in their order', { unit: '°C', b: '2', a: '1' }),
  same('properties', 'with signs that STOMP escapes', { path: 'C:\\temp\nnext line', empty: '' }),
  // hasOwnProperty would do as well, but stompit breaks off at it.
  same('properties', 'with hostile names', { constructor: 'x', toString: 'y', valueOf: 'z' }),
  pairs(
    'properties',
    'named as a header of STOMP',
    { type: 'own' },
    { 'x-property.type': 'own' },
    { application_properties: { type: 'own' } },
  ),
  same('trace', 'a context', {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'vendor=opaque',
  }),
]

/** Rows that are about more than one message, or about time: they have tests of their own. */
export const FIELDS_TESTED_APART: readonly FieldId[] = [
  'destination',
  'durable',
  'expiry',
  'userId',
  'schedule',
  'redelivery',
  'deadLetter',
  'annotations',
  'bodyKind',
  'retain',
  'retained',
]
