import { describe, expect, test } from 'vitest'

import {
  conditionOf,
  described,
  type Encoded,
  type Fields,
  type Plain,
  type ReceiverPeer,
  type SessionPeer,
  symbol,
  ulong8,
  World,
} from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly session: SessionPeer
}

function begun(): Scene {
  const world = new World()
  return { world, session: world.connect().begin() }
}

type Filter = readonly [key: Encoded, value: Plain]

function filter(key: string, descriptor: string | number, value: Plain): Filter {
  return [symbol(key), described(typeof descriptor === 'number' ? ulong8(descriptor) : descriptor, value)]
}

function receiver(
  session: SessionPeer,
  address: string,
  filters: readonly Filter[],
  fields: Fields = {},
): ReceiverPeer {
  return session.receiver(null, { source: { kind: 'source', address, filter: filters, ...fields } })
}

const SELECTOR = 'apache.org:selector-filter:string'

describe('a selector', () => {
  test.each<[string, string | number]>([
    ['its name', SELECTOR],
    ['its number', 0x0000_468c_0000_0004],
  ])('[AMQPFILTER-Selector-a] by %s lets through what it is true for', (_, descriptor) => {
    const { session } = begun()
    const link = receiver(session, 'queue://q', [filter('jms-selector', descriptor, "colour = 'red' AND n > 1")])
    link.grant(10)
    const sender = session.sender('queue://q')
    for (const [colour, n] of [
      ['red', 1],
      ['red', 2],
      ['blue', 3],
    ] as const)
      sender.send({ applicationProperties: { colour, n }, data: `${colour}${n}` }, { settled: true })
    expect(link.texts()).toEqual(['red2'])
  })

  test('[AMQPFILTER-Selector-a] on a queue leaves what does not pass to others', () => {
    const { world, session } = begun()
    const link = receiver(session, 'queue://q', [filter('s', SELECTOR, "colour = 'red'")])
    link.grant(10)
    session.sender('queue://q').send({ applicationProperties: { colour: 'blue' }, data: 'b' }, { settled: true })
    expect(world.queue('q').waitingCount).toBe(1)
    const other = session.receiver('queue://q')
    other.grant(1)
    expect(other.texts()).toEqual(['b'])
  })

  test.each([
    ['JMSPriority > 6', { header: { priority: 8 } }],
    ["JMSType = 'order'", { properties: { subject: 'order' } }],
    ["JMSCorrelationID = 'c'", { properties: { correlationId: 'c' } }],
    ['n BETWEEN 2 AND 4', { applicationProperties: { n: 3 } }],
    ["name LIKE 'a%'", { applicationProperties: { name: 'abc' } }],
    ['flag', { applicationProperties: { flag: true } }],
  ])('[AMQPFILTER-Selector-a] may ask for headers and properties: %s', (text, parts) => {
    const { session } = begun()
    const link = receiver(session, 'queue://q', [filter('s', SELECTOR, text)])
    link.grant(10)
    const sender = session.sender('queue://q')
    sender.send('no', { settled: true })
    sender.send({ ...parts, data: 'yes' }, { settled: true })
    expect(link.texts()).toEqual(['yes'])
  })

  test.each(['colour =', '((', "a = 'unterminated"])(
    '[AMQPFILTER-Selector-b] that cannot be parsed refuses the link with invalid-field: %s',
    (text) => {
      const { session } = begun()
      const link = session.newReceiver(null, {
        source: { kind: 'source', address: 'queue://q', filter: [filter('s', SELECTOR, text)] },
      })
      session.peer.send(link.attachFrame())
      expect(session.peer.next('attach')['source']).toBeUndefined()
      expect(conditionOf(session.peer.next('detach'))).toBe('amqp:invalid-field')
    },
  )

  test.each(['queue://q', 'topic://t'])(
    '[AMQPFILTER-Selector-b] that costs too much refuses the link to %s with invalid-field',
    (address) => {
      const { session } = begun()
      const text = Array(11).fill("a LIKE '%b%'").join(' OR ')
      const source = { kind: 'source', address, filter: [filter('s', SELECTOR, text)] }
      session.peer.send(session.newReceiver(null, { source }).attachFrame())
      expect(session.peer.next('attach')['source']).toBeUndefined()
      const detach = session.peer.next('detach')
      expect(conditionOf(detach)).toBe('amqp:invalid-field')
      expect(JSON.stringify(detach)).toContain('it costs 4411 for each message and exceeds the 4096 that one may cost')
    },
  )

  test.each([{}, { durable: 2, expiryPolicy: symbol('never') }])(
    '[AMQPFILTER-Selector-a] beyond what those of a connection may cost together refuses the link: %j',
    (fields) => {
      const world = new World({ limits: { selectorCostPerSessionMax: 1 } })
      const session = world.connect().begin()
      receiver(session, 'topic://t', [filter('s', SELECTOR, 'n > 1')])
      const source = { kind: 'source', address: 'topic://t', filter: [filter('s', SELECTOR, 'n > 2')], ...fields }
      session.peer.send(session.newReceiver(null, { source }).attachFrame())
      expect(session.peer.next('attach')['source']).toBeUndefined()
      const detach = session.peer.next('detach')
      expect(conditionOf(detach)).toBe('amqp:resource-limit-exceeded')
      expect(JSON.stringify(detach)).toContain('limits.selectorCostPerSessionMax 1')
    },
  )

  test('[AMQPFILTER-Selector-a] that is empty lets all through', () => {
    const { world, session } = begun()
    const link = receiver(session, 'queue://q', [filter('s', SELECTOR, '')])
    link.grant(1)
    world.publish('$queue/q', 'x')
    expect(link.texts()).toEqual(['x'])
  })

  test('[AMQPFILTER-Selector-b] that is no string refuses the link with invalid-field', () => {
    const { session } = begun()
    session.peer.send(
      session
        .newReceiver(null, { source: { kind: 'source', address: 'queue://q', filter: [filter('s', SELECTOR, 7)] } })
        .attachFrame(),
    )
    expect(session.peer.received().map(conditionOf)).toContain('amqp:invalid-field')
  })

  test('[AMQPFILTER-Selector-c] that is in place is in the answer, as it came', () => {
    const { session } = begun()
    const { answer } = receiver(session, 'queue://q', [filter('jms-selector', SELECTOR, 'n > 1')])
    expect((answer['source'] as { filter: object }).filter).toEqual({
      'jms-selector': { descriptor: SELECTOR, value: 'n > 1' },
    })
  })
})

describe('no-local', () => {
  test.each<[string, string | number]>([
    ['its name', 'apache.org:no-local-filter:list'],
    ['its number', 0x0000_468c_0000_0003],
  ])('[AMQPFILTER-NoLocal-a] by %s keeps out what the same connection sends', (_, descriptor) => {
    const { world, session } = begun()
    const link = receiver(session, 'topic://t', [filter('no-local', descriptor, [])])
    link.grant(10)
    session.sender('topic://t').send('own', { settled: true })
    world.connect({ containerId: 'other' }).begin().sender('topic://t').send('theirs', { settled: true })
    expect(link.texts()).toEqual(['theirs'])
  })
})

test.each<[string, string | number]>([
  ['its name', 'apache.org:legacy-amqp-topic-binding:string'],
  ['its number', 0x0000_468c_0000_0001],
])('[AMQPFILTER-Bindings-a] a topic binding by %s is the pattern of the subscription', (_, descriptor) => {
  const { world, session } = begun()
  const link = receiver(session, '/exchanges/amq.topic', [filter('b', descriptor, 'a.#')])
  link.grant(10)
  world.publish('a/b', 'yes')
  world.publish('b/a', 'no')
  expect(link.texts()).toEqual(['yes'])
})

test('[AMQPFILTER-Unknown-a] one that is not known beside one that is: the answer has the known one', () => {
  const { session } = begun()
  const { answer } = receiver(session, 'queue://q', [filter('s', SELECTOR, 'n > 1'), filter('x', 'com.example:x', 1)])
  expect(Object.keys((answer['source'] as { filter: object }).filter)).toEqual(['s'])
})

describe('browsing', () => {
  test('[AMQPFILTER-Browse-a] with drain gets all there is, then the flow without credit', async () => {
    const { world, session } = begun()
    for (let index = 0; index < 250; index++) world.publish('$queue/q', `${index}`)
    const link = receiver(session, 'queue://q', [], { distributionMode: 'copy' })
    await session.peer.finish(link.flowFrame({ linkCredit: 1_000, drain: true }))
    expect(link.texts()).toHaveLength(250)
    expect(session.peer.next('flow')).toMatchObject({ linkCredit: 0, drain: true })
    expect(world.queue('q').waitingCount).toBe(250)
  })

  test('[AMQPFILTER-Browse-a] of an empty queue is the flow alone', async () => {
    const { world, session } = begun()
    world.define('q')
    const link = receiver(session, 'queue://q', [], { distributionMode: 'copy' })
    await session.peer.finish(link.flowFrame({ linkCredit: 10, drain: true }))
    expect(session.peer.received()).toMatchObject([{ kind: 'flow', linkCredit: 0 }])
  })

  test('[AMQPFILTER-Browse-a] in pieces of credit gets all, each once', async () => {
    const { world, session } = begun()
    for (let index = 0; index < 10; index++) world.publish('$queue/q', `${index}`)
    const link = receiver(session, 'queue://q', [], { distributionMode: 'copy' })
    const got: (string | undefined)[] = []
    for (let round = 0; round < 4; round++) {
      await session.peer.finish(link.flowFrame({ linkCredit: 3 }))
      got.push(...link.texts())
    }
    expect(got).toEqual(Array.from({ length: 10 }, (_, index) => `${index}`))
  })

  test('[AMQPFILTER-Browse-a, AMQPFILTER-Selector-a] with a selector gets what it is true for', async () => {
    const { session } = begun()
    const sender = session.sender('queue://q')
    for (let n = 0; n < 5; n++) sender.send({ applicationProperties: { n }, data: `${n}` }, { settled: true })
    const link = receiver(session, 'queue://q', [filter('s', SELECTOR, 'n >= 3')], { distributionMode: 'copy' })
    await session.peer.finish(link.flowFrame({ linkCredit: 100, drain: true }))
    expect(link.texts()).toEqual(['3', '4'])
  })

  test('goes on when its client reads again', async () => {
    const { world } = begun()
    for (let index = 0; index < 500; index++) world.publish('$queue/q', Buffer.alloc(4_096))
    const peer = world.connect({}, { kernelBytes: 65_536 })
    const link = receiver(peer.begin(), 'queue://q', [], { distributionMode: 'copy' })
    peer.stopReading()
    await peer.finish(link.flowFrame({ linkCredit: 1_000, drain: true }))
    expect(peer.waiting.length).toBeLessThan(500)
    peer.readAgain()
    await world.settle()
    expect(link.takeAll()).toHaveLength(500)
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0, drain: true })
  })

  test('takes nothing from consumers', async () => {
    const { world, session } = begun()
    world.publish('$queue/q', 'a')
    const consumer = session.receiver('queue://q')
    consumer.grant(1)
    const { id } = consumer.take()
    const link = receiver(session, 'queue://q', [], { distributionMode: 'copy' })
    await session.peer.finish(link.flowFrame({ linkCredit: 100, drain: true }))
    session.peer.received()
    consumer.settle(id)
    expect(world.queue('q').inflightCount).toBe(0)
  })
})
