/**
 * A broker as its users run it: the `ternmq` command in a process of its own, on free ports of the loopback address, with a
 * data directory that goes when it stops. It can be killed and started again on the same ports and directory.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { ROOT } from './pages.ts'

const CLI = join(ROOT, 'apps', 'broker', 'src', 'cli.ts')
const LISTENERS = ['mqtt', 'mqtts', 'ws', 'wss', 'stomp', 'stomps', 'amqp', 'amqps'] as const
type ListenerName = (typeof LISTENERS)[number]

const START_MS_MAX = 60_000
const STOP_MS_MAX = 60_000
const LOOK_EVERY_MS = 20
/** Of the broker's log, in an error. */
const LOG_CHARS_SHOWN = 2_000

export interface BrokerProcessOptions {
  /** Listeners to open, each on a free port or on the one given. Default: mqtt alone. */
  readonly listeners?: Partial<Record<ListenerName, number>>
  /** The rest of the configuration, `listeners` for what else the open ones have; default: everything at its default. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Holds the folder of the broker; default: the system's for temporary files. */
  readonly parent?: string
}

interface ReadyFile {
  readonly pid: number
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>
}

export class BrokerProcess implements AsyncDisposable {
  readonly #options: BrokerProcessOptions
  /** Has data/, config.json, ready.json and broker.log. */
  readonly folder: string
  #child: ChildProcess
  #ready: ReadyFile
  #stopped: Promise<void> | undefined = undefined
  #isKept = false
  readonly #onExit: () => void

  /** Resolves once every listener accepts. Throws an Error with the end of the broker's log. */
  static async start(options: BrokerProcessOptions = {}): Promise<BrokerProcess> {
    const folder = mkdtempSync(join(options.parent ?? tmpdir(), 'ternmq-lab-'))
    try {
      const { child, ready } = await launch(folder, options)
      return new BrokerProcess(options, folder, child, ready)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(options: BrokerProcessOptions, folder: string, child: ChildProcess, ready: ReadyFile) {
    this.#options = options
    this.folder = folder
    this.#child = child
    this.#ready = ready
    // A tool that dies must not leave its broker behind.
    this.#onExit = () => {
      this.#child.kill('SIGKILL')
      this.#remove()
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

  /** Of its console, without a slash at the end. Throws when the configuration has none. */
  get consoleUrl(): string {
    const told = /the console is at (https?:[^"\s]+)/.exec(this.log())?.[1]
    if (told === undefined) throw new Error('the broker has no console; leave console.enabled as it is')
    return told.replace(/\/$/, '')
  }

  get dataDir(): string {
    return join(this.folder, 'data')
  }

  /** What the broker has logged so far, in all its lives. */
  log(): string {
    return readFileSync(join(this.folder, 'broker.log'), 'utf8')
  }

  /** SIGKILL, and waits for the end: nothing more is written or sent. `startAgain` follows, or `stop`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM, and waits for the end; the data directory stays. `startAgain` follows, or `stop`. */
  async pause(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** After `kill` or `pause`: on the same ports and data directory. Returns ms until every listener accepts. */
  async startAgain(): Promise<number> {
    const startedMs = performance.now()
    const ports = Object.entries(this.#ready.listeners).map(([name, { port }]) => [name, port] as const)
    const options = { ...this.#options, listeners: Object.fromEntries(ports) }
    const { child, ready } = await launch(this.folder, options)
    this.#child = child
    this.#ready = ready
    return performance.now() - startedMs
  }

  /** The folder with data and log outlives `stop`: somebody wants to look at it. */
  keep(): void {
    this.#isKept = true
  }

  /** SIGTERM; SIGKILL when that takes too long, and then it throws. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    try {
      await this.#end('SIGTERM')
    } finally {
      process.removeListener('exit', this.#onExit)
      this.#remove()
    }
  }

  /** Throws when SIGKILL had to follow. */
  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    let late = false
    const ended = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, STOP_MS_MAX)
    await ended
    clearTimeout(timer)
    if (late) throw new Error(`the broker (pid ${this.pid}) did not stop within ${STOP_MS_MAX} ms of ${signal}`)
  }

  #remove(): void {
    if (!this.#isKept) rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Throws with the end of the log when it does not come up; no process is left then. */
async function launch(
  folder: string,
  options: BrokerProcessOptions,
): Promise<{ child: ChildProcess; ready: ReadyFile }> {
  const readyFile = join(folder, 'ready.json')
  const logFile = join(folder, 'broker.log')
  const configFile = join(folder, 'config.json')
  rmSync(readyFile, { force: true })
  writeFileSync(configFile, JSON.stringify(configOf(options)))
  const args = ['start', '--config', configFile, '--data-dir', join(folder, 'data'), '--ready-json', readyFile]
  const log = openSync(logFile, 'a')
  // Settings come from the options alone.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TERNMQ_')))
  const child = spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', log, log] })
  closeSync(log)
  try {
    return { child, ready: await untilReady(child, readyFile) }
  } catch (cause) {
    child.kill('SIGKILL')
    const said = readFileSync(logFile, 'utf8').slice(-LOG_CHARS_SHOWN)
    throw new Error(`the broker did not start: ${(cause as Error).message}\n${said}`, { cause })
  }
}

function configOf({ listeners = { mqtt: 0 }, config = {} }: BrokerProcessOptions): Record<string, unknown> {
  const more = (config['listeners'] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const chosen = LISTENERS.map((name) => {
    const port = listeners[name]
    return [name, port === undefined ? { enabled: false } : { ...more[name], host: '127.0.0.1', port }] as const
  })
  return { console: { port: 0 }, ...config, listeners: Object.fromEntries(chosen) }
}

async function untilReady(child: ChildProcess, readyFile: string): Promise<ReadyFile> {
  let failure: string | undefined
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure = `it ended with ${signal ?? `exit code ${code}`}`))
  for (const endMs = performance.now() + START_MS_MAX; performance.now() < endMs;) {
    if (existsSync(readyFile)) return JSON.parse(readFileSync(readyFile, 'utf8')) as ReadyFile
    if (failure !== undefined) throw new Error(failure)
    await wait(LOOK_EVERY_MS)
  }
  throw new Error(`it was not ready within ${START_MS_MAX} ms`)
}
