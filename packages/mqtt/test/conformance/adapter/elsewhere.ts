/** What clients of other protocols publish, seen from MQTT: messages without a packet of their own. */
import { type HeaderCodec, Message, type MessageFields } from '@ternmq/core'
import type { World } from '../../harness.ts'

/** Headers of a protocol that has none. */
const codec: HeaderCodec = { id: 'elsewhere', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) }

/** Not persistent and never dropped, as STOMP's are, unless said otherwise. */
export function publishElsewhere(world: World, topic: string, body: string, more: Partial<MessageFields> = {}): void {
  const bytes = Buffer.from(body)
  const message = new Message({
    topic,
    codec,
    bytes,
    start: 0,
    headerStart: 0,
    bodyStart: 0,
    end: bytes.length,
    assurance: 1,
    durable: false,
    retain: false,
    expiresAtMs: 0,
    publisher: 'elsewhere',
    ...more,
  })
  world.vhost.publishAs({ principal: { name: 'elsewhere', anonymous: false }, clientId: 'elsewhere' }, message)
  world.run()
}
