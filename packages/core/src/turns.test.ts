import { VirtualClock } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { Turns, type TurnWork } from './turns.ts'

function work(ran: string[], name: string, then: (nowMs: number) => void = () => undefined): TurnWork {
  return {
    runTurn: (nowMs) => {
      ran.push(name)
      then(nowMs)
    },
  }
}

test('work runs at the end of the turn in which it was woken, in order, before the output leaves', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const ran: string[] = []
  clock.input(() => {
    clock.flush(() => ran.push('flush'))
    turns.wake(work(ran, 'a'))
    turns.wake(work(ran, 'b'))
    ran.push('input')
  })
  clock.turn()
  expect(ran).toEqual(['input', 'a', 'b', 'flush'])
})

test('work that is woken by other work runs in the same turn, after what was awake already', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const ran: string[] = []
  const second = work(ran, 'second')
  turns.wake(work(ran, 'first', () => turns.wake(second)))
  turns.wake(work(ran, 'beside'))
  clock.turn()
  expect(ran).toEqual(['first', 'beside', 'second'])
})

test('work for the next turn leaves this one to the sockets', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const ran: string[] = []
  turns.wakeNextTurn(work(ran, 'later'))
  clock.turn()
  expect(ran).toEqual([])
  clock.settle()
  expect(ran).toEqual(['later'])
})

test('work gets the time of the turn', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const times: number[] = []
  clock.advance(500)
  turns.wake(work([], 'a', (nowMs) => times.push(nowMs)))
  clock.turn()
  expect(times).toEqual([clock.wallMs()])
})

test('work that throws does not keep the work behind it from running', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const ran: string[] = []
  turns.wake(work(ran, 'a'))
  turns.wake(
    work(ran, 'broken', () => {
      throw new Error('a fault')
    }),
  )
  turns.wake(work(ran, 'b'))
  turns.wake(work(ran, 'c'))
  expect(() => clock.turn()).toThrow('a fault')
  clock.turn()
  expect(ran).toEqual(['a', 'broken', 'b', 'c'])
})

test('long work has one piece in each turn, one after the other, and goes on behind one that throws', () => {
  const clock = new VirtualClock()
  const turns = new Turns(clock)
  const ran: string[] = []
  const long = (name: string, pieces: number): (() => boolean) => {
    let left = pieces
    return () => {
      ran.push(name)
      clock.endOfTurn(() => ran.push('|'))
      return --left > 0
    }
  }
  turns.addLong(long('a', 2))
  turns.addLong(() => {
    throw new Error('a fault')
  })
  turns.addLong(long('b', 1))
  expect(ran).toEqual([])
  expect(() => clock.settle()).toThrow('a fault')
  clock.settle()
  expect(ran.join(' ')).toBe('a | a | b |')
  turns.addLong(long('c', 1))
  clock.settle()
  expect(ran.slice(-2)).toEqual(['c', '|'])
})
