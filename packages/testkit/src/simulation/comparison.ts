/**
 * Two durable states, said to be the same, and where they differ. Marks of redelivery, and how far messages may have been handed
 * out, are left out: a snapshot says more of them than the records did, and the checker of histories sees what they are for.
 */
import type { DurableState } from '@ternmq/core/log'

export interface CompareOptions {
  /** Only what waits, in queues that both have, and without failed attempts: right in the middle of a turn, too. */
  readonly linesOnly?: boolean
}

/** What differs, in words; undefined when nothing does. */
export function difference(one: DurableState, other: DurableState, options: CompareOptions = {}): string | undefined {
  const isLinesOnly = options.linesOnly === true
  const before = isLinesOnly ? linesOf(one, other) : factsOf(one)
  const after = isLinesOnly ? linesOf(other, one) : factsOf(other)
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [left, right] = [before.get(key), after.get(key)]
    if (left !== right) return `${key} is ${left ?? 'not there'} in one and ${right ?? 'not there'} in the other`
  }
  return undefined
}

function factsOf(state: DurableState): Map<string, string> {
  const facts = new Map<string, string>()
  const tell = (key: string, value: unknown): void => void facts.set(key, JSON.stringify(value))
  for (const [number, { session, bindings, received }] of state.sessions) {
    tell(`session ${number}`, session)
    for (const [key, binding] of bindings) tell(`binding ${JSON.stringify(key)} of session ${number}`, binding)
    if (received.size > 0)
      tell(
        `received ids of session ${number}`,
        [...received].toSorted((a, b) => a - b),
      )
  }
  for (const [number, queue] of state.queues) tell(`queue ${number}`, queue)
  for (const [topic, lsn] of state.retained) tell(`retained of ${topic}`, lsn)
  for (const [lsn, count] of state.refs) tell(`holders of ${lsn}`, count)
  for (const [lsn, schedule] of state.schedules) tell(`schedule ${lsn}`, schedule)
  for (const [queue, ids] of state.duplicates) if (ids.size > 0) tell(`duplicates of queue ${queue}`, [...ids])
  for (const [queue, deliveries] of state.delivered) {
    if (deliveries.size > 0)
      tell(
        `delivered of queue ${queue}`,
        [...deliveries].toSorted(([a], [b]) => a - b),
      )
  }
  addLines(facts, state, () => true, true)
  return facts
}

function linesOf(state: DurableState, other: DurableState): Map<string, string> {
  const isThere = (of: DurableState, queue: number): boolean => of.sessions.has(queue) || of.queues.has(queue)
  const facts = new Map<string, string>()
  addLines(facts, state, (queue) => isThere(state, queue) && isThere(other, queue), false)
  return facts
}

function addLines(
  facts: Map<string, string>,
  state: DurableState,
  isMeant: (queue: number) => boolean,
  withFailures: boolean,
): void {
  for (const [queue, lines] of state.lines) {
    if (!isMeant(queue)) continue
    for (const [priority, line] of lines) {
      const entries: string[] = []
      for (let position = line.nextLive(0); position !== 0; position = line.nextLive(position)) {
        const { lsn, bytes, expiresAtMs, failedCount } = line.look(position)!
        if (lsn !== 0) entries.push(`${lsn}/${bytes}/${expiresAtMs}${withFailures ? `/${failedCount}` : ''}`)
      }
      if (entries.length > 0) facts.set(`line of queue ${queue}, priority ${priority}`, entries.join(' '))
    }
  }
}
