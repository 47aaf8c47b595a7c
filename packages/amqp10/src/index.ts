/** AMQP 1.0: what the broker needs of it. */
export { AmqpAdapter, type AmqpAdapterOptions } from './adapter.ts'
export { AMQP_HEADER_CODECS } from './message/headers.ts'
export { type AmqpSettings, DEFAULT_AMQP_SETTINGS } from './settings.ts'
