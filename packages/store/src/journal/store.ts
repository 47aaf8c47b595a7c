/** What all partitions of one journal share. */
import type { EngineLimits } from '../engine.ts'
import type { Disk, EngineClock } from '../env.ts'
import type { Slabs } from './write/batch.ts'
import type { FaultLog } from './recovery/faults.ts'
import type { Handles } from './read/handles.ts'
import type { ReadBuffers } from './read/read-buffers.ts'
import type { Space } from './write/space.ts'
import type { StoreCounts } from './store-counts.ts'

export interface JournalSettings {
  readonly segmentBytes: number
  /** More is divided over several writes. */
  readonly batchBytesMax: number
  readonly pendingHighBytes: number
}

export interface Store {
  readonly disk: Disk
  readonly clock: EngineClock
  readonly limits: EngineLimits
  readonly settings: JournalSettings
  /** Begins every checksum, so that a frame of another store, or one in somebody's message, is none of ours. */
  readonly salt: number
  readonly slabs: Slabs
  readonly readBuffers: ReadBuffers
  readonly space: Space
  readonly handles: Handles
  readonly faults: FaultLog
  readonly counters: StoreCounts
  /** `fail` was called. */
  readonly isBroken: boolean
  /** A write or a sync failed: nothing is taken any more. */
  fail(cause: unknown): void
}
