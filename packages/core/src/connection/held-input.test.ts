import { describe, expect, test } from 'vitest'
import { HeldInput } from './held-input.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function contentOf({ bytes: memory, length }: HeldInput): number[] {
  return [...(memory?.subarray(0, length) ?? [])]
}

describe('input that is held', () => {
  test('is what was added, in memory of its own, until it is taken', () => {
    const held = new HeldInput()
    const chunk = bytes(9, 1, 2, 9)
    held.append(chunk, 1, 3, 100)
    chunk.fill(0)
    held.append(bytes(3), 0, 1, 100)
    expect(contentOf(held)).toEqual([1, 2, 3])
    expect([...held.take().subarray(0, 3)]).toEqual([1, 2, 3])
    expect([held.length, held.memoryBytes, held.bytes]).toEqual([0, 0, undefined])
  })

  test('takes memory for what has come, and not for what may', () => {
    const held = new HeldInput()
    held.append(bytes(1), 0, 1, 1e9)
    expect(held.memoryBytes).toBeLessThanOrEqual(1_024)
    held.append(new Uint8Array(10_000), 0, 10_000, 1e9)
    expect(held.memoryBytes).toBeLessThanOrEqual(2 * 10_001)
  })

  test('that waits again while it is read again stays where it is', () => {
    const held = new HeldInput()
    held.append(bytes(1, 2, 3, 4), 0, 4, 100)
    const memory = held.bytes!.buffer
    const again = held.beginResume()!
    held.hold(again, 1, true, 100)
    held.endResume()
    expect(contentOf(held)).toEqual([2, 3, 4])
    expect(held.bytes!.buffer).toBe(memory)
    expect(held.memoryBytes).toBe(memory.byteLength)
  })

  test('of which the beginning of a packet is left is copied', () => {
    const held = new HeldInput()
    held.append(bytes(1, 2, 3), 0, 3, 100)
    const again = held.beginResume()!
    held.hold(again, 2, false, 100)
    held.endResume()
    held.append(bytes(4), 0, 1, 100)
    expect(contentOf(held)).toEqual([3, 4])
  })

  test('may be nothing', () => {
    expect(new HeldInput().beginResume()).toBeUndefined()
  })
})
