/**
 * Bytes that are values, nearly values or anything: what `checkValue` takes a reader that is written to be read takes too, and nothing else;
 * what is read from it is the same, lies in memory of its own, and is the same again when it was written.
 */
import { assert, Dice, type Fuzzer, FuzzFailure, type FuzzTally, linesOf, toHex } from '@ternmq/testkit/fuzzer'

import { decodeCoordinatorCommand } from '../../src/codec/decode-control.ts'
import { decodeState } from '../../src/codec/decode-state.ts'
import { decodeValue } from '../../src/codec/decode-value.ts'
import { encodeState } from '../../src/codec/encode-state.ts'
import { encodeValue } from '../../src/codec/encode-value.ts'
import { AmqpFault } from '../../src/codec/faults.ts'
import { checkValue, DEPTH_MAX, EMPTY_ELEMENTS_MAX, skipValue } from '../../src/codec/structure.ts'
import { type Limits, Refused, Source } from './reference-values.ts'
import { showNode, showValue } from './shown.ts'
import { changeBytes, makeValue, number } from './value-generator.ts'

export const LIMITS: Limits = { depthMax: DEPTH_MAX, emptyElementsMax: EMPTY_ELEMENTS_MAX }

export const valuesFuzzer: Fuzzer = {
  name: 'amqp-values',
  what: 'bytes are taken as values of AMQP, and read, as a reader does that is written to be read',

  run(seed: number, iterations: number): FuzzTally {
    const dice = new Dice(seed)
    const tally = { taken: 0, refused: 0, states: 0 }
    for (let step = 0; step < iterations; step++) {
      const bytes = makeInput(dice)
      try {
        tally[check(bytes)]++
        if (isState(bytes)) tally.states++
      } catch (cause) {
        throw new FuzzFailure(seed, step, toText(bytes), cause)
      }
    }
    return tally
  },

  replay(text: string): void {
    const bytes = Buffer.from(linesOf(text).join(''), 'hex')
    check(bytes)
    isState(bytes)
  },
}

function check(bytes: Buffer): 'taken' | 'refused' {
  const expected = expectedOf(bytes)
  // What lies around it must not matter.
  const memory = Buffer.concat([Buffer.of(0x41), bytes, Buffer.of(0x41, 0x41, 0x41)])
  const found = foundIn(memory, 1, 1 + bytes.length)
  assert(found === expected, `read as ${found}, expected ${expected}`)
  return expected === 'refused' ? 'refused' : 'taken'
}

function expectedOf(bytes: Buffer): string {
  try {
    const source = new Source(bytes, LIMITS)
    const node = source.value()
    return `${showNode(node)}, ${source.left} bytes behind`
  } catch (error) {
    if (error instanceof Refused) return 'refused'
    throw error
  }
}

function foundIn(memory: Buffer, start: number, end: number): string {
  const behind = endOf(memory, start, end)
  if (behind === undefined) return 'refused'
  assert(skipValue(memory, start) === behind, `skipped to ${skipValue(memory, start)}, the value ends at ${behind}`)
  const value = decodeValue(memory, start)
  memory.fill(0xdd)
  const shown = showValue(value)
  const again = encodeValue(value)
  assert(checkValue(again, 0, again.length, 'again') === again.length, 'what was written is no value')
  assert(
    showValue(decodeValue(again, 0)) === shown,
    `written and read again: ${showValue(decodeValue(again, 0))}, was ${shown}`,
  )
  return `${shown}, ${end - behind} bytes behind`
}

/** Offset behind the value; undefined when it is refused. */
function endOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  return unlessFault(() => checkValue(bytes, start, end, 'it'))
}

/** The bytes as a delivery state, and as a message to a coordinator: read or refused, and as it was when it was written and read again. */
function isState(bytes: Buffer): boolean {
  unlessFault(() => decodeCoordinatorCommand(bytes, 0, bytes.length))
  const state = unlessFault(() => decodeState(bytes, 0, bytes.length))
  if (state === undefined) return false
  const again = encodeState(state)
  const json = JSON.stringify(decodeState(again, 0, again.length), plain)
  assert(json === JSON.stringify(state, plain), `a state written and read again is ${json}`)
  return true
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map ? [...(value as Map<unknown, unknown>)] : value
}

function unlessFault<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof AmqpFault)) throw error
    assert(error.level === 'connection', `a fault of the level ${error.level}`)
    assert(
      !/[\0-\x1f\x7f-\x9f]/.test(error.message),
      `the text of a fault has control characters: ${JSON.stringify(error.message)}`,
    )
    return undefined
  }
}

// ── inputs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const STATE_DESCRIPTORS = [0x23, 0x24, 0x25, 0x26, 0x27, 0x33, 0x34]

function makeInput(dice: Dice): Buffer {
  let bytes = makeWhole(dice)
  for (let changes = dice.oneIn(2) ? 1 + dice.below(2) : 0; changes > 0; changes--) bytes = changeBytes(bytes, dice)
  return dice.oneIn(10) ? Buffer.concat([bytes, makeValue(dice, 1)]) : bytes
}

function makeWhole(dice: Dice): Buffer {
  switch (dice.weighted({ value: 70, state: 14, nested: 3, empties: 3, command: 5 })) {
    case 'state':
      return makeState(dice)
    case 'nested':
      return makeNested(dice)
    case 'empties':
      return makeEmpties(dice)
    case 'command':
      return makeCommand(dice)
    default:
      return makeValue(dice, dice.below(5))
  }
}

function makeState(dice: Dice): Buffer {
  const fields = Array.from({ length: dice.below(4) }, () =>
    dice.oneIn(3) ? Buffer.of(0x40) : dice.oneIn(2) ? Buffer.of(0xa0, 2, 1, 2) : makeValue(dice, 2),
  )
  const content = Buffer.concat([number(4, fields.length), ...fields])
  const head = Buffer.of(0, 0x53, dice.pick(STATE_DESCRIPTORS), 0xd0)
  return Buffer.concat([head, number(4, content.length), content])
}

/** A message to a coordinator: declare or discharge in an amqp-value section, behind others. */
function makeCommand(dice: Dice): Buffer {
  const command = Buffer.from(
    dice.pick(['00533145', '005331c0020140', '005332c00502a0017441', '005332c00401a00174', '00533245']),
    'hex',
  )
  const before = Buffer.from(dice.pick(['', '00537045', '005373c00100005372c10100']), 'hex')
  return Buffer.concat([before, Buffer.of(0, 0x53, dice.oneIn(12) ? 0x75 : 0x77), command])
}

/** Arrays of elements without bytes, together about as many as are allowed. */
function makeEmpties(dice: Dice): Buffer {
  const arrays = Array.from({ length: 3 + dice.below(3) }, () =>
    Buffer.of(0xe0, 2, dice.oneIn(6) ? dice.below(6) : 255, 0x40 + dice.below(6)),
  )
  return Buffer.concat([Buffer.of(0xc0, 1 + arrays.length * 4, arrays.length), ...arrays])
}

/** About as deep as is allowed. */
function makeNested(dice: Dice): Buffer {
  let bytes = Buffer.of(0x40)
  for (let left = DEPTH_MAX - 3 + dice.below(5); left > 0; left--) {
    const isDescribed = dice.oneIn(3)
    bytes = isDescribed
      ? Buffer.concat([Buffer.of(0, 0x53, 0x24), bytes])
      : Buffer.concat([Buffer.of(0xd0), number(4, bytes.length + 4), number(4, 1), bytes])
  }
  return bytes
}

// ── as text: bytes in hexadecimal, eight in a line ───────────────────────────────────────────────────────────────────

function toText(bytes: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 8) lines.push(toHex(bytes.subarray(at, at + 8)))
  return `${lines.join('\n')}\n`
}
