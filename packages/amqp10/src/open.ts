/** What the broker says of itself in `open`, in the words that clients of JMS look for. */
import type { Open } from './codec/performatives.ts'
import type { Value } from './codec/values.ts'
import type { AmqpConnection } from './connection.ts'

const SOLE = 'sole-connection-for-container'
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
    offered: asked?.desired.includes(SOLE) === true ? [...OFFERED, SOLE] : OFFERED,
    desired: [],
    properties: new Map(properties),
  }
}
