/**
 * All that is defined as one document: the same state always makes the same one, with nothing in it that says the default. What the
 * configuration has is not in it, nor what was made by being used.
 */
import type { Definitions } from '@ternmq/api'
import type { Permission, UserRecord } from '@ternmq/auth'
import { isReservedName, type NamedQueue, type VirtualHost } from '@ternmq/core'
import { definedOf, type PolicyDefinition } from './definition-kinds.ts'
import type { DefinitionParts } from './definition-parts.ts'
import type { Pieces } from '../pieces.ts'
import { fromCoreSettings } from '../destinations/queue-settings.ts'

export type UserEntry = NonNullable<Definitions['users']>[number]
export type PermissionEntry = NonNullable<Definitions['permissions']>[number]
export type PolicyEntry = NonNullable<Definitions['policies']>[number]
export type QueueEntry = NonNullable<Definitions['queues']>[number]

/** All that is defined at one moment. Nothing in it changes later: what changes is replaced where it is kept. */
export interface DefinedState {
  readonly users: readonly UserRecord[]
  readonly permissions: readonly Permission[]
  readonly policies: ReadonlyArray<readonly [id: string, policy: PolicyDefinition]>
  readonly queues: readonly DefinedQueue[]
}

export interface DefinedQueue extends Pick<NamedQueue, 'name' | 'given'> {
  readonly isPaused: boolean
}

/** Takes note of all of it in one go: a reference each. */
export function stateOf(vhost: VirtualHost, parts: Pick<DefinitionParts, 'users' | 'definitions'>): DefinedState {
  const { users, definitions } = parts
  return {
    users: users.list(),
    permissions: [...definitions.permissions.all.values()],
    policies: [...definitions.policies.all],
    queues: [...vhost.destinations.all()].filter(isDefined).map(definedQueue),
  }
}

export async function documentOf(
  { users, permissions, policies, queues }: DefinedState,
  pieces: Pieces,
): Promise<Required<Definitions>> {
  return {
    version: 1,
    users: await pieces.map(users.toSorted(byName), userEntry),
    permissions: await pieces.map(permissions.toSorted(byId), permissionEntry),
    policies: (await pieces.map(policies, ([id, policy]) => policyEntry(id, policy))).sort(
      (a, b) => a.order - b.order || byId(a, b),
    ),
    queues: await pieces.map(queues.toSorted(byName), queueEntry),
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

export function queueEntry({ name, given, isPaused }: DefinedQueue): QueueEntry {
  const settings = fromCoreSettings(given)
  return { name, ...(Object.keys(settings).length > 0 && { settings }), ...(isPaused && { paused: true }) }
}

export function definedQueue({ name, given, queue }: NamedQueue): DefinedQueue {
  return { name, given, isPaused: queue.isPaused }
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
