/** What the core tells of messages to whoever follows them. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { beforeEach, expect, test } from 'vitest'
import { allowAll } from '../src/authorizer.ts'
import { DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import type { Message } from '../src/message/message.ts'
import type { Producer, ProducerTarget } from '../src/publish/producer.ts'
import { Consumer, CREDIT_UNLIMITED } from '../src/queue/consumer.ts'
import { CreditPool } from '../src/queue/credit.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { QueueSettings } from '../src/queue/settings.ts'
import type { Session } from '../src/session/session.ts'
import type { PublishTrace, Tracer } from '../src/tracing/tracer.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { queueMessage } from './durable.ts'
import { quiet, testCodec, TestSink, textOf, user } from './support.ts'

/** Writes down what it is told; texts that begin with 'no' it does not follow. */
class Diary implements Tracer {
  readonly lines: string[] = []

  onPublish(message: Message, { clientId }: { readonly clientId: string }, protocol: string): PublishTrace | undefined {
    const text = textOf(message)
    if (text.startsWith('no')) return undefined
    this.lines.push(`publish ${text} by ${protocol} ${clientId}`)
    message.trace = this
    return { end: (result, refusal) => void this.lines.push(`${result} ${text}${refusal ? ` ${refusal.refusal}` : ''}`) }
  }

  onHandedOver: Tracer['onHandedOver'] = (_, { message }) => void this.lines.push(`handed ${textOf(message)}`)
  onSent: Tracer['onSent'] = (_, { message }, isTaken) => void this.lines.push(`sent ${textOf(message)} ${isTaken}`)
  onSettled: Tracer['onSettled'] = ({ message }, outcome) => void this.lines.push(`${outcome} ${textOf(message)}`)
  onExpired: Tracer['onExpired'] = (queue, message) => void this.lines.push(`expired ${textOf(message)} in ${queue.name}`)
  onDeadLettered: Tracer['onDeadLettered'] = (origin, { message }, target, { extras }) =>
    void this.lines.push(`${extras!.annotations!['cause']} ${textOf(message)} from ${origin.name} to ${target.name}`)

  /** Since it was asked last. */
  read(): string[] {
    return this.lines.splice(0)
  }
}

const env = virtualEnv()
let diary: Diary
let vhost: VirtualHost
let session: Session
let producer: Producer
let answers: string[]
let sink: TestSink

beforeEach(async () => {
  diary = new Diary()
  vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS, tracer: diary })
  await vhost.openLog(new MemoryEngine(env), [testCodec])
  const owner = { onEvicted: () => {} }
  const asked = { clientId: 'c', principal: user('u'), cleanStart: true, expiryMs: 0, creditMax: 100, will: undefined, owner }
  const opened = vhost.sessions.open({ ...asked, protocol: 'stomp' })
  if (!opened.ok) throw new Error(opened.detail.text)
  session = opened.value.session
  answers = []
  producer = session.openProducer({ onPublishSettled: (tag, result) => void answers.push(`${tag} ${result}`) })
  sink = new TestSink()
})

function define(name: string, settings: Partial<QueueSettings> = {}): Queue {
  const defined = vhost.destinations.define({ name, settings })
  if (!defined.ok) throw new Error(defined.detail.text)
  return defined.value.queue
}

function to(queue: string): ProducerTarget {
  return producer.target(`$queue/${queue}`)
}

function read(queue: Queue): Consumer {
  const consumer = new Consumer(queue, new CreditPool(100), undefined)
  queue.addConsumer(consumer)
  consumer.attach(sink)
  consumer.grant(CREDIT_UNLIMITED)
  return consumer
}

test('each publish that is followed has its own answer, and so has its owner, whatever tags there are', async () => {
  define('q')
  const results = [
    producer.publish(to('q'), queueMessage('q', 'a'), 7),
    producer.publish(to('q'), queueMessage('q', 'no'), 7),
    producer.publish(to('q'), queueMessage('q', 'b'), 0),
    producer.publish(to('q'), queueMessage('q', 'c', { durable: false }), 0),
    producer.publish(producer.target('$queue/'), queueMessage('', 'd'), 9),
  ]
  expect(results).toEqual(['pending', 'pending', 'pending', 'pending', 'pending'])
  expect(diary.read()).toEqual(['a', 'b', 'c', 'd'].map((text) => `publish ${text} by stomp c`))
  await quiet(env.clock)
  expect(answers).toEqual(['7 routed', '7 routed', '0 routed', '0 routed', '9 refused'])
  expect(diary.read()).toEqual(['routed a', 'routed b', 'routed c', 'refused d invalid-name'])
})

test('a publish that is answered at once is told so', () => {
  define('q')
  expect(producer.publish(to('q'), queueMessage('q', 'a', { durable: false }), 1)).toBe('routed')
  expect(diary.read()).toEqual(['publish a by stomp c', 'routed a'])
  expect(answers).toEqual([])
})

test('a delivery is told when it is handed over and when it is settled, again after it came back', () => {
  const queue = define('q')
  const consumer = read(queue)
  producer.publish(to('q'), queueMessage('q', 'a', { durable: false }), 1)
  consumer.settle(sink.held.shift()!, 'released')
  env.clock.settle()
  consumer.settle(sink.held.shift()!, 'accepted')
  expect(diary.read().slice(1)).toEqual(['handed a', 'routed a', 'released a', 'handed a', 'accepted a'])
})

test('one that dies is told with its cause before it is settled; one that expires alone', async () => {
  const queue = define('q', { deadLetter: 'dead' })
  const consumer = read(queue)
  producer.publish(to('q'), queueMessage('q', 'a', { durable: false }), 1)
  consumer.settle(sink.held.shift()!, 'rejected')
  consumer.cancel()
  await quiet(env.clock)
  expect(diary.read().slice(3)).toEqual(['rejected a from q to dead', 'rejected a'])
  const expiresAtMs = env.clock.wallMs() + 1_000
  producer.publish(to('q'), queueMessage('q', 'b', { durable: false, expiresAtMs }), 1)
  env.clock.advance(5_000)
  expect(diary.read().slice(2)).toEqual(['expired b in q'])
})

test('what is published in a transaction is answered with it, and what is settled in it is settled then', async () => {
  const queue = define('q', { deadLetter: 'dead' })
  const consumer = read(queue)
  producer.publish(to('q'), queueMessage('q', 'a', { durable: false }), 1)
  diary.read()
  const first = vhost.transactions.begin(session, producer, () => {})
  if (!first.ok) throw new Error(first.detail.text)
  first.value.publish(to('q'), queueMessage('q', 'b'))
  first.value.rollback()
  expect(diary.read()).toEqual(['publish b by stomp c', 'refused b'])
  const second = vhost.transactions.begin(session, producer, () => {})
  if (!second.ok) throw new Error(second.detail.text)
  second.value.publish(to('q'), queueMessage('q', 'c'))
  second.value.settle(consumer, sink.held.shift()!, 'rejected')
  second.value.commit(() => {})
  await quiet(env.clock)
  expect(diary.read()).toEqual(['publish c by stomp c', 'handed c', 'rejected a from q to dead', 'rejected a', 'routed c'])
})

test('what the tracer left at a message is at its copies for other destinations and for the dead', async () => {
  const consumers = [define('q', { deadLetter: 'dead' }), define('r'), define('dead')].map(read)
  const target = producer.targetOfAll(['$queue/q', '$queue/r'])
  producer.publish(target, queueMessage('q', 'a', { durable: false }), 1)
  consumers[0]!.settle(sink.held[0]!, 'rejected')
  await quiet(env.clock)
  expect(sink.held.map(({ message }) => [message.topic, message.trace === diary])).toEqual([
    ['$queue/q', true],
    ['$queue/r', true],
    ['$queue/q', true],
  ])
})
