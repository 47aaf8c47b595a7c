/** A link that was refused keeps its handle until the client has detached, too: until then it must be in nobody's way. Found by a fuzzer. */
import { expect, test } from 'vitest'
import { type ReceiverPeer, type SenderPeer, type SessionPeer, World } from './harness.ts'

/** One that sends and one that receives, both refused and not detached by the client. */
function refuseBoth(session: SessionPeer): readonly [SenderPeer, ReceiverPeer] {
  const sender = session.newSender('queue://', { handle: 10, name: 'x' })
  const receiver = session.newReceiver('queue://', { handle: 11, name: 'y' })
  for (const link of [sender, receiver]) {
    session.peer.send(link.attachFrame())
    session.peer.next('attach')
    session.peer.next('detach')
  }
  return [sender, receiver]
}

test('a transaction is discharged', () => {
  const session = new World().connect().begin()
  const coordinator = session.coordinator()
  refuseBoth(session)
  expect(coordinator.discharge(coordinator.declare())).toEqual({ kind: 'accepted' })
})

test('a client that reads again gets the rest', () => {
  const world = new World()
  world.define('q')
  const peer = world.connect({}, { kernelBytes: 1_000 })
  const session = peer.begin()
  refuseBoth(session)
  const receiver = session.receiver('queue://q')
  receiver.grant(10)
  peer.stopReading()
  for (let count = 0; count < 3; count++) world.publish('$queue/q', 'x'.repeat(40_000))
  peer.readAgain()
  expect(receiver.texts()).toHaveLength(3)
})

test('a session goes on when its window opens', () => {
  const world = new World()
  world.define('q')
  const session = world.connect().begin({ incomingWindow: 0 })
  refuseBoth(session)
  const receiver = session.receiver('queue://q')
  receiver.grant(10)
  world.publish('$queue/q', 'x')
  session.flow({ incomingWindow: 5 })
  expect(receiver.texts()).toEqual(['x'])
})

test('a message that does not end is looked for', () => {
  const world = new World({ settings: { messageTimeoutMs: 4_000 } })
  const session = world.connect().begin()
  refuseBoth(session)
  session.sender('queue://q').send('x', { more: true })
  world.advance(5_000)
  expect(session.peer.next('detach')).toMatchObject({ error: { condition: 'amqp:resource-limit-exceeded' } })
})

test('who sends to a queue that is full gets credit when it has room', () => {
  const world = new World({ settings: { linkCredit: 4 } })
  world.define('q', { messagesMax: 2, whenFull: 'block', blockMaxMs: 10_000 })
  const session = world.connect().begin()
  refuseBoth(session)
  const sender = session.sender('queue://q')
  for (let count = 0; count < 4; count++) sender.send(`${count}`)
  const receiver = world.connect({ containerId: 'other' }).begin().receiver('queue://q', { sndSettleMode: 1 })
  receiver.grant(10)
  expect(receiver.texts()).toEqual(['0', '1', '2', '3'])
  expect(session.peer.takeAll('flow').at(-1)).toMatchObject({ handle: sender.remoteHandle, linkCredit: 4 })
})
