/** What is followed, and what spans say of it, by what the core tells of messages in it. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import {
  allowAll,
  CreditPool,
  Consumer,
  CREDIT_UNLIMITED,
  DEFAULT_CORE_LIMITS,
  type Delivery,
  type HeaderCodec,
  Message,
  type Producer,
  type Queue,
  VirtualHost,
} from '@ternmq/core'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { beforeEach, expect, test } from 'vitest'
import { SPANS_OPEN_MAX } from './open-spans.ts'
import { openTracing, type Tracing } from './tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const SAMPLED = `traceparent=00-${TRACE}-${PARENT}-01;`

/** `name=value;` for each property. Counts how often it is asked. */
class TextCodec implements HeaderCodec {
  readonly id = 'text'
  count = 0

  decode(bytes: Uint8Array): Message['headers'] {
    this.count++
    const pairs = Buffer.from(bytes).toString().split(';').slice(0, -1)
    return { messageId: 'm1', properties: pairs.map((pair) => pair.split('=') as [string, string]) }
  }

  encode(): Uint8Array {
    return new Uint8Array()
  }
}

let env: VirtualEnv
let codec: TextCodec
let spans: ReadableSpan[]
let tracing: Tracing
let vhost: VirtualHost
let producer: Producer
let queue: Queue
let held: Delivery[]

beforeEach(() => open(0))

function open(sampleRatio: number): void {
  env = virtualEnv()
  codec = new TextCodec()
  spans = []
  const exporter: SpanExporter = {
    export(batch, done) {
      spans.push(...batch)
      done({ code: 0 })
    },
    shutdown: () => Promise.resolve(),
  }
  const options = {
    env,
    endpoint: '',
    headers: {},
    sampleRatio,
    spansWaitingMax: 100_000,
    batchMs: 10,
    serviceName: 's',
    version: '1',
    report: () => {},
  }
  tracing = openTracing(options, exporter)
  vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS, tracer: tracing.tracer })
  const login = {
    principal: { name: 'u', anonymous: false },
    cleanStart: true,
    expiryMs: 0,
    creditMax: 10,
    will: undefined,
  }
  const opened = vhost.sessions.open({ clientId: 'c', ...login, owner: { onEvicted: () => {} }, protocol: 'amqp' })
  if (!opened.ok) throw new Error(opened.detail.text)
  producer = opened.value.session.openProducer({ onPublishSettled: () => {} })
  const defined = vhost.destinations.define({ name: 'q', settings: {} })
  if (!defined.ok) throw new Error(defined.detail.text)
  queue = defined.value.queue
  held = []
}

/** Spans that have been sent by now. */
function sent(): ReadableSpan[] {
  env.clock.advance(1_000)
  return spans
}

function publish(headers: string, expiresAtMs = 0): void {
  const bytes = Buffer.from(`${headers}body`)
  const at = { bytes, start: 0, headerStart: 0, bodyStart: headers.length, end: bytes.length }
  const rest = { assurance: 1, durable: false, retain: false, expiresAtMs, publisher: undefined } as const
  producer.publish(producer.target('$queue/q'), new Message({ topic: '$queue/q', codec, ...at, ...rest }), 1)
}

function read(): Consumer {
  const consumer = new Consumer(queue, new CreditPool(1_000_000), undefined)
  queue.addConsumer(consumer)
  consumer.attach({ writable: true, deliver: (delivery) => held.push(delivery) > 0 })
  consumer.grant(CREDIT_UNLIMITED)
  return consumer
}

test.each([
  [0, 0],
  [1, 400],
  [0.25, 100],
])(
  'with a ratio of %d, of 400 messages without a trace about %i begin one, and no headers are read',
  (ratio, expected) => {
    open(ratio)
    for (let n = 0; n < 400; n++) publish('a=1;')
    const count = sent().length
    expect(Math.abs(count - expected)).toBeLessThanOrEqual(ratio === 0.25 ? 40 : 0)
    expect(codec.count).toBe(count) // once for each that is followed: its id is told
  },
)

test.each([
  ['a trace that is recorded', SAMPLED, [TRACE]],
  ['one that is not', SAMPLED.replace('-01;', '-00;'), []],
  ['no trace, though the name is there', `note=traceparent ${'x'.repeat(60)};`, []],
  ['what is no trace', `traceparent=00-${'0'.repeat(32)}-${PARENT}-01;`, []],
])('a message that names %s is followed accordingly', (_what, headers, expected) => {
  publish(headers)
  expect(sent().map((span) => span.spanContext().traceId)).toEqual(expected)
})

test('a message that comes back has a span for each time that it was with a consumer', () => {
  const consumer = read()
  publish(SAMPLED)
  env.clock.advance(5)
  consumer.settle(held.shift()!, 'modified')
  env.clock.settle()
  env.clock.advance(7)
  consumer.settle(held.shift()!, 'released')
  env.clock.settle()
  consumer.settle(held.shift()!, 'accepted')
  const seen = sent().filter(({ name }) => name === 'process q')
  const keys = ['ternmq.outcome', 'ternmq.failed_count', 'ternmq.redelivered']
  expect(seen.map(({ attributes }) => keys.map((key) => attributes[key]))).toEqual([
    ['modified', 0, false],
    ['released', 1, true],
    ['accepted', 1, true],
  ])
  expect(seen.map(({ status }) => status.code)).toEqual([2, 0, 0])
  expect(seen.map(({ duration }) => duration)).toEqual([
    [0, 5e6],
    [0, 7e6],
    [0, 0],
  ])
  expect(seen.every(({ parentSpanContext }) => parentSpanContext?.spanId === PARENT)).toBe(true)
})

test('a message whose time is over while it waits says so in its trace', () => {
  publish(SAMPLED, env.clock.wallMs() + 100)
  env.clock.advance(10_000)
  const [, expired] = sent()
  expect(expired).toMatchObject({ name: 'expire q', events: [{ name: 'ternmq.expired' }] })
})

test('of too many that are open the oldest ends unseen, and so does what is open at the end', async () => {
  read()
  for (let n = 0; n < SPANS_OPEN_MAX; n++) publish(SAMPLED) // that of a publish is open, too
  const unseen = (): number => sent().filter(({ attributes }) => attributes['ternmq.outcome'] === 'unseen').length
  expect(unseen()).toBe(1)
  held[0]!.consumer!.settle(held[0]!, 'accepted')
  expect(unseen()).toBe(1)
  const closed = tracing.close()
  env.clock.advance(2_000)
  await closed
  expect(unseen()).toBe(SPANS_OPEN_MAX)
})
