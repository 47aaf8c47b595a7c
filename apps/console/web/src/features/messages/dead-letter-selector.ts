/** A selector for the dead letters of one group: by what the broker has written on them. */
import type { DeadLetterGroup } from '@ternmq/api'

/** The server cuts longer reasons, so that as many characters say that more may follow. */
export const REASON_CUT = 200

/** A literal of SQL-92. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** That of other reasons together wants all of their cause and origin: naming each reason that has its own group would be too long. */
export function selectorOf({
  cause,
  originalQueue,
  reason,
  otherReasonsCount,
}: Pick<DeadLetterGroup, 'cause' | 'originalQueue' | 'reason' | 'otherReasonsCount'>): string {
  const parts = [`cause = ${quote(cause)}`]
  parts.push(
    originalQueue === undefined ? 'originalQueue IS NULL' : `originalQueue = ${quote(`$queue/${originalQueue}`)}`,
  )
  if (otherReasonsCount !== undefined) return parts.join(' AND ')
  if (reason === undefined) parts.push('reason IS NULL')
  else if (reason.length < REASON_CUT) parts.push(`reason = ${quote(reason)}`)
  else parts.push(`reason LIKE ${quote(`${reason.replaceAll(/[\\%_]/g, '\\$&')}%`)} ESCAPE '\\'`)
  return parts.join(' AND ')
}
