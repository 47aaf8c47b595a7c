/**
 * Ids of messages, which are strings, numbers, UUIDs or bytes in AMQP and texts everywhere else. A type that is not a string is written
 * before the text as JMS has it, and becomes that type again. [AMQP-JMS mapping §3.2.1.1]
 */
import { Code } from '../codec/type-codes.ts'
import { binaryAt, textAt, uuidText, wholeOf } from './reading.ts'
import type { SectionWriter } from './section-writer.ts'

const UUID = 'ID:AMQP_UUID:'
const ULONG = 'ID:AMQP_ULONG:'
const BINARY = 'ID:AMQP_BINARY:'
/** Before a string that begins like one of the others. */
const STRING = 'ID:AMQP_STRING:'
const ULONG_MAX = 0xffff_ffff_ffff_ffffn

/** The id at `at` as a text; undefined for a value that can be none. */
export function idText(bytes: Uint8Array, at: number): string | undefined {
  const code = bytes[at]!
  if (code === Code.uuid) return UUID + uuidText(bytes, at + 1)
  if (code === Code.ulong0 || code === Code.smallUlong || code === Code.ulong) return ULONG + String(wholeOf(bytes, code, at + 1))
  const binary = binaryAt(bytes, at)
  if (binary !== undefined) return BINARY + Buffer.from(binary).toString('hex').toUpperCase()
  const text = textAt(bytes, at)
  return text !== undefined && isMarked(text) ? STRING + text : text
}

function isMarked(text: string): boolean {
  return text.startsWith('ID:AMQP_') && [UUID, ULONG, BINARY, STRING].some((mark) => text.startsWith(mark))
}

/** The way back; what begins like a type and is none is a string. */
export function writeId(to: SectionWriter, text: string): void {
  if (!text.startsWith('ID:AMQP_')) return to.string(text)
  if (text.startsWith(STRING)) return to.string(text.slice(STRING.length))
  const uuid = behind(UUID, text)?.replaceAll('-', '')
  if (uuid !== undefined && /^[0-9a-f]{32}$/i.test(uuid)) return to.uuid(Buffer.from(uuid, 'hex'))
  const digits = behind(ULONG, text)
  if (digits !== undefined && /^[0-9]{1,20}$/.test(digits) && BigInt(digits) <= ULONG_MAX) return to.ulong(BigInt(digits))
  const hex = behind(BINARY, text)
  if (hex !== undefined && /^([0-9a-f]{2})*$/i.test(hex)) return to.binary(Buffer.from(hex, 'hex'))
  to.string(text)
}

function behind(mark: string, text: string): string | undefined {
  return text.startsWith(mark) ? text.slice(mark.length) : undefined
}
