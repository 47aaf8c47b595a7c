/**
 * Makes a value of the bytes of a body. How much is in it is counted before: a million fields take as long to be made and checked as a
 * thousand messages of others. What cannot be read is told by what it is: never repeated, for it may have a password in it.
 */
import { ApiError } from '@ternmq/management'
import { BODY_BYTES_PER_TURN, BODY_DEPTH_MAX, OBJECT_FIELDS_MAX } from './limits.ts'

const UTF8 = new TextDecoder('utf-8', { fatal: true })

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const LIST_BEGIN = 0x5b
const LIST_END = 0x5d
const OBJECT_BEGIN = 0x7b
const OBJECT_END = 0x7d

/**
 * `entriesMax`: of all lists and objects together. `pause` resolves in a later turn: long bodies are looked through in pieces.
 * Rejects with ApiError('INVALID') for what is no JSON, and ApiError('TOO_LARGE') for what has too much in it.
 */
export async function parseJson(bytes: Uint8Array, entriesMax: number, pause: () => Promise<void>): Promise<unknown> {
  const scan = new Scan(entriesMax)
  for (let from = 0; from < bytes.length; from += BODY_BYTES_PER_TURN) {
    scan.look(bytes.subarray(from, from + BODY_BYTES_PER_TURN))
    if (bytes.length > BODY_BYTES_PER_TURN) await pause()
  }
  return parse(bytes)
}

/** Counts what is in JSON by its punctuation, without making anything of it. Of bytes that are no JSON it says nothing. */
class Scan {
  readonly #entriesMax: number
  /** Of the objects that are open, by depth. */
  readonly #fieldCounts = new Uint32Array(BODY_DEPTH_MAX + 1)
  #entryCount = 0
  #depth = 0
  #isText = false
  #isEscaped = false

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Throws ApiError('TOO_LARGE'). */
  look(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index]
      if (this.#isText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#isText = false
      } else if (byte === QUOTE) this.#isText = true
      else if (byte === COMMA) this.#countEntry()
      else if (byte === COLON) this.#countField()
      else if (byte === LIST_BEGIN || byte === OBJECT_BEGIN) this.#begin()
      else if (byte === LIST_END || byte === OBJECT_END) this.#depth = Math.max(0, this.#depth - 1)
    }
  }

  #begin(): void {
    this.#countEntry()
    this.#depth++
    if (this.#depth > BODY_DEPTH_MAX)
      throw tooMuch(
        `lists and objects within one another deeper than ${BODY_DEPTH_MAX}`,
        `up to ${BODY_DEPTH_MAX} deep`,
      )
    this.#fieldCounts[this.#depth] = 0
  }

  /** The first entry of a list or object is counted when it begins. */
  #countEntry(): void {
    if (++this.#entryCount > this.#entriesMax) {
      const most = `${this.#entriesMax} entries`
      throw tooMuch(
        `more than ${most} of lists and objects, the most of this call`,
        `up to ${most} of lists and objects`,
      )
    }
  }

  #countField(): void {
    const count = (this.#fieldCounts[this.#depth] ?? 0) + 1
    this.#fieldCounts[this.#depth] = count
    if (count > OBJECT_FIELDS_MAX)
      throw tooMuch(
        `an object with more than ${OBJECT_FIELDS_MAX} fields`,
        `up to ${OBJECT_FIELDS_MAX} fields of an object`,
      )
  }
}

function parse(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch (cause) {
    throw bad('the body is not UTF-8', cause)
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    throw bad('the body is not JSON', cause)
  }
  // Only texts that have the name in some spelling are looked through.
  if (/__proto__|\\u00/i.test(text)) refuseProto(body)
  return body
}

/** `__proto__` is no name for anything here: in objects that are merged or copied it would become their prototype. */
function refuseProto(body: unknown): void {
  const left: unknown[] = [body]
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (typeof part !== 'object' || part === null) continue
    if (Object.hasOwn(part, '__proto__')) {
      throw new ApiError('INVALID', 'the body has a field __proto__; leave it out', {
        field: '__proto__',
        rule: 'no field of this name',
      })
    }
    for (const value of Object.values(part)) left.push(value)
  }
}

function bad(detail: string, cause: unknown): ApiError {
  const error = new ApiError('INVALID', detail, { field: 'body', rule: 'JSON in UTF-8' })
  error.cause = cause
  return error
}

function tooMuch(what: string, rule: string): ApiError {
  return new ApiError('TOO_LARGE', `the body has ${what}`, { field: 'body', rule })
}
