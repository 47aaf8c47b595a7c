/** The package as somebody has it who installed it: in a folder outside the repository, with no more in the environment than a shell has. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { inject } from 'vitest'

import { makePackage, type Packed } from '../src/make-package.ts'

export const ROOT: string = join(import.meta.dirname, '..', '..', '..')
const LOCK = join(ROOT, 'tools', 'run', 'lock.mjs')
/** For the hook that makes it: built, and packages of others from a registry, on a machine that is busy with other things too. */
export const MAKE_MS_MAX = 600_000
/** Whatever takes longer hangs. */
const RUN_MS_MAX = 60_000
const LOOK_EVERY_MS = 20
/** Of this process's environment: where the machine's npm finds its registry, and programs their folders. */
const PASSED_ON =
  /^(?:HOME|LANG|TMPDIR|SystemRoot|NODE_EXTRA_CA_CERTS|npm_config_(?:userconfig|registry|cafile|cache)|https?_proxy|no_proxy)$/i

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Where it has been installed, in a folder that nobody writes to any more. */
interface Installation {
  readonly appFolder: string
  readonly packed: Packed
}

export class InstalledPackage implements Disposable {
  readonly folder: string
  readonly packed: Packed
  readonly env: Readonly<Record<string, string>>

  /** Builds, packs and installs it, once for all tests of a run: each has a copy of what npm has made. */
  static async make(): Promise<InstalledPackage> {
    const { withLock } = (await import(pathToFileURL(LOCK).href)) as {
      withLock<T>(file: string, body: () => Promise<T>): Promise<T>
    }
    const shared = join(inject('runFolder'), 'package')
    mkdirSync(shared, { recursive: true })
    return new InstalledPackage(await withLock(join(shared, 'lock'), () => installation(shared)))
  }

  private constructor({ appFolder, packed }: Installation) {
    const folder = mkdtempSync(join(tmpdir(), 'ternmq-package-'))
    this.folder = join(folder, 'app')
    this.packed = packed
    this.env = cleanEnv(join(folder, 'bin'))
    cpSync(appFolder, this.folder, { recursive: true, verbatimSymlinks: true })
  }

  /** To its end, in the folder. */
  run(command: string, args: readonly string[], timeoutMs: number = RUN_MS_MAX): Ran {
    return run(this.folder, this.env, command, args, timeoutMs)
  }

  /** Starts a broker on free ports and waits until it is ready, and has said so: its pipe may be slower than the ready file. */
  async start(command: readonly string[], options: StartOptions = {}): Promise<StartedBroker> {
    const readyFile = join(this.folder, 'ready.json')
    rmSync(readyFile, { force: true })
    const [program = '', ...args] = [...command, 'start', '--ready-json', readyFile, ...(options.args ?? FREE_PORTS)]
    const broker = new StartedBroker(
      spawn(program, args, {
        cwd: this.folder,
        env: { ...this.env, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    const endMs = performance.now() + RUN_MS_MAX
    while (!existsSync(readyFile) || !broker.lines.some((line) => line.includes('is ready'))) {
      if (broker.hasEnded || performance.now() > endMs) {
        await broker.kill()
        throw new Error(`the broker is not ready:\n${broker.lines.join('\n')}`)
      }
      await sleep(LOOK_EVERY_MS)
    }
    broker.ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready
    return broker
  }

  [Symbol.dispose](): void {
    rmSync(dirname(this.folder), { recursive: true, force: true })
  }
}

export interface StartOptions {
  /** In place of those that have every port chosen by the system. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const LISTENERS = ['mqtt', 'mqtts', 'stomp', 'stomps', 'amqp', 'amqps', 'ws', 'wss'] as const
export const FREE_PORTS: readonly string[] = [...LISTENERS.map((name) => `listeners.${name}`), 'console'].flatMap(
  (section) => ['--set', `${section}.port=0`],
)

interface Ready {
  readonly pid: number
  readonly listeners: Readonly<Record<(typeof LISTENERS)[number], { readonly port: number }>>
}

export class StartedBroker {
  /** What it said, on either output. */
  readonly lines: string[] = []
  ready: Ready | undefined = undefined
  readonly #process: ChildProcess
  readonly #ended: Promise<number | null>
  hasEnded = false

  constructor(child: ChildProcess) {
    this.#process = child
    for (const output of [child.stdout!, child.stderr!])
      createInterface({ input: output }).on('line', (line) => this.lines.push(line))
    this.#ended = new Promise((resolve) => {
      child.once('close', (code) => {
        this.hasEnded = true
        resolve(code)
      })
    })
  }

  port(listener: (typeof LISTENERS)[number]): number {
    return this.ready!.listeners[listener].port
  }

  /** Where the console is, as the log has it. */
  get consoleUrl(): string {
    const found = this.lines.map((line) => /the console is at (https?:\/\/[^"\s]+)/.exec(line)?.[1]).find(Boolean)
    if (found === undefined) throw new Error(`the log does not say where the console is:\n${this.lines.join('\n')}`)
    return found
  }

  /** SIGTERM to the broker itself, whatever started it. Resolves with the exit code of what was started. */
  stop(): Promise<number | null> {
    if (!this.hasEnded && this.ready !== undefined) process.kill(this.ready.pid, 'SIGTERM')
    return this.#ended
  }

  /** Resolves when nothing of it writes any more. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    if (!this.hasEnded && this.ready !== undefined) process.kill(this.ready.pid, 'SIGKILL')
    await this.#ended
  }
}

/** Makes it in the folder, unless that has been done. */
async function installation(folder: string): Promise<Installation> {
  const [appFolder, done] = [join(folder, 'app'), join(folder, 'installation.json')]
  if (existsSync(done)) return JSON.parse(readFileSync(done, 'utf8')) as Installation
  for (const left of ['app', 'bin']) rmSync(join(folder, left), { recursive: true, force: true })
  const packed = await makePackage(ROOT, join(folder, 'build'))
  mkdirSync(appFolder)
  writeFileSync(join(appFolder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n')
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', packed.file]
  const { code, stdout, stderr } = run(appFolder, cleanEnv(join(folder, 'bin')), 'npm', args, MAKE_MS_MAX)
  if (code !== 0) throw new Error(`npm install ended with ${code}:\n${stdout}${stderr}`)
  const made: Installation = { appFolder, packed }
  writeFileSync(done, JSON.stringify(made))
  return made
}

function run(
  cwd: string,
  env: Readonly<Record<string, string>>,
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Ran {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: timeoutMs })
  return { code: status, stdout, stderr }
}

/** Node 24 and npm in a folder of their own, and nothing of the repository. */
function cleanEnv(binFolder: string): Record<string, string> {
  mkdirSync(binFolder)
  symlinkSync(process.execPath, join(binFolder, 'node'))
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((each) => !each.includes('node_modules'))
  for (const tool of ['npm', 'npx']) {
    const folder = folders.find((each) => existsSync(join(each, tool)))
    if (folder === undefined) throw new Error(`there is no ${tool} in PATH`)
    symlinkSync(join(folder, tool), join(binFolder, tool))
  }
  const kept = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)) as [string, string][]
  // A newer npm would be told of at standard error, on the day that somebody releases it.
  const quiet = { npm_config_update_notifier: 'false' }
  return { ...Object.fromEntries(kept), ...quiet, PATH: [binFolder, '/usr/bin', '/bin'].join(delimiter) }
}
