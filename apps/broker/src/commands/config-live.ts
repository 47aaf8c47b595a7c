/** Settings of a broker that runs. */
import { changeConfig, type ConfigChanged, type ConfigItem, listConfig } from '@ternmq/api'
import { CONFIG_TURN_QUESTIONS, sayingTurn } from '../cli/access-turn.ts'
import { type AnyCommand, brokerCommand } from '../cli/command.ts'
import { YES_OPTION } from '../cli/confirm.ts'
import type { Connection } from '../cli/connection.ts'
import { LIMIT_OPTION, type Listing, printItems, printJson, printLines } from '../cli/output.ts'
import { pair } from '../cli/parse.ts'
import { valueOf, valueText } from '../cli/settings-input.ts'

export const CONFIG_LIVE: readonly AnyCommand[] = [
  brokerCommand({
    verb: 'list',
    args: '',
    summary: 'settings of a broker that runs: value, where it is from, when a change counts',
    json: 'lines',
    options: {
      query: { type: 'string', short: 'q', value: 'TEXT', summary: 'only those with this text in key or description' },
      changed: { type: 'boolean', summary: 'only those that are not at their default' },
      names: { type: 'boolean', summary: 'keys only, one a line' },
      ...LIMIT_OPTION,
    },
    run: async (input) => {
      const { query: q, changed } = input.values
      const { items } = await input.connection.client.call(listConfig, { query: { q, changed } })
      return printItems(input, items, LISTING)
    },
  }),
  brokerCommand({
    verb: 'set',
    args: 'KEY=VALUE…',
    summary: 'changes settings of a broker that runs, all of them or none; they last over a restart',
    detail: 'Asks before a change of `auth.rules` or `auth.defaultAccess` turns what everybody may do.',
    json: 'document',
    options: { ...YES_OPTION },
    run: async (input) => {
      const { args, values, io } = input
      const changes = Object.fromEntries(
        args.map((text) => {
          const [key, value] = pair(text, 'setting')
          return [key, valueOf(value)] as const
        }),
      )
      const changed = await change(input, changes)
      if (values.json === true) printJson(io, changed)
      else printLines(io, changedLines(changed))
      return 0
    },
  }),
  brokerCommand({
    verb: 'reset',
    args: 'KEY…',
    summary: 'takes back what `config set` or the console has set; asks as that does',
    json: 'document',
    options: { ...YES_OPTION },
    run: async (input) => {
      const { args, values, io } = input
      const changes = Object.fromEntries(args.map((key) => [key, null]))
      const changed = await change(input, changes)
      if (values.json === true) printJson(io, changed)
      else printLines(io, changedLines(changed))
      return 0
    },
  }),
]

type ChangeInput = Parameters<typeof sayingTurn>[1] & { readonly connection: Connection }

function change(input: ChangeInput, changes: Readonly<Record<string, unknown>>): Promise<ConfigChanged> {
  const { client } = input.connection
  return sayingTurn(CONFIG_TURN_QUESTIONS, input, (turn) => client.call(changeConfig, { body: { changes, ...turn } }))
}

function changedLines({ applied, afterRestart }: ConfigChanged): string[] {
  const lines = [
    ...applied.map((key) => `${key} counts now`),
    ...afterRestart.map((key) => `${key} counts from the next start`),
  ]
  return lines.length === 0 ? ['nothing has changed: all of it was so before'] : lines
}

const LISTING: Listing<ConfigItem> = {
  columns: [
    { title: 'SETTING', value: ({ key }) => key },
    { title: 'VALUE', value: settingText, cut: true },
    { title: 'FROM', value: ({ source }) => source, cut: true },
    { title: 'CHANGE', value: ({ reload }) => reload },
    { title: 'WHAT IT IS', value: ({ description }) => description, cut: true, extra: true },
  ],
  name: ({ key }) => key,
  none: 'no settings',
}

const HIDDEN = { secret: '(hidden)', administrators: '(for administrators)' } as const satisfies Record<
  NonNullable<ConfigItem['hidden']>,
  string
>

function settingText({ value, valueAfterRestart, hidden }: ConfigItem): string {
  if (hidden !== undefined) return HIDDEN[hidden]
  const now = value === undefined ? '(not set)' : valueText(value)
  return valueAfterRestart === undefined ? now : `${now}, after a restart ${valueText(valueAfterRestart)}`
}
