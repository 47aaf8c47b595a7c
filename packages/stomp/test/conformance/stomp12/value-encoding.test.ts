import { describe, expect, test } from 'vitest'

import { Command } from '../../../src/codec/commands.ts'
import { encodeConnected, encodeFrame } from '../../../src/codec/encode.ts'
import { framesOf, headersOf, problemOf } from '../codec.ts'

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}

describe('Value Encoding', () => {
  test('[STOMP12-Value_Encoding-a] names and values are UTF-8, read and written', () => {
    expect(headersOf(12, 'SEND\ngröße:12 µm 😀\n\n\0')).toEqual({ größe: '12 µm 😀' })
    expect(text(encodeFrame(Command.message, 12, [['größe', '😀']]))).toBe('MESSAGE\ngröße:😀\n\n\0')
  })

  test.each([
    ['latin1', [0xfc]],
    ['a cut character', [0xc3]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['more than Unicode has', [0xf4, 0x90, 0x80, 0x80]],
  ])('[STOMP12-Value_Encoding-a] %s is refused', (_, octets) => {
    const frame = (at: string): Uint8Array =>
      Buffer.concat(
        at
          .split('?')
          .flatMap((part, index) => (index === 0 ? [Buffer.from(part)] : [Buffer.from(octets), Buffer.from(part)])),
      )
    expect(problemOf(12, frame('SEND\nok:é\nx:a?b\n\n\0'))).toMatchObject({ rule: 'invalid-utf8', header: 'x' })
    expect(problemOf(12, frame('SEND\na?b:x\n\n\0')).rule).toBe('invalid-utf8')
    expect(problemOf(12, frame('CONNECT\npasscode:?\n\n\0')).rule).toBe('invalid-utf8')
  })

  test('[STOMP12-Value_Encoding-b] CONNECT and STOMP are read without escapes', () => {
    for (const command of ['CONNECT', 'STOMP']) {
      const headers = headersOf(12, `${command}\naccept-version:1.2\nhost:h\npasscode:a\\nb\\tc:d\\\n\n\0`)
      expect(headers['passcode']).toBe('a\\nb\\tc:d\\')
    }
  })

  test('[STOMP12-Value_Encoding-b] CONNECTED is written without them', () => {
    const heartBeat = { sendsMs: 0, wantsMs: 0 }
    expect(text(encodeConnected({ version: 12, session: 'a:b\\c', server: 's', heartBeat }))).toContain(
      '\nsession:a:b\\c\n',
    )
  })

  test('[STOMP12-Value_Encoding-c] escapes are undone in names and values', () => {
    expect(headersOf(12, 'SEND\na\\cb\\\\:\\r\\n\\c\\\\\n\n\0')).toEqual({ 'a:b\\': '\r\n:\\' })
    expect(headersOf(12, 'SEND\na:\\\\n\\\\\\n\n\n\0')).toEqual({ a: '\\n\\\n' })
  })

  test('[STOMP12-Value_Encoding-c] and made in what is sent', () => {
    expect(text(encodeFrame(Command.error, 12, [['a:b\\', '\r\n:\\']]))).toBe('ERROR\na\\cb\\\\:\\r\\n\\c\\\\\n\n\0')
  })

  test.each(['\\t', '\\a', '\\N', '\\C', '\\0', '\\ ', '\\:', '\\é', '\\'])(
    '[STOMP12-Value_Encoding-d] the escape %j is a fatal error that is shown',
    (escape) => {
      const problem = problemOf(12, `SEND\nreceipt:r1\nx:a${escape}\n\n\0`)
      expect(problem).toMatchObject({ rule: 'undefined-escape', header: 'x', command: 'SEND', receipt: 'r1' })
      expect(problem.clause).toBe('STOMP12-Value_Encoding-d')
      expect(problem.text).toContain('it has \\r, \\n, \\c and \\\\')
    },
  )

  test('[STOMP12-Value_Encoding-e] spaces around names and values stay', () => {
    expect(headersOf(12, 'SEND\n a :  b\t \n\n\0')).toEqual({ ' a ': '  b\t ' })
    expect(text(encodeFrame(Command.message, 12, [[' a', 'b ']]))).toBe('MESSAGE\n a:b \n\n\0')
  })

  test('[STOMP12-Value_Encoding-e] so "content-length: 5" is not a number', () => {
    expect(problemOf(12, 'SEND\ncontent-length: 5\n\nhello\0').rule).toBe('malformed-content-length')
  })
})

describe('Augmented BNF', () => {
  test('[STOMP12-Augmented_BNF-a] a name has an octet at least, a value need not', () => {
    expect(problemOf(12, 'SEND\n:value\n\n\0')).toMatchObject({ rule: 'header-without-name' })
    expect(headersOf(12, 'SEND\nx:\ny:\r\n\n\0')).toEqual({ x: '', y: '' })
  })

  test('[STOMP12-Augmented_BNF-b] CR stands there as an escape only', () => {
    expect(problemOf(12, 'SEND\na:b\rc\n\n\0')).toMatchObject({ rule: 'raw-carriage-return', header: 'a' })
    expect(problemOf(12, 'SEND\na:b\r\r\n\n\0').rule).toBe('raw-carriage-return')
    expect(problemOf(12, 'SEND\na\rb:c\n\n\0').rule).toBe('raw-carriage-return')
  })

  test('[STOMP12-Augmented_BNF-b] a colon in a value is taken as it is, and sent with its escape', () => {
    expect(headersOf(12, 'SEND\ntime:12:30:00\nurl:http://a/\n\n\0')).toEqual({ time: '12:30:00', url: 'http://a/' })
    expect(text(encodeFrame(Command.message, 12, [['time', '12:30']]))).toContain('time:12\\c30\n')
  })

  test('[STOMP12-Augmented_BNF-c] any other octet may stand there', () => {
    const odd = '\u0001\t\u000b\u001b\u007f "\'{}<>%'
    expect(headersOf(12, `SEND\nx${odd}:${odd}\n\n\0`)).toEqual({ [`x${odd}`]: odd })
  })

  test('[STOMP12-Augmented_BNF-c] NUL is refused there, and sent as U+FFFD', () => {
    expect(problemOf(12, 'SEND\na:b\0c\n\n\0')).toMatchObject({ rule: 'nul-in-headers' })
    expect(problemOf(12, 'DISCONNECT\nreceipt:77\n\0').text).toContain('end the headers with an empty line')
    expect(text(encodeFrame(Command.message, 12, [['a', 'b\0c']]))).toBe('MESSAGE\na:b\ufffdc\n\n\0')
  })

  test('hostile names are headers like all others', () => {
    const names = ['__proto__', 'hasOwnProperty', 'constructor', 'toString', 'valueOf']
    const [frame] = framesOf(12, `SEND\n${names.map((name) => `${name}:x\n`).join('')}next:y\n\n\0`)
    expect(Object.entries(frame!.headers)).toEqual([...names.map((name) => [name, 'x']), ['next', 'y']])
  })
})
