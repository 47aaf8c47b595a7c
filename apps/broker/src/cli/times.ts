/** Options of what is listed by when it was. */
import { UsageError } from '../errors.ts'
import type { Option } from './command.ts'
import { durationMs } from './parse.ts'

interface TimeOptions extends Readonly<Record<string, Option>> {
  readonly since: { readonly type: 'string'; readonly value: string; readonly summary: string }
  readonly until: { readonly type: 'string'; readonly value: string; readonly summary: string }
}

export const TIME_OPTIONS: TimeOptions = {
  since: {
    type: 'string',
    value: 'TIME',
    summary: "only what came at or after: so long ago, such as 2h, or a moment in UTC, such as '2026-11-27 16:25'",
  },
  until: { type: 'string', value: 'TIME', summary: 'only what came before, written so too' },
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)Z?)?$/

/** For the call. Throws UsageError. */
export function timeQueryOf(
  { since, until }: { readonly since: string | undefined; readonly until: string | undefined },
  nowMs: number,
): { readonly sinceMs: number | undefined; readonly untilMs: number | undefined } {
  return { sinceMs: momentMs('since', since, nowMs), untilMs: momentMs('until', until, nowMs) }
}

function momentMs(option: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const [, day, time = '00:00'] = MOMENT.exec(text) ?? []
  if (day === undefined && /^\d+(ms|s|m|h|d)$/.test(text)) return Math.max(0, nowMs - durationMs(option, text)!)
  const atMs = Date.parse(`${day}T${time}Z`)
  if (day !== undefined && atMs >= 0) return atMs
  throw new UsageError(
    `--${option} is '${text}'; it is so long ago, such as 30m, 2h, 7d, or a moment in UTC, such as '2026-11-27 16:25'`,
  )
}
