import { describe, expect, test } from 'vitest'

import {
  composite,
  conditionOf,
  described,
  type Fields,
  map,
  type Peer,
  type Plain,
  type SessionPeer,
  symbol,
  symbols,
  World,
  type WorldOptions,
} from '../../harness.ts'
import { aText } from '../matchers.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
}

function begun(options: WorldOptions = {}, open: Fields = {}): Scene {
  const world = new World(options)
  const peer = world.connect(open)
  return { world, peer, session: peer.begin() }
}

function source(fields: Fields): Fields {
  return { source: { kind: 'source', ...fields } }
}

const selector = (text: string): [Plain, Plain] => [
  symbol('selector'),
  described('apache.org:selector-filter:string', text),
]
const noLocal = [symbol('no-local'), described('apache.org:no-local-filter:list', [])] as [Plain, Plain]

describe('distribution mode', () => {
  test('[AMQP10-3.5.2-a] move: a message goes to one of several links', () => {
    const { world, session } = begun()
    const [a, b] = [1, 2].map(() => session.receiver(null, source({ address: 'queue://q', distributionMode: 'move' })))
    for (const each of [a, b]) each!.grant(10)
    for (let index = 0; index < 10; index++) world.publish('$queue/q', `${index}`)
    const got = session.peer.takeAll('transfer')
    expect(got).toHaveLength(10)
    expect(new Set(got.map(({ handle }) => handle)).size).toBe(2)
  })

  test('[AMQP10-3.5.2-b, AMQP10-3.5.2-c] copy: messages come once to each, and stay', async () => {
    const { world, peer, session } = begun()
    for (const text of ['a', 'b', 'c']) world.publish('$queue/q', text)
    const links = [1, 2].map(() => session.receiver(null, source({ address: 'queue://q', distributionMode: 'copy' })))
    for (const link of links) await peer.finish(link.flowFrame({ linkCredit: 10 }))
    const got = peer.takeAll('transfer')
    expect(got).toHaveLength(6)
    expect(world.queue('q').waitingCount).toBe(3)
  })

  test('[AMQP10-3.5.2-c] copy: no outcome changes what is there', async () => {
    const { world, peer, session } = begun()
    world.publish('$queue/q', 'a')
    const link = session.receiver(null, source({ address: 'queue://q', distributionMode: 'copy' }))
    await peer.finish(link.flowFrame({ linkCredit: 10 }))
    const { id } = link.take()
    for (const kind of ['accepted', 'rejected', 'modified']) link.settle(id, { kind })
    expect(world.queue('q').waitingCount).toBe(1)
    const other = session.receiver('queue://q')
    other.grant(1)
    expect(other.take().message.header).toMatchObject({ deliveryCount: 0 })
  })

  test('[AMQP10-3.5.3-e] the answer says which it is', () => {
    const { session } = begun()
    for (const distributionMode of ['move', 'copy']) {
      expect(session.receiver(null, source({ address: 'queue://q', distributionMode })).answer).toMatchObject({
        source: { distributionMode },
      })
    }
  })

  test.each(['scatter', undefined])('[AMQP10-3.5.3-e] that is %s is answered with move', (distributionMode) => {
    const { session } = begun()
    expect(session.receiver(null, source({ address: 'queue://q', distributionMode })).answer).toMatchObject({
      source: { distributionMode: 'move' },
    })
  })

  test('[AMQP10-2.7.3-d, AMQP10-2.7.5-d] copy to a receiver that wants all unsettled: the answer says settled, and so it is', async () => {
    const { world, peer, session } = begun()
    world.publish('$queue/q', 'a')
    const link = session.receiver(null, {
      ...source({ address: 'queue://q', distributionMode: 'copy' }),
      sndSettleMode: 0,
    })
    await peer.finish(link.flowFrame({ linkCredit: 10 }))
    expect([link.answer['sndSettleMode'], link.take().settled]).toEqual([1, true])
  })
})

describe('a dynamic source', () => {
  const dynamic = (fields: Fields = {}): Fields => source({ dynamic: true, ...fields })

  test('[AMQP10-3.5.3-b] is answered with the address of a new node, which a sender reaches', () => {
    const { session } = begun()
    const receiver = session.receiver(null, dynamic())
    expect(receiver.answer).toMatchObject({ source: { dynamic: true, address: aText } })
    const { address } = receiver.answer['source'] as { address: string }
    receiver.grant(1)
    session.sender(address).send('x')
    expect(receiver.take().message.text).toBe('x')
  })

  test('[AMQP10-3.5.3-b] of two links are two nodes', () => {
    const { session } = begun()
    const addresses = [1, 2].map(
      () => (session.receiver(null, dynamic()).answer['source'] as { address: string }).address,
    )
    expect(addresses[0]).not.toBe(addresses[1])
  })

  test('[AMQP10-3.5.3-a] with an address is refused with invalid-field', () => {
    const { peer, session } = begun()
    peer.send(session.newReceiver(null, dynamic({ address: 'queue://mine' })).attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  })

  test('[AMQP10-3.5.10-a] with delete-on-close, or without a policy, goes with its link', () => {
    for (const fields of [{}, { dynamicNodeProperties: { 'lifetime-policy': { kind: 'delete-on-close' } } }]) {
      const { peer, session } = begun()
      const receiver = session.receiver(null, dynamic(fields))
      const { address } = receiver.answer['source'] as { address: string }
      receiver.detach()
      peer.send(session.newReceiver(address).attachFrame())
      peer.next('attach')
      expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
    }
  })

  test('[AMQP10-3.5.10-a] goes with its connection', () => {
    const { world, peer, session } = begun()
    const { address } = session.receiver(null, dynamic()).answer['source'] as { address: string }
    peer.vanish()
    const other = world.connect({ containerId: 'other' })
    other.send(other.begin().newReceiver(address).attachFrame())
    other.next('attach')
    expect(conditionOf(other.next('detach'))).toBe('amqp:unauthorized-access')
  })

  test('[AMQP10-3.5.3-d] properties without dynamic do not count, and are not in the answer', () => {
    const { session } = begun()
    const dynamicNodeProperties = { 'lifetime-policy': { kind: 'delete-on-close' } }
    const { answer } = session.receiver(null, source({ address: 'queue://q', dynamicNodeProperties }))
    expect(answer['source']).toMatchObject({ address: 'queue://q', dynamic: false })
    expect((answer['source'] as { dynamicNodeProperties?: object }).dynamicNodeProperties).toBeUndefined()
  })

  test('[AMQP10-3.5.3-c] has an address that nobody can guess', () => {
    const { session } = begun({}, { containerId: 'shop-7' })
    const { address } = session.receiver(null, { name: 'replies', ...dynamic() }).answer['source'] as {
      address: string
    }
    expect(address).not.toMatch(/shop-7|replies/)
    expect(address.length).toBeGreaterThan(30)
  })

  test.each([
    ['[AMQP10-3.5.9-a] lifetime-policy that is none', { 'lifetime-policy': 'forever' }],
    ['[AMQP10-3.5.9-b] supported-dist-modes that are none', { 'supported-dist-modes': 7 }],
  ])('%s is refused', (_, dynamicNodeProperties) => {
    const { peer, session } = begun()
    peer.send(session.newReceiver(null, dynamic({ dynamicNodeProperties })).attachFrame())
    expect(peer.received().map(conditionOf)).toContain('amqp:invalid-field')
  })

  test.each([
    ['[AMQP10-3.5.11-a]', 'delete-on-no-links'],
    ['[AMQP10-3.5.12-a]', 'delete-on-no-messages'],
    ['[AMQP10-3.5.13-a]', 'delete-on-no-links-or-messages'],
  ])('%s that is to be %s goes with its link, and the answer says so', (_, policy) => {
    const { peer, session } = begun()
    const receiver = session.receiver(null, dynamic({ dynamicNodeProperties: { 'lifetime-policy': { kind: policy } } }))
    const { address, dynamicNodeProperties } = receiver.answer['source'] as {
      address: string
      dynamicNodeProperties: object
    }
    expect(dynamicNodeProperties).toEqual({ 'lifetime-policy': { descriptor: 0x2b, value: [] } })
    receiver.detach()
    peer.send(session.newReceiver(address).attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
  })
})

describe('a dynamic target', () => {
  test('[AMQP10-3.5.4-b] is answered with the address of a new node, which a receiver reaches', () => {
    const { session } = begun()
    const sender = session.sender(null, { target: { kind: 'target', dynamic: true } })
    expect(sender.answer).toMatchObject({ target: { dynamic: true, address: aText } })
    const receiver = session.receiver((sender.answer['target'] as { address: string }).address)
    receiver.grant(1)
    sender.send('x')
    expect(receiver.take().message.text).toBe('x')
  })

  test('[AMQP10-3.5.4-a] with an address is refused with invalid-field', () => {
    const { peer, session } = begun()
    peer.send(
      session.newSender(null, { target: { kind: 'target', dynamic: true, address: 'queue://mine' } }).attachFrame(),
    )
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  })

  test('[AMQP10-3.5.10-a] goes with its link', () => {
    const { peer, session } = begun()
    const sender = session.sender(null, { target: { kind: 'target', dynamic: true } })
    const { address } = sender.answer['target'] as { address: string }
    sender.detach()
    peer.send(session.newReceiver(address).attachFrame())
    peer.next('attach')
    expect(conditionOf(peer.next('detach'))).toBe('amqp:unauthorized-access')
  })
})

describe('filters', () => {
  test('[AMQP10-3.5.3-f, AMQP10-3.5.8-b] those in place are in the answer, and a message passes when it passes all', () => {
    const { world, session } = begun()
    const receiver = session.receiver(null, source({ address: 'topic://t', filter: [selector("kind = 'a'"), noLocal] }))
    expect((receiver.answer['source'] as { filter: object }).filter).toMatchObject({
      selector: { value: "kind = 'a'" },
    })
    receiver.grant(10)
    session.sender('topic://t').send({ applicationProperties: { kind: 'a' }, data: 'own' }, { settled: true })
    const other = world.connect({ containerId: 'other' }).begin().sender('topic://t')
    for (const kind of ['a', 'b']) other.send({ applicationProperties: { kind }, data: kind }, { settled: true })
    expect(receiver.texts()).toEqual(['a'])
  })

  test('[AMQP10-3.5.8-c] of null are none', () => {
    const { world, session } = begun()
    const receiver = session.receiver(null, source({ address: 'queue://q', filter: [[symbol('selector'), null]] }))
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual(['x'])
  })

  test('[AMQP10-3.5.3-f, AMQPFILTER-Unknown-a] that are not known are not in the answer, and let all through', () => {
    const { world, session } = begun()
    const receiver = session.receiver(
      null,
      source({ address: 'queue://q', filter: [[symbol('f'), described('com.example:filter', 'x')]] }),
    )
    expect((receiver.answer['source'] as { filter?: object }).filter ?? {}).toEqual({})
    receiver.grant(1)
    world.publish('$queue/q', 'x')
    expect(receiver.texts()).toEqual(['x'])
  })

  test.each<[string, readonly (readonly [Plain, Plain])[]]>([
    ['a number as key', [[7, described('com.example:filter', 'x')]]],
    ['null as key', [[null, described('com.example:filter', 'x')]]],
  ])('[AMQP10-3.5.8-a] with %s cannot be read', (_, filter) => {
    const { peer, session } = begun()
    peer.send(session.newReceiver(null, source({ address: 'queue://q', filter })).attachFrame())
    expect(peer.closeCondition()).toBe('amqp:decode-error')
  })

  test('[AMQP10-3.5.1-a] decide about a message alike when it comes again', () => {
    const { session } = begun()
    const receiver = session.receiver(null, source({ address: 'queue://q', filter: [selector('n > 1')] }))
    receiver.grant(1)
    for (const n of [1, 2])
      session.sender('queue://q').send({ applicationProperties: { n }, data: `${n}` }, { settled: true })
    const first = receiver.take()
    receiver.settle(first.id, { kind: 'released' })
    receiver.grant(5)
    expect([first.message.text, receiver.texts()]).toEqual(['2', ['2']])
  })
})

describe('expiry', () => {
  const durable = (fields: Fields = {}): Fields => ({
    name: 'sub',
    ...source({ address: 'topic://t', durable: 2, expiryPolicy: 'never', ...fields }),
  })

  test('[AMQP10-3.5.6-b, AMQP10-3.5.3-i, AMQP10-2.6.3-c] never: the source is there after detach, with what came meanwhile', () => {
    const { world, session } = begun()
    const receiver = session.receiver(null, durable())
    expect(receiver.answer).toMatchObject({ source: { durable: 2, expiryPolicy: 'never' } })
    receiver.detach({ closed: false })
    world.advance(86_400_000)
    world.publish('t', 'meanwhile')
    const peer = world.connect()
    const again = peer.begin().receiver(null, durable())
    again.grant(5)
    expect(again.texts()).toEqual(['meanwhile'])
  })

  test('[AMQP10-3.5.6-a] link-detach without a time-out: it is gone with the link', () => {
    const { world, session } = begun()
    const fields = durable({ expiryPolicy: 'link-detach', durable: 0 })
    session.receiver(null, fields).detach({ closed: false })
    world.publish('t', 'meanwhile')
    const again = session.receiver(null, fields)
    again.grant(5)
    expect(again.texts()).toEqual([])
  })

  test('[AMQP10-3.5.6-a, AMQP10-3.5.6-c] link-detach with a time-out: the answer says that there is none, and so it is', () => {
    const { world, session } = begun()
    const fields = durable({ expiryPolicy: 'link-detach', durable: 0, timeout: 60 })
    const receiver = session.receiver(null, fields)
    expect(receiver.answer['source']).toMatchObject({ timeout: 0 })
    receiver.detach({ closed: false })
    world.publish('t', 'meanwhile')
    const again = session.receiver(null, fields)
    again.grant(5)
    expect(again.texts()).toEqual([])
  })

  test.each(['session-end', 'connection-close'])(
    '[AMQP10-3.5.6-a] %s without a time-out: it is gone then',
    (expiryPolicy) => {
      const { world, peer, session } = begun()
      const fields = durable({ expiryPolicy, durable: 0 })
      session.receiver(null, fields)
      peer.close()
      world.publish('t', 'meanwhile')
      const again = world.connect().begin().receiver(null, fields)
      again.grant(5)
      expect(again.texts()).toEqual([])
    },
  )
})

test('[AMQP10-3.5.5-a] a durable source is there after a restart', async () => {
  const fields = { name: 'sub', ...source({ address: 'topic://t', durable: 2, expiryPolicy: 'never' }) }
  const { MemoryEngine } = await import('@ternmq/store')
  const { virtualEnv } = await import('@ternmq/testkit')
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const world = await World.withLog({}, env, engine)
  const peer = world.connect()
  const receiver = peer.begin().newReceiver(null, fields)
  await peer.finish(receiver.attachFrame())
  peer.next('attach')
  const sender = peer.begin().sender('topic://t')
  await peer.finish(sender.transferFrame({ header: { durable: true }, data: 'kept' }))
  const again = await World.withLog({}, env, engine)
  const later = again.connect()
  const session = later.begin()
  const link = session.newReceiver(null, fields)
  await later.finish(link.attachFrame())
  link.attached(later.next('attach'))
  await later.finish(link.flowFrame({ linkCredit: 5 }))
  expect(link.texts()).toEqual(['kept'])
})

describe('the answer', () => {
  test('[AMQP10-3.5.3-i] says which source is in place', () => {
    const { session } = begun()
    const { answer } = session.receiver(null, source({ address: 'queue://q', capabilities: ['queue'] }))
    expect(answer['source']).toMatchObject({ address: 'queue://q', capabilities: ['queue'] })
  })

  test('[AMQP10-3.5.4-c] says which target is in place', () => {
    const { session } = begun()
    const { answer } = session.sender(null, {
      target: { kind: 'target', address: 'queue://q', capabilities: ['queue'] },
    })
    expect(answer['target']).toMatchObject({ address: 'queue://q', capabilities: ['queue'] })
  })

  test('does not echo what cannot be kept: a target is not more durable than the broker makes it', () => {
    const { session } = begun()
    const { answer } = session.sender(null, { target: { kind: 'target', address: 'queue://q' } })
    expect(answer['target']).toMatchObject({ kind: 'target', dynamic: false })
  })
})

test('[AMQP10-3.5.8-a] a filter set that is no map cannot be read', () => {
  const { peer, session } = begun()
  peer.send(session.newReceiver(null, source({ address: 'queue://q', filter: symbols(['a']) })).attachFrame())
  expect(peer.closeCondition()).toMatch(/decode-error|invalid-field/)
})

test('[AMQP10-1.3.4-f] a source where a target has to be cannot be read', () => {
  const { peer, session } = begun()
  peer.send(
    session.newSender(null, { target: composite('source', { address: 'queue://q', filter: map([]) }) }).attachFrame(),
  )
  expect(peer.closeCondition()).toBe('amqp:decode-error')
})
