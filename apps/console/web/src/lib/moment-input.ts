/** Moments in the browser's field for them, and in an address. */

/** As the browser's field has a moment: local, to the minute. '' for none. */
export function inputOf(atMs: string): string {
  const local = new Date(Number(atMs))
  if (atMs === '' || Number.isNaN(local.getTime())) return ''
  return new Date(local.getTime() - local.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

export function momentOf(input: string): string {
  const atMs = new Date(input).getTime()
  return Number.isNaN(atMs) || atMs < 0 ? '' : String(atMs)
}
