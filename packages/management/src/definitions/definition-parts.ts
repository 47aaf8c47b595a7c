/** All that is defined through the API, put together and counting; and the calls that are about it. */
import type { RuleAuthorizer, TokenBook, UserStore } from '@ternmq/auth'
import type { BrokerConfig } from '@ternmq/config'
import type { VirtualHost } from '@ternmq/core'
import { canHandlers } from '../access/can.ts'
import { configHandlers } from '../broker/config.ts'
import { PolicyLayers } from './definition-policies.ts'
import { DefinitionQueue } from './definition-queue.ts'
import type { DefinitionStore } from './definition-store.ts'
import { documentHandlers } from './definitions.ts'
import type { Bound } from '../handlers.ts'
import { healthHandlers } from '../broker/health.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { PermissionBook, permissionHandlers } from '../access/permissions.ts'
import { policyHandlers } from './policies.ts'
import { resolveHandlers } from '../destinations/resolve.ts'
import { storeHandlers } from '../broker/store.ts'
import { tokenHandlers, Tokens } from '../access/tokens.ts'
import { UserAdmin, userHandlers } from '../access/users.ts'

export interface DefinitionPartsOptions {
  readonly definitions: DefinitionStore
  /** Before its log is opened, so that queues come back with the settings that policies give them. */
  readonly vhost: VirtualHost
  readonly authorizer: RuleAuthorizer
  readonly users: UserStore
  /** Empty; the one that logins ask. */
  readonly tokenBook: TokenBook
  readonly config: BrokerConfig
  /** Whether new passwords get a SCRAM verifier. */
  readonly scram: () => boolean
}

export interface DefinitionParts {
  readonly definitions: DefinitionStore
  readonly changes: DefinitionQueue
  readonly authorizer: RuleAuthorizer
  readonly policies: PolicyLayers
  readonly permissions: PermissionBook
  readonly users: UserAdmin
  readonly tokens: Tokens
  /** Users may outlive the broker. */
  close(): void
}

/** Before anything listens. Throws AuthError for stored permissions that cannot be. */
export async function openDefinitionParts(options: DefinitionPartsOptions): Promise<DefinitionParts> {
  const { definitions, vhost, authorizer, users, tokenBook, config, scram } = options
  const tokens = await Tokens.open(definitions, users, tokenBook)
  // A program that embeds the broker removes users by itself.
  const close = users.onChange(({ kind, name }) => kind === 'removed' && tokens.forget(name))
  return {
    definitions,
    changes: new DefinitionQueue(),
    authorizer,
    policies: new PolicyLayers(vhost, definitions, config),
    permissions: new PermissionBook(definitions, authorizer, vhost.env.clock),
    users: new UserAdmin({
      users,
      scram,
      nowMs: () => vhost.env.clock.wallMs(),
      beforeRemove: (names) => tokens.removeOf(names),
    }),
    tokens,
    close,
  }
}

export function definitionHandlers(broker: ManagedBroker, parts: DefinitionParts): Bound[] {
  return [
    ...userHandlers(broker, parts),
    ...permissionHandlers(broker, parts),
    ...tokenHandlers(broker, parts),
    ...policyHandlers(broker, parts),
    ...documentHandlers(broker, parts),
    ...configHandlers(broker, parts),
    ...canHandlers(broker, parts),
    ...resolveHandlers(broker),
    ...storeHandlers(broker),
    ...healthHandlers(broker),
  ]
}
