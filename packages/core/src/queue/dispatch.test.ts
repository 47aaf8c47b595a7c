/** Who is handed what: the plain way, the choosing way, and that looking for a taker ends. */
import { virtualEnv } from '@ternmq/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../env.ts'
import { matchWith, messageOf, queueContext, TestSink, textOf } from '../../test/support.ts'
import { type ConsumeOptions, Consumer } from './consumer.ts'
import { ConsumerSet } from './consumer-set.ts'
import { CreditPool } from './credit.ts'
import { Delivery } from './delivery.ts'
import { Dispatch, type DispatchHost, noteReturned, rewindCursors } from './dispatch.ts'
import { parseSelector } from '../selector/selector.ts'
import { Lanes } from './lanes.ts'
import { Queue } from './queue.ts'
import { DEFAULT_QUEUE_SETTINGS } from './settings.ts'
import type { Staging } from './staging.ts'

class Bench {
  readonly lanes: Lanes = new Lanes({ bytes: 0, bytesMax: Infinity })
  readonly consumers: ConsumerSet = new ConsumerSet(false)
  /** Consumer's name and text, in the order of handing over. */
  readonly handed: string[] = []
  readonly expired: number[] = []
  readonly staged: number[] = []
  /** Questions whether a consumer wants an entry. */
  asked = 0
  /** Names of consumers that want a text; undefined: the plain way. */
  wanted: ((text: string) => readonly string[]) | undefined = undefined
  /** What a question takes. */
  askingMs = 0
  #monoMs = 0
  readonly #names = new Map<Consumer, string>()
  readonly #dispatch: Dispatch
  readonly #queue = new Queue(queueContext(virtualEnv()), 'q', DEFAULT_QUEUE_SETTINGS, true)

  constructor() {
    const isChoosing = (): boolean => this.wanted !== undefined
    const host: DispatchHost = {
      get isChoosing() {
        return isChoosing()
      },
      expire: (line, position) => {
        this.expired.push(position)
        line.remove(position)
      },
      hand: (consumer, entry) => {
        this.handed.push(`${this.#names.get(consumer)}:${textOf(entry.message)}`)
        entry.line!.take(entry.position)
        return consumer.take(entry)
      },
      wants: (consumer, entry) => {
        this.asked++
        this.#monoMs += this.askingMs
        return this.wanted!(textOf(entry.message)).includes(this.#names.get(consumer)!)
      },
      beginsGroup: () => false,
      fewestGroups: ([first]) => first,
      onChosen: () => {},
    }
    const staging = { stage: (_line: unknown, from: number) => void this.staged.push(from), onTaken: () => {} } as unknown as Staging
    const clock = { ...virtualEnv().clock, monoMs: () => this.#monoMs } as Clock
    this.#dispatch = new Dispatch(host, this.lanes, this.consumers, staging, clock)
  }

  add(text: string, priority = 4, expiresAtMs = 0): number {
    const line = this.lanes.line(priority)
    const entry = new Delivery(messageOf('t', text), matchWith(1), 1, false)
    entry.line = line
    entry.position = line.push(0, 1, expiresAtMs, entry, false)
    return entry.position
  }

  consumer(name: string, credit: number, options: ConsumeOptions = {}): Consumer {
    const consumer = new Consumer(this.#queue, new CreditPool(65_535), undefined, options)
    consumer.attach(new TestSink())
    consumer.grant(credit)
    this.#names.set(consumer, name)
    this.consumers.add(consumer)
    return consumer
  }

  run(budget = 1_000, nowMs = 0): number {
    return this.#dispatch.run(budget, nowMs)
  }
}

describe('plain', () => {
  test('the first message to the next consumer, higher priorities first, within the budget', () => {
    const bench = new Bench()
    for (const text of ['1', '2', '3']) bench.add(text)
    bench.add('urgent', 9)
    bench.consumer('a', 10)
    bench.consumer('b', 10)
    expect([bench.run(3), bench.handed]).toEqual([0, ['a:urgent', 'b:1', 'a:2']])
    expect([bench.run(3), bench.handed.at(-1)]).toEqual([2, 'b:3'])
  })

  test('what has expired goes without costing credit', () => {
    const bench = new Bench()
    bench.add('old', 4, 5)
    bench.add('new', 4, 50)
    bench.consumer('a', 1)
    bench.run(10, 10)
    expect([bench.expired, bench.handed]).toEqual([[1], ['a:new']])
  })

  test('bytes on disk are asked for when there is a taker, and a lower priority does not overtake meanwhile', () => {
    const bench = new Bench()
    bench.lanes.line(9).push(1, 10, 0, undefined, false)
    bench.add('low', 0)
    bench.run()
    expect(bench.staged).toEqual([])
    bench.consumer('a', 5)
    bench.run()
    expect([bench.staged, bench.handed]).toEqual([[1], []])
  })
})

describe('choosing', () => {
  test('each message looks for its taker, and goes on past those that nobody wants', () => {
    const bench = new Bench()
    bench.wanted = (text) => [text[0]!]
    for (const text of ['a1', 'x1', 'b1', 'a2']) bench.add(text)
    bench.consumer('a', 10)
    bench.consumer('b', 10)
    bench.run()
    expect(bench.handed).toEqual(['a:a1', 'b:b1', 'a:a2'])
    expect(bench.lanes.waitingCount).toBe(1)
  })

  test('a selector that takes long is asked about a few messages in one go, and about all in several', () => {
    const bench = new Bench()
    const parsed = parseSelector('a = 1')
    if (!parsed.ok) throw new Error(parsed.error.text)
    bench.wanted = () => []
    bench.askingMs = 4
    for (let number = 0; number < 10; number++) bench.add(`x${number}`)
    bench.consumer('a', 10, { selector: parsed.selector })
    expect(bench.run()).toBe(0)
    expect(bench.asked).toBe(3)
    for (let turn = 0; turn < 5; turn++) bench.run()
    expect(bench.asked).toBe(10)
  })

  test('a consumer without credit gets what it passed for lack of it first, in order', () => {
    const bench = new Bench()
    bench.wanted = (text) => [text[0]!]
    const a = bench.consumer('a', 1)
    bench.consumer('b', 10)
    for (const text of ['a1', 'a2', 'b1', 'a3', 'b2']) {
      bench.add(text)
      bench.run()
    }
    a.grant(10)
    bench.run()
    expect(bench.handed).toEqual(['a:a1', 'b:b1', 'b:b2', 'a:a2', 'a:a3'])
  })

  test('messages that nobody wants are asked about once, not at every turn', () => {
    const bench = new Bench()
    bench.wanted = () => []
    for (let count = 0; count < 1_000; count++) bench.add('x')
    bench.consumer('a', 10)
    bench.run()
    expect(bench.asked).toBe(1_000)
    bench.add('x')
    bench.run()
    expect(bench.asked).toBe(1_001)
  })

  test('a message that comes back is looked at again, and nothing between it and what was seen last', () => {
    const bench = new Bench()
    bench.wanted = () => []
    const first = bench.add('a')
    for (let count = 0; count < 1_000; count++) bench.add('x')
    bench.consumer('a', 10)
    bench.run()
    bench.wanted = (text) => [text]
    noteReturned(bench.consumers, 4, first)
    bench.run()
    expect([bench.handed, bench.asked]).toEqual([['a:a'], 1_002])
  })

  test('whoever cannot take what came back gets it first, and a lot that comes back is not forgotten', () => {
    const bench = new Bench()
    bench.wanted = () => []
    const positions = Array.from({ length: 3_000 }, () => bench.add('a'))
    const consumer = bench.consumer('a', 1)
    bench.run()
    bench.wanted = (text) => [text]
    for (const position of positions) noteReturned(bench.consumers, 4, position)
    bench.run()
    expect(bench.handed).toEqual(['a:a'])
    consumer.grant(10_000)
    for (let turn = 0; turn < 100; turn++) bench.run()
    expect(bench.handed).toHaveLength(3_000)
  })

  test('what came back does not overtake what was put back into the way since', () => {
    const bench = new Bench()
    bench.wanted = () => []
    const [first, second] = [bench.add('a1'), bench.add('a2')]
    bench.consumer('a', 10)
    bench.run()
    bench.wanted = () => ['a']
    noteReturned(bench.consumers, 4, second)
    rewindCursors(bench.consumers, 4, first)
    bench.run()
    expect(bench.handed).toEqual(['a:a1', 'a:a2'])
  })

  test('rewound, a consumer looks again', () => {
    const bench = new Bench()
    bench.wanted = () => []
    const first = bench.add('a')
    bench.consumer('a', 10)
    bench.run()
    bench.wanted = () => ['a']
    bench.run()
    expect(bench.handed).toEqual([])
    rewindCursors(bench.consumers, 4, first)
    bench.run()
    expect(bench.handed).toEqual(['a:a'])
  })

  test('a consumer that is held back at a high priority gets nothing of a lower one', () => {
    const bench = new Bench()
    bench.wanted = (text) => [text[0]!]
    const a = bench.consumer('a', 10)
    a.pool.setLimit(0)
    bench.consumer('b', 10)
    bench.add('a-urgent', 9)
    bench.add('a-low', 0)
    bench.add('b-low', 0)
    bench.run()
    expect(bench.handed).toEqual(['b:b-low'])
  })

  test('every message reaches a consumer that wants it, in order for each, whoever has credit when', () => {
    const step = fc.record({ act: fc.constantFrom('add', 'add', 'grant', 'run'), to: fc.integer({ min: 0, max: 2 }), priority: fc.constantFrom(4, 4, 7) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bench = new Bench()
        bench.wanted = (text) => [text[0]!]
        const names = ['a', 'b', 'c']
        const consumers = names.map((name) => bench.consumer(name, 1))
        let count = 0
        for (const { act, to, priority } of steps) {
          if (act === 'add') bench.add(`${names[to]}${priority}-${count++}`, priority)
          else if (act === 'grant') consumers[to]!.grant(2)
          else bench.run()
        }
        for (const consumer of consumers) consumer.grant(1_000)
        bench.run()
        expect(bench.handed).toHaveLength(count)
        const last = new Map<string, number>()
        for (const handed of bench.handed) {
          const [lane, number] = handed.slice(2).split('-') as [string, string]
          expect(handed[0]).toBe(handed[2])
          expect(last.get(lane) ?? -1).toBeLessThan(Number(number))
          last.set(lane, Number(number))
        }
      }),
      { numRuns: 300 },
    )
  })
})
