/**
 * node --expose-gc memory-engine.bench.ts: what the engine costs per record, in turns of 1,000 groups as a loaded
 * broker has them.
 */
import type { LogRecord, WriterOwner } from './engine.ts'
import { bench, do_not_optimize, run, summary } from 'mitata'
import { MemoryEngine } from './memory-engine.ts'

const GROUPS_PER_TURN = 1_000
const BODY_BYTES = 1_024

/** A turn that ends when the benchmark says so. */
const endOfTurn: (() => void)[] = []
function runTurn(): void {
  for (const f of endOfTurn) f()
  endOfTurn.length = 0
}

const engine = new MemoryEngine({
  clock: { wallMs: () => 0, monoMs: () => 0, endOfTurn: (f) => void endOfTurn.push(f) },
})
let committedTicket = 0
let nextLsn = 0
const owner: WriterOwner = {
  onCommitted: (lastTicket, firstLsn) => {
    committedTicket = lastTicket
    nextLsn = firstLsn
  },
  onFailed: (_ticket, error) => {
    throw error
  },
  onEnded: (error) => {
    throw error
  },
}
const owned = await engine.partition(0).own({ node: 'bench', ttlMs: Infinity }, owner)
let ticket = 0

const block = new Uint8Array(BODY_BYTES * 64)
const meta = new Uint8Array(32)
const group: LogRecord[] = []
function contentRecord(index: number): LogRecord {
  const bodyStart = (index % 64) * BODY_BYTES
  return { kind: 1, dest: 1, meta, body: block, bodyStart, bodyEnd: bodyStart + BODY_BYTES }
}

summary(() => {
  bench('1,000 records: make only', () => {
    for (let index = 0; index < GROUPS_PER_TURN; index++) {
      group[0] = contentRecord(index)
      do_not_optimize(group)
    }
  })
  bench('1,000 records: make, submit, commit, release one by one', () => {
    for (let index = 0; index < GROUPS_PER_TURN; index++) {
      group[0] = contentRecord(index)
      owned.log.submit(group, ++ticket, 'memory')
    }
    runTurn()
    for (let lsn = nextLsn; lsn < nextLsn + GROUPS_PER_TURN; lsn++) owned.release(lsn, lsn)
    do_not_optimize(committedTicket)
  })
  bench('1,000 records: the same and a settle record each, trimmed by an empty snapshot per turn', () => {
    for (let index = 0; index < GROUPS_PER_TURN; index++) {
      group[0] = contentRecord(index)
      owned.log.submit(group, ++ticket, 'memory')
    }
    runTurn()
    const firstLsn = nextLsn
    for (let index = 0; index < GROUPS_PER_TURN; index++) {
      group[0] = { kind: 2, dest: 1, meta, body: undefined, bodyStart: 0, bodyEnd: 0 }
      owned.log.submit(group, ++ticket, 'memory')
    }
    runTurn()
    for (let lsn = firstLsn; lsn < firstLsn + GROUPS_PER_TURN; lsn++) owned.release(lsn, lsn)
    void owned.putSnapshot(nextLsn + GROUPS_PER_TURN - 1, []) // done when it returns: this engine waits for nothing
  })
})

await run()

const HELD = 300_000
globalThis.gc?.()
const before = process.memoryUsage().heapUsed
for (let done = 0; done < HELD; done += GROUPS_PER_TURN) {
  for (let index = 0; index < GROUPS_PER_TURN; index++) {
    group[0] = contentRecord(index)
    owned.log.submit(group, ++ticket, 'memory')
  }
  runTurn()
}
globalThis.gc?.()
const perRecord = (process.memoryUsage().heapUsed - before) / HELD
process.stdout.write(`heap per waiting record, its LogRecord object included: ${perRecord.toFixed(0)} bytes\n`)
