/** What every engine must do about ownership: one owner at a time, and a stale one without effect. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import { expect } from 'vitest'
import type { ConformanceCase } from './records.ts'
import { Busy, Fenced, NotAppended } from '../errors.ts'
import { bodyOf, bytesOf, content, ingest, own, rejection, tailNow, withEngine } from './records.ts'

export const ownerCases: readonly ConformanceCase[] = [
  withEngine('another node waits until the owner resigns', async (engine) => {
    const log = engine.partition(0)
    const a = await own(log, 'a')
    expect(await rejection(own(log, 'b'))).toBeInstanceOf(Busy)
    expect(a.ownership.lost.aborted).toBe(false)
    await a.appender.append([content('still mine')])
    const last = a.appender.submit([content('the last')])
    await a.ownership.resign()
    await a.ownership.resign()
    expect(a.appender.waiting).toBe(0)
    expect(await a.appender.outcome(last)).toMatchObject({ kind: 'committed' })
    expect(a.ownership.lost.aborted).toBe(true)
    const b = await own(log, 'b')
    expect(b.ownership.epoch).toBeGreaterThan(a.ownership.epoch)
    await b.appender.append([content('now b')])
    expect((await tailNow(log)).records.map(bodyOf)).toEqual(['still mine', 'the last', 'now b'])
  }),

  withEngine(
    'a new life of a node replaces the old one at once, and the old one has no effect any more',
    async (engine) => {
      const log = engine.partition(0)
      const old = await own(log)
      const [kept = 0] = await old.appender.append([content('kept')])
      const young = await own(log)
      expect(young.ownership.epoch).toBeGreaterThan(kept)
      const refused = await old.appender.outcome(old.appender.submit([content('from the past')]))
      expect(refused).toMatchObject({ kind: 'ended', error: { by: young.ownership.epoch } })
      expect(refused.kind === 'ended' && refused.error).toBeInstanceOf(Fenced)
      expect(await old.appender.outcome(old.appender.submit([content('again')]))).toBe(refused)
      expect(old.ownership.lost.aborted).toBe(true)
      old.ownership.release(kept, kept)
      expect(await rejection(old.ownership.putSnapshot(kept, [bytesOf('stale')]))).toBeInstanceOf(Fenced)
      expect(await rejection(old.ownership.renew())).toBeInstanceOf(Fenced)
      await old.ownership.resign()
      expect(await rejection(own(log, 'b')), 'resigning a lost ownership gives nothing away').toBeInstanceOf(Busy)
      await young.ownership.renew()
      await young.appender.append([content('young')])
      expect((await tailNow(log)).records.map(bodyOf)).toEqual(['kept', 'young'])
      expect((await log.read([kept])).map(bodyOf)).toEqual(['kept'])
      expect(await log.snapshot()).toBeUndefined()
    },
  ),

  withEngine(
    'of what was pending at a takeover exactly a prefix is in the log, before the new epoch',
    async (engine) => {
      const log = engine.partition(0)
      const old = await own(log)
      const tickets = Array.from({ length: 30 }, (_, index) =>
        old.appender.submit([content(`${index}a`), content(`${index}b`)]),
      )
      const young = await own(log)
      tickets.push(old.appender.submit([content('30a'), content('30b')]))
      const outcomes = await Promise.all(tickets.map((ticket) => old.appender.outcome(ticket)))
      const committed = outcomes.filter(({ kind }) => kind === 'committed').length
      expect(outcomes.map(({ kind }) => kind)).toEqual(
        tickets.map((_, index) => (index < committed ? 'committed' : 'ended')),
      )
      await young.appender.append([content('young')])
      const { records } = await tailNow(log)
      const prefix = tickets.slice(0, committed).flatMap((_, index) => [`${index}a`, `${index}b`])
      expect(records.map(bodyOf)).toEqual([...prefix, 'young'])
      for (const { lsn } of records.slice(0, -1)) expect(lsn).toBeLessThan(young.ownership.epoch)
    },
  ),

  withEngine('after resigning nothing goes in under the old epoch', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const [lsn = 0] = await appender.append([content('one')])
    await ownership.resign()
    expect(await rejection(ownership.putSnapshot(lsn, []))).toBeInstanceOf(NotAppended)
    expect(await rejection(ownership.renew())).toBeInstanceOf(NotAppended)
    expect(await appender.outcome(appender.submit([content('two')]))).toMatchObject({
      kind: 'failed',
      error: { reason: 'closed' },
    })
    ownership.release(lsn, lsn)
    expect((await log.read([lsn])).map(bodyOf)).toEqual(['one'])
  }),

  withEngine('a writer without ownership goes on through a takeover', async (engine) => {
    const log = engine.partition(0)
    await own(log)
    const gateway = ingest(log)
    await gateway.append([content('before')])
    await own(log)
    await gateway.append([content('after')])
    expect((await tailNow(log)).records.map(({ epoch }) => epoch)).toEqual([0, 0])
  }),
]
