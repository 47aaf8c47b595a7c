/**
 * What it takes to make the state what a document says: steps in an order that works, users before what is for them, deletions last. The id
 * of a plan stands for the state that it was made for and the document together.
 */
import { createHash } from 'node:crypto'
import type { Definitions, Plan, PlanBody, PlanStep } from '@ternmq/api'
import type { UserRecord } from '@ternmq/auth'
import type { VirtualHost } from '@ternmq/core'
import { documentOf } from './definition-document.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { type PresentEntry, type Section, sectionsOf, type UserSection } from './definition-sections.ts'
import { isAdministrator } from './users.ts'

export interface PlannedStep {
  readonly shown: PlanStep
  readonly section: Section
  run(): Promise<void>
}

export interface MadePlan {
  readonly id: string
  readonly steps: readonly PlannedStep[]
  readonly unchangedCount: number
}

/** Characters of the hash: nobody has to fear one like it. */
const ID_CHARS = 32

/** Throws ApiError: INVALID naming field, value and rule; CONFLICT when nobody would be left as administrator. */
export function makePlan(
  { definitions: document, prune = false }: PlanBody,
  caller: string,
  vhost: VirtualHost,
  parts: DefinitionParts,
): MadePlan {
  const sections = sectionsOf(document, vhost, parts)
  const puts: PlannedStep[] = []
  let unchangedCount = 0
  for (const section of sections) {
    for (const { name, differs, put } of section.wanted) {
      if (differs?.length === 0) unchangedCount++
      else
        puts.push({
          section,
          shown: {
            ...stepOf(section, name),
            change: differs === undefined ? 'create' : 'change',
            detail: differs ?? [],
          },
          run: put,
        })
    }
  }
  const deletes = prune ? sections.toReversed().flatMap((section) => deletesOf(section, caller, parts)) : []
  checkAdministrators(sections, deletes, parts)
  return { id: idOf(document, prune, documentOf(vhost, parts)), steps: [...puts, ...deletes], unchangedCount }
}

export function shownPlan({ id, steps, unchangedCount }: MadePlan): Plan {
  return { id, steps: steps.map(({ shown }) => shown), unchangedCount }
}

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
    run: () => entry.remove(),
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
  const last = users.filter(isAdministrator).find(({ name }) => going.some((each) => each.name === name))
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
function idOf(document: Definitions, prune: boolean, now: Required<Definitions>): string {
  const concerned = Object.fromEntries(
    Object.entries(now).filter(([key]) => document[key as keyof Definitions] !== undefined),
  )
  return createHash('sha256')
    .update(JSON.stringify([document, prune, concerned]))
    .digest('hex')
    .slice(0, ID_CHARS)
}
