/** TCP and TLS listeners, the write slab, and the real world's clock. */
export type {
  BoundAddress,
  Listener,
  ListenerContext,
  ListenerEvent,
  ListenerOptions,
  ListenerStats,
} from './listener.ts'
export { HANDSHAKE_MS } from './listener.ts'
export { TransportError, type TransportErrorCode } from './errors.ts'
export {
  HIGH_WATER_BYTES,
  LOW_WATER_BYTES,
  Outbox,
  type OutboxLimits,
  SHORT_HIGH_WATER_BYTES,
  STUCK_BYTES_MAX,
  UNSENT_BYTES_MAX,
} from './outbox.ts'
export { realEnv } from './real-env.ts'
export { CLOSE_FLUSH_MS, nextTransportId } from './socket-transport.ts'
export { createTcpListener } from './tcp.ts'
export { TurnQueue } from './turn-queue.ts'
export { SlabOutput } from './write-slab.ts'
