/** Long work of the broker, followed to its end: how far it is, and stopped by Ctrl-C. */
import { cancelOperation, getOperation, type OperationItem } from '@ternmq/api'
import type { ApiClient } from '@ternmq/api/client'
import type { ConsoleIo } from '../process/console-io.ts'
import { countText, several } from './format.ts'
import { printJson, printLines } from './output.ts'
import { ProgressLine } from './progress.ts'
import { safeText } from './text.ts'

/** How long one call waits for the end; how far it is comes with its answer. */
const WAIT_MS = 500

/** Of the call that begins an operation: its first answer comes at once. */
export const BEGIN_QUERY = { waitMs: 0 } as const

export interface Followed {
  readonly io: ConsoleIo
  readonly client: ApiClient
  readonly values: { readonly json?: boolean | undefined }
}

/**
 * Shows how far it is until it has ended, and tells what became of it. Ctrl-C cancels it in the broker. Resolves with the exit code: 0 when
 * all was done that could be, and to every message that was named.
 */
export async function follow(begun: OperationItem, { io, client, values }: Followed): Promise<number> {
  const params = { id: begun.id }
  const line = new ProgressLine(io, `${begun.action} ${safeText(begun.queue)}`, 'messages')
  let isCancelled = false
  const onInterrupt = (): void => void (isCancelled = true)
  process.once('SIGINT', onInterrupt) // a second one ends the command, and not the operation
  let item = begun
  try {
    while (item.state === 'running') {
      line.show({ done: item.doneCount, total: item.total })
      item = isCancelled
        ? await client.call(cancelOperation, { params })
        : await client.call(getOperation, { params, query: { waitMs: WAIT_MS } })
    }
  } finally {
    process.off('SIGINT', onInterrupt)
    line.clear()
  }
  if (values.json === true) printJson(io, item)
  else printLines(io, [outcomeText(item)])
  return item.state === 'done' && item.refusedCount === 0 && !isNamedInVain(item) ? 0 : 1
}

/** Of the messages that were named some were not there, or have gone meanwhile. */
function isNamedInVain({ missingIds, total = 0, doneCount, skippedCount }: OperationItem): boolean {
  return missingIds !== undefined && doneCount + skippedCount < total
}

/** Of the ids that are not there. */
const TOLD_IDS_MAX = 5

const DONE = {
  move: 'moved',
  copy: 'copied',
  delete: 'deleted',
  retry: 'retried',
  apply: 'applied',
  purge: 'purged',
} as const

/** 'moved 12 messages from orders to other; 2 refused: …' */
export function outcomeText(item: OperationItem): string {
  const { id, action, queue, target, state, total, doneCount, skippedCount, refusedCount, reason, canResume } = item
  const { missingIds = [] } = item
  const of = total === undefined || total === doneCount ? '' : ` of ${several(total, 'message')}`
  const where = `${action === 'delete' || action === 'purge' ? 'in' : 'from'} ${safeText(queue)}`
  const to = target === undefined ? '' : ` to ${safeText(target)}`
  // What it did after it was written down last, nobody knows.
  const least = state === 'interrupted' ? 'at least ' : ''
  const counted = least + (of === '' ? several(doneCount, 'message') : String(doneCount) + of)
  const parts = [`${DONE[action]} ${counted} ${where}${to}`]
  if (skippedCount > 0) parts.push(`${skippedCount} left where they are`)
  if (refusedCount > 0) parts.push(`${refusedCount} refused`)
  if (missingIds.length > 0) {
    const more = missingIds.length > TOLD_IDS_MAX ? ` and ${countText(missingIds.length - TOLD_IDS_MAX)} more` : ''
    parts.push(`not there: ${missingIds.slice(0, TOLD_IDS_MAX).map(safeText).join(' ')}${more}`)
  }
  if (state !== 'done') parts.push(state)
  const because = reason === undefined ? '' : `: ${safeText(reason)}`
  const advice = canResume ? `; \`ternmq operations resume ${id}\` goes on` : ''
  return parts.join(', ') + because + advice
}
