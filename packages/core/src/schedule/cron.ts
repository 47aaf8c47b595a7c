/**
 * Cron expressions as ActiveMQ has them: minute, hour, day of month, month, day of week, in UTC. Says when one is due next; who waits
 * for it is the schedule's business.
 *
 * A field is a list of `*`, `7`, `MON`, `1-5` or `MON-FRI`, each with a step if wanted, as in `8-18/2` or `5/10` (from 5 on). Months
 * and days of the week have names of three letters. 0 and 7 are Sunday, and a range may end with either: `FRI-SUN`. As in every cron,
 * either of day of month and day of week is enough if both are restricted; a field that begins with `*`, with a step or without, does
 * not count as restricted, and then both must match.
 */

/** Characters. A longer expression is refused. */
export const CRON_LENGTH_MAX = 256

const MINUTE_MS = 60_000
const HOUR_MINUTES = 60
const DAY_MINUTES = 1_440
/** The calendar repeats after 400 years, weekdays included: what is not due in them is never due. */
const SEARCH_MONTHS_MAX = 400 * 12
/** The moments that a calendar has, both ways; the same as those of Date. */
const WALL_MS_MAX = 8.64e15

export interface CronError {
  /** Column of the first character that does not fit, from 1. */
  readonly position: number
  /** A sentence with the column, the field and what it may hold. */
  readonly text: string
}

export type ParsedCron = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly error: CronError }

interface FieldSpec {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names of the values from `min` on. */
  readonly names: readonly string[]
}

const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const SUNDAY_AGAIN = 7

const MINUTE: FieldSpec = { name: 'minute', min: 0, max: 59, names: [] }
const HOUR: FieldSpec = { name: 'hour', min: 0, max: 23, names: [] }
const DAY_OF_MONTH: FieldSpec = { name: 'day of month', min: 1, max: 31, names: [] }
const MONTH: FieldSpec = { name: 'month', min: 1, max: 12, names: MONTHS }
const DAY_OF_WEEK: FieldSpec = { name: 'day of week', min: 0, max: SUNDAY_AGAIN, names: WEEKDAYS }
const FIELDS = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK]

interface Field {
  /** By value. */
  readonly isIn: readonly boolean[]
  /** Ascending. */
  readonly values: readonly number[]
  readonly beginsWithStar: boolean
}

interface Word {
  readonly text: string
  /** Index in the expression. */
  readonly offset: number
}

class CronSyntaxError extends Error {
  readonly position: number

  constructor(offset: number, text: string) {
    super(`column ${offset + 1}: ${text}`)
    this.name = 'CronSyntaxError'
    this.position = offset + 1
  }
}

/** Parses five fields, apart by blanks. */
export function parseCron(text: string): ParsedCron {
  try {
    const words = toWords(text)
    const [minutes, hours, daysOfMonth, months, daysOfWeek] = FIELDS.map((spec, index) =>
      parseField(words[index]!, spec),
    )
    return { ok: true, cron: new Cron(text, minutes!, hours!, daysOfMonth!, months!, daysOfWeek!) }
  } catch (error) {
    if (!(error instanceof CronSyntaxError)) throw error
    return { ok: false, error: { position: error.position, text: error.message } }
  }
}

export class Cron {
  /** As given. */
  readonly text: string
  readonly #minutes: Field
  readonly #hours: Field
  readonly #daysOfMonth: Field
  readonly #months: Field
  readonly #daysOfWeek: Field

  constructor(text: string, minutes: Field, hours: Field, daysOfMonth: Field, months: Field, daysOfWeek: Field) {
    this.text = text
    this.#minutes = minutes
    this.#hours = hours
    this.#daysOfMonth = daysOfMonth
    this.#months = months
    this.#daysOfWeek = daysOfWeek
  }

  /**
   * The first moment after `wallMs` (Unix ms, UTC) at which it is due, always at the beginning of a minute.
   * Undefined if it never is (30 February) or not within the range of a calendar (±8.64e15). At most 400 years are looked through, which
   * takes up to 180 µs; the usual expression takes less than 1 µs.
   */
  nextAfter(wallMs: number): number | undefined {
    if (!(Math.abs(wallMs) <= WALL_MS_MAX)) return undefined
    const minute = Math.floor(wallMs / MINUTE_MS) + 1
    const today = Math.floor(minute / DAY_MINUTES)
    let date = dateOfDay(today)
    if (this.#isDueOn(today, date.month, date.dayOfMonth)) {
      const minuteOfDay = this.#nextMinuteOfDay(minute - today * DAY_MINUTES)
      if (minuteOfDay !== undefined) return toMs(today, minuteOfDay)
    }
    let day = today + 1
    date = dateOfDay(day)
    // Begins within a month, whose first days come again 400 years later: hence one more.
    for (let count = 0; count <= SEARCH_MONTHS_MAX; count++) {
      const days = daysInMonth(date.year, date.month)
      if (this.#months.isIn[date.month] === true) {
        for (let dayOfMonth = date.dayOfMonth; dayOfMonth <= days; dayOfMonth++) {
          const due = day + dayOfMonth - date.dayOfMonth
          if (this.#isDueOn(due, date.month, dayOfMonth)) return toMs(due, this.#nextMinuteOfDay(0)!)
        }
      }
      day += days - date.dayOfMonth + 1
      date =
        date.month === 12
          ? { year: date.year + 1, month: 1, dayOfMonth: 1 }
          : { year: date.year, month: date.month + 1, dayOfMonth: 1 }
    }
    return undefined
  }

  #isDueOn(day: number, month: number, dayOfMonth: number): boolean {
    if (this.#months.isIn[month] !== true) return false
    const isDayOfMonth = this.#daysOfMonth.isIn[dayOfMonth] === true
    const isDayOfWeek = this.#daysOfWeek.isIn[dayOfWeek(day)] === true
    if (this.#daysOfMonth.beginsWithStar || this.#daysOfWeek.beginsWithStar) return isDayOfMonth && isDayOfWeek
    return isDayOfMonth || isDayOfWeek
  }

  /** The first at or after `from`, or undefined. */
  #nextMinuteOfDay(from: number): number | undefined {
    const fromHour = Math.floor(from / HOUR_MINUTES)
    for (const hour of this.#hours.values) {
      if (hour < fromHour) continue
      const fromMinute = hour === fromHour ? from - hour * HOUR_MINUTES : 0
      const minute = this.#minutes.values.find((value) => value >= fromMinute)
      if (minute !== undefined) return hour * HOUR_MINUTES + minute
    }
    return undefined
  }
}

function toWords(text: string): Word[] {
  if (text.length > CRON_LENGTH_MAX)
    throw new CronSyntaxError(
      CRON_LENGTH_MAX,
      `an expression of ${text.length} characters exceeds the ${CRON_LENGTH_MAX} that one may have`,
    )
  const words = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }))
  const expected = `expected 5 fields (${FIELDS.map((field) => field.name).join(', ')})`
  if (words.length < FIELDS.length) throw new CronSyntaxError(text.length, `${expected}, found ${words.length}`)
  if (words.length > FIELDS.length) {
    const hint = words.length <= 7 ? '; there is no field for seconds or years' : ''
    throw new CronSyntaxError(words[FIELDS.length]!.offset, `${expected}, found ${words.length}${hint}`)
  }
  return words
}

function parseField(word: Word, spec: FieldSpec): Field {
  const isIn = Array.from({ length: spec.max + 1 }, () => false)
  let offset = word.offset
  for (const part of word.text.split(',')) {
    addPart({ text: part, offset }, spec, isIn)
    offset += part.length + 1
  }
  if (spec === DAY_OF_WEEK && isIn[SUNDAY_AGAIN] === true) isIn[0] = true
  const values = [...isIn.keys()].filter((value) => isIn[value])
  return { isIn, values, beginsWithStar: word.text.startsWith('*') }
}

/** `*`, `5`, `1-5`, each perhaps with `/2`. */
function addPart(part: Word, spec: FieldSpec, isIn: boolean[]): void {
  const slash = part.text.indexOf('/')
  const rangeText = slash < 0 ? part.text : part.text.slice(0, slash)
  const step = slash < 0 ? 1 : parseStep({ text: part.text.slice(slash + 1), offset: part.offset + slash + 1 }, spec)
  const [from, to] = parseRange({ text: rangeText, offset: part.offset }, spec, slash >= 0)
  for (let value = from; value <= to; value += step) isIn[value] = true
}

function parseRange(range: Word, spec: FieldSpec, hasStep: boolean): [number, number] {
  // Day 7 is Sunday again, which * has already; with a step it would be a second one.
  const last = spec === DAY_OF_WEEK ? SUNDAY_AGAIN - 1 : spec.max
  if (range.text === '*') return [spec.min, last]
  const dash = range.text.indexOf('-')
  if (dash < 0) {
    const value = parseValue(range, spec)
    return [value, hasStep ? Math.max(value, last) : value]
  }
  const from = parseValue({ text: range.text.slice(0, dash), offset: range.offset }, spec)
  const end = { text: range.text.slice(dash + 1), offset: range.offset + dash + 1 }
  const to = parseValue(end, spec)
  if (from <= to) return [from, to]
  if (spec === DAY_OF_WEEK && to === 0) return [from, SUNDAY_AGAIN]
  throw new CronSyntaxError(
    end.offset,
    `${spec.name}: the range ends at ${to}, before it begins at ${from}; write two, apart by a comma`,
  )
}

function parseStep(step: Word, spec: FieldSpec): number {
  if (/^\d{1,2}$/.test(step.text) && Number(step.text) >= 1 && Number(step.text) <= spec.max) return Number(step.text)
  throw new CronSyntaxError(
    step.offset,
    `${spec.name}: a step is a number from 1 to ${spec.max}, not ${shown(step.text)}`,
  )
}

function parseValue(value: Word, spec: FieldSpec): number {
  const named = spec.names.indexOf(value.text.toUpperCase())
  if (named >= 0) return spec.min + named
  if (/^\d{1,2}$/.test(value.text) && Number(value.text) >= spec.min && Number(value.text) <= spec.max)
    return Number(value.text)
  const orName = spec.names.length === 0 ? '' : ` or a name from ${spec.names[0]} to ${spec.names.at(-1)}`
  throw new CronSyntaxError(
    value.offset,
    `${spec.name}: expected a number from ${spec.min} to ${spec.max}${orName}, found ${shown(value.text)}`,
  )
}

function shown(text: string): string {
  return text === '' ? 'nothing' : `'${text.replaceAll(/\p{C}/gu, '?')}'`
}

/** In the Gregorian calendar, also before it was introduced. */
interface CivilDate {
  readonly year: number
  /** From 1. */
  readonly month: number
  /** From 1. */
  readonly dayOfMonth: number
}

const DAYS_OF_400_YEARS = 146_097
const DAYS_OF_100_YEARS = 36_524
const DAYS_OF_4_YEARS = 1_461
/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_TO_EPOCH = 719_468
/** Days of the months from March on, as a line: the beginning of month m is (153 m + 2) / 5. */
const DAYS_OF_5_MONTHS = 153

/** `day` counts from 1 January 1970. Years are taken to begin in March, so that the leap day is their last. */
function dateOfDay(day: number): CivilDate {
  const shifted = day + DAYS_TO_EPOCH
  const era = Math.floor(shifted / DAYS_OF_400_YEARS)
  const dayOfEra = shifted - era * DAYS_OF_400_YEARS
  const leapDays =
    Math.floor(dayOfEra / (DAYS_OF_4_YEARS - 1)) -
    Math.floor(dayOfEra / DAYS_OF_100_YEARS) +
    Math.floor(dayOfEra / (DAYS_OF_400_YEARS - 1))
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / DAYS_OF_5_MONTHS)
  const dayOfMonth = dayOfYear - Math.floor((DAYS_OF_5_MONTHS * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfMonth }
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** 0 is Sunday; 1 January 1970 was a Thursday. */
function dayOfWeek(day: number): number {
  return (((day + 4) % 7) + 7) % 7
}

function toMs(day: number, minuteOfDay: number): number | undefined {
  const ms = (day * DAY_MINUTES + minuteOfDay) * MINUTE_MS
  return ms <= WALL_MS_MAX ? ms : undefined
}
