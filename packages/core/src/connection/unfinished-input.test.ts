import { describe, expect, test } from 'vitest'
import { type InputHolder, UnfinishedInput } from './unfinished-input.ts'

const KIB = 1_024

class Holder implements InputHolder {
  unfinishedBytes = 0
  readonly ends: string[] = []
  readonly #input: UnfinishedInput

  constructor(input: UnfinishedInput) {
    this.#input = input
  }

  hold(bytes: number): this {
    this.#input.note(this, bytes)
    return this
  }

  endUnfinished(text: string): void {
    this.ends.push(text)
    this.#input.note(this, 0)
  }
}

function scene(unfinishedBytesMax: number, count: number): { input: UnfinishedInput; holders: Holder[] } {
  const input = new UnfinishedInput({ unfinishedBytesMax })
  return { input, holders: Array.from({ length: count }, () => new Holder(input)) }
}

describe('unfinished input of all connections', () => {
  test('is the sum of what each holds now', () => {
    const { input, holders } = scene(1_000 * KIB, 2)
    const [one, two] = holders as [Holder, Holder]
    one.hold(100 * KIB)
    two.hold(300 * KIB).hold(10)
    expect(input.bytes).toBe(100 * KIB + 10)
    one.hold(0)
    two.hold(0)
    expect(input.bytes).toBe(0)
  })

  test('beyond the limit ends the connection that holds most, whoever asked for more', () => {
    const { input, holders } = scene(1_000 * KIB, 3)
    const [small, large, asking] = holders as [Holder, Holder, Holder]
    small.hold(300 * KIB)
    large.hold(600 * KIB)
    asking.hold(100 * KIB)
    expect(large.ends).toEqual([])
    asking.hold(101 * KIB)
    expect(large.ends).toEqual([
      "what all connections have begun to send and not completed takes 1001 KiB, the limit (limits.unfinishedBytesMax) is 1000 KiB, and 600 KiB of it are this connection's, the most of all; send smaller messages, or again later",
    ])
    expect([small.ends, asking.ends, input.bytes]).toEqual([[], [], 401 * KIB])
  })

  test('ends the one that asked where nobody holds much', () => {
    const { input, holders } = scene(10 * KIB, 3)
    const [one, two, asking] = holders as [Holder, Holder, Holder]
    one.hold(4 * KIB)
    two.hold(5 * KIB)
    asking.hold(2 * KIB)
    expect([one.ends.length, two.ends.length, asking.ends.length, input.bytes]).toEqual([0, 0, 1, 9 * KIB])
  })

  test('is within the limit again after each growth, however many there are', () => {
    const { input, holders } = scene(1_000 * KIB, 100)
    for (let kib = 8; kib <= 512; kib *= 2) {
      for (const holder of holders) {
        if (holder.ends.length === 0) holder.hold(kib * KIB)
        expect(input.bytes).toBeLessThanOrEqual(1_000 * KIB)
      }
    }
    expect(holders.filter(({ ends }) => ends.length > 0).length).toBeGreaterThan(90)
  })

  test('that becomes less ends nobody, even where the limit has become lower', () => {
    const limits = { unfinishedBytesMax: 1_000 * KIB }
    const input = new UnfinishedInput(limits)
    const holder = new Holder(input).hold(900 * KIB)
    limits.unfinishedBytesMax = 100 * KIB
    holder.hold(800 * KIB)
    expect(holder.ends).toEqual([])
  })
})
