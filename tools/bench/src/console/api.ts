/** The admin API of a broker that a benchmark runs, and the time that calls take. */
import type { Call, Route } from '@ternmq/api'
import { ApiClient, type CallInput } from '@ternmq/api/client'
import { type HttpTransport, httpTransport } from '@ternmq/api/client-http'
import type { BrokerProcess } from '@ternmq/lab'
import { join } from 'node:path'

export interface Times {
  readonly medianMs: number
  readonly slowestMs: number
}

export class BenchApi implements Disposable {
  readonly client: ApiClient
  readonly #transport: HttpTransport

  constructor(broker: BrokerProcess) {
    this.#transport = httpTransport({ socketPath: join(broker.dataDir, 'admin.sock') })
    this.client = new ApiClient({ transport: this.#transport.send })
  }

  /** One call after another. */
  async time<C extends Call>(route: Route<C>, input: CallInput<C>, count: number): Promise<Times> {
    const times: number[] = []
    for (let done = 0; done < count; done++) {
      const startMs = performance.now()
      await this.client.call(route, input)
      times.push(performance.now() - startMs)
    }
    times.sort((a, b) => a - b)
    return { medianMs: times[Math.floor(count / 2)]!, slowestMs: times.at(-1)! }
  }

  /** Text for Prometheus. */
  async metrics(): Promise<string> {
    const { body } = await this.#transport.send({ method: 'GET', path: '/metrics', headers: {} })
    let text = ''
    for await (const chunk of body) text += Buffer.from(chunk).toString('utf8')
    return text
  }

  [Symbol.dispose](): void {
    this.#transport.close()
  }
}
