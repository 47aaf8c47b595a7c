import { describe, expect, test } from 'vitest'
import { TestSink, topicPattern } from '../../test/support.ts'
import { type Client, World } from '../../test/world.ts'
import { isLiteral, type Pattern } from '../routing/address.ts'
import type { Authorizer } from '../authorizer.ts'
import type { ReceiverSpec } from '../receive/receiver.ts'

/** Denies what `denied` says, of reading. */
class Rules implements Authorizer {
  generation = 0
  checkCount = 0
  denied: (levels: Pattern['levels'], clientId: string, kind: Pattern['kind']) => boolean = () => false

  mayUse: Authorizer['mayUse'] = (subject, action, address) => this.mayMatch(subject, action, address)

  mayMatch: Authorizer['mayMatch'] = ({ clientId }, action, { levels, kind }) => {
    this.checkCount++
    const allowed = action !== 'read' || !this.denied(levels, clientId, kind)
    return { allowed, rule: allowed ? 'yes' : 'auth.rules[0] says no' }
  }
}

function setUp() {
  const rules = new Rules()
  const world = new World({ authorizer: rules })
  const recheck = (denied: Rules['denied']): void => {
    rules.denied = denied
    rules.generation++
    world.vhost.recheckAccess()
    world.settle()
  }
  return { rules, world, recheck }
}

/** A client whose connection hears what it has lost. */
function connect(world: World, clientId: string, expiryMs = 0): { client: Client; told: string[] } {
  const told: string[] = []
  const owner = { onEvicted: () => {}, onAccessLost: (text: string) => void told.push(text) }
  return { client: world.connect(clientId, { owner, expiryMs }), told }
}

const first =
  (level: string): Rules['denied'] =>
  ([name]) =>
    name === level

describe('a change of rules', () => {
  test('ends the bindings that are not allowed any more, no others, and tells client and operators once', () => {
    const { world, recheck } = setUp()
    const { client, told } = connect(world, 'c')
    for (const filter of ['a/#', 'b/+', 'c']) client.bind(filter)
    client.bind('a/x', { share: 'g' })
    recheck(first('a'))
    expect(told).toEqual(["user 'u' may not read 'a/#' and 1 more any more"])
    expect(world.events).toEqual([
      "client 'c' of user 'u' may not read 'a/#' and 1 more any more: auth.rules[0] says no",
    ])
    expect(world.publish('a/x', '1')).toBe('unmatched')
    expect(world.publish('b/x', '2')).toBe('routed')
    expect([client.texts, client.session.bindingCount]).toEqual([['2'], 2])
  })

  test('leaves everybody alone who may still read, and whom rules tell apart', () => {
    const { world, recheck } = setUp()
    const one = connect(world, 'one')
    const other = connect(world, 'other')
    for (const { client } of [one, other]) client.bind('a')
    recheck((_levels, clientId) => clientId === 'one')
    expect([one.told.length, other.told.length]).toEqual([1, 0])
    world.publish('a', '1')
    expect([one.client.texts, other.client.texts]).toEqual([[], ['1']])
  })

  test('ends bindings of a session that is kept without a connection; what waited for it stays', () => {
    const { world, recheck } = setUp()
    const { client } = connect(world, 'c', 60_000)
    client.bind('a')
    client.session.disconnect()
    world.publish('a', 'before')
    recheck(first('a'))
    world.publish('a', 'after')
    const { client: again } = connect(world, 'c', 60_000)
    world.settle()
    expect(again.texts).toEqual(['before'])
  })

  test('ends readings of queues, and messages go to who may read them', () => {
    const { world, recheck } = setUp()
    const { client, told } = connect(world, 'c')
    const { client: other } = connect(world, 'other')
    for (const each of [client, other]) each.session.consume({ queue: 'q', assuranceMax: 1, data: {} })
    recheck((_levels, clientId, kind) => kind === 'queue' && clientId === 'c')
    for (const text of ['1', '2']) other.publish('$queue/q', text)
    world.settle()
    expect(told).toEqual(["user 'u' may not read queue 'q' any more"])
    expect([client.texts, other.texts]).toEqual([[], ['1', '2']])
  })

  test('takes from a reader of a pattern the queues of a virtual topic that it may not read, and no others', () => {
    const { world, recheck } = setUp()
    const { client, told } = connect(world, 'c')
    const names = ['Consumer.c.VirtualTopic.open', 'Consumer.c.VirtualTopic.secret']
    for (const name of names) world.vhost.destinations.ensure(name)
    client.session.consume({ queue: 'Consumer.>', assuranceMax: 1, data: {} })
    recheck((levels, _clientId, kind) => kind === 'topic' && isLiteral(levels) && levels[1] === 'secret')
    for (const name of ['open', 'secret']) world.publish(`VirtualTopic/${name}`, name)
    world.settle()
    expect(client.texts).toEqual(['open'])
    expect(told).toEqual([])
  })

  const SOURCES: readonly (readonly [kind: string, source: ReceiverSpec['source'], what: string])[] = [
    ['a queue', { kind: 'queue', queue: 'a' }, "queue 'a'"],
    ['topics', { kind: 'topic', pattern: topicPattern('a/#'), noLocal: false, retained: false }, "'a/#'"],
    [
      'a durable subscription',
      { kind: 'subscription', subscription: { clientId: 'c', name: 's', pattern: topicPattern('a'), shared: false } },
      "'a'",
    ],
  ]
  for (const [kind, source, what] of SOURCES) {
    test(`ends a receiver of ${kind}, or has its adapter end it`, () => {
      const { world, recheck } = setUp()
      const { client } = connect(world, 'c')
      const told: string[] = []
      const sink = Object.assign(new TestSink(), { onAccessLost: (text: string) => void told.push(text) })
      const defaults = { selector: undefined, assuranceMax: 1 as const, creditMax: 10, data: {}, source }
      const opened = client.session.openReceiver({ ...defaults, sink })
      if (!opened.ok) throw new Error(opened.detail.text)
      recheck(first('a'))
      expect(told).toEqual([`user 'u' may not read ${what} any more`])
      expect(client.session.bindingCount).toBe(1)
      opened.value.close('goodbye')

      recheck(() => false)
      expect(client.session.openReceiver({ ...defaults, sink: new TestSink() }).ok).toBe(true)
      recheck(first('a'))
      expect(client.session.bindingCount).toBe(0)
    })
  }

  test('lets nothing more into the durable subscription of a user who may not read it, keeps what is there, and goes on when the user may', () => {
    const { world, recheck } = setUp()
    const { client } = connect(world, 'c')
    const source = {
      kind: 'subscription' as const,
      subscription: { clientId: 'c', name: 's', pattern: topicPattern('a'), shared: false },
    }
    const spec = { source, selector: undefined, assuranceMax: 1 as const, creditMax: 10, data: {} }
    const opened = client.session.openReceiver({ ...spec, sink: new TestSink() })
    if (!opened.ok) throw new Error(opened.detail.text)
    opened.value.close('goodbye')
    world.publish('a', 'before')
    recheck((_levels, clientId) => clientId === 'c')
    recheck((_levels, clientId) => clientId === 'c')
    expect(world.events).toHaveLength(1)
    world.publish('a', 'meanwhile')
    recheck(() => false)
    world.publish('a', 'after')
    const sink = new TestSink()
    expect(client.session.openReceiver({ ...spec, sink }).ok).toBe(true)
    world.settle()
    expect(sink.texts).toEqual(['before', 'after'])
  })

  test('is looked at in steps of 1,000 checks, in turns of their own', () => {
    const { rules, world } = setUp()
    const { client } = connect(world, 'c')
    for (let index = 0; index < 2_500; index++) client.bind(`a/${index}`)
    rules.checkCount = 0
    rules.denied = first('a')
    world.vhost.recheckAccess()
    world.env.clock.turn()
    expect(rules.checkCount).toBeGreaterThan(900)
    expect(rules.checkCount).toBeLessThanOrEqual(1_000)
    world.settle()
    expect(client.session.bindingCount).toBe(0)
    expect(rules.checkCount).toBe(2_500)
  })

  test('that comes while another is being looked at is looked at after it, for all', () => {
    const { rules, world } = setUp()
    const early = connect(world, 'early')
    early.client.bind('b')
    const { client } = connect(world, 'c')
    for (let index = 0; index < 2_500; index++) client.bind(`a/${index}`)
    world.vhost.recheckAccess()
    world.env.clock.turn()
    rules.denied = first('b')
    for (let count = 0; count < 5; count++) world.vhost.recheckAccess()
    world.settle()
    expect(early.told).toEqual(["user 'u' may not read 'b' any more"])
    expect(client.session.bindingCount).toBe(2_500)
    expect(rules.checkCount).toBeLessThan(4 * 2_501)
  })
})
