/** What `open` leads to: a session of the core, and what the broker says of itself, in the words that clients of JMS look for. */
import type { LoginStep, Principal, Session } from '@ternmq/core'
import { AmqpFault } from './codec/faults.ts'
import type { Open } from './codec/performatives.ts'
import type { Value } from './codec/values.ts'
import type { AmqpConnection } from './connection.ts'
import type { AmqpSettings } from './settings.ts'

/** The capability of a client that wants to be the only connection of its container. */
export const SOLE_CONNECTION = 'sole-connection-for-container'
/** A frame of the other side must be able to hold so much. [AMQP10 §2.7.1] */
export const FRAME_BYTES_MIN = 512
/** Until `open` has said otherwise. The specification's 512 is the least that a peer must take; tokens and properties are longer. [AMQP10 §2.3.1] */
export const EARLY_FRAME_BYTES_MAX = 4_096
/** Shortest silence that a client may ask for: a few ticks of the wheel. [AMQP10 §2.4.5] */
const PEER_IDLE_MS_MIN = 1_000
const OFFERED: readonly string[] = ['ANONYMOUS-RELAY', 'DELAYED_DELIVERY', 'SHARED-SUBS']

/** Of a protocol header. [AMQP10 §2.2] */
export function unspokenText(protocolId: number, major: number, minor: number, revision: number): string {
  const is091 = protocolId === 0 && major === 0 && minor === 9
  if (is091) return 'the peer speaks AMQP 0-9-1, which is not spoken here yet; use AMQP 1.0'
  return `protocol header AMQP ${protocolId} ${major}.${minor}.${revision} is not spoken here; AMQP 1.0 is, with SASL or without`
}

/** Throws for what cannot be kept to. */
export function checkOpen(open: Open, settings: AmqpSettings): void {
  if (open.maxFrameBytes < FRAME_BYTES_MIN) {
    throw new AmqpFault('connection', 'amqp:invalid-field', `max-frame-size is ${open.maxFrameBytes}; it is ${FRAME_BYTES_MIN} at least`, 'AMQP10-2.7.1-a')
  }
  if (open.idleTimeoutMs > 0 && open.idleTimeoutMs < PEER_IDLE_MS_MIN) {
    throw new AmqpFault('connection', 'amqp:invalid-field', `idle-time-out is ${open.idleTimeoutMs} ms; silences below ${PEER_IDLE_MS_MIN} ms cannot be kept`, 'AMQP10-2.4.5-d')
  }
  const idBytes = Buffer.byteLength(open.containerId)
  if (idBytes === 0 || idBytes > settings.maxContainerIdBytes) {
    throw new AmqpFault('connection', 'amqp:invalid-field', `container-id has ${idBytes} bytes; it has 1 to amqp.maxContainerIdBytes ${settings.maxContainerIdBytes}`)
  }
}

/** Of a client that has opened without SASL. [AMQP10 §5.3] */
export function beginUnnamedLogin({ adapter, transport, containerId }: AmqpConnection): LoginStep | Promise<LoginStep> {
  return adapter.login.begin({
    peer: transport.peer,
    clientId: containerId,
    mechanism: 'plain',
    username: undefined,
    password: undefined,
    data: undefined,
  })
}

/** The peer's own number where it takes that and it is free, else the lowest that is. Throws when none is. [AMQP10 §2.7.1] */
export function freeChannel(connection: AmqpConnection, wanted: number, channelMax: number): number {
  const { endAnswers } = connection
  endAnswers.sayNow(wanted)
  const taken = new Set([...endAnswers.subjects, ...[...connection.sessions()].map(({ channel }) => channel)])
  if (wanted <= channelMax && !taken.has(wanted)) return wanted
  for (let channel = 0; channel <= channelMax; channel++) if (!taken.has(channel)) return channel
  const text = `${taken.size} sessions are open, as many as the channel-max ${channelMax} of open allows; end one first`
  throw new AmqpFault('connection', 'amqp:resource-limit-exceeded', text)
}

/** `asked` is what the client said; undefined where the connection is refused, and a `close` follows at once. */
export function announcement({ adapter }: AmqpConnection, asked: Open | undefined): Open {
  const { settings, containerId } = adapter
  const { product, version } = settings
  const properties: [string, Value][] = [
    ['product', product],
    ['version', version],
    // Clients put these before the names of destinations: nothing about them is left to guess.
    ['queue-prefix', 'queue://'],
    ['topic-prefix', 'topic://'],
  ]
  if (asked === undefined) properties.push(['amqp:connection-establishment-failed', true])
  return {
    containerId,
    hostname: undefined,
    maxFrameBytes: settings.maxFrameBytes,
    channelMax: settings.channelMax,
    idleTimeoutMs: settings.idleTimeoutMs,
    offered: asked?.desired.includes(SOLE_CONNECTION) === true ? [...OFFERED, SOLE_CONNECTION] : OFFERED,
    desired: [],
    properties: new Map(properties),
  }
}

/**
 * The core's session, named by the container where that has no other connection. Throws where the client wants to be the only one of its
 * container and is not, and where there are too many.
 */
export function openSession(connection: AmqpConnection, principal: Principal, isSole: boolean): Session {
  const { adapter, containerId } = connection
  const { sessions } = adapter.vhost
  if (isSole && adapter.hasContainer(containerId, connection)) throw soleFault(containerId)
  const isTaken = !isSole && sessions.find(containerId) !== undefined
  const opened = sessions.open({
    clientId: isTaken ? `${containerId}-${adapter.makeId()}` : containerId,
    principal,
    cleanStart: true,
    expiryMs: 0,
    creditMax: 0,
    will: undefined,
    owner: connection,
    protocol: 'amqp',
    onConflict: 'refuse',
  })
  if (opened.ok) return opened.value.session
  const { refusal, text } = opened.detail
  if (refusal === 'in-use') throw soleFault(containerId)
  throw new AmqpFault('connection', refusal === 'not-authorized' ? 'amqp:unauthorized-access' : 'amqp:resource-limit-exceeded', text)
}

function soleFault(containerId: string): AmqpFault {
  const text = `container '${containerId}' has another connection or session, and this one asks to be its only one; choose another client id`
  return new AmqpFault('connection', 'amqp:invalid-field', text, '', { 'invalid-field': 'container-id' })
}
