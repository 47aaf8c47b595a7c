import { describe, expect, test } from 'vitest'

import { encodeConnected, messageHead, encodeFrame } from '../../../src/codec/encode.ts'
import { Command } from '../../../src/codec/commands.ts'
import { heartBeatMs, negotiate, parseHeartBeat } from '../../../src/codec/versions.ts'
import { headersOf, problemOf } from '../codec.ts'

describe('CONNECTED Frame', () => {
  test.each([12, 11, 10] as const)(
    '[STOMP12-CONNECTED_Frame-a] [STOMP12-CONNECTED_Frame-b] names version %i and server',
    (version) => {
      const heartBeat = { sendsMs: 0, wantsMs: 0 }
      const frame = encodeConnected({ version, session: 's1', server: 'TernMQ/0.1.0', heartBeat })
      const headers = headersOf(version, frame)
      expect(headers['version']).toBe(`1.${version - 10}`)
      expect(headers['server']).toMatch(/^[\w.-]+(\/[\w.-]+)?( .*)?$/)
    },
  )
})

describe('Protocol Negotiation', () => {
  test('[STOMP12-Protocol_Negotiation-a] no accept-version means 1.0', () => {
    expect(negotiate(undefined)).toBe(10)
    expect(headersOf(12, 'CONNECT\nlogin: guest\npasscode: guest \n\n\0')).toEqual({
      login: 'guest',
      passcode: 'guest',
    })
  })

  test.each([
    ['1.0,1.1,2.0', 11],
    ['1.2', 12],
    ['1.2,1.1,1.0', 12],
    ['1.0, 1.2', 12],
    ['1.0', 10],
    ['2.0,3.1', undefined],
  ])('[STOMP12-Protocol_Negotiation-b] of %j the highest that both have is spoken', (accepted, version) => {
    expect(negotiate(accepted)).toBe(version)
  })
})

describe('Heart-beating', () => {
  test.each(['', '1', '1,2,3', '1.5,0', '-1,0', 'x,y', '1;2'])(
    '[STOMP12-Heart-beating-a] %j is not two whole numbers',
    (header) => {
      expect(parseHeartBeat(header)).toBeUndefined()
    },
  )

  test('[STOMP12-Heart-beating-a] 0 and any other number is', () => {
    expect(parseHeartBeat('0,30000')).toEqual({ sendsMs: 0, wantsMs: 30_000 })
  })

  test('[STOMP12-Heart-beating-b] none means 0,0', () => {
    expect(parseHeartBeat(undefined)).toEqual(parseHeartBeat('0,0'))
  })

  test('[STOMP12-Heart-beating-c] 0 on either side means none', () => {
    expect(heartBeatMs({ sendsMs: 0, wantsMs: 0 }, { sendsMs: 0, wantsMs: 500 })).toBe(0)
    expect(heartBeatMs({ sendsMs: 500, wantsMs: 0 }, { sendsMs: 0, wantsMs: 0 })).toBe(0)
  })
})

describe('Frames of a server', () => {
  test('[STOMP12-Header_content-length-c] [STOMP12-Header_content-length-d] have a content-length when they have a body', () => {
    for (const command of [Command.message, Command.error]) {
      expect(headersOf(12, encodeFrame(command, 12, [], Buffer.from('a\0b')))['content-length']).toBe('3')
    }
  })

  test('[STOMP12-MESSAGE-b] MESSAGE has the id of its subscription, with its escapes', () => {
    const head = messageHead({ destination: '/a', subscription: 'x:1\\', idPrefix: 'm-', hasAck: false }, 12)
    expect(Buffer.from(head.start).toString()).toContain('\nsubscription:x\\c1\\\\\n')
  })
})

describe('Client Frames', () => {
  test.each(['GET / HTTP/1.1', 'PUBLISH', 'SEND ', ' SEND', 'SENDER', '\u0016\u0003\u0001', ''.padEnd(100_000, 'A')])(
    '%.20j is no command, which is told before the frame is over',
    (line) => {
      const problem = problemOf(12, `${line}\n`)
      expect(problem).toMatchObject({ rule: 'unknown-command', clause: 'STOMP12-Client_Frames-a' })
      expect(problem.text.length).toBeLessThan(400)
    },
  )

  test('limits are told with their names and values', () => {
    const texts = [
      problemOf(12, `SEND\n${'a:b\n'.repeat(4)}\n\0`, { maxHeaders: 3 }).text,
      problemOf(12, `SEND\na:${'b'.repeat(100)}\n\n\0`, { maxHeaderLineBytes: 100 }).text,
      problemOf(12, `SEND\n${'a:b\n'.repeat(50)}\n\0`, { maxHeaderBytes: 100 }).text,
      problemOf(12, 'SEND\ncontent-length:101\n\n', { maxBodyBytes: 100 }).text,
    ]
    expect(texts.map((text) => /stomp\.\w+ \d+/.exec(text)?.[0])).toEqual([
      'stomp.maxHeaders 3',
      'stomp.maxHeaderLineBytes 100',
      'stomp.maxHeaderBytes 100',
      'stomp.maxBodyBytes 100',
    ])
  })
})
