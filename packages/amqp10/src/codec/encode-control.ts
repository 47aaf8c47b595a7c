/** Whole frames, header included, of everything that is no part of moving messages. [AMQP10 §2.3, §2.7, §5.3.3] */
import { Descriptor } from './descriptors.ts'
import { encodeState, errorTyped } from './encode-state.ts'
import {
  bufferOf,
  composite,
  Encoded,
  fieldsMap,
  key,
  map,
  symbol,
  symbolArray,
  symbols,
  ValueWriter,
  type Writable,
} from './encode-value.ts'
import type {
  Attach,
  Begin,
  Coordinator,
  DeliveryState,
  Filter,
  Open,
  PeerError,
  Source,
  Target,
  Terminus,
} from './performatives.ts'
import { rhea, type Typed } from './rhea-types.ts'

/** Version 1.0.0 of the protocol, without and with a login before it. [AMQP10 §2.2, §5.3.1] */
export const PROTOCOL_HEADER_AMQP: Uint8Array = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0)
export const PROTOCOL_HEADER_SASL: Uint8Array = Uint8Array.of(0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0)
/** A frame that only says that its sender lives. [AMQP10 §2.4.5] */
export const EMPTY_FRAME: Uint8Array = Uint8Array.of(0, 0, 0, 8, 2, 0, 0, 0)

const AMQP_FRAME = 0
const SASL_FRAME = 1
/** In words of four bytes: no extended header. [AMQP10 §2.3.1] */
const DATA_OFFSET = 2

function frame(type: number, channel: number, code: number, fields: readonly (Writable | undefined)[]): Uint8Array {
  const writer = new ValueWriter()
  writer.skip(4)
  writer.write_uint(DATA_OFFSET, 1)
  writer.write_uint(type, 1)
  writer.write_uint(channel, 2)
  writer.write(composite(code, fields))
  const bytes = writer.toBuffer()
  bytes.writeUInt32BE(bytes.length, 0)
  return new Uint8Array(bytes)
}

export function encodeOpen(open: Open): Uint8Array {
  return frame(AMQP_FRAME, 0, Descriptor.open, [
    rhea.wrap_string(open.containerId),
    open.hostname === undefined ? undefined : rhea.wrap_string(open.hostname),
    rhea.wrap_uint(open.maxFrameBytes),
    rhea.wrap_ushort(open.channelMax),
    open.idleTimeoutMs === 0 ? undefined : rhea.wrap_uint(open.idleTimeoutMs),
    undefined,
    undefined,
    symbols(open.offered),
    symbols(open.desired),
    fieldsMap(open.properties),
  ])
}

export function encodeBegin(channel: number, begin: Begin): Uint8Array {
  return frame(AMQP_FRAME, channel, Descriptor.begin, [
    begin.remoteChannel === undefined ? undefined : rhea.wrap_ushort(begin.remoteChannel),
    rhea.wrap_uint(begin.nextOutgoingId),
    rhea.wrap_uint(begin.incomingWindow),
    rhea.wrap_uint(begin.outgoingWindow),
    rhea.wrap_uint(begin.handleMax),
  ])
}

const SENDER_SETTLE_CODES = { unsettled: 0, settled: 1, mixed: 2 } as const
const RECEIVER_SETTLE_CODES = { first: 0, second: 1 } as const

export function encodeAttach(channel: number, attach: Attach): Uint8Array {
  const { initialDeliveryCount, maxMessageBytes, unsettled } = attach
  return frame(AMQP_FRAME, channel, Descriptor.attach, [
    rhea.wrap_string(attach.name),
    rhea.wrap_uint(attach.handle),
    rhea.wrap_boolean(attach.role === 'receiver'),
    rhea.wrap_ubyte(SENDER_SETTLE_CODES[attach.senderSettleMode]),
    rhea.wrap_ubyte(RECEIVER_SETTLE_CODES[attach.receiverSettleMode]),
    attach.source === undefined ? undefined : sourceTyped(attach.source),
    attach.target === undefined ? undefined : targetTyped(attach.target),
    unsettled === undefined ? undefined : unsettledTyped(unsettled),
    attach.incompleteUnsettled ? rhea.wrap_boolean(true) : undefined,
    initialDeliveryCount === undefined ? undefined : rhea.wrap_uint(initialDeliveryCount),
    maxMessageBytes === 0 ? undefined : rhea.wrap_ulong(maxMessageBytes),
    symbols(attach.offered),
    symbols(attach.desired),
    fieldsMap(attach.properties),
  ])
}

function sourceTyped(source: Source): Typed {
  const { distributionMode, defaultOutcome } = source
  return composite(Descriptor.source, [
    ...terminusFields(source),
    distributionMode === undefined ? undefined : symbol(distributionMode),
    filtersTyped(source.filters),
    defaultOutcome === undefined ? undefined : new Encoded(encodeState(defaultOutcome)),
    symbols(source.outcomes),
    symbols(source.capabilities),
  ])
}

function targetTyped(target: Target | Coordinator): Typed {
  if (target.kind === 'coordinator') return composite(Descriptor.coordinator, [symbols(target.capabilities)])
  return composite(Descriptor.target, [...terminusFields(target), symbols(target.capabilities)])
}

function terminusFields(terminus: Terminus): (Typed | undefined)[] {
  const { address, durable, expiryPolicy, timeoutSeconds, dynamic } = terminus
  return [
    address === undefined ? undefined : rhea.wrap_string(address),
    durable === 0 ? undefined : rhea.wrap_uint(durable),
    expiryPolicy === 'session-end' ? undefined : symbol(expiryPolicy),
    timeoutSeconds === 0 ? undefined : rhea.wrap_uint(timeoutSeconds),
    dynamic ? rhea.wrap_boolean(true) : undefined,
    fieldsMap(terminus.dynamicNodeProperties),
  ]
}

function filtersTyped(filters: ReadonlyMap<string, Filter>): Typed | undefined {
  if (filters.size === 0) return undefined
  return map([...filters].map(([name, { encoded }]) => [key(name), new Encoded(encoded)]))
}

function unsettledTyped(unsettled: ReadonlyMap<string, DeliveryState | undefined>): Typed {
  return map(
    [...unsettled].map(([tag, state]) => [
      rhea.wrap_binary(Buffer.from(tag, 'hex')),
      state === undefined ? rhea.Null() : new Encoded(encodeState(state)),
    ]),
  )
}

export function encodeDetach(channel: number, handle: number, closed: boolean, error?: PeerError): Uint8Array {
  const fields = [rhea.wrap_uint(handle), closed ? rhea.wrap_boolean(true) : undefined]
  return frame(AMQP_FRAME, channel, Descriptor.detach, [...fields, error === undefined ? undefined : errorTyped(error)])
}

export function encodeEnd(channel: number, error?: PeerError): Uint8Array {
  return frame(AMQP_FRAME, channel, Descriptor.end, [error === undefined ? undefined : errorTyped(error)])
}

export function encodeClose(error?: PeerError): Uint8Array {
  return frame(AMQP_FRAME, 0, Descriptor.close, [error === undefined ? undefined : errorTyped(error)])
}

export function encodeSaslMechanisms(names: readonly string[]): Uint8Array {
  return frame(SASL_FRAME, 0, Descriptor.saslMechanisms, [symbolArray(names)])
}

export function encodeSaslChallenge(data: Uint8Array): Uint8Array {
  return frame(SASL_FRAME, 0, Descriptor.saslChallenge, [rhea.wrap_binary(data)])
}

/** [AMQP10 §5.3.3.6] */
export function encodeSaslOutcome(code: number, additional?: Uint8Array): Uint8Array {
  return frame(SASL_FRAME, 0, Descriptor.saslOutcome, [
    rhea.wrap_ubyte(code),
    additional === undefined ? undefined : rhea.wrap_binary(bufferOf(additional)),
  ])
}
