/**
 * A broker as its users run it: `ternmq start` in a process of its own, on free ports of the loopback address, with a data
 * directory that goes when the test is over.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { PATIENCE_MS } from '../patience.ts'
import { Program } from './program.ts'

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts')

/** Those that speak MQTT. */
export const LISTENERS = ['mqtt', 'mqtts', 'ws', 'wss'] as const
export type ListenerName = (typeof LISTENERS)[number]
export const STOMP_LISTENERS = ['stomp', 'stomps', 'ws', 'wss'] as const
export type StompListenerName = (typeof STOMP_LISTENERS)[number]
export const AMQP_LISTENERS = ['amqp', 'amqps', 'ws', 'wss'] as const
export type AmqpListenerName = (typeof AMQP_LISTENERS)[number]
type AnyListenerName = ListenerName | StompListenerName | AmqpListenerName
type Ports = Readonly<Record<AnyListenerName, number>>

const ANY_PORTS: Ports = { mqtt: 0, mqtts: 0, stomp: 0, stomps: 0, amqp: 0, amqps: 0, ws: 0, wss: 0 }
const NAMES = Object.keys(ANY_PORTS) as readonly AnyListenerName[]
const LOOK_EVERY_MS = 20

interface ReadyFile {
  readonly pid: number
  readonly listeners: Readonly<Record<AnyListenerName, { readonly host: string; readonly port: number }>>
}

export class RunningBroker implements AsyncDisposable {
  readonly #folder: string
  readonly #settings: readonly string[]
  #process: Program
  #ports: Ports

  /** `settings` as after --set: 'mqtt.maxQos=1'. */
  static async start(...settings: readonly string[]): Promise<RunningBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'ternmq-clients-'))
    const broker = new RunningBroker(folder, settings, launch(folder, settings, ANY_PORTS))
    try {
      broker.#ports = await untilReady(broker.#process, folder)
      return broker
    } catch (error) {
      await broker.stop()
      throw error
    }
  }

  private constructor(folder: string, settings: readonly string[], program: Program) {
    this.#folder = folder
    this.#settings = settings
    this.#process = program
    this.#ports = ANY_PORTS
  }

  port(listener: AnyListenerName): number {
    return this.#ports[listener]
  }

  /** The development certificate names localhost. */
  url(listener: AnyListenerName): string {
    return `${listener}://localhost:${this.port(listener)}`
  }

  /** The authority that the broker made at its start, for clients over TLS. */
  get caFile(): string {
    return join(this.#folder, 'data', 'certificates', 'ca.pem')
  }

  get certificateFile(): string {
    return join(this.#folder, 'data', 'certificates', 'server.pem')
  }

  /** By the command, as an operator would. */
  async addUser(name: string, password: string): Promise<void> {
    const args = [CLI, 'users', 'add', name, '--password-stdin', '--data-dir', join(this.#folder, 'data')]
    await Program.run(process.execPath, args, { input: password })
  }

  /** What happens to a machine that loses power: nothing more is written or sent. */
  kill(): Promise<void> {
    return this.#process.stop('SIGKILL')
  }

  /** After `kill`, on the same ports and data directory. */
  async startAgain(): Promise<void> {
    rmSync(readyFileIn(this.#folder), { force: true })
    this.#process = launch(this.#folder, this.#settings, this.#ports)
    await untilReady(this.#process, this.#folder)
  }

  /** SIGTERM, and away with the data directory. Throws when it did not end well. */
  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM')
    rmSync(this.#folder, { recursive: true, force: true })
    const { code, signal } = await this.#process.ended()
    if (code !== 0) throw new Error(`the broker ended with ${signal ?? code}:\n${saidBy(this.#process)}`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** A line of its log, which may come later than what a client is told of the same. */
  untilLogged(pattern: string | RegExp): Promise<string> {
    return this.#process.untilLine(pattern)
  }
}

function saidBy({ lines, errors }: Program): string {
  return [...lines, ...errors].join('\n')
}

function readyFileIn(folder: string): string {
  return join(folder, 'ready.json')
}

function launch(folder: string, settings: readonly string[], ports: Ports): Program {
  const sets = [...NAMES.map((name) => `listeners.${name}.port=${ports[name]}`), 'console.port=0', ...settings]
  const args = ['--data-dir', join(folder, 'data'), '--ready-json', readyFileIn(folder)]
  return Program.start(process.execPath, [CLI, 'start', ...args, ...sets.flatMap((set) => ['--set', set])])
}

async function untilReady(program: Program, folder: string): Promise<Ports> {
  const endMs = performance.now() + PATIENCE_MS
  while (!existsSync(readyFileIn(folder))) {
    if (program.hasEnded || performance.now() > endMs) {
      throw new Error(`the broker is not ready:\n${saidBy(program)}`)
    }
    await sleep(LOOK_EVERY_MS)
  }
  const { listeners } = JSON.parse(readFileSync(readyFileIn(folder), 'utf8')) as ReadyFile
  return Object.fromEntries(NAMES.map((name) => [name, listeners[name].port])) as Ports
}
