/**
 * What AMQP.NET Lite says to a broker, frame by frame, as its sources have it at commit ba49a27343fd: it does not run here. Apache.NMS.AMQP
 * stands on it, and says the rest as Qpid JMS does.
 */
import { describe, expect, test } from 'vitest'

import { frame, header, type Peer, SASL, saslFrame, type SessionPeer, u32, World } from '../../harness.ts'

/** Transfers are counted from just below the end of all numbers; deliveries are counted from 0. */
const NEXT_OUTGOING_ID = 0xffff_fffd
const SESSION = { nextOutgoingId: NEXT_OUTGOING_ID, incomingWindow: 2_048, outgoingWindow: 2_048, handleMax: 1_023 }
const OPEN = { containerId: 'app', hostname: 'localhost', channelMax: 255, maxFrameSize: 262_144 }

function connected(world: World): { readonly peer: Peer; readonly session: SessionPeer } {
  const peer = world.connect(OPEN)
  const session = peer.begin(SESSION)
  session.nextDeliveryId = 0
  return { peer, session }
}

describe('a connection', () => {
  test('says header, open, begin and attach without waiting for a word', () => {
    const peer = new World().dial()
    const session = peer.session(0, SESSION)
    const sender = session.newSender('queue://orders')
    const receiver = session.newReceiver('queue://orders')
    peer.send(header(), peer.openFrame(OPEN), session.beginFrame(), sender.attachFrame(), receiver.attachFrame())
    expect(peer.waiting).toEqual(['header', 'open', 'begin', 'attach', 'attach', 'flow'])
  })

  test('logs in with PLAIN and goes on in the same breath as the outcome comes', async () => {
    const peer = new World().dial()
    peer.send(header(SASL))
    expect(peer.next('header')).toMatchObject({ protocolId: SASL })
    expect(peer.next('sasl-mechanisms')['saslServerMechanisms']).toContain('PLAIN')
    const initialResponse = Buffer.from('\0ada\0pencil')
    await peer.finish(saslFrame('sasl-init', { mechanism: 'PLAIN', initialResponse, hostname: 'localhost' }))
    expect(peer.next('sasl-outcome')).toMatchObject({ code: 0 })
    peer.send(header(), peer.openFrame(OPEN))
    expect(peer.waiting).toEqual(['header', 'open'])
  })

  test('closes: what it sent before is answered first', () => {
    const { peer, session } = connected(new World())
    const sender = session.sender('queue://orders')
    peer.send(sender.transferFrame('x'), sender.detachFrame(), session.frame('end'), frame('close'))
    const kinds = peer.received().map(({ kind }) => kind)
    expect(kinds.at(-1)).toBe('close')
    expect(kinds).toContain('detach')
    expect(peer.isClosed).toBe(true)
  })
})

describe('a sender', () => {
  test('goes on when the numbers of its transfers begin again at 0', () => {
    const world = new World({ settings: { sessionWindow: 16, linkCredit: 8 } })
    const { peer, session } = connected(world)
    const sender = session.sender('queue://orders')
    for (let count = 0; count < 100; count++) {
      for (const flow of peer.takeAll('flow')) if (flow['handle'] !== undefined) sender.noteFlow(flow)
      expect(sender.credit).toBeGreaterThan(0)
      sender.send(`${count}`, { deliveryTag: u32(count) })
    }
    const outcomes = peer.takeAll('disposition')
    expect(outcomes.every(({ state }) => (state as { kind: string }).kind === 'accepted')).toBe(true)
    expect(world.queue('orders').waitingCount).toBe(100)
    // And so it says in its flows where it stands.
    peer.takeAll('flow')
    session.flow({ echo: true })
    expect(peer.next('flow')).toMatchObject({ nextIncomingId: (NEXT_OUTGOING_ID + 100) >>> 0 })
  })

  test('a message over several frames wraps around, too', () => {
    const world = new World()
    const { peer, session } = connected(world)
    const sender = session.sender('queue://orders')
    const piece = Buffer.alloc(1_000, 'x')
    const head = Buffer.from('005375b0', 'hex')
    peer.send(
      sender.transferFrame('', { more: true, payload: Buffer.concat([head, u32(5_000), piece]) }),
      ...[1, 2, 3].map(() => sender.moreFrame(piece, { more: true })),
      sender.moreFrame(piece),
    )
    expect(peer.next('disposition')).toMatchObject({ first: 0, state: { kind: 'accepted' } })
    expect(world.queue('orders').waitingCount).toBe(1)
  })
})

describe('a receiver', () => {
  test('in drain mode gets what is there, and the flow by which Receive returns null', () => {
    const world = new World()
    const { peer, session } = connected(world)
    for (const text of ['a', 'b']) world.publish('$queue/orders', text)
    const receiver = session.receiver('queue://orders')
    receiver.grant(5, { drain: true })
    expect(receiver.texts()).toEqual(['a', 'b'])
    // It takes drain back by the flow's own word, and its count from there.
    expect(peer.next('flow')).toMatchObject({
      handle: receiver.remoteHandle,
      drain: true,
      linkCredit: 0,
      deliveryCount: 5,
    })
    receiver.grant(1)
    world.publish('$queue/orders', 'c')
    expect(receiver.texts()).toEqual(['c'])
  })

  test('accepts, rejects, releases and modifies, each with one settled disposition', () => {
    const world = new World()
    const { session } = connected(world)
    for (const text of ['a', 'b', 'c', 'd']) world.publish('$queue/orders', text)
    const receiver = session.receiver('queue://orders')
    receiver.grant(4)
    const [a, b, c, d] = receiver.takeAll()
    receiver.settle(a!.id, { kind: 'accepted' })
    receiver.settle(b!.id, { kind: 'rejected', error: { kind: 'error', condition: 'app:poison', description: 'no' } })
    receiver.settle(c!.id, { kind: 'released' })
    receiver.settle(d!.id, { kind: 'modified', deliveryFailed: true, undeliverableHere: false })
    expect(world.queue('DLQ').waitingCount).toBe(1)
    receiver.grant(10)
    const again = receiver.takeAll().map(({ message }) => [message.text, message.header?.['deliveryCount'] ?? 0])
    expect(again).toEqual([
      ['c', 0],
      ['d', 1],
    ])
  })

  test('restores its credit by what it has taken: no delivery comes beyond it', () => {
    const world = new World()
    const { session } = connected(world)
    const receiver = session.receiver('queue://orders')
    receiver.grant(4)
    for (let count = 0; count < 20; count++) world.publish('$queue/orders', `${count}`)
    const texts: (string | undefined)[] = []
    while (texts.length < 20) {
      const got = receiver.takeAll()
      expect(got.length).toBeGreaterThan(0)
      for (const { id, message } of got) {
        texts.push(message.text)
        receiver.settle(id)
      }
      receiver.grant(4)
    }
    expect(texts).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`))
  })
})
