/**
 * A broker as its users run it: the `ternmq` command in a process of its own, on free ports of the loopback address, with a
 * data directory that goes when it stops.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { ROOT } from './pages.ts'

const CLI = join(ROOT, 'apps', 'broker', 'src', 'cli.ts')
const LISTENERS = ['mqtt', 'mqtts', 'ws', 'wss'] as const
type ListenerName = (typeof LISTENERS)[number]

const START_MS_MAX = 30_000
const STOP_MS_MAX = 15_000
const LOOK_EVERY_MS = 20
/** Of the broker's log, in an error. */
const LOG_CHARS_SHOWN = 2_000

export interface BrokerProcessOptions {
  /** Listeners to open, each on a free port or on the one given. Default: mqtt alone. */
  readonly listeners?: Partial<Record<ListenerName, number>>
  /** The rest of the configuration; default: everything at its default. */
  readonly config?: Readonly<Record<string, unknown>>
}

interface ReadyFile {
  readonly pid: number
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>
}

export class BrokerProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #ready: ReadyFile
  #stopped: Promise<void> | undefined = undefined
  readonly #onExit: () => void

  /** Resolves once every listener accepts. Throws an Error with the end of the broker's log. */
  static async start(options: BrokerProcessOptions = {}): Promise<BrokerProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'ternmq-lab-'))
    const readyFile = join(folder, 'ready.json')
    const logFile = join(folder, 'broker.log')
    writeFileSync(join(folder, 'config.json'), JSON.stringify(configOf(options)))
    const args = ['start', '--config', join(folder, 'config.json'), '--data-dir', join(folder, 'data')]
    const log = openSync(logFile, 'w')
    // Settings come from the options alone.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TERNMQ_')))
    const command = [CLI, ...args, '--ready-json', readyFile]
    const child = spawn(process.execPath, command, { env, stdio: ['ignore', log, log] })
    closeSync(log)
    try {
      return new BrokerProcess(child, folder, await untilReady(child, readyFile))
    } catch (cause) {
      child.kill('SIGKILL')
      const said = existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-LOG_CHARS_SHOWN) : ''
      rmSync(folder, { recursive: true, force: true })
      throw new Error(`the broker did not start: ${(cause as Error).message}\n${said}`, { cause })
    }
  }

  private constructor(child: ChildProcess, folder: string, ready: ReadyFile) {
    this.#child = child
    this.#folder = folder
    this.#ready = ready
    // A tool that dies must not leave its broker behind.
    this.#onExit = () => {
      child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
    process.once('exit', this.#onExit)
  }

  get pid(): number {
    return this.#ready.pid
  }

  port(listener: ListenerName = 'mqtt'): number {
    const bound = this.#ready.listeners[listener]
    if (bound === undefined)
      throw new Error(`the broker has no listener '${listener}'; ask for it in options.listeners`)
    return bound.port
  }

  /** What the broker has logged so far. */
  log(): string {
    return readFileSync(join(this.#folder, 'broker.log'), 'utf8')
  }

  /** SIGTERM; SIGKILL when that takes too long, and then it throws. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    const child = this.#child
    let late = false
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => {
        late = true
        child.kill('SIGKILL')
      }, STOP_MS_MAX)
      await ended
      clearTimeout(timer)
    }
    process.removeListener('exit', this.#onExit)
    rmSync(this.#folder, { recursive: true, force: true })
    if (late) throw new Error(`the broker (pid ${this.pid}) did not stop within ${STOP_MS_MAX} ms of SIGTERM`)
  }
}

function configOf({ listeners = { mqtt: 0 }, config = {} }: BrokerProcessOptions): Record<string, unknown> {
  const chosen = LISTENERS.map((name) => {
    const port = listeners[name]
    return [name, port === undefined ? { enabled: false } : { host: '127.0.0.1', port }] as const
  })
  return { ...config, listeners: Object.fromEntries(chosen) }
}

async function untilReady(child: ChildProcess, readyFile: string): Promise<ReadyFile> {
  let failure: string | undefined
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure = `it ended with ${signal ?? `exit code ${code}`}`))
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += LOOK_EVERY_MS) {
    if (existsSync(readyFile)) return JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile
    if (failure !== undefined) throw new Error(failure)
    await wait(LOOK_EVERY_MS)
  }
  throw new Error(`it was not ready within ${START_MS_MAX} ms`)
}
