/** The core and the model of model.ts side by side: every step is done to both, and then they are compared. */
import { deepStrictEqual } from 'node:assert'
import { MemoryEngine } from '@ternmq/store'
import { targetsOf } from '../src/routing/router.ts'
import { virtualEnv, type VirtualEnv } from '@ternmq/testkit'
import { allowAll } from '../src/authorizer.ts'
import type { Delivery, DeliverySink, Outcome } from '../src/queue/delivery.ts'
import { DEFAULT_CORE_LIMITS } from '../src/limits.ts'
import type { Assurance, Message } from '../src/message/message.ts'
import { Producer, type ProducerTarget, type PublishOwner } from '../src/publish/producer.ts'
import type { Queue } from '../src/queue/queue.ts'
import type { Session } from '../src/session/session.ts'
import { VirtualHost } from '../src/virtual-host.ts'
import { type Arrival, assuranceOf, type Entry, Model, type ModelBinding, type ModelMessage } from './model.ts'
import { messageOf, testCodec, textOf, topicPattern, user, quiet } from './support.ts'

export const CLIENTS: readonly string[] = ['c0', 'c1', 'c2', 'c3']
export const TOPICS: readonly string[] = ['a', 'a/b', 'b', 'b/b', '$a/b']
export const MESSAGES_MAX = 3

export interface Content {
  readonly topic: string
  readonly assurance: Assurance
  readonly retain: boolean
  readonly isEmpty: boolean
  /** 0 for ever. */
  readonly ttlMs: number
  /** Every sink says that it can never take it. */
  readonly isRefused: boolean
}

interface ConnectStep {
  readonly kind: 'connect'
  readonly who: string
  readonly cleanStart: boolean
  readonly expiryMs: number
  readonly creditMax: number
  readonly will: { readonly content: Content; readonly delayMs: number } | undefined
}

interface BindStep {
  readonly kind: 'bind'
  readonly who: string
  readonly filter: string
  readonly share: string | undefined
  readonly assuranceMax: Assurance
  readonly noLocal: boolean
  readonly retained: 'always' | 'if-new' | 'never'
}

/** What one connection, or none, does in a moment. */
export type Act =
  | ConnectStep
  | BindStep
  | { readonly kind: 'publish'; readonly who: string; readonly content: Content }
  | { readonly kind: 'unbind'; readonly who: string; readonly filter: string; readonly share: string | undefined }
  | { readonly kind: 'settle'; readonly who: string; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'disconnect' | 'goodbye' | 'delete' | 'pause' | 'resume'; readonly who: string }

export type Step =
  /** All in one turn, before anything that waits for its end. */
  { readonly kind: 'turn'; readonly acts: readonly Act[] } | { readonly kind: 'pass'; readonly ms: number }

/** The adapter of one connection. */
class Sink implements DeliverySink {
  writable: boolean = true
  readonly #clientId: string
  readonly #arrivals: Arrival[]
  readonly #meant: WeakMap<Message, ModelMessage>

  constructor(clientId: string, arrivals: Arrival[], meant: WeakMap<Message, ModelMessage>) {
    this.#clientId = clientId
    this.#arrivals = arrivals
    this.#meant = meant
  }

  deliver(delivery: Delivery): boolean {
    const { assurance, retained, failedCount, match } = delivery
    const message = this.#meant.get(delivery.message)!
    deepStrictEqual(textOf(delivery.message), message.body, 'the bytes are those that were published')
    const bindingIds = match.data.map(({ id }) => id as string).sort()
    this.#arrivals.push({ clientId: this.#clientId, message, assurance, retained, failedCount, bindingIds, delivery })
    return !message.isRefused
  }
}

interface Connection {
  readonly session: Session
  readonly sink: Sink
  readonly producer: Producer
  /** Kept for as long as the connection, as an adapter does: bindings come and go meanwhile. */
  readonly targets: Map<string, ProducerTarget>
}

export class SideBySide {
  readonly #env: VirtualEnv = virtualEnv()
  readonly #vhost: VirtualHost = new VirtualHost({
    env: this.#env,
    name: '/',
    authorizer: allowAll,
    limits: { ...DEFAULT_CORE_LIMITS, queuedMessagesMax: MESSAGES_MAX },
  })
  readonly #arrivals: Arrival[] = []
  readonly #model: Model = new Model(MESSAGES_MAX, this.#env.clock.wallMs(), this.#arrivals)
  readonly #connections: Map<string, Connection> = new Map()
  readonly #meant: WeakMap<Message, ModelMessage> = new WeakMap()
  readonly #made: Map<string, Message> = new Map()
  /** Every publish lies in it, and it is overwritten when the publish is done. */
  readonly #readBuffer: Uint8Array = new Uint8Array(64)
  readonly #engine: MemoryEngine = new MemoryEngine(this.#env)
  /** Answers to publishes that wait for the log. */
  readonly #awaited: string[] = []
  readonly #owner: PublishOwner = {
    onPublishSettled: (_tag, result) => deepStrictEqual(result, this.#awaited.shift()),
  }
  /** Publishes for those who are not connected. */
  readonly #nobody: Pick<Connection, 'producer' | 'targets'> = {
    producer: new Producer(this.#vhost, { principal: user('u'), clientId: '' }, this.#owner, undefined),
    targets: new Map(),
  }
  #number = 0

  /** Kept sessions and retained messages go to a log. Wills would be in it, too, and come later than the model means: do without. */
  async openLog(): Promise<void> {
    await this.#vhost.openLog(this.#engine, [testCodec])
  }

  run(step: Step): void {
    if (step.kind === 'pass') this.#pass(step.ms)
    else for (const act of step.acts) this.#act(act)
    this.#compare()
  }

  #act(one: Act): void {
    switch (one.kind) {
      case 'publish':
        this.#publish(one.who, one.content)
        break
      case 'bind':
        this.#bind(one)
        break
      case 'unbind': {
        const [connection, session] = [this.#connections.get(one.who), this.#model.sessions.get(one.who)]
        if (connection === undefined || session === undefined) break
        const existed = connection.session.unbind(topicPattern(one.filter), one.share)
        deepStrictEqual(existed, this.#model.unbind(session, one.filter, one.share))
        break
      }
      case 'settle': {
        const session = this.#model.sessions.get(one.who)
        const held = session?.held[one.which]
        if (session === undefined || held === undefined) break
        // The messages of a session that dies with its connection lie in the read buffer: they cannot come back.
        const mayReturn = session.expiryMs > 0 || held.line !== session.line
        const outcome = mayReturn ? one.outcome : 'accepted'
        held.delivery.consumer!.settle(held.delivery, outcome)
        this.#model.settle(session, held, outcome)
        break
      }
      case 'connect':
        this.#connect(one)
        break
      case 'disconnect':
      case 'goodbye':
        this.#disconnect(one.who, one.kind === 'goodbye')
        break
      case 'delete':
        this.#delete(one.who)
        break
      case 'pause':
      case 'resume': {
        const [connection, session] = [this.#connections.get(one.who), this.#model.sessions.get(one.who)]
        if (connection === undefined || session === undefined) break
        connection.sink.writable = session.isWritable = one.kind === 'resume'
        if (one.kind === 'resume') connection.session.onWritable()
        break
      }
    }
    this.#model.takeArrivals()
  }

  /** Everybody goes. What is left: bindings, groups, sessions, timers. */
  finish(): number[] {
    for (const id of CLIENTS) this.#delete(id)
    this.#compare()
    this.#env.clock.advance(1_000) // the wheel of expiries turns once more and finds nothing
    const { router, shared, sessions } = this.#vhost
    return [router.bindingCount, shared.count, sessions.count, this.#env.clock.timerCount]
  }

  /** Bodies that are in the log, and of those that must be: no more, no less. */
  async logged(): Promise<{ readonly actual: string[]; readonly expected: string[] }> {
    const actual: string[] = []
    const stop = new AbortController()
    for await (const { records, head } of this.#engine.partition(0).tail(0, stop.signal)) {
      for (const { body, bodyStart, bodyEnd } of records) {
        if (body !== undefined) actual.push(Buffer.from(body.subarray(bodyStart, bodyEnd)).toString().split(';')[1]!)
      }
      if (head) break
    }
    stop.abort()
    const needed = new Set(this.#model.retained.values())
    for (const message of this.#keptEntries()) needed.add(message)
    const expected = [...needed].filter((message) => this.#isLogged(message)).map(({ body }) => body)
    return { actual: actual.sort(), expected: expected.sort() }
  }

  /** Another virtual host on the same log: what its sessions get, and what the model says that they have. */
  async restart(): Promise<{ readonly actual: object; readonly expected: object }> {
    const second = new VirtualHost({ env: this.#env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
    await second.openLog(this.#engine, [testCodec])
    this.#env.clock.settle()
    const actual: Record<string, unknown> = {}
    const expected: Record<string, unknown> = {}
    for (const id of CLIENTS) {
      const session = this.#vhost.sessions.find(id)
      const isKept = session?.isDurable === true && session.expiryMs > 0
      expected[id] = isKept ? { bindings: session.bindingCount, own: this.#keptBy(id) } : undefined
      const again = second.sessions.find(id)
      actual[id] = again && { bindings: again.bindingCount, own: await this.#deliverOwn(second, id) }
    }
    for (const topic of TOPICS) {
      const [message] = second.retained.matching(topic.split('/'), this.#model.nowMs)
      actual[topic] = message && textOf(message)
      const kept = this.#model.retained.get(topic)
      const isKept = kept !== undefined && this.#isLogged(kept) && !this.#model.isExpired(kept)
      expected[topic] = isKept ? kept.body : undefined
    }
    return { actual, expected }
  }

  #keptEntries(): ModelMessage[] {
    const lines = [...this.#model.sessions.values()].map(({ line }) => line).concat([...this.#model.groups.values()])
    // A group that ends takes out of the log what its last member had: that one finishes it in this life of the process only.
    const held = [...this.#model.sessions.values()].flatMap((session) => session.held.filter(({ line }) => !line.isClosed))
    const entries = lines.flatMap(({ waiting }) => waiting)
    for (const { entry } of held) entries.push(entry)
    return entries.filter((entry) => this.#isKept(entry)).map(({ message }) => message)
  }

  /** Its queue has to give it back after a restart. */
  #isKept(entry: Entry): boolean {
    return entry.isInLog && assuranceOf(entry) > 0 && this.#isLogged(entry.message)
  }

  #isLogged({ name }: ModelMessage): boolean {
    return this.#made.get(name)!.lsn !== 0
  }

  /** What a session's own queue must hold after a restart, oldest first: name and the highest assurance it may have. */
  #keptBy(id: string): [string, number][] {
    const { line, held, bindings } = this.#model.sessions.get(id)!
    const entries = [...line.waiting, ...held.filter((one) => one.line === line).map(({ entry }) => entry)]
    const own = bindings.filter(({ share }) => share === undefined)
    return entries
      .filter((entry) => this.#isKept(entry) && !this.#model.isExpired(entry.message))
      .sort((first, second) => first.sequence - second.sequence)
      .map(({ message }) => [
        message.body,
        Math.min(message.assurance, Math.max(1, this.#model.assuranceMaxOf(own, message))),
      ])
  }

  async #deliverOwn(vhost: VirtualHost, id: string): Promise<[string, number][]> {
    const opened = vhost.sessions.open({
      clientId: id,
      principal: user('u'),
      cleanStart: false,
      expiryMs: Infinity,
      creditMax: 1_000,
      will: undefined,
      owner: { onEvicted: () => {} },
    })
    if (!opened.ok) throw new Error(opened.detail.text)
    const got: [string, number][] = []
    const { session } = opened.value
    const deliver = (delivery: Delivery): boolean => {
      const isOwn = delivery.consumer?.queue === session.queue
      if (isOwn) got.push([textOf(delivery.message), delivery.assurance])
      return true
    }
    session.startDelivery({ writable: true, deliver })
    await quiet(this.#env.clock)
    return got
  }

  #compare(): void {
    const model = this.#model
    this.#env.clock.settle()
    deepStrictEqual(this.#awaited, [], 'every publish has its answer')
    model.takeArrivals()
    model.check()
    const { counters, sessions, shared, retained } = this.#vhost
    deepStrictEqual(counters, model.counters)
    deepStrictEqual(
      [sessions.count, shared.count, retained.count],
      [model.sessions.size, model.groups.size, model.retained.size],
    )
    for (const { id, held, bindings } of model.sessions.values()) {
      const session = sessions.find(id)!
      deepStrictEqual([session.pool.used, session.bindingCount], [held.length, bindings.length])
    }
    const { messagesOut, droppedOffline, droppedOverLimit, expired, redelivered } = counters
    const whereabouts = messagesOut + droppedOffline + droppedOverLimit + expired + model.waitingCount + model.gone
    deepStrictEqual(whereabouts, model.entries + redelivered, 'every entry is somewhere, once')
  }

  #publish(from: string, content: Content): void {
    const { topic } = content
    const connection = this.#connections.get(from)
    const publisher = connection === undefined ? '' : from
    const [message, meant] = this.#make(content, publisher, this.#readBuffer)
    let result: string
    if (topic.startsWith('$')) {
      result = this.#vhost.publish(this.#vhost.router.routeOf(topic), message, this.#vhost.traffic)
    } else {
      const { producer, targets } = connection ?? this.#nobody
      const target = targets.get(topic) ?? producer.target(topic)
      targets.set(topic, target)
      result = producer.publish(target, message, 0)
    }
    this.#readBuffer.fill(0xee)
    const expected = this.#model.publish(meant)
    if (result === 'pending') this.#awaited.push(expected)
    else deepStrictEqual(result, expected)
  }

  #bind({ who: id, filter: text, share: group, assuranceMax, noLocal, retained }: BindStep): void {
    const [connection, session] = [this.#connections.get(id), this.#model.sessions.get(id)]
    if (connection === undefined || session === undefined) return
    const binding: ModelBinding = {
      id: `b${++this.#number}`,
      owner: id,
      filter: text,
      share: group,
      assuranceMax,
      noLocal,
    }
    const isKnown = session.bindings.some((known) => known.filter === text && known.share === group)
    const data = { id: binding.id }
    const bound = connection.session.bind({
      pattern: topicPattern(text),
      shareName: group,
      assuranceMax,
      noLocal,
      retained,
      data,
    })
    deepStrictEqual(bound, { ok: true, value: { replaced: isKnown } })
    this.#model.bind(session, binding, retained, () => this.#groupQueue(group!))
  }

  /** Queue of a group that the model does not know yet. */
  #groupQueue(share: string): Queue {
    const { router } = this.#vhost
    const known = new Set([...this.#model.groups.values()].map(({ actual }) => actual))
    const queues = TOPICS.flatMap((topic) => targetsOf(router.routeOf(topic)).map(({ queue }) => queue))
    return queues.find((queue) => queue.name === `$share/${share}` && !known.has(queue))!
  }

  #connect({ who: id, cleanStart, expiryMs, creditMax, will }: ConnectStep): void {
    // Made when the core asks for it; the model asks for its own after that.
    let made: [Message, ModelMessage] | undefined = undefined
    const makeMessage = (): Message => (made = this.#make(will!.content, id))[0]
    const opened = this.#vhost.sessions.open({
      clientId: id,
      principal: user('u'),
      cleanStart,
      expiryMs,
      creditMax,
      will: will && { delayMs: will.delayMs, makeMessage },
      owner: { onEvicted: () => {} },
    })
    if (!opened.ok) throw new Error(opened.detail.text)
    const { session, present } = opened.value
    const sink = new Sink(id, this.#arrivals, this.#meant)
    session.startDelivery(sink)
    this.#connections.set(id, {
      session,
      sink,
      producer: session.openProducer(this.#owner),
      targets: new Map(),
    })
    const meant = will && { delayMs: will.delayMs, make: () => made![1] }
    deepStrictEqual(present, this.#model.connect(id, { cleanStart, expiryMs, creditMax, will: meant }, session.queue))
  }

  #disconnect(id: string, isGoodbye: boolean): void {
    const [connection, session] = [this.#connections.get(id), this.#model.sessions.get(id)]
    if (connection === undefined || session === undefined) return
    if (isGoodbye) {
      connection.session.dropWill()
      session.will = undefined
    }
    connection.session.disconnect()
    this.#model.disconnect(session)
    this.#connections.delete(id)
  }

  #delete(id: string): void {
    const session = this.#model.sessions.get(id)
    deepStrictEqual(this.#vhost.sessions.delete(id), session !== undefined)
    if (session !== undefined) this.#model.end(session)
    this.#connections.delete(id)
    this.#model.takeArrivals()
  }

  /** Of sessions that are due at the same moment all but one go before: whose turn is first is nobody's business. */
  #pass(ms: number): void {
    const untilMs = this.#model.nowMs + ms
    while (this.#model.nowMs < untilMs) {
      const nextMs = Math.min(untilMs, this.#model.nextDueMs)
      for (const { id } of this.#model.dueAt(nextMs).slice(1)) this.#delete(id)
      this.#compare()
      this.#env.clock.advance(nextMs - this.#model.nowMs)
      this.#model.nowMs = nextMs
      this.#model.runDue()
      this.#compare()
    }
  }

  #make({ isEmpty, ttlMs, ...how }: Content, publisher: string, buffer?: Uint8Array): [Message, ModelMessage] {
    const name = `m${++this.#number}`
    const expiresAtMs = ttlMs === 0 ? 0 : this.#env.clock.wallMs() + ttlMs
    const meant = { ...how, name, body: isEmpty ? '' : name, publisher, expiresAtMs }
    const message = messageOf(how.topic, meant.body, {
      ...meant,
      durable: how.assurance > 0,
      ...(buffer !== undefined && { buffer }),
    })
    this.#meant.set(message, meant)
    this.#made.set(name, message)
    return [message, meant]
  }
}
