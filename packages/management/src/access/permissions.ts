/** Permissions: the rules of the configuration and those made through the API, which count as soon as they are written. */
import {
  type AccessTurn,
  deletePermission,
  listPermissions,
  type PermissionBody,
  type PermissionItem,
  putPermission,
} from '@ternmq/api'
import { type AuthError, checkPermissions, type Permission, type RuleAuthorizer } from '@ternmq/auth'
import type { AccessRule, BrokerConfig } from '@ternmq/config'
import { type Clock, nextTurn } from '@ternmq/core'
import { checkTurnSaid, turnOf } from './access-turn.ts'
import { asApiError } from '../definitions/definition-errors.ts'
import { DEFINITION_ID_RULE, definedOf, PERMISSIONS } from '../definitions/definition-kinds.ts'
import type { DefinitionQueue } from '../definitions/definition-queue.ts'
import type { DefinitionChanges, DefinitionStore } from '../definitions/definition-store.ts'
import { ApiError, type ProblemMore } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

/** Permissions of the API, as the authorizer has them. One change at a time: see `DefinitionQueue`. */
export class PermissionBook {
  readonly #store: DefinitionStore
  readonly #authorizer: RuleAuthorizer
  readonly #clock: Pick<Clock, 'after'>
  /** Since the last `apply`. */
  #changes = new Map<string, Permission | undefined>()

  /** Those that are stored count from here on. */
  constructor(store: DefinitionStore, authorizer: RuleAuthorizer, clock: Pick<Clock, 'after'>) {
    this.#store = store
    this.#authorizer = authorizer
    this.#clock = clock
    authorizer.replacePermissions([...this.all.values()])
  }

  get all(): ReadonlyMap<string, Permission> {
    return this.#store.permissions.all
  }

  /** What putting some and removing others, by their ids, would turn for everybody; undefined: nothing. */
  turnOf(put: readonly string[], removed: readonly string[]): AccessTurn | undefined {
    const { all } = this
    const authorizer = this.#authorizer
    const newCount = put.filter((id) => !all.has(id)).length
    const goneCount = removed.filter((id) => all.has(id)).length
    return turnOf(authorizer.isLimitedWith(all.size), authorizer.isLimitedWith(all.size + newCount - goneCount))
  }

  /** As `turnOf`, of another configuration. */
  turnWith({ auth }: Pick<BrokerConfig, 'auth'>): AccessTurn | undefined {
    const { size } = this.all
    return turnOf(this.#authorizer.isLimitedWith(size), this.#authorizer.isLimitedWith(size, auth))
  }

  /** Lasts when it resolves, and counts with the next `apply`. Rejects as `DefinitionSection.change` does. */
  async change(changes: DefinitionChanges<Permission>): Promise<void> {
    await this.#store.permissions.change(changes)
    for (const [id, permission] of changes) this.#changes.set(id, permission)
  }

  /**
   * When it resolves, decisions are made with what is there now, also those about clients that are connected; until then with what was
   * there before.
   */
  async apply(): Promise<void> {
    const changes = this.#changes
    this.#changes = new Map()
    await this.#authorizer.changePermissions(changes, () => nextTurn(this.#clock))
  }
}

export interface PermissionParts {
  readonly definitions: DefinitionStore
  readonly changes: DefinitionQueue
  readonly permissions: PermissionBook
}

export function permissionHandlers(
  broker: ManagedBroker,
  { definitions, changes, permissions }: PermissionParts,
): Bound[] {
  return [
    bind(listPermissions, ({ query: { user, group } }) => {
      const { rules, defaultAccess } = broker.settings.config.auth
      const all = [...rules.map(fromConfig), ...[...permissions.all.values()].map(fromApi)]
      const items = all.filter(
        (item) => (user === undefined || item.user === user) && (group === undefined || item.group === group),
      )
      return { items, defaultAccess }
    }),
    bind(putPermission, (request) =>
      changes.run(request.caller, async () => {
        const permission = toPermission(request.params.id, request.body)
        checkTurnSaid(permissions.turnOf([permission.id], []), request.query.everybody)
        await permissions.change(new Map([[permission.id, permission]]))
        await permissions.apply()
        request.note(noteOf(permission))
        return fromApi(permission)
      }),
    ),
    bind(deletePermission, ({ params: { id }, query: { everybody }, caller }) =>
      changes.run(caller, async () => {
        refuseConfigId(id)
        if (!definitions.permissions.has(id))
          throw new ApiError('PERMISSION_UNKNOWN', `there is no permission '${id}'`, { field: 'id', value: id })
        checkTurnSaid(permissions.turnOf([], [id]), everybody)
        await permissions.change(new Map([[id, undefined]]))
        await permissions.apply()
        return {}
      }),
    ),
  ]
}

/** Throws ApiError that names field, value and rule. */
export function toPermission(
  id: string,
  { description, user, group, allow = [], deny = [], topics }: PermissionBody,
): Permission {
  refuseConfigId(id)
  const permission: Permission = { id, ...definedOf({ description, user, group }), allow, deny, topics }
  try {
    checkPermissions([permission])
    return PERMISSIONS.check(id, permission)
  } catch (error) {
    const problem = asApiError(error, (refused) => blamed(refused, permission))
    if (problem instanceof ApiError) throw problem
    throw new ApiError('INVALID', `permission '${id}' ${(error as Error).message}`)
  }
}

function refuseConfigId(id: string): void {
  if (!id.startsWith('auth.rules[')) return
  throw new ApiError('FROM_CONFIG', `permission '${id}' is a rule of the configuration; change it there and reload`)
}

const RULES: Readonly<Record<string, string>> = {
  id: DEFINITION_ID_RULE,
  user: "a user name, 'anonymous' or '*', or a group in its place",
  group: 'a group name',
  allow: 'allow or deny has one at least of read, write, browse and admin',
  topics: "one at least: MQTT topic filters, or '$queue/' and a pattern of queue names",
}

/** The message says where, behind the permission's name: `permission 'p'.topics[2] is …`. */
function blamed({ message }: AuthError, permission: Permission): ProblemMore {
  const rest = message.slice(`permission '${permission.id}'`.length)
  const [, named, index] = /^\.(\w+)(?:\[(\d+)\])?/.exec(rest) ?? []
  const field = named ?? unnamedField(message)
  const part: unknown = new Map<string, unknown>(Object.entries(permission)).get(field)
  const at =
    index === undefined ? {} : { field: `${field}[${index}]`, value: (part as readonly unknown[])[Number(index)] }
  return { field, value: part, ...definedOf({ rule: RULES[field] }), ...at }
}

function unnamedField(message: string): string {
  if (message.startsWith('permission id')) return 'id'
  return / is for nobody| has a user and a group/.test(message) ? 'user' : 'allow'
}

function fromConfig({ user, group, allow, deny, topics }: AccessRule, index: number): PermissionItem {
  return { id: `auth.rules[${index}]`, ...definedOf({ user, group }), allow, deny, topics, from: 'config' }
}

function fromApi({ id, description, user, group, allow = [], deny = [], topics }: Permission): PermissionItem {
  return { id, ...definedOf({ description, user, group }), allow, deny, topics, from: 'api' }
}

function noteOf({ user, group, allow = [], deny = [], topics }: Permission): string {
  const who = group === undefined ? `user ${user ?? ''}` : `group ${group}`
  const rights = [...allow.map((action) => `allow ${action}`), ...deny.map((action) => `deny ${action}`)].join(', ')
  return `${who}: ${rights} on ${topics.join(', ')}`
}
