/** `ternmq permissions …`: who may read, write, browse and administer what. */
import { type AccessAction, deletePermission, listPermissions, type PermissionItem, putPermission } from '@ternmq/api'
import { sayingTurn, TURN_QUESTIONS } from '../cli/access-turn.ts'
import { brokerCommand, type Noun } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import { several } from '../cli/format.ts'
import { LIMIT_OPTION, type Listing, printItems, printJson, printLines } from '../cli/output.ts'
import { listed } from '../cli/parse.ts'
import { safeText } from '../cli/text.ts'
import { UsageError } from '../errors.ts'

const ACTIONS = ['read', 'write', 'browse', 'admin'] as const satisfies readonly AccessAction[]

export const permissions: Noun = {
  name: 'permissions',
  summary: 'who may read, write, browse and administer which destinations: list, set, remove',
  commands: [
    brokerCommand({
      verb: 'list',
      args: '',
      summary: 'all permissions, those of the configuration among them',
      json: 'lines',
      options: {
        of: { type: 'string', value: 'USER', summary: 'only those of a user' },
        group: { type: 'string', value: 'GROUP', summary: 'only those of a group' },
        ...LIMIT_OPTION,
      },
      run: async (input) => {
        const { of: user, group, json } = input.values
        const { client } = input.connection
        const { items, defaultAccess } = await client.call(listPermissions, { query: { user, group } })
        const code = await printItems(input, items, LISTING)
        const isAny = items.length > 0 || (await client.call(listPermissions)).items.length > 0
        const rest = isAny
          ? `where no permission says anything: ${defaultAccess}`
          : 'without any permission everybody may do everything'
        if (json !== true) input.io.stderr.write(`${rest}\n`)
        return code
      },
    }),
    brokerCommand({
      verb: 'set',
      args: 'ID TOPIC…',
      summary:
        'makes or replaces a permission; it counts at once, for those who are connected too; asks before the first',
      detail: `TOPIC is an MQTT topic filter, or $queue/NAME with * and >; %u and %c stand for user name and client id.
Actions are read, write, browse and admin.`,
      json: 'document',
      options: {
        for: { type: 'string', value: 'USER', summary: 'whom it is about: a name, anonymous, or * for everybody' },
        group: { type: 'string', value: 'GROUP', summary: 'in place of --for: all of a group' },
        allow: { type: 'string', multiple: true, value: 'ACTION', summary: 'what is allowed; several with commas' },
        deny: { type: 'string', multiple: true, value: 'ACTION', summary: 'what is denied, whatever else allows it' },
        description: { type: 'string', value: 'TEXT', summary: 'what it is for' },
        ...YES_OPTION,
      },
      run: async (input) => {
        const {
          args: [id, ...topics],
          values,
          connection: { client },
          io,
        } = input
        const { for: user, group, allow, deny, description } = values
        if ((user === undefined) === (group === undefined))
          throw new UsageError('whom is it about? give --for or --group')
        if (allow === undefined && deny === undefined) throw new UsageError('give --allow, --deny, or both')
        const body = {
          user,
          group,
          description,
          topics,
          allow: actionsOf('allow', allow),
          deny: actionsOf('deny', deny),
        }
        const params = { id }
        const item = await sayingTurn(TURN_QUESTIONS, input, (query) =>
          client.call(putPermission, { params, query, body }),
        )
        if (values.json === true) printJson(io, item)
        else printLines(io, [`permission ${safeText(id)} set`])
        return 0
      },
    }),
    brokerCommand({
      verb: 'remove',
      args: 'ID…',
      summary:
        'takes permissions back; asks before, and once more before the last: without any, everybody may do everything',
      options: { ...YES_OPTION },
      run: async (input) => {
        const { args, connection, io } = input
        await confirm(`take back ${several(args.length, 'permission')}`, input)
        for (const id of args) {
          const params = { id }
          await sayingTurn(TURN_QUESTIONS, input, (query) =>
            connection.client.call(deletePermission, { params, query }),
          )
          printLines(io, [`permission ${safeText(id)} removed`])
        }
        return 0
      },
    }),
  ],
}

function actionsOf(option: string, texts: readonly string[] | undefined): AccessAction[] | undefined {
  return listed(texts)?.map((text) => {
    const action = ACTIONS.find((each) => each === text)
    if (action === undefined) throw new UsageError(`--${option} is '${text}'; it is one of ${ACTIONS.join(', ')}`)
    return action
  })
}

const LISTING: Listing<PermissionItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id, cut: true },
    { title: 'WHO', value: ({ user, group }) => user ?? `group ${group ?? ''}`, cut: true },
    { title: 'ALLOW', value: ({ allow }) => allow.join(', ') },
    { title: 'DENY', value: ({ deny }) => deny.join(', ') },
    { title: 'TOPICS', value: ({ topics }) => topics.join(', '), cut: true },
    { title: 'FROM', value: ({ from }) => from, extra: true },
    { title: 'DESCRIPTION', value: ({ description = '' }) => description, cut: true, extra: true },
  ],
  name: ({ id }) => id,
  none: 'no permissions',
}
