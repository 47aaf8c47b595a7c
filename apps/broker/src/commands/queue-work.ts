/** What several commands do with a queue. */
import { getQueue, purgeQueue, type QueueDetail } from '@ternmq/api'
import { type ApiClient, ApiProblem } from '@ternmq/api/client'
import { confirm } from '../cli/confirm.ts'
import type { Connection } from '../cli/connection.ts'
import { several } from '../cli/format.ts'
import { printJsonLines, printLines } from '../cli/output.ts'
import { queueOfAddress } from '../cli/queue-names.ts'
import { safeText } from '../cli/text.ts'
import { VHOST } from '../cli/vhost.ts'
import type { ConsoleIo } from '../process/console-io.ts'

/** Undefined when there is no such queue. */
export async function findQueue(client: ApiClient, queue: string): Promise<QueueDetail | undefined> {
  try {
    return await client.call(getQueue, { params: { ...VHOST, queue } })
  } catch (error) {
    if (error instanceof ApiProblem && error.problem.code === 'QUEUE_UNKNOWN') return undefined
    throw error
  }
}

/** Throws ApiProblem('QUEUE_UNKNOWN') for one that is not there: taking would make it. Who may not look takes all the same. */
export async function checkThere(client: ApiClient, address: string): Promise<void> {
  const queue = await queueOfAddress(address, true)
  if (queue === undefined) return
  try {
    await client.call(getQueue, { params: { ...VHOST, queue } })
  } catch (error) {
    const isOther = error instanceof ApiProblem && error.problem.code !== 'QUEUE_UNKNOWN'
    if (!isOther) throw error
  }
}

export interface PurgeInput {
  readonly connection: Connection
  readonly io: ConsoleIo
  readonly values: { readonly yes?: boolean | undefined; readonly json?: boolean | undefined }
}

/** Asks, and takes out all that waits. */
export async function purge(queue: string, input: PurgeInput): Promise<void> {
  const { connection, io, values } = input
  const params = { ...VHOST, queue }
  const { readyCount } = await connection.client.call(getQueue, { params })
  await confirm(`purge queue '${safeText(queue)}' of ${several(readyCount, 'message')}`, input)
  const purged = await connection.client.call(purgeQueue, { params })
  if (values.json === true) printJsonLines(io, [{ queue, ...purged }])
  else printLines(io, [`queue ${safeText(queue)} purged of ${several(purged.count, 'message')}`])
}
