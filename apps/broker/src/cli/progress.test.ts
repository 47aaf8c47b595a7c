import { expect, test } from 'vitest'
import { type ProgressOptions, progressLine, withProgress } from './progress.ts'

const AFTER_2_S = { elapsedMs: 2_000, unit: 'messages', width: 200 } as const

test('a line has a bar, how much of how much, how fast, and how long it will take', () => {
  expect(progressLine('move orders', { done: 500, total: 2_000 }, AFTER_2_S)).toBe(
    'move orders  [######------------------] 25 %  500 of 2,000  250/s, 6s left',
  )
  expect(progressLine('copying', { done: 1_048_576, total: 1_048_576 }, { ...AFTER_2_S, unit: 'bytes' })).toBe(
    'copying  [########################] 100 %  1.0 MiB of 1.0 MiB  512.0 KiB/s',
  )
})

test('where nobody knows how much it will be there is no bar, and before the first nothing is divided by nothing', () => {
  expect(progressLine('move orders', { done: 500 }, AFTER_2_S)).toBe('move orders  500  250/s')
  expect(progressLine('move orders', { done: 0, total: 10 }, { ...AFTER_2_S, elapsedMs: 0 })).toBe(
    'move orders  [------------------------] 0 %  0 of 10  0ms',
  )
})

test('what turns out to be more than was expected is all of it', () => {
  expect(progressLine('copying', { done: 30, total: 20 }, AFTER_2_S)).toContain('] 100 %  30 of 20')
})

test('a narrow terminal gets no second line', () => {
  expect(progressLine('move orders', { done: 500, total: 2_000 }, { ...AFTER_2_S, width: 20 })).toBe(
    'move orders  [#####…',
  )
})

/** An output that remembers, and tells when something comes. */
class Output {
  text = ''
  readonly isTTY: boolean
  readonly columns = 80
  readonly written: PromiseWithResolvers<string> = Promise.withResolvers()

  constructor(isTTY: boolean) {
    this.isTTY = isTTY
  }

  write(text: string | Uint8Array): void {
    this.text += String(text)
    this.written.resolve('done')
  }

  options(): ProgressOptions {
    const io = { stderr: this } as unknown as ProgressOptions['io']
    return { io, text: 'copying', unit: 'bytes', total: 10, done: () => 5 }
  }
}

test('a terminal is left as it was', async () => {
  const terminal = new Output(true)
  expect(await withProgress(terminal.options(), () => terminal.written.promise)).toBe('done')
  expect(terminal.text).toMatch(/^\rcopying {2}\[#{12}-{12}\] 50 % .*\r\u001B\[K$/s)
})

test('where there is no terminal nothing is drawn', async () => {
  const file = new Output(false)
  expect(await withProgress(file.options(), () => Promise.resolve('done'))).toBe('done')
  expect(file.text).toBe('')
})
