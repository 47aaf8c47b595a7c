/** The `store` section: what keeps messages, sessions and definitions, and how much room it takes. */
import { z } from 'zod'
import { typed } from '../typed.ts'
import type { StoreConfig } from '../types.ts'

const MEBIBYTE = 1_048_576
const TEBIBYTE = 1_099_511_627_776

const schema = z
  .strictObject({
    engine: z
      .enum(['journal', 'memory'])
      .default('journal')
      .meta({
        description:
          '`journal` keeps messages, sessions and definitions in the data directory. `memory` keeps nothing once the process ends, and ' +
          'writes no such file.',
        reload: 'start',
      }),
    segmentBytes: z
      .int()
      .min(MEBIBYTE)
      .max(1024 * MEBIBYTE)
      .default(64 * MEBIBYTE)
      .meta({
        description:
          'Size in bytes at which the journal begins its next file. Space comes back a file at a time, so smaller ones return it sooner.',
        reload: 'start',
      }),
    maxBytes: z
      .int()
      .min(0)
      .max(1024 * TEBIBYTE)
      .default(0)
      .meta({
        description:
          'Bytes that the journal may take on disk. Beyond it publishers are refused, consumers go on. 0: as much as the disk has.',
        reload: 'start',
      }),
    minFreeBytes: z
      .int()
      .min(0)
      .max(1024 * TEBIBYTE)
      .default(64 * MEBIBYTE)
      .meta({
        description:
          'Bytes of the disk that the journal leaves free. With less than that, publishers are refused, and what consumers settle still fits.',
        reload: 'start',
      }),
  })
  .prefault({})
  .meta({ description: 'Where messages, sessions and definitions are kept.' })

export const storeSchema: z.ZodType<StoreConfig> = typed<StoreConfig>()(schema)
