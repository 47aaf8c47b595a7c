/** A client with a link to the coordinator, and what its tests look at. */
import { type Fields, type Peer, type SenderPeer, type SessionPeer, World, type WorldOptions } from '../../harness.ts'

export interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly coordinator: SenderPeer
}

export function controlled(options: WorldOptions = {}): Scene {
  const world = new World(options)
  const peer = world.connect()
  const session = peer.begin()
  return { world, peer, session, coordinator: session.coordinator() }
}

export function inTransaction(txnId: Buffer, outcome?: Fields): Fields {
  return { kind: 'transactional-state', txnId, outcome }
}

/** What a queue holds: waiting and unsettled. */
export function counts({ world }: Scene, name = 'q'): number[] {
  const found = world.vhost.destinations.find(name)
  return found === undefined ? [0, 0] : [found.queue.waitingCount, found.queue.inflightCount]
}

export const UNKNOWN: Buffer = Buffer.from('nosuchtx')
