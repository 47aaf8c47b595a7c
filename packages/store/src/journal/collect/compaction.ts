/**
 * Copies what is needed of neighbouring segments into a new one that takes their place in one step: the new file is
 * complete and synced before it gets the first one's name. A crash leaves the old files, or the new one and leftovers that
 * it stands for.
 */
import type { Lsn } from '../../engine.ts'
import type { DiskFile } from '../../env.ts'
import type { Committer } from '../write/committer.ts'
import type { Partition } from '../partition.ts'
import {
  FLAG_BODY,
  FLAG_INTERNAL,
  FLAG_LAST,
  FORMAT_VERSION,
  FRAME_HEADER_BYTES,
  INTERNAL_GONE,
  INTERNAL_LEASE,
  INTERNAL_WRITER,
  UNFINISHED,
  encodeFrame,
  encodeSegmentHeader,
  encodeWriterName,
  frameCrc,
  padded,
  wordsOf,
} from '../files/format.ts'
import { Frame } from '../files/frames.ts'
import { ENTRY_LIVE, Segment } from '../segment.ts'

/** Read, copied and written at a time. */
const STEP_BYTES = 512 * 1024
const GAP_BYTES = 16 * 1024
/** Synced this often, so that no sync of a commit waits for much of ours. */
const SYNC_BYTES = 4 * 1024 * 1024

export async function compact(partition: Partition, committer: Committer, sources: readonly Segment[]): Promise<void> {
  const [first] = sources
  const last = sources.at(-1)
  if (first === undefined || last === undefined) return
  const { disk, handles, counters, space } = partition.store
  const target = new Segment(
    { firstLsn: first.firstLsn, fileId: partition.nextFileId++, coveredTo: last.rangeEnd },
    'sparse',
  )
  const path = partition.pathOf(target.name)
  const draft = `${path}${UNFINISHED}`
  // Open until they are replaced: the name of the first will mean another file before anybody is told.
  const files: DiskFile[] = []
  let isWritten = false
  try {
    for (const source of sources) files.push(await handles.use(source, partition.pathOf(source.name)))
    const file = await disk.open(draft, 'create')
    try {
      await copyAll(partition, sources, files, target, file)
    } finally {
      await file.close()
    }
    if (sources.some(({ damaged }) => damaged)) return
    isWritten = true
    await committer.sync()
    await disk.rename(draft, path)
    await disk.syncDirectory(partition.directory)
    replace(partition, sources, target)
    for (const source of sources.slice(1)) await disk.remove(partition.pathOf(source.name))
  } finally {
    for (const source of sources.slice(0, files.length)) handles.giveBack(source)
    if (!isWritten) await disk.remove(draft).catch(() => undefined) // the next start removes it
  }
  counters.compactedBytes += target.end
  space.use(target.end)
  space.giveBack(sources.reduce((sum, source) => sum + source.end, 0))
}

/** In memory, in one step: what was released while we copied is released in the copy. */
function replace(partition: Partition, sources: readonly Segment[], target: Segment): void {
  let source = 0
  for (let slot = 0; slot < target.slotCount; slot++) {
    const lsn = target.lsnOf(slot)
    while (source + 1 < sources.length && sources[source + 1]!.firstLsn <= lsn) source++
    if ((target.bitsOf(slot) & ENTRY_LIVE) !== 0 && !sources[source]!.isLive(lsn)) target.kill(slot)
  }
  partition.segments.splice(partition.segments.indexOf(sources[0]!), sources.length, target)
  for (const source of sources) source.gone = true
}

async function copyAll(
  partition: Partition,
  sources: readonly Segment[],
  files: readonly DiskFile[],
  target: Segment,
  file: DiskFile,
): Promise<void> {
  const { firstLsn, coveredTo: lastLsn, fileId } = target
  const header = { version: FORMAT_VERSION, partition: partition.id, firstLsn, lastLsn, fileId }
  await file.write(0, [encodeSegmentHeader(header, partition.store.salt)])
  const copy = new Copy(partition, target, file)
  if (!partition.gone.isEmpty) copy.noteGone()
  for (const [index, source] of sources.entries()) await copy.take(source, files[index]!)
  await copy.flush()
  await file.syncAll()
  target.seal()
}

/** Collects frames for the new file. */
class Copy {
  readonly #partition: Partition
  readonly #target: Segment
  readonly #file: DiskFile
  #parts: Uint8Array[] = []
  #bytes = 0
  #unsyncedBytes = 0

  constructor(partition: Partition, target: Segment, file: DiskFile) {
    this.#partition = partition
    this.#target = target
    this.#file = file
  }

  /** What the sources had of it goes with them. */
  noteGone(): void {
    const { gone, store } = this.#partition
    const fields = { lsn: this.#target.firstLsn - 1, kind: INTERNAL_GONE, flags: FLAG_INTERNAL | FLAG_LAST, dest: 0 }
    const more = { writer: 0, atMs: store.clock.wallMs(), unsynced: 0 }
    this.#push(encodeFrame({ ...fields, ...more }, gone.encode(), store.salt))
  }

  /** Copies what is needed of `source`, in steps between which others have their turn. */
  async take(source: Segment, file: DiskFile): Promise<void> {
    const trimmedTo = this.#partition.trimmedTo
    const isNeeded = (slot: number): boolean =>
      (source.bitsOf(slot) & ENTRY_LIVE) !== 0 || source.lsnOf(slot) > trimmedTo
    let slot = source.nextSlot(0)
    while (slot < source.slotCount && !source.damaged) {
      if (!isNeeded(slot)) {
        slot = source.nextSlot(slot + 1)
        continue
      }
      const slots: number[] = []
      const from = source.offsetOf(slot)
      let to = from
      while (slot < source.slotCount && source.offsetOf(slot) - to <= GAP_BYTES) {
        const end = source.offsetOf(slot) + source.sizeOf(slot)
        if (slots.length > 0 && end - from > STEP_BYTES) break
        if (isNeeded(slot)) {
          slots.push(slot)
          to = end
        }
        slot = source.nextSlot(slot + 1)
      }
      await this.#takeRun(source, file, slots, from, to)
    }
  }

  async flush(): Promise<void> {
    if (this.#bytes === 0) return
    await this.#file.write(this.#target.end - this.#bytes, this.#parts)
    this.#unsyncedBytes += this.#bytes
    this.#parts = []
    this.#bytes = 0
    if (this.#unsyncedBytes < SYNC_BYTES) return
    this.#unsyncedBytes = 0
    await this.#file.syncData()
  }

  async #takeRun(source: Segment, file: DiskFile, slots: readonly number[], from: number, to: number): Promise<void> {
    const bytes = new Uint8Array(to - from)
    const count = await file.read(from, bytes)
    const words = wordsOf(bytes)
    const frame = new Frame()
    frame.bytes = bytes
    for (const slot of slots) {
      const start = source.offsetOf(slot) - from
      frame.start = start
      const room = count - start
      if (room >= FRAME_HEADER_BYTES) frame.read(words, start)
      const isGood =
        room >= FRAME_HEADER_BYTES &&
        frame.length >= FRAME_HEADER_BYTES &&
        frame.length <= room &&
        frameCrc(bytes, start, frame.length, this.#partition.store.salt) === frame.crc
      if (!isGood) return this.#report(source, slot)
      this.#add(source, slot, frame)
    }
    if (this.#bytes >= STEP_BYTES) await this.flush()
  }

  #add(source: Segment, slot: number, frame: Frame): void {
    const bits = source.bitsOf(slot)
    const isLive = (bits & ENTRY_LIVE) !== 0
    const isInternal = (frame.flags & FLAG_INTERNAL) !== 0
    const isBookkeeping = isInternal ? frame.kind === INTERNAL_LEASE : (frame.flags & FLAG_BODY) === 0
    if (!isLive && !(isBookkeeping && frame.lsn > this.#partition.trimmedTo)) return
    if (!isInternal) this.#nameWriter(source, frame)
    const size = padded(frame.length)
    this.#target.add(frame.lsn, this.#target.end, bits, size)
    this.#push(frame.bytes.subarray(frame.start, frame.start + size))
  }

  #nameWriter(source: Segment, { lsn, atMs, writer }: { lsn: Lsn; atMs: number; writer: number }): void {
    const name = source.writers.get(writer)
    if (name === undefined || this.#target.writers.has(writer)) return
    this.#target.writers.set(writer, name)
    const before = Math.max(this.#target.lastLsn, this.#target.firstLsn - 1)
    const fields = { lsn: Math.min(before, lsn), kind: INTERNAL_WRITER, flags: FLAG_INTERNAL | FLAG_LAST, dest: 0 }
    this.#push(
      encodeFrame({ ...fields, writer, atMs, unsynced: 0 }, encodeWriterName(name), this.#partition.store.salt),
    )
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part)
    this.#bytes += part.length
    this.#target.end += part.length
  }

  #report(source: Segment, slot: number): void {
    source.damaged = true
    const lsn = source.lsnOf(slot)
    this.#partition.store.faults.report({
      file: this.#partition.pathOf(source.name),
      offset: source.offsetOf(slot),
      what: 'the checksum of a record is wrong',
      partition: this.#partition.id,
      lost: { after: lsn - 1, before: lsn + 1 },
    })
  }
}
