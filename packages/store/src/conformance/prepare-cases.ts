/** What every engine must do with bodies that are brought into the log ahead of their records. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import { expect } from 'vitest'
import type { Engine, LogRecord } from '../engine.ts'
import type { ConformanceCase } from './records.ts'
import { PREPARE_FROM_BYTES, recordBytes } from '../engine.ts'
import { Fenced, NotAppended } from '../errors.ts'
import { bodyOf, bytesOf, content, own, rejection, tailNow, withEngine } from './records.ts'

export const prepareCases: readonly ConformanceCase[] = [
  withEngine('a prepared record goes in with its group and has its whole body', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const record = largeRecord(engine, 7)
    const before = appender.submit([content('before')])
    const preparing = appender.writer.prepare(record)
    const meanwhile = appender.submit([content('meanwhile')])
    const prepared = await preparing
    await Promise.all([before, meanwhile].map((ticket) => appender.outcome(ticket)))
    expect((await tailNow(log)).records.map(bodyOf), 'nothing of it shows').toEqual(['before', 'meanwhile'])
    const [first = 0, large = 0, last = 0] = await appender.append([content('a'), prepared.record, content('z')])
    expect([large, last]).toEqual([first + 1, first + 2])
    expect(await log.read([first, last]).then((found) => found.map(bodyOf))).toEqual(['a', 'z'])
    const each = new Map<number, Buffer>()
    await log.readEach([large, first], (stored, index) =>
      each.set(index, Buffer.concat([stored.meta, bodyBytes(stored)])),
    )
    expect(each.get(1)?.subarray(-1).toString()).toBe('a')
    expect(Buffer.compare(each.get(0)!, Buffer.concat([record.meta, bodyBytes(record)])), 'meta and body').toBe(0)
    const [read] = await log.read([large])
    const shown = (await tailNow(log)).records.find(({ lsn }) => lsn === large)
    for (const found of [read, shown]) {
      expect(found).toMatchObject({ lsn: large, kind: record.kind, dest: record.dest })
      expect(Buffer.compare(bodyBytes(found), bodyBytes(record)), 'the same body').toBe(0)
    }
    expect(await log.committedAtMs([large])).toEqual([shown?.atMs])
  }),

  withEngine('a prepared body is content until its record is released', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const [small = 0] = await appender.append([content('small')])
    const { record } = await appender.writer.prepare(largeRecord(engine, 9))
    const [large = 0] = await appender.append([record])
    ownership.release(small, large - 1)
    expect((await log.read([small, large])).map((found) => found?.lsn)).toEqual([undefined, large])
    await ownership.putSnapshot(large, [])
    expect(Buffer.compare(bodyBytes((await log.read([large]))[0]), bodyBytes(record))).toBe(0)
    ownership.release(large, large)
    expect(await log.read([large])).toEqual([undefined])
  }),

  withEngine(
    'a prepared record that is discarded leaves no trace, and can be submitted as any other',
    async (engine) => {
      const log = engine.partition(0)
      const { appender } = await own(log)
      const prepared = await appender.writer.prepare(largeRecord(engine, 3))
      prepared.discard()
      prepared.discard()
      await appender.append([content('after')])
      expect((await tailNow(log)).records.map(bodyOf)).toEqual(['after'])
      const [lsn = 0] = await appender.append([prepared.record])
      prepared.discard()
      expect(Buffer.compare(bodyBytes((await log.read([lsn]))[0]), bodyBytes(prepared.record))).toBe(0)
    },
  ),

  withEngine('a small record can be prepared too', async (engine) => {
    const { appender } = await own(engine.partition(0))
    const { record } = await appender.writer.prepare(content('small'))
    const [lsn = 0] = await appender.append([record])
    expect((await engine.partition(0).read([lsn])).map(bodyOf)).toEqual(['small'])
  }),

  withEngine('what can never be appended is not prepared', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const tooBig = { ...content(''), body: new Uint8Array(engine.limits.groupBytes), bodyStart: 0 }
    const refused = await rejection(appender.writer.prepare({ ...tooBig, bodyEnd: engine.limits.groupBytes }))
    expect(refused).toBeInstanceOf(NotAppended)
    expect(refused).toMatchObject({ reason: 'too-big' })
    await own(log)
    await appender.outcome(appender.submit([content('stale')]))
    expect(await rejection(appender.writer.prepare(content('stale')))).toBeInstanceOf(Fenced)
    const { appender: closing } = await own(log)
    await closing.writer.close()
    expect(await rejection(closing.writer.prepare(content('late')))).toMatchObject({ reason: 'closed' })
  }),
]

/** As large as the engine takes, so that it is worth preparing where the limits allow; every body is different. */
function largeRecord(engine: Engine, seed: number): LogRecord {
  const fixed = recordBytes({ ...content(''), body: bytesOf(''), bodyStart: 0, bodyEnd: 0 })
  const bytes = Math.min(3 * PREPARE_FROM_BYTES * 2 + 5, engine.limits.groupBytes - 4 * fixed - 64)
  const body = new Uint8Array(bytes).map((_, index) => (index * seed + (index >>> 8)) & 0xff)
  return { ...content('large'), body, bodyStart: 1, bodyEnd: bytes }
}

function bodyBytes(record: LogRecord | undefined): Uint8Array {
  return record?.body?.subarray(record.bodyStart, record.bodyEnd) ?? new Uint8Array(0)
}
