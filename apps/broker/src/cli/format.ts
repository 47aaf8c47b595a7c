/** Numbers as people read them. */
import { countText, type Rates, several } from '@ternmq/api'

export { countText, several }

const SIZE_UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** 1536 → '1.5 KiB'. */
export function sizeText(bytes: number): string {
  const power = Math.min(SIZE_UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return power === 0 ? several(bytes, 'byte') : `${(bytes / 1_024 ** power).toFixed(1)} ${SIZE_UNITS[power]}`
}

/** Per second: '0', '0.4', '12,345'; '' when it is not known yet. */
export function rateText(perSecond: number | undefined): string {
  if (perSecond === undefined) return ''
  return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : countText(Math.round(perSecond))
}

/** Of the broker as a whole, which counts a second only while somebody looks. */
export function ratesText(rates: Rates | undefined): string {
  if (rates === undefined) return '–, known a second from now'
  const { inPerSecond, outPerSecond, settledPerSecond } = rates
  return `${rateText(inPerSecond)} in, ${rateText(outPerSecond)} out, ${rateText(settledPerSecond)} settled`
}

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** The two largest units: '3d 4h', '12s', '250ms'. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`
  const first = DURATION_UNITS.findIndex(([, unitMs]) => ms >= unitMs)
  let left = ms
  const parts = DURATION_UNITS.slice(first, first + 2).map(([unit, unitMs]) => {
    const count = Math.floor(left / unitMs)
    left -= count * unitMs
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.filter((part) => part !== '').join(' ')
}

/** '2026-11-27 16:25:13', in UTC, as the log has it. */
export function timeText(atMs: number | undefined): string {
  return atMs === undefined ? '' : new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')
}

export function percentText(share: number): string {
  return `${Math.round(share * 100)} %`
}
