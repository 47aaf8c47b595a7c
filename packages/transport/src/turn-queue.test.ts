import { expect, test } from 'vitest'

import { PASS_FUNCTIONS_MAX, TurnQueue } from './turn-queue.ts'

/** A queue whose passes the test runs; `scheduled` counts the passes asked for. */
function manualQueue(): { turns: TurnQueue; scheduled: () => number } {
  let scheduled = 0
  return { turns: new TurnQueue(() => scheduled++), scheduled: () => scheduled }
}

test('flush functions run after every endOfTurn function, whatever the order they came in', () => {
  const { turns } = manualQueue()
  const ran: string[] = []
  turns.flush(() => ran.push('flush 1'))
  turns.endOfTurn(() => ran.push('end 1'))
  turns.flush(() => ran.push('flush 2'))
  turns.endOfTurn(() => ran.push('end 2'))
  turns.runPass()
  expect(ran).toEqual(['end 1', 'end 2', 'flush 1', 'flush 2'])
})

test('an endOfTurn function added by another one runs in the same pass, before the flush', () => {
  const { turns } = manualQueue()
  const ran: string[] = []
  turns.flush(() => ran.push('flush'))
  turns.endOfTurn(() => {
    ran.push('outer')
    turns.endOfTurn(() => ran.push('inner'))
  })
  turns.runPass()
  expect(ran).toEqual(['outer', 'inner', 'flush'])
  expect(turns.isWaiting).toBe(false)
})

test('a function added by a flush waits for the next pass, which is asked for once', () => {
  const { turns, scheduled } = manualQueue()
  const ran: string[] = []
  turns.flush(() => {
    turns.endOfTurn(() => ran.push('end'))
    turns.flush(() => ran.push('flush'))
  })
  expect(scheduled()).toBe(1)
  turns.runPass()
  expect(ran).toEqual([])
  expect(scheduled()).toBe(2)
  turns.runPass()
  expect(ran).toEqual(['end', 'flush'])
  expect(scheduled()).toBe(2)
})

test('one pass is asked for, however many functions come in a turn', () => {
  const { turns, scheduled } = manualQueue()
  for (let i = 0; i < 100; i++) turns.endOfTurn(() => turns.flush(() => {}))
  turns.runPass()
  expect(scheduled()).toBe(1)
})

test('two functions that wake each other for ever leave the pass after PASS_FUNCTIONS_MAX', () => {
  const { turns, scheduled } = manualQueue()
  let count = 0
  let flushed = false
  const again = (): void => {
    count++
    turns.endOfTurn(again)
  }
  turns.endOfTurn(again)
  turns.flush(() => {
    flushed = true
  })
  turns.runPass()
  expect(count).toBe(PASS_FUNCTIONS_MAX)
  expect(flushed).toBe(true)
  expect(scheduled()).toBe(2)
})

test('a function that throws keeps those behind it for the next pass', () => {
  const { turns, scheduled } = manualQueue()
  const ran: string[] = []
  turns.endOfTurn(() => {
    throw new Error('a fault')
  })
  turns.endOfTurn(() => ran.push('end'))
  turns.flush(() => ran.push('flush'))
  expect(() => turns.runPass()).toThrow('a fault')
  expect(scheduled()).toBe(2)
  turns.runPass()
  expect(ran).toEqual(['end', 'flush'])
})

test('a flush that throws keeps those behind it for the next pass, before those that were added meanwhile', () => {
  const { turns } = manualQueue()
  const ran: string[] = []
  turns.flush(() => {
    turns.flush(() => ran.push('added'))
    throw new Error('a fault')
  })
  turns.flush(() => ran.push('second'))
  expect(() => turns.runPass()).toThrow('a fault')
  turns.runPass()
  expect(ran).toEqual(['second', 'added'])
  expect(turns.isWaiting).toBe(false)
})
