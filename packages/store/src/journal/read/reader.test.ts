import { expect, test } from 'vitest'
import { FaultDisk } from '../../../test/fault-disk.ts'
import { loopClock, scratchDirectories } from '../../../test/scratch.ts'
import { content, own } from '../../conformance/records.ts'
import { nodeDisk } from '../../node-disk.ts'
import { openJournal } from '../journal-engine.ts'

const freshDirectory = scratchDirectories()

test('when records were committed is read from their headers alone, however large they are', async () => {
  const disk = new FaultDisk(nodeDisk(freshDirectory()))
  const engine = await openJournal({ clock: loopClock, disk }, { reserveBytes: 0, minFreeBytes: 0 })
  const log = engine.partition(0)
  const { appender } = await own(log)
  const lsns: number[] = []
  for (let index = 0; index < 20; index++) lsns.push(...(await appender.append([content('x'.repeat(50_000))])))
  disk.readBytes = 0
  expect(await log.committedAtMs(lsns)).toEqual(lsns.map(() => loopClock.wallMs()))
  expect(disk.readBytes).toBeLessThan(2_000)
  await engine.close()
})
