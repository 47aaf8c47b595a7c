/** Who reads and writes addresses here, and whose habits a listener follows. */

export type Protocol = 'stomp' | 'amqp10' | 'mqtt' | 'rest'

export const PROTOCOLS: readonly Protocol[] = ['mqtt', 'stomp', 'amqp10', 'rest']

/** The broker that a listener's clients were written for. MQTT has one spelling, whatever the profile. */
export type Profile = 'activemq' | 'artemis' | 'rabbitmq'

export const PROFILES: readonly Profile[] = ['activemq', 'artemis', 'rabbitmq']

/** Wildcards are for receiving only. */
export type Purpose = 'send' | 'receive'
