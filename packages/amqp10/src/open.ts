/** What `open` leads to: a session of the core, and what the broker says of itself, in the words that clients of JMS look for. */
import type { Principal, Session } from '@ternmq/core'
import { AmqpFault } from './codec/faults.ts'
import type { Open } from './codec/performatives.ts'
import type { Value } from './codec/values.ts'
import type { AmqpConnection } from './connection.ts'

/** The capability of a client that wants to be the only connection of its container. */
export const SOLE_CONNECTION = 'sole-connection-for-container'
const OFFERED: readonly string[] = ['ANONYMOUS-RELAY', 'DELAYED_DELIVERY', 'SHARED-SUBS']

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
    onConflict: 'refuse',
  })
  if (opened.ok) return opened.value.session
  throw opened.detail.refusal === 'in-use' ? soleFault(containerId) : new AmqpFault('connection', 'amqp:resource-limit-exceeded', opened.detail.text)
}

function soleFault(containerId: string): AmqpFault {
  const text = `container '${containerId}' has another connection or session, and this one asks to be its only one; choose another client id`
  return new AmqpFault('connection', 'amqp:invalid-field', text, '', { 'invalid-field': 'container-id' })
}
