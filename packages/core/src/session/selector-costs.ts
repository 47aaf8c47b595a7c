/**
 * What the selectors of topic subscriptions cost, by whom they are for: each publish asks all of a topic, so that one client with
 * thousands of them would slow down all publishers. Those of queues are asked in turns of their own, see `queue/dispatch.ts`.
 */
import type { CoreLimits } from '../limits.ts'
import type { RefusalDetail } from '../refusal.ts'
import type { Binding } from '../routing/router.ts'

/** Whose the selectors are, in words for refusals that are also their key. */
export type SelectorHolder = string

/** `clientId` is that of the session, whether it is there or not; without one a subscription is shared by all clients of `user`. */
export function selectorHolder(clientId: string | undefined, user: string): SelectorHolder {
  return clientId === undefined
    ? `the subscriptions that clients of user '${user}' share`
    : `the topic subscriptions of session '${clientId}', durable ones included,`
}

export class SelectorCosts {
  readonly #limits: CoreLimits
  /** As long as there are any. */
  readonly #byHolder = new Map<SelectorHolder, number>()

  constructor(limits: CoreLimits) {
    this.#limits = limits
  }

  /** The router has the binding. */
  add(holder: SelectorHolder, { selector }: Binding): void {
    this.#change(holder, selector?.cost ?? 0)
  }

  /** The router has it no more. */
  remove(holder: SelectorHolder, { selector }: Binding): void {
    this.#change(holder, -(selector?.cost ?? 0))
  }

  /** Why `cost` more is too much, when `freed` goes with it; undefined when there is room. */
  refusalOf(holder: SelectorHolder, subject: string, cost: number, freed: number = 0): RefusalDetail | undefined {
    const sum = (this.#byHolder.get(holder) ?? 0) - freed
    const { selectorCostPerSessionMax } = this.#limits
    // Without a selector there is nothing to ask, also where the limit is lower than it was.
    if (cost === 0 || sum + cost <= selectorCostPerSessionMax) return undefined
    const text =
      `the selectors of ${holder} cost ${sum} for each message, and one that costs ${cost} would exceed ` +
      `limits.selectorCostPerSessionMax ${selectorCostPerSessionMax}; unsubscribe first, or use selectors that cost less`
    return { refusal: 'limit-reached', subject, text }
  }

  #change(holder: SelectorHolder, by: number): void {
    if (by === 0) return
    const sum = (this.#byHolder.get(holder) ?? 0) + by
    if (sum === 0) this.#byHolder.delete(holder)
    else this.#byHolder.set(holder, sum)
  }
}
