/** What topics do beside plain subscriptions: queues behind them, subscriptions with a name, temporary ones. */
import { MemoryEngine } from '@ternmq/store'
import { describe, expect, test } from 'vitest'
import { type PatternLevel, QUEUE_PREFIX } from '../src/routing/address.ts'
import { allowAll, type Authorizer } from '../src/authorizer.ts'
import type { NamedQueue } from '../src/destinations/destinations.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { SubscriptionSpec } from '../src/session/subscriptions.ts'
import { quiet, type Receiver, receiverOf, testCodec, topicPattern, user } from './support.ts'
import { World } from './world.ts'

const DURABLE = { durable: true }
const SUBJECT = { principal: user('u'), clientId: 'c' }

function specOf(options: Partial<SubscriptionSpec> = {}): SubscriptionSpec {
  return { clientId: 'c', name: 's', pattern: topicPattern('a/#'), shared: false, ...options }
}

function open(world: World, options: Partial<SubscriptionSpec> = {}): NamedQueue {
  const opened = world.vhost.subscriptions.open(specOf(options), SUBJECT)
  if (!opened.ok) throw new Error(opened.detail.text)
  return opened.value
}

async function logged(): Promise<{ world: World; engine: MemoryEngine }> {
  const world = new World()
  const engine = new MemoryEngine(world.env)
  await world.vhost.openLog(engine, [testCodec])
  return { world, engine }
}

/** A receiver with its own match, as whoever consumes from a named queue has one. */
function read(queue: Queue): Receiver {
  return receiverOf(queue, { match: { data: [{}], assuranceMax: 1, memo: undefined } })
}

describe('virtual topics', () => {
  test('each group of consumers has a queue of its own with every message, shared in the group', () => {
    const world = new World()
    const [a, b] = ['A', 'B'].map((group) => world.connect(group, { creditMax: 10 }))
    a!.session.consume({ queue: 'Consumer.A.VirtualTopic.orders', assuranceMax: 1, data: {} })
    b!.session.consume({ queue: 'Consumer.B.VirtualTopic.orders', assuranceMax: 1, data: {} })
    const more = world.connect('A2')
    more.session.consume({ queue: 'Consumer.A.VirtualTopic.orders', assuranceMax: 1, data: {} })
    for (const text of ['1', '2', '3', '4']) world.publish('VirtualTopic/orders', text)
    world.settle()
    expect(b!.texts).toEqual(['1', '2', '3', '4'])
    expect([a!.texts, more.texts].map((texts) => texts.length)).toEqual([2, 2])
  })

  test('whoever may not read the topic reads none of its queues, by name or by pattern', () => {
    const isSecret = (levels: readonly PatternLevel[]): boolean => levels.join('.') === 'VirtualTopic.secret'
    const authorizer: Authorizer = {
      ...allowAll,
      mayUse: (_subject, action, { kind, levels }) => ({ allowed: action !== 'read' || kind !== 'topic' || !isSecret(levels), rule: 'not secret' }),
    }
    const world = new World({ authorizer })
    const spy = world.connect('spy')
    const secret = 'Consumer.A.VirtualTopic.secret'
    const consumed = spy.session.consume({ queue: secret, assuranceMax: 1, data: {} })
    expect(!consumed.ok && consumed.detail).toMatchObject({
      refusal: 'not-authorized',
      text: `user 'u' may not consume from queue '${secret}': it gets what is published to topic 'VirtualTopic.secret', which the user may not read`,
    })
    expect(world.vhost.destinations.find(secret)).toBeUndefined()
    for (const queue of ['Consumer.>', '>', 'Consumer.A.VirtualTopic.*']) {
      expect(spy.session.consume({ queue, assuranceMax: 1, data: {} }).ok).toBe(true)
    }
    spy.publish(`$queue/${secret}`, 'made by sending')
    spy.publish('$queue/Consumer.A.VirtualTopic.open', 'open')
    world.publish('VirtualTopic/secret', 'secret')
    world.settle()
    expect(spy.texts).toEqual(['open'])
    expect(world.vhost.destinations.find(secret)!.queue.waitingCount).toBe(2)
    expect(world.vhost.destinations.refusalOf(spy.session.subject, 'browse', secret)).toMatch(/may not browse queue .*which the user may not read$/)
  })

  test('what a group has not taken waits for it, at most once messages too', () => {
    const world = new World()
    world.vhost.destinations.ensure('Consumer.A.VirtualTopic.orders')
    world.publish('VirtualTopic/orders', 'kept', { assurance: 0 })
    const late = world.connect('late')
    late.session.consume({ queue: 'Consumer.A.VirtualTopic.orders', assuranceMax: 1, data: {} })
    world.settle()
    expect(late.texts).toEqual(['kept'])
  })
})

describe('wildcard consumers', () => {
  test('read from all queues that match, those that come later included, and from no other', () => {
    const world = new World()
    const client = world.connect('c')
    world.vhost.destinations.ensure('orders.eu')
    client.session.consume({ queue: 'orders.>', assuranceMax: 1, data: {} })
    for (const queue of ['orders.eu', 'orders.us.new', 'invoices']) client.publish(QUEUE_PREFIX + queue, queue)
    world.settle()
    expect(client.texts.sort()).toEqual(['orders.eu', 'orders.us.new'])
  })

  test('queues take turns in a window that is smaller than what waits', () => {
    const world = new World()
    const client = world.connect('c', { creditMax: 2 })
    for (const queue of ['q.a', 'q.b']) for (let n = 0; n < 20; n++) client.publish(QUEUE_PREFIX + queue, `${queue}${n}`)
    client.session.consume({ queue: 'q.*', assuranceMax: 1, data: {} })
    for (let round = 0; round < 10; round++) {
      world.settle()
      client.settleAll()
    }
    const fromA = client.texts.filter((text) => text.startsWith('q.a')).length
    expect(Math.abs(client.texts.length - 2 * fromA)).toBeLessThanOrEqual(4)
  })

  test('give back what they have when they end', () => {
    const world = new World()
    const client = world.connect('c')
    client.publish('$queue/q.a', 'one')
    client.session.consume({ queue: 'q.*', assuranceMax: 1, data: {} })
    world.settle()
    const { queue } = world.vhost.destinations.find('q.a')!
    expect([queue.waitingCount, queue.inflightCount]).toEqual([0, 1])
    client.session.stopConsuming('q.*')
    expect([queue.waitingCount, queue.inflightCount]).toEqual([1, 0])
  })
})

describe('durable subscriptions', () => {
  test('get what their topic brought while nobody was there, over a restart, and nothing from before', async () => {
    const { world, engine } = await logged()
    const publisher = world.connect('p')
    publisher.publish('a/b', 'before', DURABLE)
    world.settle()
    open(world)
    publisher.publish('a/b', 'one', DURABLE)
    publisher.publish('b', 'other', DURABLE)
    world.settle()
    const second = new World()
    await second.vhost.openLog(engine, [testCodec])
    second.connect('p').publish('a', 'two', DURABLE)
    const { sink } = read(open(second).queue)
    for (let round = 0; round < 2; round++) {
      await quiet(world.env.clock)
      await quiet(second.env.clock)
    }
    expect(sink.texts).toEqual(['one', 'two'])
  })

  test('come back after a restart with a selector that costs more than one may cost now', async () => {
    const { world, engine } = await logged()
    const selector = Array(11).fill("h LIKE '%2%'").join(' OR ')
    expect(world.vhost.subscriptions.open(specOf({ selector }), SUBJECT)).toMatchObject({ ok: false, detail: { refusal: 'mismatch' } })
    const { queue } = open(world)
    const named = world.vhost.destinations.find(queue.name)!
    world.vhost.destinations.delete(named)
    world.vhost.destinations.define({ name: queue.name, subscription: { ...named.subscription!, selector } })
    world.settle()
    const second = new World()
    await second.vhost.openLog(engine, [testCodec])
    expect(second.vhost.destinations.find(queue.name)?.binding?.selector?.text).toBe(selector)
  })

  test('one that is not shared takes one consumer, a shared one several, which share its messages', () => {
    const world = new World()
    receiverOf(open(world).queue)
    expect(world.vhost.subscriptions.open(specOf(), SUBJECT)).toMatchObject({ ok: false, detail: { refusal: 'in-use' } })
    const shared = { name: 'shared', shared: true, clientId: undefined }
    const receivers = [read(open(world, shared).queue), read(open(world, shared).queue)]
    for (let n = 0; n < 4; n++) world.publish('a', `${n}`)
    expect(receivers.map(({ sink }) => sink.texts.length)).toEqual([2, 2])
  })

  test('another selector or topic begins anew, but not under a consumer', () => {
    const world = new World()
    const first = open(world)
    world.publish('a', 'old')
    expect(first.queue.waitingCount).toBe(1)
    const second = open(world, { selector: "h = '1'" })
    world.publish('a', 'new')
    expect([first.queue.isClosed, second.queue.waitingCount]).toEqual([true, 1])
    receiverOf(second.queue)
    expect(world.vhost.subscriptions.open(specOf(), SUBJECT)).toMatchObject({ ok: false, detail: { refusal: 'in-use' } })
  })

  test('a selector keeps out what it does not match; a bad one is refused with its position', () => {
    const world = new World()
    const { queue } = open(world, { selector: "h = '2'" })
    world.publish('a', 'x')
    expect(queue.waitingCount).toBe(0)
    const refused = world.vhost.subscriptions.open(specOf({ name: 'bad', selector: 'h = ' }), SUBJECT)
    expect(refused).toMatchObject({ ok: false, detail: { refusal: 'mismatch' } })
    expect(refused.ok ? '' : refused.detail.text).toMatch(/character \d+/)
  })

  test('no-local leaves out what the client itself publishes', () => {
    const world = new World()
    const { queue } = open(world, { noLocal: true })
    world.connect('c').publish('a', 'own')
    world.connect('d').publish('a', 'other')
    expect(queue.waitingCount).toBe(1)
  })

  test('unsubscribing ends it with what waits, and is refused while somebody consumes', () => {
    const world = new World()
    const { queue } = open(world)
    const { consumer } = receiverOf(queue)
    expect(world.vhost.subscriptions.delete('c', 's', SUBJECT)).toMatchObject({ ok: false, detail: { refusal: 'in-use' } })
    consumer.cancel()
    expect(world.vhost.subscriptions.delete('c', 's', SUBJECT)).toEqual({ ok: true, value: undefined })
    expect(world.vhost.subscriptions.delete('c', 's', SUBJECT)).toMatchObject({ ok: false, detail: { refusal: 'not-found' } })
    expect([queue.isClosed, world.vhost.router.bindingCount]).toEqual([true, 0])
  })

  test('nobody ends one, begins it anew or reads it who may not: not its client id makes it theirs, nor a topic of their own', () => {
    const mayMatch: Authorizer['mayMatch'] = ({ principal }, _action, { levels }) =>
      principal.name === 'thief' && levels[0] !== 'open' ? { allowed: false, rule: 'open/# only' } : allowAll.mayMatch(SUBJECT, 'read', topicPattern('a'))
    const world = new World({ authorizer: { ...allowAll, mayMatch } })
    const shared = { name: 'shared', clientId: undefined, shared: true }
    const kept = [open(world), open(world, { name: 'open', pattern: topicPattern('open/#') }), open(world, shared)]
    const thief = { principal: user('thief'), clientId: 'c' }
    const { subscriptions } = world.vhost
    const refused = { ok: false, detail: { refusal: 'not-authorized' } }
    expect(subscriptions.open(specOf({ name: 'open', pattern: topicPattern('open/#') }), thief)).toMatchObject(refused)
    expect(subscriptions.open(specOf({ pattern: topicPattern('open/1') }), thief)).toMatchObject(refused)
    expect(subscriptions.open(specOf({ ...shared, pattern: topicPattern('open/1') }), thief)).toMatchObject(refused)
    for (const [clientId, name] of [['c', 's'], ['c', 'open'], [undefined, 'shared']] as const) {
      expect(subscriptions.delete(clientId, name, thief)).toMatchObject(refused)
    }
    expect(kept.map(({ queue }) => queue.isClosed)).toEqual([false, false, false])
    expect(subscriptions.delete(undefined, 'shared', { ...SUBJECT, clientId: 'd' })).toEqual({ ok: true, value: undefined })
  })

  test('a shared one is shared by the clients of one user, over a restart as well: another takes nothing from it by guessing its name', async () => {
    const { world, engine } = await logged()
    const shared = { name: 'shared', clientId: undefined, shared: true }
    open(world, shared)
    world.settle()
    await world.vhost.close()
    const second = new World()
    await second.vhost.openLog(engine, [testCodec])
    const peer = { principal: user('peer'), clientId: 'd' }
    const { subscriptions } = second.vhost
    const text = "subscription 'shared' belongs to another user than 'peer', and is shared by clients of that user only; take another name"
    const refused = { ok: false, detail: { refusal: 'not-authorized', text } }
    expect(subscriptions.open(specOf(shared), peer)).toMatchObject(refused)
    expect(subscriptions.open(specOf({ ...shared, pattern: topicPattern('b') }), peer)).toMatchObject(refused)
    expect(subscriptions.delete(undefined, 'shared', peer)).toMatchObject(refused)
    expect(subscriptions.open(specOf(shared), { ...SUBJECT, clientId: 'another' })).toMatchObject({ ok: true })
  })
})

describe('temporary destinations', () => {
  test('anybody who knows the name may send, only the owner reads', () => {
    const world = new World()
    const owner = world.connect('owner')
    const other = world.connect('other')
    const made = world.vhost.temporaries.create(owner.session, 'temp-queue')
    if (!made.ok) throw new Error(made.detail.text)
    const queue = made.value.slice(QUEUE_PREFIX.length)
    expect(other.session.consume({ queue, assuranceMax: 1, data: {} })).toMatchObject({ ok: false })
    expect(owner.session.consume({ queue, assuranceMax: 1, data: {} })).toMatchObject({ ok: true })
    expect(other.publish(made.value, 'reply')).toBe('routed')
    world.settle()
    expect(owner.texts).toEqual(['reply'])
  })

  test('a topic is read by its owner alone, wildcards below it included', () => {
    const world = new World()
    const owner = world.connect('owner')
    const other = world.connect('other')
    const made = world.vhost.temporaries.create(owner.session, 'temp-topic')
    const address = made.ok ? made.value : ''
    expect(owner.tryBind(address)).toMatchObject({ ok: true })
    for (const filter of [address, '$temp/+', '$temp/#']) {
      expect(other.tryBind(filter)).toMatchObject({ ok: false, detail: { refusal: 'not-authorized' } })
    }
    other.publish(address, 'x')
    expect([owner.texts, other.texts]).toEqual([['x'], []])
  })

  test('go with the connection: sending to one then is refused, and nothing is left', () => {
    const world = new World()
    const owner = world.connect('owner', { expiryMs: 60_000 })
    const other = world.connect('other')
    const kinds = ['temp-queue', 'temp-topic'] as const
    const addresses = kinds.map((kind) => world.vhost.temporaries.create(owner.session, kind)).map((made) => (made.ok ? made.value : ''))
    owner.session.disconnect()
    expect(addresses.map((address) => other.publish(address, 'late'))).toEqual(['refused', 'refused'])
    expect([world.vhost.temporaries.count, world.vhost.destinations.count]).toEqual([0, 0])
  })

  test('a wildcard consumer does not see them', () => {
    const world = new World()
    const owner = world.connect('owner')
    const other = world.connect('other')
    other.session.consume({ queue: '>', assuranceMax: 1, data: {} })
    const made = world.vhost.temporaries.create(owner.session, 'temp-queue')
    owner.publish(made.ok ? made.value : '', 'secret')
    world.settle()
    expect(other.texts).toEqual([])
  })

  test('one session has a limited number of them', () => {
    const world = new World()
    const owner = world.connect('owner')
    for (let n = 0; n < 1_000; n++) expect(world.vhost.temporaries.create(owner.session, 'temp-topic').ok).toBe(true)
    expect(world.vhost.temporaries.create(owner.session, 'temp-topic')).toMatchObject({ detail: { refusal: 'limit-reached' } })
  })
})
