import { ALL_BELOW } from '@ternmq/core'
import { expect, test } from 'vitest'
import {
  addressKey,
  fromCoreName,
  kindText,
  type ParsedAddress,
  queueAddress,
  toCoreName,
  topicAddress,
} from './address.ts'

test.each<[string, ParsedAddress]>([
  ['a/b', { kind: 'topic', levels: ['a', 'b'] }],
  ['/a/', { kind: 'topic', levels: ['', 'a', ''] }],
  ['$queue', { kind: 'topic', levels: ['$queue'] }],
  ['$temp', { kind: 'topic', levels: ['$temp'] }],
  ['$temp/0a', { kind: 'temp-topic', id: '0a' }],
  ['$temp/0a/b', { kind: 'topic', levels: ['$temp', '0a', 'b'] }],
  ['$temp/0 a', { kind: 'topic', levels: ['$temp', '0 a'] }],
  ['$queue/a/b', { kind: 'queue', name: 'a/b' }],
  ['$queue/a.>', { kind: 'queue-pattern', name: 'a.>' }],
  ['$queue/$temp/0a', { kind: 'temp-queue', id: '0a' }],
  ['$queue/$temp/0a/b', { kind: 'queue', name: '$temp/0a/b' }],
])("the core's %s", (name, address) => {
  expect(fromCoreName(name)).toEqual(address)
  expect(toCoreName(address)).toBe(name)
})

test('what is no one name has none in the core', () => {
  expect(toCoreName(topicAddress(['a', ALL_BELOW]))).toBeUndefined()
  expect(toCoreName({ kind: 'list', parts: [queueAddress('a'), queueAddress('b')] })).toBeUndefined()
  expect(toCoreName({ kind: 'temp-queue-alias', alias: 'a' })).toBeUndefined()
})

test('keys tell apart what differs, but for the order of a list', () => {
  const [a, b] = [queueAddress('a'), topicAddress(['b'])]
  expect(addressKey({ kind: 'list', parts: [a, b] })).toBe(addressKey({ kind: 'list', parts: [b, a] }))
  const keys = [a, b, topicAddress(['a']), topicAddress(['a', '']), topicAddress(['+']), topicAddress([ALL_BELOW])].map(
    addressKey,
  )
  expect(new Set(keys).size).toBe(keys.length)
})

test('words say what it is', () => {
  expect(kindText(topicAddress(['a', ALL_BELOW]))).toBe("all topics that match 'a/#'")
  expect(kindText({ kind: 'list', parts: [queueAddress('a.*'), { kind: 'temp-queue', id: '0a' }] })).toBe(
    "all queues that match 'a.*', temporary queue '0a'",
  )
  expect(kindText({ kind: 'exchange', exchange: 'logs', key: undefined })).toBe("exchange 'logs'")
})
