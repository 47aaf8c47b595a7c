/** What an operator may know of an AMQP connection. Asked for, never per message. */
import type { ConnectionFacts, ConnectionState, Producer } from '@ternmq/core'
import type { AmqpConnection } from './connection.ts'

export function factsOf(connection: AmqpConnection): ConnectionFacts {
  return {
    protocol: 'amqp',
    protocolText: 'AMQP 1.0',
    state: stateOf(connection),
    session: connection.session,
    keepAliveMs: connection.adapter.settings.idleTimeoutMs,
    producers: producersOf(connection),
    pausedFor: connection.pausedFor,
  }
}

function stateOf({ isEnded, isOpened, isEstablished }: AmqpConnection): ConnectionState {
  if (isEnded) return 'ended'
  if (isOpened) return 'connected'
  return isEstablished ? 'closing' : 'connecting'
}

/** Of links; that of transactions is nobody's link. */
function producersOf(connection: AmqpConnection): Producer[] {
  const producers: Producer[] = []
  for (const session of connection.sessions()) producers.push(...session.producers())
  return producers
}
