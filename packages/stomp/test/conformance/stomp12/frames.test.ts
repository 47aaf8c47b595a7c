import { describe, expect, test } from 'vitest'

import { framesOf, headersOf, problemOf, read } from '../codec.ts'

const SEND = { command: 'SEND', headers: { destination: '/queue/a' }, body: 'hello' }

describe('STOMP Frames', () => {
  test('[STOMP12-STOMP_Frames-a] lines end in LF, in CR LF, or in both by turns', () => {
    expect(framesOf(12, 'SEND\ndestination:/queue/a\n\nhello\0')).toEqual([SEND])
    expect(framesOf(12, 'SEND\r\ndestination:/queue/a\r\n\r\nhello\0')).toEqual([SEND])
    expect(framesOf(12, 'SEND\r\ndestination:/queue/a\n\r\nhello\0')).toEqual([SEND])
    expect(framesOf(12, 'SEND\ndestination:/queue/a\r\n\nhello\0')).toEqual([SEND])
  })

  test('[STOMP12-STOMP_Frames-a] headers and body may be missing, the empty line and NUL may not', () => {
    expect(framesOf(12, 'DISCONNECT\n\n\0')).toEqual([{ command: 'DISCONNECT', headers: {}, body: '' }])
    expect(framesOf(12, 'SEND\ndestination:/queue/a\n\nhello')).toEqual([])
    expect(framesOf(12, 'SEND\ndestination:/queue/a\n')).toEqual([])
  })

  test('[STOMP12-STOMP_Frames-a] the body begins behind the first empty line', () => {
    expect(framesOf(12, 'SEND\ndestination:/queue/a\n\n\n\nx:y\n\n\0')[0]!.body).toBe('\n\nx:y\n\n')
  })

  test('[STOMP12-STOMP_Frames-b] a header line without a colon is refused, and shown', () => {
    const problem = problemOf(12, 'SEND\ndestination=/queue/a\n\n\0')
    expect(problem.rule).toBe('header-without-colon')
    expect(problem.text).toContain('"destination=/queue/a" has no colon')
  })

  test('[STOMP12-STOMP_Frames-b] the name ends at the first colon', () => {
    expect(headersOf(12, 'SEND\na:\nb:c\n\n\0')).toEqual({ a: '', b: 'c' })
  })

  test.each(['send', 'Send', 'connect', 'sEND'])('[STOMP12-STOMP_Frames-c] %s is no command', (command) => {
    expect(problemOf(12, `${command}\ndestination:/queue/a\n\n\0`)).toMatchObject({ rule: 'unknown-command' })
  })

  test('[STOMP12-STOMP_Frames-c] Destination is not destination, and Content-Length not content-length', () => {
    expect(framesOf(12, 'SEND\nDestination:/b\ndestination:/a\nContent-Length:1\n\nabc\0')).toEqual([
      { command: 'SEND', headers: { Destination: '/b', destination: '/a', 'Content-Length': '1' }, body: 'abc' },
    ])
  })

  test('[STOMP12-STOMP_Frames-d] line ends between frames are none of them', () => {
    const one = 'SEND\ndestination:/queue/a\n\nhello\0'
    expect(framesOf(12, `${one}\n${one}\r\n\n\r\n${one}${one}\n`)).toEqual([SEND, SEND, SEND, SEND])
    expect(framesOf(12, `\n\n${one}`)).toEqual([SEND])
  })
})

describe('Body', () => {
  test.each(['SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT', 'ABORT', 'DISCONNECT'])(
    '[STOMP12-Body-a] %s has none',
    (command) => {
      const problem = problemOf(12, `${command}\nid:1\nreceipt:r\n\nx\0`)
      expect(problem).toMatchObject({ rule: 'body-not-allowed', command, receipt: 'r', clause: 'STOMP12-Body-a' })
    },
  )

  test('[STOMP12-Body-a] CONNECT and STOMP have none', () => {
    expect(problemOf(12, 'CONNECT\naccept-version:1.2\nhost:h\n\nx\0').rule).toBe('body-not-allowed')
    expect(problemOf(12, 'STOMP\naccept-version:1.1,1.2\nhost:h\n\nx\0').rule).toBe('body-not-allowed')
  })

  test('[STOMP12-Body-a] SEND has one, of any octets', () => {
    const octets = Buffer.concat([
      Buffer.from('SEND\n\n'),
      Uint8Array.from({ length: 255 }, (_, at) => at + 1),
      Buffer.of(0),
    ])
    expect(framesOf(12, octets)).toHaveLength(1)
  })
})

describe('Header content-length', () => {
  test('[STOMP12-Header_content-length-a] counts octets, not characters', () => {
    expect(framesOf(12, 'SEND\ncontent-length:5\n\ngrün\0')[0]!.body).toBe('grün')
    const problem = problemOf(12, 'SEND\ncontent-length:4\n\ngrün\0')
    expect(problem).toMatchObject({ rule: 'body-not-ended', header: 'content-length' })
    expect(problem.text).toContain('count octets, not characters')
  })

  test('[STOMP12-Header_content-length-a] every frame may have it', () => {
    expect(framesOf(12, 'ACK\nid:1\ncontent-length:0\n\n\0DISCONNECT\ncontent-length:0\n\n\0')).toHaveLength(2)
    expect(headersOf(12, 'CONNECT\naccept-version:1.2\nhost:h\ncontent-length:0\n\n\0')['host']).toBe('h')
  })

  test.each(['', '-1', '+5', ' 5', '5 ', '0x5', '5.0', '5zz', '١', '99999999999999999999'])(
    '[STOMP12-Header_content-length-a] %j is no number of octets',
    (value) => {
      expect(problemOf(12, `SEND\ncontent-length:${value}\n\nhello\0`).rule).toBe('malformed-content-length')
    },
  )

  test('[STOMP12-Header_content-length-b] so many octets are read, NUL or not', () => {
    expect(framesOf(12, 'SEND\ncontent-length:7\n\na\0\nb\0\0c\0SEND\n\n\0').map(({ body }) => body)).toEqual([
      'a\0\nb\0\0c',
      '',
    ])
  })

  test('[STOMP12-Header_content-length-b] NUL ends the frame all the same', () => {
    expect(problemOf(12, 'SEND\ncontent-length:3\n\nhello\0').rule).toBe('body-not-ended')
    expect(framesOf(12, 'SEND\ncontent-length:6\n\nhello\0')).toEqual([])
  })

  test('without one the first NUL ends the body', () => {
    expect(framesOf(12, 'SEND\n\nab\0\n\0'.slice(0, -1)).map(({ body }) => body)).toEqual(['ab'])
  })
})

describe('Repeated Header Entries', () => {
  test('[STOMP12-Repeated_Header_Entries-a] the first counts', () => {
    expect(headersOf(12, 'SEND\nfoo:World\nfoo:Hello\ndestination:/a\ndestination:/b\n\n\0')).toEqual({
      foo: 'World',
      destination: '/a',
    })
  })

  test('[STOMP12-Repeated_Header_Entries-a] the first content-length, too', () => {
    expect(framesOf(12, 'SEND\ncontent-length:3\ncontent-length:1\n\na\0b\0')[0]!.body).toBe('a\0b')
  })

  test('[STOMP12-Repeated_Header_Entries-a] names are the same when they are without their escapes', () => {
    expect(headersOf(12, 'SEND\na\\c:1\na\\c:2\na\\\\c:3\n\n\0')).toEqual({ 'a:': '1', 'a\\c': '3' })
  })
})

test('what follows a fault is not read', () => {
  const { frames, problem } = read(12, 'SEND\n\n1\0send\n\n2\0SEND\n\n3\0')
  expect(frames.map(({ body }) => body)).toEqual(['1'])
  expect(problem?.rule).toBe('unknown-command')
})
