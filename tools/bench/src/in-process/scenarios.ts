/** What is sent through a whole broker without a kernel. */
import { pairProperty, type PublishShape, textProperty } from '../wire.ts'

export interface Scenario {
  readonly name: string
  readonly publish: PublishShape
  /** Version of the subscribers. */
  readonly to: 4 | 5
  readonly subscribers: number
}

const TOPIC = 'fleet/7/position'
const FEW_PROPERTIES = Buffer.concat([
  textProperty(0x03, 'application/json'),
  pairProperty('trace', '4bf92f3577b34da6'),
  pairProperty('site', 'north'),
])
const EXPIRY = Buffer.from([0x02, 0, 0, 1, 0])
const ALIAS = Buffer.from([0x23, 0, 1])

function scenario(
  name: string,
  publish: Omit<PublishShape, 'topic'>,
  more: Partial<Pick<Scenario, 'to' | 'subscribers'>> = {},
): Scenario {
  return {
    name,
    publish: { topic: TOPIC, ...publish },
    to: more.to ?? publish.version,
    subscribers: more.subscribers ?? 1,
  }
}

export const SCENARIOS: readonly Scenario[] = [
  scenario('3.1.1 QoS 0 1→1, 16 B', { version: 4, qos: 0, payloadBytes: 16 }),
  scenario('3.1.1 QoS 0 1→1, 1 KiB', { version: 4, qos: 0, payloadBytes: 1_024 }),
  scenario('3.1.1 QoS 0 1→50, 16 B', { version: 4, qos: 0, payloadBytes: 16 }, { subscribers: 50 }),
  scenario('3.1.1 QoS 1 1→1, 256 B', { version: 4, qos: 1, payloadBytes: 256 }),
  scenario('3.1.1 QoS 2 1→1, 256 B', { version: 4, qos: 2, payloadBytes: 256 }),
  scenario('5 QoS 0 1→1, 16 B', { version: 5, qos: 0, payloadBytes: 16 }),
  scenario('5 QoS 0 1→1, 16 B, three properties', { version: 5, qos: 0, payloadBytes: 16, properties: FEW_PROPERTIES }),
  scenario('5 QoS 0 1→1, 16 B, expiry', { version: 5, qos: 0, payloadBytes: 16, properties: EXPIRY }),
  scenario('5 QoS 0 1→1, 16 B, topic alias', { version: 5, qos: 0, payloadBytes: 16, properties: ALIAS }),
  scenario('5 QoS 1 1→1, 256 B', { version: 5, qos: 1, payloadBytes: 256 }),
  scenario('5 QoS 1 1→1, 256 B, three properties', {
    version: 5,
    qos: 1,
    payloadBytes: 256,
    properties: FEW_PROPERTIES,
  }),
  scenario('5 QoS 2 1→1, 256 B', { version: 5, qos: 2, payloadBytes: 256 }),
  scenario(
    '5 → 3.1.1 QoS 0 1→1, 16 B, three properties',
    { version: 5, qos: 0, payloadBytes: 16, properties: FEW_PROPERTIES },
    { to: 4 },
  ),
  scenario('3.1.1 → 5 QoS 0 1→1, 16 B', { version: 4, qos: 0, payloadBytes: 16 }, { to: 5 }),
]
