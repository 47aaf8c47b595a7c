import type { AuditItem } from '@ternmq/api'
import { Events } from '@ternmq/core'
import { keptPromises, virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import {
  AUDIT_ITEMS_MAX,
  AUDIT_LINES_WAITING_MAX,
  AUDIT_REFUSALS_MAX,
  type AuditEntry,
  type AuditFile,
  AuditLog,
  REFUSALS_PER_SECOND_MAX,
} from './audit.ts'

class TestFile implements AuditFile {
  readonly batches: string[][] = []
  problem: string | undefined = undefined
  isClosed = false

  async readBack(onLine: (line: string) => boolean): Promise<void> {
    if (this.problem !== undefined) throw new Error(this.problem)
    for (const line of this.batches.flat().reverse()) if (!onLine(line)) return
  }

  async append(lines: readonly string[]): Promise<void> {
    if (this.problem !== undefined) throw new Error(this.problem)
    this.batches.push([...lines])
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  get items(): AuditItem[] {
    return this.batches.flat().map((line) => JSON.parse(line) as AuditItem)
  }
}

function setUp(file: TestFile = new TestFile()) {
  const env = virtualEnv()
  const reports: string[] = []
  const audit = new AuditLog({ clock: env.clock, file, report: (text) => reports.push(text) })
  const events = new Events(env.clock, 10)
  audit.listenTo(events)
  const settle = async (): Promise<void> => {
    env.clock.settle()
    await keptPromises()
  }
  return { env, file, reports, audit, events, settle }
}

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  user: 'ann',
  action: 'queues.purge',
  target: 'orders',
  outcome: 'done',
  detail: 'purged 12 messages',
  address: '127.0.0.1',
  by: 'token',
  ...more,
})

const refused = (text: string) =>
  ({ kind: 'refused', source: 'mqtt', text, clientId: 'c1', user: 'bob', peer: '10.0.0.1:5' }) as const

describe('AuditLog', () => {
  it('lists the newest first, by page', () => {
    const { audit } = setUp()
    for (let count = 1; count <= 250; count++) audit.record(entry({ target: `q${count}` }))
    const first = audit.list({})
    expect(first).toHaveLength(100)
    expect(first[0]).toMatchObject({ id: 250, target: 'q250', atMs: 1_767_225_600_000 })
    expect(audit.list({ before: first.at(-1)!.id, limit: 2 }).map(({ id }) => id)).toEqual([150, 149])
  })

  it('finds by user, action, outcome and text', () => {
    const { audit } = setUp()
    audit.record(entry())
    audit.record(entry({ user: 'bob', action: 'users.put', outcome: 'failed', detail: 'No room' }))
    const ids = (query: Parameters<AuditLog['list']>[0]): number[] => audit.list(query).map(({ id }) => id)
    expect(ids({ user: 'bob' })).toEqual([2])
    expect(ids({ action: 'queues.purge' })).toEqual([1])
    expect(ids({ outcome: 'failed' })).toEqual([2])
    expect(ids({ q: 'no ROOM' })).toEqual([2])
    expect(ids({ q: 'orders' })).toEqual([2, 1])
    expect(ids({ q: 'orders', user: 'ann' })).toEqual([1])
  })

  it('finds by time: the first moment is in, the last is not', () => {
    const { audit, env } = setUp()
    const atMs = [1, 2, 3, 4].map(() => {
      audit.record(entry())
      env.clock.advance(1_000)
      return audit.list({ limit: 1 })[0]!.atMs
    })
    expect(audit.list({ sinceMs: atMs[1], untilMs: atMs[3] }).map(({ id }) => id)).toEqual([3, 2])
  })

  it('forgets the oldest in memory, not in the file', async () => {
    const { audit, file, settle } = setUp()
    for (let count = 0; count <= AUDIT_ITEMS_MAX; count++) audit.record(entry())
    await settle()
    expect(audit.list({ limit: Infinity }).at(-1)!.id).toBe(2)
    expect(file.items).toHaveLength(AUDIT_ITEMS_MAX + 1)
  })

  it('writes what one turn brings in one batch, and never at once', async () => {
    const { audit, file, settle } = setUp()
    audit.record(entry())
    audit.record(entry({ detail: 'two\nlines' }))
    expect(file.batches).toEqual([])
    await settle()
    expect(file.batches.map((batch) => batch.length)).toEqual([2])
    expect(file.items[1]!.detail).toBe('two\nlines')
  })

  it('writes what came while a batch was written', async () => {
    const { audit, file, settle, env } = setUp()
    audit.record(entry())
    env.clock.settle()
    audit.record(entry())
    await settle()
    await settle()
    expect(file.items).toHaveLength(2)
  })

  it('cuts what others chose', () => {
    const { audit } = setUp()
    audit.record(entry({ target: 'x'.repeat(5_000) }))
    expect(audit.list({})[0]!.target).toHaveLength(1_025)
  })

  it('keeps refusals of clients beside changes, so that a flood pushes out no change', () => {
    const { audit, events, env } = setUp()
    audit.record(entry())
    for (let count = 0; count <= AUDIT_REFUSALS_MAX; count++) {
      events.emit(refused(`may not publish ${count}`))
      env.clock.advance(100)
    }
    const all = audit.list({ limit: Infinity })
    expect(all).toHaveLength(AUDIT_REFUSALS_MAX + 1)
    expect(all[0]).toMatchObject({
      user: 'bob',
      action: 'refused',
      target: 'c1',
      outcome: 'refused',
      address: '10.0.0.1:5',
      by: 'none',
    })
    expect(all[0]!.detail).toBe(`mqtt: may not publish ${AUDIT_REFUSALS_MAX}`)
    expect(all.at(-1)!.action).toBe('queues.purge')
  })

  it('takes no more refusals in a second than one can read, and counts the others', () => {
    const { audit, events, env } = setUp()
    for (let count = 1; count <= REFUSALS_PER_SECOND_MAX + 7; count++) events.emit(refused(`no ${count}`))
    env.clock.advance(1_000)
    const all = audit.list({ limit: Infinity })
    expect(all).toHaveLength(REFUSALS_PER_SECOND_MAX + 1)
    expect(all[0]!.detail).toBe('mqtt: no 57 (the last of 7 more within a second)')
    events.emit({ ...refused('came in'), kind: 'connected' })
    expect(audit.list({ limit: Infinity })).toHaveLength(REFUSALS_PER_SECOND_MAX + 1)
  })

  it('bounds what callers of the API are refused in the same way', () => {
    const { audit, env } = setUp()
    audit.record(entry())
    for (let count = 0; count < REFUSALS_PER_SECOND_MAX + 9; count++)
      audit.record(entry({ action: 'session.login', outcome: 'refused', detail: `wrong password ${count}` }))
    env.clock.advance(1_000)
    const all = audit.list({ limit: Infinity })
    expect(all).toHaveLength(REFUSALS_PER_SECOND_MAX + 2)
    expect(all[0]!.detail).toBe('wrong password 58 (the last of 9 more within a second)')
  })

  it('goes on while the file takes nothing, says so once, and writes what it has when it can', async () => {
    const { audit, file, reports, settle, env } = setUp()
    file.problem = 'no space left'
    audit.record(entry())
    await settle()
    env.clock.advance(1_000)
    await settle()
    expect(reports).toEqual(['the audit log cannot be written: no space left; it goes on in memory and is tried again'])
    for (let count = 0; count < AUDIT_LINES_WAITING_MAX + 4; count++) audit.record(entry())
    file.problem = undefined
    env.clock.advance(1_000)
    await settle()
    expect(file.items).toHaveLength(AUDIT_LINES_WAITING_MAX + 1)
    expect(file.items.at(-1)).toMatchObject({
      id: AUDIT_LINES_WAITING_MAX + 5,
      action: 'audit.lost',
      detail: '5 entries could not be written to this file',
    })
  })

  it('has written all when it is closed', async () => {
    const { audit, file, events } = setUp()
    audit.record(entry())
    for (let count = 0; count < REFUSALS_PER_SECOND_MAX + 1; count++) events.emit(refused('no'))
    await audit.close()
    expect(file.items).toHaveLength(REFUSALS_PER_SECOND_MAX + 2)
    expect(file.isClosed).toBe(true)
  })

  it('lists what an earlier life wrote, in its order, and goes on with the ids', async () => {
    const before = setUp()
    before.audit.record(entry())
    before.events.emit(refused('no'))
    before.audit.record(entry({ detail: '"outcome":"refused"' }))
    await before.audit.close()
    const { audit } = setUp(before.file)
    await audit.recall()
    audit.record(entry({ target: 'now' }))
    expect(audit.list({}).map(({ id, outcome, target }) => [id, outcome, target])).toEqual([
      [4, 'done', 'now'],
      [3, 'done', 'orders'],
      [2, 'refused', 'c1'],
      [1, 'done', 'orders'],
    ])
  })

  it('takes back as much as it keeps: a flood of refusals in the file hides no change, and repeats count once', async () => {
    const { file, audit } = setUp()
    const item = (id: number, outcome: AuditItem['outcome']): string =>
      JSON.stringify({ ...entry(), id, atMs: 1, outcome } satisfies AuditItem)
    file.batches.push([item(1, 'done'), item(2, 'done'), item(2, 'done'), item(3, 'done')])
    for (let id = 4; id < AUDIT_REFUSALS_MAX + 100; id++) file.batches.push([item(id, 'refused')])
    await audit.recall()
    const all = audit.list({ limit: Infinity })
    expect(all).toHaveLength(AUDIT_REFUSALS_MAX + 3)
    expect(all.slice(-3).map(({ id }) => id)).toEqual([3, 2, 1])
  })

  it('leaves out lines that are no entries and says how many, and begins anew where nothing can be read', async () => {
    const { file, audit, reports } = setUp()
    const good = { ...entry(), id: 7, atMs: 1 }
    file.batches.push([JSON.stringify(good), '', '{"id":8,"at', 'null', JSON.stringify({ ...good, id: '9' })])
    await audit.recall()
    expect(audit.list({})).toEqual([good])
    expect(reports).toEqual(['the audit log has 3 lines that are no entries, left out of it and still in the file'])
    file.problem = 'permission denied'
    const other = setUp(file)
    await other.audit.recall()
    expect(other.reports).toEqual(['the audit log cannot be read: permission denied; what is in it is not listed'])
    expect(other.audit.list({})).toEqual([])
  })
})
