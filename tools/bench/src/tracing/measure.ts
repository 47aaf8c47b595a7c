/** CPU of brokers per message, with tracing and without, in pairs of rounds that follow one another; a collector takes what comes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BrokerProcess } from '@ternmq/lab'

import { type Difference, medianDifference } from '../console/statistics.ts'
import { median } from '../loadgen/results.ts'
import { Traffic } from '../traffic.ts'

export interface Load {
  readonly what: string
  readonly sampleRatio: number
  /** Infinity: as many as the broker takes. */
  readonly messagesPerSecond: number
}

export const LOADS: readonly Load[] = [
  { what: 'as many as it takes, one message in 100 traced', sampleRatio: 0.01, messagesPerSecond: Infinity },
  { what: '2,000 messages a second, one in 100 traced', sampleRatio: 0.01, messagesPerSecond: 2_000 },
  { what: '2,000 messages a second, all traced', sampleRatio: 1, messagesPerSecond: 2_000 },
  { what: 'as many as it takes, all to be traced', sampleRatio: 1, messagesPerSecond: Infinity },
]

export interface Cost {
  readonly load: Load
  readonly withoutNs: number
  /** In ns for each message. */
  readonly difference: Difference
  /** Requests that the collector had. */
  readonly requests: number
}

export async function measureTracing(load: Load, pairs: number): Promise<Cost> {
  let requests = 0
  const collector = createServer((request, response) => {
    requests++
    request.resume().once('end', () => response.setHeader('content-type', 'application/json').end('{}'))
  })
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  try {
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
    const tracing = { enabled: true, endpoint, sampleRatio: load.sampleRatio }
    await using plain = await BrokerProcess.start()
    await using traced = await BrokerProcess.start({ config: { tracing } })
    using without = await Traffic.open(plain, load.messagesPerSecond)
    using following = await Traffic.open(traced, load.messagesPerSecond)
    await without.round()
    await following.round()
    const rounds: (readonly [withoutNs: number, withNs: number])[] = []
    for (let pair = 0; pair < pairs; pair++) rounds.push([await without.round(), await following.round()])
    return {
      load,
      withoutNs: median(rounds.map(([withoutNs]) => withoutNs))!,
      difference: medianDifference(rounds.map(([withoutNs, withNs]) => withNs - withoutNs)),
      requests,
    }
  } finally {
    collector.closeAllConnections()
    collector.close()
  }
}
