/** Schemas of the journal and its backups. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import {
  type BackupBody,
  type BackupMade,
  backupStore,
  getStoreReport,
  type StoreFault,
  type StorePartition,
  type StoreReport,
} from '../resources/store.ts'
import { component, count, flag, list, name, schemasFor, type SchemaEntry, text } from './fields.ts'

/** Characters of a path, as systems bound them. */
const PATH_CHARS_MAX = 4_096

const partition = typed<StorePartition>()(
  z.strictObject({
    id: count('Number.', 0),
    segments: list(
      z.strictObject({
        file: text('Below the folder of the journal.', 'p0/0000000000000001.seg'),
        bytes: count('Bytes.', 1_048_576),
        firstLsn: count('Number of the first record.', 1),
        lastLsn: count('Number of the last record.', 5_120),
        compacted: flag('Whether it was made of what was left in others.', false),
        liveRecords: count('Records that are still needed.', 12),
        liveBytes: count('Bytes of them.', 2_048),
      }),
      'Files, the oldest first.',
    ),
    snapshot: z
      .strictObject({
        file: text('Below the folder of the journal.', 'p0/0000000000000010.snap'),
        at: count('Number of the last record in it.', 16),
        bytes: count('Bytes.', 1_024),
      })
      .meta({ description: 'State after a record, from which a start goes on.' })
      .optional(),
    lastLsn: count('The highest number in use.', 5_120),
  }),
)

const fault = typed<StoreFault>()(
  z.strictObject({
    file: text('Below the folder of the journal.', 'p0/0000000000000001.seg'),
    offset: count('Byte where it begins.', 4_096),
    what: text('What is wrong.', 'the checksum is wrong'),
    partition: count('Partition.', 0).optional(),
    lost: z
      .strictObject({
        after: count('Number of the record before what is lost.', 7),
        before: count('Number of the record behind it.', 9).optional(),
      })
      .meta({ description: 'Records that are lost.' })
      .optional(),
  }),
)

const report = component(
  'StoreReport',
  typed<StoreReport>()(
    z.strictObject({
      formatVersion: count('Version of the format.', 1),
      diskBytes: count('Bytes on disk.', 67_108_864),
      tornBytes: count('Bytes of writes that were not finished.', 0),
      partitions: list(partition, 'Partitions.'),
      catalogKeys: count('Definitions.', 4),
      faults: list(fault, 'Damaged places.'),
    }),
  ),
)

export const storeSchemas: readonly SchemaEntry[] = [
  schemasFor(getStoreReport, { answer: report }),
  schemasFor(backupStore, {
    body: component(
      'Backup',
      typed<BackupBody>()(
        z.strictObject({ folder: name('Absolute path; new, or empty.', '/var/backups/ternmq/1', PATH_CHARS_MAX) }),
      ),
    ),
    answer: component(
      'BackupMade',
      typed<BackupMade>()(z.strictObject({ files: count('Files.', 3), bytes: count('Bytes.', 67_108_864) })),
    ),
  }),
]
