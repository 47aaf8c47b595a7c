/** `ternmq definitions …`: users, permissions, policies and queues as one document. */
import {
  type Applied,
  applyDefinitions,
  DEFINITION_SECTIONS,
  exportDefinitions,
  type Plan,
  planDefinitions,
  type PlanStep,
} from '@ternmq/api'
import { asYaml } from '@ternmq/config'
import { TURN_QUESTIONS } from '../cli/access-turn.ts'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { several } from '../cli/format.ts'
import { listed } from '../cli/parse.ts'
import { printJson, printLines } from '../cli/output.ts'
import { withProgress } from '../cli/progress.ts'
import { type Style, styleOf } from '../cli/style.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import { readDocument, writeDocument } from './definition-file.ts'

const FILE_DETAIL =
  'FILE is YAML or JSON as `export` writes it; - is standard input. Sections that it does not have stay as they are.'

const PRUNE_OPTION = {
  prune: { type: 'boolean', summary: 'what is not in the document goes, in the sections that it has' },
} as const

export const definitions: Noun = {
  name: 'definitions',
  summary: 'users, permissions, policies and queues as one document: export, plan, apply',
  commands: [
    brokerCommand({
      verb: 'export',
      args: '[FILE]',
      summary: 'all that was defined through the API or by commands, as YAML; FILE.json and --json are JSON',
      detail:
        'Passwords are in it as hashes: keep it as you keep those; without users it has none. What the configuration has is not in it.',
      json: 'document',
      options: {
        only: {
          type: 'string',
          multiple: true,
          value: 'SECTION',
          summary: `only these sections: ${DEFINITION_SECTIONS.join(', ')}; several with commas`,
        },
      },
      run: async ({ args: [file], values, connection: { client }, io }) => {
        const query = { only: listed(values.only)?.join(',') }
        const document = await client.call(exportDefinitions, { params: VHOST, query })
        const isJson = values.json === true || file?.endsWith('.json') === true
        const text = isJson ? `${JSON.stringify(document, null, 2)}\n` : asYaml(document)
        if (file === undefined) io.stdout.write(text)
        else writeDocument(file, text)
        return 0
      },
    }),
    brokerCommand({
      verb: 'plan',
      args: 'FILE',
      summary: 'what applying a document would create, change and delete',
      detail: FILE_DETAIL,
      json: 'document',
      options: {
        ...PRUNE_OPTION,
        'detailed-exitcode': { type: 'boolean', summary: 'end with 2 when there is something to do' },
      },
      run: async ({ args: [file], values, connection: { client }, io }) => {
        const body = { definitions: await readDocument(file, { io, values }), prune: values.prune }
        const plan = await client.call(planDefinitions, { params: VHOST, body })
        if (values.json === true) printJson(io, plan)
        else printLines(io, planLines(plan, styleOf(io)))
        return values['detailed-exitcode'] === true && plan.steps.length > 0 ? CHANGES_CODE : 0
      },
    }),
    brokerCommand({
      verb: 'apply',
      args: 'FILE',
      summary:
        'makes it so: shows the plan, asks where it deletes or turns what everybody may do, applies just that plan',
      detail: FILE_DETAIL,
      json: 'document',
      options: { ...PRUNE_OPTION, ...YES_OPTION },
      run: async (input) => {
        const { args, values, connection, io } = input
        const body = { definitions: await readDocument(args[0], input), prune: values.prune }
        const plan = await connection.client.call(planDefinitions, { params: VHOST, body })
        if (values.json !== true) printLines(io, planLines(plan, styleOf(io)))
        await io.stdout.written() // nobody agrees to a plan that he has not seen
        const deletes = plan.steps.filter(({ change }) => change === 'delete')
        const questions = [
          ...(deletes.length > 0 ? [`delete ${deletesText(deletes)}`] : []),
          ...(plan.turns === undefined ? [] : [TURN_QUESTIONS[plan.turns]]),
        ]
        if (questions.length > 0) await confirm(questions.join('; and '), input)
        const applied = await withProgress({ io, text: 'applying', unit: 'messages', done: () => 0 }, () =>
          connection.client.call(applyDefinitions, {
            params: VHOST,
            body: { ...body, plan: plan.id, everybody: plan.turns },
          }),
        )
        if (values.json === true) printJson(io, applied)
        else printLines(io, appliedLines(applied))
        return applied.failed === undefined ? 0 : 1
      },
    }),
  ],
}

/** As other tools for plans have it. */
const CHANGES_CODE = 2

const SIGNS = { create: '+', change: '~', delete: '-' } as const satisfies Record<PlanStep['change'], string>

function planLines({ steps, warnings, unchangedCount }: Plan, style: Style): string[] {
  const colours = { create: style.green, change: style.yellow, delete: style.red }
  const count = (change: PlanStep['change']): number => steps.filter((step) => step.change === change).length
  const sum = `${count('create')} to create, ${count('change')} to change, ${count('delete')} to delete, ${unchangedCount} unchanged`
  const lines = steps.flatMap(({ change, kind, name, detail, messagesAtRisk }) => {
    const risk = messagesAtRisk === 0 ? '' : `, with ${several(messagesAtRisk, 'message')}`
    const head = `${SIGNS[change]} ${kind} ${safeText(name)}${risk}`
    return [colours[change](head), ...detail.map((text) => `    ${safeText(text)}`)]
  })
  return [...lines, sum, ...warnings.map((text) => style.yellow(`! ${safeText(text)}`))]
}

function deletesText(deletes: readonly PlanStep[]): string {
  const messages = deletes.reduce((sum, { messagesAtRisk }) => sum + messagesAtRisk, 0)
  const names = deletes.slice(0, NAMED_MAX).map(({ kind, name }) => `${kind} '${safeText(name)}'`)
  const more = deletes.length > NAMED_MAX ? ` and ${deletes.length - NAMED_MAX} more` : ''
  return `${names.join(', ')}${more}, with ${several(messages, 'message')}`
}

/** Of what would be deleted; the plan above the question has all of it. */
const NAMED_MAX = 5

function appliedLines({ done, failed, left }: Applied): string[] {
  if (failed === undefined) return [`${several(done.length, 'step')} done`]
  const { step, reason } = failed
  return [
    `${several(done.length, 'step')} done, then ${step.change} ${step.kind} ${safeText(step.name)} failed: ${safeText(reason)}`,
    `${several(left.length, 'step')} left; apply the same document again when that is put right`,
  ]
}
