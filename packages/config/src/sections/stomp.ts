/** The `stomp` section: what STOMP clients may do. */
import { z } from 'zod'
import { typed } from '../typed.ts'
import type { StompConfig } from '../types.ts'

const GIBIBYTE = 1_073_741_824
const MINUTE_MS = 60_000

const schema = z
  .strictObject({
    maxHeaderBytes: z.int().min(1_024).max(16_777_216).default(65_536).meta({
      description: 'Bytes of command and headers of one frame. Beyond it the client gets an ERROR and is disconnected.',
      reload: 'connection',
    }),
    maxHeaders: z.int().min(16).max(100_000).default(1_000).meta({
      description: 'Header lines of one frame. Beyond it the client gets an ERROR and is disconnected.',
      reload: 'connection',
    }),
    maxHeaderLineBytes: z.int().min(256).max(16_777_216).default(16_384).meta({
      description: 'Bytes of one header line. Beyond it the client gets an ERROR and is disconnected.',
      reload: 'connection',
    }),
    maxBodyBytes: z.int().min(1_024).max(GIBIBYTE).default(16_777_216).meta({
      description:
        'Bytes of the body of one frame; `limits.maxMessageBytes` counts when lower. Beyond it the client gets an ERROR and is disconnected.',
      reload: 'connection',
    }),
    frameTimeoutMs: z.int().min(1_000).max(60 * MINUTE_MS).default(60_000).meta({
      description: 'Time in ms that a frame may take from its first byte to its last. Then the client is disconnected.',
      reload: 'connection',
    }),
    heartBeatMs: z.int().min(0).max(60 * MINUTE_MS).default(1_000).meta({
      description:
        'Time in ms between heart-beats that the broker can send and take. The slower side decides, so this leaves it to the client. 0: the broker wants and sends none.',
      reload: 'connection',
    }),
    prefetch: z.int().min(1).max(65_535).default(1_000).meta({
      description:
        'Unacknowledged messages of a subscription that does not say how many it takes (`activemq.prefetchSize`, `prefetch-count`).',
      reload: 'connection',
    }),
    maxTopicLevels: z.int().min(1).max(1_024).default(128).meta({
      description: 'Levels of a topic. Beyond it the client gets an ERROR and is disconnected.',
      reload: 'connection',
    }),
    maxClientIdBytes: z.int().min(1).max(65_535).default(1_024).meta({
      description: 'Bytes of a client id. Beyond it the CONNECT is refused.',
      reload: 'connection',
    }),
  })
  .prefault({})
  .meta({ description: 'What STOMP clients may do.' })

export const stompSchema: z.ZodType<StompConfig> = typed<StompConfig>()(schema)
