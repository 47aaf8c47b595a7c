/**
 * attach: which kind of link it is, whether it may be, and the answer. A link that may not be is attached first and detached with the
 * error then, as the specification asks. [AMQP10 §2.6.3]
 */
import { encodeAttach, encodeDetach } from '../codec/encode-control.ts'
import { AmqpFault } from '../codec/faults.ts'
import type { Attach, Coordinator, SenderSettleMode, Source, Target } from '../codec/performatives.ts'
import { errorOf } from '../outcomes.ts'
import type { AmqpSession } from '../session.ts'
import { COORDINATOR_CAPABILITIES, CoordinatorLink } from './coordinator-link.ts'
import type { Link } from './link.ts'
import { openSource } from './sources.ts'
import { openTarget } from './targets.ts'

/** A link that is there, and what its answer says. */
export interface Attached {
  readonly link: Link
  readonly source: Source | undefined
  readonly target: Target | Coordinator | undefined
  /** Where it is not as the peer has asked. */
  readonly senderSettleMode?: SenderSettleMode
}

const NO_LIMIT = 0
/** Of one link; a subscription's name is a part of that of its queue, which is not longer either. */
const NAME_BYTES_MAX = 1_024
/** Of one connection, refused ones included: each takes memory until its client detaches it. */
const LINKS_MAX = 20_000

export function attach(session: AmqpSession, wanted: Attach): void {
  const { connection } = session
  const { handleMax } = connection.adapter.settings
  if (wanted.handle > Math.min(handleMax, session.peerHandleMax)) {
    throw new AmqpFault('connection', 'amqp:connection:framing-error', `attach: handle ${wanted.handle} is above handle-max ${Math.min(handleMax, session.peerHandleMax)}`, 'AMQP10-2.7.2-c')
  }
  checkRoom(session, wanted)
  const direction = wanted.role === 'sender' ? 'inbound' : 'outbound'
  for (const each of connection.sessions()) {
    const before = each.linkNamed(direction, wanted.name)
    if (before === undefined || before.isDetaching) continue
    const text = `link '${wanted.name}' was attached again on channel ${session.channel}, handle ${wanted.handle}`
    each.detach(before, new AmqpFault('link', 'amqp:link:stolen', text, 'AMQP10-2.6.1-b'))
  }
  let attached: Attached
  try {
    attached = open(session, wanted)
  } catch (error) {
    if (!(error instanceof AmqpFault) || error.level !== 'link') throw error
    return refuse(session, wanted, error)
  }
  const { link, source, target, senderSettleMode = wanted.senderSettleMode } = attached
  const answer = encodeAttach(session.channel, answerTo(session, { ...wanted, senderSettleMode }, source, target))
  if (answer.length > connection.peerFrameBytesMax) {
    link.isDetaching = true
    link.end('detached')
    return refuse(session, wanted, tooLong(answer.length, connection.peerFrameBytesMax, 'link'))
  }
  session.addLink(link)
  connection.transport.write(answer)
  if (link.direction === 'inbound') session.beginCredit(link)
}

/** Of these the client hears by losing more than the link: one that is refused is kept, too. */
function checkRoom({ connection }: AmqpSession, { name }: Attach): void {
  const nameBytes = Buffer.byteLength(name)
  if (nameBytes > NAME_BYTES_MAX) throw new AmqpFault('connection', 'amqp:invalid-field', `attach: name has ${nameBytes} bytes; it has at most ${NAME_BYTES_MAX}`)
  let count = 0
  for (const { linkCount } of connection.sessions()) count += linkCount
  if (count < LINKS_MAX) return
  throw new AmqpFault('session', 'amqp:resource-limit-exceeded', `this connection has ${count} links, the limit; detach some first, or open another connection`)
}

function open(session: AmqpSession, wanted: Attach): Attached {
  if (wanted.role === 'receiver') return openSource(session, wanted)
  const { target } = wanted
  if (target?.kind !== 'coordinator') return openTarget(session, wanted)
  return { link: new CoordinatorLink(session, wanted), source: wanted.source, target: { kind: 'coordinator', capabilities: COORDINATOR_CAPABILITIES } }
}

/** The one terminus that is missing says that there is no link; the detach says why. [AMQP10 §2.6.3] */
function refuse(session: AmqpSession, wanted: Attach, fault: AmqpFault): void {
  const { connection } = session
  const isReceiver = wanted.role === 'receiver'
  let answer = encodeAttach(session.channel, answerTo(session, wanted, isReceiver ? undefined : wanted.source, isReceiver ? wanted.target : undefined))
  if (answer.length > connection.peerFrameBytesMax) answer = encodeAttach(session.channel, answerTo(session, wanted, undefined, undefined))
  if (answer.length > connection.peerFrameBytesMax) throw tooLong(answer.length, connection.peerFrameBytesMax, 'connection')
  connection.transport.write(answer)
  connection.transport.write(encodeDetach(session.channel, wanted.handle, true, errorOf(fault)))
  session.addRefused(wanted.role === 'sender' ? 'inbound' : 'outbound', wanted)
  connection.adapter.report(connection, 'refused', `link '${wanted.name}': ${fault.message}`, fault.clause)
}

/** What it asked for comes back in the answer. [AMQP10 §2.7.1] */
function tooLong(bytes: number, bytesMax: number, level: 'link' | 'connection'): AmqpFault {
  return new AmqpFault(level, 'amqp:frame-size-too-small', `the answer to attach takes ${bytes} bytes; max-frame-size of open is ${bytesMax}: say more, or less of source and target`)
}

function answerTo(session: AmqpSession, wanted: Attach, source: Source | undefined, target: Target | Coordinator | undefined): Attach {
  const isSender = wanted.role === 'receiver'
  return {
    name: wanted.name,
    handle: wanted.handle,
    role: isSender ? 'sender' : 'receiver',
    senderSettleMode: wanted.senderSettleMode,
    receiverSettleMode: wanted.receiverSettleMode,
    source: answered(source),
    target: target?.kind === 'coordinator' ? target : answered(target),
    unsettled: undefined,
    incompleteUnsettled: false,
    initialDeliveryCount: isSender ? session.connection.adapter.settings.firstNumber : undefined,
    maxMessageBytes: isSender ? NO_LIMIT : session.connection.adapter.settings.maxMessageBytes,
    offered: [],
    desired: [],
    properties: new Map(),
  }
}

/** Properties belong to a node that was made for the link. [AMQP10-3.5.3-d] */
function answered<T extends Source | Target>(terminus: T | undefined): T | undefined {
  if (terminus === undefined || terminus.dynamic || terminus.dynamicNodeProperties.size === 0) return terminus
  return { ...terminus, dynamicNodeProperties: new Map() }
}
