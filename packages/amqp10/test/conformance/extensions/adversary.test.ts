/** What a client may do that nobody expects: it names again what it has just let go of, or what is not its own. */
import type { SaslLogin } from '@ternmq/core'
import { describe, expect, test, vi } from 'vitest'

import {
  conditionOf,
  described,
  type Fields,
  frame,
  header,
  type Peer,
  plainInit,
  SASL,
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

test('whoever attaches and detaches in a flood is answered in pieces, and wholly', () => {
  const world = new World()
  const peer = world.connect()
  const session = peer.begin()
  const sender = session.newSender('queue://q')
  peer.push(...Array.from({ length: 1_000 }, () => [sender.attachFrame(), sender.detachFrame()]).flat(), frame('close'))
  world.run()
  const atFirst = peer.takeAll('detach').length
  world.advance(100)
  expect([atFirst < 1_000, atFirst + peer.takeAll('detach').length]).toEqual([true, 1_000])
  expect(peer.takeAll('close')).toHaveLength(1)
})

test('a range of deliveries is named again and again: others have their turn in between', () => {
  const world = new World()
  const peer = world.connect()
  const session = peer.begin()
  const receiver = session.receiver('queue://q')
  receiver.grant(2_000)
  for (let count = 0; count < 2_000; count++) world.publish('$queue/q', 'x')
  peer.received()
  const nothing = session.dispositionFrame(true, 5_000, { kind: 'accepted' }, { last: 0x7fff_ffff })
  peer.push(...Array.from({ length: 100 }, () => nothing), session.flowFrame({ echo: true }))
  world.run()
  expect(peer.waiting).toEqual([])
  world.advance(100)
  expect(peer.waiting).toEqual(['flow'])
})

test('a link that begins and ends to drain, and gets nothing, waits for the end of it once', () => {
  const world = new World()
  const peer = world.connect()
  const session = peer.begin({ incomingWindow: 0 })
  const receiver = session.receiver('queue://q')
  world.publish('$queue/q', 'x')
  const waits = vi.spyOn(world.queue('q'), 'whenIdle')
  for (let count = 0; count < 10; count++) {
    for (const drain of [true, false]) session.flow({ handle: receiver.handle, deliveryCount: 0, linkCredit: 5, drain })
  }
  expect(waits).toHaveBeenCalledTimes(1)
})
