/** What a client may do that nobody expects: it names again what it has just let go of, or what is not its own. */
import type { SaslLogin } from '@ternmq/core'
import { describe, expect, test } from 'vitest'

import {
  conditionOf,
  described,
  type Fields,
  frame,
  header,
  message,
  type Peer,
  plainInit,
  type ReceiverPeer,
  SASL,
  section,
  type SessionPeer,
  symbol,
  World,
} from '../../harness.ts'

const DURABLE = { header: { durable: true }, data: 'x' }

function subscription(address: string, selector?: string): Fields {
  const filters =
    selector === undefined ? [] : [[symbol('jms-selector'), described('apache.org:selector-filter:string', selector)]]
  return {
    source: { kind: 'source', address, durable: 2, expiryPolicy: 'never', capabilities: ['topic'], filter: filters },
  }
}

/** Kinds of what has come, in its order. */
function kinds(peer: Peer): string[] {
  return peer.received().map(({ kind }) => kind)
}

describe('while the log has something to write', () => {
  test('a session that begins on a channel whose session ends begins after that end', async () => {
    const world = await World.withLog()
    const peer = world.connect()
    const session = peer.begin()
    const transfer = session.sender('queue://q').transferFrame(DURABLE)
    const begin = frame('begin', { nextOutgoingId: 0, incomingWindow: 10, outgoingWindow: 10 })
    await peer.finish(transfer, session.frame('end'), begin)
    expect(kinds(peer)).toEqual(['end', 'begin'])
  })

  test.each([
    ['its handle', { name: 'other', handle: 0 }],
    ['its name', { name: 'mine', handle: 1 }],
  ])('a link that takes %s again is attached after the detach', async (_, again) => {
    const world = await World.withLog()
    const peer = world.connect()
    const session = peer.begin()
    const sender = session.sender('queue://q', { name: 'mine', handle: 0 })
    await peer.finish(
      sender.transferFrame(DURABLE),
      sender.detachFrame(),
      session.newSender('queue://q', again).attachFrame(),
    )
    expect(kinds(peer)).toEqual(['detach', 'attach', 'flow'])
  })
})

test('the answer to the detach of a stolen link does not free the name of the thief', () => {
  const peer = new World().connect()
  const session = peer.begin()
  const [first, second, third] = [0, 1, 2].map((handle) => session.newSender('queue://q', { name: 'mine', handle }))
  peer.send(first!.attachFrame(), second!.attachFrame(), first!.detachFrame())
  peer.received()
  peer.send(third!.attachFrame())
  const stolen = peer.next('detach')
  expect([stolen['handle'], conditionOf(stolen)]).toEqual([1, 'amqp:link:stolen'])
})

test('a durable subscription with a selector that is read as /dsub/NAME keeps both', async () => {
  const world = await World.withLog()
  const peer = world.connect({ containerId: 'c' })
  const session = peer.begin()
  const receiver = session.receiver(null, { name: 'mine', ...subscription('topic://t', 'a = 1') })
  await peer.finish(receiver.detachFrame({ closed: false }))
  peer.received()
  await peer.finish(session.sender('topic://t').transferFrame({ ...DURABLE, applicationProperties: { a: 1 } }))
  peer.received()
  const again = session.receiver('/dsub/mine')
  again.grant(1)
  await peer.finish()
  expect(again.take().message.text).toBe('x')
})

test('of a durable subscription that is somebody else’s nobody learns the topic', async () => {
  const login: SaslLogin = {
    mechanisms: () => ['PLAIN'],
    begin: ({ username = '' }) => ({
      kind: 'accepted',
      principal: { name: username, anonymous: false },
      data: undefined,
    }),
  }
  const world = await World.withLog({ login })
  const logIn = (name: string): Peer => {
    const peer = world.dial()
    peer.send(header(SASL), plainInit(name, ''))
    peer.received()
    peer.exchangeHeaders()
    peer.open({ containerId: 'shared' })
    return peer
  }
  const alice = logIn('alice')
  const hers = alice.begin().receiver(null, { name: 'hers', ...subscription('topic://secret') })
  await alice.finish(hers.detachFrame({ closed: false }), frame('close'))
  const bob = logIn('bob')
  const his = bob.begin().receiver(null, { name: 'hers', source: null })
  expect(his.answer['source']).toBeUndefined()
  expect(conditionOf(bob.next('detach'))).toBe('amqp:unauthorized-access')
})

/** In what order messages arrive of a client that sends `flood` before its own, and of one that sends after it. */
function orderAfter(flood: (peer: Peer, session: SessionPeer, world: World) => Uint8Array[]): (string | undefined)[] {
  const world = new World()
  const [one, other] = [world.connect(), world.connect({ containerId: 'other' })]
  const session = one.begin()
  const frames = flood(one, session, world)
  const [first, second] = [session.sender('queue://order'), other.begin().sender('queue://order')]
  one.push(...frames, first.transferFrame('flooding'))
  other.push(second.transferFrame('other'))
  world.run()
  const receiver = world.connect().begin().receiver('queue://order')
  receiver.grant(10)
  return receiver.texts()
}

test('whoever attaches and detaches in a flood lets others have their turn', () => {
  const order = orderAfter((_, session) => {
    const sender = session.newSender('queue://q')
    return Array.from({ length: 300 }, () => [sender.attachFrame(), sender.detachFrame()]).flat()
  })
  expect(order).toEqual(['other', 'flooding'])
})

test('whoever begins and ends sessions in a flood lets others have their turn', () => {
  const begin = frame('begin', { nextOutgoingId: 0, incomingWindow: 1, outgoingWindow: 1 }, { channel: 9 })
  const order = orderAfter(() => Array.from({ length: 1_000 }, () => [begin, frame('end', {}, { channel: 9 })]).flat())
  expect(order).toEqual(['other', 'flooding'])
})

test('whoever names a range of many deliveries again and again lets others have their turn', () => {
  const order = orderAfter((peer, session) => {
    const receiver = session.receiver('queue://q')
    const sender = session.sender('queue://q')
    receiver.grant(1_000)
    peer.send(...Array.from({ length: 900 }, () => sender.transferFrame('x')))
    peer.received()
    const nothing = session.dispositionFrame(true, 5_000, { kind: 'accepted' }, { last: 0x7fff_ffff })
    return Array.from({ length: 100 }, () => nothing)
  })
  expect(order).toEqual(['other', 'flooding'])
})

describe('whoever reads from very many queues', () => {
  /** A session beside 500 queues, and a link to all of them. */
  function reader(session: SessionPeer, world: World): ReceiverPeer {
    for (let index = 0; index < 500; index++) world.define(`many.${index}`)
    return session.newReceiver('queue://many.>')
  }

  test('and attaches and detaches again and again lets others have their turn', () => {
    const order = orderAfter((_, session, world) => {
      const link = reader(session, world)
      return Array.from({ length: 20 }, () => [link.attachFrame(), link.detachFrame()]).flat()
    })
    expect(order).toEqual(['other', 'flooding'])
  })

  test('and gives credit again and again lets others have their turn', () => {
    const order = orderAfter((peer, session, world) => {
      const link = reader(session, world)
      peer.send(link.attachFrame())
      peer.received()
      return Array.from({ length: 200 }, (_, index) => link.flowFrame({ linkCredit: index }))
    })
    expect(order).toEqual(['other', 'flooding'])
  })
})

describe('whoever rejects very many at once', () => {
  const COUNT = 2_500

  /** A client that has so many, and a disposition of all of them. */
  function holding(fields: Fields = {}): { world: World; peer: Peer; session: SessionPeer; disposition: Buffer } {
    const world = new World({ settings: { linkCredit: COUNT } })
    world.define('q', { deadLetter: 'DLQ' })
    const peer = world.connect()
    const session = peer.begin({ incomingWindow: COUNT })
    const [receiver, sender] = [session.receiver('queue://q', fields), session.sender('queue://q')]
    receiver.grant(COUNT)
    const ids: number[] = []
    for (let left = COUNT; left > 0; left -= 500) {
      peer.send(...Array.from({ length: 500 }, () => sender.transferFrame('x', { settled: true })))
      ids.push(...receiver.takeAll().map(({ id }) => id))
      peer.received()
    }
    const settled = fields['rcvSettleMode'] !== 1
    const disposition = session.dispositionFrame(true, ids[0]!, { kind: 'rejected' }, { last: ids.at(-1)!, settled })
    return { world, peer, session, disposition }
  }

  test('lets others have their turn', async () => {
    const { world, peer, disposition } = holding()
    const other = world.connect({ containerId: 'other' }).begin().sender('queue://order')
    const own = peer.begin().sender('queue://order')
    peer.push(disposition, own.transferFrame('rejecting'))
    other.session.peer.push(other.transferFrame('other'))
    await world.settle()
    const receiver = world.connect().begin().receiver('queue://order')
    receiver.grant(10)
    expect(receiver.texts()).toEqual(['other', 'rejecting'])
  })

  test('has rejected them before anything else that it says', async () => {
    const { world, peer, session, disposition } = holding()
    await peer.finish(disposition, session.frame('end'))
    expect(peer.next('end')['error']).toBeUndefined()
    expect([world.queue('q').waitingCount, world.queue('DLQ').waitingCount]).toEqual([0, COUNT])
  })

  test('hears once that they are settled', async () => {
    const { peer, disposition } = holding({ rcvSettleMode: 1 })
    await peer.finish(disposition)
    expect(peer.received()).toMatchObject([{ kind: 'disposition', role: false, settled: true, last: COUNT - 1 }])
  })
})

describe('a message with more beside its body than others can read at once', () => {
  /** The outcome, or the error of the link. */
  function answerTo(payload: Uint8Array): unknown {
    const session = new World().connect().begin()
    const sender = session.sender('queue://q')
    session.peer.send(sender.transferFrame('', { payload: payload.subarray(0, 100_000), more: true }))
    for (let at = 100_000; at < payload.length; at += 100_000) {
      session.peer.send(sender.moreFrame(payload.subarray(at, at + 100_000), { more: at + 100_000 < payload.length }))
    }
    return session.peer.received().at(-1)
  }

  test('is rejected when its application properties are very long', () => {
    const long = { a: 'z'.repeat(262_144) }
    const error = { condition: 'amqp:resource-limit-exceeded' }
    expect(answerTo(message({ applicationProperties: long, data: 'x' }))).toMatchObject({
      state: { kind: 'rejected', error },
    })
  })

  test('is taken when its body is', () => {
    expect(answerTo(message({ data: 'z'.repeat(300_000) }))).toMatchObject({ state: { kind: 'accepted' } })
  })

  test('ends its link when its body has very many sections', () => {
    const sections = Buffer.concat(Array.from({ length: 65_537 }, () => section('data', Buffer.from('x')).bytes))
    expect(answerTo(sections)).toMatchObject({ kind: 'detach', error: { condition: 'amqp:resource-limit-exceeded' } })
  })
})

describe('what receivers say of a message', () => {
  test('is cut where it goes with every dead letter of a range', () => {
    const world = new World()
    world.define('q', { deadLetter: 'DLQ' })
    const session = world.connect().begin()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    const error = { kind: 'error', condition: 'my:reason', description: 'z'.repeat(100_000) }
    session.peer.send(session.dispositionFrame(true, receiver.take().id, { kind: 'rejected', error }))
    const dead = session.receiver('queue://DLQ')
    dead.grant(1)
    const { messageAnnotations } = dead.take().message
    expect(JSON.stringify(messageAnnotations)).toContain('my:reason: zzz')
    expect(JSON.stringify(messageAnnotations).length).toBeLessThan(2_000)
  })

  test('again and again does not make it grow without end', () => {
    const world = new World()
    const session = world.connect().begin()
    const receiver = session.receiver('queue://q')
    world.publish('$queue/q', 'x')
    let size = 0
    for (let round = 0; round < 20; round++) {
      receiver.grant(1)
      const { id, payload } = receiver.take()
      size = payload.length
      const names = Array.from({ length: 30 }, (_, index) => [`x-opt-${round}-${index}`, 'z'.repeat(1_000)])
      const state = { kind: 'modified', messageAnnotations: Object.fromEntries(names) as Fields }
      session.peer.send(session.dispositionFrame(true, id, state))
    }
    expect(size).toBeLessThan(70_000)
  })
})

describe('links of one connection', () => {
  test('have names that are not longer than those of queues', () => {
    const peer = new World().connect()
    peer.send(
      peer
        .begin()
        .newSender('queue://q', { name: 'n'.repeat(1_025) })
        .attachFrame(),
    )
    expect(peer.closeCondition()).toBe('amqp:invalid-field')
  })

  test('are not more than memory bears, in all sessions together', () => {
    const peer = new World().connect()
    const sessions = Array.from({ length: 5 }, () => peer.begin())
    for (const session of sessions) {
      for (let handle = 0; handle < 4_096; handle++) peer.push(session.newSender('queue://q', { handle }).attachFrame())
    }
    peer.send()
    const all = peer.received()
    expect(all.filter(({ kind }) => kind === 'attach')).toHaveLength(20_000)
    expect(all.filter(({ kind }) => kind === 'end').map(conditionOf)).toEqual(['amqp:resource-limit-exceeded'])
  })
})
