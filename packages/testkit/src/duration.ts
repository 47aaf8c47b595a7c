/** Durations as a test writes them. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds, or a number with a unit: '250ms', '10s', '31m', '1.5h', '7d'. */
export type Duration = number | string

/** Throws RangeError for what is no duration, or a negative one. */
export function durationMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parsed(duration)
  if (ms === undefined || !(ms >= 0 && ms < Infinity)) {
    throw new RangeError(
      `a duration of ${JSON.stringify(duration)}: allowed is a number of ms from 0 on, or text such as '250ms', '10s', '31m', '1.5h', '7d'`,
    )
  }
  return ms
}

function parsed(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/.exec(text) ?? []
  const unitMs = UNIT_MS[unit]
  return unitMs === undefined ? undefined : Number(number) * unitMs
}
