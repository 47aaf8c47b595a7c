/** A selector for the dead letters of one group: by what the broker has written on them. */
import type { DeadLetterGroup } from '@ternmq/api'

/** The server cuts longer reasons, so that as many characters say that more may follow. */
export const REASON_CUT = 200

/** A literal of SQL-92. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function selectorOf({
  cause,
  originalQueue,
  reason,
}: Pick<DeadLetterGroup, 'cause' | 'originalQueue' | 'reason'>): string {
  const parts = [`cause = ${quote(cause)}`]
  parts.push(
    originalQueue === undefined ? 'originalQueue IS NULL' : `originalQueue = ${quote(`$queue/${originalQueue}`)}`,
  )
  if (reason === undefined) parts.push('reason IS NULL')
  else if (reason.length < REASON_CUT) parts.push(`reason = ${quote(reason)}`)
  else parts.push(`reason LIKE ${quote(`${reason.replaceAll(/[\\%_]/g, '\\$&')}%`)} ESCAPE '\\'`)
  return parts.join(' AND ')
}
