/**
 * Our broker for compare.py: one process at a time, always on the port of the first. compare.py restarts it by a command; the
 * command asks here, so that every process is a child of this one and none is left behind.
 */
import { BrokerProcess } from '@ternmq/lab'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type ListenerName = 'mqtt' | 'stomp' | 'amqp'

export class RestartableBroker implements AsyncDisposable {
  readonly #listener: ListenerName
  #broker: BrokerProcess
  readonly port: number
  readonly #folder: string
  readonly #server: Server

  /** Listens for one protocol only. */
  static async start(listener: ListenerName): Promise<RestartableBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'ternmq-bench-'))
    const restartable = new RestartableBroker(
      listener,
      await BrokerProcess.start({ listeners: { [listener]: 0 } }),
      folder,
    )
    restartable.#server.listen(restartable.#socketPath)
    await once(restartable.#server, 'listening')
    return restartable
  }

  private constructor(listener: ListenerName, broker: BrokerProcess, folder: string) {
    this.#listener = listener
    this.#broker = broker
    this.port = broker.port(listener)
    this.#folder = folder
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      void this.#restart().then(
        (pid) => socket.end(`${JSON.stringify({ pid })}\n`),
        (error: Error) => socket.end(`${error.message}\n`),
      )
    })
  }

  get pid(): number {
    return this.#broker.pid
  }

  /** For a shell: starts a fresh broker in place of the present one and prints its pid as JSON. */
  get restartCommand(): string {
    const program = join(import.meta.dirname, 'restart-broker.ts')
    return [process.execPath, program, this.#socketPath].map((part) => `'${part}'`).join(' ')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    await this.#broker.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #socketPath(): string {
    return join(this.#folder, 'restart.sock')
  }

  async #restart(): Promise<number> {
    await this.#broker.stop()
    this.#broker = await BrokerProcess.start({ listeners: { [this.#listener]: this.port } })
    return this.#broker.pid
  }
}
