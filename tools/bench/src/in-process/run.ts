/** Runs one scenario: a broker over the pipe transport on a clock moved by hand. */
import { allowAll, DEFAULT_CORE_LIMITS, Events, VirtualHost } from '@ternmq/core'
import { DEFAULT_MQTT_SETTINGS, MqttAdapter } from '@ternmq/mqtt'
import { connectPipe, type PipeTransport, virtualEnv } from '@ternmq/testkit'
import { Outbox } from '@ternmq/transport'

import { connectPacket, subscribePacket } from '../wire.ts'
import { Publisher, Subscriber } from './clients.ts'
import type { Scenario } from './scenarios.ts'

export interface RoundResult {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** CPU of the whole process, the simulated clients included. */
  readonly cpuNsPerMessage: number
}

/** One read of a socket. */
const BATCH_BYTES = 60_000
/** Below the receive maximum, which QoS 2 must keep to. */
const BATCH_MESSAGES_MAX = 500
const EVENTS_KEPT = 100

/** `rounds` rounds of `roundMs` each, after one that is not counted: code is made while it runs. */
export function runScenario(
  { publish, to, subscribers: count }: Scenario,
  rounds: number,
  roundMs: number,
): RoundResult[] {
  const env = virtualEnv()
  const vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
  const events = new Events(env.clock, EVENTS_KEPT)
  const login = {
    begin: () => ({ kind: 'accepted' as const, principal: { name: 'anonymous', anonymous: true }, data: undefined }),
  }
  const adapter = new MqttAdapter({ vhost, login, settings: DEFAULT_MQTT_SETTINGS, events })
  const outbox = new Outbox(env.clock)
  const open = (): PipeTransport => connectPipe({ clock: env.clock, outbox }, adapter.accept)

  const subscribers = Array.from({ length: count }, (_, index) => {
    const pipe = open()
    const subscriber = new Subscriber(pipe)
    pipe.write(connectPacket(to, `s${index}`))
    pipe.write(subscribePacket(to, 1, [publish.topic], publish.qos))
    return subscriber
  })
  const pipe = open()
  const publisher = new Publisher(pipe, publish, BATCH_BYTES, BATCH_MESSAGES_MAX)
  pipe.write(connectPacket(publish.version, 'p'))
  env.clock.settle()

  const turn = (): void => {
    publisher.sendBatch()
    env.clock.settle()
  }
  const received = (): number => subscribers.reduce((sum, { messages }) => sum + messages, 0)
  const runRound = (): RoundResult => {
    const before = received()
    const bytesBefore = subscribers.reduce((sum, { bytes }) => sum + bytes, 0)
    const cpuBefore = process.cpuUsage()
    const startMs = performance.now()
    let batches = 0
    for (; performance.now() - startMs < roundMs; batches++) turn()
    const seconds = (performance.now() - startMs) / 1_000
    const { user, system } = process.cpuUsage(cpuBefore)
    const messages = received() - before
    const expected = batches * publisher.messagesPerBatch * count
    if (messages !== expected)
      throw new Error(`${messages} messages arrived, ${expected} were sent: ${publisher.closedBecause ?? ''}`)
    const bytes = subscribers.reduce((sum, { bytes: own }) => sum + own, 0) - bytesBefore
    return {
      messagesPerSecond: messages / seconds,
      bytesPerSecond: bytes / seconds,
      cpuNsPerMessage: ((user + system) * 1_000) / messages,
    }
  }
  runRound()
  return Array.from({ length: rounds }, runRound)
}
