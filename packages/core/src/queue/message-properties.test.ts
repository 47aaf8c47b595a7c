/** What selectors see of a message. */
import { expect, test } from 'vitest'
import { queueMessage, type SendOptions } from '../../test/durable.ts'
import { type HeaderCodec, type Headers, Message } from '../message.ts'
import { propertiesOf } from './message-properties.ts'

function read(options: SendOptions, ...names: string[]): unknown[] {
  const source = propertiesOf(queueMessage('orders', 'text', options), 2)
  return names.map((name) => source.property(name))
}

test('header fields by their JMS names', () => {
  const extras = { groupId: 'g' }
  const names = ['JMSPriority', 'JMSDeliveryMode', 'JMSExpiration', 'JMSDestination', 'JMSXGroupID', 'JMSXDeliveryCount', 'JMSRedelivered']
  expect(read({ priority: 7, expiresAtMs: 5, extras }, ...names)).toEqual([7, 'PERSISTENT', 5, '$queue/orders', 'g', 3, true])
})

test('a message that was handed out and not failed is redelivered all the same', () => {
  const source = propertiesOf(queueMessage('q', 'x'), 0, true)
  expect([source.property('JMSRedelivered'), source.property('JMSXDeliveryCount')]).toEqual([true, 1])
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
  const codec: HeaderCodec = { id: 'fixed', decode: () => headers, encode: () => new Uint8Array(0) }
  const { topic, bytes, start, headerStart, bodyStart, end } = queueMessage('q', 'x')
  const place = { topic, bytes, start, headerStart, bodyStart, end, codec }
  const how = { assurance: 1 as const, durable: true, retain: false, expiresAtMs: 0, publisher: undefined }
  const extras = { annotations: { cause: 'expired', failedCount: 3 } }
  const source = propertiesOf(new Message({ ...place, ...how, extras }))
  const names = ['color', 'cause', 'failedCount', 'JMSCorrelationID', 'JMSReplyTo']
  expect(names.map((name) => source.property(name))).toEqual(['red', 'mine', 3, 'order 7', 'answers'])
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
