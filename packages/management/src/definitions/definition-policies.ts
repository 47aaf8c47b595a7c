/** Policies as they count: those of the configuration first, then those of the API by their order, each with a name for operators. */
import { isDeepStrictEqual } from 'node:util'
import type { PolicyItem } from '@ternmq/api'
import type { BrokerConfig } from '@ternmq/config'
import { Policies, type VirtualHost } from '@ternmq/core'
import type { PolicyDefinition } from './definition-kinds.ts'
import type { DefinitionChanges, DefinitionStore } from './definition-store.ts'
import { toQueueDefaults, toQueuePolicies } from '../destinations/queue-settings.ts'

export type LayeredPolicy = Omit<PolicyItem, 'queueCount'>

type ApiPolicies = ReadonlyMap<string, PolicyDefinition>

export class PolicyLayers {
  readonly #vhost: VirtualHost
  readonly #store: DefinitionStore
  #config: Pick<BrokerConfig, 'queues' | 'policies'>

  /** Counts from here on: before the log is opened, so that its queues have the right settings from the start. */
  constructor(vhost: VirtualHost, store: DefinitionStore, config: Pick<BrokerConfig, 'queues' | 'policies'>) {
    this.#vhost = vhost
    this.#store = store
    this.#config = config
    this.#fill(this.#vhost.policies, this.#store.policies.all)
  }

  /** Another configuration counts, when it says something else of queues; the API's policies stay, over it. Resolves as `apply` does. */
  async useConfig({ queues, policies }: Pick<BrokerConfig, 'queues' | 'policies'>): Promise<void> {
    const isSame = isDeepStrictEqual([queues, policies], [this.#config.queues, this.#config.policies])
    this.#config = { queues, policies }
    if (!isSame) await this.apply()
  }

  /** Lasts when it resolves, and counts with the next `apply`. Rejects as `DefinitionSection.change` does. */
  change(changes: DefinitionChanges<PolicyDefinition>): Promise<void> {
    return this.#store.policies.change(changes)
  }

  /** Queues that are made have their settings by it from now on; all others, when it resolves: see `Destinations.applyPolicies`. */
  apply(): Promise<void> {
    this.#fill(this.#vhost.policies, this.#store.policies.all)
    return this.#vhost.destinations.applyPolicies()
  }

  /** As they are laid over one another, the last one on top. */
  list(): LayeredPolicy[] {
    return this.#layers(this.#store.policies.all)
  }

  /** As they are now, whatever changes later. */
  asTheyAre(): Policies {
    const policies = new Policies()
    this.#fill(policies, this.#store.policies.all)
    return policies
  }

  /** As they would be with this one among them, in place of the one of that id. */
  with(id: string, policy: PolicyDefinition): Policies {
    const policies = new Policies()
    this.#fill(policies, new Map(this.#store.policies.all).set(id, policy))
    return policies
  }

  /** Behind all others of the API. */
  get nextOrder(): number {
    return Math.max(0, ...[...this.#store.policies.all.values()].map(({ order }) => order + 1))
  }

  #fill(policies: Policies, api: ApiPolicies): void {
    policies.use(toQueueDefaults(this.#config.queues), toQueuePolicies(this.#layers(api)))
  }

  #layers(api: ApiPolicies): LayeredPolicy[] {
    const fromConfig = this.#config.policies.map(({ match, settings }, order): LayeredPolicy => ({
      id: configPolicyId(order),
      match,
      settings,
      order,
      from: 'config',
    }))
    const fromApi = [...api].map(([id, policy]): LayeredPolicy => ({ id, ...policy, from: 'api' }))
    return [...fromConfig, ...fromApi.sort((a, b) => a.order - b.order || (a.id < b.id ? -1 : 1))]
  }
}

/** What those of the configuration are called, by their place. */
export function configPolicyId(index: number): string {
  return `config[${index}]`
}
