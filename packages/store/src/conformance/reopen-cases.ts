/** What outlives an engine that honours more than 'memory'. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import { expect } from 'vitest'
import type { Engine, Lsn, Stored } from '../engine.ts'
import type { ReopenCase } from './records.ts'
import { PREPARE_FROM_BYTES } from '../engine.ts'
import { bodyOf, bookkeeping, bytesOf, content, ingest, own, scanAll, tailNow, textOf, valueOf } from './records.ts'

export const reopenCases: readonly ReopenCase[] = [
  reopened('what is in the log is in it after a restart, in every detail', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    for (let index = 0; index < 40; index++) await appender.append([content(`c${index}`), bookkeeping(`b${index}`)])
    await ingest(log).append([content('ingested')])
    const other = await own(engine.partition(3))
    await other.appender.append([content('another partition')])
    const before = await Promise.all([0, 3].map((id) => tailNow(engine.partition(id))))
    return async (young) => {
      const after = await Promise.all([0, 3].map((id) => tailNow(young.partition(id))))
      expect(after.map(({ records }) => records.map(whole))).toEqual(before.map(({ records }) => records.map(whole)))
      const lsns = before[0]?.records.map(({ lsn }) => lsn) ?? []
      const contents = (await young.partition(0).read(lsns)).map(bodyOf)
      expect(contents).toEqual(before[0]?.records.map(bodyOf))
    }
  }),

  reopened('lsns, epochs and writers are fresh after a restart', async (engine) => {
    const { appender, ownership } = await own(engine.partition(0))
    const gateway = ingest(engine.partition(0))
    const lsns = await appender.append([content('old'), content('older')])
    await gateway.append([content('gateway')])
    return async (young) => {
      const next = await own(young.partition(0), 'another node')
      expect(next.ownership.epoch).toBeGreaterThan(Math.max(ownership.epoch, ...lsns))
      expect(ingest(young.partition(0)).writer.id).not.toBe(gateway.writer.id)
      const [lsn = 0] = await next.appender.append([content('new')])
      expect(lsn).toBeGreaterThan(next.ownership.epoch)
      expect((await tailNow(young.partition(0))).records.map(bodyOf)).toEqual(['old', 'older', 'gateway', 'new'])
    }
  }),

  reopened('what was released before a snapshot stays released after a restart', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const lsns: Lsn[] = []
    for (let index = 0; index < 60; index++) {
      lsns.push(...(await appender.append([content(`${index}`), bookkeeping(`settles ${index}`)])))
    }
    const contents = lsns.filter((_, index) => index % 2 === 0)
    const released = contents.filter((_, index) => index % 3 !== 0)
    for (const lsn of released) ownership.release(lsn, lsn)
    await ownership.putSnapshot(lsns.at(-1) ?? 0, [bytesOf('state')])
    const [late = 0] = await appender.append([content('after the snapshot')])
    return async (young) => {
      const found = await young.partition(0).read([...contents, late])
      const expected = contents.map((lsn) => (released.includes(lsn) ? undefined : lsn))
      expect(found.map((record) => record?.lsn)).toEqual([...expected, late])
      const snapshot = await young.partition(0).snapshot()
      expect([snapshot?.at, snapshot?.data.map(textOf)]).toEqual([lsns.at(-1), ['state']])
      const { trimmedTo, records } = await tailNow(young.partition(0))
      expect(trimmedTo).toBeLessThanOrEqual(lsns.at(-1) ?? 0)
      expect(records.at(-1)?.lsn).toBe(late)
    }
  }),

  reopened('bytes since the snapshot are those that a restart has to read', async (engine) => {
    const { appender, ownership } = await own(engine.partition(0))
    const [lsn = 0] = await appender.append([content('x'.repeat(2_000))])
    expect(ownership.bytesSinceSnapshot).toBeGreaterThan(4_000)
    await ownership.putSnapshot(lsn, [])
    expect(ownership.bytesSinceSnapshot).toBeLessThan(4_000)
    await appender.append([content('x'.repeat(3_000))])
    return async (young) => {
      const next = await own(young.partition(0))
      expect(next.ownership.bytesSinceSnapshot).toBeGreaterThan(6_000)
      expect(next.ownership.bytesSinceSnapshot).toBeLessThan(9_000)
    }
  }),

  reopened('a prepared body without a record is forgotten, one with a record is there', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const bytes = Math.min(3 * PREPARE_FROM_BYTES, engine.limits.groupBytes - 1_000)
    const large = (text: string) => ({
      ...content(text),
      body: new Uint8Array(bytes).fill(7),
      bodyStart: 0,
      bodyEnd: bytes,
    })
    await appender.writer.prepare(large('never submitted'))
    const { record } = await appender.writer.prepare(large('submitted'))
    const [lsn = 0] = await appender.append([record])
    return async (young) => {
      expect((await tailNow(young.partition(0))).records.map((each) => each.lsn)).toEqual([lsn])
      const [found] = await young.partition(0).read([lsn])
      expect(found?.body?.subarray(found.bodyStart, found.bodyEnd)).toEqual(record.body)
    }
  }),

  reopened('the catalog is there after a restart, and its revisions go on', async (engine) => {
    const { catalog } = engine
    const [deleted = 0] = await catalog.commit([{ key: 'q/gone', value: bytesOf('1') }])
    await catalog.commit([{ key: 'q/gone', value: null, rev: deleted }])
    for (let index = 0; index < 30; index++)
      await catalog.commit([{ key: `q/${index % 7}`, value: bytesOf(`${index}`) }])
    const before = await scanAll(engine, '')
    return async (young) => {
      expect(await scanAll(young, '')).toEqual(before)
      const [rev = 0] = await young.catalog.commit([{ key: 'q/gone', rev: 0, value: bytesOf('again') }])
      expect(rev).toBeGreaterThan(Math.max(...before.map((entry) => entry.rev)))
    }
  }),
]

/** `fill` prepares an engine; what it returns looks at what the next one finds. */
function reopened(name: string, fill: (engine: Engine) => Promise<(engine: Engine) => Promise<void>>): ReopenCase {
  return {
    name,
    run: async (open, reopen) => {
      const engine = await open()
      const look = await fill(engine)
      const young = await reopen(engine)
      try {
        await look(young)
      } finally {
        await young.close()
      }
    },
  }
}

/** All of a record that must outlive the process. */
function whole(record: Stored): readonly unknown[] {
  return [record.lsn, record.epoch, record.writer, record.atMs, valueOf(record)]
}
