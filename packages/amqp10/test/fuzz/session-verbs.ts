/** What a fuzzed client does on its sessions, with the numbers that are right when it does it. What cannot be done then is left out. */
import { section, message, type MessageParts } from '../wire/message.ts'
import { composite, type Fields } from '../wire/composites.ts'
import { described, type Encoded, map, str, symbol, u32 } from '../wire/encode.ts'
import type {
  Attach,
  ClientAction,
  Declare,
  Detach,
  Discharge,
  Flow,
  Go,
  Outcome,
  Send,
  Settle,
} from './session-actions.ts'
import {
  type Begun,
  conclude,
  type Dealing,
  type Held,
  queueOf,
  ReceivingLink,
  SendingLink,
  type Sent,
} from './session-links.ts'
import { wireOf } from './session-numbers.ts'
import type { FuzzPeer } from './session-peer.ts'
import type { AnyLink, ClientSession } from './session-side.ts'
import { sayWrong } from './session-wrong.ts'

/** Of a message in one frame: smaller than what the broker takes, by more than a transfer's own fields. */
const PIECE_BYTES = 800
/** What says which message it is stays in one section. */
const MARK_CHARS_MAX = 24
const SETTLE_MODES = { unsettled: 0, settled: 1, mixed: 2 } as const

export function act(peer: FuzzPeer, action: ClientAction): void {
  switch (action.do) {
    case 'push':
      return peer.push(action.bytes)
    case 'garble':
      return peer.garble(action.at, action.octet)
    case 'raw':
      peer.write(Buffer.from(action.hex, 'hex'))
      return peer.distrust()
    case 'beat':
      return peer.beat()
    case 'close':
      return peer.isTalking ? peer.close() : undefined
    case 'begin':
      if (peer.isTalking && !peer.sessions.has(action.channel))
        peer.begin(action.channel, action.window, action.firstId)
      break
    case 'fin':
    case 'rst':
    case 'stop':
    case 'read':
      return // the run's business
    default: {
      const session = peer.sessions.get(action.channel)
      if (session?.isBegun === true && peer.isTalking) onSession(session, action)
    }
  }
}

type SessionAction = Exclude<Extract<ClientAction, { readonly channel: number }>, { readonly do: 'begin' }>

function onSession(session: ClientSession, action: SessionAction): void {
  switch (action.do) {
    case 'wrong':
      return sayWrong(session, action)
    case 'end':
      session.state = 'ending'
      return say(session, 'end')
    case 'window':
      session.takeLimits.add(session.nextIncoming + action.window)
      return say(session, 'flow', { ...sessionFields(session), echo: action.echo })
    case 'settle':
      return settle(session, action)
    case 'confirm':
      return confirm(session)
    case 'attach':
      if (!session.links.has(action.handle)) attach(session, action)
      return
    default: {
      const link = session.links.get(action.handle)
      if (link?.isAttached === true) onLink(link, action)
    }
  }
}

type LinkAction = Detach | Flow | Send | Go | Declare | Discharge

function onLink(link: AnyLink, action: LinkAction): void {
  if (action.do === 'detach') {
    link.state = 'leaving'
    return say(link.session, 'detach', { handle: link.handle, closed: action.closed })
  }
  if (link instanceof ReceivingLink) return action.do === 'flow' ? flow(link, action) : undefined
  const isCoordinator = link.wish.role === 'coordinator'
  switch (action.do) {
    case 'flow':
      return
    case 'declare':
      return isCoordinator ? declare(link) : undefined
    case 'discharge':
      return isCoordinator ? discharge(link, action) : undefined
    case 'send':
      return isCoordinator ? undefined : send(link, action)
    default:
      return go(link, action.do)
  }
}

function say(session: ClientSession, kind: string, fields: Fields = {}, payload?: Uint8Array): void {
  session.peer.say(session.channel, kind, fields, payload)
}

function sessionFields(session: ClientSession): Fields {
  return {
    nextIncomingId: wireOf(session.nextIncoming),
    incomingWindow: Math.max(0, session.takeLimits.last - session.nextIncoming),
    nextOutgoingId: wireOf(session.nextOutgoing),
    outgoingWindow: 100,
  }
}

// ── links ──

function attach(session: ClientSession, wish: Attach): void {
  const { role, handle, name, address, settles = 'mixed', second, firstCount, terminus = {} } = wish
  const link: AnyLink = role === 'receiver' ? new ReceivingLink(session, wish) : new SendingLink(session, wish)
  for (const other of session.peer.links()) {
    if (other.isAttached && other.wish.name === name && (other.wish.role === 'receiver') === (role === 'receiver'))
      other.state = 'stolen'
  }
  session.links.set(handle, link)
  const fields: Fields = {
    name,
    handle,
    role: role === 'receiver',
    sndSettleMode: SETTLE_MODES[settles],
    rcvSettleMode: second === true ? 1 : 0,
  }
  if (role === 'receiver') {
    const filter =
      wish.selector === undefined
        ? undefined
        : map([[symbol('s'), described('apache.org:selector-filter:string', str(wish.selector))]])
    if (settles !== 'unsettled' && link instanceof ReceivingLink && link.queue !== undefined)
      session.peer.lossyQueues.add(link.queue)
    // Without a source it asks for what it has had under that name.
    const isKnown = address === undefined && wish.terminus === undefined
    return say(session, 'attach', {
      ...fields,
      source: isKnown ? undefined : { kind: 'source', address, filter, ...terminus },
      target: { kind: 'target' },
    })
  }
  const target =
    role === 'coordinator'
      ? { kind: 'coordinator', capabilities: 'amqp:local-transactions' }
      : { kind: 'target', address, ...terminus }
  say(session, 'attach', {
    ...fields,
    source: { kind: 'source' },
    target,
    initialDeliveryCount: wireOf(firstCount ?? 0),
  })
}

function flow(link: ReceivingLink, { credit, drain, echo }: Flow): void {
  link.limits.add(link.count + credit)
  link.isDraining = drain === true
  say(link.session, 'flow', {
    ...sessionFields(link.session),
    handle: link.handle,
    deliveryCount: wireOf(link.count),
    linkCredit: credit,
    drain,
    echo,
  })
}

// ── messages ──

function send(link: SendingLink, action: Send): void {
  const { session } = link
  const { peer } = session
  const dealing = action.transaction === undefined ? undefined : openDealing(peer, action.transaction)
  const { settles = 'mixed' } = link.wish
  const isSettled = settles === 'mixed' ? action.settled : settles === 'settled'
  const isFollowed = peer.isSound && link.wish.terminus?.['dynamic'] !== true
  const home = isFollowed ? queueOf(link.wish.address ?? action.to) : undefined
  const { text, parcel } = peer.ledger.send(home, action.size, action.durable)
  const payload = message(partsOf(action, text))
  const pieceCount = Math.max(action.frames, Math.ceil(payload.length / PIECE_BYTES))
  if (link.begun !== undefined || link.credit <= 0 || session.window < pieceCount) {
    parcel?.refuse()
    return
  }
  if (parcel !== undefined && (action.ttlMs !== undefined || isSettled)) parcel.mayGo = true
  if (parcel !== undefined && dealing !== undefined) dealing.parcels.push(parcel)
  const state = dealing === undefined ? undefined : { kind: 'transactional-state', txnId: dealing.id }
  const begun = begin(link, 'message', isSettled, parcel, dealing)
  begun.rest = payload
  const fields = { ...firstFields(begun), settled: isSettled, ...(state && { state }) }
  const pieceBytes = Math.ceil(payload.length / pieceCount)
  for (let index = 0; index < pieceCount; index++) {
    const isLast = index === pieceCount - 1
    if (isLast && action.rest === true && index > 0) return
    piece(link, begun, index === 0 ? fields : {}, isLast ? begun.rest.length : pieceBytes)
  }
}

/** A delivery begins. */
function begin(
  link: SendingLink,
  kind: Sent['kind'],
  isSettled: boolean,
  parcel: Sent['parcel'],
  transaction: Dealing | undefined,
): Begun {
  const { session } = link
  const deliveryId = session.nextDelivery++
  link.count++
  const sent: Sent = { link, kind, parcel, transaction, isComplete: false, isSettled, isTold: false }
  if (!isSettled && session.peer.isSound) session.sent.set(wireOf(deliveryId), sent)
  return (link.begun = { sent, deliveryId, rest: Buffer.alloc(0) })
}

function firstFields({ deliveryId }: Begun): Fields {
  return { deliveryId: wireOf(deliveryId), deliveryTag: u32(wireOf(deliveryId)), messageFormat: 0 }
}

/** Sends so many bytes of what is left of a message. */
function piece(link: SendingLink, begun: Begun, fields: Fields, byteCount: number): void {
  const { session } = link
  const part = begun.rest.subarray(0, byteCount)
  if (begun.sent.parcel !== undefined) session.peer.noteParcel(begun.sent.parcel)
  begun.rest = begun.rest.subarray(byteCount)
  session.nextOutgoing++
  const more = begun.rest.length > 0
  say(session, 'transfer', { handle: link.handle, ...fields, more }, part)
  if (more) return
  begun.sent.isComplete = true
  link.begun = undefined
}

function go(link: SendingLink, how: Go['do']): void {
  const { begun, session } = link
  if (begun === undefined || session.window < Math.ceil(begun.rest.length / PIECE_BYTES)) return
  if (how === 'go')
    return begun.rest.length < 2 ? undefined : piece(link, begun, {}, Math.min(PIECE_BYTES, begun.rest.length >> 1))
  if (how === 'complete') {
    while (link.begun !== undefined) piece(link, begun, {}, Math.min(PIECE_BYTES, begun.rest.length))
    return
  }
  session.nextOutgoing++
  say(session, 'transfer', { handle: link.handle, aborted: true })
  begun.sent.parcel?.refuse()
  session.sent.delete(wireOf(begun.deliveryId))
  link.begun = undefined
}

function partsOf({ body, durable, ttlMs, delayMs, to }: Send, text: string): MessageParts {
  return {
    header: { durable, ttl: ttlMs },
    ...(delayMs !== undefined && { messageAnnotations: { 'x-opt-delivery-delay': delayMs } }),
    ...(to !== undefined && { properties: { to } }),
    ...(body === 'data'
      ? { data: text }
      : body === 'value'
        ? { value: text }
        : { data: [text.slice(0, MARK_CHARS_MAX), text.slice(MARK_CHARS_MAX)] }),
  }
}

// ── settling ──

/** Those from `at` on that may be settled in one go: of links that are there, have come in whole, and no transaction has them. */
function rangeOf({ held, peer }: ClientSession, at: number, count: number): Held[] {
  const start = held.length === 0 ? 0 : at % held.length
  const range: Held[] = []
  for (const each of held.slice(start, start + count)) {
    if (!each.isComplete || each.isAsked || each.transaction !== undefined || !each.link.isAttached) break
    // Between them may be what is settled and the transaction has not ended.
    const before = range.at(-1)
    if (before !== undefined && each.id !== before.id + 1 && peer.hasDealings) break
    range.push(each)
  }
  return range
}

function settle(session: ClientSession, action: Settle): void {
  const { peer } = session
  const dealing = action.transaction === undefined ? undefined : openDealing(peer, action.transaction)
  const range = rangeOf(session, action.at, action.count)
  const [first] = range
  if (first === undefined || (action.transaction !== undefined && dealing === undefined)) return
  const { outcome } = action
  const isSettled = action.settled || outcome === 'none'
  const state = stateOf(outcome)
  const told = dealing === undefined ? state : { kind: 'transactional-state', txnId: dealing.id, outcome: state }
  say(session, 'disposition', { role: true, first: first.id, last: range.at(-1)!.id, settled: isSettled, state: told })
  for (const held of range) {
    if (outcome === 'unwanted') held.link.isChoosy = true
    if (isSettled) session.held.splice(session.held.indexOf(held), 1)
    if (dealing === undefined) tell(session, held, outcome, isSettled)
    else {
      dealing.settles.push({ held, outcome, settled: isSettled })
      held.transaction = dealing
      if (held.parcel === undefined) continue
      // Before the client hears how the transaction ends, others may see it.
      held.parcel.mayMove = true
      if (isSettled) held.parcel.holders.delete(held.link)
    }
  }
}

function tell(session: ClientSession, held: Held, outcome: Outcome, isSettled: boolean): void {
  if (!isSettled) held.isAsked = true
  if (outcome === 'accepted') session.saySettled(held)
  else conclude(held.parcel, held.link, outcome, false)
}

function stateOf(outcome: Outcome): Fields | undefined {
  switch (outcome) {
    case 'none':
      return undefined
    case 'failed':
      return { kind: 'modified', deliveryFailed: true }
    case 'unwanted':
      return { kind: 'modified', undeliverableHere: true }
    case 'rejected':
      return { kind: 'rejected', error: { kind: 'error', condition: 'x:no' } }
    default:
      return { kind: outcome }
  }
}

function confirm(session: ClientSession): void {
  for (const [id, sent] of session.sent) {
    if (!sent.isTold) continue
    session.sent.delete(id)
    say(session, 'disposition', { role: false, first: id, settled: true })
  }
}

// ── transactions ──

function openDealing(peer: FuzzPeer, index: number): Dealing | undefined {
  const open = peer.dealings.filter(({ state }) => state === 'open')
  return open.length === 0 ? undefined : open[index % open.length]
}

function command(link: SendingLink, kind: 'declare' | 'discharge', dealing: Dealing, content: Encoded): void {
  const begun = begin(link, kind, false, undefined, dealing)
  begun.rest = section('value', content).bytes
  piece(link, begun, firstFields(begun), begun.rest.length)
}

function declare(link: SendingLink): void {
  if (link.credit <= 0 || link.session.window <= 0) return
  const dealing: Dealing = { coordinator: link, id: undefined, state: 'declaring', parcels: [], kept: [], settles: [] }
  link.session.peer.dealings.push(dealing)
  command(link, 'declare', dealing, composite('declare'))
}

function discharge(link: SendingLink, { transaction, fail }: Discharge): void {
  const { session } = link
  const open = session.peer.dealings.filter(({ state, coordinator }) => state === 'open' && coordinator === link)
  const dealing = open[transaction % open.length]
  if (dealing === undefined || link.credit <= 0 || session.window <= 0) return
  // A message of it that has begun and not ended would end the link. [AMQP10 §4.4.1]
  for (const other of session.peer.links())
    if (other instanceof SendingLink && other.begun?.sent.transaction === dealing) return
  dealing.state = fail ? 'failing' : 'committing'
  session.peer.noteDischarge(dealing)
  command(link, 'discharge', dealing, composite('discharge', { txnId: dealing.id, fail }))
}
