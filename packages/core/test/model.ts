/**
 * A virtual host as a child would build it: arrays, no indexes, no direct way, no turns. It does not say what the core has to do next
 * where the core may choose (which member, which retained message first); it checks that what the core did was allowed, and that
 * nothing was left undone.
 */
import { matches } from '../src/routing/address.ts'
import { Counters } from '../src/counters.ts'
import type { Delivery, Outcome } from '../src/queue/delivery.ts'
import type { Assurance } from '../src/message/message.ts'
import type { Queue } from '../src/queue/queue.ts'
import { patternOf } from './support.ts'

export interface ModelMessage {
  /** Unique. */
  readonly name: string
  /** '' clears what is retained. */
  readonly body: string
  readonly topic: string
  readonly assurance: Assurance
  /** 0 for ever. */
  readonly expiresAtMs: number
  readonly publisher: string
  readonly retain: boolean
  /** Every sink says that it can never take it. */
  readonly isRefused: boolean
}

export interface ModelBinding {
  /** Unique; the core's deliveries bring it back. */
  readonly id: string
  readonly owner: string
  readonly filter: string
  readonly share: string | undefined
  readonly assuranceMax: Assurance
  readonly noLocal: boolean
}

/** What a sink was given. */
export interface Arrival {
  readonly clientId: string
  readonly message: ModelMessage
  readonly assurance: Assurance
  readonly retained: boolean
  readonly failedCount: number
  readonly bindingIds: readonly string[]
  readonly delivery: Delivery
}

export interface Entry {
  readonly message: ModelMessage
  readonly retained: boolean
  /** The bindings that brought it; of a shared subscription those of the member that gets it. */
  readonly bindings: readonly ModelBinding[]
  readonly sequence: number
  /** Its line was in the log when it came. */
  readonly isInLog: boolean
  failedCount: number
}

export class Line {
  readonly actual: Queue
  waiting: Entry[] = []
  sequence = 0
  isClosed = false

  constructor(actual: Queue) {
    this.actual = actual
  }

  putBack(entry: Entry): void {
    const place = this.waiting.findIndex(({ sequence }) => sequence > entry.sequence)
    this.waiting.splice(place < 0 ? this.waiting.length : place, 0, entry)
  }
}

interface Held {
  readonly entry: Entry
  readonly line: Line
  readonly assurance: Assurance
  readonly delivery: Delivery
}

export interface ModelWill {
  /** The message that the core has just made of it. */
  make(): ModelMessage
  readonly delayMs: number
}

export interface ModelWishes {
  readonly cleanStart: boolean
  readonly expiryMs: number
  readonly creditMax: number
  readonly will: ModelWill | undefined
}

export class ModelSession {
  readonly id: string
  readonly line: Line
  expiryMs = 0
  creditMax = 0
  isConnected = false
  isWritable = true
  will: ModelWill | undefined = undefined
  willAtMs: number = Infinity
  endsAtMs: number = Infinity
  bindings: ModelBinding[] = []
  /** Retained messages that bindings asked for and that have not come yet, binding by binding. */
  backfills: { binding: ModelBinding; messages: ModelMessage[] }[] = []
  held: Held[] = []

  constructor(id: string, actual: Queue) {
    this.id = id
    this.line = new Line(actual)
  }

  get hasCredit(): boolean {
    return this.held.length < this.creditMax
  }
}

export class Model {
  readonly messagesMax: number
  readonly sessions: Map<string, ModelSession> = new Map()
  /** By `share` and filter. */
  readonly groups: Map<string, Line> = new Map()
  readonly retained: Map<string, ModelMessage> = new Map()
  readonly counters: Counters = new Counters()
  nowMs: number
  readonly #arrivals: Arrival[]
  /** Entries made: one per publish and queue that wanted it, one per retained message and binding that asked. */
  entries: number = 0
  /** Entries that went with their queue. */
  gone: number = 0

  /** `arrivals` are those that the model has still to take. */
  constructor(messagesMax: number, nowMs: number, arrivals: Arrival[]) {
    this.#arrivals = arrivals
    this.messagesMax = messagesMax
    this.nowMs = nowMs
  }

  publish(message: ModelMessage): 'routed' | 'unmatched' {
    const { counters } = this
    counters.messagesIn++
    counters.bytesIn += message.body.length
    if (message.retain && message.body === '') this.retained.delete(message.topic)
    else if (message.retain) this.retained.set(message.topic, message)
    let isWanted = false
    for (const session of this.sessions.values()) {
      const bindings = session.bindings.filter((binding) => binding.share === undefined && wants(binding, message))
      if (bindings.length === 0) continue
      isWanted = true
      this.#offer(session.line, message, bindings, session.isConnected)
    }
    for (const [key, line] of this.groups) {
      const members = this.#membersOf(key)
      if (!members.some(({ binding }) => wants(binding, message))) continue
      isWanted = true
      this.#offer(
        line,
        message,
        [],
        members.some(({ session }) => session.isConnected),
      )
    }
    if (!isWanted) counters.unmatched++
    return isWanted ? 'routed' : 'unmatched'
  }

  bind(
    session: ModelSession,
    binding: ModelBinding,
    retained: 'always' | 'if-new' | 'never',
    group: () => Queue,
  ): void {
    const index = session.bindings.findIndex(
      ({ filter, share }) => filter === binding.filter && share === binding.share,
    )
    if (index < 0) session.bindings.push(binding)
    else session.bindings[index] = binding
    if (binding.share !== undefined) {
      const key = groupKey(binding)
      if (!this.groups.has(key)) this.groups.set(key, new Line(group()))
    } else if (retained === 'always' || (retained === 'if-new' && index < 0)) {
      const messages: ModelMessage[] = []
      for (const message of this.retained.values()) {
        if (!matches(patternOf(binding.filter), message.topic.split('/'))) continue
        if (this.isExpired(message)) this.retained.delete(message.topic)
        else if (wants(binding, message)) messages.push(message)
      }
      if (messages.length > 0) session.backfills.push({ binding, messages })
      this.entries += messages.length
    }
  }

  /** `actual` is the queue of the session that was opened. Returns whether there was one to resume. */
  connect(id: string, wishes: ModelWishes, actual: Queue): boolean {
    const before = this.sessions.get(id)
    if (before !== undefined) {
      this.disconnect(before)
      if (wishes.cleanStart && this.sessions.has(id)) this.end(before)
    }
    const isPresent = this.sessions.has(id)
    const session = this.sessions.get(id) ?? new ModelSession(id, actual)
    this.sessions.set(id, session)
    const { expiryMs, creditMax, will } = wishes
    Object.assign(session, {
      expiryMs,
      creditMax,
      will,
      isConnected: true,
      isWritable: true,
      willAtMs: Infinity,
      endsAtMs: Infinity,
    })
    return isPresent
  }

  unbind(session: ModelSession, filter: string, share: string | undefined): boolean {
    const binding = session.bindings.find((known) => known.filter === filter && known.share === share)
    if (binding === undefined) return false
    session.bindings = session.bindings.filter((known) => known !== binding)
    if (share !== undefined) this.#closeIfEmpty(groupKey(binding))
    return true
  }

  disconnect(session: ModelSession): void {
    if (!session.isConnected) return
    session.isConnected = false
    if (session.expiryMs === 0) return this.end(session)
    const { will } = session
    if (will !== undefined && will.delayMs === 0) this.#publishWill(session)
    else if (will !== undefined) session.willAtMs = this.nowMs + Math.min(will.delayMs, session.expiryMs)
    session.endsAtMs = this.nowMs + session.expiryMs
  }

  end(session: ModelSession): void {
    session.isConnected = false
    this.#publishWill(session)
    this.sessions.delete(session.id)
    this.#close(session.line)
    this.gone += session.backfills.reduce((sum, { messages }) => sum + messages.length, 0)
    for (const { entry, line, assurance } of session.held) {
      if (line === session.line) continue
      if (assurance === 2) this.counters.rejected++
      else this.#return(line, entry)
    }
    const left = session.bindings.filter(({ share }) => share !== undefined)
    for (const binding of left) this.#closeIfEmpty(groupKey(binding))
  }

  /** Sessions of which a will or the end is due at that moment. */
  dueAt(atMs: number): ModelSession[] {
    return [...this.sessions.values()].filter(({ willAtMs, endsAtMs }) => willAtMs === atMs || endsAtMs === atMs)
  }

  /** When the next will goes out or the next session ends; Infinity when none will. */
  get nextDueMs(): number {
    return Math.min(...[...this.sessions.values()].flatMap(({ willAtMs, endsAtMs }) => [willAtMs, endsAtMs]))
  }

  /** Wills and ends that are due now. */
  runDue(): void {
    for (const session of this.sessions.values()) {
      if (session.willAtMs <= this.nowMs) this.#publishWill(session)
      if (session.endsAtMs <= this.nowMs) this.end(session)
    }
  }

  settle(session: ModelSession, held: Held, outcome: Outcome): void {
    session.held = session.held.filter((other) => other !== held)
    if (outcome === 'rejected') this.counters.rejected++
    if (outcome === 'accepted') this.counters.settled++
    if (outcome === 'modified') held.entry.failedCount++
    if (outcome === 'released' || outcome === 'modified') this.#return(held.line, held.entry)
  }

  /** Checks what came and takes note of it. Throws with what is wrong. */
  takeArrivals(): void {
    for (const arrival of this.#arrivals.splice(0)) this.#take(arrival)
  }

  /** A will is handed over before the session that it is from gives anything back. */
  #takeArrivalsOf(message: ModelMessage): void {
    while (this.#arrivals[0]?.message === message) this.#take(this.#arrivals.shift()!)
  }

  #take(arrival: Arrival): void {
    const session = this.sessions.get(arrival.clientId)
    if (session === undefined)
      throw new Error(`'${arrival.message.name}' came for ${arrival.clientId}, which has no session`)
    if (!session.isConnected || !session.isWritable)
      throw new Error(`'${arrival.message.name}' came for ${session.id}, which cannot take it`)
    const membership = session.bindings.find(({ id, share }) => share !== undefined && id === arrival.bindingIds[0])
    const line = membership === undefined ? session.line : this.groups.get(groupKey(membership))!
    // Nobody can take it here: the others may try, and it waits.
    if (membership !== undefined && arrival.message.isRefused) {
      if (line.waiting.some(({ message }) => message === arrival.message && !this.isExpired(message))) return
      throw new Error(`'${arrival.message.name}' came to ${session.id}, and does not wait in the group`)
    }
    const entry = this.#takeFirst(session, line, arrival)
    const bindings = membership === undefined ? entry.bindings : [membership]
    const assuranceMax = Math.max(...bindings.map((binding) => binding.assuranceMax))
    const expected = {
      bindingIds: bindings.map(({ id }) => id).sort(),
      assurance: Math.min(entry.message.assurance, assuranceMax),
      retained: entry.retained,
      failedCount: arrival.assurance === 0 ? arrival.failedCount : entry.failedCount,
    }
    for (const [name, value] of Object.entries(expected)) {
      const got = arrival[name as keyof typeof expected]
      if (JSON.stringify(got) !== JSON.stringify(value)) {
        throw new Error(
          `'${arrival.message.name}' came to ${session.id} with ${name} ${JSON.stringify(got)} instead of ${JSON.stringify(value)}`,
        )
      }
    }
    this.counters.messagesOut++
    this.counters.bytesOut += arrival.message.body.length
    if (arrival.message.isRefused) this.counters.rejected++
    if (arrival.assurance === 0) return
    if (!session.hasCredit)
      throw new Error(`'${arrival.message.name}' came to ${session.id} beyond its window of ${session.creditMax}`)
    if (arrival.message.isRefused) return
    session.held.push({ entry, line, assurance: arrival.assurance, delivery: arrival.delivery })
  }

  /**
   * Takes note of what expired in the lines, and throws if something could have been delivered and was not. What expired while it
   * could not be delivered may still stand at the head of a line: nobody has had a reason to look.
   */
  check(): void {
    for (const session of this.sessions.values()) {
      this.#forgetExpired(session.line)
      const [backfill] = session.backfills
      const [first] = backfill === undefined ? session.line.waiting : []
      const needsCredit = backfill?.messages.some(
        (message) => Math.min(message.assurance, backfill.binding.assuranceMax) > 0,
      )
      const isBlocked = !session.hasCredit && (needsCredit ?? (first !== undefined && assuranceOf(first) > 0))
      if (!session.isConnected || !session.isWritable || isBlocked) continue
      const left = backfill?.messages.find((message) => !this.isExpired(message)) ?? first?.message
      if (left !== undefined) throw new Error(`${session.id} could take '${left.name}', and got nothing`)
    }
    for (const [key, line] of this.groups) {
      this.#forgetExpired(line)
      const firstAt = line.waiting.findIndex(({ message }) => !message.isRefused)
      const first = line.waiting[firstAt]
      for (const { session, binding } of first === undefined ? [] : this.#membersOf(key)) {
        // What it cannot take has to be tried before.
        const before = line.waiting.slice(0, firstAt + 1)
        const needsCredit = before.some(({ message }) => Math.min(message.assurance, binding.assuranceMax) > 0)
        if (session.isConnected && session.isWritable && (!needsCredit || session.hasCredit)) {
          throw new Error(`${session.id} could take '${first!.message.name}' of group ${key}, and did not get it`)
        }
      }
    }
  }

  get waitingCount(): number {
    const sessions = [...this.sessions.values()]
    const backfilled = sessions.flatMap(({ backfills }) => backfills.map(({ messages }) => messages.length))
    const lines = [...sessions.map(({ line }) => line), ...this.groups.values()].map(({ waiting }) => waiting.length)
    return [...backfilled, ...lines].reduce((sum, count) => sum + count, 0)
  }

  /** The highest assurance that one of the bindings gives the message; its own when none matches any more. */
  assuranceMaxOf(bindings: readonly ModelBinding[], message: ModelMessage): number {
    const wanting = bindings.filter(({ filter }) => matches(patternOf(filter), message.topic.split('/')))
    return wanting.length === 0 ? message.assurance : Math.max(...wanting.map(({ assuranceMax }) => assuranceMax))
  }

  isExpired({ expiresAtMs }: ModelMessage): boolean {
    return expiresAtMs !== 0 && expiresAtMs <= this.nowMs
  }

  #offer(line: Line, message: ModelMessage, bindings: readonly ModelBinding[], isAttached: boolean): void {
    this.entries++
    const entry: Entry = {
      message,
      bindings,
      retained: false,
      sequence: ++line.sequence,
      isInLog: line.actual.number !== 0,
      failedCount: 0,
    }
    if (assuranceOf(entry) === 0 && !isAttached) {
      this.counters.droppedOffline++
      return
    }
    if (line.waiting.length >= this.messagesMax) {
      const expired = line.waiting.filter((waiting) => this.isExpired(waiting.message))
      line.waiting = line.waiting.filter((waiting) => !expired.includes(waiting))
      this.counters.expired += expired.length
    }
    if (line.waiting.length >= this.messagesMax) this.counters.droppedOverLimit++
    else line.waiting.push(entry)
  }

  #takeFirst(session: ModelSession, line: Line, arrival: Arrival): Entry {
    if (line === session.line) {
      for (const { binding, messages } of session.backfills) {
        const index = messages.indexOf(arrival.message)
        if (index >= 0 && arrival.retained && !this.isExpired(messages[index]!)) {
          const [message] = messages.splice(index, 1)
          session.backfills = session.backfills.filter((backfill) => backfill.messages.length > 0)
          return {
            message: message!,
            retained: true,
            bindings: [binding],
            sequence: ++line.sequence,
            isInLog: false,
            failedCount: 0,
          }
        }
        if (messages.some((message) => !this.isExpired(message)))
          throw new Error(`'${arrival.message.name}' came before a retained message`)
        this.gone += messages.splice(0).length
      }
      session.backfills = []
    }
    // Whoever has tried one in vain is past it, and sees no more whether its time is over.
    const isLeft = ({ message }: Entry): boolean => line !== session.line && message.isRefused
    let at = 0
    for (
      let first = line.waiting[at];
      first !== undefined && first.message !== arrival.message;
      first = line.waiting[at]
    ) {
      if (isLeft(first)) at++
      else if (this.isExpired(first.message)) {
        line.waiting.splice(at, 1)
        this.counters.expired++
      } else break
    }
    const [entry] = line.waiting.splice(at, 1)
    if (entry?.message !== arrival.message || this.isExpired(entry.message)) {
      throw new Error(`'${arrival.message.name}' came to ${session.id} where '${entry?.message.name}' was next`)
    }
    return entry
  }

  /**
   * The core looks for what has expired only when it has reason to: its count says how many it has thrown away. Dispatch takes those at
   * the head, the sweep and a full queue all of them, wherever they stand: either way the oldest expired ones go.
   */
  #forgetExpired(line: Line): void {
    while (line.waiting.length > line.actual.waitingCount) {
      // Whoever has tried what it cannot take is past it: what is behind goes first.
      const behind = line.waiting.findIndex(({ message }) => this.isExpired(message) && !message.isRefused)
      const index = behind < 0 ? line.waiting.findIndex(({ message }) => this.isExpired(message)) : behind
      if (index < 0)
        throw new Error(
          `one of ${line.waiting.map(({ message }) => message.name).join()} is lost from ${line.actual.name}`,
        )
      line.waiting.splice(index, 1)
      this.counters.expired++
    }
    const surplus = line.actual.waitingCount - line.waiting.length
    if (surplus > 0) throw new Error(`${line.actual.name} has ${surplus} entries too many`)
  }

  #return(line: Line, entry: Entry): void {
    if (line.isClosed) return
    this.counters.redelivered++
    line.putBack(entry)
  }

  #publishWill(session: ModelSession): void {
    const { will } = session
    session.will = undefined
    session.willAtMs = Infinity
    const message = will?.make()
    if (message?.topic.startsWith('$')) this.counters.refused++
    else if (message !== undefined) this.publish(message)
    if (message !== undefined) this.#takeArrivalsOf(message)
  }

  #membersOf(key: string): { session: ModelSession; binding: ModelBinding }[] {
    return [...this.sessions.values()].flatMap((session) =>
      session.bindings
        .filter((each) => each.share !== undefined && groupKey(each) === key)
        .map((binding) => ({ session, binding })),
    )
  }

  #closeIfEmpty(key: string): void {
    const line = this.groups.get(key)
    if (line === undefined || this.#membersOf(key).length > 0) return
    this.groups.delete(key)
    this.#close(line)
  }

  #close(line: Line): void {
    line.isClosed = true
    this.gone += line.waiting.splice(0).length
  }
}

function groupKey({ share, filter }: ModelBinding): string {
  return `${share}:${filter}`
}

function wants({ filter, noLocal, share, owner }: ModelBinding, { topic, publisher }: ModelMessage): boolean {
  return matches(patternOf(filter), topic.split('/')) && (share !== undefined || !noLocal || publisher !== owner)
}

/** The highest that a receiver can get it with. */
export function assuranceOf({ message, bindings }: Entry): number {
  return bindings.length === 0
    ? message.assurance
    : Math.min(message.assurance, Math.max(...bindings.map((one) => one.assuranceMax)))
}
