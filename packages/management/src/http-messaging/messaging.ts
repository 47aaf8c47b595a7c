/**
 * Publish, take and subscribe over HTTP, for scripts. Each user has one session in the core, and is allowed there what he is allowed over
 * every other protocol.
 */
import {
  publishMessage,
  type PublishBody,
  settleMessages,
  subscribeEvents,
  type TakenMessage,
  takeMessages,
} from '@ternmq/api'
import type { Outcome, VirtualHost } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, bindStream, type Bound, type Caller } from '../handlers.ts'
import { whenLasting } from '../lasting.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { readSelector } from '../messages/message-selector.ts'
import { vhostOf } from '../vhost.ts'
import { HTTP_SESSIONS_MAX, LOCK_MS_DEFAULT } from './bounds.ts'
import { addressesToSend, isTopic, queueToTake, topicToHear } from './http-addresses.ts'
import { readPublish, withTrace } from './http-message.ts'
import { HttpSession, type LockedMessage } from './http-session.ts'
import { TopicStream } from './stream.ts'
import { takenFacts } from './taken-facts.ts'

export class Messaging {
  readonly #vhost: VirtualHost
  readonly #byUser = new Map<string, HttpSession>()

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
  }

  /** Throws ApiError('BUSY') when too many users have one. */
  sessionOf({ principal }: Caller): HttpSession {
    const key = `${principal.anonymous ? 'anonymous' : 'user'} ${principal.name}`
    const known = this.#byUser.get(key)
    if (known !== undefined) return known
    if (this.#byUser.size >= HTTP_SESSIONS_MAX) {
      throw new ApiError('BUSY', `${this.#byUser.size} users have something under way over HTTP, the limit; try later`)
    }
    const session = new HttpSession(this.#vhost, principal, () => void this.#byUser.delete(key))
    this.#byUser.set(key, session)
    return session
  }

  /** Undefined: nothing of his is under way. */
  findSessionOf({ principal }: Caller): HttpSession | undefined {
    return this.#byUser.get(`${principal.anonymous ? 'anonymous' : 'user'} ${principal.name}`)
  }

  /** The broker stops. */
  close(): void {
    for (const session of [...this.#byUser.values()]) session.close()
  }
}

export function messagingHandlers(broker: ManagedBroker, messaging: Messaging): Bound[] {
  return [
    bind(publishMessage, async ({ params, body, caller, trace }) => {
      const vhost = vhostOf(broker, params)
      const addresses = addressesToSend(vhost, body.address, caller)
      if (body.retain === true) checkRetained(addresses, body)
      const session = messaging.sessionOf(caller)
      const traced = withTrace(body, trace)
      const { message, options } = readPublish(traced, addresses.join(','), session.clientId, vhost.env.clock.wallMs())
      return { outcome: await session.publish(addresses, message, options) }
    }),
    bind(takeMessages, async ({ params, body, caller, signal }) => {
      const vhost = vhostOf(broker, params)
      const spec = {
        queue: queueToTake(vhost, body.address, caller),
        selector: readSelector(body.selector)?.text,
        max: body.max ?? 1,
        waitMs: body.waitMs ?? 0,
        lockMs: body.lockMs ?? LOCK_MS_DEFAULT,
        autoSettle: body.autoSettle === true,
      }
      const taken = await messaging.sessionOf(caller).take(spec, signal)
      const lockedUntilMs = vhost.env.clock.wallMs() + spec.lockMs
      return { items: taken.map((each) => takenMessage(each, lockedUntilMs)) }
    }),
    bind(settleMessages, async ({ params, body, caller }) => {
      const vhost = vhostOf(broker, params)
      const { deliveries, outcome, reason } = body
      if (reason !== undefined && outcome !== 'rejected') {
        throw new ApiError('INVALID', 'a reason is for what is rejected', {
          field: 'reason',
          value: reason,
          rule: "with outcome 'rejected'",
        })
      }
      const locks = messaging.findSessionOf(caller)?.locks
      const settle = (id: string): boolean =>
        outcome === 'extend'
          ? locks?.extend(id) === true
          : locks?.settle(id, outcome satisfies Outcome, reason === undefined ? undefined : { reason }) === true
      const unknown = deliveries.filter((id) => !settle(id))
      // A script that hears that it is done need not fear that a restart brings it again.
      await whenLasting(vhost)
      return { settledCount: deliveries.length - unknown.length, unknown }
    }),
    bindStream(subscribeEvents, ({ params, query, caller }, sink) => {
      const vhost = vhostOf(broker, params)
      const pattern = topicToHear(vhost, query.address, caller)
      const session = messaging.sessionOf(caller)
      const stream = new TopicStream(vhost, session, sink)
      session.addStream(stream)
      try {
        const source = {
          kind: 'topic',
          pattern,
          written: `'${query.address}'`,
          noLocal: false,
          retained: false,
        } as const
        stream.begin(
          session.openReceiver({ source, selector: undefined, assuranceMax: 0, creditMax: 0, data: {}, sink: stream }),
        )
      } catch (error) {
        stream.end()
        throw error
      }
      return () => stream.end()
    }),
  ]
}

/** Only topics keep a last message. */
function checkRetained(addresses: readonly string[], { address }: PublishBody): void {
  if (addresses.every(isTopic)) return
  throw new ApiError(
    'INVALID',
    `'${address}' is a queue, which keeps no retained message; leave out retain, or publish to a topic`,
    { field: 'retain', value: true, rule: 'of topics only' },
  )
}

/** `lockedUntilMs` is 0 for what is settled by being handed out. */
function takenMessage({ id, message, failedCount, redelivered }: LockedMessage, lockedUntilMs: number): TakenMessage {
  return {
    ...takenFacts(message),
    delivery: id,
    redelivered,
    failedCount,
    lockedUntilMs: id === '' ? 0 : lockedUntilMs,
  }
}
