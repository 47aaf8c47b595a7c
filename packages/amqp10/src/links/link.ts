/** What both kinds of links have: a name, a handle, a credit. [AMQP10 §2.6] */
import type { FlowFields } from '../codec/decode-flow.ts'
import type { AmqpSession } from '../session.ts'

/** How a link ends: the peer wants it never again, or perhaps again, or its connection was lost. */
export type LinkEnd = 'closed' | 'detached' | 'lost'

export interface Link {
  readonly session: AmqpSession
  /** inbound: the peer sends. outbound: it receives. */
  readonly direction: 'inbound' | 'outbound'
  readonly name: string
  /** The peer's, which is ours too. */
  readonly handle: number
  /** We have said detach, or the peer has: what still comes for it is not looked at. */
  isDetaching: boolean
  /** Deliveries that the sender has begun; wraps around. [AMQP10 §2.6.7] */
  readonly deliveryCount: number
  /** Deliveries that the sender may still begin. */
  readonly credit: number
  /** Messages that the sender has at hand; -1 where that is not told. */
  readonly available: number
  readonly isDraining: boolean
  onFlow(flow: FlowFields): void
  /** Nothing more goes in or out. */
  end(how: LinkEnd): void
}

/** It never was one: the peer has not heard yet, or not answered. */
export class RefusedLink implements Link {
  readonly session: AmqpSession
  readonly direction: Link['direction']
  readonly name: string
  readonly handle: number
  readonly isDetaching = true
  readonly deliveryCount = 0
  readonly credit = 0
  readonly available = -1
  readonly isDraining = false

  constructor(session: AmqpSession, direction: Link['direction'], name: string, handle: number) {
    this.session = session
    this.direction = direction
    this.name = name
    this.handle = handle
  }

  onFlow(): void {}

  end(): void {}
}
