/** Limits of engines in one process, where nothing else sets them. */
import type { EngineLimits } from './engine.ts'

const MIB = 1024 * 1024

export const DEFAULT_LIMITS: EngineLimits = {
  groupBytes: 128 * MIB,
  groupRecords: 65_536,
  partitions: 1_024,
  keyLength: 1_024,
  valueBytes: MIB,
}
