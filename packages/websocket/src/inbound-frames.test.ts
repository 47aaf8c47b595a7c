import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { CloseCause } from './close-codes.ts'
import { InboundFrames } from './inbound-frames.ts'

interface Frame {
  /** FIN, reserved bits and opcode. */
  readonly first: number
  readonly payload: Uint8Array
  readonly mask: readonly number[] | undefined
}

const BINARY = 0x82
const TEXT = 0x81
const PING = 0x89
const PONG = 0x8a
const CLOSE = 0x88
/** Beginning, middle and end of a message in pieces. */
const BINARY_BEGINS = 0x02
const TEXT_BEGINS = 0x01
const GOES_ON = 0x00
const ENDS = 0x80
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

function frame(first: number, payload: string | Uint8Array = ''): Frame {
  return { first, payload: Buffer.from(payload as string), mask: MASK }
}

/** Everything that came out, in order: runs of payload as one text, a control frame as its opcode, the first text as 'T'. */
class Heard {
  readonly order: string[] = []
  broken: { cause: CloseCause; text: string } | undefined = undefined
  calls = 0
  controlCount = 0
  payload: Buffer = Buffer.alloc(0)
  readonly #frames: InboundFrames
  /** Of `payload`, what is in `order`. */
  #notedBytes = 0

  constructor(messageBytesMax = 100_000) {
    this.#frames = new InboundFrames(this, messageBytesMax, 'maxMessageBytes')
  }

  read(chunk: Uint8Array): void {
    this.#frames.read(chunk)
  }

  onPayload(payload: Uint8Array): void {
    this.payload = Buffer.concat([this.payload, payload])
    this.calls++
  }

  onFirstText(): void {
    this.#note('T')
  }

  onControl(control: Uint8Array): void {
    this.controlCount++
    this.#note((control[0]! & 0x0f).toString())
  }

  onBroken(cause: CloseCause, text: string): void {
    this.#note('!')
    this.broken = { cause, text }
  }

  get all(): string[] {
    this.#note('')
    return this.order
  }

  #note(what: string): void {
    if (this.payload.length > this.#notedBytes) this.order.push(this.payload.toString('latin1', this.#notedBytes))
    this.#notedBytes = this.payload.length
    if (what !== '') this.order.push(what)
  }
}

/** `cut`: bytes in one read. */
function hear(frames: readonly Frame[], messageBytesMax?: number, cut = Infinity): Heard {
  const heard = new Heard(messageBytesMax)
  const bytes = Buffer.concat(frames.map(encode))
  for (let at = 0; at < bytes.length; at += cut)
    heard.read(Uint8Array.from(bytes.subarray(at, Math.min(bytes.length, at + cut))))
  return heard
}

test('messages of one read are handed on without their heads and masks, those that lie right in one call', () => {
  const heard = hear([
    frame(BINARY, 'x'.repeat(300)),
    frame(BINARY, 'y'.repeat(301)),
    frame(BINARY),
    frame(BINARY, 'z'.repeat(200)),
  ])
  expect(heard.all).toEqual([`${'x'.repeat(300)}${'y'.repeat(301)}${'z'.repeat(200)}`])
  expect(heard.calls).toBe(2)
})

test('what has come of a message is handed on before the rest is there', () => {
  const heard = new Heard()
  const bytes = encode(frame(BINARY_BEGINS, 'x'.repeat(70_000)))
  heard.read(Uint8Array.from(bytes.subarray(0, 14 + 5)))
  expect(heard.all).toEqual(['xxxxx'])
})

test.each([1, 3, 20, Infinity])(
  'pings, pongs and the close are handed on whole and in their place, in reads of %s bytes',
  (cut) => {
    const frames = [
      frame(BINARY_BEGINS, 'a'),
      frame(PING, 'hello'),
      frame(GOES_ON, 'b'),
      frame(PONG),
      frame(ENDS, 'c'),
      frame(BINARY, 'd'),
      frame(CLOSE, Buffer.of(3, 232)),
      frame(BINARY, 'nothing follows a close'),
    ]
    expect(hear(frames, 100, cut).all).toEqual(['a', '9', 'b', '10', 'cd', '8'])
  },
)

test.each<[string, Frame[], CloseCause, string]>([
  [
    'a reserved bit',
    [frame(0xc2, 't')],
    'protocol-error',
    'a frame has a reserved bit set, and no extension was agreed on',
  ],
  ['a reserved opcode', [frame(0x83, 't')], 'protocol-error', 'a frame has the unknown opcode 3'],
  ['a reserved control', [frame(0x8b)], 'protocol-error', 'a frame has the unknown opcode 11'],
  ['no mask', [{ ...frame(BINARY, 't'), mask: undefined }], 'protocol-error', 'a frame of a client has no mask'],
  ['a ping in pieces', [frame(0x09)], 'protocol-error', 'a control frame is in pieces'],
  ['a long ping', [frame(PING, 'x'.repeat(126))], 'protocol-error', 'a control frame has more than 125 bytes'],
  [
    'an end without a beginning',
    [frame(ENDS, 't')],
    'protocol-error',
    'a frame continues a message, and none has begun',
  ],
  ['the middle of nothing', [frame(GOES_ON, 't')], 'protocol-error', 'a frame continues a message, and none has begun'],
  [
    'a message within another',
    [frame(BINARY_BEGINS), frame(GOES_ON), frame(BINARY, 't')],
    'protocol-error',
    'a message begins within another',
  ],
  [
    'a large message',
    [frame(BINARY, 'x'.repeat(501))],
    'too-large',
    'a message of 501 bytes exceeds maxMessageBytes 500',
  ],
  [
    'a huge message',
    [frame(BINARY, 'x'.repeat(70_000))],
    'too-large',
    'a message of 70000 bytes exceeds maxMessageBytes 500',
  ],
  ['broken text', [frame(TEXT, Buffer.of(0xff))], 'invalid-data', 'a text message is not UTF-8'],
  [
    'a text that ends within a character',
    [frame(TEXT, Buffer.of(0xc3))],
    'invalid-data',
    'a text message is not UTF-8',
  ],
  [
    'a text that ends within a character, in pieces',
    [frame(TEXT_BEGINS, Buffer.of(0xc3)), frame(ENDS)],
    'invalid-data',
    'a text message is not UTF-8',
  ],
])('%s ends it, after what came before, however it is cut', (_, frames, cause, text) => {
  for (const cut of [1, 5, Infinity]) {
    const heard = hear([frame(BINARY, 'before'), ...frames, frame(BINARY, 'after')], 500, cut)
    expect(heard.broken).toEqual({ cause, text })
    expect([heard.all[0], heard.all.at(-1)]).toEqual(['before', '!'])
  }
})

test('the limit of a message is for the sum of its pieces, and pieces that fit are handed on', () => {
  const heard = hear([frame(BINARY_BEGINS, 'x'.repeat(300)), frame(GOES_ON, 'x'.repeat(200)), frame(GOES_ON, 'x')], 500)
  expect(heard.all).toEqual(['x'.repeat(500), '!'])
  expect(heard.broken?.text).toBe('a message of 501 bytes exceeds maxMessageBytes 500')
  expect(hear([frame(BINARY, 'x'.repeat(500)), frame(TEXT, 'x'.repeat(500))], 500).broken).toBeUndefined()
})

test('the length of the longest frame there can be is too large, and not read as another', () => {
  const heard = new Heard(2 ** 40)
  heard.read(Uint8Array.of(BINARY, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0))
  expect(heard.broken?.cause).toBe('too-large')
})

test('text is told once, and its characters may lie across frames', () => {
  const text = Buffer.from('grüße €🙂')
  const pieces = [...text].map((byte, index) => frame(index === 0 ? TEXT_BEGINS : GOES_ON, Buffer.of(byte)))
  const heard = hear([...pieces, frame(ENDS), frame(TEXT, text)])
  expect(heard.all).toEqual(['T', Buffer.concat([text, text]).toString('latin1')])
})

const arbitraryPayload = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
  fc
    .constantFrom(119, 120, 121, 300)
    .map((size) => Buffer.from('é'.repeat(size / 2).padEnd(size - Math.floor(size / 2), 'x'))),
)
const arbitraryMessage = fc.record({
  isText: fc.boolean(),
  payload: arbitraryPayload,
  /** Bytes of each frame but the last. */
  frameBytes: fc.array(fc.nat(50), { maxLength: 3 }),
  hasPings: fc.boolean(),
  mask: fc.constantFrom(MASK, [0, 0, 0, 0], [0xff, 0x80, 0, 0xa5]),
})

test('of any messages, in any pieces, reads and alignment, all payload comes out, and all pings', () => {
  const arbitraryCuts = fc.array(fc.integer({ min: 1, max: 400 }))
  fc.assert(
    fc.property(fc.array(arbitraryMessage, { maxLength: 12 }), arbitraryCuts, fc.nat(15), (messages, cuts, offset) => {
      const frames = messages.flatMap(({ isText, payload, frameBytes, hasPings, mask }) => {
        let from = 0
        const parts = [...frameBytes, payload.length].map((size) => payload.subarray(from, (from += size)))
        return parts.flatMap((part, index): Frame[] => {
          const opcode = index > 0 ? 0 : isText ? 1 : 2
          const piece = { first: opcode | (index === parts.length - 1 ? 0x80 : 0), payload: part, mask }
          return hasPings ? [{ first: PING, payload: part.subarray(0, 125), mask }, piece] : [piece]
        })
      })
      const heard = new Heard(1_000)
      const stream = Buffer.concat(frames.map(encode))
      let reads = 0
      for (let at = 0; at < stream.length; reads++) {
        const end = Math.min(stream.length, at + (cuts[reads] ?? 100_000))
        const memory = new Uint8Array(offset + end - at)
        memory.set(stream.subarray(at, end), offset)
        heard.read(memory.subarray(offset))
        at = end
      }
      expect(heard.broken).toBeUndefined()
      expect(heard.payload).toEqual(Buffer.concat(messages.map(({ payload }) => payload)))
      expect(heard.controlCount).toBe(frames.filter(({ first }) => first === PING).length)
    }),
  )
})
