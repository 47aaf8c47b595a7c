/**
 * Keeps a client that is refused a thousand times a second from filling the events with one sentence: the first event of a subject
 * passes at once, those of the next second are counted and told as one.
 */
import type { Cancel, Clock } from './env.ts'
import type { EventDetails } from './events.ts'

/** At most one event per subject in this time. */
const WINDOW_MS = 1_000
/** Subjects of one window; those beyond it are counted together, whatever they are about. */
const SUBJECTS_MAX = 256
const OTHERS = ''

interface Repeats {
  /** The latest that was held back; undefined when none was. */
  latest: EventDetails | undefined
  count: number
}

export class EventThrottle {
  readonly #clock: Clock
  readonly #tell: (event: EventDetails) => void
  /** Of the window that is open; empty while none is. */
  #bySubject = new Map<string, Repeats>()
  #cancel: Cancel | undefined = undefined

  constructor(clock: Clock, tell: (event: EventDetails) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  /** `subject` says who was refused what: events of one subject may stand for each other. Not ''. */
  report(subject: string, event: EventDetails): void {
    const isOpen = this.#bySubject.size > 0
    const repeats = this.#bySubject.get(subject)
    if (repeats !== undefined) return hold(repeats, event)
    if (this.#bySubject.size >= SUBJECTS_MAX) return hold(this.#others(), event)
    this.#bySubject.set(subject, { latest: undefined, count: 0 })
    if (!isOpen) this.#open()
    this.#tell(event)
  }

  /** Tells what is held back, and ends the window. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const repeated = this.#bySubject
    this.#bySubject = new Map()
    for (const [subject, { latest, count }] of repeated) {
      if (latest === undefined) continue
      const others = subject === OTHERS ? ', not all of them about the same' : ''
      this.#tell(count === 1 ? latest : { ...latest, text: `${latest.text} (${count} such events in a second${others})` })
    }
  }

  #others(): Repeats {
    let others = this.#bySubject.get(OTHERS)
    if (others === undefined) this.#bySubject.set(OTHERS, (others = { latest: undefined, count: 0 }))
    return others
  }

  #open(): void {
    this.#cancel = this.#clock.after(WINDOW_MS, () => this.#onWindowEnd())
  }

  /** Who was told now has another window: a flood is told of once a second, not twice. */
  #onWindowEnd(): void {
    const repeated = [...this.#bySubject].filter(([, { latest }]) => latest !== undefined)
    this.flush()
    for (const [subject] of repeated) this.#bySubject.set(subject, { latest: undefined, count: 0 })
    if (repeated.length > 0) this.#open()
  }
}

function hold(repeats: Repeats, event: EventDetails): void {
  repeats.latest = event
  repeats.count++
}
