/** A screen that is drawn again and again, with keys. The terminal is left as it was. */
import type { ConsoleIo } from '../process/console-io.ts'

const CTRL_C = '\u0003'
/** Another screen, and back to what was there before; without a cursor, and with one. */
const ENTER = '\u001B[?1049h\u001B[?25l'
const LEAVE = '\u001B[?25h\u001B[?1049l'
const HOME = '\u001B[H'
const REST_OF_LINE = '\u001B[K'
const REST_OF_SCREEN = '\u001B[J'

export class LiveScreen {
  readonly #io: Pick<ConsoleIo, 'stdin' | 'stdout'>
  readonly #onKeys: (text: string) => void
  readonly #end = new AbortController()
  #lines: readonly string[] = []
  #notice: string | undefined = undefined

  /** `keys`: what to do for a key; q and Ctrl-C end it. */
  constructor(io: Pick<ConsoleIo, 'stdin' | 'stdout'>, keys: Readonly<Record<string, () => void>>) {
    this.#io = io
    this.#onKeys = (text) => {
      for (const key of text) {
        if (key === 'q' || key === CTRL_C) this.#end.abort()
        else keys[key]?.()
      }
    }
    const { stdin, stdout } = io
    stdin.setRawMode(true)
    stdin.setEncoding('utf8')
    stdin.on('data', this.#onKeys)
    stdout.write(ENTER)
  }

  /** Aborts when somebody wants to leave. */
  get ended(): AbortSignal {
    return this.#end.signal
  }

  draw(lines: readonly string[]): void {
    this.#lines = lines
    this.#notice = undefined
    this.#show()
  }

  /** In place of the first line, until lines are drawn again: what was drawn is old, and must not look as if nothing happened. */
  drawNotice(line: string): void {
    this.#notice = line
    this.#show()
  }

  #show(): void {
    const lines = this.#notice === undefined ? this.#lines : [this.#notice, ...this.#lines.slice(1)]
    this.#io.stdout.write(`${HOME}${lines.join(`${REST_OF_LINE}\r\n`)}${REST_OF_LINE}${REST_OF_SCREEN}`)
  }

  close(): void {
    const { stdin, stdout } = this.#io
    stdin.off('data', this.#onKeys)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write(LEAVE)
  }
}
