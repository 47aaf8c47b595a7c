/** The suite can fail: engines with one flaw each, and the case that finds it. */
import { describe, expect, test } from 'vitest'
import type { Catalog, CatalogNews, Engine, PartitionLog, TailBatch, Writer, WriterOwner } from '../engine.ts'
import { MemoryEngine } from '../memory-engine.ts'
import { bookkeeping } from './records.ts'
import { conformanceCases } from './suite.ts'

interface Flaw {
  readonly what: string
  /** Beginnings of the names of the cases that must find it. */
  readonly foundBy: readonly string[]
  readonly put: (engine: Engine) => Engine
}

const flaws: readonly Flaw[] = [
  {
    what: 'half of a group is lost',
    foundBy: ['the records of a group', 'groups of one writer', 'random'],
    put: flawedWriter((writer) => ({
      submit: (group, ticket, level) => writer.submit(group.slice(0, 1), ticket, level),
    })),
  },
  {
    what: 'a group is turned around',
    foundBy: ['the records of a group', 'groups of one writer', 'random'],
    put: flawedWriter((writer) => ({
      submit: (group, ticket, level) => writer.submit(group.toReversed(), ticket, level),
    })),
  },
  {
    what: 'the lsns told are one too high',
    foundBy: ['the records of a group', 'groups of one writer', 'content is read', 'random'],
    put: flawedOwner((owner) => ({
      onCommitted: (lastTicket, firstLsn, atMs) => owner.onCommitted(lastTicket, firstLsn + 1, atMs),
    })),
  },
  {
    what: 'the time told is not the time stored',
    foundBy: ['what was told about a batch'],
    put: flawedOwner((owner) => ({
      onCommitted: (lastTicket, firstLsn, atMs) => owner.onCommitted(lastTicket, firstLsn, atMs + 1),
    })),
  },
  {
    what: 'the outcome comes from inside submit',
    foundBy: ['groups of one writer', 'random'],
    put: flawedWriter((writer, owner) => ({
      submit: (group, ticket, level) => {
        writer.submit(group, ticket, level)
        owner.onCommitted(ticket, ticket, 0)
      },
    })),
  },
  {
    what: 'the array of a group is read after submit',
    foundBy: ['the array of a group'],
    put: flawedWriter((writer) => ({
      submit: (group, ticket, level) => {
        queueMicrotask(() => writer.submit(group.length > 0 ? group : [bookkeeping('gone')], ticket, level))
      },
    })),
  },
  {
    what: 'a writer closes without waiting for its outcomes',
    foundBy: ['closing a writer'],
    put: flawedWriter(() => ({ close: async () => {} })),
  },
  {
    what: 'a group over the limit goes in',
    foundBy: ['a group over a limit'],
    put: (engine) => flawed(engine, { limits: { ...engine.limits, groupRecords: engine.limits.groupRecords - 1 } }),
  },
  {
    what: 'a tail forgets bookkeeping',
    foundBy: ['groups of one writer', 'released content', 'random'],
    put: flawedTail((batch) => ({ ...batch, records: batch.records.filter(({ body }) => body !== undefined) })),
  },
  {
    what: 'a tail is trimmed in silence',
    foundBy: ['a snapshot replaces', 'random'],
    put: flawedTail((batch) => ({ ...batch, trimmedTo: 0 })),
  },
  {
    what: 'content can be read after its release',
    foundBy: ['content is read', 'random'],
    put: flawedLog((log) => {
      const seen = new Map<number, Awaited<ReturnType<PartitionLog['read']>>[number]>()
      return {
        read: async (lsns) => {
          const found = await log.read(lsns)
          return found.map((record, index) => {
            const lsn = lsns[index] ?? 0
            if (record !== undefined) seen.set(lsn, record)
            return seen.get(lsn)
          })
        },
      }
    }),
  },
  {
    what: 'what is no content any more says when it was committed',
    foundBy: ['content says when'],
    put: flawedLog(() => ({ committedAtMs: async (lsns) => lsns.map(() => 1) })),
  },
  {
    what: 'a stale owner writes on',
    foundBy: ['a new life of a node', 'of what was pending at a takeover'],
    put: flawedLog((log) => ({
      own: async (options, owner) => flawed(await log.own(options, owner), { log: log.ingest(owner) }),
    })),
  },
  {
    what: 'a partition can have two owners',
    foundBy: ['another node waits'],
    put: flawedLog((log) => ({ own: (options, owner) => log.own({ ...options, node: 'anybody' }, owner) })),
  },
  {
    what: 'the catalog compares no revisions',
    foundBy: ['a commit happens only', 'of many commits', 'random'],
    put: flawedCatalog((catalog) => ({
      commit: (ops) => catalog.commit(ops.map(({ key, value }) => ({ key, value }))),
    })),
  },
  {
    what: 'the catalog commits key by key',
    foundBy: ['a commit of several keys', 'a commit over several shards', 'random'],
    put: flawedCatalog((catalog) => ({
      commit: async (ops) => {
        const revs: number[] = []
        for (const op of ops) revs.push(...(await catalog.commit([op])))
        return revs
      },
    })),
  },
  {
    what: 'a watch goes back',
    foundBy: ['a watch that is read slowly'],
    put: flawedCatalog((catalog) => ({ watch: (prefix, signal) => twice(catalog.watch(prefix, signal)) })),
  },
]

describe('the conformance suite', () => {
  for (const { what, foundBy, put } of flaws) {
    for (const name of foundBy) {
      test(`finds that ${what}: ${name} …`, async () => {
        const conformanceCase = conformanceCases.find((each) => each.name.startsWith(name))
        if (conformanceCase === undefined) throw new Error(`no case begins with "${name}"`)
        await conformanceCase.run(async () => memoryEngine())
        await expect(conformanceCase.run(async () => put(memoryEngine()))).rejects.toThrow()
      })
    }
  }
})

function memoryEngine(): Engine {
  const clock = { wallMs: () => 1, monoMs: () => 0, endOfTurn: (f: () => void) => void setImmediate(f) }
  return new MemoryEngine({ clock }, { limits: { groupBytes: 65_536, groupRecords: 64 } })
}

/** `target` with some members replaced. */
function flawed<T extends object>(target: T, flaw: Partial<T>): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(key in flaw ? flaw : object, key)
      return typeof value === 'function' ? (...args: unknown[]): unknown => Reflect.apply(value, object, args) : value
    },
  })
}

function flawedLog(flaw: (log: PartitionLog) => Partial<PartitionLog>): (engine: Engine) => Engine {
  return (engine) => {
    const logs = new Map<number, PartitionLog>()
    const partition = (id: number): PartitionLog => {
      const log = logs.get(id) ?? flawed(engine.partition(id), flaw(engine.partition(id)))
      logs.set(id, log)
      return log
    }
    return flawed(engine, { partition })
  }
}

function flawedWriter(flaw: (writer: Writer, owner: WriterOwner) => Partial<Writer>): (engine: Engine) => Engine {
  return flawedLog((log) => ({
    ingest: (owner) => {
      const writer = log.ingest(owner)
      return flawed(writer, flaw(writer, owner))
    },
    own: async (options, owner) => {
      const ownership = await log.own(options, owner)
      return flawed(ownership, { log: flawed(ownership.log, flaw(ownership.log, owner)) })
    },
  }))
}

function flawedOwner(flaw: (owner: WriterOwner) => Partial<WriterOwner>): (engine: Engine) => Engine {
  return flawedLog((log) => ({
    ingest: (owner) => log.ingest(flawed(owner, flaw(owner))),
    own: (options, owner) => log.own(options, flawed(owner, flaw(owner))),
  }))
}

function flawedTail(flaw: (batch: TailBatch) => TailBatch): (engine: Engine) => Engine {
  return flawedLog((log) => ({
    tail: async function* (after, signal) {
      for await (const batch of log.tail(after, signal)) yield flaw(batch)
    },
  }))
}

function flawedCatalog(flaw: (catalog: Catalog) => Partial<Catalog>): (engine: Engine) => Engine {
  return (engine) => flawed(engine, { catalog: flawed(engine.catalog, flaw(engine.catalog)) })
}

async function* twice(watch: AsyncIterable<CatalogNews, void>): AsyncGenerator<CatalogNews, void, void> {
  for await (const news of watch) yield { ...news, changes: [...news.changes, ...news.changes] }
}
