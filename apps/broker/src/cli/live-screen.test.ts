import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { ConsoleIo } from '../process/console-io.ts'
import { LiveScreen } from './live-screen.ts'

class Terminal extends EventEmitter {
  text = ''
  isRaw = false
  isPaused = false
  readonly io: Pick<ConsoleIo, 'stdin' | 'stdout'>

  constructor() {
    super()
    this.io = {
      stdin: this as unknown as ConsoleIo['stdin'],
      stdout: { write: (text) => void (this.text += String(text)), written: () => Promise.resolve() },
    }
  }

  setRawMode(isRaw: boolean): void {
    this.isRaw = isRaw
  }

  setEncoding(): void {}

  pause(): void {
    this.isPaused = true
  }

  type(keys: string): void {
    this.emit('data', keys)
  }
}

test('lines are drawn over those before, and the terminal is left as it was', () => {
  const terminal = new Terminal()
  const screen = new LiveScreen(terminal.io, {})
  expect(terminal.isRaw).toBe(true)
  screen.draw(['one', 'two'])
  expect(terminal.text).toContain('\u001B[Hone\u001B[K\r\ntwo\u001B[K\u001B[J')
  screen.close()
  expect(terminal.text).toMatch(/\u001B\[\?25h\u001B\[\?1049l$/)
  expect(terminal).toMatchObject({ isRaw: false, isPaused: true })
  expect(terminal.listenerCount('data')).toBe(0)
})

test.each(['q', '\u0003'])('%j ends it', (key) => {
  const terminal = new Terminal()
  const screen = new LiveScreen(terminal.io, {})
  terminal.type('x')
  expect(screen.ended.aborted).toBe(false)
  terminal.type(key)
  expect(screen.ended.aborted).toBe(true)
})

test('a key does what it is for, each time', () => {
  const terminal = new Terminal()
  let count = 0
  const screen = new LiveScreen(terminal.io, { s: () => void count++ })
  terminal.type('ss')
  expect(count).toBe(2)
  expect(screen.ended.aborted).toBe(false)
})

test('a notice stands over what was drawn until something is drawn anew', () => {
  const terminal = new Terminal()
  const screen = new LiveScreen(terminal.io, {})
  screen.draw(['one', 'two'])
  terminal.text = ''
  screen.drawNotice('away')
  expect(terminal.text).toContain('\u001B[Haway\u001B[K\r\ntwo\u001B[K\u001B[J')
  terminal.text = ''
  screen.draw(['three', 'four'])
  expect(terminal.text).toContain('\u001B[Hthree\u001B[K\r\nfour\u001B[K\u001B[J')
  screen.close()
})
