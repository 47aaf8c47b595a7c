/** The part of docs/benchmarks/stomp.md that is measured without the load generator. */
import { table } from '@ternmq/lab'

import type { Cost } from './measure.ts'

/** The round with the middle CPU per delivery of each. */
export interface OwnReport {
  readonly rounds: number
  /** From one MQTT publisher to fifty STOMP subscribers. */
  readonly fanOut: Cost
  /** STOMP from one to one. */
  readonly tcp: Cost
  readonly websocket: Cost
}

/** CPU of the broker for each delivery of the fan-out, us. */
const FAN_OUT_US_MAX = 2
/** Times TCP. */
const WEBSOCKET_TIMES_MAX = 1.7

export function ownSection(own: OwnReport): string[] {
  const { fanOut, tcp, websocket, rounds } = own
  const fanOutGoal = `at most ${FAN_OUT_US_MAX} µs`
  const carrierGoal = `at most ${WEBSOCKET_TIMES_MAX} × TCP`
  return [
    '## What a delivery costs the broker',
    '',
    `CPU of all its threads, the middle one of ${rounds} rounds. The load is made by one process beside the broker; how much of a core it`,
    'needs says whether it was the limit: it waits for deliveries before it sends more.',
    '',
    table(
      ['', 'deliveries', 'CPU each', 'goal', 'broker', 'load', 'others'],
      [
        row('1 MQTT QoS 0 publisher → 50 STOMP subscribers, 16 B', fanOut, fanOutGoal),
        row('STOMP queue 1→1, 1 KiB, non-persistent, over TCP', tcp, ''),
        row('the same over WebSocket, a frame for each SEND', websocket, carrierGoal),
      ],
    ),
    `Over WebSocket a message costs ${timesTcp(own).toFixed(2)} × what it costs over TCP.`,
    '',
  ]
}

/** In words; empty when both are within their goals. */
export function ownShortfalls(own: OwnReport): string[] {
  const { cpuUsPerDelivery } = own.fanOut
  const times = timesTcp(own)
  return [
    cpuUsPerDelivery > FAN_OUT_US_MAX
      ? `- MQTT to 50 STOMP subscribers: ${cpuUsPerDelivery.toFixed(2)} µs of CPU each; the goal is at most ${FAN_OUT_US_MAX} µs.`
      : '',
    times > WEBSOCKET_TIMES_MAX
      ? `- STOMP over WebSocket: ${times.toFixed(2)} × the CPU of TCP; the goal is at most ${WEBSOCKET_TIMES_MAX} ×.`
      : '',
  ].filter((line) => line !== '')
}

function timesTcp({ tcp, websocket }: OwnReport): number {
  return websocket.cpuUsPerDelivery / tcp.cpuUsPerDelivery
}

function row(what: string, { deliveriesPerSecond, cpuUsPerDelivery, shares }: Cost, goal: string): string[] {
  const cores = (value: number): string => `${value.toFixed(2)} cores`
  return [
    what,
    `${Math.round(deliveriesPerSecond / 1_000)}k/s`,
    `${cpuUsPerDelivery.toFixed(2)} µs`,
    goal,
    cores(shares.brokerCores),
    cores(shares.generatorCores),
    cores(shares.otherCores),
  ]
}
