/**
 * Every setting: type, limits, default, meaning, and when a change counts. From here come the types' check, the error
 * sentences, the names of environment variables, `config schema` and docs/reference/config.md.
 *
 * `meta` of a setting: `description`; `reload`; `allowed` when a regular expression would not tell people anything;
 * `path: true` for file names; `secret: true` hides the value wherever settings are shown.
 */
import { z } from 'zod'
import { amqpSchema } from './sections/amqp.ts'
import { authSchema } from './sections/auth.ts'
import { consoleSchema } from './sections/console.ts'
import { listenersSchema } from './sections/listeners.ts'
import { mqttSchema } from './sections/mqtt.ts'
import { policiesSchema, queuesSchema } from './sections/queues.ts'
import { stompSchema } from './sections/stomp.ts'
import { storeSchema } from './sections/store.ts'
import { tracingSchema } from './sections/tracing.ts'
import { typed } from './typed.ts'
import type { BrokerConfig, EventsConfig, LimitsConfig, LogConfig } from './types.ts'

const limitsSchema = z
  .strictObject({
    maxConnections: z.int().min(1).max(10_000_000).default(100_000).meta({
      description: 'Connections at once, all listeners together. Beyond it a new one is closed at once, and counted.',
      reload: 'live',
    }),
    maxMessageBytes: z
      .int()
      .min(1_024)
      .max(1_073_741_824)
      .default(67_108_864)
      .meta({
        description:
          'Largest message in bytes, headers included, by whichever protocol. Beyond it it is refused; a protocol may have a lower limit ' +
          'of its own (`mqtt.maxPacketBytes`).',
        reload: 'connection',
      }),
    queuesMax: z.int().min(0).max(10_000_000).default(100_000).meta({
      description: 'Queues that are not those of subscriptions. Beyond it a new one is refused.',
      reload: 'live',
    }),
    consumersPerSessionMax: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(20_000)
      .meta({
        description:
          'Queues that one session or connection reads from: a pattern of queues counts once for each queue that it matches. Beyond it a ' +
          'further subscription is refused; a queue that is made later is not read by the patterns that match it, and an event says so.',
        reload: 'live',
      }),
    selectorCostPerSessionMax: z
      .int()
      .min(0)
      .max(1_000_000_000)
      .default(50_000)
      .meta({
        description:
          'What the selectors on topics of one session or connection, its durable subscriptions included, may cost together for one ' +
          'message; so may those that all clients of one user share. Every publisher to such a topic waits for them: 50000 are 6 ms at ' +
          'worst, and two or three times that for durable messages to durable subscriptions. A comparison costs 1, a LIKE that has to ' +
          'search about 400 (docs/interop/stomp.md). Beyond it a further subscription with a selector is refused; those that are there ' +
          'stay, over a restart as well.',
        reload: 'live',
      }),
    waitingBytesMax: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(1_073_741_824)
      .meta({
        description:
          'Memory in bytes for messages that wait, all queues and sessions together. Beyond it a message that is on disk waits there ' +
          'alone, and any other one is not kept, and counted.',
        reload: 'start',
      }),
    unfinishedBytesMax: z
      .int()
      .min(1_048_576)
      .max(1_099_511_627_776)
      .default(268_435_456)
      .meta({
        description:
          'Memory in bytes of packets and frames that have begun and not ended, and of what clients send ahead, all connections together. ' +
          'Beyond it the connection with the most of it is closed: by STOMP with an ERROR, by MQTT 5 with reason code 0x97, by AMQP with ' +
          '`amqp:resource-limit-exceeded`.',
        reload: 'live',
      }),
    unsettledBytesMax: z
      .int()
      .min(1_024)
      .max(1_099_511_627_776)
      .default(67_108_864)
      .meta({
        description:
          'Bytes of messages that one connection has been sent and has not acknowledged, whatever it reads from. From there on it gets ' +
          'nothing more until it acknowledges something; the last message may go beyond it.',
        reload: 'connection',
      }),
    connectionParkedBytesMax: z.int().min(1_024).max(1_073_741_824).default(1_048_576).meta({
      description:
        'Bytes of messages of one connection that wait for room in a full queue. Beyond it its next one is refused at once.',
      reload: 'live',
    }),
    transactionBytesMax: z
      .int()
      .min(1_024)
      .max(1_099_511_627_776)
      .default(104_857_600)
      .meta({
        description:
          'Memory in bytes of messages in the open transactions of one connection. Beyond it a further message is refused. All connections ' +
          'together may hold half of `limits.waitingBytesMax` in transactions.',
        reload: 'live',
      }),
    transactionAgeMaxMs: z.int().min(0).max(604_800_000).default(600_000).meta({
      description:
        'Time in ms that a transaction may be open. Then it is rolled back; its client hears so when it goes on with it. 0: for ever.',
      reload: 'live',
    }),
    sessionsMax: z.int().min(1).max(100_000_000).default(1_000_000).meta({
      description: 'Sessions, connected or not. Beyond it a CONNECT that needs a new one is refused.',
      reload: 'live',
    }),
    retainedMessagesMax: z.int().min(0).max(100_000_000).default(1_000_000).meta({
      description:
        'Retained messages in all. Beyond it a message on a new topic is delivered but not retained, and counted.',
      reload: 'live',
    }),
    retainedBytesMax: z.int().min(0).max(1_099_511_627_776).default(1_073_741_824).meta({
      description: 'Bytes of retained messages in all. Beyond it a message is delivered but not retained, and counted.',
      reload: 'live',
    }),
  })
  .prefault({})
  .meta({ description: 'Limits of the whole broker.' })

const logSchema = z
  .strictObject({
    level: z
      .enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'])
      .default('info')
      .meta({ description: 'Least important lines that are still written.', reload: 'live' }),
    format: z
      .enum(['json', 'pretty'])
      .default('json')
      .meta({ description: '`json` is one object per line, `pretty` is for people.', reload: 'start' }),
  })
  .prefault({})
  .meta({ description: 'Log on standard output.' })

const eventsSchema = z
  .strictObject({
    ringSize: z.int().min(0).max(1_000_000).default(10_000).meta({
      description:
        'Events about clients remembered: who came, went and was refused, and why. Beyond it the oldest is forgotten.',
      reload: 'start',
    }),
    connectionHistory: z.int().min(0).max(1_000_000).default(10_000).meta({
      description:
        'Ended connections remembered as they were, with who ended them and why, and a tenth as many of those that were never let in. Beyond it the oldest is forgotten; each takes about 1 KiB.',
      reload: 'start',
    }),
  })
  .prefault({})
  .meta({ description: 'What is remembered about clients that left.' })

const schema = z
  .strictObject({
    dataDir: z.string().min(1).max(4_096).default('ternmq-data').meta({
      description: 'Directory for users, the development certificate and stored messages. Made when missing.',
      allowed: 'a directory path',
      path: true,
      reload: 'start',
    }),
    listeners: listenersSchema,
    mqtt: mqttSchema,
    stomp: stompSchema,
    amqp: amqpSchema,
    console: consoleSchema,
    store: storeSchema,
    queues: queuesSchema,
    policies: policiesSchema,
    limits: typed<LimitsConfig>()(limitsSchema),
    auth: authSchema,
    log: typed<LogConfig>()(logSchema),
    events: typed<EventsConfig>()(eventsSchema),
    tracing: tracingSchema,
  })
  .meta({ title: 'TernMQ configuration' })

export const configSchema: z.ZodType<BrokerConfig> = typed<BrokerConfig>()(schema)
