/**
 * Clients of others, each a program of its own: mosquitto_sub and mosquitto_pub, and paho for Python. Their output comes when it
 * comes, so nobody knows in which life of the broker they saw something.
 */
import { join } from 'node:path'

import type { LoadClient } from './client.ts'
import { LineProgram } from './line-program.ts'
import { bodyOf, type Load, type QoS } from './load.ts'

/** Debian's own: a Python from elsewhere does not see Debian's modules. */
const PYTHON = '/usr/bin/python3'
const PAHO = join(import.meta.dirname, 'paho-load.py')
const BACK_MS_MAX = 60_000
/** Between the bodies of mosquitto_pub: many come in one life, and some are under way when it ends. */
const LINE_EVERY_MS = 5

abstract class ForeignClient implements LoadClient {
  protected load: Load | undefined = undefined
  protected isPaused = true

  abstract readonly fault: string | undefined
  abstract back(): Promise<void>
  abstract [Symbol.asyncDispose](): Promise<void>

  use(load: Load): void {
    this.load = load
  }

  async gone(): Promise<void> {
    // Cannot be known.
  }

  async flush(): Promise<void> {
    // Cannot be known.
  }

  forgiveEnd(): void {
    // Nothing was noted.
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused
  }
}

export interface ForeignConsumerOptions {
  readonly port: number
  readonly clientId: string
  readonly filter: string
  readonly queue: string
  readonly qos: QoS
}

/** mosquitto_sub with a session that stays; it connects again by itself, a second after its connection ended. */
export class MosquittoConsumer extends ForeignClient {
  readonly #program: LineProgram
  readonly #subscribed: Promise<void>

  constructor({ port, clientId, filter, queue, qos }: ForeignConsumerOptions) {
    super()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#subscribed = promise
    const at = ['-h', '127.0.0.1', '-p', String(port), '-V', 'mqttv311', '-i', clientId, '-c']
    const args = [...at, '-q', String(qos), '-t', filter, '-F', 'body %q %p', '-d']
    this.#program = new LineProgram('stdbuf', ['-oL', 'mosquitto_sub', ...args], (line) => {
      if (line.startsWith('Subscribed (')) resolve()
      // The first line of a body; the others are filler.
      const [, received, id] = /^body ([12]) (\S+)$/.exec(line) ?? []
      if (id !== undefined) this.load?.takenElsewhere(queue, id, clientId, received === '2' ? 2 : 1)
    })
  }

  get fault(): string | undefined {
    return this.#program.fault
  }

  back(): Promise<void> {
    return within(this.#subscribed, () => `mosquitto_sub has no SUBACK (${this.fault ?? 'it runs'})`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }
}

export interface ForeignPublisherOptions {
  readonly port: number
  readonly clientId: string
  readonly topic: string
  readonly queues: readonly string[]
  readonly qos: QoS
  readonly window: number
}

/** One mosquitto_pub after the other, each with a few lines: all are confirmed when it ends with 0, none when it does not. */
export class MosquittoPublisher extends ForeignClient {
  readonly fault = undefined
  readonly #options: ForeignPublisherOptions
  #number = 0
  #running: { readonly program: LineProgram; readonly ended: Promise<void> } | undefined = undefined

  constructor(options: ForeignPublisherOptions) {
    super()
    this.#options = options
  }

  async back(): Promise<void> {
    this.#start()
  }

  override pause(isPaused: boolean): void {
    super.pause(isPaused)
    this.#start()
  }

  /** It would wait for the broker and send again what it had in hand: that is another client's part. */
  override async gone(): Promise<void> {
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.program[Symbol.asyncDispose]()
    await this.#running?.ended
  }

  #start(): void {
    if (this.isPaused || this.#running !== undefined) return
    const { port, clientId, qos, topic } = this.#options
    const args = [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-V',
      'mqttv311',
      '-i',
      clientId,
      '-q',
      String(qos),
      '-t',
      topic,
    ]
    const program = new LineProgram('mosquitto_pub', [...args, '-l'], () => {})
    this.#running = { program, ended: this.#feed(program) }
  }

  async #feed(program: LineProgram): Promise<void> {
    const { clientId, queues, qos, window } = this.#options
    const ids: string[] = []
    for (let count = 0; count < window; count++) {
      const id = `${clientId}-${++this.#number}`
      ids.push(id)
      this.load?.sent({ id, producer: clientId, qos, queues })
      program.write(id)
      await new Promise((resolve) => setTimeout(resolve, LINE_EVERY_MS))
    }
    const code = await program.finish()
    for (const id of ids) {
      if (code === 0) this.load?.confirmed(id)
      else this.load?.abandoned(id)
    }
    this.#running = undefined
    if (code === 0) this.#start()
  }
}

/** paho for Python: connects again by itself, and sends again what has no answer. */
export class PahoClient extends ForeignClient {
  readonly #publisher: ForeignPublisherOptions
  readonly #program: LineProgram
  readonly #subscribed: Promise<void>
  #inflight = 0
  #number = 0

  constructor(publisher: ForeignPublisherOptions, consumer: ForeignConsumerOptions) {
    super()
    this.#publisher = publisher
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#subscribed = promise
    const onLine = (line: string): void => {
      const [word, id = '', received] = line.split(' ')
      if (word === 'subscribed') resolve()
      if (word === 'got') this.load?.takenElsewhere(consumer.queue, id, consumer.clientId, received === '2' ? 2 : 1)
      if (word === 'acknowledged') {
        this.#inflight--
        this.load?.confirmed(id)
        this.#fill()
      }
    }
    this.#program = new LineProgram(PYTHON, [PAHO], onLine, {
      MQTT_PORT: String(consumer.port),
      PUBLISHER_ID: publisher.clientId,
      PUBLISHER_TOPIC: publisher.topic,
      PUBLISHER_QOS: String(publisher.qos),
      CONSUMER_ID: consumer.clientId,
      CONSUMER_FILTER: consumer.filter,
      CONSUMER_QOS: String(consumer.qos),
      PYTHONDONTWRITEBYTECODE: '1',
    })
  }

  get fault(): string | undefined {
    return this.#program.fault
  }

  back(): Promise<void> {
    return within(this.#subscribed, () => `paho has no SUBACK (${this.fault ?? 'it runs'})`)
  }

  override pause(isPaused: boolean): void {
    super.pause(isPaused)
    this.#fill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }

  #fill(): void {
    const { clientId, queues, qos, window } = this.#publisher
    while (!this.isPaused && this.#inflight < window) {
      const id = `${clientId}-${++this.#number}`
      this.#inflight++
      this.load?.sent({ id, producer: clientId, qos, queues })
      this.#program.write(`${id} ${bodyOf(id).length}`)
    }
  }
}

async function within(promise: Promise<void>, what: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined = undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what()} after ${BACK_MS_MAX} ms`)), BACK_MS_MAX)
  })
  try {
    await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
