/** A program that is told lines and tells lines. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

const STOP_MS_MAX = 5_000
/** Of its standard error, in a fault. */
const ERROR_CHARS_MAX = 1_000

export class LineProgram implements AsyncDisposable {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #isStopped = false
  #errors = ''
  #fault: string | undefined = undefined

  constructor(command: string, args: readonly string[], onLine: (line: string) => void, env: NodeJS.ProcessEnv = {}) {
    this.#name = command
    this.#child = spawn(command, [...args], { stdio: 'pipe', env: { ...process.env, ...env } })
    this.#ended = once(this.#child, 'close').then(
      () => {
        const { exitCode, signalCode } = this.#child
        if (!this.#isStopped && exitCode !== 0) this.#fault = `it ended with ${signalCode ?? `exit code ${exitCode}`}`
      },
      (error: Error) => (this.#fault = error.message),
    )
    createInterface({ input: this.#child.stdout as Readable }).on('line', onLine)
    const errors = this.#child.stderr as Readable
    errors.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_CHARS_MAX)
    })
    // Its end is told by 'close'.
    this.#stdin.on('error', () => {})
  }

  get fault(): string | undefined {
    return this.#fault === undefined ? undefined : `${this.#name}: ${this.#fault}: ${this.#errors.trim()}`
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  write(line: string): void {
    this.#stdin.write(`${line}\n`)
  }

  /** Nothing more is written. Resolves with its exit code; undefined when it was killed. */
  async finish(): Promise<number | undefined> {
    this.#stdin.end()
    await this.#ended
    return this.#child.exitCode ?? undefined
  }

  /** SIGTERM, and SIGKILL when that takes too long. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX)
    await this.#ended
    clearTimeout(timer)
  }

  get #stdin(): Writable {
    return this.#child.stdin as Writable
  }
}
