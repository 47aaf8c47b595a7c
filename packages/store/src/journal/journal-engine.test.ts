import { scratchDirectories, loopClock } from '../../test/scratch.ts'
import { engineConformance } from '../conformance/suite.ts'
import { nodeDisk } from '../node-disk.ts'
import { openJournal } from './journal-engine.ts'

const limits = { groupBytes: 65_536, groupRecords: 64, valueBytes: 4_096 }
const freshDirectory = scratchDirectories()

engineConformance('journal', () =>
  openJournal(
    { clock: loopClock, disk: nodeDisk(freshDirectory()) },
    { limits, reserveBytes: 4_096, minFreeBytes: 0, segmentBytes: 1024 * 1024 },
  ),
)
// Segments of a few records: every case rolls, compacts and removes.
engineConformance('journal with tiny segments', () =>
  openJournal(
    { clock: loopClock, disk: nodeDisk(freshDirectory()) },
    { limits, reserveBytes: 4_096, minFreeBytes: 0, segmentBytes: 700 },
  ),
)
