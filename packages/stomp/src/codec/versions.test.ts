import { describe, expect, test } from 'vitest'

import { HEART_BEAT_MS_MAX, heartBeatMs, negotiate, parseHeartBeat } from './versions.ts'

describe('negotiation', () => {
  test.each([
    [undefined, 10],
    ['1.0', 10],
    ['1.1', 11],
    ['1.2', 12],
    ['1.0,1.1,2.0', 11],
    ['1.2,1.0', 12],
    [' 1.0 , 1.1 ', 11],
    ['', undefined],
    ['2.0', undefined],
    ['1.20', undefined],
    ['__proto__', undefined],
  ])('%j gives %j', (header, version) => {
    expect(negotiate(header)).toBe(version)
  })

  test('looks at a few versions only', () => {
    expect(negotiate(`${'9.9,'.repeat(10_000)}1.2`)).toBeUndefined()
  })
})

describe('heart-beats', () => {
  test.each([
    [undefined, 0, 0],
    ['0,0', 0, 0],
    ['10000,5000', 10_000, 5_000],
    ['1000, 2000', 1_000, 2_000],
    ['999999999999999,1', HEART_BEAT_MS_MAX, 1],
  ])('%j is taken', (header, sendsMs, wantsMs) => {
    expect(parseHeartBeat(header)).toEqual({ sendsMs, wantsMs })
  })

  test.each(['', '1', '1,2,3', '-1,0', '1.5,0', 'a,b', '1000', '1e3,0', `${'9'.repeat(16)},0`])(
    '%j is refused',
    (header) => {
      expect(parseHeartBeat(header)).toBeUndefined()
    },
  )

  test('come as often as both sides can and want', () => {
    expect(heartBeatMs({ sendsMs: 0, wantsMs: 9 }, { sendsMs: 9, wantsMs: 100 })).toBe(0)
    expect(heartBeatMs({ sendsMs: 100, wantsMs: 9 }, { sendsMs: 9, wantsMs: 0 })).toBe(0)
    expect(heartBeatMs({ sendsMs: 100, wantsMs: 0 }, { sendsMs: 0, wantsMs: 250 })).toBe(250)
    expect(heartBeatMs({ sendsMs: 300, wantsMs: 0 }, { sendsMs: 0, wantsMs: 250 })).toBe(300)
  })
})
