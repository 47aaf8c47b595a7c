import { describe, expect, test } from 'vitest'

import { conditionOf, message } from '../../harness.ts'
import { controlled, counts, inTransaction, UNKNOWN } from './scenes.ts'

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

  test('a commit that waits for room keeps no other link from its own, and on its own link only those that publish', () => {
    const scene = controlled()
    const { world, coordinator, session, peer } = scene
    world.define('full', { messagesMax: 1, whenFull: 'block' })
    world.publish('$queue/full', 'first')
    world.publish('$queue/q', 'a')
    const waiting = coordinator.declare()
    const toFull = session.sender('queue://full')
    toFull.send('x', { state: inTransaction(waiting) })
    peer.received()
    peer.send(coordinator.command('discharge', { txnId: waiting }))
    expect(peer.waiting).not.toContain('disposition')

    const other = session.coordinator()
    const publishing = other.declare()
    session.sender('queue://r').send('y', { state: inTransaction(publishing) })
    peer.received()
    expect(other.discharge(publishing)).toEqual({ kind: 'accepted' })
    expect(counts(scene, 'r')).toEqual([1, 0])

    const settling = coordinator.declare()
    const receiver = session.receiver('queue://q')
    receiver.grant(1)
    receiver.settle(receiver.take().id, inTransaction(settling, { kind: 'accepted' }), { settled: true })
    expect(coordinator.discharge(settling)).toEqual({ kind: 'accepted' })
    expect(counts(scene)).toEqual([0, 0])

    const behind = coordinator.declare()
    session.sender('queue://r').send('z', { state: inTransaction(behind) })
    peer.received()
    peer.send(coordinator.command('discharge', { txnId: behind }))
    expect(counts(scene, 'r')).toEqual([1, 0])
    const reader = session.receiver('queue://full')
    reader.grant(1)
    reader.settle(reader.take().id, { kind: 'accepted' }, { settled: true })
    world.run()
    expect(counts(scene, 'r')).toEqual([2, 0])
  })
})
