/**
 * Which unsynced changes outlive a loss of power. A disk promises nothing about them, so the seed chooses: all, none, a
 * beginning in order, or each one for itself, whole, torn, in sectors, or as zeros where a file only grew.
 */
import type { ContentChange } from './simulated-file-system.ts'
import type { SeededRandom } from './virtual-clock.ts'

const SECTOR_BYTES = 512

/** 'prefix' is what a journaling file system does, 'each' what a disk with a volatile cache may do. */
const MOODS = ['none', 'all', 'prefix', 'prefix', 'each', 'each', 'each', 'each'] as const

type Mood = (typeof MOODS)[number]

export class SurvivalRules {
  readonly random: SeededRandom
  /** One mood for the whole disk; undefined: one for each list. */
  readonly #shared: Mood | undefined
  #mood: Mood = 'each'
  #keepLeft = 0

  constructor(random: SeededRandom) {
    this.random = random
    this.#shared = random.below(2) === 0 ? this.#pick() : undefined
  }

  get mood(): Mood {
    return this.#mood
  }

  /** A list of `count` changes follows; `survives` is to be asked once for each, in order. */
  begin(count: number): void {
    this.#mood = this.#shared ?? this.#pick()
    this.#keepLeft = this.random.below(count + 1)
  }

  survives(): boolean {
    switch (this.#mood) {
      case 'none':
        return false
      case 'all':
        return true
      case 'prefix':
        return this.#keepLeft-- > 0
      case 'each':
        return this.random.below(2) === 0
    }
  }

  #pick(): Mood {
    return MOODS[this.random.below(MOODS.length)] ?? 'each'
  }
}

/** What of `pending`, the unsynced changes of one file in order, is on the disk afterwards. */
export function survivingPieces(pending: readonly ContentChange[], rules: SurvivalRules): ContentChange[] {
  const pieces: ContentChange[] = []
  let isCut = false
  rules.begin(pending.length)
  for (const change of pending) {
    if (rules.survives()) pieces.push(...(rules.mood === 'each' ? damaged(change, rules.random) : [change]))
    // Where a beginning survives, its last change is the one that the loss of power met.
    else if (rules.mood === 'prefix' && !isCut) {
      isCut = true
      if (change.kind === 'write') pieces.push(torn(change, rules.random))
    }
  }
  return pieces
}

type Write = Extract<ContentChange, { kind: 'write' }>

function damaged(change: ContentChange, random: SeededRandom): ContentChange[] {
  if (change.kind !== 'write') return [change]
  switch (random.below(6)) {
    case 0:
      return [torn(change, random)]
    case 1:
      return sectors(change, random)
    case 2:
      return [{ order: change.order, kind: 'grow', size: change.position + change.bytes.length }]
    default:
      return [change]
  }
}

function torn(change: Write, random: SeededRandom): Write {
  return { ...change, bytes: change.bytes.subarray(0, random.below(change.bytes.length + 1)) }
}

/** Some of the sectors that the write touches. */
function sectors({ order, position, bytes }: Write, random: SeededRandom): Write[] {
  const pieces: Write[] = []
  for (let start = 0; start < bytes.length;) {
    const end = Math.min(bytes.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
    if (random.below(2) === 0)
      pieces.push({ order, kind: 'write', position: position + start, bytes: bytes.subarray(start, end) })
    start = end
  }
  return pieces
}
