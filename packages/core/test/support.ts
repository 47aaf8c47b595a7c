/** What the tests of core share: messages whose bytes lie in a read buffer that is used again, and a sink that writes down. */
import { type Runtime, Session } from 'node:inspector'
import type { VirtualClock } from '@ternmq/testkit'
import { HostLog } from '../src/log/host-log.ts'
import {
  type Address,
  type Pattern,
  type PatternLevel,
  ALL_BELOW,
  DEFAULT_VHOST,
  ONE_LEVEL,
} from '../src/routing/address.ts'
import type { Principal } from '../src/authorizer.ts'
import { Consumer, CREDIT_UNLIMITED } from '../src/queue/consumer.ts'
import { Counters, Traffic } from '../src/counters.ts'
import { CreditPool } from '../src/queue/credit.ts'
import type { Delivery, DeliverySink, Match } from '../src/queue/delivery.ts'
import type { Env } from '../src/env.ts'
import type { QueueFlow } from '../src/flow/queue-flow.ts'
import type { ExpirySweep } from '../src/flow/sweeper.ts'
import { type Assurance, type HeaderCodec, Message } from '../src/message/message.ts'
import { type CoreLimits, DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import type { QueueContext } from '../src/queue/context.ts'
import type { Queue } from '../src/queue/queue.ts'
import { Retained } from '../src/routing/retained.ts'
import { Turns } from '../src/turns.ts'

const FRAME = 'frame:'
const HEADER = 'h=1;'

/** Header bytes are 'key=value;' pairs. */
export const testCodec: HeaderCodec = {
  id: 'test',
  decode: (bytes) => ({
    properties: Buffer.from(bytes)
      .toString()
      .split(';')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=') as [string, string]),
  }),
  encode: (headers) => Buffer.from(headers.properties.map(([key, value]) => `${key}=${value};`).join('')),
}

export interface MessageOptions {
  readonly assurance?: Assurance
  readonly retain?: boolean
  readonly expiresAtMs?: number
  readonly durable?: boolean
  readonly publisher?: string
  readonly codec?: HeaderCodec
  /** Where the bytes are written, behind 3 bytes of somebody else's; a buffer of its own when left out. */
  readonly buffer?: Uint8Array
}

/** A message with `text` as its body, a frame and a header before it. */
export function messageOf(topic: string, text: string, options: MessageOptions = {}): Message {
  const frame = Buffer.from(FRAME + HEADER + text)
  const buffer = options.buffer ?? new Uint8Array(frame.length + 5)
  const start = 3
  buffer.set(frame, start)
  return new Message({
    topic,
    codec: options.codec ?? testCodec,
    bytes: buffer,
    start,
    headerStart: start + FRAME.length,
    bodyStart: start + FRAME.length + HEADER.length,
    end: start + frame.length,
    assurance: options.assurance ?? 1,
    durable: options.durable ?? false,
    retain: options.retain ?? false,
    expiresAtMs: options.expiresAtMs ?? 0,
    publisher: options.publisher,
  })
}

export function textOf(message: Message): string {
  return Buffer.from(message.body).toString()
}

/** 'a/+/#' as MQTT writes it. */
export function patternOf(filter: string): PatternLevel[] {
  return filter.split('/').map((level) => (level === '+' ? ONE_LEVEL : level === '#' ? ALL_BELOW : level))
}

export function topicPattern(filter: string): Pattern {
  return { vhost: DEFAULT_VHOST, kind: 'topic', levels: patternOf(filter) }
}

export function topicAddress(topic: string): Address {
  return { vhost: DEFAULT_VHOST, kind: 'topic', levels: topic.split('/') }
}

export function matchWith(assuranceMax: Assurance, data: Record<string, string> = {}): Match {
  return { data: [data], assuranceMax, memo: undefined }
}

export function user(name: string): Principal {
  return { name, anonymous: name === 'anonymous' }
}

/** Flow control for a queue without a virtual host: nothing expires by itself, and memory is what the test says. */
const noFlow: QueueFlow = {
  hasMemoryFor: () => true,
  onPageable: () => {},
  expects: (queue, _atMs, sweep) => sweep ?? ({ queue } as ExpirySweep),
  watchConsumers: () => {},
  forget: () => {},
}

/** What a queue needs, without a virtual host around it. */
export function queueContext(env: Env): QueueContext {
  return {
    turns: new Turns(env.clock),
    traffic: new Traffic(new Counters()),
    env,
    log: new HostLog({ clock: env.clock, onEnded: () => {} }),
    waiting: { bytes: 0, bytesMax: Infinity },
    flow: noFlow,
    tracer: undefined,
    pressedBy: undefined,
    isStopping: false,
    matchFor: () => matchWith(2),
    moveAway: () => {},
    nextAttemptMs: () => 0,
    onEased: () => {},
    onLost: () => {},
    onTooLarge: () => {},
  }
}

/** Turns until nothing is left to do, reading from the log included: an engine in memory needs a few promises for that. */
export async function quiet(clock: VirtualClock): Promise<void> {
  for (let round = 0; round < 8; round++) {
    clock.settle()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export function retainedWith(limits: Partial<CoreLimits>, onExpired: (message: Message) => void = () => {}): Retained {
  return new Retained({ ...DEFAULT_CORE_LIMITS, ...limits }, onExpired)
}

/** What `object` keeps in its field `name` ('#root'): for tests that nothing is left behind, which no caller can see. */
export function privateField(object: object, name: string): unknown {
  const place = globalThis as { opened?: unknown }
  place.opened = object
  const debug = new Session()
  debug.connect()
  try {
    const fields = (objectId: string): Runtime.GetPropertiesReturnType => {
      let answer: Runtime.GetPropertiesReturnType = { result: [] }
      debug.post('Runtime.getProperties', { objectId, ownProperties: true }, (_, given) => (answer = given))
      return answer
    }
    debug.post('Runtime.evaluate', { expression: 'globalThis.opened' }, (_, { result }) => {
      const known = fields(result.objectId!) as { privateProperties?: { name: string; value: { objectId: string } }[] }
      const { objectId } = known.privateProperties!.find((field) => field.name === name)!.value
      debug.post('Runtime.callFunctionOn', {
        objectId,
        functionDeclaration: 'function () { globalThis.opened = this }',
      })
    })
    return place.opened
  } finally {
    debug.disconnect()
    delete place.opened
  }
}

/** One delivery as it was at the moment it came: a delivery of assurance 0 is another one a moment later. */
export interface Seen {
  readonly topic: string
  readonly text: string
  readonly assurance: Assurance
  readonly retained: boolean
  readonly failedCount: number
  readonly match: Match
  readonly tag: number
}

export class TestSink implements DeliverySink {
  writable = true
  /** Bodies that it says it can never take. */
  readonly refused: Set<string> = new Set()
  readonly seen: Seen[] = []
  /** Unsettled deliveries, oldest first; the test takes out what it settles. */
  readonly held: Delivery[] = []
  /** Turns unwritable after this many more deliveries. */
  room: number = Infinity

  deliver(delivery: Delivery): boolean {
    const { message, assurance, retained, failedCount, match, tag } = delivery
    const text = textOf(message)
    if (this.refused.has(text)) return false
    this.seen.push({ topic: message.topic, text, assurance, retained, failedCount, match, tag })
    if (assurance > 0) this.held.push(delivery)
    if (--this.room <= 0) this.writable = false
    return true
  }

  get texts(): string[] {
    return this.seen.map(({ text }) => text)
  }
}

export interface ReceiverOptions {
  readonly pool?: CreditPool
  /** Undefined: as much as the pool and the sink take. */
  readonly credit?: number
  readonly match?: Match
}

/** A queue's consumer with its sink, attached and with credit. */
export interface Receiver {
  readonly consumer: Consumer
  readonly sink: TestSink
  readonly pool: CreditPool
}

export function receiverOf(queue: Queue, options: ReceiverOptions = {}): Receiver {
  const pool = options.pool ?? new CreditPool(1_000_000)
  const consumer = new Consumer(queue, pool, options.match)
  const sink = new TestSink()
  queue.addConsumer(consumer)
  consumer.attach(sink)
  consumer.grant(options.credit ?? CREDIT_UNLIMITED)
  return { consumer, sink, pool }
}
