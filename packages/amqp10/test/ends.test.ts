/**
 * What ends takes its links with it, one after the other, and what one of them gives up may be what another has waited for: nothing goes
 * out any more. Found by a fuzzer.
 */
import { beforeEach, expect, test } from 'vitest'
import { type Peer, World } from './harness.ts'

let world: World
let peer: Peer

beforeEach(() => {
  world = new World()
  world.define('q', {
    deadLetter: 'DLQ',
    redelivery: { deliveriesMax: 1, delayMs: 0, multiplier: 1, delayMaxMs: 0, jitter: 0 },
  })
  world.publish('$queue/q', 'x')
  peer = world.connect()
})

function lettersNow(): number {
  return world.queue('DLQ').waitingCount
}

test('a connection that is closed gets no dead letter of what it had not settled', () => {
  const [first, second] = [peer.begin(), peer.begin()]
  const receiver = first.receiver('queue://q')
  second.receiver('queue://DLQ').grant(5)
  receiver.grant(5)
  receiver.take()
  peer.perform('open', { containerId: 'again' })
  expect(peer.received().map(({ kind }) => kind)).toEqual(['close'])
  expect(lettersNow()).toBe(1)
})

test('nor does a session that is ended', () => {
  const session = peer.begin()
  const receiver = session.receiver('queue://q')
  session.receiver('queue://DLQ').grant(5)
  receiver.grant(5)
  receiver.take()
  peer.send(session.frame('detach', { handle: 9, closed: true }))
  expect(peer.received().map(({ kind }) => kind)).toEqual(['end'])
  expect(lettersNow()).toBe(1)
})

test('nor does a link from several queues that is detached', () => {
  const session = peer.begin()
  const coordinator = session.coordinator()
  world.define('DLQ')
  const receiver = session.receiver('queue://>')
  receiver.grant(5)
  const { id } = receiver.take()
  const txnId = coordinator.declare()
  receiver.settle(id, { kind: 'transactional-state', txnId, outcome: { kind: 'accepted' } }, { settled: false })
  coordinator.discharge(txnId, true)
  peer.send(receiver.detachFrame())
  expect(peer.received().map(({ kind }) => kind)).toEqual(['detach'])
  expect(lettersNow()).toBe(1)
})
