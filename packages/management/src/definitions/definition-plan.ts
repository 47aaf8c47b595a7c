/**
 * What it takes to make the state what a document says: steps in an order that works, users before what is for them, deletions last. The id
 * of a plan stands for the state that it was made for and the document together.
 */
import { createHash } from 'node:crypto'
import type { AccessTurn, Definitions, Plan, PlanBody, PlanStep } from '@ternmq/api'
import type { UserRecord } from '@ternmq/auth'
import type { VirtualHost } from '@ternmq/core'
import { TURN_TEXTS } from '../access/access-turn.ts'
import { documentOf, stateOf } from './definition-document.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { OTHER_PASSWORD, type PresentEntry, type Section, sectionsOf, type UserSection } from './definition-sections.ts'
import type { Pieces } from '../pieces.ts'
import { isAdministrator } from '../access/users.ts'

export interface PlannedStep {
  readonly shown: PlanStep
  readonly section: Section
}

export interface MadePlan {
  readonly id: string
  readonly steps: readonly PlannedStep[]
  readonly warnings: readonly string[]
  readonly turns: AccessTurn | undefined
  readonly unchangedCount: number
}

/** Characters of the hash: nobody has to fear one like it. */
const ID_CHARS = 32

/**
 * Of all that is defined at the moment of the call, in pieces. Rejects with ApiError: INVALID naming field, value and rule; CONFLICT when
 * nobody would be left as administrator.
 */
export async function makePlan(
  { definitions: document, prune = false }: PlanBody,
  caller: string,
  vhost: VirtualHost,
  parts: DefinitionParts,
  pieces: Pieces,
): Promise<MadePlan> {
  const state = stateOf(vhost, parts)
  const sections = await sectionsOf(document, { vhost, parts, state, prune, pieces })
  const puts: PlannedStep[] = []
  let unchangedCount = 0
  for (const section of sections) {
    for (const { name, differs } of section.wanted) {
      if (differs?.length === 0) unchangedCount++
      else {
        const change = differs === undefined ? 'create' : 'change'
        puts.push({ section, shown: { ...stepOf(section, name), change, detail: differs ?? [] } })
      }
    }
  }
  const deletes = prune ? sections.toReversed().flatMap((section) => deletesOf(section, caller, parts)) : []
  checkAdministrators(sections, deletes, parts)
  const now = await documentOf(state, pieces)
  const steps = [...puts, ...deletes]
  const turns = parts.permissions.turnOf(permissionsIn(puts), permissionsIn(deletes))
  return {
    id: await idOf(document, prune, now, pieces),
    steps,
    warnings: [...(turns === undefined ? [] : [TURN_TEXTS[turns]]), ...otherPasswords(steps, state.users)],
    turns,
    unchangedCount,
  }
}

export function shownPlan({ id, steps, warnings, turns, unchangedCount }: MadePlan): Plan {
  return { id, steps: steps.map(({ shown }) => shown), warnings, turns, unchangedCount }
}

function permissionsIn(steps: readonly PlannedStep[]): string[] {
  return steps.filter(({ shown }) => shown.kind === 'permission').map(({ shown }) => shown.name)
}

/** Of those who work with the console and commands: a document from elsewhere may bring the password that `admin` has there. */
function otherPasswords(steps: readonly PlannedStep[], users: readonly UserRecord[]): string[] {
  const changed = new Set(
    steps
      .filter(({ shown: { kind, detail } }) => kind === 'user' && detail.includes(OTHER_PASSWORD))
      .map(({ shown }) => shown.name),
  )
  const names = users.filter(({ name, role }) => role !== undefined && changed.has(name)).map(({ name }) => name)
  if (names.length === 0) return []
  const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : ''
  return [`another password for ${names.slice(0, NAMED_MAX).join(', ')}${more}: the one until now lets nobody in`]
}

/** In one warning; the steps have all of them. */
const NAMED_MAX = 5

function stepOf({ kind }: Section, name: string): Pick<PlanStep, 'kind' | 'name' | 'messagesAtRisk'> {
  return { kind, name, messagesAtRisk: 0 }
}

function deletesOf(section: Section, caller: string, { users }: DefinitionParts): PlannedStep[] {
  const wanted = new Set(section.wanted.map(({ name }) => name))
  const extra = section.present.filter(({ name }) => !wanted.has(name))
  const going =
    section.kind === 'user' ? withoutThoseThatStay(extra, section as UserSection, caller, users.list()) : extra
  return going.map((entry) => ({
    section,
    shown: { ...stepOf(section, entry.name), change: 'delete', detail: [], messagesAtRisk: entry.messageCount },
  }))
}

/** Whoever prunes does not prune himself, and somebody stays who can log in as administrator. */
function withoutThoseThatStay(
  extra: readonly PresentEntry[],
  { records }: UserSection,
  caller: string,
  users: readonly UserRecord[],
): PresentEntry[] {
  const going = extra.filter(({ name }) => name !== caller)
  const gone = new Set([...going, ...records].map(({ name }) => name))
  const stays = [...records, ...users.filter(({ name }) => !gone.has(name))].some(isAdministrator)
  if (stays) return going
  const last = users.filter(isAdministrator).find(({ name }) => gone.has(name))
  return going.filter(({ name }) => name !== last?.name)
}

function checkAdministrators(
  sections: readonly Section[],
  deletes: readonly PlannedStep[],
  { users }: DefinitionParts,
): void {
  const section = sections.find(({ kind }) => kind === 'user') as UserSection | undefined
  if (section === undefined) return
  const removed = deletes.filter(({ shown }) => shown.kind === 'user').map(({ shown }) => shown.name)
  users.checkAdministrators(section.records, removed)
}

/** Only of the sections that the document has: what is elsewhere may change meanwhile. */
async function idOf(
  document: Definitions,
  prune: boolean,
  now: Required<Definitions>,
  pieces: Pieces,
): Promise<string> {
  const hash = createHash('sha256').update(`${document.version} ${prune}\n`)
  for (const key of ['users', 'permissions', 'policies', 'queues'] as const) {
    const wanted = document[key]
    if (wanted === undefined) continue
    // No entry has a line break, so that each list has an end.
    hash.update(`${key}\n`)
    for (const entries of [wanted, now[key] ?? []]) {
      await pieces.map<object, unknown>(entries, (entry) => hash.update(`${JSON.stringify(entry)}\n`))
      hash.update('\n')
    }
  }
  return hash.digest('hex').slice(0, ID_CHARS)
}
