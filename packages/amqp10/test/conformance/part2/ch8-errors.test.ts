/** Which error on which level: the same fault is always told by the same condition. [AMQP10 §2.8.15-2.8.18] */
import { describe, expect, test } from 'vitest'

import {
  conditionOf,
  frame,
  message,
  type Peer,
  section,
  type SessionPeer,
  World,
  type WorldOptions,
} from '../../harness.ts'
import { aSentence } from '../matchers.ts'

function begun(options: WorldOptions = {}): { world: World; peer: Peer; session: SessionPeer } {
  const world = new World(options)
  const peer = world.connect()
  return { world, peer, session: peer.begin() }
}

describe('an address', () => {
  test.each(['', 'queue://', 'topic://', 'queue://a\0b', `queue://${'x'.repeat(70_000)}`])(
    '[AMQP10-2.8.15-d, AMQP10-2.6.5-a] %# that cannot be is refused at the link with invalid-field',
    (address) => {
      const { peer, session } = begun()
      peer.send(session.newSender(address).attachFrame())
      peer.next('attach')
      expect(peer.next('detach')).toMatchObject({
        closed: true,
        error: { condition: 'amqp:invalid-field', description: aSentence },
      })
      expect(peer.isClosed).toBe(false)
    },
  )

  test('[AMQP10-2.8.15-b] of a queue that nobody may make is not-found', () => {
    const { peer, session } = begun({ settings: { profile: 'rabbitmq' } })
    peer.send(session.newReceiver('/queues/none').attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:not-found')
  })

  test('[AMQP10-1.3.4-f] that is a number ends the connection with decode-error', () => {
    const { peer, session } = begun()
    peer.send(session.newSender(null, { target: { kind: 'target', address: 7 } }).attachFrame())
    expect(peer.closeCondition()).toBe('amqp:decode-error')
  })
})

describe('without permission', () => {
  const denied = { allowed: false, rule: 'none' }
  const allowed = { allowed: true, rule: 'some' }

  test.each([
    ['write', 'sender'],
    ['read', 'receiver'],
  ] as const)('[AMQP10-2.8.15-b] to %s, the link of a %s is refused with unauthorized-access', (action, role) => {
    const authorizer = {
      generation: 0,
      mayUse: (_: unknown, asked: string) => (asked === action ? denied : allowed),
      mayMatch: (_: unknown, asked: string) => (asked === action ? denied : allowed),
    }
    const { world, peer, session } = begun({ authorizer })
    world.define('q')
    peer.send((role === 'sender' ? session.newSender('queue://q') : session.newReceiver('queue://q')).attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
  })

  test.each([
    ['queue://q', {}],
    ['topic://t.>', {}],
    ['queue://q', { distributionMode: 'copy' }],
  ] as const)('[AMQP10-2.8.15-b] that is taken back, a link from %s %j is detached with unauthorized-access, and others stay', async (address, source) => {
    const now = { isTaken: false }
    const ask = (_: unknown, action: string, { levels }: { readonly levels: readonly unknown[] }) =>
      now.isTaken && action !== 'write' && levels[0] !== 'open' ? denied : allowed
    const { world, peer, session } = begun({ authorizer: { generation: 0, mayUse: ask, mayMatch: ask } })
    world.define('q')
    world.define('open')
    const lost = session.receiver(null, { source: { kind: 'source', address, ...source } })
    const kept = session.receiver('queue://open')
    now.isTaken = true
    world.vhost.recheckAccess()
    world.run()
    await peer.finish(lost.flowFrame({ linkCredit: 10 }), kept.flowFrame({ linkCredit: 10 }))
    const detach = peer.next('detach')
    expect([detach['handle'], conditionOf(detach)]).toEqual([lost.handle, 'amqp:unauthorized-access'])
    world.publish('$queue/open', 'still there')
    expect(kept.take().message.header).toBeDefined()
  })

  test('[AMQP10-2.8.15-b] that is taken back, a link that looks through a queue shows nothing more, whatever it has read ahead', async () => {
    for (const isRechecked of [false, true]) {
      const authorizer = { generation: 0, isTaken: false }
      const ask = (_: unknown, action: string) => (authorizer.isTaken && action === 'browse' ? denied : allowed)
      const { world, peer, session } = begun({ authorizer: Object.assign(authorizer, { mayUse: ask, mayMatch: ask }) })
      for (const text of ['1', '2', '3']) world.publish('$queue/q', text)
      const browser = session.receiver(null, { source: { kind: 'source', address: 'queue://q', distributionMode: 'copy' } })
      await peer.finish(browser.flowFrame({ linkCredit: 1 }))
      expect(browser.take().message).toBeDefined()
      authorizer.isTaken = true
      authorizer.generation++
      if (isRechecked) world.vhost.recheckAccess()
      world.run()
      if (!isRechecked) await peer.finish(browser.flowFrame({ linkCredit: 10, deliveryCount: 1 }))
      expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
    }
  })

  test('to look into a queue, a link that looks through dead letters passes over those that died in it', async () => {
    const ask = (_: unknown, action: string, { levels }: { readonly levels: readonly unknown[] }) =>
      action === 'browse' && levels.includes('secret') ? denied : allowed
    const { world, peer, session } = begun({ authorizer: { generation: 0, mayUse: ask, mayMatch: ask } })
    for (const name of ['secret', 'open']) {
      world.publish(`$queue/${name}`, name)
      const queue = world.queue(name)
      const { line } = queue.lanes.find((lane) => lane.line.liveCount > 0)!
      const position = line.nextWaiting(0)
      queue.takeOut(line, position)
      const delivery = queue.entryFor(line.entryAt(position)!.message, line, position)
      world.vhost.mover.deadLetter(queue, delivery, 'DLQ', 'rejected', undefined)
    }
    world.run()
    expect(world.queue('DLQ').waitingCount).toBe(2)
    const source = { kind: 'source', address: 'queue://DLQ', distributionMode: 'copy' } as const
    const browser = session.receiver(null, { source })
    await peer.finish(browser.flowFrame({ linkCredit: 10, drain: true }))
    expect(browser.texts()).toEqual(['open'])
  })

  test.each([{}, { distributionMode: 'copy' }])('to make it, a queue does not come to be by a link from it (%j)', (source) => {
    const ask = (_: unknown, action: string) => (action === 'create' ? denied : allowed)
    const { world, peer, session } = begun({ authorizer: { generation: 0, mayUse: ask, mayMatch: ask } })
    peer.send(session.newReceiver(null, { source: { kind: 'source', address: 'queue://new', ...source } }).attachFrame())
    peer.next('attach')
    expect(peer.next('detach')['error']).toMatchObject({
      condition: 'amqp:unauthorized-access',
      description: expect.stringContaining("queue 'new' does not exist and user") as string,
    })
    expect(world.vhost.destinations.find('new')).toBeUndefined()
  })

  test.each([
    ['write', '/queues/q', {}],
    ['write', 'q', {}],
    ['read', '/queues/q', {}],
    ['browse', '/queues/q', { distributionMode: 'copy' }],
  ] as const)('to %s, nobody learns whether a queue is there', (action, address, source) => {
    const authorizer = {
      generation: 0,
      mayUse: (_: unknown, asked: string) => (asked === action ? denied : allowed),
      mayMatch: (_: unknown, asked: string) => (asked === action ? denied : allowed),
    }
    const answers = [true, false].map((isThere) => {
      const { world, peer, session } = begun({ authorizer, settings: { profile: 'rabbitmq' } })
      if (isThere) world.define('q')
      const link =
        action === 'write'
          ? session.newSender(address)
          : session.newReceiver(address, { source: { kind: 'source', address, ...source } })
      peer.send(link.attachFrame())
      peer.next('attach')
      return peer.next('detach')['error']
    })
    expect(answers[0]).toMatchObject({ condition: 'amqp:unauthorized-access' })
    expect(answers[1]).toEqual(answers[0])
  })

  test('[AMQP10-2.8.15-b] that is taken away later, messages are rejected with unauthorized-access', () => {
    let answer = allowed
    const authorizer = { generation: 0, mayUse: () => answer, mayMatch: () => answer }
    const { world, peer, session } = begun({ authorizer })
    const sender = session.sender('queue://q')
    sender.send('a')
    expect(peer.next('disposition')['state']).toEqual({ kind: 'accepted' })
    answer = denied
    authorizer.generation++
    sender.send('b')
    expect(peer.received().at(-1)).toMatchObject({
      state: { kind: 'rejected', error: { condition: 'amqp:unauthorized-access' } },
    })
    expect(world.queue('q').waitingCount).toBe(1)
  })
})

describe('on the level of the session', () => {
  test.each([
    ['transfer', { deliveryId: 0, deliveryTag: 't', messageFormat: 0 }],
    ['detach', {}],
    ['flow', { nextIncomingId: 0, incomingWindow: 1, nextOutgoingId: 0, outgoingWindow: 1 }],
  ])('[AMQP10-2.8.17-b] %s for a handle without a link is unattached-handle', (kind, fields) => {
    const { peer, session } = begun()
    peer.send(session.frame(kind, { handle: 4, ...fields }))
    expect(conditionOf(peer.next('end'))).toBe('amqp:session:unattached-handle')
  })

  test('[AMQP10-2.8.15-d] a disposition whose last is before its first is an error', () => {
    const { peer, session } = begun()
    peer.send(session.frame('disposition', { role: true, first: 5, last: 4, settled: true }))
    expect(conditionOf(peer.received().at(-1)!)).toBe('amqp:invalid-field')
  })
})

describe('on the level of the connection', () => {
  test('[AMQP10-2.8.15-c] open twice is illegal-state', () => {
    const { peer } = begun()
    peer.send(peer.openFrame())
    expect(peer.closeCondition()).toBe('amqp:illegal-state')
  })

  test('[AMQP10-2.8.15-c] a frame for a channel without a session is not-allowed', () => {
    const { peer } = begun()
    peer.send(frame('detach', { handle: 0 }, { channel: 9 }))
    expect(peer.closeCondition()).toBe('amqp:not-allowed')
  })

  test('[AMQP10-2.8.15-d] a value that a field cannot have is invalid-field', () => {
    for (const fields of [{ sndSettleMode: 3 }, { rcvSettleMode: 2 }]) {
      const { peer, session } = begun()
      peer.send(session.newSender('queue://q', fields).attachFrame())
      expect(peer.received().map(conditionOf)).toContain('amqp:invalid-field')
    }
  })
})

test('[AMQP10-2.8.14-b] errors of one client do not show what others do', () => {
  const { world, peer, session } = begun()
  const other = world.connect({ containerId: 'other' }).begin()
  other.sender('queue://secret-name').send('x')
  peer.send(
    session.frame(
      'transfer',
      { handle: 9, deliveryId: 0, deliveryTag: 't', messageFormat: 0 },
      { payload: message('x') },
    ),
  )
  expect(JSON.stringify(peer.next('end')['error'])).not.toContain('secret-name')
  expect(other.peer.isClosed).toBe(false)
})

test('[AMQP10-2.8.15-a] a message whose header cannot be read detaches the link with decode-error', () => {
  const { world, peer, session } = begun()
  const sender = session.sender('queue://q')
  sender.send('', {
    payload: Buffer.concat([section('header', 'no list').bytes, section('data', Buffer.from('x')).bytes]),
  })
  expect(conditionOf(peer.next('detach'))).toBe('amqp:decode-error')
  expect(world.queue('q').waitingCount).toBe(0)
})
