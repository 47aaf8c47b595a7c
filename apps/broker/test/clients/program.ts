/** A program in a process of its own: its output as lines to wait for, and an end that is certain. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

import { PATIENCE_MS } from '../patience.ts'

/** SIGKILL follows for a program that does not heed the first signal. */
const STOP_MS_MAX = 30_000
/** A program that writes more runs wild: it is killed. */
const LINES_MAX = 20_000

export interface ProgramOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Standard input; none when left out. */
  readonly input?: string
  /** Its children die with it: the signal goes to its whole process group. */
  readonly group?: boolean
  /** Longest wait for a line and for its end, in ms. */
  readonly waitMs?: number
}

/** A test run that is broken off, or a test that forgets, must not leave programs behind. */
const running = new Set<Program>()

function killRunning(): void {
  for (const program of running) program.signal('SIGKILL')
}

process.once('exit', killRunning)
// How vitest ends the process of a test file, even when all is well.
process.once('SIGTERM', () => {
  killRunning()
  process.kill(process.pid, 'SIGTERM')
})

interface Waiter {
  readonly looksFor: string
  readonly check: () => void
  readonly fail: (why: string) => void
}

export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Program implements AsyncDisposable {
  /** Standard output so far. */
  readonly lines: string[] = []
  /** Standard error so far. */
  readonly errors: string[] = []
  readonly #name: string
  readonly #child: ChildProcess
  readonly #group: boolean
  readonly #waitMs: number
  readonly #waiters = new Set<Waiter>()
  #end: End | undefined = undefined
  #failure: string | undefined = undefined

  static start(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
    return new Program(command, args, options)
  }

  /** Runs it to its end. Standard output as lines; throws with all it said unless it ended with 0. */
  static async run(command: string, args: readonly string[], options: ProgramOptions = {}): Promise<string[]> {
    await using program = new Program(command, args, options)
    const { code, signal } = await program.ended()
    if (code !== 0)
      throw new Error(`${program.#describe()} ended with ${signal ?? `exit code ${code}`}${program.#said()}`)
    return program.lines
  }

  private constructor(command: string, args: readonly string[], options: ProgramOptions) {
    const { env = {}, cwd, input, group = false, waitMs = PATIENCE_MS } = options
    this.#name = [command, ...args].join(' ')
    this.#group = group
    this.#waitMs = waitMs
    this.#child = spawn(command, [...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: group,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    this.#child.stdin?.end(input)
    this.#child.once('error', (error) => (this.#failure = error.message))
    this.#child.once('close', (code, signal) => {
      running.delete(this)
      this.#end = { code, signal }
      this.#look()
    })
    this.#read(this.#child.stdout as Readable, this.lines)
    this.#read(this.#child.stderr as Readable, this.errors)
    running.add(this)
  }

  get hasEnded(): boolean {
    return this.#end !== undefined
  }

  /** The line, or the `nth` of its kind, from either output. Rejects with all it said when it does not come. */
  untilLine(pattern: string | RegExp, nth = 1): Promise<string> {
    const fits = (line: string): boolean => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line))
    const looksFor = `${nth} × ${String(pattern)}`
    return this.#until(looksFor, () => [...this.lines, ...this.errors].filter(fits)[nth - 1])
  }

  ended(): Promise<End> {
    return this.#until('its end', () => this.#end)
  }

  /** Sends the signal and waits for the end; SIGKILL follows. Nothing happens when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#end !== undefined) return
    const timer = setTimeout(() => this.signal('SIGKILL'), STOP_MS_MAX)
    this.signal(signal)
    await this.ended()
    clearTimeout(timer)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop('SIGKILL')
  }

  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (pid === undefined) return
    try {
      process.kill(this.#group ? -pid : pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it ended by itself
    }
  }

  #read(stream: Readable, into: string[]): void {
    createInterface({ input: stream }).on('line', (line) => {
      into.push(line)
      if (into.length > LINES_MAX) this.signal('SIGKILL')
      this.#look()
    })
  }

  #look(): void {
    for (const waiter of this.#waiters) waiter.check()
    if (this.#end === undefined) return
    for (const { fail, looksFor } of this.#waiters) fail(`ended before ${looksFor}`)
  }

  #until<T>(looksFor: string, find: () => T | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const done = (finish: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        finish()
      }
      const check = (): void => {
        const found = find()
        if (found !== undefined) done(() => resolve(found))
      }
      const fail = (why: string): void => {
        done(() => reject(new Error(`${this.#describe()} ${why}${this.#said()}`)))
      }
      const waiter = { looksFor, check, fail }
      const timer = setTimeout(() => fail(`has not come to ${looksFor} within ${this.#waitMs} ms`), this.#waitMs)
      this.#waiters.add(waiter)
      check()
      if (this.#end !== undefined && this.#waiters.has(waiter)) fail(`ended before ${looksFor}`)
    })
  }

  #describe(): string {
    return `\`${this.#name}\``
  }

  #said(): string {
    const failure = this.#failure === undefined ? [] : [this.#failure]
    return `; it said:\n${[...failure, ...this.lines, ...this.errors].join('\n')}`
  }
}
