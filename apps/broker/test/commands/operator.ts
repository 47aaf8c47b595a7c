/**
 * Somebody who administers a broker with the `ternmq` command: on its machine, and from elsewhere. The broker is a process of its own;
 * commands run in this one, since each process takes longer to start than all that it does.
 */
import { Readable } from 'node:stream'
import { connectAsync, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'

import { runCommand } from '../../src/cli/main.ts'
import { OutputLost } from '../../src/cli/standard-output.ts'
import type { ConsoleIo } from '../../src/process/console-io.ts'
import { type Ended, start, type Started, type StartOptions } from '../support.ts'

export const ADMIN_PASSWORD = 'correct horse'

/** A command with `input` at its standard input, where there is no terminal. */
export async function runHere(
  args: readonly string[],
  input: string = '',
  env: Readonly<Record<string, string>> = {},
  stdout: Output = new Output(),
): Promise<Ended> {
  const stderr = new Output()
  const stdin = Object.assign(Readable.from([Buffer.from(input)]), { isTTY: false }) as unknown as ConsoleIo['stdin']
  const started = { command: 'ternmq', options: '', sets: '' }
  const code = await runCommand(args, { stdin, stdout, stderr, env, started })
  return { code, stdout: stdout.lines, stderr: stderr.lines }
}

/** Where a command prints. With a failure it is a disk that is full, or a reader who has left. */
class Output {
  readonly #chunks: Buffer[] = []
  readonly #failure: Error | undefined

  constructor(failure?: Error) {
    this.#failure = failure
  }

  write(text: string | Uint8Array): void {
    this.#chunks.push(Buffer.from(text as string))
  }

  written(): Promise<void> {
    return this.#failure === undefined ? Promise.resolve() : Promise.reject(new OutputLost(this.#failure))
  }

  get lines(): readonly string[] {
    const text = Buffer.concat(this.#chunks).toString()
    const lines = text.split('\n')
    return text === '' || text.endsWith('\n') ? lines.slice(0, -1) : lines
  }
}

export class Operator {
  readonly broker: Started
  /** Of its console. */
  readonly url: string

  /** With a broker that has the user `admin`. */
  static async start(options: StartOptions = {}): Promise<Operator> {
    const broker = await start({ ...options, env: { TERNMQ_ADMIN_PASSWORD: ADMIN_PASSWORD, ...options.env } })
    const line = await broker.program.untilLine('the console is at ')
    const { msg } = JSON.parse(line) as { readonly msg: string }
    return new Operator(broker, msg.replace('the console is at ', ''))
  }

  private constructor(broker: Started, url: string) {
    this.broker = broker
    this.url = url
  }

  /** On the machine of the broker. */
  run(...args: readonly string[]): Promise<Ended> {
    return runHere([...args, '--data-dir', this.broker.dataDir])
  }

  /** The same with something at standard input. */
  runWith(input: string, ...args: readonly string[]): Promise<Ended> {
    return runHere([...args, '--data-dir', this.broker.dataDir], input)
  }

  /** The same where what it prints does not arrive. */
  runIntoNothing(failure: Error, ...args: readonly string[]): Promise<Ended> {
    return runHere([...args, '--data-dir', this.broker.dataDir], '', {}, new Output(failure))
  }

  /** From elsewhere, with name and password. */
  runRemotely(...args: readonly string[]): Promise<Ended> {
    const login = ['--url', this.url, '--user', 'admin', '--password-stdin']
    return runHere([...args, ...login], ADMIN_PASSWORD)
  }

  /** One JSON document of a command that must succeed. */
  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse((await this.lines(...args, '--json')).join('\n')) as T
  }

  /** JSON of each line of a command that must succeed. */
  async jsonLines<T>(...args: readonly string[]): Promise<T[]> {
    return (await this.lines(...args, '--json')).map((line) => JSON.parse(line) as T)
  }

  /** What a command prints that must succeed. */
  async lines(...args: readonly string[]): Promise<readonly string[]> {
    const { code, stdout, stderr } = await this.run(...args)
    if (code !== 0) throw new Error(`\`${args.join(' ')}\` ended with ${code}: ${stderr.join('\n')}`)
    return stdout
  }

  /** A client of the broker, closed after the test. */
  async client(clientId: string = 'tester'): Promise<MqttClient> {
    const url = `mqtt://127.0.0.1:${this.broker.port('mqtt')}`
    const connected = await connectAsync(url, { clientId, reconnectPeriod: 0, protocolVersion: 5 }, false)
    connected.on('error', () => {}) // each test looks at what matters to it
    onTestFinished(() => connected.endAsync(true))
    return connected
  }

  /** Puts messages into queues, each as safe as its queue is. */
  async put(messages: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const publisher = await this.client('filler')
    for (const [queue, bodies] of Object.entries(messages)) {
      for (const body of bodies) await publisher.publishAsync(`$queue/${queue}`, body, { qos: 1 })
    }
    await publisher.endAsync()
  }
}

/** Cells of a table, its titles among them. */
export function cellsOf(lines: readonly string[]): string[][] {
  return lines.map((line) => line.split(/ {2,}/))
}
