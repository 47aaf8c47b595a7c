import { describe, expect, test } from 'vitest'

import { HeaderId } from './header-ids.ts'
import { FrameHeaders, headerMask } from './headers.ts'
import { DEFAULT_FRAME_LIMITS } from './limits.ts'
import { FrameProblem } from './problem.ts'
import type { StompVersion } from './versions.ts'

/** Headers of a SEND with these lines, which lies somewhere in a larger memory. */
function parse(lines: string, version: StompVersion = 12, command = 'SEND'): FrameHeaders {
  const head = Buffer.from(`${command}\n${lines}\n`)
  const bytes = Buffer.concat([Buffer.from('\0\n'), head, Buffer.from('body\0')])
  const headers = new FrameHeaders()
  expect(headers.parse(bytes, 2, bytes.length, version, DEFAULT_FRAME_LIMITS)).toBe(2 + head.length)
  return headers
}

function problemOf(lines: string, version: StompVersion = 12, command = 'SEND'): FrameProblem {
  try {
    parse(lines, version, command)
  } catch (error) {
    if (error instanceof FrameProblem) return error
    throw error
  }
  throw new Error(`${JSON.stringify(lines)} is not refused`)
}

function lines(headers: FrameHeaders, skips: Uint8Array = headerMask([])): string {
  return Buffer.from(headers.canonicalLines(skips)).toString()
}

describe('access', () => {
  test('finds known headers by number and any by name, the first of each', () => {
    const headers = parse('destination:/queue/a\nx:1\ndestination:/queue/b\nx:2\n')
    expect(headers.count).toBe(4)
    expect(headers.get(HeaderId.destination)).toBe('/queue/a')
    expect(headers.named('x')).toBe('1')
    expect(headers.named('destination')).toBe('/queue/a')
    expect(headers.get(HeaderId.receipt)).toBeUndefined()
    expect(headers.named('y')).toBeUndefined()
    expect(headers.pairs()).toEqual([
      ['destination', '/queue/a'],
      ['x', '1'],
    ])
    expect([0, 1, 2, 3].map((index) => headers.idAt(index))).toEqual([1, 0, 1, 0])
  })

  test('hostile names are names', () => {
    const headers = parse('__proto__:a\nhasOwnProperty:b\nconstructor:c\ntoString:d\n')
    expect(headers.pairs()).toEqual([
      ['__proto__', 'a'],
      ['hasOwnProperty', 'b'],
      ['constructor', 'c'],
      ['toString', 'd'],
    ])
    expect(headers.named('__proto__')).toBe('a')
  })

  test('values are compared without making strings', () => {
    const headers = parse('ack:auto\n')
    expect(headers.valueIs(0, 'auto')).toBe(true)
    expect(headers.valueIs(0, 'autos')).toBe(false)
    expect(headers.valueIs(0, 'aut')).toBe(false)
    expect(headers.valueIs(0, 'autO')).toBe(false)
  })

  test('long values and values beyond ASCII come whole, a byte order mark included', () => {
    const value = `\ufeffgrüße 😀 ${'x'.repeat(5_000)}`
    expect(parse(`größe:${value}\n`).pairs()).toEqual([['größe', value]])
    expect(parse(`a:${'y'.repeat(100)}\nb:é\n`).pairs()).toEqual([
      ['a', 'y'.repeat(100)],
      ['b', 'é'],
    ])
  })

  test('more headers than usual fit, and an empty value is one', () => {
    const headers = parse(Array.from({ length: 1_000 }, (_, n) => `h${n}:\n`).join(''))
    expect(headers.count).toBe(1_000)
    expect(headers.named('h999')).toBe('')
  })
})

describe('escapes', () => {
  test.each<[string, StompVersion, string, string]>([
    ['are undone in 1.2', 12, 'a\\cb:x\\r\\n\\c\\\\n\n', 'a:b=x\r\n:\\n'],
    ['are undone in 1.1', 11, 'a\\cb:x\\n\\c\\\\r\n', 'a:b=x\n:\\r'],
    ['are none in 1.0', 10, 'a\\cb:x\\n\\t\n', 'a\\cb=x\\n\\t'],
  ])('%s', (_, version, text, expected) => {
    expect(
      parse(text, version)
        .pairs()
        .map((pair) => pair.join('=')),
    ).toEqual([expected])
  })

  test.each<[StompVersion, string]>([
    [12, '\\t'],
    [12, '\\'],
    [12, '\\N'],
    [11, '\\r'],
    [11, '\\0'],
  ])('of %i other than its own are refused: %j', (version, escape) => {
    expect(problemOf(`x:a${escape}\n`, version)).toMatchObject({ rule: 'undefined-escape', header: 'x' })
    expect(problemOf(`x${escape}:a\n`, version)).toMatchObject({ rule: 'undefined-escape', header: undefined })
  })

  test('are none in a CONNECT of any version', () => {
    expect(parse('accept-version:1.2\npasscode:a\\tb\\n\n', 12, 'CONNECT').get(HeaderId.passcode)).toBe('a\\tb\\n')
    expect(parse('version:1.2\nserver:a\\tb\n', 12, 'CONNECTED').get(HeaderId.server)).toBe('a\\tb')
  })
})

describe('line ends', () => {
  test('of 1.2 and of CONNECT may have a CR, line by line', () => {
    expect(parse('a:1\r\nb:2\n\r', 12).pairs().flat()).toEqual(['a', '1', 'b', '2'])
    expect(parse('accept-version:1.1\r\nhost:h\n', 12, 'CONNECT').pairs().flat()).toEqual([
      'accept-version',
      '1.1',
      'host',
      'h',
    ])
  })

  test.each<StompVersion>([10, 11])('of %i have one in all lines, or it belongs to the value', (version) => {
    expect(parse('a:1\r\n\r', version, 'SEND\r').pairs().flat()).toEqual(['a', '1'])
    expect(parse('a:1\r\n', version).get(HeaderId.id)).toBeUndefined()
    expect(parse('a:1\rx\r\n', 11).pairs().flat()).toEqual(['a', '1\rx\r'])
  })

  test('a CR within a line of 1.2 is refused, in 1.1 it is a character', () => {
    expect(problemOf('a:1\r2\n')).toMatchObject({ rule: 'raw-carriage-return', clause: 'STOMP12-Augmented_BNF-b' })
    expect(problemOf('a\r:1\n').rule).toBe('raw-carriage-return')
    expect(parse('a:1\r2\n', 11).valueAt(0)).toBe('1\r2')
  })
})

describe('spaces', () => {
  test('around a value are trimmed in 1.0 only', () => {
    expect(parse('a: \t b c \n', 10).valueAt(0)).toBe('b c')
    expect(parse('a: b \n', 11).valueAt(0)).toBe(' b ')
    expect(parse('a: b \n', 12).valueAt(0)).toBe(' b ')
    expect(parse('content-length: 4\n', 10).contentLength).toBe(4)
  })

  test('are trimmed in a CONNECT of a client that knows 1.0 only', () => {
    const old = parse('login: guest\n', 12, 'CONNECT')
    expect([old.get(HeaderId.login), old.version]).toEqual(['guest', 10])
    const later = parse('login: guest\naccept-version:1.2\n', 12, 'STOMP')
    expect([later.get(HeaderId.login), later.version]).toEqual([' guest', 12])
  })
})

describe('content-length', () => {
  test('is the first one', () => {
    expect(parse('content-length:4\ncontent-length:x\n').contentLength).toBe(4)
    expect(parse('a:b\n').contentLength).toBe(-1)
  })

  test.each(['', '-1', '+4', ' 4', '4 ', '3zz', '0x4', '4.0', '9'.repeat(20)])('%j is refused', (value) => {
    const problem = problemOf(`receipt:r\ncontent-length:${value}\n`)
    expect(problem).toMatchObject({ rule: 'malformed-content-length', header: 'content-length', receipt: 'r' })
    expect(problem.text).toContain(JSON.stringify(value))
  })
})

test.each([
  ['no colon\n', 'header-without-colon', 'header line "no colon" has no colon; write name:value'],
  [':x\n', 'header-without-name', 'header line ":x" has no name before its colon; write name:value'],
  ['a:\0\n', 'nul-in-headers', 'header a: "" is followed by NUL; end the headers with an empty line'],
])('%j is refused: %s', (text, rule, says) => {
  const problem = problemOf(text)
  expect(problem.rule).toBe(rule)
  expect(problem.text).toContain(says)
})

test.each([
  ['a value', Buffer.from([0x61, 0x3a, 0xff]), 'a'],
  ['a name', Buffer.from([0x61, 0xc3, 0x3a, 0x62]), 'a\ufffd'],
  ['a surrogate', Buffer.from([0x61, 0x3a, 0xed, 0xa0, 0x80]), 'a'],
])('%s that is not UTF-8 is refused', (_, line, header) => {
  const bytes = Buffer.concat([Buffer.from('SEND\nok:é\n'), line, Buffer.from('\n\n\0')])
  const read = (): number => new FrameHeaders().parse(bytes, 0, bytes.length, 12, DEFAULT_FRAME_LIMITS)
  expect(read).toThrow('is not valid UTF-8')
  expect(read).toThrow(expect.objectContaining({ rule: 'invalid-utf8', header }))
})

describe('canonical lines', () => {
  const HOP = headerMask([HeaderId.destination, HeaderId.receipt])

  test('are what is left of the frame, repeated ones included', () => {
    expect(lines(parse('destination:/a\nx:1\r\nreceipt:r\nx:2\ny\\cz:\\\\\n'), HOP)).toBe('x:1\nx:2\ny\\cz:\\\\\n')
    expect(parse('destination:/a\nreceipt:r\n').canonicalLines(HOP)).toHaveLength(0)
  })

  test('have the escapes of 1.2, whatever the frame had', () => {
    expect(lines(parse('time:12:30\nb:\\n\n'))).toBe('time:12\\c30\nb:\\n\n')
    expect(lines(parse('a:1\r2\n', 11))).toBe('a:1\\r2\n')
    expect(lines(parse('a: c:\\dir \nb\\c:1\n', 10))).toBe('a:c\\c\\\\dir\nb\\\\c:1\n')
  })
})

test('a value is sent back as it came, but with its escapes', () => {
  const encoded = (text: string, version: StompVersion): string =>
    Buffer.from(parse(`receipt:${text}\n`, version).encodedValueAt(0)).toString()
  expect(encoded('r-1', 12)).toBe('r-1')
  expect(encoded('a\\c1\\r', 12)).toBe('a\\c1\\r')
  expect(encoded('a:1', 12)).toBe('a\\c1')
  expect(encoded('a:\\', 10)).toBe('a:\\')
})

test('a passcode is not shown in what is said of it', () => {
  const bytes = Buffer.from('CONNECT\nlogin:u\npasscode:secret\xff\n\n\0', 'latin1')
  const read = (): number => new FrameHeaders().parse(bytes, 0, bytes.length, 12, DEFAULT_FRAME_LIMITS)
  expect(read).toThrow('header passcode: the value is not valid UTF-8')
  expect(problemOf('passcode:secret\0\n', 12, 'CONNECT').text).not.toContain('secret')
  for (const line of ['passcode secret', 'secret', 'passcode secret\0', ':secret', 'pass secret:x\0', 'pass:secret\0', `secret${'x'.repeat(200_000)}:x`]) {
    for (const command of ['CONNECT', 'STOMP']) {
      const { text, header } = problemOf(`login:u\n${line}\n`, 12, command)
      expect([line, text, header].slice(1).join(' ')).not.toMatch(/secret/)
    }
  }
  expect(problemOf('login:u\npasscode secret\n', 12, 'CONNECT').text).toBe('header line of the login has no colon; write name:value')
  expect(problemOf('no colon\n').text).toContain('no colon')
})
