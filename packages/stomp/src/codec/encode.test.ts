import type { Output } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Command } from './commands.ts'
import {
  decodeLines,
  encodeConnected,
  encodeError,
  encodeFrame,
  encodeLines,
  type HeaderPair,
  linesFor,
  messageHead,
  writeHeartBeat,
  writeMessage,
  writeReceipt,
} from './encode.ts'
import { FrameSplitter } from './frame-splitter.ts'
import { headerMask } from './headers.ts'
import { DEFAULT_FRAME_LIMITS } from './limits.ts'
import type { StompVersion } from './versions.ts'

/** Output that hands out its memory in one piece, from an odd place, and full of other bytes. */
class Slab implements Output {
  slab: Uint8Array = Buffer.alloc(4_096, '~')
  pendingBytes = 3
  readonly writable = true

  reserve(byteCount: number): number {
    const at = this.pendingBytes
    this.pendingBytes += byteCount
    return at
  }

  write(): void {
    throw new Error('not needed')
  }

  writeShared(): void {
    throw new Error('not needed')
  }

  get text(): string {
    const after = this.slab.subarray(this.pendingBytes)
    if (after.some((byte) => byte !== 0x7e)) throw new Error('something was written behind what was reserved')
    return Buffer.from(this.slab.subarray(3, this.pendingBytes)).toString()
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

describe('MESSAGE', () => {
  const fields = { destination: '/queue/a:b', subscription: 's\n1', idPrefix: 'c7-0-', hasAck: true }

  test('is put together in one piece', () => {
    const out = new Slab()
    const lines = encodeLines([['content-type', 'text/plain']], 12)
    writeMessage(out, messageHead(fields, 12), 1_234, lines, 0, lines.length, Buffer.from('..he\0llo..'), 2, 8)
    expect(out.text).toBe(
      'MESSAGE\nsubscription:s\\n1\ndestination:/queue/a\\cb\nmessage-id:c7-0-1234\nack:1234\ncontent-length:6\n' +
        'content-type:text/plain\n\nhe\0llo\0',
    )
  })

  test('of 1.0 may have no subscription, of 1.1 has no ack, and an empty body has a length', () => {
    const out = new Slab()
    const none = new Uint8Array(0)
    writeMessage(out, messageHead({ ...fields, subscription: undefined, hasAck: false }, 10), 0, none, 0, 0, none, 0, 0)
    expect(out.text).toBe('MESSAGE\ndestination:/queue/a:b\nmessage-id:c7-0-0\ncontent-length:0\n\n\0')
  })
})

test('RECEIPT and heart-beats follow one another', () => {
  const out = new Slab()
  writeReceipt(out, Buffer.from('r\\c1'))
  writeHeartBeat(out)
  writeReceipt(out, new Uint8Array(0))
  expect(out.text).toBe('RECEIPT\nreceipt-id:r\\c1\n\n\0\nRECEIPT\nreceipt-id:\n\n\0')
})

test('CONNECTED has no escapes, and 1.0 no heart-beats', () => {
  const fields = { session: 'a:1', server: 'TernMQ/0.1', heartBeat: { sendsMs: 10, wantsMs: 0 } }
  expect(text(encodeConnected({ ...fields, version: 12 }))).toBe(
    'CONNECTED\nversion:1.2\nheart-beat:10,0\nsession:a:1\nserver:TernMQ/0.1\n\n\0',
  )
  expect(text(encodeConnected({ ...fields, version: 10 }))).toBe(
    'CONNECTED\nversion:1.0\nsession:a:1\nserver:TernMQ/0.1\n\n\0',
  )
})

describe('ERROR', () => {
  test('has a short message, a body that says it in plain text and more, and the receipt', () => {
    expect(text(encodeError({ message: 'no: not so', detail: 'do é', receipt: 'r1' }, 12))).toBe(
      'ERROR\nmessage:no\\c not so\nreceipt-id:r1\ncontent-type:text/plain;charset=utf-8\ncontent-length:17\n\nno: not so\ndo é\n\0',
    )
    expect(text(encodeError({ message: 'no', headers: [['version', '1.2']] }, 10))).toBe(
      'ERROR\nmessage:no\nversion:1.2\ncontent-type:text/plain;charset=utf-8\ncontent-length:3\n\nno\n\0',
    )
  })

  test('repeats a long message whole in its body', () => {
    const message = 'x'.repeat(600)
    const frame = text(encodeError({ message }, 12))
    expect(frame).toContain(`message:${'x'.repeat(512)}…\n`)
    expect(frame).toContain(`\n\n${message}\n\0`)
  })
})

describe('a header that its version cannot carry', () => {
  test.each<[StompVersion, string]>([
    [12, 'a\\c\\r\\n\\\\b\ufffd:a\\c\\r\\n\\\\b\ufffd\n'],
    [11, 'a\\c\r\\n\\\\b\ufffd:a\\c\r\\n\\\\b\ufffd\n'],
    [10, 'a\\c\r\\n\\b\ufffd:a:\r\\n\\b\ufffd\n'],
  ])('cannot end a line or a frame of %i either', (version, line) => {
    const value = 'a:\r\n\\b\0'
    expect(text(encodeLines([[value, value]], version))).toBe(line)
  })

  test('half a surrogate pair is U+FFFD', () => {
    expect(text(encodeFrame(Command.receipt, 12, [['receipt-id', '\ud800x']]))).toBe(
      'RECEIPT\nreceipt-id:\ufffdx\n\n\0',
    )
  })
})

test('lines of 1.2 go to every version, unchanged where they can', () => {
  const plain = encodeLines([['a', 'b']], 12)
  expect([10, 11, 12].map((version) => linesFor(plain, version as StompVersion) === plain)).toEqual([true, true, true])
  const escaped = encodeLines([['a', 'b:\r\\']], 12)
  expect(linesFor(escaped, 12)).toBe(escaped)
  expect(text(linesFor(escaped, 11))).toBe('a:b\\c\r\\\\\n')
  expect(text(linesFor(escaped, 10))).toBe('a:b:\r\\\n')
})

// ── what is written is what is read ─────────────────────────────────────────────────────────────────────────────────

/** Letters that matter more often than others. */
const letter = fc.oneof(
  fc.constantFrom('\\', '\n', '\r', ':', 'n', 'c', 'r', ' ', 'a'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
const anyText = fc
  .array(letter, { maxLength: 12 })
  .map((letters) => letters.join('').replaceAll('\0', '0').toWellFormed())

/** Headers that the version can carry, no name twice. */
function carried(version: StompVersion): fc.Arbitrary<HeaderPair[]> {
  const strip = (value: string): string =>
    version === 10 ? value.replaceAll('\n', ' ').replace(/^[ \t]+|[ \t]+$/g, '') : value
  const name = anyText
    .map((value) => (version === 10 ? value.replace(/[\n:]/g, '_') : value))
    .filter((value) => value !== '')
  const pair = fc.tuple(name, anyText.map(strip)).filter(([key]) => key !== 'content-length')
  return fc.uniqueArray(pair, { selector: ([key]) => key, maxLength: 8 })
}

function readOne(frame: Uint8Array, version: StompVersion): { pairs: HeaderPair[]; lines: Uint8Array; body: string } {
  const seen: { pairs: HeaderPair[]; lines: Uint8Array; body: string }[] = []
  new FrameSplitter().read(frame, {
    limits: DEFAULT_FRAME_LIMITS,
    version,
    onFrame: (headers, bytes, start, end) => {
      const body = Buffer.from(bytes.subarray(start, end)).toString('latin1')
      seen.push({ pairs: headers.pairs(), lines: headers.canonicalLines(headerMask([])), body })
      return true
    },
  })
  expect(seen).toHaveLength(1)
  return seen[0]!
}

test.each<StompVersion>([10, 11, 12])('a frame of %i is read as it was written', (version) => {
  fc.assert(
    fc.property(carried(version), fc.uint8Array({ minLength: 1, maxLength: 40 }), (pairs, body) => {
      const read = readOne(encodeFrame(Command.message, version, pairs, body), version)
      expect(read.pairs).toEqual([...pairs, ['content-length', String(body.length)]])
      expect(read.body).toBe(Buffer.from(body).toString('latin1'))
    }),
    { numRuns: 500 },
  )
})

test.each<StompVersion>([10, 11, 12])('headers of a frame of %i go through canonical lines and back', (version) => {
  fc.assert(
    fc.property(carried(version), (pairs) => {
      const { lines } = readOne(encodeFrame(Command.send, version, pairs), version)
      expect(decodeLines(lines)).toEqual(pairs)
      expect(lines).toEqual(encodeLines(pairs, 12))
      expect(text(linesFor(lines, version))).toBe(text(encodeLines(pairs, version)))
    }),
    { numRuns: 500 },
  )
})
