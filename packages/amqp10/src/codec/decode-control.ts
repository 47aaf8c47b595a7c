/** Performatives that are no part of moving messages: of connections, sessions, links and logins. [AMQP10 §2.7, §5.3.3] */
import { stateAt, errorOf } from './decode-state.ts'
import { sourceOf, targetOf } from './decode-terminus.ts'
import { behindDescriptor, describedCode, Descriptor } from './descriptors.ts'
import { invalidField, malformed } from './faults.ts'
import { Fields, NO_FIELDS } from './fields.ts'
import { contentAt, isBinary } from './parts.ts'
import type {
  Attach,
  Begin,
  DeliveryState,
  Detach,
  Open,
  PeerError,
  ReceiverSettleMode,
  SaslInit,
  SenderSettleMode,
} from './performatives.ts'
import { checkValue } from './structure.ts'
import { Code } from './type-codes.ts'

export { type CoordinatorCommand, decodeCoordinatorCommand } from './decode-coordinator.ts'

/** Smallest that a peer may announce as its largest. [AMQP10 §2.7.1] */
export const FRAME_BYTES_MIN = 512
const UINT_MAX = 0xffff_ffff
const USHORT_MAX = 0xffff

/** Code of the performative at `start`; -1 when it is none. Hot path. */
export function performativeCode(bytes: Uint8Array, start: number, end: number): number {
  const code = describedCode(bytes, start, end)
  const isOurs =
    (code >= Descriptor.open && code <= Descriptor.close) ||
    (code >= Descriptor.saslMechanisms && code <= Descriptor.saslOutcome)
  return isOurs ? code : -1
}

/** Checks all of a frame's body, whose performative is known, and opens its list. */
function fieldsOf(bytes: Uint8Array, start: number, end: number, what: string, countMax: number): Fields {
  const found = checkValue(bytes, start, end, what)
  if (found !== end)
    throw malformed(what, `${end - found} bytes follow; only a transfer has a payload`, 'AMQP10-2.3.2-b')
  return new Fields(bytes, behindDescriptor(bytes, start), what, countMax)
}

/** [AMQP10 §2.7.1] */
export function decodeOpen(bytes: Uint8Array, start: number, end: number): Open {
  const fields = fieldsOf(bytes, start, end, 'open', 10)
  const containerId = fields.required(fields.string('container-id'), 'container-id')
  const hostname = fields.string('hostname')
  const maxFrameBytes = fields.uint('max-frame-size') ?? UINT_MAX
  if (maxFrameBytes < FRAME_BYTES_MIN)
    throw invalidField('open.max-frame-size', `${maxFrameBytes} is below ${FRAME_BYTES_MIN}`, 'AMQP10-2.7.1-e')
  const channelMax = fields.ushort('channel-max') ?? USHORT_MAX
  const idleTimeoutMs = fields.uint('idle-time-out') ?? 0
  fields.symbols('outgoing-locales')
  fields.symbols('incoming-locales')
  const offered = fields.symbols('offered-capabilities')
  const desired = fields.symbols('desired-capabilities')
  const properties = fields.map('properties') ?? NO_FIELDS
  return { containerId, hostname, maxFrameBytes, channelMax, idleTimeoutMs, offered, desired, properties }
}

/** [AMQP10 §2.7.2] */
export function decodeBegin(bytes: Uint8Array, start: number, end: number): Begin {
  const fields = fieldsOf(bytes, start, end, 'begin', 8)
  const remoteChannel = fields.ushort('remote-channel')
  const nextOutgoingId = fields.required(fields.uint('next-outgoing-id'), 'next-outgoing-id')
  const incomingWindow = fields.required(fields.uint('incoming-window'), 'incoming-window')
  const outgoingWindow = fields.required(fields.uint('outgoing-window'), 'outgoing-window')
  const handleMax = fields.uint('handle-max') ?? UINT_MAX
  fields.symbols('offered-capabilities')
  fields.symbols('desired-capabilities')
  fields.map('properties')
  return { remoteChannel, nextOutgoingId, incomingWindow, outgoingWindow, handleMax }
}

const SENDER_SETTLE_MODES: readonly SenderSettleMode[] = ['unsettled', 'settled', 'mixed']
const RECEIVER_SETTLE_MODES: readonly ReceiverSettleMode[] = ['first', 'second']

/** [AMQP10 §2.7.3] */
export function decodeAttach(bytes: Uint8Array, start: number, end: number): Attach {
  const fields = fieldsOf(bytes, start, end, 'attach', 14)
  const name = fields.required(fields.string('name'), 'name')
  const handle = fields.required(fields.uint('handle'), 'handle')
  const role = fields.required(fields.boolean('role'), 'role') ? 'receiver' : 'sender'
  const senderSettleMode = modeOf(fields, 'snd-settle-mode', SENDER_SETTLE_MODES) ?? 'mixed'
  const receiverSettleMode = modeOf(fields, 'rcv-settle-mode', RECEIVER_SETTLE_MODES) ?? 'first'
  const source = sourceOf(fields, end)
  const target = targetOf(fields, end)
  const unsettled = unsettledOf(fields, end)
  const incompleteUnsettled = fields.boolean('incomplete-unsettled') ?? false
  const initialDeliveryCount = fields.uint('initial-delivery-count')
  const maxMessageBytes = Number(fields.ulong('max-message-size') ?? 0n)
  const offered = fields.symbols('offered-capabilities')
  const desired = fields.symbols('desired-capabilities')
  const properties = fields.map('properties') ?? NO_FIELDS
  return {
    name,
    handle,
    role,
    senderSettleMode,
    receiverSettleMode,
    source,
    target,
    unsettled,
    incompleteUnsettled,
    initialDeliveryCount,
    maxMessageBytes,
    offered,
    desired,
    properties,
  }
}

function modeOf<Mode>(fields: Fields, field: string, modes: readonly Mode[]): Mode | undefined {
  const code = fields.ubyte(field)
  if (code === undefined) return undefined
  return modes[code] ?? fail(invalidField(`${fields.what}.${field}`, `${code} is above ${modes.length - 1}`))
}

function fail(fault: Error): never {
  throw fault
}

function unsettledOf(fields: Fields, end: number): ReadonlyMap<string, DeliveryState | undefined> | undefined {
  // As many as fit into the frame: they may be all that a link had under way.
  const pairs = fields.pairs('unsettled', Infinity)
  if (pairs === undefined) return undefined
  const { bytes } = fields
  const unsettled = new Map<string, DeliveryState | undefined>()
  for (const [tagAt, at] of pairs) {
    if (!isBinary(bytes, tagAt)) throw malformed('attach.unsettled', 'expected delivery tags as keys', 'AMQP10-2.7.3-i')
    const tag = Buffer.from(contentAt(bytes, tagAt)).toString('hex')
    unsettled.set(tag, bytes[at] === Code.null ? undefined : stateAt(bytes, at, end, 'attach.unsettled'))
  }
  fields.checkKeys('unsettled', unsettled, pairs)
  return unsettled
}

/** [AMQP10 §2.7.7] */
export function decodeDetach(bytes: Uint8Array, start: number, end: number): Detach {
  const fields = fieldsOf(bytes, start, end, 'detach', 3)
  const handle = fields.required(fields.uint('handle'), 'handle')
  const closed = fields.boolean('closed') ?? false
  return { handle, closed, error: errorOf(fields, 'error') }
}

/** [AMQP10 §2.7.8] */
export function decodeEnd(bytes: Uint8Array, start: number, end: number): PeerError | undefined {
  return errorOf(fieldsOf(bytes, start, end, 'end', 1), 'error')
}

/** [AMQP10 §2.7.9] */
export function decodeClose(bytes: Uint8Array, start: number, end: number): PeerError | undefined {
  return errorOf(fieldsOf(bytes, start, end, 'close', 1), 'error')
}

/** [AMQP10 §5.3.3.2] */
export function decodeSaslInit(bytes: Uint8Array, start: number, end: number): SaslInit {
  const fields = fieldsOf(bytes, start, end, 'sasl-init', 3)
  const mechanism = fields.required(fields.symbol('mechanism'), 'mechanism')
  const initialResponse = fields.binary('initial-response')
  return { mechanism, initialResponse, hostname: fields.string('hostname') }
}

/** [AMQP10 §5.3.3.4] */
export function decodeSaslResponse(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const fields = fieldsOf(bytes, start, end, 'sasl-response', 1)
  return fields.required(fields.binary('response'), 'response')
}
