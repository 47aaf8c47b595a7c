/** Definitions as one document: exported, planned and applied. */
import {
  type Applied,
  applyDefinitions,
  DEFINITION_SECTIONS,
  type Definitions,
  exportDefinitions,
  planDefinitions,
} from '@ternmq/api'
import { checkTurnSaid } from '../access/access-turn.ts'
import { documentOf, stateOf } from './definition-document.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { makePlan, type MadePlan, type PlannedStep, shownPlan } from './definition-plan.ts'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import { whenLasting } from '../lasting.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { Pieces } from '../pieces.ts'
import { vhostOf } from '../vhost.ts'

export function documentHandlers(broker: ManagedBroker, parts: DefinitionParts): Bound[] {
  const { changes } = parts
  const { clock } = broker.vhost.env
  return [
    bind(exportDefinitions, async ({ params, query }) => {
      const sections = sectionsNamed(query.only)
      const document = await documentOf(stateOf(vhostOf(broker, params), parts), new Pieces(clock))
      return onlyOf(document, sections)
    }),
    bind(planDefinitions, ({ params, body, caller }) =>
      changes.run(caller, async () =>
        shownPlan(await makePlan(body, caller.user, vhostOf(broker, params), parts, new Pieces(clock))),
      ),
    ),
    bind(applyDefinitions, (request) =>
      changes.run(request.caller, async () => {
        const { params, body, caller } = request
        const vhost = vhostOf(broker, params)
        const pieces = new Pieces(clock)
        const plan = await makePlan(body, caller.user, vhost, parts, pieces)
        if (body.plan !== undefined && body.plan !== plan.id) throw changedSince(body.plan)
        checkTurnSaid(plan.turns, body.everybody)
        const applied = await apply(plan, pieces)
        request.note(noteOf(applied))
        await whenLasting(vhost)
        return applied
      }),
    ),
  ]
}

type SectionName = (typeof DEFINITION_SECTIONS)[number]

/** Throws ApiError('INVALID'). */
function sectionsNamed(only: string | undefined): readonly SectionName[] {
  if (only === undefined) return DEFINITION_SECTIONS
  const names = only.split(',')
  const unknown = names.find((name) => !DEFINITION_SECTIONS.some((section) => section === name))
  if (unknown === undefined) return DEFINITION_SECTIONS.filter((section) => names.includes(section))
  const detail = `only has '${unknown}', which is no section; there are ${DEFINITION_SECTIONS.join(', ')}`
  throw new ApiError('INVALID', detail, { field: 'only', value: only })
}

/** A section that is not there is one that applying the document leaves as it is. */
function onlyOf(document: Required<Definitions>, sections: readonly SectionName[]): Definitions {
  const chosen = Object.fromEntries(sections.map((section) => [section, document[section]]))
  return { version: document.version, ...chosen }
}

/** Stops at the first step that fails; what is done counts. Neighbours are put, or deleted, as many at a time as their section takes. */
async function apply({ steps }: MadePlan, pieces: Pieces): Promise<Applied> {
  const shown = steps.map((step) => step.shown)
  for (let index = 0; index < steps.length;) {
    const batch = batchAt(steps, index)
    const { section } = batch[0]!
    const reason = await failureOf(batch)
    const next = index + batch.length
    // Of several neighbours of one kind all count together: each would have all queues looked at.
    if (reason !== undefined || steps[next]?.section !== section) await section.apply()
    if (reason !== undefined)
      return { done: shown.slice(0, index), failed: { step: shown[index]!, reason }, left: shown.slice(index + 1) }
    index = next
    await pieces.step()
  }
  return { done: shown, left: [] }
}

function batchAt(steps: readonly PlannedStep[], from: number): readonly PlannedStep[] {
  const { section, shown } = steps[from]!
  const isDelete = shown.change === 'delete'
  let to = from + 1
  for (; to < steps.length && to - from < section.batchMax; to++) {
    const next = steps[to]!
    if (next.section !== section || (next.shown.change === 'delete') !== isDelete) break
  }
  return steps.slice(from, to)
}

async function failureOf(batch: readonly PlannedStep[]): Promise<string | undefined> {
  const { section, shown } = batch[0]!
  const names = batch.map((step) => step.shown.name)
  try {
    await (shown.change === 'delete' ? section.remove(names) : section.put(names))
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}

function changedSince(plan: string): ApiError {
  const detail =
    'something has changed since the plan was made, or the document is another one; make a plan anew and look at it'
  return new ApiError('CHANGED_SINCE', detail, { field: 'plan', value: plan })
}

function noteOf({ done, failed, left }: Applied): string {
  const steps = done.map(({ change, kind, name }) => `${change} ${kind} ${name}`).join(', ')
  const end =
    failed === undefined
      ? ''
      : `; stopped at ${failed.step.kind} ${failed.step.name}, ${left.length} left: ${failed.reason}`
  return `${done.length} ${done.length === 1 ? 'step' : 'steps'}${steps === '' ? '' : `: ${steps}`}${end}`
}
