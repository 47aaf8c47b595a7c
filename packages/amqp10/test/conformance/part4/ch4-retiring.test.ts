import { describe, expect, test } from 'vitest'

import { conditionOf, type Fields, type ReceiverPeer, World } from '../../harness.ts'
import { controlled, counts, inTransaction, UNKNOWN, type Scene } from './scenes.ts'

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

  test('[AMQP10-4.4.2-b] of a delivery whose link is gone: the transaction cannot be committed', () => {
    const scene = received()
    scene.receiver.detach()
    scene.peer.send(
      scene.session.dispositionFrame(true, scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), {
        settled: true,
      }),
    )
    expect(scene.coordinator.discharge(scene.txn)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:rollback' },
    })
    expect(counts(scene)).toEqual([2, 0])
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

  test('[AMQP10-4.4.2-b] unsettled first and settled then, after a rollback: it is available again', () => {
    const scene = received()
    for (const settled of [false, true])
      scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled })
    scene.peer.received()
    scene.coordinator.discharge(scene.txn, true)
    scene.world.advance(60_000)
    scene.receiver.grant(1)
    expect(scene.receiver.texts()).toEqual(['a'])
  })

  test('[AMQP10-4.4.2-b] settled in one transaction while another has it: both fail, and it is available again', () => {
    const scene = received()
    const other = scene.coordinator.declare()
    scene.receiver.settle(scene.ids[0]!, inTransaction(scene.txn, { kind: 'accepted' }), { settled: false })
    scene.receiver.settle(scene.ids[0]!, inTransaction(other, { kind: 'accepted' }), { settled: true })
    scene.peer.received()
    expect(scene.coordinator.discharge(other)).toMatchObject({
      kind: 'rejected',
      error: { condition: 'amqp:transaction:rollback' },
    })
    scene.coordinator.discharge(scene.txn, true)
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
