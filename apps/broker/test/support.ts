/** The `ternmq` command in processes of its own, for the tests of this folder. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'

import { Program } from './clients/program.ts'
import { PATIENCE_MS } from './patience.ts'

export const CLI: string = join(import.meta.dirname, '..', 'src', 'cli.ts')

const LOOK_EVERY_MS = 10

export interface Ready {
  readonly pid: number
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>
}

/** A directory of the test's own, gone after it. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export interface Ended {
  readonly code: number | null
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
}

/** Runs a command to its end. */
export async function ternmq(
  args: readonly string[],
  input?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const options = { env, ...(input === undefined ? {} : { input }) }
  await using program = Program.start(process.execPath, [CLI, ...args], options)
  const { code } = await program.ended()
  return { code, stdout: program.lines, stderr: program.errors }
}

export interface StartOptions {
  readonly dataDir?: string
  /** As after --set. Ports are 0 and only `mqtt` is enabled unless said otherwise here. */
  readonly settings?: readonly string[]
  readonly args?: readonly string[]
  readonly listeners?: readonly string[]
  readonly nodeArgs?: readonly string[]
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Started {
  readonly program: Program
  readonly ready: Ready
  readonly dataDir: string
  port(listener: string): number
}

/** A broker that accepts connections; killed after the test if it still runs. */
export async function start(options: StartOptions = {}): Promise<Started> {
  const dataDir = options.dataDir ?? join(newFolder(), 'data')
  const readyFile = join(newFolder(), 'ready.json')
  const program = launch({ ...options, dataDir, args: ['--ready-json', readyFile, ...(options.args ?? [])] })
  await until(`the ready file:\n${program.errors.join('\n')}`, () => {
    if (program.hasEnded) throw new Error(`the broker ended:\n${[...program.lines, ...program.errors].join('\n')}`)
    return existsSync(readyFile)
  })
  const ready = JSON.parse(readFileSync(readyFile, 'utf8')) as Ready
  return { program, ready, dataDir, port: (listener) => ready.listeners[listener]?.port ?? 0 }
}

/** A broker that may not come up; killed after the test if it runs. */
export function launch(options: StartOptions): Program {
  const { dataDir = join(newFolder(), 'data'), settings = [], args = [], listeners = ['mqtt'], nodeArgs = [] } = options
  const { env = {} } = options
  const defaults = ['mqtt', 'mqtts', 'stomp', 'stomps', 'amqp', 'amqps', 'ws', 'wss', 'any'].flatMap((name) => [
    `listeners.${name}.port=0`,
    `listeners.${name}.enabled=${listeners.includes(name)}`,
  ])
  const sets = [...defaults, 'console.port=0', ...settings].flatMap((set) => ['--set', set])
  const command = [...nodeArgs, CLI, 'start', '--data-dir', dataDir, ...args, ...sets]
  const program = Program.start(process.execPath, command, { env })
  onTestFinished(() => program.stop('SIGKILL'))
  return program
}

/** Waits until `find` is true. */
export async function until(what: string, find: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await find())) {
    if (performance.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms for ${what}`)
    await sleep(LOOK_EVERY_MS)
  }
}

/** A connected client, closed after the test. */
export async function client(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const connected = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5, ...options }, false)
  connected.on('error', () => {}) // each test looks at what matters to it
  onTestFinished(() => connected.endAsync(true))
  return connected
}

/** The payload of the next message that `receiver` gets. */
export function nextMessage(receiver: MqttClient): Promise<Buffer> {
  return new Promise((resolve) => {
    receiver.once('message', (_topic, payload) => resolve(payload))
  })
}

/** What the broker says to a client that it does not let in. */
export async function refusalOf(url: string, options: IClientOptions = {}): Promise<string> {
  try {
    await client(url, options)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'accepted'
}

/** Another program that listens, on a port of its own. */
export async function occupyPort(): Promise<number> {
  const server: Server = createServer()
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A plain connection that never closes its side; gone after the test. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {}) // cut off at the end of some tests
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve)
  })
  return socket
}
