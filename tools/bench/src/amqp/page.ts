/** The part of docs/benchmarks/amqp.md that is measured without the load generator. */
import { table } from '@ternmq/lab'

import type { Cost } from '../stomp/measure.ts'

/** The round with the middle CPU per delivery of each. */
export interface RelayReport {
  readonly rounds: number
  readonly queue: Cost
  readonly topic: Cost
  /** The same load with something between that only copies bytes. */
  readonly copy: Cost
}

const PER_SECOND_LEAST = 500_000
const PER_SECOND_AIM = 1_000_000

export function relaySection({ rounds, queue, topic, copy }: RelayReport): string[] {
  return [
    '## Messages of 16 bytes, from one to one, settled',
    '',
    `The middle one of ${rounds} rounds, in turns. One process beside the broker sends and counts: raw bytes, made beforehand but for the delivery`,
    'ids. The last row is the same load with a program between that copies bytes and understands none: what the load and the kernel can do.',
    '',
    table(
      ['', 'deliveries', 'CPU each', 'goal', 'broker', 'load', 'others'],
      [
        row('through a queue', queue, `at least ${perSecond(PER_SECOND_LEAST)}, aim ${perSecond(PER_SECOND_AIM)}`),
        row('through a topic', topic, ''),
        row('copied, no broker', copy, ''),
      ],
    ),
  ]
}

/** In words; empty when it is within its goal. */
export function relayShortfalls({ queue }: RelayReport): string[] {
  if (queue.deliveriesPerSecond >= PER_SECOND_LEAST) return []
  return [
    `- 16 bytes through a queue: ${perSecond(queue.deliveriesPerSecond)}; the goal is at least ${perSecond(PER_SECOND_LEAST)}.`,
  ]
}

function row(what: string, { deliveriesPerSecond, cpuUsPerDelivery, shares }: Cost, goal: string): string[] {
  const cores = (value: number): string => `${value.toFixed(2)} cores`
  const { brokerCores, generatorCores, otherCores } = shares
  const cpu = `${cpuUsPerDelivery.toFixed(2)} µs`
  return [what, perSecond(deliveriesPerSecond), cpu, goal, cores(brokerCores), cores(generatorCores), cores(otherCores)]
}

function perSecond(count: number): string {
  return count >= 1e6 ? `${(count / 1e6).toFixed(2)}M/s` : `${Math.round(count / 1_000)}k/s`
}
