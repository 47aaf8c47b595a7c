/** What tests of every package share: time moved by hand, seeded chance, pipes without a kernel. */
export { AdapterWorld, type AdapterWorldOptions, everybody, keptPromises } from './adapter-world.ts'
export { type HistoryOrder, QueueHistory, type QueueHistoryOptions } from './history.ts'
export type { Duration } from './duration.ts'
export { MovableClock } from './movable-clock.ts'
export { connectPipe, type PipeOptions, PipeTransport } from './pipe-transport.ts'
export { PipeNetwork, RawClient } from './raw-client.ts'
export { pumpRandomPieces, readInFits, StreamChecker, writeRandomPieces } from './random-pieces.ts'
export {
  Accepted,
  type AtEnd,
  closed,
  readBytes,
  type Rig,
  startRig,
  SteppedClock,
  TEST_OPTIONS,
  turn,
} from './socket-rig.ts'
export { SeededRandom, VirtualClock, type VirtualEnv, virtualEnv } from './virtual-clock.ts'
export { SparseBytes } from './simulated-bytes.ts'
export {
  type CrashKind,
  type DiskFault,
  type DiskOperation,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from './simulated-disk.ts'
export { type SimulatedEnv, SimulatedWorld, type SimulatedWorldOptions } from './simulated-world.ts'
