/**
 * What an operator says about queues by pattern: defaults for all, then each policy that matches, later ones over earlier ones.
 */
import { ALL_BELOW, ONE_LEVEL, type PatternLevel, queueLevels } from '../routing/address.ts'
import type { RedeliverySettings } from '../queue/redelivery-policy.ts'
import { DEFAULT_QUEUE_SETTINGS, type QueueSettings } from '../queue/settings.ts'
import { TopicTree } from '../routing/topic-tree.ts'

/** What is left out is as without the policy, also inside `redelivery`. */
export type PolicySettings = Partial<Omit<QueueSettings, 'redelivery'>> & {
  readonly redelivery?: Partial<RedeliverySettings>
}

export interface Policy {
  /** What operators call it. */
  readonly id?: string
  /** Levels with `.` between; `*` is one level, `>` at the end all below. */
  readonly match: string
  readonly settings: PolicySettings
}

interface Placed {
  /** Its place among all of them. */
  readonly order: number
  readonly policy: Policy
}

export class Policies {
  #defaults: QueueSettings
  #all: readonly Policy[] = []
  #byPattern = new TopicTree<Placed>()

  constructor(defaults: QueueSettings = DEFAULT_QUEUE_SETTINGS) {
    this.#defaults = defaults
  }

  use(defaults: QueueSettings, policies: readonly Policy[]): void {
    this.#defaults = defaults
    this.#all = policies
    this.#byPattern = new TopicTree<Placed>()
    for (const [order, policy] of policies.entries()) this.#byPattern.add(queuePattern(policy.match), { order, policy })
  }

  /** What holds where no policy says otherwise. */
  get defaults(): QueueSettings {
    return this.#defaults
  }

  get all(): readonly Policy[] {
    return this.#all
  }

  /** Those that say something of the queue; of two that say something of the same, the later one counts. */
  matching(name: string): Policy[] {
    const found: Placed[] = []
    this.#byPattern.match(queueLevels(name), found)
    return found.sort((one, other) => one.order - other.order).map(({ policy }) => policy)
  }

  settingsFor(name: string): QueueSettings {
    let settings = this.#defaults
    for (const policy of this.matching(name)) settings = laidOver(settings, policy.settings)
    return settings
  }
}

/** What `given` says, and the rest as in `settings`, key by key, also inside `redelivery`. */
export function laidOver(settings: QueueSettings, given: PolicySettings): QueueSettings {
  return { ...settings, ...given, redelivery: { ...settings.redelivery, ...given.redelivery } }
}

/** `orders.*.new`, `orders.>`: as queues are matched by policies and by wildcard consumers. */
export function queuePattern(text: string): PatternLevel[] {
  return text.split('.').map((level, index, all) => {
    if (level === '*') return ONE_LEVEL
    return level === '>' && index === all.length - 1 ? ALL_BELOW : level
  })
}

/** True when the name is a pattern of queues. */
export function isQueuePattern(text: string): boolean {
  return queuePattern(text).some((level) => typeof level !== 'string')
}
