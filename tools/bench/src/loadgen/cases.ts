/** The cases of the load generator's compare.py that count, by protocol, and what we want of each. */

export type Measure = 'rate' | 'latency' | 'connections' | 'flood' | 'backlog'

export interface Case {
  /** Id in compare.py. */
  readonly id: string
  readonly title: string
  readonly measure: Measure
  readonly goal: Goal
  /** Peers that promise the same; all of them when left out. Others are shown, not compared with. */
  readonly equals?: readonly string[]
  /** Of a rate, beside the goal in times of a peer's. */
  readonly perSecond?: { readonly least: number; readonly aim: number }
  /** Memory of ours that must be enough, in MiB. */
  readonly rssMiBMax?: number
}

/**
 * rate: times the best peer's. latency: times mosquitto's p50 and p99, at most. connections: KiB each at most, and connects per
 * second at least. flood: nothing lost, nothing left over. backlog: times the best peer's rate of pushing, and of draining.
 */
export interface Goal {
  readonly least: readonly [first: number, second?: number]
  readonly aim: readonly [first: number, second?: number]
}

const NO_NUMBER: Goal = { least: [0], aim: [0] }

const MQTT_CASES: readonly Case[] = [
  { id: 'a1w', title: 'QoS 0 1→1, 16 B', measure: 'rate', goal: { least: [1], aim: [1.5] } },
  { id: 'a2w', title: 'QoS 0 1→1, 1 KiB', measure: 'rate', goal: { least: [1.5], aim: [3] } },
  { id: 'bw', title: 'QoS 0 1→50, 16 B', measure: 'rate', goal: { least: [1], aim: [2] } },
  { id: 'cw', title: 'QoS 0 50→1, 16 B', measure: 'rate', goal: { least: [1], aim: [2] } },
  { id: 'dw', title: 'QoS 1 8→8, 256 B', measure: 'rate', goal: { least: [4], aim: [10] } },
  {
    id: 'dd',
    title: 'QoS 1 8→8, 1 KiB, persistent sessions, PUBACK after the sync',
    measure: 'rate',
    goal: { least: [3], aim: [3] },
    equals: ['activemq', 'rabbitmq'],
    perSecond: { least: 100_000, aim: 200_000 },
  },
  { id: 'ew', title: 'QoS 2 4→4, 256 B', measure: 'rate', goal: { least: [3], aim: [7] } },
  { id: 'l', title: 'QoS 1 at 2,000 msg/s, 256 B', measure: 'latency', goal: { least: [1.3, 1], aim: [1, 1] } },
  { id: 'k', title: '10,000 idle connections', measure: 'connections', goal: { least: [12, 6_000], aim: [8, 8_000] } },
  { id: 'a1', title: 'QoS 0 1→1, 16 B, flood', measure: 'flood', goal: NO_NUMBER },
  { id: 'b', title: 'QoS 0 1→50, 16 B, flood', measure: 'flood', goal: NO_NUMBER },
  { id: 'c', title: 'QoS 0 50→1, 16 B, flood', measure: 'flood', goal: NO_NUMBER },
]

const STOMP_CASES: readonly Case[] = [
  { id: 'fw', title: 'queue 1→1, 1 KiB, non-persistent', measure: 'rate', goal: { least: [3], aim: [6] } },
  { id: 'f', title: 'queue 1→1, 1 KiB, non-persistent, flood', measure: 'rate', goal: { least: [3], aim: [3] } },
  {
    id: 'g',
    title: 'durable queue 4→4, 1 KiB, RECEIPT after the sync, client-individual',
    measure: 'rate',
    goal: { least: [5], aim: [8] },
  },
  {
    id: 'ms',
    title: 'backlog of 200,000 × 1 KiB: pushed with receipts, then drained',
    measure: 'backlog',
    goal: { least: [4, 6], aim: [4, 6] },
    rssMiBMax: 200,
  },
]

const AMQP_CASES: readonly Case[] = [
  { id: 'hw', title: 'queue 1→1, 1 KiB, settled', measure: 'rate', goal: { least: [8], aim: [15] } },
  {
    id: 'i',
    title: 'durable queue 4→4, 1 KiB, unsettled, accepted after the sync',
    measure: 'rate',
    goal: { least: [5], aim: [10] },
  },
  {
    id: 'm1',
    title: 'backlog of 200,000 × 1 KiB: pushed unsettled, then drained',
    measure: 'backlog',
    goal: { least: [5, 8], aim: [5, 8] },
    rssMiBMax: 200,
  },
]

/** What is compared by one protocol, and where that is told. */
export interface Suite {
  /** As our listener has it. */
  readonly protocol: 'mqtt' | 'stomp' | 'amqp'
  /** As compare.py names it. */
  readonly comparedAs: string
  readonly title: string
  readonly cases: readonly Case[]
  /** Compared with unless asked otherwise. */
  readonly peers: readonly string[]
  /** Options for compare.py beside where we are. */
  readonly targetOptions: string
  /** Under docs/benchmarks, without its ending. */
  readonly page: string
  /** How it is made again. */
  readonly command: string
}

const COMMAND = 'npm run -s bench -- loadgen --loadgen FOLDER'

export const SUITES: Readonly<Record<Suite['protocol'], Suite>> = {
  mqtt: {
    protocol: 'mqtt',
    comparedAs: 'mqtt',
    title: 'MQTT',
    cases: MQTT_CASES,
    peers: ['mosquitto', 'nats'],
    targetOptions: '',
    page: 'mqtt',
    command: COMMAND,
  },
  stomp: {
    protocol: 'stomp',
    comparedAs: 'stomp',
    title: 'STOMP',
    cases: STOMP_CASES,
    peers: ['activemq', 'rabbitmq'],
    targetOptions: ';prefetch_header=activemq.prefetchSize',
    page: 'stomp',
    command: `${COMMAND} --protocol stomp`,
  },
  amqp: {
    protocol: 'amqp',
    comparedAs: 'amqp10',
    title: 'AMQP 1.0',
    cases: AMQP_CASES,
    peers: ['rabbitmq'],
    targetOptions: ';amqp10_dest=queue://bench.%r.%d',
    page: 'amqp',
    command: `${COMMAND} --protocol amqp`,
  },
}

export const CASES: readonly Case[] = Object.values(SUITES).flatMap(({ cases }) => cases)

/** Rounds of a case unless asked otherwise: latency swings more. */
export function roundsOf({ measure }: Case, rounds: number | undefined): number {
  return rounds ?? (measure === 'latency' ? 5 : 3)
}

/** Throws for an id that is none of them. */
export function casesNamed(ids: readonly string[], { cases }: Pick<Suite, 'cases'> = { cases: CASES }): Case[] {
  return ids.map((id) => {
    const found = cases.find((one) => one.id === id)
    if (found === undefined) throw new Error(`there is no case '${id}': ${cases.map((one) => one.id).join(', ')}`)
    return found
  })
}
