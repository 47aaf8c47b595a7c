/** Descriptors of the types that the specification defines, in each of their forms. [AMQP10 §1.1.2, §2.7, §3.4, §3.5, §4.5, §5.3.3] */
import { malformed } from './faults.ts'
import { hex, skipValue, uint32At } from './structure.ts'
import { Code } from './type-codes.ts'

export const Descriptor = {
  open: 0x10,
  begin: 0x11,
  attach: 0x12,
  flow: 0x13,
  transfer: 0x14,
  disposition: 0x15,
  detach: 0x16,
  end: 0x17,
  close: 0x18,
  error: 0x1d,
  received: 0x23,
  accepted: 0x24,
  rejected: 0x25,
  released: 0x26,
  modified: 0x27,
  source: 0x28,
  target: 0x29,
  coordinator: 0x30,
  declare: 0x31,
  discharge: 0x32,
  declared: 0x33,
  transactionalState: 0x34,
  saslMechanisms: 0x40,
  saslInit: 0x41,
  saslChallenge: 0x42,
  saslResponse: 0x43,
  saslOutcome: 0x44,
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  properties: 0x73,
  applicationProperties: 0x74,
  data: 0x75,
  amqpSequence: 0x76,
  amqpValue: 0x77,
  footer: 0x78,
} as const

/** What the symbolic form says behind the name. [AMQP10 §3.2] */
const SUFFIXES: Readonly<Record<string, string>> = {
  deliveryAnnotations: 'map',
  messageAnnotations: 'map',
  applicationProperties: 'map',
  data: 'binary',
  amqpValue: '*',
  footer: 'map',
}

const BY_SYMBOL: ReadonlyMap<string, number> = new Map(
  Object.entries(Descriptor).map(([name, code]) => {
    const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    return [`amqp:${dashed}:${SUFFIXES[name] ?? 'list'}`, code]
  }),
)

/** Code of a symbolic descriptor; -1 for one that the specification does not define. */
export function codeOfSymbol(symbol: string): number {
  return BY_SYMBOL.get(symbol) ?? -1
}

/**
 * Code of the described value at `at`; -1 when it is none, or its descriptor is not one of the specification. The bytes may be anything.
 * Hot path for the form that all send.
 */
export function describedCode(bytes: Uint8Array, at: number, end: number): number {
  if (at + 3 > end || bytes[at] !== Code.described) return -1
  if (bytes[at + 1] === Code.smallUlong) return bytes[at + 2]!
  return longDescribedCode(bytes, at + 1, end)
}

function longDescribedCode(bytes: Uint8Array, at: number, end: number): number {
  const code = bytes[at]!
  if (code === Code.ulong && at + 9 <= end) {
    const low = uint32At(bytes, at + 5)
    return uint32At(bytes, at + 1) === 0 && low <= 0xff ? low : -1
  }
  if (code !== Code.symbol8 && code !== Code.symbol32) return -1
  const start = at + (code === Code.symbol8 ? 2 : 5)
  const size = start > end ? Infinity : code === Code.symbol8 ? bytes[at + 1]! : uint32At(bytes, at + 1)
  if (size > SYMBOL_BYTES_MAX || size > end - start) return -1
  return codeOfSymbol(String.fromCharCode(...bytes.subarray(start, start + size)))
}

/** Longer than every one of ours. */
const SYMBOL_BYTES_MAX = 64

/** Offset of the value behind the descriptor at `at`, after `describedCode` knew it. Hot path. */
export function behindDescriptor(bytes: Uint8Array, at: number): number {
  return bytes[at + 1] === Code.smallUlong ? at + 3 : skipValue(bytes, at + 1)
}

/** As `behindDescriptor`; throws when the value at `at` is not described as `code`. */
export function expectDescriptor(bytes: Uint8Array, at: number, end: number, code: number, what: string): number {
  const found = describedCode(bytes, at, end)
  if (found === code) return behindDescriptor(bytes, at)
  throw malformed(
    what,
    `expected a value described as ${hex(code)}, got ${found < 0 ? 'another' : hex(found)}`,
    'AMQP10-1.3.4-f',
  )
}
