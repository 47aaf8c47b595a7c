import { describe, expect, test } from 'vitest'

import { Command } from './commands.ts'
import { type FrameSink, FrameSplitter } from './frame-splitter.ts'
import { HeaderId } from './header-ids.ts'
import type { FrameHeaders } from './headers.ts'
import { DEFAULT_FRAME_LIMITS, HELD_BYTES_MAX } from './limits.ts'
import { FrameProblem } from './problem.ts'
import type { StompVersion } from './versions.ts'

interface Seen {
  readonly command: number
  readonly headers: [string, string][]
  readonly body: string
}

class ListSink implements FrameSink {
  limits = DEFAULT_FRAME_LIMITS
  version: StompVersion = 12
  readonly frames: Seen[] = []
  /** Frames after which it asks for a pause. */
  readonly holds = new Set<number>()

  onFrame(headers: FrameHeaders, bytes: Uint8Array, bodyStart: number, bodyEnd: number): boolean {
    const body = Buffer.from(bytes.subarray(bodyStart, bodyEnd)).toString('latin1')
    this.frames.push({ command: headers.command, headers: headers.pairs(), body })
    return !this.holds.has(this.frames.length)
  }
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** Gives the pieces to a new splitter, each in memory that is somebody else's right after. */
function read(sink: ListSink, ...pieces: string[]): FrameSplitter {
  const splitter = new FrameSplitter()
  for (const piece of pieces) {
    const memory = bytes(piece)
    splitter.read(memory, sink)
    memory.fill(0xdd)
  }
  return splitter
}

function problemOf(act: () => unknown): FrameProblem {
  try {
    act()
  } catch (error) {
    if (error instanceof FrameProblem) return error
    throw error
  }
  throw new Error('no problem was found')
}

const SEND = 'SEND\ndestination:/queue/a\nreceipt:r1\n\nhello\0'
const SEEN: Seen = {
  command: Command.send,
  headers: [
    ['destination', '/queue/a'],
    ['receipt', 'r1'],
  ],
  body: 'hello',
}

describe('a frame', () => {
  test('comes whole', () => {
    const sink = new ListSink()
    read(sink, SEND)
    expect(sink.frames).toEqual([SEEN])
  })

  test.each([...SEND].map((_, at) => at))('comes cut at byte %i, and again byte by byte', (at) => {
    const sink = new ListSink()
    read(sink, SEND.slice(0, at), `${SEND.slice(at)}${SEND}`)
    read(sink, ...SEND)
    expect(sink.frames).toEqual([SEEN, SEEN, SEEN])
  })

  test('may be followed by line ends, which are counted as heart-beats are', () => {
    const sink = new ListSink()
    const splitter = read(sink, `\n\r\n${SEND}\n\n`, '\r', '\n', SEND, '\n')
    expect(sink.frames).toEqual([SEEN, SEEN])
    expect(splitter.lineEndCount).toBe(6)
  })

  test('with a content-length has NUL in its body, in one read or in many', () => {
    const frame = 'SEND\ndestination:/a\ncontent-length:5\n\na\0b\0c\0'
    const sink = new ListSink()
    read(sink, frame + frame)
    read(sink, ...frame)
    expect(sink.frames.map(({ body }) => body)).toEqual(['a\0b\0c', 'a\0b\0c', 'a\0b\0c'])
  })

  test('without one ends at the first NUL, however far away', () => {
    const body = 'x'.repeat(10_000)
    const sink = new ListSink()
    read(sink, `SEND\n\n${body}\0SEND\n\n\0`)
    read(sink, 'SEND\n\n', body.slice(0, 4_000), `${body.slice(4_000)}\0`)
    expect(sink.frames.map((frame) => frame.body.length)).toEqual([10_000, 0, 10_000])
  })

  test('says by isWithinFrame that its time is running', () => {
    const sink = new ListSink()
    const splitter = new FrameSplitter()
    expect(splitter.isWithinFrame).toBe(false)
    splitter.read(bytes('SEND\nd'), sink)
    expect(splitter.isWithinFrame).toBe(true)
    splitter.read(bytes(':x\n\n\0\n'), sink)
    expect(splitter.isWithinFrame).toBe(false)
  })

  test('of another version is read by its rules from the next frame on', () => {
    const sink = new ListSink()
    sink.onFrame = function (headers, memory, start, end) {
      if (headers.command === Command.connect) this.version = 10
      return ListSink.prototype.onFrame.call(this, headers, memory, start, end)
    }
    const send = 'SEND\na: \\n \n\n\0'
    expect(problemOf(() => read(new ListSink(), 'SEND\na:\\t\n\n\0')).rule).toBe('undefined-escape')
    read(sink, `CONNECT\n\n\0${send}${send}`)
    expect(sink.frames.slice(1).map(({ headers }) => headers)).toEqual([[['a', '\\n']], [['a', '\\n']]])
  })
})

describe('identical heads', () => {
  test('keep what the handler noted, others do not', () => {
    const memos: unknown[] = []
    const sink = new ListSink()
    sink.onFrame = (headers) => {
      memos.push(headers.memo)
      headers.memo = headers.get(HeaderId.destination)
      return true
    }
    const to = (name: string): string => `SEND\ndestination:${name}\n\nx\0`
    read(sink, to('a') + to('a') + to('a') + to('b') + to('a') + to('b') + to('ab') + to('b'))
    expect(memos).toEqual([undefined, undefined, 'a', undefined, 'a', undefined, undefined, 'b'])
  })

  test('are found again when a few take turns, and after many that come once', () => {
    const sink = new ListSink()
    let known = 0
    sink.onFrame = (headers) => {
      if (headers.memo !== undefined) known++
      headers.memo = headers.get(HeaderId.destination)
      return true
    }
    const splitter = new FrameSplitter()
    const send = (name: string): void => splitter.read(bytes(`SEND\ndestination:${name}\n\nx\0`), sink)
    for (let index = 0; index < 100; index++) send(`d${index}`)
    expect(known).toBe(0)
    for (let round = 0; round < 100; round++) for (const name of ['p', 'q', 'r']) send(name)
    expect(known).toBeGreaterThan(150)
  })

  test('may differ in receipt and content-length, which are read anew', () => {
    const sink = new ListSink()
    const memos: unknown[] = []
    sink.onFrame = function (headers, memory, start, end) {
      memos.push(headers.memo)
      headers.memo = 'known'
      expect(headers.contentLength).toBe(end - start)
      return ListSink.prototype.onFrame.call(this, headers, memory, start, end)
    }
    const send = (receipt: string, body: string): string =>
      `SEND\nreceipt:${receipt}\nx:1\ncontent-length:${body.length}\ny:2\n\n${body}\0`
    const frames: [string, string][] = [
      ['r-9', 'one'],
      ['r-10', 'three'],
      ['', ''],
      ['r-1000', 'x'.repeat(1_000)],
      ['a:b', 'colon'],
      ['r-11', 'a\0b'],
    ]
    const text = frames.map(([receipt, body]) => send(receipt, body)).join('')
    read(sink, text)
    read(sink, text.slice(0, 150), text.slice(150, 300), text.slice(300))
    expect(memos.slice(0, 6)).toEqual([undefined, undefined, 'known', 'known', undefined, 'known'])
    expect(sink.frames.map(({ headers, body }) => [headers[0]![1], body])).toEqual([...frames, ...frames])
    expect(sink.frames.every(({ headers }) => headers.slice(1).map(String).join(' ').endsWith(' y,2'))).toBe(true)
  })

  test('with a length beyond its limit or that is none are refused as ever', () => {
    const head = (length: string): string => `SEND\ncontent-length:${length}\n\n`
    for (const length of ['21', '2x', '-1', '']) {
      const sink = new ListSink()
      sink.limits = LIMITS
      expect(() => read(sink, `${head('2')}ab\0${head('2')}ab\0${head(length)}`)).toThrow(FrameProblem)
      expect(sink.frames).toHaveLength(2)
    }
  })

  test('are judged anew when the limits are others', () => {
    const sink = new ListSink()
    const splitter = new FrameSplitter()
    const frame = 'SEND\ncontent-length:21\n\nxxxxxxxxxxxxxxxxxxxxx\0'
    splitter.read(bytes(frame + frame), sink)
    sink.limits = LIMITS
    expect(problemOf(() => splitter.read(bytes(frame), sink)).rule).toBe('body-too-large')
  })

  test('that begin alike are told apart', () => {
    const sink = new ListSink()
    const heads = ['SEND\na:1\n\n', 'SEND\na:1\nb:2\n\n', 'SEND\na:1\n\n', 'SEND\na:11\n\n', 'SEND\na:1\nb:2\n\n']
    read(sink, heads.map((head) => `${head}x\0`).join(''))
    expect(sink.frames.map(({ headers }) => headers.flat().join(' '))).toEqual([
      'a 1',
      'a 1 b 2',
      'a 1',
      'a 11',
      'a 1 b 2',
    ])
  })
})

describe('a sink that takes no more', () => {
  test('gets the rest when it goes on, in the order it came', () => {
    const sink = new ListSink()
    sink.holds.add(1).add(2)
    const splitter = read(sink, `${SEND}${SEND}SEND\na:1`, '\n\n', `x\0${SEND}`)
    expect(sink.frames).toHaveLength(1)
    splitter.resume(sink)
    expect(sink.frames).toHaveLength(2)
    splitter.read(bytes(SEND), sink)
    expect(sink.frames).toHaveLength(2)
    splitter.resume(sink)
    expect(sink.frames.map(({ body }) => body)).toEqual(['hello', 'hello', 'x', 'hello', 'hello'])
  })

  test('holds no more than what may be sent ahead', () => {
    const sink = new ListSink()
    sink.holds.add(1)
    const splitter = read(sink, SEND)
    const chunk = new Uint8Array(65_536)
    for (let sent = 0; sent < HELD_BYTES_MAX; sent += chunk.length) splitter.read(chunk, sink)
    expect(problemOf(() => splitter.read(chunk, sink))).toMatchObject({ rule: 'too-much-ahead' })
  })

  test('costs the same for each frame, though it pauses after every one of 100,000', () => {
    const sink: FrameSink = { limits: DEFAULT_FRAME_LIMITS, version: 12, onFrame: () => ++count < 0 }
    let count = 0
    const splitter = new FrameSplitter()
    splitter.read(bytes('ACK\nid:1234567890\n\n\0'.repeat(100_000)), sink)
    for (let index = 1; index < 100_000; index++) splitter.resume(sink)
    expect(count).toBe(100_000)
    // 100 GB would have been copied otherwise: the test's time limit is the proof.
  })
})

describe('memory', () => {
  test('grows with what has come, not with what is announced', () => {
    const splitter = new FrameSplitter()
    const before = process.memoryUsage().arrayBuffers
    splitter.read(bytes('SEND\ncontent-length:16000000\n\nabc'), new ListSink())
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000)
  })

  test('a body of 2 MiB that comes byte by byte takes as many steps as it has bytes', () => {
    const sink = new ListSink()
    const splitter = read(sink, 'SEND\n\n')
    const byte = Uint8Array.of(0x78)
    for (let index = 0; index < 2 * 1_048_576; index++) splitter.read(byte, sink)
    splitter.read(Uint8Array.of(0), sink)
    expect(sink.frames[0]!.body).toHaveLength(2 * 1_048_576)
  })

  test('so do headers', () => {
    const sink = new ListSink()
    sink.limits = { ...DEFAULT_FRAME_LIMITS, maxHeaderBytes: 1_048_576, maxHeaderLineBytes: 1_048_576 }
    const head = bytes(`SEND\na:${'x'.repeat(1_000_000)}\n\n\0`)
    const splitter = new FrameSplitter()
    for (let index = 0; index < head.length; index++) splitter.read(head.subarray(index, index + 1), sink)
    expect(sink.frames[0]!.headers[0]![1]).toHaveLength(1_000_000)
  })
})

const LIMITS = { maxHeaderBytes: 100, maxHeaders: 3, maxHeaderLineBytes: 40, maxBodyBytes: 20 }

describe('a limit', () => {
  const line = (size: number): string => `a:${'x'.repeat(size - 3)}\n`
  test.each([
    [
      'maxHeaderBytes 100',
      `SEND\n${line(40)}${line(40)}${line(14)}\n\0`,
      `SEND\n${line(40)}${line(40)}${line(15)}\n\0`,
    ],
    ['maxHeaders 3', `SEND\na:1\na:2\na:3\n\n\0`, `SEND\na:1\na:2\na:3\na:4\n\n\0`],
    ['maxHeaderLineBytes 40', `SEND\n${line(40)}\n\0`, `SEND\n${line(41)}\n\0`],
    ['maxBodyBytes 20', `SEND\n\n${'x'.repeat(20)}\0`, `SEND\n\n${'x'.repeat(21)}\0`],
    [
      'maxBodyBytes 20',
      `SEND\ncontent-length:20\n\n${'x'.repeat(20)}\0`,
      `SEND\ncontent-length:21\n\n${'x'.repeat(21)}\0`,
    ],
  ])('%s is kept to the byte, in one read and byte by byte', (name, fits, exceeds) => {
    for (const pieces of [[fits], [...fits]]) {
      const sink = new ListSink()
      sink.limits = LIMITS
      read(sink, ...pieces)
      expect(sink.frames).toHaveLength(1)
    }
    for (const pieces of [[exceeds], [...exceeds]]) {
      const sink = new ListSink()
      sink.limits = LIMITS
      const problem = problemOf(() => read(sink, ...pieces))
      expect(problem.text).toContain(`stomp.${name}`)
      expect(problem.clause).toBe('STOMP12-Size_Limits-a')
      expect(sink.frames).toEqual([])
    }
  })

  test.each([
    ['too-many-header-bytes', `SEND\n${line(39)}${line(39)}`, 'c'.repeat(17)],
    ['line-too-long', `SEND\n${'a'.repeat(40)}`],
    ['too-many-headers', 'SEND\na:1\na:2\na:3\na:4\n'],
    ['body-too-large', `SEND\n\n${'x'.repeat(21)}`],
    ['body-too-large', 'SEND\n\nxxxxxxxxxx', 'xxxxxxxxxx', 'x'],
    ['body-too-large', 'SEND\ncontent-length:21\n\n'],
    ['unknown-command', 'GET / HTTP/1.1'],
    ['unknown-command', 'SENDX\n'],
    ['unknown-command', 'SE', 'ND', 'X', '\n'],
    ['nul-in-headers', 'DISCONNECT\nreceipt:1\n\0'],
    ['nul-in-headers', 'SEND\0'],
  ])('%s is told before the frame is all there', (rule, ...pieces) => {
    const sink = new ListSink()
    sink.limits = LIMITS
    expect(problemOf(() => read(sink, ...pieces)).rule).toBe(rule)
  })
})

describe('a problem', () => {
  test('knows command and receipt of the frame', () => {
    const problem = problemOf(() => read(new ListSink(), 'SEND\nreceipt:r\\c7\nx:\\t\n\n\0'))
    expect(problem).toMatchObject({ command: 'SEND', receipt: 'r:7', header: 'x', clause: 'STOMP12-Value_Encoding-d' })
    expect(problem.text).toBe(
      'header x: "\\\\t" has the escape "\\t", which STOMP 1.2 does not define; it has \\r, \\n, \\c and \\\\',
    )
  })

  test('of a body that came in pieces knows them, too', () => {
    const pieces = ['SEND\nreceipt:r1\ncontent-length:3\n\na', 'b', 'cd\0']
    const problem = problemOf(() => read(new ListSink(), ...pieces))
    expect(problem).toMatchObject({ rule: 'body-not-ended', receipt: 'r1', header: 'content-length' })
    expect(problem.text).toBe(
      'header content-length: 3 octets of body are not followed by NUL but by "d"; count octets, not characters',
    )
  })
})

test('a body is refused where there is none, but for line ends', () => {
  const sink = new ListSink()
  read(sink, 'SUBSCRIBE\nid:1\n\n\n\r\n\0')
  expect(sink.frames[0]!.body).toBe('\n\r\n')
  const problem = problemOf(() => read(sink, 'SUBSCRIBE\nid:1\n\nx\0'))
  expect(problem).toMatchObject({ rule: 'body-not-allowed', command: 'SUBSCRIBE', clause: 'STOMP12-Body-a' })
  sink.version = 10
  read(sink, 'SUBSCRIBE\nid:1\n\nx\0')
  expect(sink.frames.at(-1)!.body).toBe('x')
})
