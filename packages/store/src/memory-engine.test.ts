import { describe, expect, test } from 'vitest'
import type { EngineClock } from './env.ts'
import { Appender } from './conformance/appender.ts'
import { bodyOf, bookkeeping, bytesOf, content, own, rejection } from './conformance/records.ts'
import { engineConformance } from './conformance/suite.ts'
import { recordBytes } from './engine.ts'
import { Busy, NotAppended } from './errors.ts'
import { MemoryEngine } from './memory-engine.ts'

/** Turns of the real event loop. */
const loopClock: EngineClock = {
  wallMs: () => 1_700_000_000_000,
  monoMs: () => 0,
  endOfTurn: (f) => void setImmediate(f),
}

// Groups small enough that going over the limit costs nothing.
engineConformance(
  'memory',
  async () =>
    new MemoryEngine({ clock: loopClock }, { limits: { groupBytes: 65_536, groupRecords: 64, valueBytes: 4_096 } }),
)

/** Time and turns move when the test says so. */
class StepClock implements EngineClock {
  ms = 0
  readonly #turn: (() => void)[] = []

  wallMs(): number {
    return 1_700_000_000_000 + this.ms
  }

  monoMs(): number {
    return this.ms
  }

  endOfTurn(f: () => void): void {
    this.#turn.push(f)
  }

  runTurn(): void {
    for (let f = this.#turn.shift(); f !== undefined; f = this.#turn.shift()) f()
  }
}

describe('memory engine', () => {
  test('a turn of many groups is one commit and one outcome', async () => {
    const clock = new StepClock()
    const engine = new MemoryEngine({ clock })
    const calls: unknown[] = []
    const owner = { onCommitted: (...args: number[]) => void calls.push(args), onFailed: () => {}, onEnded: () => {} }
    const { log, epoch } = await engine.partition(0).own({ node: 'a', ttlMs: Infinity }, owner)
    for (let ticket = 1; ticket <= 1_000; ticket++) log.submit([content('x'), bookkeeping('y')], ticket, 'memory')
    expect(calls).toEqual([])
    clock.runTurn()
    expect(calls).toEqual([[1_000, epoch + 1, 1_700_000_000_000]])
  })

  test('an outcome may submit again, which is the next batch', async () => {
    const clock = new StepClock()
    const engine = new MemoryEngine({ clock })
    const firstLsns: number[] = []
    const owner = {
      onCommitted: (ticket: number, firstLsn: number) => {
        firstLsns.push(firstLsn)
        if (ticket < 5) log.submit([content('again')], ticket + 1, 'memory')
      },
      onFailed: () => {},
      onEnded: () => {},
    }
    const { log, epoch } = await engine.partition(0).own({ node: 'a', ttlMs: Infinity }, owner)
    log.submit([content('first')], 1, 'memory')
    clock.runTurn()
    expect(firstLsns).toEqual([1, 2, 3, 4, 5].map((place) => epoch + place))
  })

  test('content over maxBytes is refused as full until something is released, settles are not', async () => {
    const clock = new StepClock()
    const record = content('x'.repeat(1_000))
    const each = recordBytes(record)
    const engine = new MemoryEngine({ clock }, { maxBytes: 16 * each })
    const { appender, ownership } = await own(engine.partition(0))
    const put = async (group = [record]) => {
      const ticket = appender.submit(group)
      clock.runTurn()
      return appender.outcome(ticket)
    }
    const lsns: number[] = []
    for (let count = 0; count < 15; count++) {
      const outcome = await put()
      if (outcome.kind === 'committed') lsns.push(...outcome.lsns)
    }
    expect(lsns).toHaveLength(15)
    const full = await put()
    expect(full).toMatchObject({ kind: 'failed', error: { reason: 'full' } })
    expect(full.kind === 'failed' && full.error.message).toContain(`maxBytes ${16 * each}`)
    expect(await put([bookkeeping('settle')]), 'a settle goes into the reserve').toMatchObject({ kind: 'committed' })
    ownership.release(lsns[0] ?? 0, lsns[1] ?? 0)
    expect(await put()).toMatchObject({ kind: 'committed' })
  })

  test('memory comes back when content is released and bookkeeping is covered by a snapshot', async () => {
    const clock = new StepClock()
    const engine = new MemoryEngine({ clock })
    const { appender, ownership } = await own(engine.partition(0))
    const ticket =
      Array.from({ length: 2_000 }, (_, index) => appender.submit([content(`${index}`), bookkeeping(`${index}`)])).at(
        -1,
      ) ?? 0
    expect(appender.writer.pendingBytes).toBe(engine.usedBytes)
    clock.runTurn()
    const outcome = await appender.outcome(ticket)
    const last = outcome.kind === 'committed' ? (outcome.lsns.at(-1) ?? 0) : 0
    expect(appender.writer.pendingBytes).toBe(0)
    expect(engine.usedBytes).toBeGreaterThan(0)
    ownership.release(0, last)
    await ownership.putSnapshot(last, [bytesOf('12345678')])
    expect(engine.usedBytes).toBe(8)
    await ownership.putSnapshot(last, [])
    expect(engine.usedBytes).toBe(0)
  })

  test('bytes of groups that never went in are given back', async () => {
    const clock = new StepClock()
    const engine = new MemoryEngine({ clock })
    const old = await own(engine.partition(0))
    const fenced = old.appender.submit([content('pending at the takeover')])
    await own(engine.partition(0))
    clock.runTurn()
    expect(await old.appender.outcome(fenced)).toMatchObject({ kind: 'ended' })
    expect(engine.usedBytes).toBe(0)
  })

  test('one record that stays does not keep its neighbours', async () => {
    const clock = new StepClock()
    const engine = new MemoryEngine({ clock })
    const { appender, ownership } = await own(engine.partition(0))
    const tickets = Array.from({ length: 10_000 }, (_, index) => appender.submit([content(`${index}`)]))
    clock.runTurn()
    const outcome = await appender.outcome(tickets[5_000] ?? 0)
    const stays = outcome.kind === 'committed' ? (outcome.lsns[0] ?? 0) : 0
    ownership.release(0, stays - 1)
    ownership.release(stays + 1, stays + 10_000)
    expect(engine.usedBytes).toBe(recordBytes(content('5000')))
    expect((await engine.partition(0).read([stays])).map(bodyOf)).toEqual(['5000'])
  })

  test('a writer is not ready while more than pendingHighBytes wait', async () => {
    const clock = new StepClock()
    const record = content('x')
    const engine = new MemoryEngine({ clock }, { pendingHighBytes: recordBytes(record) })
    const { appender } = await own(engine.partition(0))
    appender.submit([record])
    expect(appender.writer.ready).toBe(true)
    appender.submit([record])
    expect(appender.writer.ready).toBe(false)
    clock.runTurn()
    expect(appender.writer.ready).toBe(true)
  })

  test('an owner that does not renew can be replaced by another node after its time', async () => {
    const clock = new StepClock()
    const log = new MemoryEngine({ clock }).partition(0)
    const a = await log.own({ node: 'a', ttlMs: 1_000 }, new Appender())
    clock.ms = 999
    expect(await rejection(own(log, 'b'))).toBeInstanceOf(Busy)
    await a.renew()
    clock.ms = 1_998
    expect(await rejection(own(log, 'b'))).toBeInstanceOf(Busy)
    clock.ms = 1_999
    await own(log, 'b')
    expect(a.lost.aborted).toBe(true)
  })

  test('a full catalog refuses a commit and takes a deletion', async () => {
    const engine = new MemoryEngine({ clock: new StepClock() }, { maxBytes: 1_000 })
    await engine.catalog.commit([{ key: 'q/a', value: new Uint8Array(500) }])
    const full = await rejection(engine.catalog.commit([{ key: 'q/b', value: new Uint8Array(500) }]))
    expect(full).toBeInstanceOf(NotAppended)
    expect(full).toMatchObject({ reason: 'full' })
    await engine.catalog.commit([{ key: 'q/a', value: null }])
    expect(engine.usedBytes).toBe(0)
    await engine.catalog.commit([{ key: 'q/b', value: new Uint8Array(500) }])
  })

  test('a catalog commit after close is refused', async () => {
    const engine = new MemoryEngine({ clock: new StepClock() })
    await engine.close()
    expect(await rejection(engine.catalog.commit([{ key: 'q/a', value: null }]))).toMatchObject({ reason: 'closed' })
  })
})
