import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HashQueue, fairnessKey } from './hash-queue.ts'

class ManualClock {
  nowMs = 0
  monoMs(): number {
    return this.nowMs
  }
}

/** A queue whose jobs end when the test says so. */
class Bench {
  readonly clock = new ManualClock()
  readonly queue: HashQueue
  /** Names of jobs in the order in which they began. */
  readonly began: string[] = []
  /** 'name: ok' or 'name: reason' in the order of the answers. */
  readonly answers: string[] = []
  readonly #ends = new Map<string, () => void>()

  constructor(options: { runningMax?: number; waitingMax?: number; waitMsMax?: number } = {}) {
    this.queue = new HashQueue({ clock: this.clock, ...options })
  }

  async submit(address: string, name: string): Promise<void> {
    void this.queue
      .run(address, () => {
        this.began.push(name)
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#ends.set(name, resolve)
        return promise
      })
      .then((outcome) => this.answers.push(`${name}: ${outcome.ran ? 'ok' : outcome.reason}`))
    await settle()
  }

  /** Ends the job that runs longest. */
  async endOne(): Promise<void> {
    const [first] = this.#ends
    if (first === undefined) throw new Error('nothing runs')
    this.#ends.delete(first[0])
    first[1]()
    await settle()
  }

  async endAll(): Promise<void> {
    while (this.queue.running > 0) await this.endOne()
  }
}

/** Everything that promises can do without the outer world has happened. */
function settle(): Promise<void> {
  return setImmediate()
}

describe('HashQueue', () => {
  it('runs one job at once unless told otherwise', async () => {
    const bench = new Bench()
    await bench.submit('10.0.0.1', 'a')
    await bench.submit('10.0.0.2', 'b')
    expect(bench.began).toEqual(['a'])
    await bench.endOne()
    expect(bench.began).toEqual(['a', 'b'])
  })

  it('lets addresses take turns, so that a flood from one does not delay the others', async () => {
    const bench = new Bench()
    for (let index = 0; index < 50; index++) await bench.submit('6.6.6.6', `flood${index}`)
    await bench.submit('10.0.0.1', 'a')
    await bench.submit('10.0.0.2', 'b')
    for (let index = 0; index < 4; index++) await bench.endOne()
    expect(bench.began.slice(0, 5)).toEqual(['flood0', 'flood1', 'a', 'b', 'flood2'])
  })

  it('makes the longest line pay when the waiting room is full', async () => {
    const bench = new Bench({ waitingMax: 3 })
    await bench.submit('6.6.6.6', 'running')
    for (const name of ['f1', 'f2', 'f3', 'f4']) await bench.submit('6.6.6.6', name)
    expect(bench.answers).toEqual(['f4: line-full'])
    await bench.submit('10.0.0.1', 'a')
    await bench.submit('10.0.0.2', 'b')
    expect(bench.answers).toEqual(['f4: line-full', 'f3: line-full', 'f2: line-full'])
    await bench.submit('10.0.0.3', 'c')
    expect(bench.answers.at(-1)).toBe('c: line-full')
    await bench.endAll()
    expect(bench.began).toEqual(['running', 'f1', 'a', 'b'])
    expect(bench.queue.counters).toEqual({ ran: 4, lineFull: 4, waitedTooLong: 0 })
  })

  it('does not run a job that waited too long', async () => {
    const bench = new Bench({ waitMsMax: 1_000 })
    await bench.submit('10.0.0.1', 'a')
    await bench.submit('10.0.0.2', 'late')
    bench.clock.nowMs = 500
    await bench.submit('10.0.0.3', 'in time')
    bench.clock.nowMs = 1_001
    await bench.endOne()
    expect(bench.began).toEqual(['a', 'in time'])
    expect(bench.answers).toEqual(['a: ok', 'late: waited-too-long'])
    expect(bench.queue.counters.waitedTooLong).toBe(1)
  })

  it('goes on after a job that rejects or throws, and hands the error to whoever asked', async () => {
    const queue = new HashQueue({ clock: new ManualClock() })
    const rejected = queue.run('10.0.0.1', () => Promise.reject(new Error('no memory')))
    const thrown = queue.run('10.0.0.1', () => {
      throw new Error('no sense')
    })
    const fine = queue.run('10.0.0.1', () => Promise.resolve(7))
    await expect(rejected).rejects.toThrow('no memory')
    await expect(thrown).rejects.toThrow('no sense')
    expect(await fine).toEqual({ ran: true, value: 7 })
    expect(queue.running).toBe(0)
  })

  it('never runs or holds more than its limits and answers everything, whatever comes', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ from: fc.integer({ min: 0, max: 4 }) }) },
      { weight: 2, arbitrary: fc.constant('end' as const) },
      { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: 0, max: 1_500 }) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, runningMax) => {
        const bench = new Bench({ runningMax, waitingMax: 5, waitMsMax: 1_000 })
        let submitted = 0
        for (const each of steps) {
          if (each === 'end') {
            if (bench.queue.running > 0) await bench.endOne()
          } else if ('from' in each) await bench.submit(`10.0.0.${each.from}`, `job${submitted++}`)
          else bench.clock.nowMs += each.passMs
          expect(bench.queue.running).toBeLessThanOrEqual(runningMax)
          expect(bench.queue.waiting).toBeLessThanOrEqual(5)
          expect(bench.queue.waiting === 0 || bench.queue.running === runningMax).toBe(true)
        }
        await bench.endAll()
        expect(bench.answers.length).toBe(submitted)
        expect(bench.queue.waiting).toBe(0)
        const { ran, lineFull, waitedTooLong } = bench.queue.counters
        expect(ran + lineFull + waitedTooLong).toBe(submitted)
      }),
      { numRuns: 60 },
    )
  })
})

describe('fairnessKey', () => {
  const SAME = [
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:DB8:1:2::1', '2001:0db8:0001:0002::2'],
    ['::1', '::2'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['2001:db8::', '2001:db8:0:0:1::'],
  ] as const
  for (const [one, two] of SAME) {
    it(`counts ${one} and ${two} as one`, () => {
      expect(fairnessKey(one)).toBe(fairnessKey(two))
    })
  }

  const DIFFERENT = [
    ['192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['2001:db8::1', '2001:db9::1'],
    ['', '127.0.0.1'],
  ] as const
  for (const [one, two] of DIFFERENT) {
    it(`counts ${JSON.stringify(one)} and ${two} as two`, () => {
      expect(fairnessKey(one)).not.toBe(fairnessKey(two))
    })
  }

  it('takes any text', () => {
    expect(() => fc.assert(fc.property(fc.string(), (text) => typeof fairnessKey(text) === 'string'))).not.toThrow()
  })
})
