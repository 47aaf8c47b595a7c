/** What every engine's partition logs must do: groups, order, levels, tails, reads, snapshots. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import { expect } from 'vitest'
import type { ConformanceCase } from './records.ts'
import { DURABILITIES, durabilityGiven, recordBytes } from '../engine.ts'
import { NotAppended } from '../errors.ts'
import {
  bodyOf,
  bookkeeping,
  bytesOf,
  content,
  ingest,
  own,
  rejection,
  tailNow,
  tailUntil,
  textOf,
  valueOf,
  withEngine,
} from './records.ts'

export const logCases: readonly ConformanceCase[] = [
  withEngine('the records of a group are next to each other, whoever else writes', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const gateways = [ingest(log), ingest(log)]
    const expected = new Map<string, readonly string[]>()
    const waits: Promise<readonly number[]>[] = []
    for (let index = 0; index < 60; index++) {
      const writer = [appender, ...gateways][index % 3] ?? appender
      const group = Array.from({ length: 1 + (index % 4) }, (_, part) => content(`${index}.${part}`))
      const values = group.map(valueOf)
      expected.set(values[0] ?? '', values)
      waits.push(writer.append(group))
    }
    const lsns = await Promise.all(waits)
    for (const run of lsns) expect(run).toEqual(run.map((_, part) => (run[0] ?? 0) + part))
    const { records } = await tailNow(log)
    for (let at = 0; at < records.length;) {
      const group = expected.get(
        records
          .slice(at, at + 1)
          .map(valueOf)
          .join(''),
      )
      expect(group, `record ${at} begins a group`).toBeDefined()
      expect(records.slice(at, at + (group?.length ?? 1)).map(valueOf)).toEqual(group)
      at += group?.length ?? 1
    }
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns.flat().toSorted((a, b) => a - b))
  }),

  withEngine(
    'groups of one writer stand in the log in the order of their tickets, at the lsns that were told',
    async (engine) => {
      const log = engine.partition(0)
      const { appender } = await own(log)
      const values: string[] = []
      const tickets: number[] = []
      for (let index = 0; index < 50; index++) {
        const group = [content(`c${index}`), bookkeeping(`b${index}`)]
        values.push(...group.map(valueOf))
        tickets.push(appender.submit(group, DURABILITIES[index % DURABILITIES.length]))
        if (index % 7 === 0) await appender.outcome(tickets.at(-1) ?? 0)
      }
      const outcomes = await Promise.all(tickets.map((ticket) => appender.outcome(ticket)))
      const { records } = await tailNow(log)
      expect(records.map(valueOf)).toEqual(values)
      expect(records.map(({ lsn }) => lsn)).toEqual(
        outcomes.flatMap((outcome) => (outcome.kind === 'committed' ? outcome.lsns : [])),
      )
      expect(appender.writer.pendingBytes).toBe(0)
      expect(appender.writer.ready).toBe(true)
    },
  ),

  withEngine('what was told about a batch is what its records say in the tail', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const gateway = ingest(log)
    const owned = await appender.outcome(appender.submit([content('owned')]))
    const ingested = await gateway.outcome(gateway.submit([content('ingested')]))
    const { records } = await tailNow(log)
    const shown = records.map(({ epoch, writer, atMs }) => ({ epoch, writer, atMs }))
    expect(shown).toEqual([
      { epoch: ownership.epoch, writer: appender.writer.id, atMs: owned.kind === 'committed' ? owned.atMs : undefined },
      { epoch: 0, writer: gateway.writer.id, atMs: ingested.kind === 'committed' ? ingested.atMs : undefined },
    ])
    expect(appender.writer.id).not.toBe(gateway.writer.id)
  }),

  withEngine(
    'a ticket that does not ascend and a group of nothing are refused by a throw and leave no trace',
    async (engine) => {
      const log = engine.partition(0)
      const { appender } = await own(log)
      const ticket = appender.submit([content('first')])
      expect(() => appender.writer.submit([content('again')], ticket, 'memory')).toThrow(RangeError)
      expect(() => appender.writer.submit([content('not a number')], Number.NaN, 'memory')).toThrow(RangeError)
      expect(() => appender.writer.submit([], ticket + 1, 'memory')).toThrow(RangeError)
      await appender.outcome(ticket)
      await appender.append([content('second')])
      expect((await tailNow(log)).records.map(bodyOf)).toEqual(['first', 'second'])
    },
  ),

  withEngine('the array of a group is the caller’s again when submit returns', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const scratch = [content('one'), content('two')]
    const first = appender.submit(scratch)
    scratch[0] = content('three')
    scratch.length = 1
    const second = appender.submit(scratch)
    scratch.length = 0
    await appender.outcome(first)
    await appender.outcome(second)
    expect((await tailNow(log)).records.map(bodyOf)).toEqual(['one', 'two', 'three'])
  }),

  withEngine('every level is given, or the strongest there is', async (engine) => {
    expect(engine.durabilities.length).toBeGreaterThan(0)
    const strongest = Math.max(...engine.durabilities.map((level) => DURABILITIES.indexOf(level)))
    const { appender } = await own(engine.partition(0))
    for (const asked of DURABILITIES) {
      const given = durabilityGiven(engine.durabilities, asked)
      expect(engine.durabilities).toContain(given)
      expect(DURABILITIES.indexOf(given)).toBeGreaterThanOrEqual(Math.min(strongest, DURABILITIES.indexOf(asked)))
      expect(await appender.append([content(asked)], asked)).toHaveLength(1)
    }
  }),

  withEngine('a group over a limit fails alone', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const { groupBytes, groupRecords } = engine.limits
    const largest = groupBytes - recordBytes({ ...content(''), body: bytesOf(''), bodyStart: 0, bodyEnd: 0 })
    const body = new Uint8Array(largest + 1)
    const fits = { ...content(''), body, bodyStart: 0, bodyEnd: largest }
    const tooBig = { ...fits, bodyEnd: largest + 1 }
    const before = appender.submit([content('before')])
    const failing = [
      appender.submit([tooBig]),
      appender.submit(Array.from({ length: groupRecords + 1 }, () => bookkeeping('one too many'))),
    ]
    const after = appender.submit([content('after')])
    const failing2 = appender.submit([content('half'), tooBig])
    const lsns = await Promise.all([before, after].map((ticket) => appender.outcome(ticket)))
    expect(lsns.map(({ kind }) => kind)).toEqual(['committed', 'committed'])
    for (const ticket of [...failing, failing2]) {
      const outcome = await appender.outcome(ticket)
      expect(outcome).toMatchObject({ kind: 'failed', error: { reason: 'too-big' } })
    }
    const largestLsns = await appender.append([fits])
    expect((await tailNow(log)).records.map(({ lsn }) => lsn)).toEqual([
      ...lsns.flatMap((outcome) => (outcome.kind === 'committed' ? outcome.lsns : [])),
      ...largestLsns,
    ])
  }),

  withEngine('content is read by its lsn, in the order asked, until it is released', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const [one = 0, two = 0, settle = 0] = await appender.append([
      content('one'),
      content('two'),
      bookkeeping('settle'),
    ])
    const [empty = 0] = await appender.append([content('')])
    const bodies = async () => (await log.read([two, one, settle, empty, empty + 1_000, 0])).map(bodyOf)
    expect(await bodies()).toEqual(['two', 'one', undefined, '', undefined, undefined])
    expect((await log.read([two]))[0]).toMatchObject({ lsn: two, kind: 1, dest: 7, epoch: ownership.epoch })
    ownership.release(one, one)
    ownership.release(one, one)
    expect(await bodies()).toEqual(['two', undefined, undefined, '', undefined, undefined])
    ownership.release(one, empty)
    expect(await bodies()).toEqual([undefined, undefined, undefined, undefined, undefined, undefined])
    const [later = 0] = await appender.append([content('later')])
    ownership.release(later + 1, later + 100_000)
    await appender.append([content('not yet there when released')])
    expect((await log.read([later, later + 1])).map(bodyOf)).toEqual(['later', 'not yet there when released'])
  }),

  withEngine('each of many records is read with its own bytes, and what is not there is left out', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const bodies = Array.from({ length: 300 }, (_, index) => `${index}:`.padEnd(1 + ((index * 7_919) % 4_000), 'x'))
    const lsns = (await Promise.all(bodies.map((body) => appender.append([content(body)])))).flat()
    ownership.release(lsns[4]!, lsns[4]!)
    const readOnce = async (): Promise<void> => {
      const seen = new Map<number, string | undefined>()
      await log.readEach([...lsns, lsns[7]!, 0], (stored, index) => seen.set(index, bodyOf(stored)))
      const expected = [...bodies, bodies[7]]
        .map((body, index) => [index, body] as const)
        .filter(([index]) => index !== 4)
      expect([...seen].toSorted(([one], [other]) => one - other)).toEqual(expected)
    }
    await Promise.all([readOnce(), readOnce(), readOnce(), readOnce()])
  }),

  withEngine('content says when it was committed, in the order asked, until it is released', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const [one = 0, settle = 0, two = 0] = await appender.append([
      content('x'.repeat(9_000)),
      bookkeeping('settle'),
      content('two'),
    ])
    const [three = 0] = await appender.append([content('')])
    const { records } = await tailNow(log)
    const atMs = new Map(records.map((record) => [record.lsn, record.atMs]))
    const [oneAtMs, twoAtMs, threeAtMs] = [one, two, three].map((lsn) => atMs.get(lsn)) as number[]
    expect(await log.committedAtMs([three, one, settle, 0, two, three + 1_000, one])).toEqual([
      threeAtMs,
      oneAtMs,
      undefined,
      undefined,
      twoAtMs,
      undefined,
      oneAtMs,
    ])
    expect(oneAtMs).toBe(twoAtMs)
    ownership.release(two, two)
    expect(await log.committedAtMs([one, two])).toEqual([oneAtMs, undefined])
    expect(await log.committedAtMs([])).toEqual([])
  }),

  withEngine('what the caller throws ends the read, and the next one goes well', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const [lsn = 0] = await appender.append([content('one')])
    for (let round = 0; round < 3; round++) {
      const reading = log.readEach([lsn], () => {
        throw new Error('enough')
      })
      await expect(reading).rejects.toThrow('enough')
    }
    expect((await log.read([lsn])).map(bodyOf)).toEqual(['one'])
  }),

  withEngine('released content may be missing from a tail, nothing else may', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const lsns: number[] = []
    for (let index = 0; index < 600; index++)
      lsns.push(...(await appender.append([content(`c${index}`), bookkeeping(`b${index}`)])))
    const released = new Set(lsns.filter((_, index) => index % 2 === 0 && index % 6 !== 0))
    for (const lsn of released) ownership.release(lsn, lsn)
    const shown = (await tailNow(log)).records.map(({ lsn }) => lsn)
    expect(shown.filter((lsn) => !released.has(lsn))).toEqual(lsns.filter((lsn) => !released.has(lsn)))
    expect(shown).toEqual(shown.toSorted((a, b) => a - b))
  }),

  withEngine('every tail shows the same sequence, begun early, late or in the middle', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const stop = new AbortController()
    const early = log.tail(0, stop.signal)[Symbol.asyncIterator]()
    const first = await early.next()
    expect(first.value).toEqual({ trimmedTo: 0, records: [], head: true })
    const lsns: number[] = []
    for (let index = 0; index < 2_500; index += 10) {
      lsns.push(...(await appender.append(Array.from({ length: 10 }, (_, part) => content(`${index + part}`)))))
    }
    const middle = lsns[1_200] ?? 0
    const all = await tailUntil(early, lsns.at(-1) ?? 0)
    const late = await tailNow(log)
    const rest = await tailNow(log, middle)
    expect(all.map(({ lsn }) => lsn)).toEqual(lsns)
    expect(late.records.map((record) => [record.lsn, record.atMs, valueOf(record)])).toEqual(
      all.map((record) => [record.lsn, record.atMs, valueOf(record)]),
    )
    expect(rest.records.map(({ lsn }) => lsn)).toEqual(lsns.slice(1_201))
    const waiting = early.next()
    stop.abort()
    expect(await waiting).toMatchObject({ done: true })
  }),

  withEngine('a snapshot replaces the one before and lets tails begin there without a gap', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    expect(await log.snapshot()).toBeUndefined()
    const lsns: number[] = []
    for (let index = 0; index < 300; index++)
      lsns.push(...(await appender.append([content(`c${index}`), bookkeeping(`b${index}`)])))
    const stop = new AbortController()
    const slow = log.tail(0, stop.signal)[Symbol.asyncIterator]()
    await ownership.putSnapshot(lsns[99] ?? 0, [bytesOf('older')])
    await ownership.putSnapshot(lsns[399] ?? 0, [bytesOf('new'), bytesOf('er')])
    const snapshot = await log.snapshot()
    expect(snapshot?.at).toBe(lsns[399])
    expect(snapshot?.data.map(textOf).join('')).toBe('newer')
    const { trimmedTo, records } = await tailNow(log)
    expect(trimmedTo).toBeLessThanOrEqual(lsns[399] ?? 0)
    expect(records.map(({ lsn }) => lsn)).toEqual(lsns.filter((lsn) => lsn > trimmedTo))
    expect((await log.read([lsns[0] ?? 0])).map(bodyOf), 'content outlives the snapshot').toEqual(['c0'])
    const { value } = await slow.next()
    expect(value?.records[0]?.lsn, 'a reader that stood before is told').toBe(
      lsns.find((lsn) => lsn > (value?.trimmedTo ?? 0)),
    )
    stop.abort()
  }),

  withEngine('a snapshot of the future or of the past is refused', async (engine) => {
    const log = engine.partition(0)
    const { appender, ownership } = await own(log)
    const [first = 0] = await appender.append([content('first')])
    const [second = 0] = await appender.append([content('second')])
    await ownership.putSnapshot(second, [bytesOf('kept')])
    expect(await rejection(ownership.putSnapshot(first, []))).toBeInstanceOf(RangeError)
    expect(await rejection(ownership.putSnapshot(second + 1, []))).toBeInstanceOf(RangeError)
    expect((await log.snapshot())?.at).toBe(second)
  }),

  withEngine('closing a writer answers everything that was submitted and refuses what comes later', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const tickets = Array.from({ length: 20 }, (_, index) => appender.submit([content(`${index}`)]))
    await appender.writer.close()
    expect(appender.waiting).toBe(0)
    await appender.writer.close()
    const late = await appender.outcome(appender.submit([content('late')]))
    expect(late).toMatchObject({ kind: 'failed', error: { reason: 'closed' } })
    expect(late.kind === 'failed' && late.error).toBeInstanceOf(NotAppended)
    expect((await tailNow(log)).records).toHaveLength(tickets.length)
  }),

  withEngine('closing the engine answers every writer and ends every tail and watch', async (engine) => {
    const log = engine.partition(0)
    const { appender } = await own(log)
    const gateway = ingest(engine.partition(1))
    const never = new AbortController()
    const tail = log.tail(0, never.signal)[Symbol.asyncIterator]()
    const watch = engine.catalog.watch('', never.signal)[Symbol.asyncIterator]()
    await tail.next()
    await watch.next()
    const watched = watch.next()
    appender.submit([content('owned')])
    gateway.submit([content('ingested')])
    await engine.close()
    expect([appender.waiting, gateway.waiting]).toEqual([0, 0])
    expect((await watched).done).toBe(true)
    let batch = await tail.next()
    while (batch.done !== true) batch = await tail.next()
    await engine.close()
  }),

  withEngine('partitions have nothing to do with each other', async (engine) => {
    const [left, right] = [engine.partition(0), engine.partition(engine.limits.partitions - 1)]
    expect(engine.partition(0)).toBe(left)
    const [a, b] = [await own(left), await own(right, 'b')]
    const [lsn = 0] = await a.appender.append([content('left')])
    await b.appender.append([content('right')])
    b.ownership.release(0, lsn + 1_000)
    expect((await tailNow(left)).records.map(bodyOf)).toEqual(['left'])
    expect((await left.read([lsn])).map(bodyOf)).toEqual(['left'])
    for (const id of [-1, 0.5, engine.limits.partitions]) expect(() => engine.partition(id)).toThrow(RangeError)
  }),
]
