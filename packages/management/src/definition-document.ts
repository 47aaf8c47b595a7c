/**
 * All that is defined as one document: the same state always makes the same one, with nothing in it that says the default. What the
 * configuration has is not in it, nor what was made by being used.
 */
import type { Definitions } from '@ternmq/api'
import type { Permission, UserRecord } from '@ternmq/auth'
import { isReservedName, type NamedQueue, type VirtualHost } from '@ternmq/core'
import { definedOf, type PolicyDefinition } from './definition-kinds.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { fromCoreSettings } from './queue-settings.ts'

export type UserEntry = NonNullable<Definitions['users']>[number]
export type PermissionEntry = NonNullable<Definitions['permissions']>[number]
export type PolicyEntry = NonNullable<Definitions['policies']>[number]
export type QueueEntry = NonNullable<Definitions['queues']>[number]

export function documentOf(
  vhost: VirtualHost,
  parts: Pick<DefinitionParts, 'users' | 'definitions'>,
): Required<Definitions> {
  const { users, definitions } = parts
  return {
    version: 1,
    users: [...users.list()].map(userEntry).sort(byName),
    permissions: [...definitions.permissions.all.values()].map(permissionEntry).sort(byId),
    policies: [...definitions.policies.all]
      .map(([id, policy]) => policyEntry(id, policy))
      .sort((a, b) => a.order - b.order || byId(a, b)),
    queues: [...vhost.destinations.all()].filter(isDefined).map(queueEntry).sort(byName),
  }
}

export function userEntry({ name, role, groups, verifier, scram }: UserRecord): UserEntry {
  return { name, ...definedOf({ role, groups: unlessEmpty(groups), verifier, scram }) }
}

export function permissionEntry({
  id,
  description,
  user,
  group,
  allow = [],
  deny = [],
  topics,
}: Permission): PermissionEntry {
  return { id, ...definedOf({ description, user, group, allow: unlessEmpty(allow), deny: unlessEmpty(deny) }), topics }
}

export function policyEntry(
  id: string,
  { match, settings, order }: PolicyDefinition,
): PolicyEntry & { readonly order: number } {
  return { id, match, settings, order }
}

export function queueEntry({ name, given, queue }: NamedQueue): QueueEntry {
  const settings = fromCoreSettings(given)
  return { name, ...(Object.keys(settings).length > 0 && { settings }), ...(queue.isPaused && { paused: true }) }
}

/** Somebody has said that there is to be this queue. */
export function isDefined({ name, automatic, subscription }: NamedQueue): boolean {
  return !automatic && subscription === undefined && !isReservedName(name)
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compare(a.name, b.name)
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compare(a.id, b.id)
}

/** By UTF-16 units: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
