import fc from 'fast-check'
import { expect, test } from 'vitest'

import { BinaryFrames } from './binary-frames.ts'

interface Frame {
  /** FIN, reserved bits and opcode. */
  readonly first: number
  readonly payload: Uint8Array
  readonly mask: readonly number[] | undefined
}

const BINARY = 0x82
const TEXT = 0x81
const PING = 0x89
const CLOSE = 0x88
const MASK = [1, 2, 3, 4]

function encode({ first, payload, mask }: Frame): Buffer {
  const size = payload.length
  const length = Buffer.alloc(size < 126 ? 1 : size < 65_536 ? 3 : 9)
  if (size < 126) length[0] = size
  else if (size < 65_536) length.writeUInt16BE(size, 1)
  else length.writeBigUInt64BE(BigInt(size), 1)
  if (size >= 126) length[0] = size < 65_536 ? 126 : 127
  if (mask === undefined) return Buffer.concat([Buffer.of(first), length, payload])
  length[0]! |= 0x80
  return Buffer.concat([Buffer.of(first), length, Buffer.from(mask), payload.map((byte, at) => byte ^ mask[at & 3]!)])
}

/** What came out, in order: messages as text, runs of passed bytes as one buffer each. */
function read(
  chunks: readonly Uint8Array[],
  messageBytesMax = 100_000,
): { messages: Buffer[]; passed: Buffer; order: string } {
  const messages: Buffer[] = []
  const passed: Buffer[] = []
  let order = ''
  const host = {
    onPayload: (payload: Uint8Array) => {
      messages.push(Buffer.from(payload))
      order += 'm'
    },
    passOn: (bytes: Uint8Array) => {
      passed.push(Buffer.from(bytes))
      if (!order.endsWith('p')) order += 'p'
    },
    handOver: () => (order += 'h'),
  }
  const frames = new BinaryFrames(host, messageBytesMax)
  for (const chunk of chunks) {
    if (order.includes('h')) host.passOn(chunk)
    else frames.read(chunk)
  }
  return { messages, passed: Buffer.concat(passed), order }
}

const binary = (text: string): Frame => ({ first: BINARY, payload: Buffer.from(text), mask: MASK })

test('whole binary messages of one read are handed on without their masks', () => {
  const { messages, passed } = read([
    Buffer.concat([binary('one'), binary(''), binary('x'.repeat(300)), binary('four')].map(encode)),
  ])
  expect(Buffer.concat(messages).toString()).toBe(`one${'x'.repeat(300)}four`)
  expect(passed.length).toBe(0)
})

test('pings go to ws in their place, and what follows is handed on again', () => {
  const ping: Frame = { first: PING, payload: Buffer.from('?'), mask: MASK }
  const { order, passed } = read([Buffer.concat([binary('a'), ping, binary('b')].map(encode))])
  expect(order).toBe('mpm')
  expect(passed).toEqual(encode(ping))
})

test.each<[string, Frame]>([
  ['text', { first: TEXT, payload: Buffer.from('t'), mask: MASK }],
  ['the beginning of a message in several frames', { first: 0x02, payload: Buffer.from('t'), mask: MASK }],
  ['a continuation', { first: 0x80, payload: Buffer.from('t'), mask: MASK }],
  ['a close', { first: CLOSE, payload: Buffer.of(3, 232), mask: MASK }],
  ['a reserved bit', { first: 0xc2, payload: Buffer.from('t'), mask: MASK }],
  ['a reserved opcode', { first: 0x83, payload: Buffer.from('t'), mask: MASK }],
  ['a frame without a mask', { first: BINARY, payload: Buffer.from('t'), mask: undefined }],
  ['a ping in pieces', { first: 0x09, payload: Buffer.from('t'), mask: MASK }],
  ['a long ping', { first: PING, payload: Buffer.alloc(126), mask: MASK }],
  ['a message that is too large', binary('x'.repeat(501))],
  ['a message that is far too large', binary('x'.repeat(70_000))],
])('from %s on ws has the connection to itself, however it is cut', (_, frame) => {
  const bytes = Buffer.concat([binary('a'), frame, binary('b')].map(encode))
  for (const step of [1, 5, bytes.length]) {
    const chunks = []
    for (let at = 0; at < bytes.length; at += step) chunks.push(Buffer.from(bytes.subarray(at, at + step)))
    const { messages, passed, order } = read(chunks, 500)
    expect(order).toMatch(/^[mp]+hp$/)
    const rest = Buffer.concat([frame, binary('b')].map(encode))
    expect(messages.map(String)).toEqual(step === bytes.length ? ['a'] : [])
    expect(Buffer.compare(passed.subarray(-rest.length), rest)).toBe(0)
  }
})

/** Payload of the first frame in `bytes` and the bytes behind it; undefined while it is not all there. */
function decode(bytes: Buffer): { payload: Buffer; rest: Buffer } | undefined {
  const length = (bytes[1] ?? 0) & 0x7f
  const headBytes = length < 126 ? 2 : 4
  if (bytes.length < headBytes + 4) return undefined
  const end = headBytes + 4 + (length < 126 ? length : bytes.readUInt16BE(2))
  if (bytes.length < end) return undefined
  const mask = bytes.subarray(headBytes, headBytes + 4)
  const payload = bytes.subarray(headBytes + 4, end).map((byte, at) => byte ^ mask[at & 3]!)
  return { payload: Buffer.from(payload), rest: bytes.subarray(end) }
}

const arbitraryFrame = fc.record({
  first: fc.constantFrom(BINARY, BINARY, BINARY, PING),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(119, 120, 121, 300).map((size) => new Uint8Array(size).fill(7)),
  ),
  mask: fc.constantFrom(MASK, [0, 0, 0, 0], [0xff, 0x80, 0, 0xa5]),
})

test('of any frames in any pieces and any alignment, each goes whole to one of the two, in order', () => {
  const arbitraryCuts = fc.array(fc.integer({ min: 1, max: 400 }))
  fc.assert(
    fc.property(fc.array(arbitraryFrame, { maxLength: 30 }), arbitraryCuts, fc.nat(7), (made, cuts, offset) => {
      const frames = made.map(({ first, bytes, mask }, index): Frame => {
        const payload = Buffer.concat([Buffer.from(`${index}:`.padEnd(5)), bytes])
        return { first, payload: first === PING ? payload.subarray(0, 125) : payload, mask }
      })
      const seen: Buffer[] = []
      let shortBytes = 0
      let passed = Buffer.alloc(0)
      const reader = new BinaryFrames(
        {
          onPayload: (payload) => {
            seen.push(Buffer.from(payload))
            shortBytes += payload.length
          },
          passOn: (bytes) => {
            passed = Buffer.concat([passed, bytes])
            for (let frame = decode(passed); frame !== undefined; frame = decode(passed)) {
              seen.push(frame.payload)
              passed = Buffer.from(frame.rest)
            }
          },
          handOver: () => {
            throw new Error('every frame is harmless')
          },
        },
        1_000,
      )
      const stream = Buffer.concat(frames.map(encode))
      let reads = 0
      for (let at = 0; at < stream.length; reads++) {
        const end = Math.min(stream.length, at + (cuts[reads] ?? 100_000))
        const memory = new Uint8Array(offset + end - at)
        memory.set(stream.subarray(at, end), offset)
        reader.read(memory.subarray(offset))
        at = end
      }
      expect(Buffer.concat(seen)).toEqual(Buffer.concat(frames.map(({ payload }) => payload)))
      const binaries = frames.filter(({ first }) => first === BINARY)
      if (reads <= 1) expect(shortBytes).toBe(binaries.reduce((sum, { payload }) => sum + payload.length, 0))
    }),
  )
})
