/**
 * The destinations that get lines of their own, and one line for all others: labels are bounded, however many queues there are.
 *
 * Who was busy lately stays for a while, so that lines do not come and go with each look. Counters of the others are what these have
 * gained while they had no line of their own: a counter must never go back, whoever moves in or out.
 */
import type { DestinationNumbers } from './snapshot.ts'

export const DESTINATIONS_MAX_DEFAULT = 50

/** The label of all others; no queue has such a name. */
export const OTHER = '(other)'

/** Destinations that are looked at before others have their turn, where there are very many. */
export const DESTINATIONS_PER_PIECE = 1_000

/** What a destination did counts for its place that much at the next look, and less at each later one. */
const PAST_SHARE = 0.8

/** Gauges of a destination, of this moment; all else that has a number is counted. */
type GaugeName = 'waitingCount' | 'waitingBytes' | 'inflightCount' | 'consumerCount'
type CounterName = Exclude<keyof DestinationNumbers, 'name' | GaugeName>

const COUNTERS: readonly CounterName[] = [
  'messagesIn',
  'bytesIn',
  'messagesOut',
  'bytesOut',
  'settledCount',
  'redeliveredCount',
  'expiredCount',
  'deadLetteredCount',
  'droppedCount',
]

const GAUGES: readonly GaugeName[] = ['waitingCount', 'waitingBytes', 'inflightCount', 'consumerCount']

type Numbers = { -readonly [K in keyof DestinationNumbers]: DestinationNumbers[K] }

interface Known {
  /** At the last look, in the order of COUNTERS. */
  readonly counts: Float64Array
  score: number
  /** The look at which it was there. */
  look: number
}

interface Candidate {
  readonly numbers: Numbers
  readonly known: Known
  readonly gained: Float64Array
}

export class BusiestDestinations {
  readonly #countMax: number
  /** Of those that have counted anything: as many as queues. */
  readonly #known = new Map<string, Known>()
  readonly #other: Numbers = emptyNumbers(OTHER)
  readonly #gained: Float64Array = new Float64Array(COUNTERS.length)
  #look = 0

  constructor(countMax: number = DESTINATIONS_MAX_DEFAULT) {
    this.#countMax = countMax
  }

  /**
   * Takes note of all of them, in pieces, one selection at a time: between two pieces destinations may come and go, and count on. Returns the
   * busiest, and the others in one where there are any or have been.
   */
  *select(destinations: Iterable<DestinationNumbers>): Generator<void, DestinationNumbers[], void> {
    this.#look++
    let pieceCount = 0
    for (const gauge of GAUGES) this.#other[gauge] = 0
    const shown: Candidate[] = []
    let otherCount = 0
    /** Who is below it has no chance: enough are above. */
    let scoreMin = 0
    for (const destination of destinations) {
      if (++pieceCount % DESTINATIONS_PER_PIECE === 0) yield
      // One that went and came again meanwhile has had its line.
      if (this.#known.get(destination.name)?.look === this.#look) continue
      const known = this.#note(destination)
      if (known.score < scoreMin) {
        otherCount++
        this.#addOther(destination, this.#gained)
        continue
      }
      shown.push({ numbers: copyOf(destination), known, gained: this.#gained.slice() })
      if (shown.length <= this.#countMax * 2) continue
      otherCount += this.#cut(shown)
      scoreMin = shown[this.#countMax - 1]!.known.score
    }
    otherCount += this.#cut(shown)
    for (const [name, { look }] of this.#known) if (look !== this.#look) this.#known.delete(name)
    const found: DestinationNumbers[] = shown.map(({ numbers }) => numbers)
    if (otherCount > 0 || COUNTERS.some((counter) => this.#other[counter] > 0)) found.push({ ...this.#other })
    return found
  }

  /** What it has gained since the last look is in `#gained` until the next one. */
  #note(destination: DestinationNumbers): Known {
    const { name } = destination
    let known = this.#known.get(name)
    if (known === undefined)
      this.#known.set(name, (known = { counts: new Float64Array(COUNTERS.length), score: 0, look: 0 }))
    const { counts } = known
    for (let index = 0; index < COUNTERS.length; index++) {
      const count = destination[COUNTERS[index]!]
      // One that is lower than before is of another queue with the same name.
      this.#gained[index] = count >= counts[index]! ? count - counts[index]! : count
      counts[index] = count
    }
    known.score = known.score * PAST_SHARE + this.#gained[IN]! + this.#gained[OUT]!
    known.look = this.#look
    return known
  }

  #addOther(destination: DestinationNumbers, gained: Float64Array): void {
    for (let index = 0; index < COUNTERS.length; index++) this.#other[COUNTERS[index]!] += gained[index]!
    for (const gauge of GAUGES) this.#other[gauge] += destination[gauge]
  }

  /** Leaves the busiest, and adds the others to the one line. Returns their number. */
  #cut(shown: Candidate[]): number {
    shown.sort(
      (one, other) =>
        other.known.score - one.known.score ||
        total(other) - total(one) ||
        (one.numbers.name < other.numbers.name ? -1 : 1),
    )
    const others = shown.splice(this.#countMax)
    for (const { numbers, gained } of others) this.#addOther(numbers, gained)
    return others.length
  }
}

const IN = COUNTERS.indexOf('messagesIn')
const OUT = COUNTERS.indexOf('messagesOut')

function total({ numbers }: Candidate): number {
  return numbers.messagesIn + numbers.messagesOut
}

/** It may be a live object: what it says is taken once. */
function copyOf(destination: DestinationNumbers): Numbers {
  const numbers = emptyNumbers(destination.name)
  for (const name of [...COUNTERS, ...GAUGES]) numbers[name] = destination[name]
  return numbers
}

function emptyNumbers(name: string): Numbers {
  return {
    name,
    messagesIn: 0,
    bytesIn: 0,
    messagesOut: 0,
    bytesOut: 0,
    settledCount: 0,
    redeliveredCount: 0,
    expiredCount: 0,
    deadLetteredCount: 0,
    droppedCount: 0,
    waitingCount: 0,
    waitingBytes: 0,
    inflightCount: 0,
    consumerCount: 0,
  }
}
