/** Random histories of one partition and the catalog, beside a model that is a list and a map. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import * as fc from 'fast-check'
import { expect } from 'vitest'
import type { Engine, LogRecord, Lsn } from '../engine.ts'
import type { Appender } from './appender.ts'
import type { ConformanceCase } from './records.ts'
import { Conflict } from '../errors.ts'
import { bodyOf, bookkeeping, bytesOf, content, own, rejection, scanAll, tailNow, textOf, valueOf } from './records.ts'

type Step =
  | { readonly do: 'submit'; readonly kinds: readonly boolean[] }
  | { readonly do: 'oversize' | 'outcomes' | 'takeover' | 'check' }
  | { readonly do: 'release' | 'read' | 'snapshot'; readonly place: number; readonly span: number }
  | { readonly do: 'define'; readonly keys: readonly number[]; readonly stale: boolean; readonly remove: boolean }

const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('submit' as const),
        kinds: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('oversize' as const, 'outcomes' as const, 'takeover' as const, 'check' as const),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom('release' as const, 'read' as const, 'snapshot' as const),
        place: fc.double({ min: 0, max: 1, noNaN: true }),
        span: fc.nat(5),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('define' as const),
        keys: fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 3 }),
        stale: fc.boolean(),
        remove: fc.boolean(),
      }),
    },
  ),
  // Left to itself fast-check makes ten steps at most, too few for a flaw that shows in the third look at a record.
  { maxLength: 60, size: 'max' },
)

interface Committed {
  readonly lsn: Lsn
  readonly value: string
  readonly body: string | undefined
  released: boolean
}

interface Submitted {
  readonly ticket: number
  readonly group: readonly LogRecord[]
  readonly by: Appender
}

class Model {
  readonly #engine: Engine
  #owner: Awaited<ReturnType<typeof own>>
  #submitted: Submitted[] = []
  readonly #log: Committed[] = []
  #snapshotAt: Lsn = 0
  readonly #entries = new Map<string, { rev: number; text: string }>()
  #count = 0

  static async start(engine: Engine): Promise<Model> {
    return new Model(engine, await own(engine.partition(0)))
  }

  constructor(engine: Engine, owner: Awaited<ReturnType<typeof own>>) {
    this.#engine = engine
    this.#owner = owner
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'submit':
        return this.#submit(step.kinds.map((isContent) => (isContent ? content : bookkeeping)(`${this.#count++}`)))
      case 'oversize':
        return this.#submit(Array.from({ length: this.#engine.limits.groupRecords + 1 }, () => content('x')))
      case 'outcomes':
        return this.#outcomes()
      case 'takeover':
        this.#owner = await own(this.#engine.partition(0))
        return
      case 'release':
        return this.#releaseAndLook(step.place, step.span)
      case 'read':
        return this.#read(step.place, step.span)
      case 'snapshot':
        return this.#snapshot(step.place)
      case 'define':
        return this.#define(step.keys, step.stale, step.remove)
      case 'check':
        return this.check()
    }
  }

  /** The log as everybody sees it is the model's. */
  async check(): Promise<void> {
    await this.#outcomes()
    const { trimmedTo, records } = await tailNow(this.#engine.partition(0))
    expect(trimmedTo).toBeLessThanOrEqual(this.#snapshotAt)
    const byLsn = new Map(this.#log.map((record) => [record.lsn, record]))
    for (const record of records) expect(valueOf(record)).toBe(byLsn.get(record.lsn)?.value)
    const due = this.#log.filter(({ lsn, released }) => lsn > trimmedTo && !released)
    expect(records.map(({ lsn }) => lsn).filter((lsn) => byLsn.get(lsn)?.released === false)).toEqual(
      due.map(({ lsn }) => lsn),
    )
    const found = await this.#engine.partition(0).read(this.#log.map(({ lsn }) => lsn))
    expect(found.map(bodyOf)).toEqual(this.#log.map(({ body, released }) => (released ? undefined : body)))
    const entries = (await scanAll(this.#engine, 'm/')).map(({ key, rev, value }) => [
      key,
      { rev, text: textOf(value) },
    ])
    expect(entries).toEqual([...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }

  #submit(group: readonly LogRecord[]): void {
    const by = this.#owner.appender
    this.#submitted.push({ ticket: by.submit(group), group, by })
  }

  async #outcomes(): Promise<void> {
    const submitted = this.#submitted
    this.#submitted = []
    for (const { ticket, group, by } of submitted) {
      const outcome = await by.outcome(ticket)
      const fits = group.length <= this.#engine.limits.groupRecords
      if (outcome.kind === 'failed') expect([fits, outcome.error.reason]).toEqual([false, 'too-big'])
      else if (outcome.kind === 'ended') expect(by, 'the present owner is not fenced').not.toBe(this.#owner.appender)
      else expect(fits).toBe(true)
      if (outcome.kind !== 'committed') continue
      group.forEach((record, index) => {
        this.#log.push({ lsn: outcome.lsns[index] ?? 0, value: valueOf(record), body: bodyOf(record), released: false })
      })
    }
    const lsns = this.#log.map(({ lsn }) => lsn)
    expect(lsns).toEqual([...new Set(lsns)].toSorted((a, b) => a - b))
  }

  #pick(place: number, span: number): Committed[] {
    const start = Math.floor(place * this.#log.length)
    return this.#log.slice(start, start + 1 + span)
  }

  /** Every release is looked at, and half of them from a log that was read there before. */
  async #releaseAndLook(place: number, span: number): Promise<void> {
    if (span % 2 === 0) await this.#read(place, span)
    this.#release(place, span)
    await this.#read(place, span)
  }

  #release(place: number, span: number): void {
    const picked = this.#pick(place, span)
    const [first, last] = [picked[0], picked.at(-1)]
    if (first === undefined || last === undefined) return
    this.#owner.ownership.release(first.lsn, last.lsn)
    for (const record of picked) record.released ||= record.body !== undefined
  }

  async #read(place: number, span: number): Promise<void> {
    const picked = this.#pick(place, span).toReversed()
    const found = await this.#engine.partition(0).read(picked.map(({ lsn }) => lsn))
    expect(found.map(bodyOf)).toEqual(picked.map(({ body, released }) => (released ? undefined : body)))
  }

  async #snapshot(place: number): Promise<void> {
    const at = this.#pick(place, 0)[0]?.lsn
    if (at === undefined || at < this.#snapshotAt) return
    await this.#owner.ownership.putSnapshot(at, [bytesOf(`at ${at}`)])
    this.#snapshotAt = at
    const snapshot = await this.#engine.partition(0).snapshot()
    expect([snapshot?.at, snapshot?.data.map(textOf)]).toEqual([at, [`at ${at}`]])
  }

  async #define(keys: readonly number[], stale: boolean, remove: boolean): Promise<void> {
    const ops = keys.map((number, index) => {
      const key = `m/${number}`
      const rev = this.#entries.get(key)?.rev ?? 0
      const isWrong = stale && index === keys.length - 1
      return { key, rev: isWrong ? rev + 1 : rev, value: remove ? null : bytesOf(`${this.#count++}`) }
    })
    const result = this.#engine.catalog.commit(ops)
    if (stale) return expect(await rejection(result)).toBeInstanceOf(Conflict)
    const revs = await result
    ops.forEach(({ key, rev, value }, index) => {
      const newRev = revs[index] ?? 0
      expect(newRev).toBeGreaterThan(rev)
      if (value === null) this.#entries.delete(key)
      else this.#entries.set(key, { rev: newRev, text: textOf(value) })
    })
  }
}

/** Random histories that one run of the suite tries. */
const HISTORIES = 60

export const modelCase: ConformanceCase = {
  name: 'random histories leave what a list and a map would hold',
  run: (open) =>
    fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const engine = await open()
        const model = await Model.start(engine)
        for (const step of history) await model.take(step)
        await model.check()
        await engine.close()
      }),
      { numRuns: HISTORIES },
    ),
}
