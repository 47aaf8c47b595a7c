/** `ternmq/testing`: what a program needs whose tests have a broker in them. */
export type { Duration } from '@ternmq/testkit'
export { MovableClock } from '@ternmq/testkit'
