/**
 * node --expose-gc journal.bench.ts [messages in the backlog]: the engine alone on a disk, under the directory that
 * TMPDIR names. What is compared runs interleaved, so that a slow minute of the machine meets both.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogRecord, Lsn, Ownership, WriterOwner } from '../engine.ts'
import type { EngineEnv } from '../env.ts'
import type { JournalEngine } from './journal-engine.ts'
import { nodeDisk } from '../node-disk.ts'
import { openJournal } from './journal-engine.ts'

const BACKLOG = Number(process.argv[2] ?? 1_000_000)
const BODY_BYTES = 1_024
const SECONDS = 5

const root = mkdtempSync(join(tmpdir(), 'ternmq-bench-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true }))

const env = (directory: string): EngineEnv => ({
  clock: { wallMs: () => Date.now(), monoMs: () => performance.now(), endOfTurn: (f) => void setImmediate(f) },
  disk: nodeDisk(directory),
})
const block = new Uint8Array(BODY_BYTES * 64).map((_, index) => index * 7)
const meta = new Uint8Array(32)
const settleMeta = new Uint8Array(9)

function contentRecord(index: number, bytes = BODY_BYTES): LogRecord {
  const bodyStart = (index % 64) * bytes
  return { kind: 1, dest: 1, meta, body: block, bodyStart, bodyEnd: bodyStart + bytes }
}

const settle: LogRecord = { kind: 2, dest: 1, meta: settleMeta, body: undefined, bodyStart: 0, bodyEnd: 0 }
const put: LogRecord[] = []
const settled: LogRecord[] = [settle]

const RING = 65_536

/** Keeps messages in flight: each is settled by a record of its own when it is committed, and released when that is. */
class Load implements WriterOwner {
  ownership!: Ownership
  done = 0
  /** A snapshot after this many bytes of log, as a core would make them. */
  snapshotBytes = 64 * 1024 * 1024
  /** By ticket: 0 for a put, or the lsn that a settle is about. */
  readonly #about = new Float64Array(RING)
  #ticket = 0
  #told = 0
  #inFlight = 0
  #isOver = false
  #isSnapshotting = false
  #finish: () => void = () => {}

  /** Resolves when all are settled after `stop`. */
  run(inFlight: number): Promise<void> {
    this.#isOver = false
    return new Promise((resolve) => {
      this.#finish = resolve
      for (let index = 0; index < inFlight; index++) this.#put()
    })
  }

  stop(): void {
    this.#isOver = true
  }

  #put(): void {
    this.#inFlight++
    put[0] = contentRecord(this.#ticket)
    this.#about[++this.#ticket % RING] = 0
    this.ownership.log.submit(put, this.#ticket, 'fsync-local')
  }

  onCommitted(lastTicket: number, firstLsn: Lsn): void {
    let lsn = firstLsn
    let finished = 0
    while (this.#told < lastTicket) {
      const about = this.#about[++this.#told % RING]!
      if (about === 0) {
        this.#about[++this.#ticket % RING] = lsn
        this.ownership.log.submit(settled, this.#ticket, 'fsync-local')
      } else {
        this.ownership.release(about, about)
        finished++
      }
      lsn++
    }
    this.done += finished
    this.#inFlight -= finished
    if (!this.#isOver) for (let index = 0; index < finished; index++) this.#put()
    else if (this.#inFlight === 0) this.#finish()
    if (this.ownership.bytesSinceSnapshot < this.snapshotBytes || this.#isSnapshotting) return
    this.#isSnapshotting = true
    void this.ownership.putSnapshot(lsn - 1, []).finally(() => {
      this.#isSnapshotting = false
    })
  }

  onFailed(_ticket: number, error: Error): void {
    throw error
  }

  onEnded(error: Error): void {
    throw error
  }
}

async function openWith(directory: string, load: Load): Promise<JournalEngine> {
  const engine = await openJournal(env(directory))
  load.ownership = await engine.partition(0).own({ node: 'bench', ttlMs: Infinity }, load)
  return engine
}

/** Messages per second of `load` for a while. */
async function rate(load: Load, inFlight: number, seconds: number): Promise<number> {
  const before = load.done
  const startMs = performance.now()
  const running = load.run(inFlight)
  await new Promise((resolve) => void setTimeout(resolve, seconds * 1_000))
  load.stop()
  await running
  return ((load.done - before) / (performance.now() - startMs)) * 1_000
}

async function inFlight(count: number): Promise<void> {
  const load = new Load()
  const engine = await openWith(join(root, `in-flight-${count}`), load)
  await rate(load, count, 1)
  const before = engine.stats()
  const doneBefore = load.done
  const cpu = process.cpuUsage()
  const perSecond = await rate(load, count, SECONDS)
  const { user, system } = process.cpuUsage(cpu)
  const after = engine.stats()
  const written =
    after.writtenBytes +
    after.compactedBytes +
    after.snapshotBytes -
    before.writtenBytes -
    before.compactedBytes -
    before.snapshotBytes
  const done = load.done - doneBefore
  console.log(
    `${count} in flight, put + settle, 1 KiB: ${perSecond.toFixed(0)} msg/s, write amplification ` +
      `${(written / done / BODY_BYTES).toFixed(3)}, ${((user + system) / done).toFixed(2)} us CPU per message, ` +
      `${((after.syncs - before.syncs) / SECONDS).toFixed(0)} syncs/s, disk ${(after.diskBytes / 1e6).toFixed(0)} MB`,
  )
  await engine.close()
}

/** Puts only, one at a time, against a bare loop of write and fdatasync. */
async function oneAtATime(): Promise<void> {
  let next: () => void = () => {}
  const owner: WriterOwner = {
    onCommitted: () => next(),
    onFailed: (_ticket, error) => {
      throw error
    },
    onEnded: (error) => {
      throw error
    },
  }
  const engine = await openJournal(env(join(root, 'one')))
  const { log } = await engine.partition(0).own({ node: 'bench', ttlMs: Infinity }, owner)
  const disk = nodeDisk(join(root, 'one'))
  const bare = await disk.open('bare', 'create')
  const bytes = new Uint8Array(BODY_BYTES + meta.length + 40)
  let ticket = 0
  let position = 0
  const ratios: number[] = []
  for (let round = 0; round < 15; round++) {
    const bareMs = await timeOf(500, async () => {
      await bare.write(position, [bytes])
      await bare.syncData()
      position += bytes.length
    })
    const ours = await timeOf(500, () => {
      put[0] = contentRecord(ticket)
      const committed = new Promise<void>((resolve) => {
        next = resolve
      })
      log.submit(put, ++ticket, 'fsync-local')
      return committed
    })
    ratios.push(bareMs / ours)
  }
  ratios.sort((a, b) => a - b)
  const median = ratios[7]!
  console.log(
    `one in flight: ${(median * 100).toFixed(0)} % of a bare write + fdatasync (median of 15 interleaved rounds, ` +
      `${(ratios[0]! * 100).toFixed(0)} to ${(ratios.at(-1)! * 100).toFixed(0)} %)`,
  )
  await bare.close()
  await engine.close()
}

/** How long one small message takes, with and without a large body on its way. */
async function besideLargeBody(): Promise<void> {
  let next: () => void = () => {}
  const owner: WriterOwner = {
    onCommitted: () => next(),
    onFailed: (_ticket, error) => {
      throw error
    },
    onEnded: (error) => {
      throw error
    },
  }
  const engine = await openJournal(env(join(root, 'large')))
  const { log } = await engine.partition(0).own({ node: 'bench', ttlMs: Infinity }, owner)
  const large = { ...contentRecord(0), body: new Uint8Array(64 * 1024 * 1024), bodyStart: 0, bodyEnd: 64 * 1024 * 1024 }
  let ticket = 0
  const once = (): Promise<void> => {
    put[0] = contentRecord(ticket)
    const committed = new Promise<void>((resolve) => {
      next = resolve
    })
    log.submit(put, ++ticket, 'fsync-local')
    return committed
  }
  const timesUntil = async (isOver: () => boolean): Promise<number[]> => {
    const times: number[] = []
    while (!isOver()) times.push(await timeOf(1, once))
    return times.toSorted((a, b) => a - b)
  }
  const show = (times: readonly number[]): string =>
    [0.5, 0.99, 1].map((share) => times[Math.ceil(times.length * share) - 1]!.toFixed(2)).join(' / ')
  let count = 0
  const alone = await timesUntil(() => count++ > 2_000)
  const during: number[] = []
  const startMs = performance.now()
  for (let round = 0; round < 5; round++) {
    const progress = { isDone: false }
    const preparing = log.prepare(large).then((prepared) => {
      progress.isDone = true
      return prepared
    })
    during.push(...(await timesUntil(() => progress.isDone)))
    ;(await preparing).discard()
  }
  const seconds = (performance.now() - startMs) / 1_000 / 5
  during.sort((a, b) => a - b)
  console.log(
    `a small message, ms at 50 % / 99 % / most: alone ${show(alone)}, beside a 64 MiB body (${seconds.toFixed(2)} s) ${show(during)}`,
  )
  await engine.close()
}

async function timeOf(times: number, once: () => Promise<void>): Promise<number> {
  const startMs = performance.now()
  for (let index = 0; index < times; index++) await once()
  return performance.now() - startMs
}

/** `count` messages that wait; open and tail with and without a snapshot. */
async function backlog(count: number, bytes: number): Promise<void> {
  const directory = join(root, `backlog-${bytes}`)
  const progress = { committed: 0 }
  let lastLsn = 0
  let wake: () => void = () => {}
  const owner: WriterOwner = {
    onCommitted: (lastTicket, firstLsn) => {
      lastLsn = firstLsn + (lastTicket - progress.committed) - 1
      progress.committed = lastTicket
      wake()
    },
    onFailed: (_ticket, error) => {
      throw error
    },
    onEnded: (error) => {
      throw error
    },
  }
  const engine = await openJournal(env(directory))
  const ownership = await engine.partition(0).own({ node: 'bench', ttlMs: Infinity }, owner)
  const startMs = performance.now()
  for (let ticket = 1; ticket <= count;) {
    for (let index = 0; index < 1_000 && ticket <= count; index++) {
      put[0] = contentRecord(ticket, bytes)
      ownership.log.submit(put, ticket++, 'fsync-local')
    }
    while (!ownership.log.ready) await new Promise<void>((resolve) => (wake = resolve))
  }
  while (progress.committed < Number(count)) await new Promise<void>((resolve) => (wake = resolve))
  const fillMs = performance.now() - startMs
  const { indexBytes } = engine.stats()
  await engine.close()
  console.log(
    `${count} x ${bytes} B: filled at ${((count / fillMs) * 1_000).toFixed(0)}/s, index ${(indexBytes / count).toFixed(2)} bytes per record`,
  )
  await openAndTail(directory, 0, 'without a snapshot')
  const again = await openJournal(env(directory))
  const young = await again.partition(0).own({ node: 'bench', ttlMs: Infinity }, owner)
  await young.putSnapshot(lastLsn, [new Uint8Array(64)])
  const snapshotMs = await timeOf(1, () => young.putSnapshot(lastLsn, [new Uint8Array(64)]))
  console.log(`  a snapshot takes ${snapshotMs.toFixed(0)} ms`)
  await again.close()
  await openAndTail(directory, lastLsn, 'with a snapshot')
}

async function openAndTail(directory: string, after: Lsn, how: string): Promise<void> {
  const startMs = performance.now()
  const engine = await openJournal(env(directory))
  const openMs = performance.now() - startMs
  const stop = new AbortController()
  let records = 0
  for await (const batch of engine.partition(0).tail(after, stop.signal)) {
    records += batch.records.length
    if (batch.head) stop.abort()
  }
  const totalMs = performance.now() - startMs
  console.log(
    `  ${how}: open ${openMs.toFixed(0)} ms, with the whole tail of ${records} records ${totalMs.toFixed(0)} ms`,
  )
  await engine.close()
}

await inFlight(1_000)
await inFlight(100)
await oneAtATime()
await besideLargeBody()
await backlog(BACKLOG, BODY_BYTES)
await backlog(BACKLOG, 200)
