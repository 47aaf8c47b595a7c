/**
 * The configuration as the broker sees it: every key has a value, relative paths are absolute. What each key means, its
 * limits and its default stand in the schemas (schema*.ts), which must agree with these types to compile.
 */

/** When a changed value counts: at once, for connections made from then on, or after the next start. */
export type Reload = 'live' | 'connection' | 'start'

export interface BrokerConfig {
  readonly dataDir: string
  readonly listeners: ListenersConfig
  readonly mqtt: MqttConfig
  readonly stomp: StompConfig
  readonly amqp: AmqpConfig
  readonly console: ConsoleConfig
  readonly store: StoreConfig
  readonly queues: QueuesConfig
  readonly policies: readonly QueuePolicy[]
  readonly limits: LimitsConfig
  readonly auth: AuthConfig
  readonly log: LogConfig
  readonly events: EventsConfig
  readonly tracing: TracingConfig
}

/** What may be given to make a BrokerConfig: every key may be left out. */
export type BrokerConfigInput = Optional<BrokerConfig>

type Optional<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Optional<T[K]> | undefined }
    : T

export interface ListenersConfig {
  readonly mqtt: ListenerConfig
  readonly mqtts: ListenerConfig & WithTls
  readonly stomp: ListenerConfig & WithProfile
  readonly stomps: ListenerConfig & WithProfile & WithTls
  readonly amqp: ListenerConfig & WithProfile
  readonly amqps: ListenerConfig & WithProfile & WithTls
  readonly ws: ListenerConfig & WithProfile & WithFrames
  readonly wss: ListenerConfig & WithProfile & WithFrames & WithTls
  readonly any: ListenerConfig & WithProfile & WithEncryption & WithTls
}

export type ListenerName = keyof ListenersConfig

export interface ListenerConfig {
  readonly enabled: boolean
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  readonly handshakeTimeoutMs: number
  readonly authentication: AuthenticationConfig
}

export interface AuthenticationConfig {
  /** 'auto' allows anonymous clients on a loopback address only: `allowsAnonymous` answers. */
  readonly anonymous: boolean | 'auto'
}

/** Of listeners whose protocols have addresses that brokers read differently. */
export interface WithProfile {
  readonly profile: 'activemq' | 'artemis' | 'rabbitmq'
}

/** What only WebSocket has. */
export interface WithFrames {
  /** Origins as browsers write them, 'loopback' or '*'. Empty: no web page. */
  readonly allowedOrigins: readonly string[]
  /** 0: what the largest message of a protocol needs. */
  readonly maxMessageBytes: number
  readonly pingIntervalMs: number
}

export interface WithEncryption {
  /** Whether a connection uses TLS: as it likes, always, never. */
  readonly encryption: 'optional' | 'required' | 'none'
}

export interface WithTls {
  readonly tls: TlsConfig
}

export interface TlsConfig {
  /** Absolute path of a PEM file. `cert` and `key` are both there or both missing: then the development certificate is used. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
  readonly clientCertificate: 'none' | 'request' | 'require'
  readonly identity: 'none' | 'cn' | 'san-dns' | 'san-email' | 'san-uri'
  readonly identityMustBeUser: boolean
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface MqttConfig {
  readonly maxPacketBytes: number
  readonly maxQos: number
  readonly foreignTransientQos: number
  readonly receiveMaximum: number
  readonly mqtt3ReceiveMaximum: number
  readonly topicAliasMax: number
  readonly outboundTopicAliasMax: number
  /** 0 leaves it to the client. */
  readonly keepAliveMaxSeconds: number
  readonly packetTimeoutMs: number
  /** 4_294_967_295 is 'never'. */
  readonly sessionExpiryMaxSeconds: number
  readonly maxSubscriptionsPerSession: number
  readonly maxQueuedMessages: number
  readonly maxQueuedBytes: number
  readonly maxTopicLevels: number
  readonly maxTopicBytes: number
  readonly maxClientIdBytes: number
  readonly strictClientIds: boolean
  readonly retainAvailable: boolean
  readonly wildcardSubscriptionsAvailable: boolean
  readonly subscriptionIdentifiersAvailable: boolean
  readonly sharedSubscriptionsAvailable: boolean
  /** 0 publishes none. */
  readonly sysTopicsIntervalSeconds: number
}

export interface StompConfig {
  readonly maxHeaderBytes: number
  readonly maxHeaders: number
  readonly maxHeaderLineBytes: number
  readonly maxBodyBytes: number
  readonly frameTimeoutMs: number
  /** 0: none. */
  readonly heartBeatMs: number
  readonly prefetch: number
  readonly maxTopicLevels: number
  readonly maxClientIdBytes: number
}

export interface AmqpConfig {
  readonly maxFrameBytes: number
  readonly maxMessageBytes: number
  readonly messageTimeoutMs: number
  readonly channelMax: number
  readonly handleMax: number
  /** 0: none. */
  readonly idleTimeoutMs: number
  readonly sessionWindow: number
  readonly linkCredit: number
  readonly maxTopicLevels: number
  readonly maxContainerIdBytes: number
}

export interface ConsoleConfig {
  readonly enabled: boolean
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Begins and ends with '/'. */
  readonly basePath: string
  readonly origins: readonly string[]
  /** IP addresses, and networks with `/` and a number of bits. */
  readonly trustedProxies: readonly string[]
  readonly tls: ConsoleTlsConfig
  /** 'auto': on a loopback address only. */
  readonly anonymousMetrics: boolean | 'auto'
  readonly maxConnectionsPerAddress: number
  readonly loginIdleMinutes: number
  readonly loginMaxHours: number
}

export interface ConsoleTlsConfig {
  readonly enabled: boolean
  /** Absolute path of a PEM file. Both are there or both missing: then the development certificate is used. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

export interface StoreConfig {
  readonly engine: 'journal' | 'memory'
  readonly segmentBytes: number
  /** 0: what the disk has. */
  readonly maxBytes: number
  readonly minFreeBytes: number
}

export interface QueuesConfig {
  readonly durability: 'memory' | 'page-cache' | 'fsync-local'
  readonly messagesMax: number
  readonly bytesMax: number
  readonly whenFull: 'block' | 'reject' | 'drop-oldest'
  readonly blockMaxSeconds: number
  readonly redelivery: RedeliveryConfig
  /** '' drops. */
  readonly deadLetter: string
  /** '' drops. */
  readonly expiryTarget: string
  /** 0: for ever. */
  readonly ttlMs: number
  /** 0: no limit. */
  readonly ttlMaxMs: number
  readonly exclusive: boolean
  /** '': none. */
  readonly lastValueKey: string
  readonly duplicateWindow: DuplicateWindowConfig
  readonly groupBuckets: number
  readonly autoCreate: boolean
  readonly autoDelete: AutoDeleteConfig
  readonly slowConsumer: SlowConsumerConfig
  readonly forward: ForwardConfig
}

export interface RedeliveryConfig {
  /** The first included; 0: no limit. */
  readonly maxDeliveries: number
  readonly delayMs: number
  readonly multiplier: number
  readonly delayMaxMs: number
  /** 0…1. */
  readonly jitter: number
}

export interface DuplicateWindowConfig {
  /** 0 looks for none. */
  readonly count: number
  readonly seconds: number
}

export interface AutoDeleteConfig {
  /** 0: never. */
  readonly afterSeconds: number
}

export interface SlowConsumerConfig {
  /** 0: nobody looks. */
  readonly afterSeconds: number
  readonly action: 'report' | 'disconnect'
}

export interface ForwardConfig {
  /** `$queue/NAME`, or a topic. */
  readonly to: readonly string[]
  readonly only: boolean
}

/** All that match a queue count, key by key, the last one first. */
export interface QueuePolicy {
  readonly match: string
  readonly settings: Optional<Omit<QueuesConfig, 'autoCreate'>>
}

export interface LimitsConfig {
  readonly maxConnections: number
  readonly maxMessageBytes: number
  readonly queuesMax: number
  readonly consumersPerSessionMax: number
  readonly selectorCostPerSessionMax: number
  readonly waitingBytesMax: number
  readonly unfinishedBytesMax: number
  readonly unsettledBytesMax: number
  readonly connectionParkedBytesMax: number
  readonly transactionBytesMax: number
  readonly transactionAgeMaxMs: number
  readonly sessionsMax: number
  readonly retainedMessagesMax: number
  readonly retainedBytesMax: number
}

export interface AuthConfig {
  readonly scram: boolean
  readonly hashConcurrency: number
  readonly hashQueueMax: number
  readonly lockOut: LockOutConfig
  readonly defaultAccess: 'allow' | 'deny'
  readonly rules: readonly AccessRule[]
}

export interface LockOutConfig {
  /** 0: nobody waits. */
  readonly attempts: number
  readonly windowSeconds: number
  readonly waitSeconds: number
  readonly waitMaxSeconds: number
}

export type RuleAction = 'read' | 'write' | 'browse' | 'admin'

/** For a user or for a group: one of the two is there. */
export interface AccessRule {
  /** A user name, 'anonymous', or '*' for everyone. */
  readonly user?: string | undefined
  readonly group?: string | undefined
  readonly allow: readonly RuleAction[]
  readonly deny: readonly RuleAction[]
  /** MQTT topic filters; %u and %c stand for the user name and the client id. */
  readonly topics: readonly string[]
}

export interface LogConfig {
  readonly level: 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  readonly format: 'json' | 'pretty'
}

export interface EventsConfig {
  readonly ringSize: number
  readonly connectionHistory: number
}

export interface TracingConfig {
  readonly enabled: boolean
  readonly endpoint: string
  /** 'name: value'. */
  readonly headers?: readonly string[] | undefined
  /** 0 to 1. */
  readonly sampleRatio: number
  readonly spansWaitingMax: number
  readonly batchMs: number
  readonly serviceName: string
}
