/** Numbers as people read them: one way for each unit, everywhere in the console. */

export { several as formatMany } from '@ternmq/api'

const COUNT = new Intl.NumberFormat('en')
const TENTHS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `12,345`. */
export function formatCount(count: number): string {
  return COUNT.format(count)
}

/** `12.3 k`: for charts and tiles, where five digits are too many. */
export function formatShort(value: number): string {
  const size = Math.abs(value)
  if (size < 10_000)
    return size < 100 && !Number.isInteger(value) ? TENTHS.format(value) : COUNT.format(Math.round(value))
  if (size < 1_000_000) return `${TENTHS.format(value / 1_000)} k`
  if (size < 1_000_000_000) return `${TENTHS.format(value / 1_000_000)} M`
  return `${TENTHS.format(value / 1_000_000_000)} G`
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 1,023.96 KiB would be rounded to 1,024 KiB, and 1,023.6 B to 1,024 B.
  while (value >= (unit === 0 ? 1_023.5 : 1_023.95) && unit < BYTE_UNITS.length - 1) {
    value /= 1_024
    unit++
  }
  return `${unit === 0 ? COUNT.format(Math.round(value)) : TENTHS.format(value)} ${BYTE_UNITS[unit]}`
}

/** `1.2 k/s`, `0.4/s`; `–` when it is not known yet. */
export function formatRate(perSecond: number | undefined): string {
  return perSecond === undefined ? '–' : `${formatShort(perSecond)}/s`
}

const AGE_STEPS: ReadonlyArray<readonly [unit: string, ms: number]> = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]

/** A duration, in its two largest units: `2 h 5 min`, `40 s`, `12 ms`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 10) return `${TENTHS.format(durationMs)} ms`
  if (durationMs < 1_000) return `${Math.round(durationMs)} ms`
  const at = AGE_STEPS.findIndex(([, ms]) => durationMs >= ms)
  const [unit, ms] = AGE_STEPS[at]!
  const whole = Math.floor(durationMs / ms)
  const next = AGE_STEPS[at + 1]
  const rest = next === undefined ? 0 : Math.floor((durationMs - whole * ms) / next[1])
  return rest === 0 || whole >= 10 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${next![0]}`
}

/** How long ago a moment is: `2 min ago`, `in 5 s`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const ageMs = nowMs - atMs
  if (Math.abs(ageMs) < 1_000) return 'now'
  return ageMs > 0 ? `${formatDuration(ageMs)} ago` : `in ${formatDuration(-ageMs)}`
}

/** `2026-11-27 15:40:13`, in the browser's time zone. */
export function formatMoment(atMs: number): string {
  const at = new Date(atMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

const PROTOCOLS: Readonly<Record<string, string>> = { mqtt: 'MQTT', stomp: 'STOMP', amqp: 'AMQP', http: 'HTTP' }

/** `MQTT`, also of `mqtt`; `–` when there is none. */
export function formatProtocol(protocol: string | undefined): string {
  return protocol === undefined ? '–' : (PROTOCOLS[protocol] ?? protocol)
}

/** `42 %`. */
export function formatShare(share: number): string {
  return `${TENTHS.format(share * 100)} %`
}

/** A setting's value as text: `on`, `a, b`, `"text"`. */
export function formatValue(value: unknown): string {
  if (value === undefined) return '–'
  if (typeof value === 'string') return value === '' ? '(empty)' : value
  if (typeof value === 'number') return formatCount(value)
  return JSON.stringify(value)
}

/** With a capital letter in front. A text that begins with anything else, such as a name in quotes, stays as it is. */
export function asSentence(text: string): string {
  return /^[a-z]/.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text
}
