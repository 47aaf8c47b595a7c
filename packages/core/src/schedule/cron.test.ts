/** Cron expressions: what they mean, by the calendar of Date and one minute after the other; what is refused, and where. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Cron, CRON_LENGTH_MAX, parseCron } from './cron.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

function cronOf(text: string): Cron {
  const parsed = parseCron(text)
  if (!parsed.ok) throw new Error(`${text}: ${parsed.error.text}`)
  return parsed.cron
}

function nextOf(text: string, after: string): string | undefined {
  const next = cronOf(text).nextAfter(Date.parse(after))
  return next === undefined ? undefined : new Date(next).toISOString().replace(':00.000Z', 'Z')
}

test.each([
  ['* * * * *', '2026-11-27T04:22:00Z', '2026-11-27T04:23Z'],
  ['* * * * *', '2026-11-27T04:22:59.999Z', '2026-11-27T04:23Z'],
  ['* * * * *', '2026-12-31T23:59:00Z', '2027-01-01T00:00Z'],
  ['0 12 * * *', '2026-11-27T11:59:59Z', '2026-11-27T12:00Z'],
  ['0 12 * * *', '2026-11-27T12:00:00Z', '2026-11-28T12:00Z'],
  ['*/15 * * * *', '2026-11-27T04:46:00Z', '2026-11-27T05:00Z'],
  ['5/20 * * * *', '2026-11-27T04:06:00Z', '2026-11-27T04:25Z'],
  ['5/20 * * * *', '2026-11-27T04:46:00Z', '2026-11-27T05:05Z'],
  ['10-20/5,50 * * * *', '2026-11-27T04:16:00Z', '2026-11-27T04:20Z'],
  ['10-20/5,50 * * * *', '2026-11-27T04:20:00Z', '2026-11-27T04:50Z'],
  ['30 8-18/2 * * *', '2026-11-27T18:31:00Z', '2026-11-28T08:30Z'],
  ['0 0 1 * *', '2026-11-27T00:00:00Z', '2026-12-01T00:00Z'],
  ['0 0 31 * *', '2026-03-31T00:00:00Z', '2026-05-31T00:00Z'],
  ['0 0 29 2 *', '2026-11-27T00:00:00Z', '2028-02-29T00:00Z'],
  ['0 0 29 FEB *', '2096-02-29T00:00:00Z', '2104-02-29T00:00Z'],
  ['0 0 * jan,Jul *', '2026-01-31T00:00:00Z', '2026-07-01T00:00Z'],
  ['0 9 * * MON-FRI', '2026-11-27T09:00:00Z', '2026-11-30T09:00Z'],
  ['0 9 * * 0', '2026-11-27T09:00:00Z', '2026-11-29T09:00Z'],
  ['0 9 * * 7', '2026-11-27T09:00:00Z', '2026-11-29T09:00Z'],
  ['0 9 * * sun', '2026-11-27T09:00:00Z', '2026-11-29T09:00Z'],
  ['0 9 * * FRI-SUN', '2026-11-28T09:00:00Z', '2026-11-29T09:00Z'],
  ['0 9 * * 5-7', '2026-11-29T09:00:00Z', '2026-12-04T09:00Z'],
  // Day 7 is no eighth day of a step: 0, 2, 4, 6 and then Sunday again.
  ['0 9 * * */7', '2026-11-27T09:00:00Z', '2026-11-29T09:00Z'],
  // Both restricted: either.
  ['0 0 13 * FRI', '2026-11-27T00:00:00Z', '2026-12-04T00:00Z'],
  ['0 0 13 * FRI', '2026-12-11T00:00:00Z', '2026-12-13T00:00Z'],
  // One begins with *: both.
  ['0 0 */2 * MON', '2026-11-27T00:00:00Z', '2026-12-07T00:00Z'],
  ['0 0 13 * */5', '2026-11-27T00:00:00Z', '2026-12-13T00:00Z'],
  ['  0\t0  1 1 *  ', '1969-06-01T00:00:00Z', '1970-01-01T00:00Z'],
  ['0 0 1 3 *', '1899-01-01T00:00:00Z', '1899-03-01T00:00Z'],
  ['0 0 1 1 *', '-000400-06-01T00:00:00Z', '-000399-01-01T00:00Z'],
])('%s after %s is due at %s', (text, after, next) => {
  expect(nextOf(text, after)).toBe(next)
})

test.each(['0 0 30 2 *', '0 0 31 4,6,9,11 *', '0 0 30,31 FEB *'])('%s is never due', (text) => {
  expect(cronOf(text).nextAfter(Date.parse('2026-11-27T00:00:00Z'))).toBeUndefined()
})

test('29 February on a Sunday is found, up to 40 years ahead, all through the 400 years of the calendar', () => {
  // A step keeps it at 'both must match'; of 0 and 7, it leaves Sunday.
  const cron = cronOf('0 0 29 2 */7')
  const expected: number[] = []
  for (let year = 2001; year <= 2401; year++) {
    const ms = Date.UTC(year, 1, 29)
    if (new Date(ms).getUTCDate() === 29 && new Date(ms).getUTCDay() === 0) expected.push(ms)
  }
  const found: number[] = []
  for (
    let ms = cron.nextAfter(Date.UTC(2001, 0, 1));
    ms !== undefined && ms < Date.UTC(2401, 11, 31);
    ms = cron.nextAfter(ms)
  )
    found.push(ms)
  expect(found).toEqual(expected)
  expect(Math.max(...expected.slice(1).map((ms, index) => ms - expected[index]!)) / (365 * DAY_MS)).toBeGreaterThan(39)
})

test('moments that no calendar has are never due', () => {
  const cron = cronOf('0 0 1 1 *')
  for (const wallMs of [Number.NaN, Infinity, -Infinity, 8.64e15 + 1, 8.64e15, 8.64e15 - 1]) {
    expect(cron.nextAfter(wallMs), String(wallMs)).toBeUndefined()
  }
  expect(cronOf('* * * * *').nextAfter(8.64e15 - MINUTE_MS)).toBe(8.64e15)
  expect(cronOf('* * * * *').nextAfter(-8.64e15)).toBe(-8.64e15 + MINUTE_MS)
})

/** A field as text and as the values that it has, made by counting. */
interface FieldModel {
  readonly text: string
  readonly values: ReadonlySet<number>
}

function fieldModel(min: number, max: number): fc.Arbitrary<FieldModel> {
  const part = fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }), fc.integer({ min: 1, max }), fc.nat(4))
    .map(([one, other, step, form]) => {
      const from = Math.min(one, other)
      const to = Math.max(one, other)
      const count = (first: number, last: number, by: number): number[] =>
        Array.from({ length: max - min + 1 }, (_, index) => min + index).filter(
          (value) => value >= first && value <= last && (value - first) % by === 0,
        )
      return [
        { text: '*', values: count(min, max, 1) },
        { text: `*/${step}`, values: count(min, max, step) },
        { text: `${one}`, values: [one] },
        { text: `${from}-${to}`, values: count(from, to, 1) },
        { text: `${from}-${to}/${step}`, values: count(from, to, step) },
      ][form]!
    })
  return fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => ({
    text: parts.map(({ text }) => text).join(','),
    values: new Set(parts.flatMap(({ values }) => values)),
  }))
}

const fields = fc.tuple(fieldModel(0, 59), fieldModel(0, 23), fieldModel(1, 31), fieldModel(1, 12), fieldModel(0, 6))

function isDue(ms: number, [minute, hour, dayOfMonth, month, dayOfWeek]: readonly FieldModel[]): boolean {
  const date = new Date(ms)
  if (!minute!.values.has(date.getUTCMinutes()) || !hour!.values.has(date.getUTCHours())) return false
  if (!month!.values.has(date.getUTCMonth() + 1)) return false
  const isDayOfMonth = dayOfMonth!.values.has(date.getUTCDate())
  const isDayOfWeek = dayOfWeek!.values.has(date.getUTCDay())
  const isEither = !dayOfMonth!.text.startsWith('*') && !dayOfWeek!.text.startsWith('*')
  return isEither ? isDayOfMonth || isDayOfWeek : isDayOfMonth && isDayOfWeek
}

/** From 1600 to 2600. */
const moments = fc.integer({ min: -11_676_096_000_000, max: 19_880_899_200_000 })

test('it is due at every moment that Date says it is, and at no other, whatever the fields', () => {
  fc.assert(
    fc.property(fields, moments, (models, wallMs) => {
      const cron = cronOf(models.map(({ text }) => text).join(' '))
      const next = cron.nextAfter(wallMs)
      const isNeverDue = (from: number, to: number): boolean => {
        for (let ms = (Math.floor(from / MINUTE_MS) + 1) * MINUTE_MS; ms < to; ms += MINUTE_MS)
          if (isDue(ms, models)) return false
        return true
      }
      if (next !== undefined) {
        expect(next).toBeGreaterThan(wallMs)
        expect(isDue(next, models)).toBe(true)
      }
      // Nothing before it; of a long wait, its first two days and its last.
      const end = next ?? Infinity
      expect(isNeverDue(wallMs, Math.min(end, wallMs + 2 * DAY_MS))).toBe(true)
      if (Number.isFinite(end)) expect(isNeverDue(Math.max(wallMs, end - DAY_MS), end)).toBe(true)
    }),
    { numRuns: 1_500 },
  )
})

test('no day between now and the next is one, over many years', () => {
  const day = fc.tuple(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 1, max: 12 }))
  fc.assert(
    fc.property(day, moments, ([dayOfMonth, month], wallMs) => {
      const next = cronOf(`0 0 ${dayOfMonth} ${month} *`).nextAfter(wallMs)
      const startOfDay = Math.floor(wallMs / DAY_MS) * DAY_MS
      let expected: number | undefined
      for (let ms = startOfDay + DAY_MS; expected === undefined && ms < startOfDay + 9 * 366 * DAY_MS; ms += DAY_MS) {
        const date = new Date(ms)
        if (date.getUTCDate() === dayOfMonth && date.getUTCMonth() + 1 === month) expected = ms
      }
      expect(next).toBe(expected)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['', 1, 'expected 5 fields (minute, hour, day of month, month, day of week), found 0'],
  ['* * * *', 8, 'found 4'],
  ['0 0 12 * * ?', 12, 'found 6; there is no field for seconds or years'],
  ['60 * * * *', 1, "minute: expected a number from 0 to 59, found '60'"],
  ['* 24 * * *', 3, "hour: expected a number from 0 to 23, found '24'"],
  ['* * 0 * *', 5, "day of month: expected a number from 1 to 31, found '0'"],
  ['* * * 13 *', 7, "month: expected a number from 1 to 12 or a name from JAN to DEC, found '13'"],
  ['* * * * 8', 9, "day of week: expected a number from 0 to 7 or a name from SUN to SAT, found '8'"],
  ['* * * * MONDAY', 9, "found 'MONDAY'"],
  ['* * ? * *', 5, "found '?'"],
  ['1,,2 * * * *', 3, 'found nothing'],
  ['1, * * * *', 3, 'found nothing'],
  ['1- * * * *', 3, 'found nothing'],
  ['-1 * * * *', 1, 'found nothing'],
  ['5-x * * * *', 3, "found 'x'"],
  ['1.5 * * * *', 1, "found '1.5'"],
  ['20-10 * * * *', 4, 'minute: the range ends at 10, before it begins at 20'],
  ['* * * * SAT-MON', 13, 'the range ends at 1, before it begins at 6'],
  ['*/0 * * * *', 3, "minute: a step is a number from 1 to 59, not '0'"],
  ['*/60 * * * *', 3, "not '60'"],
  ['*/ * * * *', 3, 'not nothing'],
  ['*/5/5 * * * *', 3, "not '5/5'"],
  ['1,*-5 * * * *', 3, "found '*'"],
  ['** * * * *', 1, "found '**'"],
  ['* * * * \u0007', 9, "found '?'"],
  ['* * * * __proto__', 9, "found '__proto__'"],
  [`${' '.repeat(CRON_LENGTH_MAX)}* * * * *`, CRON_LENGTH_MAX + 1, 'an expression of 265 characters exceeds the 256'],
])('%j is refused at column %i', (text, position, words) => {
  const parsed = parseCron(text)
  if (parsed.ok) throw new Error('it was accepted')
  expect(parsed.error.position).toBe(position)
  expect(parsed.error.text).toContain(words)
  expect(parsed.error.text.startsWith(`column ${position}: `)).toBe(true)
})

test('no text makes the parser throw, and an error points into the text or right behind it', () => {
  const piece = fc.constantFrom('*', '/', '-', ',', ' ', ' ', '0', '7', '59', 'MON', 'feb', '?', 'é', '\n')
  const pieces = fc.array(piece, { maxLength: 25 }).map((list) => list.join(''))
  let refusedCount = 0
  fc.assert(
    fc.property(fc.oneof(pieces, fc.string({ unit: 'binary' })), (text) => {
      const parsed = parseCron(text)
      if (parsed.ok) return
      refusedCount++
      expect(parsed.error.position).toBeGreaterThanOrEqual(1)
      expect(parsed.error.position).toBeLessThanOrEqual(text.length + 1)
    }),
    { numRuns: 5_000 },
  )
  expect(refusedCount).toBeGreaterThan(4_000)
})
