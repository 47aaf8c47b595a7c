/** What tests of every package share: time moved by hand, seeded chance, pipes without a kernel. */
export { connectPipe, type PipeOptions, PipeTransport } from './pipe-transport.ts'
export { PipeNetwork, RawClient } from './raw-client.ts'
export { SeededRandom, VirtualClock, type VirtualEnv, virtualEnv } from './virtual-clock.ts'
