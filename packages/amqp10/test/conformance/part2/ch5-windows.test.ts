import { describe, expect, test } from 'vitest'

import { conditionOf, type Peer, type ReceiverPeer, type SessionPeer, World, type WorldOptions } from '../../harness.ts'
import { aNumber } from '../matchers.ts'

const LAST = 0xffff_ffff

function begun(begin = {}, options: WorldOptions = {}): { world: World; peer: Peer; session: SessionPeer } {
  const world = new World(options)
  const peer = world.connect()
  return { world, peer, session: peer.begin(begin) }
}

/** A receiver on queue 'q' with so much credit, and `count` messages in the queue. */
function receiving(
  begin: object,
  credit: number,
  count: number,
): ReturnType<typeof begun> & { receiver: ReceiverPeer } {
  const given = begun(begin)
  given.world.define('q')
  for (let index = 0; index < count; index++) given.world.publish('$queue/q', `m${index}`)
  const receiver = given.session.receiver('queue://q')
  receiver.grant(credit)
  return { ...given, receiver }
}

describe('the window of the client', () => {
  test('[AMQP10-2.5.6-b] is what it gets, and no more', () => {
    const { receiver, session } = receiving({ incomingWindow: 3 }, 100, 10)
    expect(receiver.texts()).toEqual(['m0', 'm1', 'm2'])
    session.flow({ incomingWindow: 2 })
    expect(receiver.texts()).toEqual(['m3', 'm4'])
    session.flow({ incomingWindow: 100 })
    expect(receiver.texts()).toEqual(['m5', 'm6', 'm7', 'm8', 'm9'])
  })

  test('[AMQP10-2.5.6-b] of 0 holds all back from the beginning', () => {
    const { receiver, session } = receiving({ incomingWindow: 0 }, 100, 3)
    expect(receiver.texts()).toEqual([])
    session.flow({ incomingWindow: 1 })
    expect(receiver.texts()).toEqual(['m0'])
  })

  test('[AMQP10-2.5.6-b] holds frames of one message back as well', () => {
    const world = new World()
    const peer = world.connect({ maxFrameSize: 512 })
    const session = peer.begin({ incomingWindow: 2 })
    const receiver = session.receiver('queue://q')
    world.publish('$queue/q', 'x'.repeat(2_000))
    receiver.grant(5)
    expect(peer.takeAll('transfer').map((each) => each['more'])).toEqual([true, true])
    session.flow({ incomingWindow: 100 })
    expect(peer.takeAll('transfer').map((each) => each['more'])).toEqual([true, true, false])
  })

  test('[AMQP10-2.5.6-e] counts from the next-incoming-id of the flow: what is under way is less', () => {
    const { receiver, session } = receiving({ incomingWindow: 4 }, 100, 20)
    expect(receiver.texts()).toHaveLength(4)
    // Said when only two of the four had come.
    session.incomingWindow = 2
    session.peer.send(
      session.frame('flow', { nextIncomingId: 2, incomingWindow: 4, nextOutgoingId: 0, outgoingWindow: 1 }),
    )
    expect(receiver.texts()).toEqual(['m4', 'm5'])
  })

  test('[AMQP10-2.5.6-e] that is taken back while transfers are under way is no window', () => {
    const { receiver, session } = receiving({ incomingWindow: 4 }, 100, 20)
    expect(receiver.texts()).toHaveLength(4)
    session.peer.send(
      session.frame('flow', { nextIncomingId: 1, incomingWindow: 1, nextOutgoingId: 0, outgoingWindow: 1 }),
    )
    expect(receiver.texts()).toEqual([])
    session.flow({ incomingWindow: 1 })
    expect(receiver.texts()).toEqual(['m4'])
  })

  test('[AMQP10-2.5.6-f] counts from the first id where the flow has none', () => {
    const world = new World()
    world.define('q')
    for (let index = 0; index < 9; index++) world.publish('$queue/q', `m${index}`)
    const peer = world.connect()
    const session = peer.session(0, { incomingWindow: 2 })
    const receiver = session.newReceiver('queue://q')
    session.incomingWindow = 5
    receiver.credit = 100
    peer.send(
      session.beginFrame(),
      receiver.attachFrame(),
      session.frame('flow', { incomingWindow: 5, nextOutgoingId: 0, outgoingWindow: 1, handle: 0, linkCredit: 100 }),
    )
    session.begun(peer.next('begin'))
    receiver.attached(peer.next('attach'))
    expect(peer.takeAll('transfer')).toHaveLength(5)
  })

  test('[AMQP10-2.5.6-b] is for all links of the session together', () => {
    const { world, peer, session } = begun({ incomingWindow: 3 })
    const receivers = ['a', 'b'].map((name) => session.receiver(`queue://${name}`))
    for (const receiver of receivers) receiver.grant(10)
    for (const name of ['a', 'b', 'a', 'b']) world.publish(`$queue/${name}`, name)
    expect(peer.takeAll('transfer')).toHaveLength(3)
  })

  test('[AMQP10-2.5.6-b] of one session does not hold another one back', () => {
    const { world, peer, session } = begun({ incomingWindow: 0 })
    session.receiver('queue://a').grant(5)
    const other = peer.begin().receiver('queue://b')
    other.grant(5)
    world.publish('$queue/a', 'a')
    world.publish('$queue/b', 'b')
    expect(other.texts()).toEqual(['b'])
  })
})

describe('the window of the broker', () => {
  test('[AMQP10-2.5.6-c, AMQP10-2.8.17-a] is kept to: a transfer beyond it ends the session with window-violation', () => {
    const { world, peer, session } = begun({}, { settings: { sessionWindow: 3, linkCredit: 100 } })
    const sender = session.sender('queue://q')
    peer.push(...Array.from({ length: 4 }, (_, index) => sender.transferFrame(`${index}`)))
    world.run()
    expect(conditionOf(peer.received().find(({ kind }) => kind === 'end')!)).toBe('amqp:session:window-violation')
    expect(peer.isClosed).toBe(false)
  })

  test('[AMQP10-2.5.6-h] is opened again as transfers are handled', () => {
    const { peer, session } = begun({}, { settings: { sessionWindow: 4, linkCredit: 1_000 } })
    const sender = session.sender('queue://q')
    for (let index = 0; index < 100; index++) sender.send(`${index}`)
    expect(peer.received().map(({ kind }) => kind)).not.toContain('end')
    expect(peer.isClosed).toBe(false)
  })

  test('[AMQP10-2.5.6-a, AMQP10-2.5.6-h] is told with the next id that is expected', () => {
    const { peer, session } = begun({ nextOutgoingId: 1_000 }, { settings: { sessionWindow: 4, linkCredit: 1_000 } })
    const sender = session.sender('queue://q')
    for (let index = 0; index < 4; index++) sender.send(`${index}`)
    const flow = peer.takeAll('flow').at(-1)!
    expect(flow).toMatchObject({ nextIncomingId: aNumber, incomingWindow: 4 })
    expect(Number(flow['nextIncomingId'])).toBeGreaterThan(1_000)
    peer.received()
    session.flow({ echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: 1_004 })
  })

  test('[AMQP10-2.5.6-a] counts every transfer frame, not messages', () => {
    const { peer, session } = begun()
    const sender = session.sender('queue://q')
    peer.send(
      sender.transferFrame('', { payload: Buffer.from('005375b000000004', 'hex'), more: true }),
      sender.moreFrame(Buffer.from('ab'), { more: true }),
      sender.moreFrame(Buffer.from('cd')),
    )
    peer.received()
    session.flow({ echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: 3 })
  })

  test('[AMQP10-2.5.6-d] the next-outgoing-id of a flow is what is expected next', () => {
    const { peer, session } = begun()
    session.flow({ nextOutgoingId: 0, echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: 0 })
    const sender = session.sender('queue://q')
    sender.send('x')
    peer.next('disposition')
    session.flow({ echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: 1 })
  })
})

describe('transfer ids', () => {
  test('[AMQP10-2.5.6-g, AMQP10-2.8.10-a] of the client go on with 0 after the highest', () => {
    const { world, peer, session } = begun({ nextOutgoingId: LAST - 1 }, { settings: { sessionWindow: 4 } })
    const sender = session.sender('queue://q')
    for (let index = 0; index < 10; index++) sender.send(`${index}`)
    expect(world.queue('q').waitingCount).toBe(10)
    peer.received()
    session.flow({ echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: 8 })
  })

  test('[AMQP10-2.6.12-b, AMQP10-2.7.6-d] delivery ids too: dispositions name them on either side', () => {
    const { peer, session } = begun({ nextOutgoingId: LAST - 1 })
    const sender = session.sender('queue://q')
    peer.send(...['a', 'b', 'c', 'd'].map((text) => sender.transferFrame(text)))
    const settled = peer
      .takeAll('disposition')
      .flatMap(({ first, last }) => idsFrom(Number(first), Number(last ?? first)))
    expect(settled).toEqual([LAST - 1, LAST, 0, 1])
  })

  test('[AMQP10-2.5.6-a] of the broker go up with every transfer', () => {
    const { world, peer, session } = begun()
    const receiver = session.receiver('queue://q')
    receiver.grant(10)
    for (const text of ['a', 'b', 'c']) world.publish('$queue/q', text)
    expect(receiver.texts()).toHaveLength(3)
    session.flow({ echo: true })
    const first = Number(session.answer!['nextOutgoingId'])
    expect(peer.next('flow')).toMatchObject({ nextOutgoingId: first + 3 })
  })
})

function idsFrom(first: number, last: number): number[] {
  return Array.from({ length: ((last - first) >>> 0) + 1 }, (_, index) => (first + index) >>> 0)
}
