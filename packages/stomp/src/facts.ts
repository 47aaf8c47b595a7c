/** What an operator may know of a STOMP connection. Asked for, never per message. */
import type { ConnectionFacts, Session } from '@ternmq/core'
import { VERSION_NAMES } from './codec/versions.ts'
import type { StompConnection } from './connection.ts'

export function factsOf(connection: StompConnection): ConnectionFacts {
  const { version, state, hearsMs, pausedFor } = connection
  const session = connection.session as Session | undefined
  return {
    protocol: 'stomp',
    protocolText: session === undefined ? 'STOMP' : `STOMP ${VERSION_NAMES[version]}`,
    state,
    session,
    keepAliveMs: hearsMs,
    producers: session === undefined ? [] : [connection.producer],
    pausedFor,
  }
}
