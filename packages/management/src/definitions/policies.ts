/** Policies: which there are, and how they are changed, tried and taken back. */
import {
  deletePolicy,
  listPolicies,
  type PolicyBody,
  type PolicyItem,
  type PolicyPreview,
  previewPolicy,
  putPolicy,
  several,
} from '@ternmq/api'
import { type NamedQueue, Policies } from '@ternmq/core'
import { differences, leavesOf } from './definition-diff.ts'
import {
  DEFINITION_ID_RULE,
  isDefinitionId,
  isOrder,
  POLICY_ORDER_MAX,
  type PolicyDefinition,
  policyProblems,
} from './definition-kinds.ts'
import type { PolicyLayers } from './definition-policies.ts'
import type { DefinitionQueue } from './definition-queue.ts'
import type { DefinitionStore } from './definition-store.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { Pieces } from '../pieces.ts'
import { fromCoreSettings, toQueuePolicies } from '../destinations/queue-settings.ts'
import { vhostOf } from '../vhost.ts'

/** Queues that a preview names, and changes that it shows. */
const PREVIEW_QUEUES_MAX = 100
const PREVIEW_CHANGES_MAX = 1_000

/** A name that no policy has. */
const NEW_POLICY = ''

export interface PolicyParts {
  readonly definitions: DefinitionStore
  readonly changes: DefinitionQueue
  readonly policies: PolicyLayers
}

export function policyHandlers(broker: ManagedBroker, parts: PolicyParts): Bound[] {
  const { definitions, changes, policies } = parts
  return [
    bind(listPolicies, async ({ params }) => {
      vhostOf(broker, params)
      const counts = await queueCounts(broker)
      return { items: policies.list().map((policy) => ({ ...policy, queueCount: counts.get(policy.id) ?? 0 })) }
    }),
    bind(putPolicy, (request) =>
      changes.run(request.caller, async (): Promise<PolicyItem> => {
        const { params, body } = request
        vhostOf(broker, params)
        const { id } = params
        checkPolicyId(id)
        const policy = toDefinition(id, body, parts)
        await policies.change(new Map([[id, policy]]))
        await policies.apply()
        const queueCount = (await queueCounts(broker)).get(id) ?? 0
        request.note(
          `match ${policy.match}, ${several(queueCount, 'queue')}, ${[...leavesOf(policy.settings)].map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')}`,
        )
        return { id, ...policy, from: 'api', queueCount }
      }),
    ),
    bind(deletePolicy, (request) =>
      changes.run(request.caller, async () => {
        vhostOf(broker, request.params)
        const { id } = request.params
        checkPolicyId(id)
        if (!definitions.policies.has(id)) throw policyUnknown(id)
        await policies.change(new Map([[id, undefined]]))
        await policies.apply()
        return {}
      }),
    ),
    bind(previewPolicy, ({ params, body }) => {
      vhostOf(broker, params)
      const id = body.id ?? NEW_POLICY
      return preview(broker, id, toDefinition(id, body, parts), policies)
    }),
  ]
}

/** Throws ApiError for one of the configuration, or one that cannot be. */
export function checkPolicyId(id: string): void {
  if (id.startsWith('config[')) {
    const index = /^config\[(\d+)\]$/.exec(id)?.[1] ?? ''
    throw new ApiError(
      'FROM_CONFIG',
      `policy '${id}' is in the configuration (policies[${index}]); change it there and reload, or make one here that is laid over it`,
    )
  }
  if (isDefinitionId(id)) return
  throw new ApiError('INVALID', `the id '${id.slice(0, 100)}' of a policy is not ${DEFINITION_ID_RULE}`, {
    field: 'id',
    value: id,
    rule: DEFINITION_ID_RULE,
  })
}

/** Throws ApiError('INVALID') that names field, value and rule. */
export function toDefinition(
  id: string,
  { match, settings, order }: PolicyBody,
  { definitions, policies }: Pick<PolicyParts, 'definitions' | 'policies'>,
): PolicyDefinition {
  const [problem, ...others] = policyProblems({ match, settings }).map(({ field, text, rule }) => ({
    detail: text,
    field,
    value: leavesOf({ match, settings }).get(field),
    ...(rule !== undefined && { rule }),
  }))
  if (problem !== undefined)
    throw new ApiError('INVALID', problem.detail, { ...problem, ...(others.length > 0 && { others }) })
  const place: unknown = order ?? definitions.policies.get(id)?.order ?? policies.nextOrder
  if (isOrder(place)) return { match, settings, order: place }
  const rule = `a whole number from 0 to ${POLICY_ORDER_MAX}`
  throw new ApiError('INVALID', `order is ${JSON.stringify(place)}; allowed is ${rule}`, {
    field: 'order',
    value: place,
    rule,
  })
}

function policyUnknown(id: string): ApiError {
  return new ApiError('POLICY_UNKNOWN', `there is no policy '${id}'`, { field: 'id', value: id })
}

/** By id. Of queues that come and go meanwhile, some count. */
async function queueCounts({ vhost }: ManagedBroker): Promise<ReadonlyMap<string | undefined, number>> {
  const counts = new Map<string | undefined, number>()
  const pieces = new Pieces(vhost.env.clock)
  for (const { name } of vhost.destinations.all()) {
    for (const { id } of vhost.policies.matching(name)) counts.set(id, (counts.get(id) ?? 0) + 1)
    await pieces.step()
  }
  return counts
}

/**
 * Looks at the queues that the policy matches, and at those that it matched as it is now. In pieces: the policies are those of the moment of
 * the call; of queues that come and go meanwhile, some count.
 */
async function preview(
  { vhost }: ManagedBroker,
  id: string,
  policy: PolicyDefinition,
  layers: PolicyLayers,
): Promise<PolicyPreview> {
  const now = layers.asTheyAre()
  const next = layers.with(id, policy)
  const alone = new Policies()
  const before = layers.list().find((each) => each.id === id)
  alone.use(now.defaults, toQueuePolicies([{ ...policy, id }]))
  const aloneBefore = new Policies()
  aloneBefore.use(now.defaults, toQueuePolicies(before === undefined ? [] : [before]))
  const queues: string[] = []
  const changes: PolicyPreview['changes'][number][] = []
  let queueCount = 0
  const pieces = new Pieces(vhost.env.clock)
  for (const named of vhost.destinations.all()) {
    const isMatched = alone.matching(named.name).length > 0
    if (isMatched && ++queueCount <= PREVIEW_QUEUES_MAX) queues.push(named.name)
    const isLookedAt = isMatched || aloneBefore.matching(named.name).length > 0
    if (isLookedAt && changes.length < PREVIEW_CHANGES_MAX) changes.push(...changesOf(named, now, next))
    await pieces.step()
  }
  return { queueCount, queues, changes: changes.slice(0, PREVIEW_CHANGES_MAX) }
}

/** What the queue says itself stays as it is. */
function changesOf({ name, given }: NamedQueue, now: Policies, next: Policies): PolicyPreview['changes'][number][] {
  const own = leavesOf(fromCoreSettings(given))
  return differences(fromCoreSettings(now.settingsFor(name)), fromCoreSettings(next.settingsFor(name)))
    .filter(({ key }) => !own.has(key))
    .map((change) => ({ queue: name, ...change }))
}
