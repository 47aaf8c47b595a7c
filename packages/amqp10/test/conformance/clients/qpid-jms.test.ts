/**
 * What Apache Qpid JMS (and Apache.NMS.AMQP, which was made after it) says to a broker and looks for in its answers, frame by frame, as its
 * sources have it at commit 3df3338d902f: neither runs here.
 */
import { describe, expect, test } from 'vitest'

import {
  byte,
  composite,
  conditionOf,
  described,
  type Encoded,
  type Fields,
  type Frame,
  map,
  type Peer,
  type ReceiverPeer,
  section,
  type SenderPeer,
  type SessionPeer,
  symbol,
  World,
} from '../../harness.ts'
import { aSentence } from '../matchers.ts'

const SOLE = 'sole-connection-for-container'
const CAPABILITIES = [SOLE, 'DELAYED_DELIVERY', 'ANONYMOUS-RELAY', 'SHARED-SUBS']
const OUTCOMES = ['amqp:accepted:list', 'amqp:rejected:list', 'amqp:released:list', 'amqp:modified:list']
const MODIFIED_FAILED = { kind: 'modified', deliveryFailed: true }
const UNSETTLED = 0
const SETTLED = 1
/** Of the Java library below it. */
const SESSION = { nextOutgoingId: 1, incomingWindow: 2_047, outgoingWindow: 0x7fff_ffff }

/** A connection with its own session, as the client has them before anybody asks for something. */
function connected(
  world: World,
  clientId: string,
): { readonly peer: Peer; readonly own: SessionPeer; readonly answer: Frame } {
  const peer = world.dial()
  peer.logIn()
  peer.exchangeHeaders()
  const answer = peer.open({
    containerId: clientId,
    hostname: 'localhost',
    maxFrameSize: 1_048_576,
    channelMax: 32_767,
    idleTimeOut: 30_000,
    desiredCapabilities: CAPABILITIES,
    properties: { product: 'QpidJMS', version: '2.8.0', platform: 'JVM: 21' },
  })
  return { peer, own: peer.begin(SESSION), answer }
}

/** What a consumer says of its source. */
function sourceOf(address: string, capabilities: readonly string[], more: Fields = {}): Fields {
  const fields = { kind: 'source', address, capabilities, outcomes: OUTCOMES, defaultOutcome: MODIFIED_FAILED }
  return { ...fields, durable: 0, expiryPolicy: 'link-detach', ...more }
}

const DURABLE: Fields = { durable: 2, expiryPolicy: 'never', distributionMode: 'copy' }

function consumer(session: SessionPeer, name: string, source: Fields, more: Fields = {}): ReceiverPeer {
  return session.receiver(null, { name, source, sndSettleMode: UNSETTLED, rcvSettleMode: 0, ...more })
}

function producer(session: SessionPeer, address: string | null, capability?: string): SenderPeer {
  const id = 'ID:1:1:1'
  return session.sender(null, {
    name: `qpid-jms:sender:${id}:${address}`,
    source: { kind: 'source', address: id, outcomes: OUTCOMES },
    target: { kind: 'target', address, capabilities: capability },
    sndSettleMode: UNSETTLED,
  })
}

/** A text message: JMSType and the kind of its destination are annotations. */
function textMessage(text: string, to: string, more: Fields = {}): Parameters<SenderPeer['send']>[0] {
  return {
    header: { durable: true },
    messageAnnotations: { 'x-opt-jms-msg-type': byte(5), 'x-opt-jms-dest': byte(0) },
    properties: { messageId: 'ID:1', to, creationTime: 1_700_000_000_000, ...more },
    value: text,
  }
}

describe('a connection', () => {
  test('finds what it looks for: all that it wishes for, and the prefixes of names', () => {
    const { answer } = connected(new World(), 'desk')
    expect(answer['offeredCapabilities']).toEqual(expect.arrayContaining(CAPABILITIES))
    expect(answer['properties']).toMatchObject({ 'queue-prefix': 'queue://', 'topic-prefix': 'topic://' })
  })

  test('hears by a property that the close comes at once, and that the client id is taken', () => {
    const world = new World()
    connected(world, 'desk')
    const second = world.dial()
    second.logIn()
    second.exchangeHeaders()
    const answer = second.open({ containerId: 'desk', desiredCapabilities: CAPABILITIES })
    expect(answer['properties']).toMatchObject({ 'amqp:connection-establishment-failed': true })
    const { error } = second.closed() as unknown as { error: { condition: string; info: Fields } }
    expect(error).toMatchObject({ condition: 'amqp:invalid-field', info: { 'invalid-field': 'container-id' } })
  })

  test('gets an empty frame before its idle-time-out of 30 s is over', () => {
    const world = new World()
    const { peer } = connected(world, 'desk')
    world.advance(29_000)
    expect(peer.takeAll('empty').length).toBeGreaterThan(0)
  })
})

describe('a producer and a consumer', () => {
  test('meet in a queue; a redelivery after Session.recover is marked', () => {
    const world = new World()
    const { peer } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    const sender = producer(session, 'queue://orders', 'queue')
    expect(sender.credit).toBeGreaterThan(0)
    expect(sender.answer['target']).toMatchObject({ address: 'queue://orders' })
    sender.send(textMessage('one', 'queue://orders'), { deliveryTag: Buffer.from([0]) })
    expect(peer.next('disposition')).toMatchObject({ role: true, settled: true, state: { kind: 'accepted' } })

    const receiver = consumer(session, 'qpid-jms:receiver:ID:1:queue://orders', sourceOf('queue://orders', ['queue']))
    receiver.grant(1_000)
    const first = receiver.take()
    expect(first.message).toMatchObject({
      value: 'one',
      messageAnnotations: { 'x-opt-jms-msg-type': 5, 'x-opt-jms-dest': 0 },
      properties: { messageId: 'ID:1', to: 'queue://orders' },
    })
    expect(first.settled).toBe(false)
    receiver.settle(first.id, MODIFIED_FAILED)
    const again = receiver.take()
    expect(again.message.header).toMatchObject({ deliveryCount: 1 })
    expect(again.message.header?.['firstAcquirer'] ?? false).toBe(false)
    receiver.settle(again.id)
    expect(world.queue('orders').waitingCount).toBe(0)
  })

  test('what a closed session had in hand goes back, in its order', () => {
    const world = new World()
    const { peer } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    for (const text of ['a', 'b']) world.publish('$queue/orders', text)
    const receiver = consumer(session, 'r', sourceOf('queue://orders', ['queue']))
    receiver.grant(2)
    const [first] = receiver.takeAll()
    receiver.settle(first!.id, { kind: 'released' }, { last: first!.id + 1 })
    session.end()
    peer.next('end')
    const next = consumer(peer.begin(SESSION), 'r', sourceOf('queue://orders', ['queue']))
    next.grant(10)
    expect(next.texts()).toEqual(['a', 'b'])
  })

  test('receive with a time-out: credit of one, then drain when the time is over', () => {
    const world = new World()
    const { peer } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    const receiver = consumer(session, 'r', sourceOf('queue://orders', ['queue']))
    receiver.grant(1)
    receiver.grant(1, { drain: true })
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0, deliveryCount: 1, drain: true })
    world.publish('$queue/orders', 'late')
    expect(peer.received()).toEqual([])
    receiver.grant(1)
    expect(receiver.texts()).toEqual(['late'])
    // Used up by a message: nothing more is said, and nothing is waited for.
    expect(peer.received()).toEqual([])
  })

  test('a selector and noLocal are in the answer, by which the client knows that they are kept', () => {
    const { peer } = connected(new World(), 'desk')
    const session = peer.begin(SESSION)
    const filter: Encoded = map([
      [symbol('jms-selector'), described(0x468c_0000_0004n, "colour = 'red'")],
      [symbol('no-local'), described(0x468c_0000_0003n, 'NoLocalFilter{}')],
    ])
    const receiver = consumer(session, 'r', sourceOf('topic://news', ['topic'], { filter }))
    const { filter: applied } = receiver.answer['source'] as { filter: Map<string, unknown> | Fields }
    expect(applied instanceof Map ? [...applied.keys()] : Object.keys(applied)).toEqual(
      expect.arrayContaining(['jms-selector', 'no-local']),
    )
    receiver.grant(10)
    producer(session, 'topic://news', 'topic').send(
      { applicationProperties: { colour: 'red' }, value: 'own' },
      { settled: true },
    )
    expect(peer.takeAll('transfer')).toEqual([])
  })

  test('a browser is settled by being sent, and drain says where it ends', async () => {
    const world = new World()
    const { peer } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    for (const text of ['a', 'b']) world.publish('$queue/orders', text)
    const source = sourceOf('queue://orders', ['queue'], { distributionMode: 'copy' })
    const browser = consumer(session, 'browser', source, { sndSettleMode: SETTLED })
    browser.grant(1_000, { drain: true })
    await world.settle()
    expect(browser.takeAll().map(({ settled, message }) => [settled, message.text])).toEqual([
      [true, 'a'],
      [true, 'b'],
    ])
    expect(peer.next('flow')).toMatchObject({ linkCredit: 0 })
    expect(world.queue('orders').waitingCount).toBe(2)
  })
})

describe('temporary destinations', () => {
  test.each([
    ['temporary-queue', 'qpid-jms:temp-queue-creator:ID:1', /^temp-queue:\/\//, 'rejected'],
    ['temporary-topic', 'qpid-jms:temp-topic-creator:ID:1', /^temp-topic:\/\//, 'accepted'], // by nobody, as of any topic
  ])(
    '%s: a sender that makes it, an address to reply to, and its end with the link',
    (capability, name, address, late) => {
      const world = new World()
      const { peer, own } = connected(world, 'desk')
      const target = {
        kind: 'target',
        dynamic: true,
        durable: 0,
        expiryPolicy: 'link-detach',
        dynamicNodeProperties: { 'lifetime-policy': { kind: 'delete-on-close' } },
        capabilities: capability,
      }
      const maker = own.sender(null, { name, source: { kind: 'source' }, target, sndSettleMode: UNSETTLED })
      const made = (maker.answer['target'] as { address: string }).address
      expect(made).toMatch(address)

      const replies = consumer(peer.begin(SESSION), 'replies', sourceOf(made, [capability]))
      replies.grant(10)
      const other = connected(world, 'server')
      const relay = producer(other.peer.begin(SESSION), null)
      relay.send({ properties: { to: made, correlationId: 'c' }, value: 'reply' })
      expect(other.peer.next('disposition')['state']).toMatchObject({ kind: 'accepted' })
      expect(replies.take().message).toMatchObject({ value: 'reply', properties: { correlationId: 'c' } })
      maker.detach()
      relay.send({ properties: { to: made }, value: 'late' })
      expect(other.peer.next('disposition')['state']).toMatchObject({ kind: late })
    },
  )
})

describe('subscriptions', () => {
  test('a durable one collects while its client is away, and unsubscribe ends it', () => {
    const world = new World()
    const first = connected(world, 'desk')
    const source = sourceOf('topic://news', ['topic'], DURABLE)
    const link = consumer(first.peer.begin(SESSION), 'letters', source)
    expect(link.answer['source']).toMatchObject({ address: 'topic://news', durable: 2, expiryPolicy: 'never' })
    link.detach({ closed: false })
    first.peer.close()
    world.publish('news', 'while away')
    const { peer, own } = connected(world, 'desk')
    const back = consumer(peer.begin(SESSION), 'letters', source)
    back.grant(10)
    expect(back.texts()).toEqual(['while away'])
    back.detach({ closed: false })

    // unsubscribe: the link by its name alone. A source in the answer says that there is one; closed, it is gone.
    const fields = { name: 'letters', source: undefined, sndSettleMode: UNSETTLED }
    const known = own.receiver(null, fields)
    expect(known.answer['source']).toMatchObject({ address: 'topic://news' })
    known.detach({ closed: true })
    const gone = own.receiver(null, fields)
    expect(gone.answer['source']).toBeUndefined()
    const refusal = peer.next('detach')
    expect(refusal).toMatchObject({ closed: true, error: { condition: 'amqp:not-found', description: aSentence } })
  })

  test.each([
    ['with a client id', ['topic', 'shared'], ['crew', 'crew|2'], 'crew', DURABLE],
    ['without one', ['topic', 'shared', 'global'], ['crew|global', 'crew|global2'], 'crew|global', DURABLE],
    ['not durable', ['topic', 'shared'], ['crew|volatile1', 'crew|volatile2'], undefined, {}],
    [
      'not durable, without client id',
      ['topic', 'shared', 'global'],
      ['crew|global-volatile1', 'crew|global-volatile2'],
      undefined,
      {},
    ],
  ])('a shared one, %s: its links divide the messages', (_, capabilities, names, unsubscribed, more) => {
    const world = new World()
    const { peer, own } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    const links = names.map((name) => consumer(session, name, sourceOf('topic://news', capabilities, more)))
    for (const link of links) link.grant(2)
    for (const text of ['1', '2', '3', '4']) world.publish('news', text)
    const handles = peer.takeAll('transfer').map(({ handle }) => handle)
    expect([0, 1].map((handle) => handles.filter((each) => each === handle).length)).toEqual([2, 2])
    for (const link of links) link.detach({ closed: unsubscribed === undefined })
    if (unsubscribed === undefined) return
    const known = own.receiver(null, {
      name: unsubscribed,
      source: undefined,
      desiredCapabilities: ['shared', 'global'],
    })
    expect(known.answer['source']).toMatchObject({ address: 'topic://news' })
    known.detach({ closed: true })
  })
})

describe('a transacted session', () => {
  function transacted(world: World): { peer: Peer; session: SessionPeer; coordinator: SenderPeer } {
    const { peer } = connected(world, 'desk')
    const session = peer.begin(SESSION)
    const coordinator = session.coordinator({
      name: 'qpid-jms:coordinator:ID:1:1',
      source: { kind: 'source', outcomes: OUTCOMES },
      sndSettleMode: UNSETTLED,
    })
    return { peer, session, coordinator }
  }

  test('commits what it sent and what it settled; the next transaction begins in the same write', () => {
    const world = new World()
    world.publish('$queue/in', 'job')
    const { peer, session, coordinator } = transacted(world)
    const sender = producer(session, 'queue://out', 'queue')
    const receiver = consumer(session, 'r', sourceOf('queue://in', ['queue']))
    receiver.grant(10)
    const job = receiver.take()
    const txnId = coordinator.declare()
    receiver.settle(job.id, { kind: 'transactional-state', txnId, outcome: { kind: 'accepted' } })
    sender.send(textMessage('done', 'queue://out'), { state: { kind: 'transactional-state', txnId } })
    expect(peer.next('disposition')['state']).toMatchObject({
      kind: 'transactional-state',
      outcome: { kind: 'accepted' },
    })
    expect(world.queue('out').waitingCount).toBe(0)
    const [discharge, declare] = (['discharge', 'declare'] as const).map((kind) =>
      coordinator.command(kind, kind === 'discharge' ? { txnId, fail: false } : {}),
    )
    peer.send(discharge!, declare!)
    const answers = peer.takeAll('disposition').map(({ state }) => (state as { kind: string }).kind)
    expect(answers.toSorted()).toEqual(['accepted', 'declared'])
    expect([world.queue('in').waitingCount, world.queue('out').waitingCount]).toEqual([0, 1])
  })

  test('rolls back: what it settled comes again as a redelivery, what it sent was never there', () => {
    const world = new World()
    world.publish('$queue/in', 'job')
    const { peer, session, coordinator } = transacted(world)
    const sender = producer(session, 'queue://out', 'queue')
    const receiver = consumer(session, 'r', sourceOf('queue://in', ['queue']))
    receiver.grant(10)
    const job = receiver.take()
    const txnId = coordinator.declare()
    receiver.settle(job.id, { kind: 'transactional-state', txnId, outcome: { kind: 'accepted' } })
    sender.send(textMessage('done', 'queue://out'), { state: { kind: 'transactional-state', txnId } })
    peer.next('disposition')
    peer.send(coordinator.command('discharge', { txnId, fail: true }))
    expect(peer.takeAll('disposition')[0]).toMatchObject({ state: { kind: 'accepted' } })
    expect(receiver.take().message.header).toMatchObject({ deliveryCount: 1 })
    expect(world.queue('out').waitingCount).toBe(0)
  })

  test('a commit that cannot be is refused with a condition that the client knows as rolled back', () => {
    const { peer, coordinator } = transacted(new World())
    const state = coordinator.discharge(Buffer.from('none'))
    expect(state).toMatchObject({ kind: 'rejected', error: { condition: 'amqp:transaction:unknown-id' } })
    expect(peer.isClosed).toBe(false)
  })
})

test('a link that is refused has no terminus in its attach, and its detach says why', () => {
  const { peer } = connected(new World(), 'desk')
  const session = peer.begin(SESSION)
  const wrong = map([[symbol('jms-selector'), described(0x468c_0000_0004n, 'colour =')]])
  const receiver = consumer(session, 'r', sourceOf('queue://orders', ['queue'], { filter: wrong }))
  expect(receiver.answer['source']).toBeUndefined()
  expect(conditionOf(peer.next('detach'))).toBe('amqp:invalid-field')
  expect(peer.isClosed).toBe(false)
})

test('a message sent with a delivery delay comes when its time has come', () => {
  const world = new World()
  const { peer } = connected(world, 'desk')
  const session = peer.begin(SESSION)
  const receiver = consumer(session, 'r', sourceOf('queue://orders', ['queue']))
  receiver.grant(10)
  const atMs = world.clock.wallMs() + 5_000
  const sender = producer(session, 'queue://orders', 'queue')
  const annotations = map([
    [symbol('x-opt-jms-msg-type'), byte(5)],
    [symbol('x-opt-delivery-time'), atMs],
  ])
  peer.send(
    sender.transferFrame('', {
      payload: Buffer.concat([
        composite('header', { durable: false }).bytes,
        section('messageAnnotations', annotations).bytes,
        section('value', 'later').bytes,
      ]),
    }),
  )
  expect(peer.next('disposition')['state']).toMatchObject({ kind: 'accepted' })
  world.advance(4_000)
  expect(peer.takeAll('transfer')).toEqual([])
  world.advance(2_000)
  expect(receiver.take().message).toMatchObject({ value: 'later', messageAnnotations: { 'x-opt-jms-msg-type': 5 } })
})
