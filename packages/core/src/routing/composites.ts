/**
 * Addresses that lead to several destinations: a list that a client gives, or a queue whose settings say where its messages go besides.
 * A message to one of them becomes a message for each destination, all of them or none.
 */
import { queueNameOf } from './address.ts'
import { COMPOSITE_PARTS_MAX } from '../limits.ts'
import type { RefusalDetail } from '../refusal.ts'
import { routeTo } from '../publish/routed-message.ts'
import { Route, type RouteSource } from './router.ts'
import type { VirtualHost } from '../virtual-host.ts'

/** Where the messages of a composite go; `flaw` says why they cannot. */
export interface Spread {
  readonly parts: readonly Route[]
  readonly flaw: RefusalDetail | undefined
}

/**
 * Follows the forwards of queues from `members` on; each destination counts once. `subject` is the composite, for refusals.
 */
export function spread(vhost: VirtualHost, subject: string, members: readonly Route[]): Spread {
  const parts: Route[] = []
  const seen = new Set<string>()
  const waiting = [...members]
  for (const route of waiting) {
    if (seen.has(route.topic)) continue
    seen.add(route.topic)
    if (seen.size > COMPOSITE_PARTS_MAX) {
      return flawed('limit-reached', subject, `it leads to more than ${COMPOSITE_PARTS_MAX} destinations (COMPOSITE_PARTS_MAX)`)
    }
    const name = queueNameOf(route.topic)
    const named = name === undefined ? undefined : vhost.destinations.ensure(name)
    if (named?.ok === false) return flawed(named.detail.refusal, subject, named.detail.text)
    const { forwardTo, forwardOnly } = named?.value.queue.settings ?? NO_FORWARDS
    if (forwardTo.length === 0 || !forwardOnly) parts.push(route)
    for (const address of forwardTo) waiting.push(routeTo(vhost, address))
  }
  if (parts.length === 0) return flawed('mismatch', subject, 'its forwards lead in a circle, and no queue on it keeps anything')
  return { parts, flaw: undefined }
}

/** Where a list of addresses in core form leads. Keep the route. */
export function routeToAll(vhost: VirtualHost, addresses: readonly string[]): Route {
  return new Route(addresses.join(','), new ListSource(vhost, addresses), addresses)
}

class ListSource implements RouteSource {
  /** What each of the list's addresses alone would be; for permissions. */
  readonly #members: readonly Route[]
  readonly #vhost: VirtualHost

  constructor(vhost: VirtualHost, addresses: readonly string[]) {
    this.#vhost = vhost
    this.#members = addresses.map((address) => routeTo(vhost, address))
  }

  get generation(): number {
    return this.#vhost.destinations.generation
  }

  resolve(route: Route): void {
    const { parts, flaw } = spread(this.#vhost, route.topic, this.#members)
    route.lead([], this.generation, parts, flaw)
  }
}

const NO_FORWARDS = { forwardTo: [], forwardOnly: false } as const

function flawed(refusal: RefusalDetail['refusal'], subject: string, why: string): Spread {
  return { parts: [], flaw: { refusal, subject, text: `nothing can be sent to '${subject}': ${why}` } }
}
