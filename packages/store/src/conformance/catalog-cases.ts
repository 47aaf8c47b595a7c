/** What every engine's catalog must do: revisions, atomic commits, scans, watches. */
// oxlint-disable vitest/no-standalone-expect -- suite.ts makes a test of each case
import { expect } from 'vitest'
import type { CatalogNews, Engine } from '../engine.ts'
import type { ConformanceCase } from './records.ts'
import { Conflict, NotAppended } from '../errors.ts'
import { bytesOf, rejection, scanAll, textOf, withEngine } from './records.ts'

export const catalogCases: readonly ConformanceCase[] = [
  withEngine('a key has the value and the revision of its last commit', async (engine) => {
    const { catalog } = engine
    expect(await catalog.get('user/ann')).toBeUndefined()
    const [first = 0] = await catalog.commit([{ key: 'user/ann', value: bytesOf('1') }])
    const [second = 0] = await catalog.commit([{ key: 'user/ann', value: bytesOf('2') }])
    expect(first).toBeGreaterThan(0)
    expect(second).toBeGreaterThan(first)
    expect(await catalog.get('user/ann')).toEqual({ key: 'user/ann', rev: second, value: bytesOf('2') })
    const [deleted = 0] = await catalog.commit([{ key: 'user/ann', value: null }])
    expect(await catalog.get('user/ann')).toBeUndefined()
    const [again = 0] = await catalog.commit([{ key: 'user/ann', value: bytesOf('3') }])
    expect(again, 'revisions ascend across deletion').toBeGreaterThan(Math.max(second, deleted))
    expect(await catalog.commit([])).toEqual([])
  }),

  withEngine('a commit happens only at the revisions it names', async (engine) => {
    const { catalog } = engine
    const [rev = 0] = await catalog.commit([{ key: 'queue/q', rev: 0, value: bytesOf('made') }])
    const conflict = await rejection(catalog.commit([{ key: 'queue/q', rev: 0, value: bytesOf('made twice') }]))
    expect(conflict).toBeInstanceOf(Conflict)
    expect(conflict).toMatchObject({ key: 'queue/q', expectedRev: 0, foundRev: rev })
    expect(await rejection(catalog.commit([{ key: 'queue/q', rev: rev + 1, value: null }]))).toBeInstanceOf(Conflict)
    expect(await rejection(catalog.commit([{ key: 'queue/none', rev, value: null }]))).toBeInstanceOf(Conflict)
    expect(textOf((await catalog.get('queue/q'))?.value ?? bytesOf(''))).toBe('made')
    const [next = 0] = await catalog.commit([{ key: 'queue/q', rev, value: null }])
    expect(next).toBeGreaterThan(rev)
    await catalog.commit([{ key: 'queue/q', rev: 0, value: bytesOf('made anew') }])
  }),

  withEngine('of many commits from one revision one wins', async (engine) => {
    const attempts = Array.from({ length: 20 }, (_, index) =>
      engine.catalog.commit([{ key: 'lease/p', rev: 0, value: bytesOf(`${index}`) }]).then(
        () => index,
        (error: unknown) => error,
      ),
    )
    const results = await Promise.all(attempts)
    const winners = results.filter((result) => typeof result === 'number')
    expect(winners).toHaveLength(1)
    expect(results.filter((result) => result instanceof Conflict)).toHaveLength(19)
    expect(textOf((await engine.catalog.get('lease/p'))?.value ?? bytesOf(''))).toBe(`${winners[0]}`)
  }),

  withEngine('a commit of several keys does all or nothing', async (engine) => {
    const { catalog } = engine
    const [a = 0, b = 0] = await catalog.commit([
      { key: 'q/a', value: bytesOf('a1') },
      { key: 'q/b', value: bytesOf('b1') },
    ])
    const stale = [
      { key: 'q/a', rev: a, value: bytesOf('a2') },
      { key: 'q/c', value: bytesOf('c2') },
      { key: 'q/b', rev: b + 1_000, value: null },
    ]
    expect(await rejection(catalog.commit(stale))).toBeInstanceOf(Conflict)
    expect(await contents(engine, 'q/')).toEqual({ 'q/a': 'a1', 'q/b': 'b1' })
    await catalog.commit(stale.map((op) => (op.key === 'q/b' ? { ...op, rev: b } : op)))
    expect(await contents(engine, 'q/')).toEqual({ 'q/a': 'a2', 'q/c': 'c2' })
  }),

  withEngine(
    'a commit over several shards, of one key twice or without a shard is refused as a mistake',
    async (engine) => {
      const value = bytesOf('v')
      const commit = (...keys: string[]) => rejection(engine.catalog.commit(keys.map((key) => ({ key, value }))))
      expect(await commit('x/1', 'y/1')).toBeInstanceOf(RangeError)
      expect(await commit('x/1', 'x/1')).toBeInstanceOf(RangeError)
      expect(await commit('x')).toBeInstanceOf(RangeError)
      expect(await commit('/x')).toBeInstanceOf(RangeError)
      expect(await scanAll(engine, '')).toEqual([])
    },
  ),

  withEngine('a key or a value over its limit is refused and nothing of the commit is done', async (engine) => {
    const { keyLength, valueBytes } = engine.limits
    const longest = `k/${'x'.repeat(keyLength - 2)}`
    const small = { key: 'k/small', value: bytesOf('v') }
    const tooLong = await rejection(engine.catalog.commit([small, { key: `${longest}x`, value: bytesOf('v') }]))
    const tooBig = await rejection(
      engine.catalog.commit([small, { key: 'k/big', value: new Uint8Array(valueBytes + 1) }]),
    )
    for (const error of [tooLong, tooBig]) {
      expect(error).toBeInstanceOf(NotAppended)
      expect(error).toMatchObject({ reason: 'too-big' })
    }
    expect(await scanAll(engine, '')).toEqual([])
    await engine.catalog.commit([{ key: longest, value: new Uint8Array(valueBytes) }])
    expect((await scanAll(engine, ''))[0]?.value).toHaveLength(valueBytes)
  }),

  withEngine('a scan shows each key of its prefix once', async (engine) => {
    for (let start = 0; start < 1_500; start += 100) {
      await engine.catalog.commit(
        Array.from({ length: 100 }, (_, index) => ({ key: `q/${start + index}`, value: bytesOf(`${start + index}`) })),
      )
    }
    await engine.catalog.commit([{ key: 'qq/1', value: bytesOf('another shard') }])
    const entries = await scanAll(engine, 'q/')
    const keys = Array.from({ length: 1_500 }, (_, index) => `q/${index}`)
    expect(entries.map(({ key }) => key)).toEqual(keys.toSorted())
    for (const { key, value } of entries) expect(`q/${textOf(value)}`).toBe(key)
    expect((await scanAll(engine, 'q/14')).map(({ key }) => key)).toEqual(
      keys.filter((key) => key.startsWith('q/14')).toSorted(),
    )
    expect(await scanAll(engine, 'none/')).toEqual([])
  }),

  withEngine('a watch tells what is there and then every change of its prefix', async (engine) => {
    const { catalog } = engine
    const stop = new AbortController()
    await catalog.commit([{ key: 'q/old', value: bytesOf('old') }])
    const watch = catalog.watch('q/', stop.signal)[Symbol.asyncIterator]()
    const told = new Map<string, string | null>()
    await tellUntil(watch, told, (news) => news.synced)
    expect([...told]).toEqual([['q/old', 'old']])
    await catalog.commit([{ key: 'other/x', value: bytesOf('not watched') }])
    await catalog.commit([{ key: 'q/new', value: bytesOf('new') }])
    await tellUntil(watch, told, () => told.has('q/new'))
    await catalog.commit([{ key: 'q/old', value: null }])
    await tellUntil(watch, told, () => told.get('q/old') === null)
    expect(Object.fromEntries(told)).toEqual({ 'q/new': 'new', 'q/old': null })
    const waiting = watch.next()
    stop.abort()
    expect((await waiting).done).toBe(true)
  }),

  withEngine('a watch of nothing says at once that it is synced', async (engine) => {
    const stop = new AbortController()
    const watch = engine.catalog.watch('none/', stop.signal)[Symbol.asyncIterator]()
    await tellUntil(watch, new Map(), (news) => news.synced)
    stop.abort()
  }),

  withEngine('a watch that is read slowly ends with the last state and never goes back', async (engine) => {
    const { catalog } = engine
    const stop = new AbortController()
    const watch = catalog.watch('q/', stop.signal)[Symbol.asyncIterator]()
    await watch.next()
    for (let round = 1; round <= 50; round++) {
      await catalog.commit([
        { key: 'q/a', value: bytesOf(`${round}`) },
        { key: 'q/b', value: round % 2 === 0 ? null : bytesOf(`${round}`) },
      ])
    }
    const revs = new Map<string, number>()
    const told = new Map<string, string | null>()
    await tellUntil(watch, told, (news) => {
      for (const { key, rev } of news.changes) {
        expect(rev).toBeGreaterThan(revs.get(key) ?? 0)
        revs.set(key, rev)
      }
      return told.get('q/a') === '50' && told.get('q/b') === null
    })
    stop.abort()
  }),
]

async function contents(engine: Engine, prefix: string): Promise<Record<string, string>> {
  return Object.fromEntries((await scanAll(engine, prefix)).map(({ key, value }) => [key, textOf(value)]))
}

/** Takes news into `told` until `enough` says so. */
async function tellUntil(
  watch: AsyncIterator<CatalogNews, void>,
  told: Map<string, string | null>,
  enough: (news: CatalogNews) => boolean,
): Promise<void> {
  for (;;) {
    const { done, value } = await watch.next()
    if (done === true) throw new Error('the watch ended early')
    for (const change of value.changes) told.set(change.key, change.value === null ? null : textOf(change.value))
    if (enough(value)) return
  }
}
