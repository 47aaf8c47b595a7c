import { describe, expect, test } from 'vitest'

import { Command } from '../../../src/codec/commands.ts'
import { encodeConnected, encodeFrame } from '../../../src/codec/encode.ts'
import { heartBeatMs, negotiate, parseHeartBeat } from '../../../src/codec/versions.ts'
import { framesOf, headersOf, problemOf } from '../codec.ts'

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

describe('STOMP Frames', () => {
  test('[STOMP11-STOMP_Frames-a] lines end in LF; a CR before it belongs to the value', () => {
    expect(framesOf(11, 'SEND\na:b\n\nbody\0')).toEqual([{ command: 'SEND', headers: { a: 'b' }, body: 'body' }])
    expect(headersOf(11, 'SEND\na:b\r\n\n\0')).toEqual({ a: 'b\r' })
  })

  test('a client that ends its command line in CR LF means all its lines', () => {
    expect(framesOf(11, 'SEND\r\na:b\r\n\r\nbody\0')).toEqual([{ command: 'SEND', headers: { a: 'b' }, body: 'body' }])
  })

  test('[STOMP11-STOMP_Frames-b] a header line has a colon', () => {
    expect(problemOf(11, 'SEND\na\n\n\0')).toMatchObject({
      rule: 'header-without-colon',
      clause: 'STOMP11-STOMP_Frames-b',
    })
  })

  test('[STOMP11-STOMP_Frames-c] commands and names are case sensitive', () => {
    expect(problemOf(11, 'Send\n\n\0').rule).toBe('unknown-command')
    expect(headersOf(11, 'SEND\nId:1\nid:2\n\n\0')).toEqual({ Id: '1', id: '2' })
  })

  test('[STOMP11-STOMP_Frames-d] LF may follow a frame', () => {
    expect(framesOf(11, 'SEND\n\n1\0\n\n\nSEND\n\n2\0').map(({ body }) => body)).toEqual(['1', '2'])
  })
})

describe('Value Encoding', () => {
  test('[STOMP11-Value_Encoding-a] headers are UTF-8', () => {
    expect(headersOf(11, 'SEND\ngröße:😀\n\n\0')).toEqual({ größe: '😀' })
    expect(problemOf(11, Buffer.from('SEND\na:\xff\n\n\0', 'latin1')).rule).toBe('invalid-utf8')
  })

  test('[STOMP11-Value_Encoding-b] those of the login have no escapes', () => {
    expect(headersOf(11, 'CONNECT\naccept-version:1.1\npasscode:\\t\\n\n\n\0')['passcode']).toBe('\\t\\n')
    const fields = { session: '\\:', server: 's', heartBeat: { sendsMs: 1, wantsMs: 2 } }
    expect(text(encodeConnected({ version: 11, ...fields }))).toBe(
      'CONNECTED\nversion:1.1\nheart-beat:1,2\nsession:\\:\nserver:s\n\n\0',
    )
  })

  test('[STOMP11-Value_Encoding-c] the others have three', () => {
    expect(headersOf(11, 'SEND\na\\c:\\n\\c\\\\r\n\n\0')).toEqual({ 'a:': '\n:\\r' })
    expect(text(encodeFrame(Command.message, 11, [['a:', '\n:\\r\r']]))).toBe('MESSAGE\na\\c:\\n\\c\\\\r\r\n\n\0')
  })

  test.each(['\\r', '\\t', '\\'])('[STOMP11-Value_Encoding-d] %j is none of them', (escape) => {
    expect(problemOf(11, `SEND\na:${escape}\n\n\0`)).toMatchObject({
      rule: 'undefined-escape',
      clause: 'STOMP11-Value_Encoding-d',
    })
  })

  test('[STOMP11-Value_Encoding-e] spaces stay', () => {
    expect(headersOf(11, 'SEND\n a: b \n\n\0')).toEqual({ ' a': ' b ' })
    expect(headersOf(12, 'CONNECT\naccept-version:1.1\npasscode: p \n\n\0')['passcode']).toBe(' p ')
  })
})

test('[STOMP11-Body-a] only SEND has a body', () => {
  expect(problemOf(11, 'NACK\nsubscription:0\nmessage-id:1\n\nx\0').rule).toBe('body-not-allowed')
})

test('[STOMP11-Repeated_Header_Entries-a] of repeated headers the first counts', () => {
  expect(headersOf(11, 'SEND\nfoo:World\nfoo:Hello\n\n\0')).toEqual({ foo: 'World' })
})

describe('Header content-length', () => {
  test('[STOMP11-Header_content-length-a] [STOMP11-Header_content-length-b] so many octets are read, then NUL', () => {
    expect(framesOf(11, 'SEND\ncontent-length:3\n\na\0b\0')[0]!.body).toBe('a\0b')
    expect(problemOf(11, 'SEND\ncontent-length:2\n\na\0b\0').rule).toBe('body-not-ended')
    expect(problemOf(11, 'SEND\ncontent-length:two\n\na\0b\0').rule).toBe('malformed-content-length')
  })

  test('[STOMP11-Header_content-length-c] [STOMP11-Header_content-length-d] a server sends it with a body', () => {
    expect(text(encodeFrame(Command.error, 11, [], Buffer.from('\0')))).toBe('ERROR\ncontent-length:1\n\n\0\0')
  })
})

describe('Connecting', () => {
  test('[STOMP11-CONNECTED_Frame-a] [STOMP11-CONNECTED_Frame-b] CONNECTED names version and server', () => {
    const heartBeat = { sendsMs: 0, wantsMs: 0 }
    const headers = headersOf(11, encodeConnected({ version: 11, session: 's', server: 'TernMQ/0.1.0', heartBeat }))
    expect(headers).toMatchObject({ version: '1.1', server: 'TernMQ/0.1.0' })
  })

  test('[STOMP11-Protocol_Negotiation-a] [STOMP11-Protocol_Negotiation-b] the highest version that both have is spoken', () => {
    expect(negotiate(undefined)).toBe(10)
    expect(negotiate('1.0,1.1')).toBe(11)
    expect(negotiate('1.1,2.0')).toBe(11)
  })
})

describe('Heart-beating', () => {
  test('[STOMP11-Heart-beating-a] [STOMP11-Heart-beating-b] two whole numbers, or none at all', () => {
    expect(parseHeartBeat('1,2')).toEqual({ sendsMs: 1, wantsMs: 2 })
    expect(parseHeartBeat('1')).toBeUndefined()
    expect(parseHeartBeat(undefined)).toEqual({ sendsMs: 0, wantsMs: 0 })
  })

  test('[STOMP11-Heart-beating-c] 0 on either side means none', () => {
    expect(heartBeatMs({ sendsMs: 0, wantsMs: 0 }, { sendsMs: 5, wantsMs: 5 })).toBe(0)
    expect(heartBeatMs({ sendsMs: 5, wantsMs: 5 }, { sendsMs: 5, wantsMs: 0 })).toBe(0)
  })
})

describe('Augmented BNF', () => {
  test('[STOMP11-Augmented_BNF-a] a name has an octet, a value need not', () => {
    expect(problemOf(11, 'SEND\n:a\n\n\0').rule).toBe('header-without-name')
    expect(headersOf(11, 'SEND\na:\n\n\0')).toEqual({ a: '' })
  })

  test('[STOMP11-Augmented_BNF-b] a colon in a value is taken as it is, CR is a character', () => {
    expect(headersOf(11, 'SEND\na:b:c\nx\ry:\rz\n\n\0')).toEqual({ a: 'b:c', 'x\ry': '\rz' })
    expect(text(encodeFrame(Command.message, 11, [['a', 'b:c']]))).toContain('a:b\\cc\n')
  })

  test('[STOMP11-Augmented_BNF-c] any other octet may stand there, but NUL is refused', () => {
    expect(headersOf(11, 'SEND\na\u0001:\u001f"\n\n\0')).toEqual({ 'a\u0001': '\u001f"' })
    expect(problemOf(11, 'SEND\na:\0\n\n\0').rule).toBe('nul-in-headers')
  })
})
