import { describe, expect, test } from 'vitest'

import { composite, message, type Peer, type ReceiverPeer, type SessionPeer, World } from '../../harness.ts'
import { aNumber } from '../matchers.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly receiver: ReceiverPeer
}

/** A receiver with much credit. `open` and `attach` are fields of those. */
function receiving(attach = {}, open = {}): Scene {
  const world = new World()
  const peer = world.connect(open)
  const session = peer.begin()
  const receiver = session.receiver('queue://q', attach)
  receiver.grant(100)
  return { world, peer, session, receiver }
}

function counts({ world }: Scene): number[] {
  const queue = world.queue('q')
  return [queue.waitingCount, queue.inflightCount]
}

describe('a delivery', () => {
  test('[AMQP10-2.7.5-a, AMQP10-2.6.12-a, AMQP10-2.6.12-b] has id, tag and format; ids go up by one, tags differ', () => {
    const { world, receiver } = receiving()
    for (const text of ['a', 'b', 'c']) world.publish('$queue/q', text)
    const got = receiver.takeAll()
    expect(got.map(({ id }) => id - got[0]!.id)).toEqual([0, 1, 2])
    expect(new Set(got.map(({ tag }) => tag.toString('hex'))).size).toBe(3)
    expect(got.map(({ messageFormat }) => messageFormat)).toEqual([0, 0, 0])
  })

  test('[AMQP10-2.6.12-b] has an id that is one above the last of the session, whatever link that was on', () => {
    const { world, session, receiver } = receiving()
    const other = session.receiver('queue://other')
    other.grant(10)
    world.publish('$queue/q', 'a')
    world.publish('$queue/other', 'b')
    world.publish('$queue/q', 'c')
    const ids = [receiver.take().id, other.take().id, receiver.take().id]
    expect(ids.map((id) => id - ids[0]!)).toEqual([0, 1, 2])
  })

  test('[AMQP10-2.7.5-e] to a receiver that wants all unsettled is not settled', () => {
    const scene = receiving({ sndSettleMode: 0 })
    scene.world.publish('$queue/q', 'a')
    scene.world.publish('$queue/q', 'b', 0)
    expect(scene.receiver.takeAll().map(({ settled }) => settled)).toEqual([false, false])
  })

  test('[AMQP10-2.7.5-d, AMQP10-2.7.3-d] to a receiver that wants all settled is settled, and over', () => {
    const scene = receiving({ sndSettleMode: 1 })
    scene.world.publish('$queue/q', 'a')
    scene.world.publish('$queue/q', 'b', 0)
    expect(scene.receiver.takeAll().map(({ settled }) => settled)).toEqual([true, true])
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-3.3-a] that was acquired goes to no other link until it is given back', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    const other = scene.session.receiver('queue://q')
    other.grant(10)
    expect(other.texts()).toEqual([])
    scene.receiver.grant(0)
    scene.receiver.settle(id, { kind: 'released' })
    expect(other.texts()).toEqual(['a'])
  })
})

describe('a large message', () => {
  test.each([512, 513, 1_000, 4_096, 65_536])(
    '[AMQP10-2.7.1-c, AMQP10-2.6.14-a] goes in frames that a receiver with max-frame-size %i takes',
    (maxFrameSize) => {
      const { world, receiver } = receiving({}, { maxFrameSize })
      const text = 'abcdefghij'.repeat(20_000)
      world.publish('$queue/q', text)
      const got = receiver.take()
      expect(got.message.text).toBe(text)
      expect(got.frames.length).toBeGreaterThan(200_000 / maxFrameSize)
      expect(got.frames.at(-1)!.size).toBeLessThanOrEqual(maxFrameSize)
    },
  )

  test('[AMQP10-2.7.5-b] has one id and tag in all of its frames, or in the first', () => {
    const { world, receiver } = receiving({}, { maxFrameSize: 512 })
    world.publish('$queue/q', 'x'.repeat(3_000))
    const { frames, id, tag } = receiver.take()
    for (const frame of frames) {
      expect([id, undefined]).toContain(frame['deliveryId'])
      expect([tag.toString('hex'), undefined]).toContain((frame['deliveryTag'] as Buffer | undefined)?.toString('hex'))
    }
  })

  test('[AMQP10-2.6.14-b] is not mingled with another of its link, nor with one of the same link later', () => {
    const { world, receiver } = receiving({}, { maxFrameSize: 512 })
    for (const letter of ['a', 'b', 'c']) world.publish('$queue/q', letter.repeat(2_000))
    expect(receiver.texts().map((text) => text![0]! + String(text!.length))).toEqual(['a2000', 'b2000', 'c2000'])
  })

  test('[AMQP10-2.6.14-a] takes one of credit, whatever its size', () => {
    const scene = receiving({}, { maxFrameSize: 512 })
    scene.receiver.grant(1)
    scene.world.publish('$queue/q', 'x'.repeat(5_000))
    scene.world.publish('$queue/q', 'y')
    expect(scene.receiver.texts()).toHaveLength(1)
    scene.receiver.grant(1)
    expect(scene.receiver.texts()).toEqual(['y'])
  })

  test('[AMQP10-2.6.14-d] whose link is detached in the middle is there for others', () => {
    const world = new World()
    const peer = world.connect({ maxFrameSize: 512 })
    const session = peer.begin({ incomingWindow: 2 })
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    world.publish('$queue/q', 'x'.repeat(5_000))
    expect(peer.takeAll('transfer')).toHaveLength(2)
    receiver.detach()
    session.flow({ incomingWindow: 100 })
    expect(peer.received()).toEqual([])
    const other = peer.begin().receiver('queue://q')
    other.grant(1)
    expect(other.texts()[0]).toHaveLength(5_000)
  })

  test('waits where a client does not read, and goes on when it does', () => {
    const world = new World()
    const peer = world.connect({ maxFrameSize: 4_096 }, { kernelBytes: 8_192 })
    const receiver = peer.begin().receiver('queue://q')
    peer.stopReading()
    receiver.grant(10)
    for (let index = 0; index < 5; index++) world.publish('$queue/q', String(index).repeat(100_000))
    peer.readAgain()
    expect(receiver.texts().map((text) => text!.length)).toEqual([100_000, 100_000, 100_000, 100_000, 100_000])
  })

  test('settled before all of it has gone is finished, or aborted', () => {
    const world = new World()
    const peer = world.connect({ maxFrameSize: 512 })
    const session = peer.begin({ incomingWindow: 2 })
    const receiver = session.receiver('queue://q')
    receiver.grant(5)
    world.publish('$queue/q', 'x'.repeat(3_000))
    const [first] = peer.takeAll('transfer')
    receiver.settle(Number(first!['deliveryId']))
    world.publish('$queue/q', 'next')
    session.flow({ incomingWindow: 100 })
    const rest = peer.takeAll('transfer')
    const last = rest.findIndex((each) => each['more'] !== true || each['aborted'] === true)
    expect(last).toBeGreaterThanOrEqual(0)
    expect(rest.slice(last + 1)).toHaveLength(1)
    expect(world.queue('q').waitingCount).toBe(0)
  })
})

describe('max-message-size of a receiver', () => {
  test('[AMQP10-2.7.3-h] is not passed: such a message waits for another link, and the next ones come', () => {
    const { world, session, receiver } = receiving({ maxMessageSize: 200 })
    const large = 'x'.repeat(500)
    for (const text of ['a', large, 'b', large]) world.publish('$queue/q', text)
    expect(receiver.texts()).toEqual(['a', 'b'])
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([2, 2])
    expect(world.vhost.destinations.find('DLQ')).toBeUndefined()
    const other = session.receiver('queue://q')
    other.grant(10)
    expect(other.texts()).toEqual([large, large])
    expect(receiver.texts()).toEqual([])
  })

  test('[AMQP10-2.7.3-h] costs no credit, and a drain comes to its end', () => {
    const world = new World()
    const peer = world.connect()
    const receiver = peer.begin().receiver('queue://q', { maxMessageSize: 200 })
    world.publish('$queue/q', 'x'.repeat(500))
    world.publish('$queue/q', 'a')
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['a'])
    receiver.grant(3, { drain: true })
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0, deliveryCount: 4 })
  })

  test('[AMQP10-2.7.3-h] of a link whose deliveries are settled by being sent is not passed either', () => {
    const { world, session, receiver } = receiving({ maxMessageSize: 200, sndSettleMode: 1 })
    const large = 'x'.repeat(500)
    for (const text of ['a', large, 'b']) world.publish('$queue/q', text)
    expect(receiver.texts()).toEqual(['a', 'b'])
    const other = session.receiver('queue://q', { sndSettleMode: 1 })
    other.grant(10)
    expect(other.texts()).toEqual([large])
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([0, 0])
  })

  test('[AMQP10-2.7.3-h] on a topic leaves the message to its other receivers', () => {
    const world = new World()
    const receiver = world.connect().begin().receiver('topic://t', { maxMessageSize: 200 })
    const other = world.connect().begin().receiver('topic://t')
    receiver.grant(10)
    other.grant(10)
    world.publish('t', 'x'.repeat(500))
    world.publish('t', 'a')
    expect(receiver.texts()).toEqual(['a'])
    expect(other.texts()).toEqual(['x'.repeat(500), 'a'])
  })

  test('[AMQP10-2.7.3-h] of 0 is no limit', () => {
    const { world, receiver } = receiving({ maxMessageSize: 0 })
    world.publish('$queue/q', 'x'.repeat(500))
    expect(receiver.texts()).toHaveLength(1)
  })
})

describe('a disposition of the receiver', () => {
  test('[AMQP10-2.7.6-a] without last is about one delivery', () => {
    const scene = receiving()
    for (const text of ['a', 'b', 'c']) scene.world.publish('$queue/q', text)
    const [, second] = scene.receiver.takeAll()
    scene.receiver.settle(second!.id)
    expect(counts(scene)).toEqual([0, 2])
  })

  test('[AMQP10-2.7.6-a] with last is about all from first to last', () => {
    const scene = receiving()
    for (const text of ['a', 'b', 'c', 'd']) scene.world.publish('$queue/q', text)
    const got = scene.receiver.takeAll()
    scene.receiver.settle(got[1]!.id, { kind: 'accepted' }, { last: got[3]!.id })
    expect(counts(scene)).toEqual([0, 1])
  })

  test('[AMQP10-2.7.6-c] may name deliveries of several links', () => {
    const scene = receiving()
    const other = scene.session.receiver('queue://other')
    other.grant(5)
    scene.world.publish('$queue/q', 'a')
    scene.world.publish('$queue/other', 'b')
    scene.world.publish('$queue/q', 'c')
    const first = scene.receiver.take().id
    other.take()
    const last = scene.receiver.take().id
    scene.receiver.settle(first, { kind: 'accepted' }, { last })
    expect([counts(scene), scene.world.queue('other').inflightCount]).toEqual([[0, 0], 0])
  })

  test('[AMQP10-2.7.6-e] passes over ids that are settled, and that never were', () => {
    const scene = receiving()
    for (const text of ['a', 'b']) scene.world.publish('$queue/q', text)
    const got = scene.receiver.takeAll()
    scene.receiver.settle(got[0]!.id)
    scene.receiver.settle(got[0]!.id, { kind: 'accepted' }, { last: got[0]!.id + 1_000_000 })
    scene.receiver.settle(77_777)
    expect(counts(scene)).toEqual([0, 0])
    expect(scene.peer.received()).toEqual([])
    expect(scene.peer.isClosed).toBe(false)
  })

  test('[AMQP10-2.7.6-d] may go past the highest number', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.receiver.settle((id - 5) >>> 0, { kind: 'accepted' }, { last: id })
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-2.7.6-b] with role sender says nothing of what it has received', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.peer.send(scene.session.dispositionFrame(false, id, { kind: 'accepted' }))
    expect(counts(scene)).toEqual([0, 1])
  })

  test('[AMQP10-2.6.12-e, AMQP10-2.6.12-f] counts once: a second outcome changes nothing', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.receiver.settle(id)
    scene.receiver.settle(id, { kind: 'released' })
    expect(counts(scene)).toEqual([0, 0])
    expect(scene.receiver.texts()).toEqual([])
  })

  test('[AMQP10-2.6.12-e] unsettled with an outcome is answered with settled, and that outcome', () => {
    const scene = receiving({ rcvSettleMode: 1 })
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.receiver.settle(id, { kind: 'accepted' }, { settled: false })
    expect(scene.peer.next('disposition')).toMatchObject({
      role: false,
      first: id,
      settled: true,
      state: { kind: 'accepted' },
    })
    expect(counts(scene)).toEqual([0, 0])
    scene.receiver.settle(id)
    expect(scene.peer.received()).toEqual([])
  })

  test('[AMQP10-2.7.6-f] settled without an outcome takes the default: the message is there again', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.receiver.grant(0)
    scene.peer.send(scene.session.dispositionFrame(true, id, undefined))
    expect(counts(scene)).toEqual([1, 0])
  })

  test('unsettled without a state says nothing', () => {
    const scene = receiving()
    scene.world.publish('$queue/q', 'a')
    const { id } = scene.receiver.take()
    scene.peer.send(scene.session.dispositionFrame(true, id, undefined, { settled: false }))
    expect(counts(scene)).toEqual([0, 1])
    expect(scene.peer.received()).toEqual([])
  })

  test('10,000 deliveries may wait, and be settled from behind', () => {
    const scene = receiving()
    for (let index = 0; index < 10_000; index++) scene.world.publish('$queue/q', '')
    scene.receiver.grant(20_000)
    const ids = scene.peer.takeAll('transfer').map((each) => Number(each['deliveryId']))
    expect(ids).toHaveLength(10_000)
    scene.peer.send(
      ...ids
        .slice(1)
        .reverse()
        .map((id) => scene.session.dispositionFrame(true, id, { kind: 'accepted' })),
    )
    expect(counts(scene)).toEqual([0, 1])
  })
})

describe('an attach that resumes', () => {
  test('[AMQP10-2.6.13-a, AMQP10-2.7.3-i] with deliveries that are not known here: the answer has an unsettled map, empty or none', () => {
    const { session } = receiving()
    const sender = session.newSender('queue://q', { unsettled: [[Buffer.from('t'), null]] })
    session.peer.send(sender.attachFrame())
    const answer = session.peer.next('attach')
    expect(answer['unsettled'] ?? {}).toEqual({})
  })

  test('[AMQP10-2.6.13-c] a sender that has what we have not sends it again, as a new delivery', () => {
    const scene = receiving()
    const sender = scene.session.sender('queue://q', { unsettled: [[Buffer.from('t'), null]] })
    sender.send('again', { deliveryTag: 't' })
    expect(scene.receiver.texts()).toEqual(['again'])
  })

  test('[AMQP10-2.6.13-b, AMQP10-2.7.5-k] a receiver that has what we have not gets nothing resumed', () => {
    const scene = receiving()
    const receiver = scene.session.receiver('queue://other', { unsettled: [[Buffer.from('t'), composite('accepted')]] })
    receiver.grant(5)
    scene.world.publish('$queue/other', 'x')
    const { frames } = receiver.take()
    expect(frames[0]).toMatchObject({ resume: false, deliveryId: aNumber })
  })

  test('[AMQP10-2.7.3-k] to a receiver whose map is not complete nothing new is sent', () => {
    const { session, peer, world } = receiving()
    world.publish('$queue/other', 'x')
    const receiver = session.newReceiver('queue://other', {
      unsettled: [[Buffer.from('t'), null]],
      incompleteUnsettled: true,
    })
    receiver.credit = 5
    peer.send(receiver.attachFrame(), session.flowFrame({ handle: receiver.handle, linkCredit: 5 }))
    expect(peer.received().filter(({ kind }) => kind === 'transfer')).toEqual([])
  })

  test('[AMQP10-2.7.3-i, AMQP10-2.8.15-a] with null for a tag cannot be', () => {
    const { session, peer } = receiving()
    peer.send(session.newSender('queue://q', { unsettled: [[null, null]] }).attachFrame())
    expect(peer.closeCondition()).toBe('amqp:decode-error')
  })
})

test('[AMQP10-2.6.3-c] a link that is attached again goes on where its messages are', () => {
  const { world, session, receiver } = receiving({ name: 'one' })
  receiver.detach({ closed: false })
  world.publish('$queue/q', message('x').toString('latin1').slice(-1))
  const again = session.receiver('queue://q', { name: 'one' })
  again.grant(1)
  expect(again.texts()).toEqual(['x'])
})
