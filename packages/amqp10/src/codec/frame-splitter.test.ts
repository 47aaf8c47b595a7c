import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { u32 } from '../../test/wire/encode.ts'
import { EMPTY_FRAME, PROTOCOL_HEADER_AMQP, PROTOCOL_HEADER_SASL } from './encode-control.ts'
import { AmqpFault } from './faults.ts'
import { type FrameSink, FrameSplitter, HELD_BYTES_MAX } from './frame-splitter.ts'

interface Seen {
  readonly type: number
  readonly channel: number
  readonly body: string
}

class ListSink implements FrameSink {
  frameBytesMax = 512
  expectsHeader = false
  readonly headers: string[] = []
  readonly bad: Uint8Array[] = []
  readonly frames: Seen[] = []
  /** Numbers of headers and frames after which it asks for a pause. */
  readonly holds = new Set<number>()
  #count = 0

  onHeader(...numbers: [number, number, number, number]): boolean {
    this.headers.push(numbers.join('.'))
    this.expectsHeader = false
    return this.#goesOn()
  }

  onBadHeader(bytes: Uint8Array): void {
    this.bad.push(bytes)
  }

  onFrame(type: number, channel: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.frames.push({ type, channel, body: Buffer.from(bytes.subarray(start, end)).toString('latin1') })
    return this.#goesOn()
  }

  #goesOn(): boolean {
    this.#count++
    return !this.holds.has(this.#count)
  }
}

function frame(body: string, channel = 0, type = 0, doff = 2): Buffer {
  const size = doff * 4 + body.length
  const head = Buffer.concat([
    u32(size),
    Buffer.of(doff, type, channel >> 8, channel & 0xff),
    Buffer.alloc((doff - 2) * 4, 0xee),
  ])
  return Buffer.concat([head, Buffer.from(body, 'latin1')])
}

/** Gives the pieces to a new splitter, each in memory that is somebody else's right after. */
function read(sink: ListSink, ...pieces: Uint8Array[]): FrameSplitter {
  const splitter = new FrameSplitter()
  for (const piece of pieces) {
    const memory = Buffer.from(piece)
    splitter.read(memory, sink)
    memory.fill(0xdd)
  }
  return splitter
}

function faultOf(act: () => unknown): AmqpFault {
  try {
    act()
  } catch (error) {
    if (error instanceof AmqpFault) return error
    throw error
  }
  throw new Error('there was no fault')
}

const SEEN = (body: string, channel = 0, type = 0): Seen => ({ type, channel, body })

describe('frames', () => {
  test('several in one read come in order, with type and channel', () => {
    const sink = new ListSink()
    const splitter = read(sink, Buffer.concat([frame('one'), frame('two', 0x102), frame('three', 7, 1)]))
    expect(sink.frames).toEqual([SEEN('one'), SEEN('two', 0x102), SEEN('three', 7, 1)])
    expect(splitter.heldBytes).toBe(0)
    expect(splitter.isWithinFrame).toBe(false)
  })

  test('an empty frame has an empty body', () => {
    const sink = new ListSink()
    read(sink, EMPTY_FRAME, EMPTY_FRAME)
    expect(sink.frames).toEqual([SEEN(''), SEEN('')])
  })

  test('an extended header is skipped [AMQP10-2.3.1-d]', () => {
    const sink = new ListSink()
    read(sink, frame('body', 3, 0, 5), frame('', 3, 0, 127))
    expect(sink.frames).toEqual([SEEN('body', 3), SEEN('', 3)])
  })

  test('one in one read lies where it was read', () => {
    const bytes = frame('body')
    let memory: Uint8Array | undefined
    const sink = new ListSink()
    sink.onFrame = (_type, _channel, found) => {
      memory = found
      return true
    }
    new FrameSplitter().read(bytes, sink)
    expect(memory).toBe(bytes)
  })

  test('one that comes byte by byte is put together', () => {
    const sink = new ListSink()
    const bytes = Buffer.concat([frame('first', 1), EMPTY_FRAME, frame('x'.repeat(300), 2)])
    read(sink, ...Array.from(bytes, (byte) => Uint8Array.of(byte)))
    expect(sink.frames).toEqual([SEEN('first', 1), SEEN(''), SEEN('x'.repeat(300), 2)])
  })

  test('wherever a stream is cut, the same frames come', () => {
    const bytes = Buffer.concat([frame('first', 1), frame('', 0, 1), frame('second', 2, 0, 3)])
    const expected = [SEEN('first', 1), SEEN('', 0, 1), SEEN('second', 2)]
    for (let cut = 0; cut <= bytes.length; cut++) {
      const sink = new ListSink()
      read(sink, bytes.subarray(0, cut), bytes.subarray(cut))
      expect(sink.frames, `cut after ${cut}`).toEqual(expected)
    }
  })
})

describe('what is no frame', () => {
  const bad: readonly (readonly [name: string, head: Buffer, text: string, clause: string])[] = [
    [
      'a size below 8',
      Buffer.concat([u32(7), Buffer.of(2, 0, 0, 0)]),
      'to have 7 bytes, less than its own header of 8',
      'AMQP10-2.3.1-b',
    ],
    ['a size of 0', Buffer.alloc(8), 'to have 0 bytes, less than its own header of 8', 'AMQP10-2.3.1-b'],
    [
      'a size of 4 GiB',
      Buffer.concat([u32(0xffff_ffff), Buffer.of(2, 0, 0, 0)]),
      '4294967295 bytes, the largest that is taken has 512',
      'AMQP10-2.7.1-c',
    ],
    [
      'a size just above the largest',
      Buffer.concat([u32(513), Buffer.of(2, 0, 0, 0)]),
      '513 bytes, the largest that is taken has 512',
      'AMQP10-2.7.1-c',
    ],
    [
      'DOFF 1',
      Buffer.concat([u32(8), Buffer.of(1, 0, 0, 0)]),
      'a frame of 8 bytes begins at its word 1 (DOFF)',
      'AMQP10-2.3.1-c',
    ],
    [
      'DOFF behind the end',
      Buffer.concat([u32(11), Buffer.of(3, 0, 0, 0)]),
      'a frame of 11 bytes begins at its word 3 (DOFF)',
      'AMQP10-2.3.1-c',
    ],
    [
      'another type',
      Buffer.concat([u32(8), Buffer.of(2, 2, 0, 0)]),
      'type 2, which is neither 0 (AMQP) nor 1 (SASL)',
      'AMQP10-2.3.1-e',
    ],
  ]

  test.each(bad)('%s is a framing error as soon as its head has come', (_, head, text, clause) => {
    for (const pieces of [[head], [head.subarray(0, 3), head.subarray(3)], [Buffer.concat([frame('good'), head])]]) {
      const sink = new ListSink()
      const fault = faultOf(() => read(sink, ...pieces))
      expect(fault).toMatchObject({ level: 'connection', condition: 'amqp:connection:framing-error', clause })
      expect(fault.message).toContain(text)
    }
  })

  test('the frames before it were handed out', () => {
    const sink = new ListSink()
    faultOf(() => read(sink, Buffer.concat([frame('good'), Buffer.alloc(8)])))
    expect(sink.frames).toEqual([SEEN('good')])
  })

  test('the largest is asked for again for every frame', () => {
    const sink = new ListSink()
    const splitter = read(sink, frame('x'.repeat(504)))
    sink.frameBytesMax = 1_000
    splitter.read(frame('x'.repeat(992)), sink)
    expect(sink.frames.map(({ body }) => body.length)).toEqual([504, 992])
    expect(faultOf(() => splitter.read(frame('x'.repeat(993)), sink)).message).toContain('1001 bytes')
  })
})

describe('memory follows what has come, not what was announced', () => {
  test('of a frame of a megabyte a little is held when a little came', () => {
    const sink = new ListSink()
    sink.frameBytesMax = 1_048_576
    const splitter = read(sink, Buffer.concat([u32(1_048_576), Buffer.of(2, 0, 0, 0), Buffer.alloc(100)]))
    expect(splitter.heldBytes).toBeLessThanOrEqual(256)
    expect(splitter.isWithinFrame).toBe(true)
  })

  test('a frame in pieces takes no more than twice its size', () => {
    const sink = new ListSink()
    sink.frameBytesMax = 100_000
    const splitter = new FrameSplitter()
    const bytes = frame('x'.repeat(99_000))
    let most = 0
    for (let at = 0; at < bytes.length; at += 1_000) {
      splitter.read(bytes.subarray(at, at + 1_000), sink)
      most = Math.max(most, splitter.heldBytes)
    }
    expect(sink.frames).toHaveLength(1)
    expect(most).toBeLessThanOrEqual(2 * bytes.length)
    expect(splitter.heldBytes).toBe(0)
  })
})

describe('protocol headers', () => {
  test('are told with their four numbers, and frames follow', () => {
    const sink = new ListSink()
    sink.expectsHeader = true
    read(sink, Buffer.concat([PROTOCOL_HEADER_SASL, frame('x', 0, 1)]))
    expect(sink.headers).toEqual(['3.1.0.0'])
    expect(sink.frames).toEqual([SEEN('x', 0, 1)])
  })

  test('come in pieces too', () => {
    const sink = new ListSink()
    sink.expectsHeader = true
    read(sink, ...Array.from(PROTOCOL_HEADER_AMQP, (byte) => Uint8Array.of(byte)), frame('x'))
    expect(sink.headers).toEqual(['0.1.0.0'])
    expect(sink.frames).toEqual([SEEN('x')])
  })

  test('one may follow frames, in the same read', () => {
    const sink = new ListSink()
    sink.expectsHeader = true
    const seen = sink.onFrame.bind(sink)
    sink.onFrame = (type, ...rest) => {
      sink.expectsHeader = type === 1
      return seen(type, ...rest)
    }
    read(sink, Buffer.concat([PROTOCOL_HEADER_SASL, frame('outcome', 0, 1), PROTOCOL_HEADER_AMQP, frame('open')]))
    expect(sink.headers).toEqual(['3.1.0.0', '0.1.0.0'])
    expect(sink.frames).toEqual([SEEN('outcome', 0, 1), SEEN('open')])
  })

  test('other bytes are told once, and nothing more is read', () => {
    for (const pieces of [['GET / HTTP/1.1\r\n'], ['GET', ' / HTTP/1.1', '\r\n'], ['amqp\0\x01\0\0AMQP\0\x01\0\0']]) {
      const sink = new ListSink()
      sink.expectsHeader = true
      const splitter = read(sink, ...pieces.map((piece) => Buffer.from(piece, 'latin1')))
      expect(sink.bad.map((bytes) => Buffer.from(bytes).toString('latin1'))).toEqual([pieces.join('').slice(0, 8)])
      expect(sink.headers).toEqual([])
      expect(splitter.heldBytes).toBe(0)
    }
  })
})

describe('a sink that asks for a pause', () => {
  test('gets the rest when it goes on', () => {
    const sink = new ListSink()
    sink.holds.add(1).add(2)
    const splitter = read(sink, Buffer.concat([frame('one'), frame('two'), frame('three')]), frame('four'))
    expect(sink.frames).toEqual([SEEN('one')])
    expect(splitter.isWithinFrame).toBe(false)
    splitter.resume(sink)
    expect(sink.frames).toEqual([SEEN('one'), SEEN('two')])
    splitter.resume(sink)
    expect(sink.frames).toEqual([SEEN('one'), SEEN('two'), SEEN('three'), SEEN('four')])
    splitter.resume(sink)
    expect(splitter.heldBytes).toBe(0)
  })

  test('after a header too, and in the middle of a frame', () => {
    const sink = new ListSink()
    sink.expectsHeader = true
    sink.holds.add(1)
    const bytes = frame('after')
    const splitter = read(sink, Buffer.concat([PROTOCOL_HEADER_AMQP, bytes.subarray(0, 5)]), bytes.subarray(5))
    expect(sink.frames).toEqual([])
    splitter.resume(sink)
    expect(sink.frames).toEqual([SEEN('after')])
  })

  test('a beginning that was held is not pinned with what came before it', () => {
    const sink = new ListSink()
    sink.frameBytesMax = 100_000
    sink.holds.add(1)
    const splitter = read(sink, Buffer.concat([frame('one'), frame('x'.repeat(50_000)), frame('end').subarray(0, 10)]))
    splitter.resume(sink)
    expect(sink.frames).toHaveLength(2)
    expect(splitter.heldBytes).toBeLessThanOrEqual(128)
  })

  test('what is sent ahead has a limit', () => {
    const sink = new ListSink()
    sink.holds.add(1)
    const splitter = read(sink, frame('one'))
    const ahead = Buffer.alloc(HELD_BYTES_MAX / 4)
    for (let count = 0; count < 4; count++) splitter.read(ahead, sink)
    const fault = faultOf(() => splitter.read(Buffer.of(0), sink))
    expect(fault).toMatchObject({ level: 'connection', condition: 'amqp:resource-limit-exceeded' })
  })

  test('going on after every one of many costs no more than their bytes', () => {
    const sink = new ListSink()
    const count = 20_000
    const splitter = read(sink, frame('first'))
    for (let each = 1; each <= count; each++) sink.holds.add(each)
    splitter.read(Buffer.alloc(count * 12, frame('next')), sink)
    for (let each = 0; each < count; each++) splitter.resume(sink)
    expect(sink.frames).toHaveLength(count + 1)
  })
})

test('after `clear` nothing is read, in the middle of a read too', () => {
  const sink = new ListSink()
  const splitter = new FrameSplitter()
  sink.onFrame = () => {
    splitter.clear()
    return false
  }
  splitter.read(Buffer.concat([frame('one'), frame('two')]), sink)
  splitter.read(frame('three'), sink)
  splitter.resume(sink)
  expect(sink.frames).toEqual([])
  expect(splitter.heldBytes).toBe(0)
})

test('pieces of any size, held anywhere, give the same frames', () => {
  const anyFrame = fc.record({
    body: fc.string({ unit: 'binary-ascii', maxLength: 40 }),
    channel: fc.nat(65_535),
    type: fc.nat(1),
    doff: fc.integer({ min: 2, max: 5 }),
  })
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      fc.array(fc.nat(8)),
      (frames, sizes, holds) => {
        const bytes = Buffer.concat(frames.map(({ body, channel, type, doff }) => frame(body, channel, type, doff)))
        const sink = new ListSink()
        for (const hold of holds) sink.holds.add(hold)
        const splitter = new FrameSplitter()
        for (let at = 0, piece = 0; at < bytes.length; piece++) {
          const size = sizes[piece % sizes.length]!
          const memory = Buffer.from(bytes.subarray(at, at + size))
          splitter.read(memory, sink)
          memory.fill(0xdd)
          at += size
        }
        for (let pass = 0; pass <= holds.length; pass++) splitter.resume(sink)
        expect(sink.frames).toEqual(frames.map(({ body, channel, type }) => SEEN(body, channel, type)))
        expect(splitter.heldBytes).toBe(0)
      },
    ),
  )
})
