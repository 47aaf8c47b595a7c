import { expect, test } from 'vitest'
import { ConnectionHistory, type EndedConnection } from './connection-history.ts'

function ended(id: number, more: Partial<EndedConnection> = {}): Omit<EndedConnection, 'cursor'> {
  return {
    id,
    protocol: 'mqtt',
    protocolText: 'MQTT 5',
    listener: 'mqtt',
    address: '10.0.0.1',
    port: 1,
    tlsVersion: undefined,
    isWebSocket: false,
    clientId: `c${id}`,
    user: 'u',
    state: 'ended',
    openedAtMs: 0,
    keepAliveMs: 0,
    subscriptionCount: 0,
    consumerCount: 0,
    producerCount: 1,
    unsettledCount: 0,
    bytesIn: 0,
    bytesOut: 0,
    messagesIn: 0,
    messagesOut: 0,
    pendingBytes: 0,
    blockedBecause: undefined,
    endedAtMs: id,
    endedBy: 'client',
    reason: 'bye',
    clause: '',
    wasConnected: true,
    ...more,
  }
}

function idsOf(history: ConnectionHistory, query: Parameters<ConnectionHistory['find']>[0]): number[] {
  return history.find(query).entries.map(({ id }) => id)
}

test('the newest come first, page by page, and the last page says that it is', () => {
  const history = new ConnectionHistory(100)
  for (let id = 1; id <= 5; id++) history.add(ended(id))
  const first = history.find({ limit: 2 })
  expect(first.entries.map(({ id }) => id)).toEqual([5, 4])
  const second = history.find({ limit: 3, before: first.cursor })
  expect(second.entries.map(({ id }) => id)).toEqual([3, 2, 1])
  expect(second.cursor).toBeUndefined()
})

test('it is looked for by client id, user, address and who ended it; all that are given have to match', () => {
  const history = new ConnectionHistory(100)
  history.add(ended(1, { clientId: 'a', user: 'ann', address: '10.0.0.1', endedBy: 'network' }))
  history.add(ended(2, { clientId: 'a', user: 'bob', address: '10.0.0.2' }))
  history.add(ended(3, { clientId: 'b', user: 'bob', address: '10.0.0.1' }))
  expect(idsOf(history, { clientId: 'a' })).toEqual([2, 1])
  expect(idsOf(history, { user: 'bob' })).toEqual([3, 2])
  expect(idsOf(history, { address: '10.0.0.1' })).toEqual([3, 1])
  expect(idsOf(history, { endedBy: 'network' })).toEqual([1])
  expect(idsOf(history, { clientId: 'a', user: 'bob', address: '10.0.0.1' })).toEqual([])
})

test('it is looked for by when it ended: the first moment is in, the last is not', () => {
  const history = new ConnectionHistory(100)
  for (let id = 1; id <= 5; id++) history.add(ended(id))
  expect(idsOf(history, { sinceMs: 3 })).toEqual([5, 4, 3])
  expect(idsOf(history, { sinceMs: 2, untilMs: 4 })).toEqual([3, 2])
})

test('beyond the limit the oldest is forgotten', () => {
  const history = new ConnectionHistory(3)
  for (let id = 1; id <= 10; id++) history.add(ended(id))
  expect(idsOf(history, {})).toEqual([10, 9, 8])
  expect([history.size, history.endedCount]).toEqual([3, 10])
})

test('a flood of connections that were never let in makes nobody forget those that were', () => {
  const history = new ConnectionHistory(20)
  history.add(ended(1))
  for (let id = 2; id <= 1_000; id++) history.add(ended(id, { wasConnected: false }))
  history.add(ended(1_001))
  expect(idsOf(history, {})).toEqual([1_001, 1_000, 999, 1])
})

test('with a size of 0 nothing is remembered', () => {
  const history = new ConnectionHistory(0)
  history.add(ended(1))
  expect(history.find()).toEqual({ entries: [], cursor: undefined })
})

test('what a client chose is remembered cut, and found by the whole', () => {
  const history = new ConnectionHistory(10)
  const clientId = 'c'.repeat(65_535)
  history.add(ended(1, { clientId, reason: 'r'.repeat(10_000) }))
  const [entry] = history.find({ clientId }).entries
  expect([entry!.clientId.length, entry!.reason.length]).toEqual([257, 1_025])
})
