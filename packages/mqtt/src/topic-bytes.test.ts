import type { Queue } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { queueAddress, TopicBytes } from './topic-bytes.ts'

describe('bytes of names', () => {
  it('are UTF-8, and the same object while they are remembered', () => {
    const names = new TopicBytes()
    const first = names.of('größe/1')
    expect(Buffer.from(first).toString()).toBe('größe/1')
    names.of('b')
    expect(names.of('größe/1')).toBe(first)
    expect(names.of('größe/1')).toBe(first)
  })

  it('are forgotten together beyond a number of names', () => {
    const names = new TopicBytes()
    for (let index = 0; index < 10_000; index++) expect(Buffer.from(names.of(`t/${index}`)).toString()).toBe(`t/${index}`)
    expect(names.count).toBeLessThanOrEqual(4_096)
    expect(names.count).toBeGreaterThan(0)
  })

  it('are forgotten together beyond a number of characters', () => {
    const names = new TopicBytes()
    const long = 'x'.repeat(60_000)
    for (let index = 0; index < 40; index++) names.of(long + index)
    expect(names.count).toBeLessThanOrEqual(4)
  })
})

describe('the address of a queue', () => {
  it('is $queue/ and its name, each queue having its own', () => {
    const one = { name: 'a/b' } as Queue
    const other = { name: 'c' } as Queue
    expect([one, other, one, one, other].map(queueAddress)).toEqual([
      '$queue/a/b',
      '$queue/c',
      '$queue/a/b',
      '$queue/a/b',
      '$queue/c',
    ])
  })
})
