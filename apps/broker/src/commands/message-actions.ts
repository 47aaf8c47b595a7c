/** Moving, copying, deleting and retrying messages by the thousand. */
import { type ActionBody, actOnMessages, getQueue } from '@ternmq/api'
import type { CommonOptions, Values } from '../cli/command.ts'
import { confirm, YES_OPTION } from '../cli/confirm.ts'
import type { Connection } from '../cli/connection.ts'
import { several } from '../cli/format.ts'
import { BEGIN_QUERY, follow } from '../cli/operation.ts'
import { wholeNumber } from '../cli/parse.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import type { ConsoleIo } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'

interface TextOption {
  readonly type: 'string'
  readonly value: string
  readonly summary: string
}

interface TargetOptions {
  readonly selector: TextOption
  readonly all: { readonly type: 'boolean'; readonly summary: string }
  readonly limit: TextOption
  readonly 'per-second': TextOption
}

export const TARGET_OPTIONS: TargetOptions = {
  selector: { type: 'string', value: 'SQL', summary: "those that it wants: priority > 4 AND colour = 'red'" },
  all: { type: 'boolean', summary: 'all that wait' },
  limit: { type: 'string', value: 'N', summary: 'so many at most, the first in the order of the queue' },
  'per-second': { type: 'string', value: 'N', summary: 'so many a second; as fast as it goes when left out' },
}

export const ACTION_OPTIONS: TargetOptions & typeof YES_OPTION = { ...TARGET_OPTIONS, ...YES_OPTION }

export interface WhatToDo {
  readonly action: ActionBody['action']
  readonly queue: string
  readonly target: string | undefined
  readonly ids: readonly string[]
}

export interface ActionInput {
  readonly io: ConsoleIo
  readonly connection: Connection
  readonly values: Values<typeof ACTION_OPTIONS & Pick<CommonOptions, 'json'>>
}

/** Begins it in the broker and follows it to its end. What is deleted is asked about. Throws UsageError. */
export async function act({ action, queue, target, ids }: WhatToDo, input: ActionInput): Promise<number> {
  const { values, connection, io } = input
  const { selector, all, limit } = values
  const given = [ids.length > 0, selector !== undefined, all === true].filter(Boolean).length
  if (given !== 1) throw new UsageError('which messages? give ids, --selector or --all: one of them')
  const body: ActionBody = {
    action,
    target,
    ids: ids.length > 0 ? ids : undefined,
    selector,
    all,
    limit: wholeNumber('limit', limit),
    perSecond: wholeNumber('per-second', values['per-second']),
  }
  const params = { ...VHOST, queue }
  const { client } = connection
  if (action === 'delete') {
    const { readyCount } = await client.call(getQueue, { params })
    const which =
      ids.length > 0
        ? several(ids.length, 'message')
        : selector === undefined
          ? several(Math.min(readyCount, body.limit ?? Infinity), 'message')
          : `the messages that '${safeText(selector)}' wants, of ${several(readyCount, 'message')},`
    await confirm(`delete ${which} in queue '${safeText(queue)}'`, input)
  }
  return follow(await client.call(actOnMessages, { params, query: BEGIN_QUERY, body }), { io, client, values })
}
