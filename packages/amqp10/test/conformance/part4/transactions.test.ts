import { describe, expect, test } from 'vitest'

import {
  composite,
  conditionOf,
  type Fields,
  message,
  type Peer,
  type ReceiverPeer,
  section,
  type SenderPeer,
  type SessionPeer,
  World,
  type WorldOptions,
} from '../../harness.ts'

interface Scene {
  readonly world: World
  readonly peer: Peer
  readonly session: SessionPeer
  readonly coordinator: SenderPeer
}

function controlled(options: WorldOptions = {}): Scene {
  const world = new World(options)
  const peer = world.connect()
  const session = peer.begin()
  return { world, peer, session, coordinator: session.coordinator() }
}

function inTransaction(txnId: Buffer, outcome?: Fields): Fields {
  return { kind: 'transactional-state', txnId, outcome }
}

/** What a queue holds: waiting and unsettled. */
function counts({ world }: Scene, name = 'q'): number[] {
  const found = world.vhost.destinations.find(name)
  return found === undefined ? [0, 0] : [found.queue.waitingCount, found.queue.inflightCount]
}

const UNKNOWN = Buffer.from('nosuchtx')

describe('the coordinator', () => {
  test('[AMQP10-4.5.1-a] answers with its capabilities', () => {
    const { coordinator } = controlled()
    expect(coordinator.answer['target']).toMatchObject({ kind: 'coordinator' })
    const { capabilities } = coordinator.answer['target'] as { capabilities: string[] }
    expect(capabilities).toContain('amqp:local-transactions')
    expect(capabilities).not.toContain('amqp:distributed-transactions')
  })

  test('[AMQP10-4.5.1-a] says what it can, whatever was wished for', () => {
    const { session } = controlled()
    const other = session.coordinator({ target: { kind: 'coordinator' } })
    expect(other.answer['target']).toMatchObject({
      capabilities: expect.arrayContaining(['amqp:local-transactions']) as unknown,
    })
  })

  test('[AMQP10-2.7.5-g] with receiver mode second leaves its answers to be settled by the client', () => {
    const { peer, session } = controlled()
    const coordinator = session.coordinator({ rcvSettleMode: 1 })
    peer.send(coordinator.command('declare'))
    const { state, settled } = peer.next('disposition') as unknown as { state: { txnId: Buffer }; settled: boolean }
    expect(settled).toBe(false)
    peer.send(coordinator.command('discharge', { txnId: state.txnId }))
    expect(peer.next('disposition')).toMatchObject({ settled: false, state: { kind: 'accepted' } })
  })

  test('gets credit for its commands', () => {
    expect(controlled().coordinator.credit).toBeGreaterThan(0)
  })
})

describe('declare', () => {
  test('[AMQP10-4.2-a, AMQP10-4.5.4-a] is answered with declared and a new id of up to 32 octets, settled', () => {
    const { peer, coordinator } = controlled()
    peer.send(coordinator.command('declare'))
    const answer = peer.next('disposition')
    expect(answer).toMatchObject({ role: true, first: 0, settled: true, state: { kind: 'declared' } })
    const { txnId } = answer['state'] as { txnId: Buffer }
    expect(txnId.length).toBeGreaterThan(0)
    expect(txnId.length).toBeLessThanOrEqual(32)
    expect(coordinator.declare()).not.toEqual(txnId)
  })

  test('[AMQP10-4.5.7-a] several times in one session are several transactions', () => {
    const scene = controlled()
    const { coordinator, session } = scene
    const { capabilities } = coordinator.answer['target'] as { capabilities: string[] }
    expect(capabilities).toContain('amqp:multi-txns-per-ssn')
    const [a, b] = [coordinator.declare(), coordinator.declare()]
    const sender = session.sender('queue://q')
    sender.send('a', { state: inTransaction(a) })
    sender.send('b', { state: inTransaction(b) })
    scene.peer.received()
    expect(coordinator.discharge(b)).toEqual({ kind: 'accepted' })
    expect(coordinator.discharge(a, true)).toEqual({ kind: 'accepted' })
    const reader = session.receiver('queue://q')
    reader.grant(5)
    expect(reader.texts()).toEqual(['b'])
  })

  test('[AMQP10-4.5.2-a, AMQP10-4.2-b] with a global-id is rejected', () => {
    const { peer, coordinator } = controlled()
    peer.send(coordinator.command('declare', { globalId: Buffer.from('g') }))
    expect(peer.next('disposition')['state']).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:not-implemented' },
    })
  })

  test('[AMQP10-4.2-c, AMQP10-4.3-c] that fails detaches a link whose source has no rejected', () => {
    for (const command of [{ globalId: Buffer.from('g') }, undefined]) {
      const { peer, session } = controlled()
      const coordinator = session.coordinator({
        source: { kind: 'source', outcomes: ['amqp:accepted:list', 'amqp:declared:list'] },
      })
      peer.send(
        command === undefined
          ? coordinator.command('discharge', { txnId: UNKNOWN })
          : coordinator.command('declare', command),
      )
      expect(conditionOf(peer.next('detach'))).toBe(
        command === undefined ? 'amqp:transaction:unknown-id' : 'amqp:not-implemented',
      )
    }
  })

  test('[AMQP10-4.2-b] too many times is rejected with resource-limit-exceeded', () => {
    const { peer, coordinator } = controlled()
    for (let count = 0; count < 300; count++) peer.send(coordinator.command('declare'))
    expect(peer.takeAll('disposition').at(-1)!['state']).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:resource-limit-exceeded' },
    })
  })

  test.each([
    ['no amqp-value', message('x')],
    ['some other value', section('value', 'declare').bytes],
    ['another composite', section('value', composite('accepted')).bytes],
    ['nothing', Buffer.alloc(0)],
    ['a discharge without txn-id', section('value', composite('discharge')).bytes],
  ])('[AMQP10-4.2-b, AMQP10-4.5.3-a] a command that is %s detaches the control link', (_, payload) => {
    const { peer, coordinator } = controlled()
    peer.send(coordinator.transferFrame('', { payload }))
    expect(conditionOf(peer.next('detach'))).toMatch(/^amqp:(decode-error|invalid-field)$/)
    expect(peer.isClosed).toBe(false)
  })
})

describe('posting', () => {
  test('[AMQP10-4.3-a, AMQP10-4.4.1-a, AMQP10-4.4.1-d] is seen by nobody before the commit, and by all after it', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    sender.send('a', { state: inTransaction(txn) })
    sender.send('b', { state: inTransaction(txn) })
    peer.received()
    expect(counts(scene)).toEqual([0, 0])
    expect(coordinator.discharge(txn)).toEqual({ kind: 'accepted' })
    expect(counts(scene)).toEqual([2, 0])
  })

  test('[AMQP10-4.3-b, AMQP10-4.4.1-d] is never seen after a rollback', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    session.sender('queue://q').send('a', { state: inTransaction(txn) })
    peer.received()
    expect(coordinator.discharge(txn, true)).toEqual({ kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.4.4-a] unsettled gets its outcome as transactional-state, before the discharge is answered', () => {
    const { coordinator, session, peer } = controlled()
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    const id = session.nextDeliveryId
    peer.send(
      sender.transferFrame('a', { state: inTransaction(txn) }),
      coordinator.command('discharge', { txnId: txn, fail: false }),
    )
    const answers = peer.takeAll('disposition')
    expect(answers[0]).toMatchObject({
      first: id,
      state: { kind: 'transactional-state', txnId: txn, outcome: { kind: 'accepted' } },
    })
    expect(answers[1]).toMatchObject({ first: id + 1, state: { kind: 'accepted' } })
  })

  test('[AMQP10-4.4.1-a] settled is part of it as well, and gets no answer', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    session.sender('queue://q').send('a', { state: inTransaction(txn), settled: true })
    expect(peer.received()).toEqual([])
    expect(counts(scene)).toEqual([0, 0])
    coordinator.discharge(txn)
    expect(counts(scene)).toEqual([1, 0])
  })

  test('[AMQP10-4.4.4-b] settled that fails makes the discharge fail', () => {
    const denied = { allowed: false, rule: 'none' }
    let answer = { allowed: true, rule: 'some' }
    const authorizer = { generation: 0, mayUse: () => answer, mayMatch: () => answer }
    const { coordinator, session, peer } = controlled({ authorizer })
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    answer = denied
    authorizer.generation++
    sender.send('a', { state: inTransaction(txn), settled: true })
    peer.received()
    expect(coordinator.discharge(txn)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:rollback' },
    })
  })

  test.each([true, false])(
    '[AMQP10-4.4.4-a, AMQP10-4.4.4-b] settled %s, to wherever it says, and it cannot be sent there: the discharge fails',
    (settled) => {
      const { coordinator, session, peer } = controlled({ settings: { profile: 'rabbitmq' } })
      const txn = coordinator.declare()
      const relay = session.sender(null)
      relay.send({ properties: { to: '/queues/none' }, data: 'x' }, { state: inTransaction(txn), settled })
      const answers = peer.received()
      expect(answers.map(({ kind }) => kind)).toEqual(settled ? [] : ['disposition'])
      if (!settled)
        expect(answers[0]!['state']).toMatchObject({
          kind: 'transactional-state',
          txnId: txn,
          outcome: { kind: 'rejected', error: { condition: 'amqp:not-found' } },
        })
      expect(coordinator.discharge(txn)).toMatchObject({
        kind: 'rejected',
        error: { condition: 'amqp:transaction:rollback' },
      })
    },
  )

  test('[AMQP10-4.4.1-b] in several transfers belongs to the transaction that they name', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    const bytes = message('hello')
    const state = inTransaction(txn)
    peer.send(
      sender.transferFrame('', { payload: bytes.subarray(0, 4), more: true, state }),
      sender.moreFrame(bytes.subarray(4), { state }),
    )
    peer.received()
    expect(counts(scene)).toEqual([0, 0])
    coordinator.discharge(txn)
    expect(counts(scene)).toEqual([1, 0])
  })

  test('[AMQP10-4.4.1-b] in several transfers that name different ones is an error', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const [a, b] = [coordinator.declare(), coordinator.declare()]
    const sender = session.sender('queue://q')
    const bytes = message('hello')
    peer.send(
      sender.transferFrame('', { payload: bytes.subarray(0, 4), more: true, state: inTransaction(a) }),
      sender.moreFrame(bytes.subarray(4), { state: inTransaction(b) }),
    )
    expect(conditionOf(peer.next('detach'))).toBe('amqp:not-allowed')
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.4.1-c] that is not finished when the transaction is discharged ends the control link with rollback', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    peer.send(
      sender.transferFrame('', { payload: message('hello').subarray(0, 4), more: true, state: inTransaction(txn) }),
      coordinator.command('discharge', { txnId: txn, fail: false }),
    )
    expect(peer.received().find(({ kind }) => kind === 'detach')).toMatchObject({
      handle: coordinator.remoteHandle,
      closed: true,
      error: { condition: 'amqp:transaction:rollback' },
    })
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.5.8-a, AMQP10-4.3-e] to an id that is not known is an error: unknown-id', () => {
    const scene = controlled()
    const { session, peer } = scene
    session.sender('queue://q').send('a', { state: inTransaction(UNKNOWN) })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:transaction:unknown-id')
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.3-e, AMQP10-4.5.8-a] after the discharge is an error: unknown-id', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    coordinator.discharge(txn)
    session.sender('queue://q').send('a', { state: inTransaction(txn) })
    expect(conditionOf(peer.next('detach'))).toBe('amqp:transaction:unknown-id')
    expect(counts(scene)).toEqual([0, 0])
  })

  test('mixed with messages of no transaction: those are there at once', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    const sender = session.sender('queue://q')
    sender.send('a', { state: inTransaction(txn) })
    sender.send('b')
    peer.received()
    expect(counts(scene)).toEqual([1, 0])
    coordinator.discharge(txn)
    expect(counts(scene)).toEqual([2, 0])
  })

  test('to several queues is done as a whole', () => {
    const scene = controlled()
    const { coordinator, session, peer } = scene
    const txn = coordinator.declare()
    const senders = ['q', 'r', 's'].map((name) => session.sender(`queue://${name}`))
    for (const sender of senders) sender.send('x', { state: inTransaction(txn) })
    peer.received()
    expect(['q', 'r', 's'].map((name) => counts(scene, name)[0])).toEqual([0, 0, 0])
    coordinator.discharge(txn)
    expect(['q', 'r', 's'].map((name) => counts(scene, name)[0])).toEqual([1, 1, 1])
  })
})

describe('retiring', () => {
  /** A receiver that has 'a' and 'b', and a transaction. */
  function received(): Scene & { receiver: ReceiverPeer; ids: number[]; txn: Buffer } {
    const scene = controlled()
    for (const text of ['a', 'b']) scene.world.publish('$queue/q', text)
    const receiver = scene.session.receiver('queue://q')
    receiver.grant(2)
    const ids = receiver.takeAll().map(({ id }) => id)
    return { ...scene, receiver, ids, txn: scene.coordinator.declare() }
  }

  test.each([true, false])('[AMQP10-4.4.2-a] settled %s: it takes effect with the commit', (settled) => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled })
    scene.peer.received()
    expect(counts(scene)).toEqual([0, 2])
    expect(scene.coordinator.discharge(scene.txn)).toEqual({ kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 1])
  })

  test('[AMQP10-4.4.2-a] of several deliveries at once', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { last: scene.ids[1] })
    scene.peer.received()
    scene.coordinator.discharge(scene.txn)
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.4.2-b] unsettled, after a rollback: the client has it still, and may settle it', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled: false })
    scene.peer.received()
    expect(scene.coordinator.discharge(scene.txn, true)).toEqual({ kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 2])
    scene.receiver.settle(scene.ids[0]!, { kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 1])
  })

  test('[AMQP10-4.4.2-b] settled, after a rollback: it is available again', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled: true })
    scene.peer.received()
    expect(scene.coordinator.discharge(scene.txn, true)).toEqual({ kind: 'accepted' })
    scene.world.advance(60_000)
    scene.receiver.grant(1)
    expect(scene.receiver.texts()).toEqual(['a'])
  })

  test('[AMQP10-4.4.2-c] unsettled, after a commit: the broker settles it', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled: false })
    scene.peer.send(scene.coordinator.command('discharge', { txnId: scene.txn, fail: false }))
    const answers = scene.peer.takeAll('disposition')
    expect(answers.filter(({ role }) => role === false).at(-1)).toMatchObject({ first: scene.ids[0], settled: true })
    expect(counts(scene)).toEqual([0, 1])
  })

  test('[AMQP10-4.4.2-a] with released: it is available again after the commit', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'released' }))
    scene.peer.received()
    expect(counts(scene)).toEqual([0, 2])
    scene.coordinator.discharge(scene.txn)
    expect(counts(scene)).toEqual([1, 1])
  })

  test('[AMQP10-4.5.8-a] to an id that is not known is an error: unknown-id', () => {
    const scene = received()
    scene.receiver.settle(scene.ids[0]!, inTransaction(UNKNOWN, { kind: 'accepted' }))
    const found = scene.peer.received().at(-1)!
    expect(conditionOf(found)).toBe('amqp:transaction:unknown-id')
    expect(counts(scene)[1]).toBeLessThanOrEqual(2)
  })

  test('with posting is done as a whole: request and reply', () => {
    const scene = received()
    const sender = scene.session.sender('queue://replies')
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }))
    sender.send('reply', { state: inTransaction(scene.txn) })
    scene.peer.received()
    expect([counts(scene), counts(scene, 'replies')]).toEqual([
      [0, 2],
      [0, 0],
    ])
    scene.coordinator.discharge(scene.txn)
    expect([counts(scene), counts(scene, 'replies')]).toEqual([
      [0, 1],
      [1, 0],
    ])
  })
})

describe('discharge', () => {
  test('[AMQP10-4.3-c, AMQP10-4.5.8-a] of an id that is not known is rejected with unknown-id', () => {
    const { coordinator } = controlled()
    expect(coordinator.discharge(UNKNOWN)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:unknown-id' },
    })
  })

  test('[AMQP10-4.3-c, AMQP10-4.5.8-a] twice is rejected with unknown-id', () => {
    const { coordinator } = controlled()
    const txn = coordinator.declare()
    coordinator.discharge(txn)
    expect(coordinator.discharge(txn)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:unknown-id' },
    })
  })

  test('of a transaction without work is accepted', () => {
    const { coordinator } = controlled()
    expect(coordinator.discharge(coordinator.declare())).toEqual({ kind: 'accepted' })
    expect(coordinator.discharge(coordinator.declare(), true)).toEqual({ kind: 'accepted' })
  })

  test('[AMQP10-4.3-c] by another connection is rejected with unknown-id', () => {
    const { world, coordinator } = controlled()
    const txn = coordinator.declare()
    const other = world.connect({ containerId: 'other' }).begin().coordinator()
    expect(other.discharge(txn)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:unknown-id' },
    })
    expect(coordinator.discharge(txn)).toEqual({ kind: 'accepted' })
  })
})

describe('the end of', () => {
  function posted(): Scene & { txn: Buffer; sender: SenderPeer } {
    const scene = controlled()
    const txn = scene.coordinator.declare()
    const sender = scene.session.sender('queue://q')
    sender.send('a', { state: inTransaction(txn) })
    scene.peer.received()
    return { ...scene, txn, sender }
  }

  test('[AMQP10-4.3-d, AMQP10-4.3-e] the control link rolls back what is open', () => {
    const scene = posted()
    scene.coordinator.detach()
    expect(counts(scene)).toEqual([0, 0])
    scene.sender.send('b', { state: inTransaction(scene.txn) })
    expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:transaction:unknown-id')
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.3-d] the session rolls back what is open', () => {
    const scene = posted()
    scene.session.end()
    expect(counts(scene)).toEqual([0, 0])
  })

  test('[AMQP10-4.3-d] the connection rolls back what is open, what was retired as well', () => {
    const scene = posted()
    scene.world.publish('$queue/r', 'x')
    const receiver = scene.session.receiver('queue://r')
    receiver.grant(1)
    receiver.settle(receiver.take().id, inTransaction(scene.txn, { kind: 'accepted' }))
    scene.peer.vanish()
    expect([counts(scene), counts(scene, 'r')]).toEqual([
      [0, 0],
      [1, 0],
    ])
  })
})

test('[AMQP10-4.5.7-b] an id is known in all sessions of its connection, as multi-ssns-per-txn says', () => {
  const scene = controlled()
  expect(scene.coordinator.answer['target']).toMatchObject({
    capabilities: expect.arrayContaining(['amqp:multi-ssns-per-txn']) as unknown,
  })
  const txn = scene.coordinator.declare()
  const sender = scene.peer.begin().sender('queue://q')
  sender.send('a', { state: inTransaction(txn) })
  expect(scene.peer.next('disposition')['state']).toMatchObject({ kind: 'transactional-state' })
  expect(scene.coordinator.discharge(txn)).toEqual({ kind: 'accepted' })
  expect(counts(scene)).toEqual([1, 0])
})

test('[AMQP10-4.4.3-a] a flow with txn-id detaches its link with not-implemented: nobody is told that it holds', () => {
  const scene = controlled()
  scene.world.publish('$queue/q', 'x')
  const txn = scene.coordinator.declare()
  const receiver = scene.session.receiver('queue://q')
  receiver.grant(1, { properties: { 'txn-id': txn } })
  expect(conditionOf(scene.peer.next('detach'))).toBe('amqp:not-implemented')
  expect(counts(scene)).toEqual([1, 0])
})

test('[AMQP10-3.2.1-b] what was committed is kept over a restart, what was not is gone', async () => {
  const { MemoryEngine } = await import('@ternmq/store')
  const { virtualEnv } = await import('@ternmq/testkit')
  const env = virtualEnv()
  const engine = new MemoryEngine(env)
  const world = await World.withLog({}, env, engine)
  const peer = world.connect()
  const session = peer.begin()
  const coordinator = session.coordinator()
  const [kept, lost] = [coordinator.declare(), coordinator.declare()]
  const sender = session.sender('queue://q')
  const durable = (text: string): { header: Fields; data: string } => ({ header: { durable: true }, data: text })
  await peer.finish(
    sender.transferFrame(durable('kept'), { state: inTransaction(kept) }),
    sender.transferFrame(durable('lost'), { state: inTransaction(lost) }),
    coordinator.command('discharge', { txnId: kept, fail: false }),
  )
  expect(peer.takeAll('disposition').at(-1)).toMatchObject({ state: { kind: 'accepted' } })
  const again = await World.withLog({}, env, engine)
  const receiver = again.connect().begin().receiver('queue://q')
  await receiver.session.peer.finish(receiver.flowFrame({ linkCredit: 5 }))
  expect(receiver.texts()).toEqual(['kept'])
})
