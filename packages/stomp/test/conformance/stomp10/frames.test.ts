import { describe, expect, test } from 'vitest'

import { Command } from '../../../src/codec/commands.ts'
import { encodeConnected, encodeFrame } from '../../../src/codec/encode.ts'
import { framesOf, headersOf, problemOf } from '../codec.ts'

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

test('[STOMP10-Frame-a] a frame is a command line, header lines, an empty line, a body and NUL', () => {
  expect(framesOf(10, 'SEND\ndestination:/queue/a\n\nhello queue a\n\0')).toEqual([
    { command: 'SEND', headers: { destination: '/queue/a' }, body: 'hello queue a\n' },
  ])
})

test('CONNECTED of 1.0 has a session, and no escapes', () => {
  const heartBeat = { sendsMs: 5, wantsMs: 5 }
  expect(text(encodeConnected({ version: 10, session: 'a:1', server: 's', heartBeat }))).toBe(
    'CONNECTED\nversion:1.0\nsession:a:1\nserver:s\n\n\0',
  )
})

describe('SEND', () => {
  test('[STOMP10-SEND-c] content-length octets are read, NUL or not', () => {
    expect(framesOf(10, 'SEND\ncontent-length: 3\n\na\0b\0')[0]!.body).toBe('a\0b')
    expect(problemOf(10, 'SEND\ncontent-length:-3\n\na\0b\0')).toMatchObject({ clause: 'STOMP10-SEND-c' })
  })

  test('[STOMP10-SEND-d] NUL ends the frame; without a length, the first one', () => {
    expect(framesOf(10, 'SEND\n\na\0\nSEND\n\nb\0').map(({ body }) => body)).toEqual(['a', 'b'])
    expect(problemOf(10, 'SEND\ncontent-length:1\n\nab\0').rule).toBe('body-not-ended')
  })
})

describe('SUBSCRIBE', () => {
  test('[STOMP10-SUBSCRIBE-b] spaces around values are not part of them', () => {
    expect(headersOf(10, 'SUBSCRIBE\ndestination: /queue/foo\nack: client \n\n\0')).toEqual({
      destination: '/queue/foo',
      ack: 'client',
    })
    expect(headersOf(12, 'CONNECT\nlogin: user\npasscode:secret\n\n\0')).toEqual({ login: 'user', passcode: 'secret' })
  })

  test('[STOMP10-SUBSCRIBE-d] its body is ignored', () => {
    expect(framesOf(10, 'SUBSCRIBE\ndestination:/queue/foo\n\nanything\0SEND\n\nx\0')).toHaveLength(2)
  })
})

test('[STOMP10-MESSAGE-c] [STOMP10-ERROR-b] MESSAGE and ERROR have a content-length', () => {
  for (const command of [Command.message, Command.error]) {
    expect(headersOf(10, encodeFrame(command, 10, [], Buffer.from('é')))['content-length']).toBe('2')
  }
})

describe('Augmented BNF', () => {
  test('[STOMP10-Augmented_BNF-a] lines end in LF, and LF may follow a frame', () => {
    expect(framesOf(10, 'SEND\n\na\0\n\n\nSEND\n\nb\0\n')).toHaveLength(2)
  })

  test('clients that end all lines in CR LF are understood', () => {
    expect(framesOf(10, 'SEND\r\ndestination:/a\r\n\r\nx\0\r\n')).toEqual([
      { command: 'SEND', headers: { destination: '/a' }, body: 'x' },
    ])
  })

  test('[STOMP10-Augmented_BNF-b] there are no escapes, and colons stand in values', () => {
    expect(headersOf(10, 'SEND\na\\c:b\\n:c\\t\\\n\n\0')).toEqual({ 'a\\c': 'b\\n:c\\t\\' })
    expect(text(encodeFrame(Command.message, 10, [['a', 'b:\\n']]))).toBe('MESSAGE\na:b:\\n\n\n\0')
  })

  test('[STOMP10-Augmented_BNF-b] a name has a character at least, a line a colon, and none of them a NUL', () => {
    expect(problemOf(10, 'SEND\n:a\n\n\0').rule).toBe('header-without-name')
    expect(problemOf(10, 'SEND\na\n\n\0').rule).toBe('header-without-colon')
    expect(problemOf(10, 'SEND\na:\0\n\n\0').rule).toBe('nul-in-headers')
  })

  test('[STOMP10-Augmented_BNF-b] a line end from another version cannot make headers of its own', () => {
    expect(text(encodeFrame(Command.message, 10, [['a', 'b\nc:d\0']]))).toBe('MESSAGE\na:b\\nc:d\ufffd\n\n\0')
  })

  test('[STOMP10-Augmented_BNF-c] another word is no command', () => {
    expect(problemOf(10, 'PUT\n\n\0')).toMatchObject({ rule: 'unknown-command', clause: 'STOMP10-Augmented_BNF-c' })
  })
})
