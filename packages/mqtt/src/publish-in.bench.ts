/**
 * node publish-in.bench.ts: what a QoS 0 PUBLISH that nobody wants costs, from the bytes of its connection to its end: of one topic, of
 * several in turn, and while subscriptions come and go. CPU time of the process per message, medians of rounds.
 */
import { allowAll, type Connection, DEFAULT_CORE_LIMITS, Events, type Transport, VirtualHost } from '@ternmq/core'
import { NearMisses } from '@ternmq/naming'
import { virtualEnv } from '@ternmq/testkit'
import { MqttAdapter } from './adapter.ts'
import { DEFAULT_MQTT_SETTINGS } from './settings.ts'

const BODY_BYTES = 16
const MESSAGES_PER_CHUNK = 1_000
const CHUNKS = 2_000
const ROUNDS = 7

const slab = new Uint8Array(65_536)

/** Takes all output and forgets it. */
const sink: Transport = {
  id: 1,
  peer: { listener: 'mqtt', address: '', port: 0 },
  openedAtMs: 0,
  bytesIn: 0,
  bytesOut: 0,
  slab,
  pendingBytes: 0,
  writable: true,
  reserve: () => 0,
  write: () => {},
  writeShared: () => {},
  pauseReading: () => {},
  resumeReading: () => {},
  end: () => {},
  destroy: () => {},
}

const env = virtualEnv()
const vhost = new VirtualHost({ env, name: '/', authorizer: allowAll, limits: DEFAULT_CORE_LIMITS })
const login = { begin: () => ({ kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined }) as const }
const nearMisses = new NearMisses((topic) => vhost.router.isHeard(topic))
const adapter = new MqttAdapter({ vhost, login, settings: DEFAULT_MQTT_SETTINGS, events: new Events(env.clock, 10), nearMisses })

function connect(id: string): Connection {
  const connection = adapter.accept(sink)
  const body = [0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, id.length, ...Buffer.from(id)]
  connection.onBytes(Uint8Array.from([0x10, body.length, ...body]))
  env.clock.settle()
  return connection
}

function chunkOf(topics: readonly string[]): Uint8Array {
  const packets = Array.from({ length: MESSAGES_PER_CHUNK }, (_, index) => {
    const topic = Buffer.from(topics[index % topics.length]!)
    return Buffer.concat([Uint8Array.of(0x30, 2 + topic.length + BODY_BYTES, 0, topic.length), topic, Buffer.alloc(BODY_BYTES, 'x')])
  })
  return new Uint8Array(Buffer.concat(packets))
}

/** SUBSCRIBE or UNSUBSCRIBE of the filter `x`, QoS 0. */
const SUBSCRIBE = Uint8Array.of(0x82, 6, 0, 1, 0, 1, 0x78, 0)
const UNSUBSCRIBE = Uint8Array.of(0xa2, 5, 0, 1, 0, 1, 0x78)

const publisher = connect('p')
const subscriber = connect('s')

/** CPU nanoseconds per message. */
function measure(chunk: Uint8Array, churns: boolean): number {
  const before = process.cpuUsage()
  for (let index = 0; index < CHUNKS; index++) {
    publisher.onBytes(chunk)
    if (churns) subscriber.onBytes(index % 2 === 0 ? SUBSCRIBE : UNSUBSCRIBE)
  }
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / (CHUNKS * MESSAGES_PER_CHUNK)
}

const cases = [
  ['one topic', chunkOf(['plant/line/1']), false],
  ['8 topics in turn', chunkOf(Array.from({ length: 8 }, (_, index) => `plant/line/${index}`)), false],
  ['8 topics, a subscription comes or goes every 1,000 messages', chunkOf(Array.from({ length: 8 }, (_, index) => `plant/line/${index}`)), true],
] as const
for (const [title, chunk, churns] of cases) {
  const rounds = Array.from({ length: ROUNDS }, () => measure(chunk, churns)).toSorted((one, other) => one - other)
  process.stdout.write(`${title}: ${rounds[ROUNDS >> 1]!.toFixed(1)} ns (least ${rounds[0]!.toFixed(1)})\n`)
}
