/**
 * The four sections of a document: how an entry is checked, compared with what is there, made so, and taken away. A plan is made of them
 * without knowing what a policy is.
 */
import type { Definitions, PlanStep } from '@ternmq/api'
import { MemoryUserStore, type UserRecord } from '@ternmq/auth'
import { type NamedQueue, queueNameOf, type VirtualHost } from '@ternmq/core'
import { type Difference, differences, differenceText } from './definition-diff.ts'
import {
  isDefined,
  permissionEntry,
  policyEntry,
  queueEntry,
  userEntry,
  type UserEntry,
} from './definition-document.ts'
import { asApiError } from './definition-errors.ts'
import { definedOf, policyProblems } from './definition-kinds.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { ApiError } from './errors.ts'
import { toPermission } from './permissions.ts'
import { checkPolicyId, toDefinition } from './policies.ts'
import { checkQueueName, defineQueue } from './queues.ts'

/** An entry of a document, checked. */
export interface WantedEntry {
  readonly name: string
  /** Undefined: there is none yet. */
  readonly differs: readonly string[] | undefined
  /** Makes it so. Rejects with ApiError. */
  put(this: void): Promise<void>
}

/** Something that is there and can be taken away. */
export interface PresentEntry {
  readonly name: string
  /** Messages that would go with it. */
  readonly messageCount: number
  /** Rejects with ApiError. */
  remove(): Promise<void>
}

export interface Section {
  readonly kind: PlanStep['kind']
  /** In the order in which they are made. Throws ApiError('INVALID') with the field within the section: `[2].match`. */
  readonly wanted: readonly WantedEntry[]
  readonly present: readonly PresentEntry[]
  /** What was put and removed counts. */
  apply(): void
}

/** Those that the document has, in the order in which they are made. Throws ApiError('INVALID') naming field, value and rule. */
export function sectionsOf(document: Definitions, vhost: VirtualHost, parts: DefinitionParts): Section[] {
  const { users, permissions, policies, queues } = document
  return [
    ...(users === undefined ? [] : [userSection(users, vhost, parts)]),
    ...(permissions === undefined ? [] : [permissionSection(permissions, parts)]),
    ...(policies === undefined ? [] : [policySection(policies, parts)]),
    ...(queues === undefined ? [] : [queueSection(queues, vhost)]),
  ]
}

type Entries<K extends 'users' | 'permissions' | 'policies' | 'queues'> = NonNullable<Definitions[K]>

export interface UserSection extends Section {
  readonly records: readonly UserRecord[]
}

function userSection(entries: Entries<'users'>, vhost: VirtualHost, { users }: DefinitionParts): UserSection {
  const nowMs = vhost.env.clock.wallMs()
  const checker = new MemoryUserStore()
  const records = checkedEach(
    'users',
    entries,
    ({ name }) => name,
    (entry) => {
      try {
        return checker.check(recordOf(entry, users.get(entry.name), nowMs))
      } catch (error) {
        throw asApiError(error, () => ({ value: entry.name }))
      }
    },
  )
  const isAdministrators = ({ role }: UserRecord): number => (role === 'administrator' ? 0 : 1)
  // Administrators first: at no moment there is none.
  const inOrder = [...records].sort((a, b) => isAdministrators(a) - isAdministrators(b))
  const compared = inOrder.map((record) => ({ record, differs: userDifferences(users.get(record.name), record) }))
  const isChanged = compared.filter(({ differs }) => differs?.length !== 0).map(({ record }) => record)
  const put = inBatches(isChanged, (batch) => users.restore(batch))
  return {
    kind: 'user',
    records,
    wanted: compared.map(({ record, differs }) => ({ name: record.name, differs, put: () => put(record) })),
    present: users
      .list()
      .map(({ name }) => ({ name, messageCount: waitingFor(name, vhost), remove: () => users.remove(name) })),
    apply: () => {},
  }
}

/** Users that are written together: one file for all of them. */
const USERS_PER_BATCH = 256

/** What does one of `items`: the first of a batch does all of it, and the others are done with it. */
function inBatches<T>(items: readonly T[], work: (batch: readonly T[]) => Promise<void>): (item: T) => Promise<void> {
  const batchOf = new Map<T, () => Promise<void>>()
  for (let from = 0; from < items.length; from += USERS_PER_BATCH) {
    const batch = items.slice(from, from + USERS_PER_BATCH)
    let done: Promise<void> | undefined
    for (const item of batch) batchOf.set(item, () => (done ??= work(batch)))
  }
  return (item) => batchOf.get(item)!()
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

/** Hashes are not shown. */
function userDifferences(before: UserRecord | undefined, after: UserRecord): readonly string[] | undefined {
  if (before === undefined) return undefined
  const isLogin = ({ key }: Difference): boolean => key === 'verifier' || key === 'scram'
  const all = differences(userEntry(before), userEntry(after))
  return [
    ...all.filter((each) => !isLogin(each)).map(differenceText),
    ...(all.some(isLogin) ? ['password: another one'] : []),
  ]
}

/** Sessions end with their user, with what waits in them. */
function waitingFor(user: string, { sessions }: VirtualHost): number {
  return sessions
    .clientIdsOf(user)
    .reduce((sum, clientId) => sum + (sessions.find(clientId)?.queue.waitingCount ?? 0), 0)
}

function permissionSection(entries: Entries<'permissions'>, { definitions, permissions }: DefinitionParts): Section {
  const wanted = checkedEach(
    'permissions',
    entries,
    ({ id }) => id,
    ({ id, ...body }) => toPermission(id, body),
  )
  return {
    kind: 'permission',
    wanted: wanted.map((permission) => ({
      name: permission.id,
      differs: differing(definitions.permissions.get(permission.id), permissionEntry, permissionEntry(permission)),
      put: () => permissions.put(permission),
    })),
    present: [...definitions.permissions.all.keys()].map((id) => ({
      name: id,
      messageCount: 0,
      remove: () => permissions.remove(id),
    })),
    apply: () => permissions.apply(),
  }
}

function policySection(entries: Entries<'policies'>, parts: DefinitionParts): Section {
  const { definitions, policies } = parts
  let nextOrder = Math.max(policies.nextOrder, ...entries.map(({ order = -1 }) => order + 1))
  const wanted = checkedEach(
    'policies',
    entries,
    ({ id }) => id,
    ({ id, ...body }) => {
      checkPolicyId(id)
      const isPlaced = body.order !== undefined || definitions.policies.get(id) !== undefined
      return { id, policy: toDefinition(id, isPlaced ? body : { ...body, order: nextOrder++ }, parts) }
    },
  )
  return {
    kind: 'policy',
    wanted: wanted.map(({ id, policy }) => ({
      name: id,
      differs: differing(definitions.policies.get(id), (before) => policyEntry(id, before), policyEntry(id, policy)),
      put: () => policies.put(id, policy),
    })),
    present: [...definitions.policies.all.keys()].map((id) => ({
      name: id,
      messageCount: 0,
      remove: () => policies.remove(id),
    })),
    apply: () => policies.apply(),
  }
}

function queueSection(entries: Entries<'queues'>, vhost: VirtualHost): Section {
  const { destinations } = vhost
  const wanted = checkedEach(
    'queues',
    entries,
    ({ name }) => name,
    (entry) => {
      checkQueue(entry, destinations.find(entry.name))
      return entry
    },
  )
  const put = async ({ name, settings = {}, paused = false }: Entries<'queues'>[number]): Promise<void> => {
    const named = defineQueue(vhost, name, settings)
    if (named.queue.isPaused !== paused) destinations.setPaused(named, paused)
  }
  return {
    kind: 'queue',
    wanted: wanted.map((entry) => ({
      name: entry.name,
      differs: queueDifferences(destinations.find(entry.name), entry),
      put: () => put(entry),
    })),
    present: [...destinations.all()].filter(isDefined).map((named) => ({
      name: named.name,
      messageCount: named.queue.waitingCount + named.queue.inflightCount,
      remove: async () => destinations.delete(named),
    })),
    apply: () => {},
  }
}

function queueDifferences(
  named: NamedQueue | undefined,
  { name, settings = {}, paused = false }: Entries<'queues'>[number],
): readonly string[] | undefined {
  if (named === undefined) return undefined
  const changed = differing(named, queueEntry, { name, settings, ...(paused && { paused }) }) ?? []
  return named.automatic ? ['made by being used → defined', ...changed] : changed
}

/** Throws ApiError. What else is wrong with a name, the core says when the queue is made. */
function checkQueue({ name, settings = {} }: Entries<'queues'>[number], named: NamedQueue | undefined): void {
  if (named?.subscription !== undefined) {
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

/** Throws ApiError with the field within the document: `definitions.policies[2].match`. */
function checkedEach<T extends object, U>(
  section: string,
  entries: readonly T[],
  nameOf: (entry: T) => string,
  check: (entry: T) => U,
): U[] {
  const seen = new Set<string>()
  return entries.map((entry, index) => {
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
