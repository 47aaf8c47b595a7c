/** The `mqtt` section: what MQTT clients may do, and what is announced to those of version 5. */
import { z } from 'zod'
import { typed } from '../typed.ts'
import type { MqttConfig } from '../types.ts'

/** Remaining length 268_435_455 and the five bytes before it: the largest packet there is. [MQTT5 §2.1.4] */
const PACKET_BYTES_MAX = 268_435_460
/** Four Byte Integer; as an expiry interval it means 'never'. [MQTT5 §3.1.2.11.2] */
const UINT32_MAX = 4_294_967_295
const UINT16_MAX = 65_535
/** Matching walks the tree of filters by recursion, a level at a time: beyond about ten thousand the stack ends. */
const TOPIC_LEVELS_MAX = 1_024

const schema = z
  .strictObject({
    maxPacketBytes: z
      .int()
      .min(1_024)
      .max(PACKET_BYTES_MAX)
      .default(1_048_576)
      .meta({
        description:
          'Largest packet accepted, in bytes, fixed header included. A client that sends more is disconnected. ' +
          'Announced in CONNACK. [MQTT5-3.2.2-15]',
        reload: 'connection',
      }),
    maxQos: z.int().min(0).max(2).default(2).meta({
      description:
        'Highest QoS that clients may publish with and are granted. Announced in CONNACK. [MQTT5 §3.2.2.3.4]',
      reload: 'connection',
    }),
    foreignTransientQos: z.int().min(0).max(1).default(1).meta({
      description:
        'QoS, at most, at which MQTT subscribers get messages that other protocols sent without asking that they be kept (STOMP ' +
        'without `persistent:true`, AMQP without `durable`). 0: at most once, as MQTT\'s own QoS 0; a subscriber that is away does not get them. ' +
        'Of subscriptions made from then on.',
      reload: 'connection',
    }),
    receiveMaximum: z.int().min(1).max(UINT16_MAX).default(1_024).meta({
      description:
        'QoS 1 and 2 messages that a client may have unacknowledged towards us. Announced in CONNACK. [MQTT5 §3.2.2.3.3]',
      reload: 'connection',
    }),
    mqtt3ReceiveMaximum: z.int().min(1).max(UINT16_MAX).default(UINT16_MAX).meta({
      description:
        'QoS 1 and 2 messages handed to an MQTT 3 client before it acknowledges. An MQTT 5 client states its own maximum.',
      reload: 'connection',
    }),
    topicAliasMax: z.int().min(0).max(UINT16_MAX).default(32).meta({
      description: 'Topic aliases that a client may set. Announced in CONNACK. [MQTT5-3.2.2-17]',
      reload: 'connection',
    }),
    outboundTopicAliasMax: z.int().min(0).max(UINT16_MAX).default(32).meta({
      description: 'Topic aliases that we set towards a client that allows them; its own maximum counts when lower.',
      reload: 'connection',
    }),
    keepAliveMaxSeconds: z
      .int()
      .min(0)
      .max(UINT16_MAX)
      .default(0)
      .meta({
        description:
          'Longest keep-alive, in seconds. An MQTT 5 client that asks for more, or for none, is told this one. ' +
          '0 leaves it to the client. [MQTT5-3.1.2-21]',
        reload: 'connection',
      }),
    packetTimeoutMs: z.int().min(1_000).max(3_600_000).default(60_000).meta({
      description:
        'Time in ms that a packet may take from its first byte to its last. Then the client is disconnected, one of MQTT 5 with reason ' +
        'code 0x97.',
      reload: 'connection',
    }),
    sessionExpiryMaxSeconds: z
      .int()
      .min(0)
      .max(UINT32_MAX)
      .default(604_800)
      .meta({
        description:
          'Longest time in seconds that a session outlives its connection; also that of MQTT 3 sessions made without ' +
          '"clean session", which cannot say. 4294967295 is for ever.',
        reload: 'connection',
      }),
    maxSubscriptionsPerSession: z.int().min(1).max(1_000_000).default(10_000).meta({
      description: 'Subscriptions of one session. Beyond it a SUBSCRIBE is refused with 0x97, quota exceeded.',
      reload: 'live',
    }),
    maxQueuedMessages: z.int().min(1).max(100_000_000).default(250_000).meta({
      description: 'Messages waiting for one session. Beyond it the newest is not kept for that session, and counted.',
      reload: 'live',
    }),
    maxQueuedBytes: z.int().min(1_024).max(1_099_511_627_776).default(67_108_864).meta({
      description:
        'Memory in bytes for messages waiting for one session, bookkeeping included. Beyond it the newest is not kept for that session, and counted.',
      reload: 'live',
    }),
    maxTopicLevels: z.int().min(1).max(TOPIC_LEVELS_MAX).default(128).meta({
      description: 'Levels of a topic name or filter. One with more is refused as invalid.',
      reload: 'connection',
    }),
    maxTopicBytes: z.int().min(64).max(UINT16_MAX).default(UINT16_MAX).meta({
      description:
        'UTF-8 bytes of a topic name or filter. A longer one is refused as invalid. The default is the longest there is.',
      reload: 'connection',
    }),
    maxClientIdBytes: z.int().min(23).max(UINT16_MAX).default(1_024).meta({
      description: 'UTF-8 bytes of a client id. A longer one is refused at CONNECT. [MQTT5-3.1.3-5] [MQTT311-3.1.3-5]',
      reload: 'connection',
    }),
    strictClientIds: z
      .boolean()
      .default(false)
      .meta({
        description:
          'Whether an MQTT 3.1 client is refused when its client id has more than 23 characters, as MQTT 3.1 wants. ' +
          'Many devices have longer ones. [MQTT31-3.1-c]',
        reload: 'connection',
      }),
    retainAvailable: available('retained messages', '[MQTT5 §3.2.2.3.5]'),
    wildcardSubscriptionsAvailable: available('subscriptions with + and #', '[MQTT5 §3.2.2.3.11]'),
    subscriptionIdentifiersAvailable: available('subscription identifiers', '[MQTT5 §3.2.2.3.12]'),
    sharedSubscriptionsAvailable: available('shared subscriptions ($share)', '[MQTT5 §3.2.2.3.13]'),
    sysTopicsIntervalSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(10)
      .meta({ description: 'Seconds between publications of the `$SYS` topics. 0 publishes none.', reload: 'live' }),
  })
  .prefault({})
  .meta({ description: 'Limits and features of MQTT 3.1, 3.1.1 and 5.' })

export const mqttSchema: z.ZodType<MqttConfig> = typed<MqttConfig>()(schema)

function available(what: string, clause: string) {
  return z
    .boolean()
    .default(true)
    .meta({ description: `Whether clients may use ${what}. Announced in CONNACK. ${clause}`, reload: 'connection' })
}
