/**
 * Ids of messages, which are strings, numbers, UUIDs or bytes in AMQP and texts everywhere else. A type that is not a string stands before
 * the text as JMS has it, and becomes that type again. [AMQP-JMS mapping §3.2.1.1]
 */
import { Code } from '../codec/type-codes.ts'
import { binaryAt, textAt, uuidText, wholeOf } from './reading.ts'
import type { SectionWriter } from './section-writer.ts'

const UUID = 'ID:AMQP_UUID:'
const ULONG = 'ID:AMQP_ULONG:'
const BINARY = 'ID:AMQP_BINARY:'
/** Before a string that would be taken for another type. */
const STRING = 'ID:AMQP_STRING:'
/** All of them begin so. */
const MARK = 'ID:AMQP_'
const ULONG_MAX = 0xffff_ffff_ffff_ffffn

/** What an id is for. Correlation ids are bytes in the core, so that bytes need no mark there. */
export type IdUse = 'message' | 'correlation'

/** The id at `at` as a text; undefined for a value that can be none, and for bytes that correlate. */
export function idText(bytes: Uint8Array, at: number, use: IdUse): string | undefined {
  const code = bytes[at]!
  if (code === Code.uuid) return UUID + uuidText(bytes, at + 1)
  if (code === Code.ulong0 || code === Code.smallUlong || code === Code.ulong) {
    return ULONG + String(wholeOf(bytes, code, at + 1))
  }
  const binary = use === 'message' ? binaryAt(bytes, at) : undefined
  if (binary !== undefined) return BINARY + Buffer.from(binary).toString('hex').toUpperCase()
  const text = textAt(bytes, at)
  return text !== undefined && isMeantOtherwise(text, use) ? STRING + text : text
}

/** The way back: of the texts that `idText` makes, each becomes the id that it was made of; every other text is a string. */
export function writeId(to: SectionWriter, text: string, use: IdUse): void {
  if (!text.startsWith(MARK)) return to.string(text)
  const uuid = uuidOf(text)
  if (uuid !== undefined) return to.uuid(uuid)
  const number = ulongOf(text)
  if (number !== undefined) return to.ulong(number)
  const binary = binaryOf(text, use)
  if (binary !== undefined) return to.binary(binary)
  to.string(isEscaped(text, use) ? text.slice(STRING.length) : text)
}

/** As an id of the core it is not the string that it is. */
function isMeantOtherwise(text: string, use: IdUse): boolean {
  if (!text.startsWith(MARK)) return false
  return (uuidOf(text) ?? ulongOf(text) ?? binaryOf(text, use)) !== undefined || isEscaped(text, use)
}

/** One mark or several, behind which is something else than a string. */
function isEscaped(text: string, use: IdUse): boolean {
  let at = 0
  while (text.startsWith(STRING, at)) at += STRING.length
  return at > 0 && isMeantOtherwise(text.slice(at), use)
}

function uuidOf(text: string): Uint8Array | undefined {
  const digits = behind(UUID, text)
  if (digits === undefined || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(digits)) return undefined
  return Buffer.from(digits.replaceAll('-', ''), 'hex')
}

function ulongOf(text: string): bigint | undefined {
  const digits = behind(ULONG, text)
  if (digits === undefined || !/^(0|[1-9][0-9]{0,19})$/.test(digits)) return undefined
  const value = BigInt(digits)
  return value <= ULONG_MAX ? value : undefined
}

function binaryOf(text: string, use: IdUse): Uint8Array | undefined {
  if (use === 'correlation') return undefined
  const digits = behind(BINARY, text)
  return digits !== undefined && /^([0-9A-F]{2})*$/.test(digits) ? Buffer.from(digits, 'hex') : undefined
}

function behind(mark: string, text: string): string | undefined {
  return text.startsWith(mark) ? text.slice(mark.length) : undefined
}
