import { describe, expect, test } from 'vitest'

import { composite, conditionOf, message, section, type SenderPeer } from '../../harness.ts'
import { controlled, counts, inTransaction, UNKNOWN, type Scene } from './scenes.ts'

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
