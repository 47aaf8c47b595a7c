/** Changes to a packet in the ways that matter to a format of lengths and flags. */
import { bytes, varint } from '../wire/bytes.ts'
import type { Dice } from '@ternmq/testkit/fuzzer'

/** Values that lengths, flags, property identifiers and UTF-8 trip over. */
const EDGES: readonly number[] = [0x00, 0x01, 0x02, 0x0b, 0x1f, 0x23, 0x26, 0x2b, 0x2f, 0x7f, 0x80, 0xc0, 0xed, 0xff]
const BODY_BYTES_MAX = 3_000

/** One to three changes. The remaining length agrees again most of the time. */
export function mutate(packet: Uint8Array, dice: Dice): Uint8Array {
  let headerEnd = 1
  while (packet[headerEnd]! > 127) headerEnd++
  const body = [...packet.subarray(headerEnd + 1)]
  let first = packet[0]!
  for (let count = 1 + dice.below(3); count > 0; count--) {
    if (dice.oneIn(10)) first ^= 1 << dice.below(8)
    else change(body, dice)
  }
  body.length = Math.min(body.length, BODY_BYTES_MAX)
  const length = dice.oneIn(12) ? dice.below(400) : body.length
  return bytes(first, varint(length), body)
}

function change(body: number[], dice: Dice): void {
  const at = dice.below(body.length + 1)
  switch (dice.below(7)) {
    case 0:
      if (at < body.length) body[at]! ^= 1 << dice.below(8)
      break
    case 1:
      body[at] = dice.pick(EDGES)
      break
    case 2:
      body.splice(at, 0, dice.below(256))
      break
    case 3:
      body.splice(at, 1 + dice.below(4))
      break
    case 4:
      // Lengths are off by a little more often than by a lot.
      if (at < body.length) body[at] = (body[at]! + dice.below(5) - 2) & 0xff
      break
    case 5:
      body.splice(at, 0, ...body.slice(dice.below(body.length + 1), dice.below(body.length + 1)))
      break
    default:
      body.length = at
  }
}
