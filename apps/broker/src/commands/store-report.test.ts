import type { QueueItem } from '@ternmq/api'
import { expect, test } from 'vitest'

import { queueLines, reportLines } from './store-report.ts'

test('queues are a table, and what is left out of it is counted', () => {
  const queue = {
    name: 'orders',
    durability: 'fsync-local',
    readyCount: 12,
    inflightCount: 3,
    consumerCount: 1,
  } as QueueItem
  expect(queueLines({ queues: [queue], queueCount: 8 }, Infinity)).toEqual([
    '',
    'QUEUE   DURABILITY   READY  IN FLIGHT  CONSUMERS',
    'orders  fsync-local     12          3          1',
    'and 7 more, none of them fuller',
  ])
  expect(queueLines(undefined, Infinity)).toEqual(['', 'queues: shown while a broker runs on the data directory'])
})

test('a report has a line for the whole, what is wrong with it, and a table for each partition', () => {
  const segment = { bytes: 2_048, compacted: false, liveRecords: 3, liveBytes: 300 }
  const lines = reportLines('/data/journal', {
    formatVersion: 1,
    diskBytes: 5_120,
    tornBytes: 17,
    catalogKeys: 4,
    faults: [{ file: 'p0/a.seg', offset: 1, what: 'x', partition: 0, lost: undefined }],
    partitions: [
      {
        id: 0,
        segments: [
          { ...segment, file: 'p0/a.seg', firstLsn: 1, lastLsn: 99 },
          { ...segment, file: 'p0/b.seg', firstLsn: 100, lastLsn: 1_000 },
        ],
        snapshot: { file: 'p0/1.snap', at: 90, bytes: 1_024 },
        lastLsn: 1_000,
      },
      { id: 1, segments: [], snapshot: undefined, lastLsn: 0 },
    ],
  })
  expect(lines).toEqual([
    '/data/journal: format 1, 2 segments, 5.0 KiB on disk, 600 bytes live, 4 definitions',
    '17 bytes of a write that was not finished; the next start cuts them off',
    '1 damaged place; `ternmq store verify` says where',
    '',
    'partition 0: last lsn 1000, snapshot p0/1.snap after lsn 90, 1.0 KiB',
    'file      bytes  first lsn  last lsn  live  live bytes',
    'p0/a.seg   2048          1        99     3         300',
    'p0/b.seg   2048        100      1000     3         300',
    '',
    'partition 1: last lsn 0, no snapshot',
    'file  bytes  first lsn  last lsn  live  live bytes',
  ])
})
