import type { Engine } from '../engine.ts'
import type { JournalOptions } from './journal-engine.ts'
import { scratchDirectories, loopClock } from '../../test/scratch.ts'
import { engineConformance } from '../conformance/suite.ts'
import { nodeDisk } from '../node-disk.ts'
import { openJournal } from './journal-engine.ts'

const limits = { groupBytes: 65_536, groupRecords: 64, valueBytes: 4_096 }
const freshDirectory = scratchDirectories()

function conformance(name: string, options: JournalOptions): void {
  const directories = new WeakMap<Engine, string>()
  const openAt = async (directory: string): Promise<Engine> => {
    const small = { reserveBytes: 4_096, minFreeBytes: 0 }
    const engine = await openJournal({ clock: loopClock, disk: nodeDisk(directory) }, { ...small, ...options })
    directories.set(engine, directory)
    return engine
  }
  engineConformance(
    name,
    () => openAt(freshDirectory()),
    async (engine) => {
      await engine.close()
      return openAt(directories.get(engine) ?? '')
    },
  )
}

conformance('journal', { limits, segmentBytes: 1024 * 1024 })
// Segments of a few records: every case rolls, compacts and removes.
conformance('journal with tiny segments', { limits, segmentBytes: 700 })
// Bodies in pieces.
conformance('journal with large groups', {
  limits: { ...limits, groupBytes: 2 * 1024 * 1024 },
  segmentBytes: 1024 * 1024,
})
