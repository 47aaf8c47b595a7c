/**
 * The four sections of a document: how an entry is checked, compared with what is there, made so, and taken away. A plan is made of them
 * without knowing what a policy is.
 */
import type { Definitions, PlanStep } from '@ternmq/api'
import { MemoryUserStore, type UserRecord } from '@ternmq/auth'
import { type NamedQueue, queueNameOf, type VirtualHost } from '@ternmq/core'
import { type Difference, differences, differenceText } from './definition-diff.ts'
import {
  type DefinedQueue,
  definedQueue,
  type DefinedState,
  permissionEntry,
  policyEntry,
  queueEntry,
  userEntry,
  type UserEntry,
} from './definition-document.ts'
import { asApiError } from './definition-errors.ts'
import { definedOf, policyProblems } from './definition-kinds.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { ApiError } from '../errors.ts'
import { toPermission } from '../access/permissions.ts'
import type { Pieces } from '../pieces.ts'
import { checkPolicyId, toDefinition } from './policies.ts'
import { checkQueueName, defineQueue } from '../destinations/queues.ts'

/** An entry of a document, checked. */
export interface WantedEntry {
  readonly name: string
  /** Undefined: there is none yet. */
  readonly differs: readonly string[] | undefined
}

/** Something that is there and can be taken away. */
export interface PresentEntry {
  readonly name: string
  /** Messages that would go with it. */
  readonly messageCount: number
}

export interface Section {
  readonly kind: PlanStep['kind']
  /** In the order in which they are made. Throws ApiError('INVALID') with the field within the section: `[2].match`. */
  readonly wanted: readonly WantedEntry[]
  readonly present: readonly PresentEntry[]
  /** So many are put, or removed, at a time. */
  readonly batchMax: number
  /** Makes them so: all or none. Rejects with ApiError. */
  put(names: readonly string[]): Promise<void>
  /** Takes them away: all or none. Rejects with ApiError. */
  remove(names: readonly string[]): Promise<void>
  /** What was put and removed counts. */
  apply(): void | Promise<void>
}

/** Definitions that are written together: one wait for the disk for all of them. */
const DEFINITIONS_PER_BATCH = 128

/** What plans are made from. */
export interface PlanParts {
  readonly vhost: VirtualHost
  readonly parts: DefinitionParts
  /** As all is when the plan is begun: what it says differs from this, whatever clients do meanwhile. */
  readonly state: DefinedState
  readonly prune: boolean
  readonly pieces: Pieces
}

/** Those that the document has, in the order in which they are made. Rejects with ApiError('INVALID') naming field, value and rule. */
export async function sectionsOf(document: Definitions, plan: PlanParts): Promise<Section[]> {
  const { users, permissions, policies, queues } = document
  const known = queues === undefined ? undefined : queuesNamed(queues, plan.vhost)
  return [
    ...(users === undefined ? [] : [await userSection(users, plan)]),
    ...(permissions === undefined ? [] : [await permissionSection(permissions, plan)]),
    ...(policies === undefined ? [] : [await policySection(policies, plan)]),
    ...(queues === undefined || known === undefined ? [] : [await queueSection(queues, known, plan)]),
  ]
}

type Entries<K extends 'users' | 'permissions' | 'policies' | 'queues'> = NonNullable<Definitions[K]>

export interface UserSection extends Section {
  readonly records: readonly UserRecord[]
}

async function userSection(
  entries: Entries<'users'>,
  { vhost, parts: { users }, state, prune, pieces }: PlanParts,
): Promise<UserSection> {
  const nowMs = vhost.env.clock.wallMs()
  const checker = new MemoryUserStore()
  const before = new Map(state.users.map((record) => [record.name, record]))
  const records = await checkedEach(
    'users',
    entries,
    ({ name }) => name,
    (entry) => {
      try {
        return checker.check(recordOf(entry, before.get(entry.name), nowMs))
      } catch (error) {
        throw asApiError(error, () => ({ value: entry.name }))
      }
    },
    pieces,
  )
  const isAdministrators = ({ role }: UserRecord): number => (role === 'administrator' ? 0 : 1)
  const inOrder = [...records].sort((a, b) => isAdministrators(a) - isAdministrators(b))
  const byName = new Map(records.map((record) => [record.name, record]))
  const waiting = prune ? await waitingByUser(vhost, pieces) : undefined
  return {
    kind: 'user',
    records,
    wanted: await pieces.map(inOrder, (record) => ({
      name: record.name,
      differs: userDifferences(before.get(record.name), record),
    })),
    present:
      waiting === undefined ? [] : state.users.map(({ name }) => ({ name, messageCount: waiting.get(name) ?? 0 })),
    // One file for all of them, however many they are.
    batchMax: Infinity,
    put: (names) => users.restore(names.map((name) => byName.get(name)!)),
    remove: (names) => users.removeAll(names),
    apply: () => {},
  }
}

/** A login that is left out stays as it is. */
function recordOf(
  { name, role, groups = [], verifier, scram }: UserEntry,
  previous: UserRecord | undefined,
  nowMs: number,
): UserRecord {
  const isLoginGiven = verifier !== undefined || scram !== undefined
  const login = isLoginGiven ? { verifier, scram } : { verifier: previous?.verifier, scram: previous?.scram }
  const isSameLogin = login.verifier === previous?.verifier && login.scram === previous?.scram
  return {
    name,
    groups,
    ...definedOf({ role, ...login }),
    createdAtMs: previous?.createdAtMs ?? nowMs,
    changedAtMs: previous !== undefined && isSameLogin ? previous.changedAtMs : nowMs,
  }
}

/** Of a step for a user, as its detail has it. */
export const OTHER_PASSWORD = 'password: another one'

/** Hashes are not shown. */
function userDifferences(before: UserRecord | undefined, after: UserRecord): readonly string[] | undefined {
  if (before === undefined) return undefined
  const isLogin = ({ key }: Difference): boolean => key === 'verifier' || key === 'scram'
  const all = differences(userEntry(before), userEntry(after))
  return [...all.filter((each) => !isLogin(each)).map(differenceText), ...(all.some(isLogin) ? [OTHER_PASSWORD] : [])]
}

/** Sessions end with their user, with what waits in them. */
async function waitingByUser(
  { sessions, destinations, schedule }: VirtualHost,
  pieces: Pieces,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>()
  const count = (user: string, messages: number): void => {
    if (messages > 0) counts.set(user, (counts.get(user) ?? 0) + messages)
  }
  await pieces.map(sessions.all(), ({ principal: { name, anonymous }, queue }) => {
    if (!anonymous) count(name, queue.waitingCount + queue.inflightCount)
  })
  await pieces.map(destinations.all(), ({ subscription, queue }) => {
    if (subscription?.user !== undefined) count(subscription.user, queue.waitingCount + queue.inflightCount)
  })
  await pieces.map(schedule.all(), ({ user, anonymous }) => {
    if (user !== undefined && anonymous !== true) count(user, 1)
  })
  return counts
}

async function permissionSection(
  entries: Entries<'permissions'>,
  { parts: { definitions, permissions }, state, prune, pieces }: PlanParts,
): Promise<Section> {
  const wanted = await checkedEach(
    'permissions',
    entries,
    ({ id }) => id,
    ({ id, ...body }) => toPermission(id, body),
    pieces,
  )
  const byId = new Map(wanted.map((permission) => [permission.id, permission]))
  return {
    kind: 'permission',
    wanted: await pieces.map(wanted, (permission) => ({
      name: permission.id,
      differs: differing(definitions.permissions.get(permission.id), permissionEntry, permissionEntry(permission)),
    })),
    present: prune ? state.permissions.map(({ id }) => ({ name: id, messageCount: 0 })) : [],
    batchMax: DEFINITIONS_PER_BATCH,
    put: (ids) => permissions.change(new Map(ids.map((id) => [id, byId.get(id)]))),
    remove: (ids) => permissions.change(new Map(ids.map((id) => [id, undefined]))),
    apply: () => permissions.apply(),
  }
}

async function policySection(
  entries: Entries<'policies'>,
  { parts, state, prune, pieces }: PlanParts,
): Promise<Section> {
  const { definitions, policies } = parts
  let nextOrder = Math.max(policies.nextOrder, ...entries.map(({ order = -1 }) => order + 1))
  const wanted = await checkedEach(
    'policies',
    entries,
    ({ id }) => id,
    ({ id, ...body }) => {
      checkPolicyId(id)
      const isPlaced = body.order !== undefined || definitions.policies.get(id) !== undefined
      return { id, policy: toDefinition(id, isPlaced ? body : { ...body, order: nextOrder++ }, parts) }
    },
    pieces,
  )
  const byId = new Map(wanted.map(({ id, policy }) => [id, policy]))
  return {
    kind: 'policy',
    wanted: await pieces.map(wanted, ({ id, policy }) => ({
      name: id,
      differs: differing(definitions.policies.get(id), (before) => policyEntry(id, before), policyEntry(id, policy)),
    })),
    present: prune ? state.policies.map(([id]) => ({ name: id, messageCount: 0 })) : [],
    batchMax: DEFINITIONS_PER_BATCH,
    put: (ids) => policies.change(new Map(ids.map((id) => [id, byId.get(id)]))),
    remove: (ids) => policies.change(new Map(ids.map((id) => [id, undefined]))),
    apply: () => policies.apply(),
  }
}

/** A queue that the document names, as it is. */
interface KnownQueue extends DefinedQueue, Pick<NamedQueue, 'automatic' | 'subscription'> {}

function queuesNamed(entries: Entries<'queues'>, { destinations }: VirtualHost): ReadonlyMap<string, KnownQueue> {
  const known = new Map<string, KnownQueue>()
  for (const { name } of entries) {
    const named = destinations.find(name)
    if (named === undefined) continue
    const { automatic, subscription } = named
    known.set(name, { ...definedQueue(named), automatic, subscription })
  }
  return known
}

async function queueSection(
  entries: Entries<'queues'>,
  known: ReadonlyMap<string, KnownQueue>,
  { vhost, state, prune, pieces }: PlanParts,
): Promise<Section> {
  const { destinations } = vhost
  const wanted = await checkedEach(
    'queues',
    entries,
    ({ name }) => name,
    (entry) => {
      checkQueue(entry, known.get(entry.name))
      return entry
    },
    pieces,
  )
  const byName = new Map(wanted.map((entry) => [entry.name, entry]))
  const put = ({ name, settings = {}, paused = false }: Entries<'queues'>[number]): void => {
    const named = defineQueue(vhost, name, settings)
    if (named.queue.isPaused !== paused) destinations.setPaused(named, paused)
  }
  const remove = (name: string): void => {
    const named = destinations.find(name)
    if (named !== undefined) destinations.delete(named)
  }
  return {
    kind: 'queue',
    wanted: await pieces.map(wanted, (entry) => ({
      name: entry.name,
      differs: queueDifferences(known.get(entry.name), entry),
    })),
    present: prune ? await pieces.map(state.queues, ({ name }) => ({ name, messageCount: heldIn(name, vhost) })) : [],
    batchMax: 1,
    put: async (names) => names.forEach((name) => put(byName.get(name)!)),
    remove: async (names) => names.forEach(remove),
    apply: () => {},
  }
}

function heldIn(name: string, { destinations }: VirtualHost): number {
  const queue = destinations.find(name)?.queue
  return queue === undefined ? 0 : queue.waitingCount + queue.inflightCount
}

function queueDifferences(
  known: KnownQueue | undefined,
  { name, settings = {}, paused = false }: Entries<'queues'>[number],
): readonly string[] | undefined {
  if (known === undefined) return undefined
  const changed = differing(known, queueEntry, { name, settings, ...(paused && { paused }) }) ?? []
  return known.automatic ? ['made by being used → defined', ...changed] : changed
}

/** Throws ApiError. What else is wrong with a name, the core says when the queue is made. */
function checkQueue({ name, settings = {} }: Entries<'queues'>[number], known: KnownQueue | undefined): void {
  if (known?.subscription !== undefined) {
    throw new ApiError('INVALID', `queue '${name}' belongs to a subscription and cannot be defined`, {
      field: 'name',
      value: name,
    })
  }
  if (queueNameOf(name) !== undefined) {
    throw new ApiError(
      'INVALID',
      `the queue's name is '${queueNameOf(name)}'; '$queue/' stands before it in addresses only`,
      { field: 'name', value: name },
    )
  }
  checkQueueName(name, 'name')
  const [problem] = policyProblems({ match: '>', settings })
  if (problem === undefined) return
  throw new ApiError('INVALID', problem.text, { field: problem.field, ...definedOf({ rule: problem.rule }) })
}

function differing<T>(
  before: T | undefined,
  entryOf: (before: T) => object,
  after: object,
): readonly string[] | undefined {
  return before === undefined ? undefined : differences(entryOf(before), after).map(differenceText)
}

/** Rejects with ApiError with the field within the document: `definitions.policies[2].match`. */
function checkedEach<T extends object, U>(
  section: string,
  entries: readonly T[],
  nameOf: (entry: T) => string,
  check: (entry: T) => U,
  pieces: Pieces,
): Promise<U[]> {
  const seen = new Set<string>()
  return pieces.map(entries, (entry, index) => {
    const field = `definitions.${section}[${index}]`
    const name = nameOf(entry)
    if (seen.has(name))
      throw new ApiError('INVALID', `'${name}' is there twice in ${section}; leave one of them out`, {
        field,
        value: name,
      })
    seen.add(name)
    try {
      return check(entry)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const within = error.more.field === undefined || error.more.field === '' ? '' : `.${error.more.field}`
      throw new ApiError(error.code, `${section}, '${name}': ${error.message}`, {
        ...error.more,
        field: `${field}${within}`,
      })
    }
  })
}
