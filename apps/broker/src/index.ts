/** For programs and tests that run a broker inside themselves. */
export { type BrokerOptions, type EmbeddedBroker as Broker, startBroker } from './embed.ts'
export { BrokerError, type BrokerErrorCode } from './errors.ts'
export type { Log } from './reports/log.ts'
export type { Reloaded } from './configuration/reload.ts'
