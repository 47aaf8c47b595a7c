/** Numbers as sentences for people have them: `1 GiB`, `12 min`, `3 messages`. */

const BYTE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const
const BYTE_STEP = 1024

/** Three digits that count, without zeros behind the point. */
export function bytesText(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= BYTE_STEP && unit < BYTE_UNITS.length - 1) {
    value /= BYTE_STEP
    unit++
  }
  return `${Number(value.toPrecision(value < BYTE_STEP / 10 ? 3 : 4))} ${BYTE_UNITS[unit]}`
}

/** In its largest unit, rounded down: an operator wants to know whether it is seconds or hours. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.floor(ms))} ms`
  if (ms < 120_000) return `${Math.floor(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 172_800_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} days`
}

export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
