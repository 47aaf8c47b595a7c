/** What selectors see of a message. */
import { expect, test, vi } from 'vitest'
import { queueMessage, type SendOptions } from '../../test/durable.ts'
import { type HeaderCodec, type Headers, Message, type MessageExtras } from '../message/message.ts'
import { parseSelector } from '../selector/selector.ts'
import { deliveryCountOf, propertiesOf } from './message-properties.ts'

function read(options: SendOptions, ...names: string[]): unknown[] {
  const source = propertiesOf(queueMessage('orders', 'text', options), 2)
  return names.map((name) => source.property(name))
}

function messageWith(headers: Headers, extras?: MessageExtras): Message {
  const codec: HeaderCodec = { id: 'fixed', decode: () => headers, encode: () => new Uint8Array(0) }
  const { topic, bytes, start, headerStart, bodyStart, end } = queueMessage('q', 'x')
  const place = { topic, bytes, start, headerStart, bodyStart, end, codec }
  const how = { assurance: 1 as const, durable: true, retain: false, expiresAtMs: 0, publisher: undefined }
  return new Message({ ...place, ...how, extras })
}

test('header fields by their JMS names', () => {
  const extras = { groupId: 'g' }
  const names = ['JMSPriority', 'JMSDeliveryMode', 'JMSExpiration', 'JMSDestination', 'JMSXGroupID', 'JMSXDeliveryCount', 'JMSRedelivered']
  expect(read({ priority: 7, expiresAtMs: 5, extras }, ...names)).toEqual([7, 'PERSISTENT', 5, '$queue/orders', 'g', 3, true])
})

test('a message that was handed out and not failed is redelivered all the same', () => {
  const source = propertiesOf(queueMessage('q', 'x'), 0, true)
  expect([source.property('JMSRedelivered'), source.property('JMSXDeliveryCount')]).toEqual([true, 2])
})

test.each([
  [0, false, 1],
  [0, true, 2],
  [1, true, 2],
  [4, true, 5],
])('after %i failed deliveries, had by somebody before: %s, it is delivery %i', (failedCount, redelivered, count) => {
  expect(deliveryCountOf(failedCount, redelivered)).toBe(count)
  expect(propertiesOf(queueMessage('q', 'x'), failedCount, redelivered).property('JMSXDeliveryCount')).toBe(count)
})

test("the publisher's properties, the first of a name, before what the broker says", () => {
  const headers: Headers = {
    correlationId: new TextEncoder().encode('order 7'),
    replyTo: 'answers',
    properties: [
      ['color', 'red'],
      ['color', 'blue'],
      ['cause', 'mine'],
    ],
  }
  const extras = { annotations: { cause: 'expired', failedCount: 3 } }
  const source = propertiesOf(messageWith(headers, extras))
  const names = ['color', 'cause', 'failedCount', 'JMSCorrelationID', 'JMSReplyTo']
  expect(names.map((name) => source.property(name))).toEqual(['red', 'mine', 3, 'order 7', 'answers'])
})

test('id, type and time that the publisher gave, be it in fields of its protocol or in properties of those names', () => {
  const names = ['JMSMessageID', 'JMSType', 'JMSTimestamp']
  const given: [Headers, unknown[]][] = [
    [{ messageId: 'ID:1', type: 'order', timestampMs: 1_700_000_000_000, properties: [] }, ['ID:1', 'order', 1_700_000_000_000]],
    [{ properties: names.map((name) => [name, `own ${name}`]) }, ['own JMSMessageID', 'own JMSType', 'own JMSTimestamp']],
    [{ type: 'field', properties: [['JMSType', 'property']] }, [undefined, 'field', undefined]],
  ]
  for (const [headers, expected] of given) {
    const source = propertiesOf(messageWith(headers))
    expect(names.map((name) => source.property(name))).toEqual(expected)
  }
})

test('a string property is compared with a number where the selector asks for that, and only there', () => {
  const message = messageWith({ properties: [['size', '10']] })
  const matching = ['size > 5', 'convert_string_expressions:size > 5', "size = '10'"].map((text) => {
    const parsed = parseSelector(text)
    return parsed.ok && parsed.selector.matches(propertiesOf(message))
  })
  expect(matching).toEqual([false, true, true])
})

test('a message with many properties is looked through a few times, however many are asked for, and answers the same', () => {
  let looks = 0
  const pairs: [string, string][] = Array.from({ length: 1_000 }, (_, index) => [`p${index % 900}`, `${index}`])
  const properties = Object.assign([...pairs], {
    [Symbol.iterator]() {
      looks++
      return pairs.values()
    },
  })
  const message = messageWith({ properties }, { annotations: { cause: 'expired' } })
  for (let round = 0; round < 50; round++) {
    const source = propertiesOf(message)
    const names = ['p0', 'p899', 'none', '__proto__', 'cause']
    expect(names.map((name) => source.property(name))).toEqual(['0', '899', undefined, undefined, 'expired'])
  }
  expect(looks).toBeLessThan(20)
  expect(propertiesOf(messageWith({ properties: [] })).property('p0')).toBeUndefined()
})

test('a correlation id is decoded once for all selectors that ask for it', () => {
  const decode = vi.spyOn(TextDecoder.prototype, 'decode')
  const message = messageWith({ correlationId: new TextEncoder().encode('order 7'), properties: [] })
  const values = Array.from({ length: 9 }, () => propertiesOf(message).property('JMSCorrelationID'))
  expect(new Set(values)).toEqual(new Set(['order 7']))
  expect(decode).toHaveBeenCalledTimes(1)
  decode.mockRestore()
  expect(propertiesOf(messageWith({ properties: [] })).property('JMSCorrelationID')).toBeUndefined()
})

test('names of objects are just names', () => {
  expect(read({ extras: { annotations: {} } }, '__proto__', 'constructor', 'hasOwnProperty', 'none', 'JMSXGroupID')).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})
