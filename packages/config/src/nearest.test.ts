import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from './nearest.ts'

const names = ['mqtt', 'mqtts', 'ws', 'wss', 'port', 'host', 'maxPacketBytes', 'maxQueuedBytes']

describe('the nearest name', () => {
  test.each([
    ['prot', 'port'],
    ['mqts', 'mqtts'],
    ['max_packet_bytes', 'maxPacketBytes'],
    ['MaxPacketByte', 'maxPacketBytes'],
    ['max-queue-bytes', 'maxQueuedBytes'],
    ['hots', 'host'],
  ])('to %s is %s', (name, expected) => {
    expect(nearest(name, names)).toBe(expected)
  })

  test.each(['x', '', 'certificate', 'qqqq'])('to "%s" is none of ours', (name) => {
    expect(nearest(name, names)).toBeUndefined()
  })

  test('to a key that only begins like ours is none', () => {
    expect(nearest('listeners.http', ['listeners.mqtt'])).toBeUndefined()
    expect(nearest('listeners.mqqt', ['listeners.mqtt'])).toBe('listeners.mqtt')
  })

  test('to a very long name is none, without comparing it', () => {
    const unread = {
      [Symbol.iterator]: () => {
        throw new Error('compared')
      },
    }
    expect(nearest('p'.repeat(1_000_000), unread)).toBeUndefined()
  })
})

describe('the edit distance', () => {
  test('is the same in both directions and 0 only for equal texts', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, b) === 0).toBe(a === b)
      }),
    )
  })

  test('of a swap, a letter too many and a letter too few is less than that of a wrong letter', () => {
    expect([editDistance('prot', 'port'), editDistance('ports', 'port'), editDistance('por', 'port')]).toEqual([
      2, 2, 2,
    ])
    expect(editDistance('pork', 'port')).toBe(3)
  })
})
