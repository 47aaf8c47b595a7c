/** Between an engine and its models: who takes the outcomes of a writer, what a catalog must hold, and how to look. */
import type {
  Durability,
  Engine,
  Fenced,
  LogRecord,
  Lsn,
  NotAppended,
  Ownership,
  PartitionLog,
  Stored,
  Unknown,
  WriterOwner,
} from '@ternmq/store'
import type { SeededRandom } from '../src/index.ts'
import type { LogModel, LogSeen, ModelGroup } from './log-model.ts'

/** Takes the outcomes of one writer to the model. */
export class Owner implements WriterOwner {
  readonly #model: LogModel
  readonly #isOver: () => boolean
  readonly #waiting: { readonly ticket: number; readonly group: ModelGroup }[] = []
  #ticket = 0
  end: Fenced | Unknown | undefined = undefined
  lastRefusal: NotAppended | undefined = undefined
  violation: Error | undefined = undefined

  readonly #mayBeFull: boolean

  constructor(model: LogModel, mayBeFull: boolean, isOver: () => boolean) {
    this.#model = model
    this.#mayBeFull = mayBeFull
    this.#isOver = isOver
  }

  submit({ log, epoch }: Ownership, records: readonly LogRecord[], level: Durability, as: Durability): void {
    if (this.end !== undefined || this.#isOver()) return
    const group = this.#model.submit(records, level, `epoch ${epoch}`, this.#mayBeFull)
    const ticket = ++this.#ticket
    this.#waiting.push({ ticket, group })
    log.submit(records.slice(), ticket, as)
  }

  onCommitted(lastTicket: number, firstLsn: Lsn): void {
    this.#guard(() => {
      let lsn = firstLsn
      while ((this.#waiting[0]?.ticket ?? Infinity) <= lastTicket) {
        const { group } = this.#waiting.shift() as { group: ModelGroup }
        this.#model.onCommitted(group, lsn, group.level === 'fsync-local')
        lsn += group.records.length
      }
    })
  }

  onFailed(ticket: number, error: NotAppended): void {
    this.#guard(() => {
      const next = this.#waiting.shift()
      if (next?.ticket !== ticket) throw new Error(`onFailed of ticket ${ticket}, but ${next?.ticket} is next`)
      this.lastRefusal = error
      this.#model.onRefused(next.group)
    })
  }

  /** An owner must not throw: what the model says against the engine is kept for the run. */
  #guard(take: () => void): void {
    if (this.#isOver()) return
    try {
      take()
    } catch (error) {
      this.violation ??= error as Error
    }
  }

  onEnded(error: Fenced | Unknown): void {
    if (this.#isOver()) return
    this.end = error
  }

  /** Somebody else owns the partition: what has no outcome has no effect. */
  refuseOpen(): void {
    for (const { group } of this.#waiting.splice(0)) this.#model.onRefused(group)
  }
}

/** What the catalog must hold: its keys, and one commit on its way. */
export class CatalogModel {
  #entries = new Map<string, string>()
  #coming: Map<string, string> | undefined = undefined

  begin(
    random: SeededRandom,
    number: number,
  ): { ops: { key: string; value: Uint8Array | null }[]; done(revs: number[]): void; refused(): void } | undefined {
    if (this.#coming !== undefined) return undefined
    const next = new Map(this.#entries)
    const keys = new Set(Array.from({ length: 1 + random.below(3) }, () => `k/${random.below(8)}`))
    const ops = [...keys].map((key) => {
      const text = random.below(4) === 0 ? undefined : `${number} ${'y'.repeat(random.below(300))}`
      if (text === undefined) next.delete(key)
      else next.set(key, text)
      return { key, value: text === undefined ? null : new TextEncoder().encode(text) }
    })
    this.#coming = next
    return {
      ops,
      done: (revs) => {
        if (revs.length !== ops.length) throw new Error(`${ops.length} catalog ops have ${revs.length} revisions`)
        this.#entries = next
        this.#coming = undefined
      },
      refused: () => {
        this.#coming = undefined
      },
    }
  }

  /** After a crash: all of the commit on its way is there, or none of it. */
  check(found: ReadonlyMap<string, string>): void {
    const told = textOf(found)
    const possible = [this.#entries, ...(this.#coming === undefined ? [] : [this.#coming])]
    const entries = possible.find((each) => textOf(each) === told)
    if (entries === undefined) throw new Error(`the catalog is ${told}, not ${possible.map(textOf).join(' or ')}`)
    this.#entries = entries
    this.#coming = undefined
  }
}

function textOf(entries: ReadonlyMap<string, string>): string {
  const sorted = [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(sorted.map(([key, value]) => [key, value.split(' ')[0], value.length]))
}

export async function entriesOf({ catalog }: Engine): Promise<Map<string, string>> {
  const entries = new Map<string, string>()
  for await (const page of catalog.scan('k/'))
    for (const { key, value } of page) entries.set(key, new TextDecoder().decode(value))
  return entries
}

export async function look(log: PartitionLog, known: readonly Lsn[]): Promise<LogSeen> {
  const stop = new AbortController()
  const records: Stored[] = []
  let trimmedTo = 0
  for await (const batch of log.tail(0, stop.signal)) {
    trimmedTo = batch.trimmedTo
    records.push(...batch.records)
    if (batch.head) stop.abort()
  }
  const lsns = new Set([...known, ...records.flatMap(({ body, lsn }) => (body === undefined ? [] : [lsn]))])
  const contents = await log.read([...lsns])
  const found = await log.snapshot()
  const snapshot =
    found === undefined
      ? undefined
      : { at: found.at, text: found.data.map((part) => new TextDecoder().decode(part)).join('') }
  return { trimmedTo, records, snapshot, contents }
}
