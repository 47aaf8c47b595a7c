/** The rules by which an address is read, in their order: the first that fits decides. For `ternmq resolve`, the console and the docs. */

export type RuleId =
  | 'no-address'
  | 'encoded-path'
  | 'scheme'
  | 'prefix'
  | 'fqqn'
  | 'listener-prefix'
  | 'explicit-kind'
  | 'existing-node'
  | 'protocol-default'
  | 'mqtt-queue'
  | 'mqtt-share'
  | 'mqtt-name'

export interface Rule {
  readonly id: RuleId
  /** Place in the order of the protocols that it belongs to, from 1. */
  readonly order: number
  readonly protocols: 'mqtt' | 'others'
  /** Forms that it takes. */
  readonly forms: string
  readonly sentence: string
}

export const RULES: Readonly<Record<RuleId, Rule>> = {
  'no-address': {
    id: 'no-address',
    order: 1,
    protocols: 'others',
    forms: 'no address, dynamic',
    sentence:
      'Without an address a receiver gets a new temporary destination, and each message of a sender says where it goes.',
  },
  'encoded-path': {
    id: 'encoded-path',
    order: 2,
    protocols: 'others',
    forms: '/queues/NAME, /exchanges/NAME/KEY; REST: /topics/NAME',
    sentence:
      "Each part of such a path is percent-encoded: it can hold any name, and a wildcard that is encoded (%2A, %3E) is an ordinary character. Keys of the exchange 'amq.topic' are topics.",
  },
  scheme: {
    id: 'scheme',
    order: 3,
    protocols: 'others',
    forms: 'queue://NAME, topic://NAME, temp-queue://ID, temp-topic://ID',
    sentence: "The word before '://' says what it is, the rest is its name.",
  },
  prefix: {
    id: 'prefix',
    order: 4,
    protocols: 'others',
    forms:
      '/queue/NAME, /topic/NAME, /amq/queue/NAME, /exchange/NAME/KEY, /temp-queue/ALIAS, /temp-topic/ALIAS, /remote-temp-queue/ID, /remote-temp-topic/ID, /dsub/NAME',
    sentence: 'The prefix says what it is, the rest is its name.',
  },
  fqqn: {
    id: 'fqqn',
    order: 5,
    protocols: 'others',
    forms: 'ADDRESS::QUEUE',
    sentence: 'Two colons stand between an address and one of its queues, as Artemis writes it.',
  },
  'listener-prefix': {
    id: 'listener-prefix',
    order: 6,
    protocols: 'others',
    forms: 'what the listener is set to',
    sentence: 'The listener has this prefix for queues (anycast) or topics (multicast); the rest is the name.',
  },
  'explicit-kind': {
    id: 'explicit-kind',
    order: 7,
    protocols: 'others',
    forms: 'STOMP destination-type, AMQP capability or x-opt-jms-dest',
    sentence: 'The client has said beside the address what it is; all of the text is its name.',
  },
  'existing-node': {
    id: 'existing-node',
    order: 8,
    protocols: 'others',
    forms: 'NAME',
    sentence: 'A queue or topic of exactly this name exists; a queue comes before a topic.',
  },
  'protocol-default': {
    id: 'protocol-default',
    order: 9,
    protocols: 'others',
    forms: 'NAME',
    sentence:
      "Nothing says what it is, so the protocol does: AMQP 1.0 and REST mean a queue; STOMP means a topic with '/' between levels, written as in MQTT and with or without one '/' before it (profile artemis: with '.' between unless it begins with '/').",
  },
  'mqtt-queue': {
    id: 'mqtt-queue',
    order: 1,
    protocols: 'mqtt',
    forms: '$queue/NAME',
    sentence: "Behind '$queue/' stands the name of a queue, as it is.",
  },
  'mqtt-share': {
    id: 'mqtt-share',
    order: 2,
    protocols: 'mqtt',
    forms: '$share/GROUP/FILTER',
    sentence: 'The subscription is shared by all clients that name this group.',
  },
  'mqtt-name': {
    id: 'mqtt-name',
    order: 3,
    protocols: 'mqtt',
    forms: 'NAME, FILTER',
    sentence: "A topic, with '/' between levels; an empty level is a level.",
  },
}
