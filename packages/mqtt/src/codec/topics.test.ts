import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import { checkTopicBytes, checkTopicName, countLevels, isShared, parseFilter, splitTopic } from './topics.ts'

function thrown(f: () => unknown): ProtocolError | undefined {
  try {
    f()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

describe('topic names', () => {
  test.each(['a', '/', '//', 'a b', '$SYS/x', '温度/küche', ' ', 'a/', '\u0001', 'x'.repeat(65_535)])(
    'a name may be %j',
    (name) => {
      expect(thrown(() => checkTopicName(name, 5))).toBeUndefined()
      expect(thrown(() => checkTopicBytes(bytesOf(name), 0, Buffer.byteLength(name), 5))).toBeUndefined()
    },
  )

  test.each([
    ['', 0x90, 'MQTT5-4.7.3-1', 'MQTT311-4.7.3-1'],
    ['a/+', 0x90, 'MQTT5-3.3.2-2', 'MQTT311-3.3.2-2'],
    ['#', 0x90, 'MQTT5-3.3.2-2', 'MQTT311-3.3.2-2'],
    ['温/a#', 0x90, 'MQTT5-3.3.2-2', 'MQTT311-3.3.2-2'],
  ])('a name may not be %j', (name, code, clause5, clause311) => {
    for (const check of [
      (version: 4 | 5) => checkTopicName(name, version),
      (version: 4 | 5) => checkTopicBytes(bytesOf(name), 0, Buffer.byteLength(name), version),
    ]) {
      expect(thrown(() => check(5))).toMatchObject({ reasonCode: code, clause: clause5 })
      expect(thrown(() => check(4))).toMatchObject({ reasonCode: code, clause: clause311 })
    }
  })

  test('U+0000 and invalid UTF-8 are malformed, whatever else is wrong with the name', () => {
    const judge = (...bytes: number[]): ProtocolError | undefined =>
      thrown(() => checkTopicBytes(Uint8Array.from(bytes), 0, bytes.length, 5))
    expect(judge(0x61, 0x00)).toMatchObject({ reasonCode: 0x81 })
    expect(judge(0x61, 0xed, 0xa0, 0x80)).toMatchObject({ reasonCode: 0x81, clause: 'MQTT5-1.5.4-1' })
    expect(judge(0x23, 0xff)).toMatchObject({ reasonCode: 0x81 })
    expect(thrown(() => checkTopicName('a\0', 5))).toMatchObject({ reasonCode: 0x81, clause: 'MQTT5-4.7.3-2' })
    expect(thrown(() => checkTopicName('\ud800', 5))).toMatchObject({ reasonCode: 0x81 })
  })

  test('the check of bytes agrees with the check of text', () => {
    const unit = fc.constantFrom('a', '/', '+', '#', '\0', 'é', '$')
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 6 }), (name) => {
        const ofBytes = thrown(() => checkTopicBytes(bytesOf(name), 0, Buffer.byteLength(name), 5))
        expect(ofBytes?.reasonCode).toBe(thrown(() => checkTopicName(name, 5))?.reasonCode)
      }),
    )
  })

  test('a name is limited to 65,535 bytes and to the levels the caller allows', () => {
    expect(thrown(() => checkTopicName('温'.repeat(21_846), 5))).toMatchObject({ clause: 'MQTT5-4.7.3-3' })
    expect(thrown(() => checkTopicName('a/b/c', 5, 3))).toBeUndefined()
    expect(thrown(() => checkTopicName('a/b/c/', 5, 3))?.detail).toBe(
      'topic name "a/b/c/" has 4 levels; this server takes 3',
    )
  })
})

describe('topic filters', () => {
  test.each([
    ['a/b', ['a', 'b'], undefined],
    ['#', ['#'], undefined],
    ['+', ['+'], undefined],
    ['/+', ['', '+'], undefined],
    ['+/+/#', ['+', '+', '#'], undefined],
    ['a//#', ['a', '', '#'], undefined],
    ['$share', ['$share'], undefined],
    ['$shared/a', ['$shared', 'a'], undefined],
    ['$share/g/a', ['a'], 'g'],
    ['$share/g//', ['', ''], 'g'],
    ['$share/g/+/#', ['+', '#'], 'g'],
    ['$share/g/$share/g/a', ['$share', 'g', 'a'], 'g'],
  ])('%s falls into levels', (filter, levels, share) => {
    expect(parseFilter(filter, 5)).toEqual({ levels, share })
  })

  test.each([
    ['', 'MQTT5-4.7.3-1'],
    ['a#', 'MQTT5-4.7.1-1'],
    ['#/a', 'MQTT5-4.7.1-1'],
    ['##', 'MQTT5-4.7.1-1'],
    ['a/+b', 'MQTT5-4.7.1-2'],
    ['++', 'MQTT5-4.7.1-2'],
    ['+#', 'MQTT5-4.7.1-1'],
    ['$share/', 'MQTT5-4.8.2-1'],
    ['$share//a', 'MQTT5-4.8.2-1'],
    ['$share/g', 'MQTT5-4.8.2-2'],
    ['$share/g/', 'MQTT5-4.8.2-2'],
    ['$share/g+/a', 'MQTT5-4.8.2-2'],
    ['$share/#', 'MQTT5-4.8.2-2'],
    ['$share/g/a#', 'MQTT5-4.7.1-1'],
  ])('%j is refused', (filter, clause) => {
    expect(thrown(() => parseFilter(filter, 5))).toMatchObject({ reasonCode: 0x8f, clause })
  })

  test('3.1.1 names its own clauses', () => {
    expect(thrown(() => parseFilter('a#', 4))).toMatchObject({ clause: 'MQTT311-4.7.1-2' })
    expect(thrown(() => parseFilter('a+', 4))).toMatchObject({ clause: 'MQTT311-4.7.1-3' })
    expect(thrown(() => parseFilter('a+', 3))).toMatchObject({ clause: 'MQTT31-A-e' })
  })

  test('a name without wildcards is a filter for itself', () => {
    const level = fc.string({ unit: fc.constantFrom('a', 'b', '$', 'é'), maxLength: 3 })
    fc.assert(
      fc.property(fc.array(level, { minLength: 1, maxLength: 6 }), (levels) => {
        const name = levels.join('/')
        fc.pre(name !== '' && !isShared(name))
        expect(parseFilter(name, 5).levels).toEqual(levels)
        expect(splitTopic(name)).toEqual(levels)
        expect(countLevels(name)).toBe(levels.length)
      }),
    )
  })

  test('a long filter is quoted in part only', () => {
    const error = thrown(() => parseFilter('x'.repeat(5_000) + '#', 5))
    expect(error?.detail.length).toBeLessThan(200)
    expect(error?.detail).toContain('(5001 characters)')
  })
})
