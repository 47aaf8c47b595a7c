/** The durable state of a living virtual host, by reference, for a snapshot. [ADR-0003] */
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { type DurableDelivery, type DurableState, emptyState } from './state.ts'

/** The state after the last committed record. Good until the next thing happens. */
export function captureState(vhost: VirtualHost): DurableState {
  const state = emptyState()
  const { log } = vhost
  state.lastQueueNumber = log.lastQueueNumber
  for (const [lsn, count] of log.refs) state.refs.set(lsn, count)
  for (const named of vhost.destinations.all()) {
    const { number } = named.queue
    if (number === 0) continue
    state.queues.set(number, vhost.destinations.loggedOf(named))
    captureQueue(state, named.queue)
    const { duplicates } = named.queue
    if (duplicates === undefined) continue
    state.duplicates.set(number, new Map([...duplicates.entries()].map(({ id, atMs }) => [id, atMs])))
  }
  for (const session of vhost.sessions.all()) {
    if (!session.isDurable) continue
    const { number } = session.queue
    state.sessions.set(number, session.capture())
    captureQueue(state, session.queue)
    for (const delivery of session.unsettled()) {
      const { consumer, protocolState, message } = delivery
      if (protocolState === 0 || message.lsn === 0 || consumer === undefined || !session.isKept(delivery)) continue
      const queue = consumer.queue.number
      addDelivered(state, queue, message.lsn, number, protocolState)
    }
  }
  for (const [queue, lsn, session, protocolState] of log.leaving()) addDelivered(state, queue, lsn, session, protocolState)
  for (const queue of vhost.shared.queues()) if (queue.number !== 0) captureQueue(state, queue)
  for (const message of vhost.retained.all()) if (message.lsn !== 0) state.retained.set(message.topic, message.lsn)
  for (const [lsn, schedule] of vhost.schedule.logged()) state.schedules.set(lsn, schedule)
  for (const lsn of log.ending()) state.ending.push(lsn)
  for (const will of vhost.wills.logged()) state.wills.set(will.id, will)
  return state
}

function addDelivered(state: DurableState, queue: number, lsn: number, session: number, protocolState: number): void {
  let known = state.delivered.get(queue)
  if (known === undefined) state.delivered.set(queue, (known = new Map<number, DurableDelivery>()))
  known.set(lsn, { session, state: protocolState })
}

function captureQueue(state: DurableState, queue: Queue): void {
  state.lines.set(queue.number, new Map(queue.lanes.map(({ priority, line }) => [priority, line])))
  const { deliverableLsn } = queue
  if (deliverableLsn > 0) state.stagedLsns.set(queue.number, deliverableLsn)
}
