import { describe, expect, test } from 'vitest'
import { messageOf, TestSink, textOf } from '../../test/support.ts'
import { World } from '../../test/world.ts'
import type { Authorizer } from '../authorizer.ts'

describe('bindings', () => {
  test('a second one for the same filter replaces the first, with its data and its assurance', () => {
    const world = new World()
    const client = world.connect('c')
    expect(client.bind('a', { assuranceMax: 2, data: { id: 1 } })).toBe(false)
    expect(client.bind('a', { assuranceMax: 0, data: { id: 2 } })).toBe(true)
    world.publish('a', '1', { assurance: 2 })
    expect(client.sink.seen.map(({ assurance, match }) => [assurance, match.data])).toEqual([[0, [{ id: 2 }]]])
    expect([client.session.bindingCount, world.vhost.router.bindingCount]).toEqual([1, 1])
  })

  test('replacing one loses nothing that waits', () => {
    const world = new World()
    const client = world.connect('c', { creditMax: 1 })
    client.bind('a')
    for (const text of ['1', '2', '3']) world.publish('a', text)
    client.bind('a', { assuranceMax: 1 })
    world.publish('a', '4')
    for (let count = 0; count < 4; count++) {
      client.settleFirst()
      world.settle()
    }
    expect(client.texts).toEqual(['1', '2', '3', '4'])
  })

  test('overlapping ones make one delivery', () => {
    const world = new World()
    const client = world.connect('c')
    for (const filter of ['a/b', 'a/+', '#', 'a/#']) client.bind(filter)
    world.publish('a/b', '1')
    expect(client.sink.seen.map(({ text, match }) => [text, match.data.length])).toEqual([['1', 4]])
  })

  test('unbinding stops what comes, not what waits; unbinding what is not there says so', () => {
    const world = new World()
    const client = world.connect('c', { creditMax: 1 })
    client.bind('a')
    world.publish('a', '1')
    world.publish('a', '2')
    expect([client.unbind('a'), client.unbind('a'), client.unbind('a', 'group')]).toEqual([true, false, false])
    expect(world.publish('a', '3')).toBe('unmatched')
    client.settleFirst()
    world.settle()
    expect([client.texts, client.session.bindingCount]).toEqual([['1', '2'], 0])
  })

  test('beyond the limit a new one is refused and says what to do, a known one may be replaced', () => {
    const world = new World({ limits: { bindingsPerSessionMax: 2 } })
    const client = world.connect('c')
    client.bind('a')
    client.bind('b', { share: 'g' })
    const refused = client.tryBind('c')
    expect(refused.ok ? 'bound' : refused.detail.refusal).toBe('limit-reached')
    expect(!refused.ok && refused.detail.text).toContain('unsubscribe first')
    expect([client.tryBind('c', { share: 'g' }).ok, client.tryBind('b').ok]).toEqual([false, false])
    expect([client.bind('a'), client.bind('b', { share: 'g' })]).toEqual([true, true])
    client.unbind('b', 'g')
    expect(client.bind('c')).toBe(false)
    expect(world.connect('d').tryBind('a').ok).toBe(true)
  })

  test('one without permission is refused and leaves an earlier one as it was', () => {
    let isAllowed = true
    const decide = (): { allowed: boolean; rule: string } => ({ allowed: isAllowed, rule: 'secret rule' })
    const authorizer: Authorizer = { generation: 0, mayUse: () => ({ allowed: true, rule: '' }), mayMatch: decide }
    const world = new World({ authorizer })
    const client = world.connect('c')
    client.bind('a')
    isAllowed = false
    for (const options of [{}, { share: 'g' }]) {
      const refused = client.tryBind('a', options)
      expect(refused.ok ? 'bound' : refused.detail.refusal).toBe('not-authorized')
      expect(!refused.ok && refused.detail.text).not.toContain('secret')
    }
    world.publish('a', '1')
    expect([client.texts, client.session.bindingCount]).toEqual([['1'], 1])
  })

  test('noLocal leaves out what the session itself publishes, live and retained', () => {
    const world = new World()
    const [client, other] = [world.connect('c'), world.connect('other')]
    client.publish('a/own', 'own retained', { retain: true })
    other.publish('a/other', 'other retained', { retain: true })
    client.bind('a/#', { noLocal: true })
    client.publish('a/own', 'own')
    other.publish('a/other', 'other')
    world.settle()
    expect(client.texts).toEqual(['other retained', 'other'])
  })
})

describe('retained messages for a binding', () => {
  test('always brings them at each bind, if-new at the first, never not at all', () => {
    for (const [retained, count] of [
      ['always', 2],
      ['if-new', 1],
      ['never', 0],
    ] as const) {
      const world = new World()
      world.publish('a/1', 'r', { retain: true })
      const client = world.connect('c')
      client.bind('a/+', { retained })
      client.bind('a/+', { retained })
      world.settle()
      expect(client.sink.seen.map((seen) => [seen.text, seen.retained])).toEqual(
        Array.from({ length: count }, () => ['r', true]),
      )
    }
  })

  test('each binding brings its own, with its own data and assurance', () => {
    const world = new World()
    world.publish('a', 'r', { retain: true, assurance: 2 })
    const client = world.connect('c')
    client.bind('a', { assuranceMax: 0, data: { id: 1 } })
    client.bind('+', { assuranceMax: 1, data: { id: 2 } })
    world.settle()
    expect(client.sink.seen.map(({ assurance, match }) => [assurance, match.data])).toEqual([
      [0, [{ id: 1 }]],
      [1, [{ id: 2 }]],
    ])
  })

  test('a shared subscription brings none [MQTT5-4.8.2-c]', () => {
    const world = new World()
    world.publish('a', 'r', { retain: true })
    const client = world.connect('c')
    client.bind('a', { share: 'g', retained: 'always' })
    world.settle()
    expect(client.texts).toEqual([])
  })

  test('they come before what is published in the same turn, and after the bind returned', () => {
    const world = new World()
    world.publish('a', 'r', { retain: true })
    const client = world.connect('c')
    client.bind('a')
    expect(client.texts).toEqual([])
    world.publish('a', 'live')
    world.settle()
    expect(client.texts).toEqual(['r', 'live'])
  })
})

describe('a connection that breaks', () => {
  test('leaves unsettled what was not settled, for the adapter to send again; credit stays taken', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000, creditMax: 2 })
    first.bind('a')
    for (const text of ['1', '2', '3']) world.publish('a', text)
    first.session.disconnect()
    world.publish('a', '4')
    const again = world.connect('c', { expiryMs: 1_000, creditMax: 2 })
    world.settle()
    expect([first.texts, again.texts, again.session.pool.used]).toEqual([['1', '2'], [], 2])
    first.settleFirst()
    world.settle()
    expect(again.texts).toEqual(['3'])
    first.settleFirst()
    world.settle()
    expect(again.texts).toEqual(['3', '4'])
  })

  test('a smaller window at the next connection lets nothing pass until enough is settled', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000, creditMax: 3 })
    first.bind('a')
    for (const text of ['1', '2', '3', '4']) world.publish('a', text)
    first.session.disconnect()
    const again = world.connect('c', { expiryMs: 1_000, creditMax: 1 })
    for (const expected of [[], [], ['4']]) {
      first.settleFirst()
      world.settle()
      expect(again.texts).toEqual(expected)
    }
  })

  test('the unsettled messages of a kept session have bytes of their own', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: 1_000 })
    client.bind('a')
    const buffer = Buffer.alloc(10_000)
    for (const size of [10, 5_000]) {
      world.publish('a', 'x'.repeat(size), { buffer })
      buffer.fill(0xee)
    }
    client.session.disconnect()
    expect(client.sink.held.map(({ message }) => /^x+$/.test(textOf(message)))).toEqual([true, true])
  })

  test('what was accepted for a connection before its delivery began is not lost', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: 1_000 })
    client.bind('a')
    client.session.disconnect()
    const opened = world.tryOpen('c', { expiryMs: 1_000 })
    world.publish('a', '1')
    world.publish('a', 'at most once', { assurance: 0 })
    world.settle()
    const sink = new TestSink()
    if (opened.ok) opened.value.session.startDelivery(sink)
    world.settle()
    expect([opened.ok, sink.texts]).toEqual([true, ['1']])
  })

  test('room in the transport wakes the own queue and all shared ones', () => {
    const world = new World()
    const client = world.connect('c')
    client.bind('own')
    client.bind('shared', { share: 'g' })
    client.sink.writable = false
    world.publish('own', '1')
    world.publish('shared', '2')
    client.sink.writable = true
    client.session.onWritable()
    world.settle()
    expect(client.texts.sort()).toEqual(['1', '2'])
  })
})

describe('the window', () => {
  test('is one for the own queue and all shared subscriptions', () => {
    const world = new World()
    const client = world.connect('c', { creditMax: 3 })
    client.bind('own')
    client.bind('shared', { share: 'g' })
    for (let count = 0; count < 5; count++) {
      world.publish('own', 'o')
      world.publish('shared', 's')
    }
    world.settle()
    expect(client.sink.held).toHaveLength(3)
    while (client.sink.held.length > 0) {
      client.settleFirst()
      world.settle()
      expect(client.sink.held.length).toBeLessThanOrEqual(3)
    }
    expect(client.texts.filter((text) => text === 'o')).toHaveLength(5)
    expect(client.texts.filter((text) => text === 's')).toHaveLength(5)
  })
})

test('an ended session is found by nobody and held by nothing in the router', () => {
  const world = new World()
  const client = world.connect('c', { expiryMs: 1_000, creditMax: 1 })
  client.bind('a')
  client.bind('b', { share: 'g' })
  for (const topic of ['a', 'a', 'b', 'b']) world.publish(topic, 'x')
  client.session.end()
  world.settle()
  expect(world.publish('a', messageOf('a', 'x').topic)).toBe('unmatched')
  expect([world.vhost.router.bindingCount, world.vhost.shared.count, world.vhost.sessions.count]).toEqual([0, 0, 0])
  expect([client.session.queue.waitingCount, client.session.queue.waitingBytes]).toEqual([0, 0])
})
