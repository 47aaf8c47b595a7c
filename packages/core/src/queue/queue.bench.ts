/** node queue.bench.ts: one message through a queue with an empty sink; what the sink writes is not counted. */
import { virtualEnv } from '@ternmq/testkit'
import { bench, run, summary } from 'mitata'
import { matchWith, messageOf, queueContext } from '../../test/support.ts'
import { Consumer, CREDIT_UNLIMITED } from './consumer.ts'
import { CreditPool } from './credit.ts'
import type { Delivery, DeliverySink } from './delivery.ts'
import { Message, type MessageFields } from '../message/message.ts'
import { Queue } from './queue.ts'
import { subscriptionSettings } from './settings.ts'

const env = virtualEnv()
const context = queueContext(env)
const match = matchWith(2)

class Sink implements DeliverySink {
  writable = true
  last: Delivery | undefined = undefined

  deliver(delivery: Delivery): boolean {
    this.last = delivery
    return true
  }
}

function queueWith(keepsUnsettled: boolean, consumerCount = 1): { queue: Queue; consumers: Consumer[]; sink: Sink } {
  const queue = new Queue(context, 'q', subscriptionSettings({ messagesMax: 1_000_000, bytesMax: 1e9 }), keepsUnsettled)
  const sink = new Sink()
  const consumers = Array.from({ length: consumerCount }, () => {
    const consumer = new Consumer(queue, new CreditPool(65_535), undefined)
    queue.addConsumer(consumer)
    consumer.attach(sink)
    consumer.grant(CREDIT_UNLIMITED)
    return consumer
  })
  return { queue, consumers, sink }
}

const sample = messageOf('t', 'x'.repeat(200))
const { topic, codec, bytes, start, headerStart, bodyStart, end } = sample
const place = { topic, codec, bytes, start, headerStart, bodyStart, end }
const how = { durable: false, retain: false, expiresAtMs: 0, publisher: undefined }
const fields: Readonly<Record<0 | 1, MessageFields>> = {
  0: { ...place, ...how, assurance: 0 },
  1: { ...place, ...how, assurance: 1 },
}

/** A message as it comes from the network, not yet detached. */
function fresh(assurance: 0 | 1): Message {
  return new Message(fields[assurance])
}

const atOnce = queueWith(false)
const kept = queueWith(true)
const group = queueWith(true, 100)
const paused = queueWith(true)

summary(() => {
  bench('make a message', () => fresh(0))
  bench('assurance 0, handed over at once', () => atOnce.queue.offer(fresh(0), match))
  bench('assurance 1, handed over at once and settled', () => {
    atOnce.queue.offer(fresh(1), match)
    atOnce.consumers[0]!.settle(atOnce.sink.last!, 'accepted')
  })
  bench('assurance 1 of a kept session: copied, handed over, settled', () => {
    kept.queue.offer(fresh(1), match)
    kept.consumers[0]!.settle(kept.sink.last!, 'accepted')
  })
  bench('assurance 1, the next of 100 members, settled', () => {
    group.queue.offer(fresh(1), match)
    group.sink.last!.consumer!.settle(group.sink.last!, 'accepted')
  })
})
bench('1,000 messages wait and are dispatched in one turn, assurance 0', () => {
  paused.sink.writable = false
  for (let count = 0; count < 1_000; count++) paused.queue.offer(fresh(0), match)
  paused.sink.writable = true
  paused.consumers[0]!.wake()
  env.clock.turn()
})

await run()
