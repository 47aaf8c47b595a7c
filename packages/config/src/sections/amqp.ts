/** The `amqp` section: what AMQP clients may do, and what is announced to them. */
import { z } from 'zod'
import { typed } from '../typed.ts'
import type { AmqpConfig } from '../types.ts'

const GIBIBYTE = 1_073_741_824
const MINUTE_MS = 60_000
/** The largest frame that a peer may insist on. [AMQP10 §2.3.1] */
const MIN_MAX_FRAME_SIZE = 512
const UINT16_MAX = 65_535

const schema = z
  .strictObject({
    maxFrameBytes: z.int().min(MIN_MAX_FRAME_SIZE).max(16_777_216).default(131_072).meta({
      description:
        'Largest frame accepted, in bytes; a larger message comes in several. Beyond it the connection is closed with ' +
        '`amqp:connection:framing-error`. Announced in `open`. [AMQP10 §2.7.1]',
      reload: 'connection',
    }),
    maxMessageBytes: z.int().min(1_024).max(GIBIBYTE).default(16_777_216).meta({
      description:
        'Largest message in bytes, all sections included; `limits.maxMessageBytes` counts when lower. Beyond it the link is closed with ' +
        '`amqp:link:message-size-exceeded`. Announced in `attach`. [AMQP10 §2.7.3]',
      reload: 'connection',
    }),
    messageTimeoutMs: z.int().min(1_000).max(60 * MINUTE_MS).default(60_000).meta({
      description: 'Time in ms that a message may take from its first transfer to its last. Then the client is disconnected.',
      reload: 'connection',
    }),
    channelMax: z.int().min(0).max(UINT16_MAX).default(255).meta({
      description:
        'Highest channel number: one less than the sessions that a connection may have. Beyond it the connection is closed. Announced in ' +
        '`open`. [AMQP10 §2.7.1]',
      reload: 'connection',
    }),
    handleMax: z.int().min(0).max(UINT16_MAX).default(4_095).meta({
      description:
        'Highest handle: one less than the links that a session may have. Beyond it the connection is closed. Announced in `begin`. [AMQP10 §2.7.2]',
      reload: 'connection',
    }),
    idleTimeoutMs: z.int().min(0).max(60 * MINUTE_MS).default(60_000).meta({
      description:
        'Time in ms after which a client that says nothing is gone. Announced in `open`; clients send something, if only an empty frame, ' +
        'before it is over. 0: they may be silent. What a client announces is kept as well. [AMQP10 §2.4.5]',
      reload: 'connection',
    }),
    sessionWindow: z.int().min(16).max(1_000_000).default(2_048).meta({
      description:
        'Transfer frames, of all links of a session together, that a client may send before it hears from the broker. [AMQP10 §2.5.6]',
      reload: 'connection',
    }),
    linkCredit: z.int().min(1).max(1_000_000).default(1_000).meta({
      description: 'Messages that a sending client may send on a link before it hears from the broker. [AMQP10 §2.6.7]',
      reload: 'connection',
    }),
    maxTopicLevels: z.int().min(1).max(1_024).default(128).meta({
      description: 'Levels of a topic. Beyond it a link is refused, and a message on a link without a fixed address is rejected.',
      reload: 'connection',
    }),
    maxContainerIdBytes: z.int().min(1).max(UINT16_MAX).default(1_024).meta({
      description: 'Bytes of a container id, which is the client id. Beyond it the connection is closed.',
      reload: 'connection',
    }),
  })
  .prefault({})
  .meta({ description: 'What AMQP 1.0 clients may do.' })

export const amqpSchema: z.ZodType<AmqpConfig> = typed<AmqpConfig>()(schema)
