/** Durable and shared subscriptions by the names that links have, as clients of JMS make them; and a link that is there to end one. */
import { isLiteral, patternFromKey } from '@ternmq/core'
import { spell } from '@ternmq/naming'
import type { Attach, Source } from '../codec/performatives.ts'
import type { AmqpConnection } from '../connection.ts'
import type { AmqpSession } from '../session.ts'
import type { LinkEnd } from './link.ts'
import { OutboundLink } from './outbound-link.ts'

export interface SubscriptionKey {
  /** Undefined for one that containers of any id share. */
  readonly clientId: string | undefined
  readonly name: string
  /** Several links at a time. */
  readonly isShared: boolean
  /** It ends with its last link. */
  readonly isVolatile: boolean
}

/** Behind it stands what makes the link's name unique: links of one shared subscription need names of their own. */
const DELIMITER = '|'
const GLOBAL = /^global/

/**
 * The subscription that a link of that name is for. `source` undefined: the client names the link only, and the mark behind the delimiter
 * says whether the subscription belongs to its container.
 */
export function subscriptionOf({ containerId }: AmqpConnection, linkName: string, source: Source | undefined): SubscriptionKey {
  const at = linkName.indexOf(DELIMITER)
  const mark = at < 0 ? '' : linkName.slice(at + 1)
  const isShared = source === undefined ? at >= 0 : source.capabilities.includes('shared')
  const isGlobal = source === undefined ? GLOBAL.test(mark) : isShared && source.capabilities.includes('global')
  const isDurable = source === undefined || source.durable > 0 || source.expiryPolicy === 'never'
  return {
    clientId: isGlobal ? undefined : containerId,
    name: isShared && at >= 0 ? linkName.slice(0, at) : linkName,
    isShared,
    isVolatile: !isDurable,
  }
}

/** It gives what the client wants to know of a durable subscription, and delivers nothing. Closed, it takes the subscription along. */
export class SubscriptionLink extends OutboundLink {
  readonly #key: Pick<SubscriptionKey, 'clientId' | 'name'>

  constructor(session: AmqpSession, attach: Attach, key: Pick<SubscriptionKey, 'clientId' | 'name'>) {
    super(session, attach)
    this.#key = key
  }

  /** As it was attached at first, as far as the broker remembers. */
  sourceOf({ pattern }: { readonly pattern: string }): Source {
    const levels = patternFromKey(pattern)
    const address = isLiteral(levels) ? ({ kind: 'topic', levels } as const) : ({ kind: 'topic-pattern', levels } as const)
    return {
      kind: 'source',
      address: spell(address, 'amqp10', this.session.connection.adapter.settings.profile),
      durable: 2,
      expiryPolicy: 'never',
      timeoutSeconds: 0,
      dynamic: false,
      dynamicNodeProperties: new Map(),
      distributionMode: 'copy',
      filters: new Map(),
      defaultOutcome: undefined,
      outcomes: [],
      capabilities: ['topic'],
    }
  }

  wake(): void {}

  protected whenIdle(then: () => void): void {
    then()
  }

  protected onEnd(how: LinkEnd): void {
    if (how !== 'closed') return
    const { adapter, session } = this.session.connection
    adapter.vhost.subscriptions.delete(this.#key.clientId, this.#key.name, session.subject)
  }
}
