/**
 * Decides which login is hashed next. Password hashes run in libuv's pool, which the disk needs too: at most
 * `runningMax` at once, a bounded waiting line, and addresses take turns, so that a flood from one of them makes
 * only its own logins wait.
 */
import type { Clock } from '@ternmq/core'
import { HASH_WAITING_MAX, HASH_WAIT_MS_MAX } from './limits.ts'

export interface HashQueueOptions {
  readonly clock: Pick<Clock, 'monoMs'>
  /** Hashes at once. */
  readonly runningMax?: number
  /** Jobs waiting for their turn, all addresses together. Beyond it the longest line loses its newest: 'line-full'. */
  readonly waitingMax?: number
  /** A job that waited longer is not run: 'waited-too-long'. */
  readonly waitMsMax?: number
}

export type NotRun = 'line-full' | 'waited-too-long'

export type HashOutcome<T> =
  | { readonly ran: true; readonly value: T }
  | { readonly ran: false; readonly reason: NotRun }

export interface HashCounters {
  readonly ran: number
  readonly lineFull: number
  readonly waitedTooLong: number
}

interface Job {
  readonly enqueuedAtMs: number
  readonly run: () => void
  readonly refuse: (reason: NotRun) => void
}

export class HashQueue {
  readonly #clock: Pick<Clock, 'monoMs'>
  readonly #runningMax: number
  readonly #waitingMax: number
  readonly #waitMsMax: number
  /** One line per address. Map order is the order of turns: who was served goes to the end. */
  readonly #lines = new Map<string, Job[]>()
  #running = 0
  #waiting = 0
  #ran = 0
  readonly #notRun: Record<NotRun, number> = { 'line-full': 0, 'waited-too-long': 0 }

  constructor(options: HashQueueOptions) {
    this.#clock = options.clock
    this.#runningMax = options.runningMax ?? 1
    this.#waitingMax = options.waitingMax ?? HASH_WAITING_MAX
    this.#waitMsMax = options.waitMsMax ?? HASH_WAIT_MS_MAX
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  get counters(): HashCounters {
    return { ran: this.#ran, lineFull: this.#notRun['line-full'], waitedTooLong: this.#notRun['waited-too-long'] }
  }

  /** Runs `work` when the turn of `address` comes. Rejects only with what `work` rejects with. */
  run<T>(address: string, work: () => Promise<T>): Promise<HashOutcome<T>> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        enqueuedAtMs: this.#clock.monoMs(),
        run: () => {
          this.#running++
          this.#ran++
          void Promise.resolve() // settles the promise that run() returned; a throw of `work` itself included
            .then(work)
            .then((value) => resolve({ ran: true, value }), reject)
            .finally(() => {
              this.#running--
              this.#startNext()
            })
        },
        refuse: (reason) => {
          this.#notRun[reason]++
          resolve({ ran: false, reason })
        },
      }
      this.#enqueue(fairnessKey(address), job)
      this.#startNext()
    })
  }

  #enqueue(key: string, job: Job): void {
    if (this.#waiting >= this.#waitingMax && !this.#makeRoomFor(key)) {
      job.refuse('line-full')
      return
    }
    const line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, [job])
    else line.push(job)
    this.#waiting++
  }

  /** Takes the newest job off the longest line, if that line stays at least as long as the newcomer's becomes. */
  #makeRoomFor(key: string): boolean {
    let longest: Job[] = []
    for (const line of this.#lines.values()) {
      if (line.length > longest.length) longest = line
    }
    const ownLength = this.#lines.get(key)?.length ?? 0
    if (longest.length < ownLength + 2) return false
    longest.pop()?.refuse('line-full')
    this.#waiting--
    return true
  }

  #startNext(): void {
    while (this.#running < this.#runningMax) {
      const job = this.#takeNext()
      if (job === undefined) return
      if (this.#clock.monoMs() - job.enqueuedAtMs > this.#waitMsMax) job.refuse('waited-too-long')
      else job.run()
    }
  }

  #takeNext(): Job | undefined {
    for (const [key, line] of this.#lines) {
      const job = line.shift()
      this.#lines.delete(key)
      if (line.length > 0) this.#lines.set(key, line) // to the end of the round
      this.#waiting--
      return job
    }
    return undefined
  }
}

/**
 * Who counts as one address: an IPv4 address, also in IPv6 dress, or the /64 of an IPv6 address, because one
 * customer has a whole /64 to send from.
 */
export function fairnessKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1] ?? address
  if (!address.includes(':')) return address
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::', 2)
  const front = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const back = tail === '' ? [] : tail.split(':')
    while (front.length + back.length < 8) front.push('0')
    front.push(...back)
  }
  const network = front.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''))
  return `${network.join(':')}::/64`
}
