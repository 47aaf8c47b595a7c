/** Somebody who administers a broker with the `ternmq` command: on its machine, and from elsewhere. */
import { connectAsync, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'

import { type Ended, start, type Started, type StartOptions, ternmq } from '../support.ts'

export const ADMIN_PASSWORD = 'correct horse'

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
    return ternmq([...args, '--data-dir', this.broker.dataDir])
  }

  /** The same with something at standard input. */
  runWith(input: string, ...args: readonly string[]): Promise<Ended> {
    return ternmq([...args, '--data-dir', this.broker.dataDir], input)
  }

  /** From elsewhere, with name and password. */
  runRemotely(...args: readonly string[]): Promise<Ended> {
    const login = ['--url', this.url, '--user', 'admin', '--password-stdin']
    return ternmq([...args, ...login], ADMIN_PASSWORD)
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
