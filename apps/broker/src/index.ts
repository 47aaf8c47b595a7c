/** For programs and tests that run a broker inside themselves. */
export { type Broker, type BrokerOptions, startBroker } from './broker.ts'
export { BrokerError, type BrokerErrorCode } from './errors.ts'
export type { Log } from './log.ts'
export type { Reloaded } from './reload.ts'
