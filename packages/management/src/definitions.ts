/** Definitions as one document: exported, planned and applied. */
import { type Applied, applyDefinitions, exportDefinitions, planDefinitions } from '@ternmq/api'
import type { Clock } from '@ternmq/core'
import { documentOf } from './definition-document.ts'
import type { DefinitionParts } from './definition-parts.ts'
import { makePlan, type MadePlan, type PlannedStep, shownPlan } from './definition-plan.ts'
import { ApiError } from './errors.ts'
import { bind, type Bound } from './handlers.ts'
import { whenLasting } from './lasting.ts'
import type { ManagedBroker } from './managed-broker.ts'
import { vhostOf } from './vhost.ts'

/** Steps in one go; then sockets have their turn. */
const STEPS_PER_TURN = 256

export function documentHandlers(broker: ManagedBroker, parts: DefinitionParts): Bound[] {
  const { changes } = parts
  return [
    bind(exportDefinitions, ({ params }) => documentOf(vhostOf(broker, params), parts)),
    bind(planDefinitions, ({ params, body, caller }) =>
      changes.run(async () => shownPlan(makePlan(body, caller.user, vhostOf(broker, params), parts))),
    ),
    bind(applyDefinitions, (request) =>
      changes.run(async () => {
        const { params, body, caller } = request
        const vhost = vhostOf(broker, params)
        const plan = makePlan(body, caller.user, vhost, parts)
        if (body.plan !== undefined && body.plan !== plan.id) throw changedSince(body.plan)
        const applied = await apply(plan, vhost.env.clock)
        request.note(noteOf(applied))
        await whenLasting(vhost)
        return applied
      }),
    ),
  ]
}

/** Stops at the first step that fails; what is done counts. */
async function apply({ steps }: MadePlan, clock: Clock): Promise<Applied> {
  const shown = steps.map((step) => step.shown)
  for (const [index, step] of steps.entries()) {
    if (index % STEPS_PER_TURN === STEPS_PER_TURN - 1) await nextTurn(clock)
    const reason = await failureOf(step)
    // Of several neighbours of one kind all count together: each would have all queues, or all rules, looked at.
    if (reason !== undefined || steps[index + 1]?.section !== step.section) step.section.apply()
    if (reason !== undefined)
      return { done: shown.slice(0, index), failed: { step: step.shown, reason }, left: shown.slice(index + 1) }
  }
  return { done: shown, left: [] }
}

async function failureOf(step: PlannedStep): Promise<string | undefined> {
  try {
    await step.run()
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}

function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.after(0, resolve))
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
