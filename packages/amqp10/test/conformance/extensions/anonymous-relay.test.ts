import { describe, expect, test } from 'vitest'

import { conditionOf, type Peer, type SenderPeer, type SessionPeer, World, type WorldOptions } from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly relay: SenderPeer
}

function relaying(options: WorldOptions = {}, fields = {}): Scene {
  const world = new World(options)
  const peer = world.connect()
  const session = peer.begin()
  return { world, peer, session, relay: session.sender(null, fields) }
}

function stateOf(peer: Peer): { kind: string; error?: { condition: string; info?: object } } {
  return peer.next('disposition')['state'] as { kind: string; error?: { condition: string } }
}

test('[AMQPANON-2.1-a] is offered, and a target without address is taken', () => {
  const peer = new World().dial()
  peer.exchangeHeaders()
  expect(peer.open({ desiredCapabilities: 'ANONYMOUS-RELAY' })['offeredCapabilities']).toContain('ANONYMOUS-RELAY')
  const relay = peer.begin().sender(null)
  expect(relay.answer['target']).toMatchObject({ kind: 'target' })
  expect((relay.answer['target'] as { address?: string }).address).toBeUndefined()
})

describe('a message', () => {
  test('[AMQPANON-2.2-a] goes where its "to" says', () => {
    const { world, peer, relay } = relaying()
    for (const to of ['queue://a', 'queue://b', 'a']) relay.send({ properties: { to }, data: to })
    expect(peer.takeAll('disposition').every(({ state }) => (state as { kind: string }).kind === 'accepted')).toBe(true)
    expect([world.queue('a').waitingCount, world.queue('b').waitingCount]).toEqual([2, 1])
  })

  test('[AMQPANON-2.2-a] goes to topics as well, and comes out as it went in', () => {
    const { session, relay } = relaying()
    const receiver = session.receiver('topic://t.>')
    receiver.grant(5)
    relay.send({ properties: { to: 'topic://t.x', subject: 's' }, data: 'x' }, { settled: true })
    expect(receiver.take().message).toMatchObject({ text: 'x', properties: { to: 'topic://t.x', subject: 's' } })
  })

  test('[AMQPANON-2.2-a] goes to a dynamic node whose address was given as reply-to', () => {
    const { session, relay } = relaying()
    const receiver = session.receiver(null, { source: { kind: 'source', dynamic: true } })
    receiver.grant(1)
    relay.send(
      { properties: { to: (receiver.answer['source'] as { address: string }).address }, data: 'reply' },
      { settled: true },
    )
    expect(receiver.texts()).toEqual(['reply'])
  })

  test.each([undefined, '', 'queue://', 'topic://a.*'])(
    '[AMQPANON-2.2.2-a] whose "to" is %s is answered with rejected and invalid-field',
    (to) => {
      const { peer, relay } = relaying()
      relay.send({ properties: { to }, data: 'x' })
      expect(stateOf(peer)).toMatchObject({ kind: 'rejected', error: { condition: 'amqp:invalid-field' } })
    },
  )

  test('[AMQPANON-2.2.2-a] for a node that is not there is answered with rejected, not-found', () => {
    const { peer, relay } = relaying({ settings: { profile: 'rabbitmq' } })
    relay.send({ properties: { to: '/queues/none' }, data: 'x' })
    expect(stateOf(peer)).toMatchObject({ kind: 'rejected', error: { condition: 'amqp:not-found' } })
  })

  test('[AMQPANON-2.2-b] for a node that the client may not send to is answered with rejected, unauthorized-access', () => {
    const authorizer = {
      generation: 0,
      mayUse: (_: unknown, action: string, { levels }: { levels: readonly string[] }) => ({
        allowed: action !== 'write' || !levels.includes('secret'),
        rule: '',
      }),
      mayMatch: () => ({ allowed: true, rule: '' }),
    }
    const { world, peer, relay } = relaying({ authorizer })
    relay.send({ properties: { to: 'topic://open' }, data: 'x' })
    expect(stateOf(peer)).toMatchObject({ kind: 'accepted' })
    relay.send({ properties: { to: 'topic://secret' }, data: 'x' })
    expect(stateOf(peer)).toMatchObject({ kind: 'rejected', error: { condition: 'amqp:unauthorized-access' } })
    expect(world.events.length).toBeGreaterThan(0)
  })

  test('[AMQPANON-2.2.2-b, AMQPANON-2.2.2-c] that is settled and cannot be sent: the link is detached with the error', () => {
    const { peer, relay } = relaying({ settings: { profile: 'rabbitmq' } })
    relay.send({ properties: { to: '/queues/none' }, data: 'x' }, { settled: true, deliveryTag: 'tag-1' })
    const detach = peer.next('detach')
    expect(conditionOf(detach)).toBe('amqp:not-found')
    expect(detach['error']).toMatchObject({ info: { 'delivery-tag': Buffer.from('tag-1').toString('hex') } })
  })

  test('[AMQPANON-2.2.2-b] that cannot be sent, of a link without rejected: the link is detached with the error', () => {
    const { peer, relay } = relaying(
      { settings: { profile: 'rabbitmq' } },
      { source: { kind: 'source', outcomes: 'amqp:accepted:list' } },
    )
    relay.send({ properties: { to: '/queues/none' }, data: 'x' })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:not-found')
  })
})
