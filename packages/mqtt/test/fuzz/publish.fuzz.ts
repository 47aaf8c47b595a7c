/**
 * PUBLISH and its acknowledgements on the way that reads and writes them in place: what the broker takes and hands on is held
 * against the tests' own reader, packet by packet, for publishers of every version and three kinds of subscribers.
 */
import { type Client, World } from '../harness.ts'
import * as wire from '../wire/build.ts'
import { hex } from '../wire/bytes.ts'
import { type Ack, type Packet, PacketParser, type Publish } from '../wire/parse.ts'
import { prop, type Properties } from '../wire/properties.ts'
import { assert, Dice, type Fuzzer, FuzzFailure, type FuzzTally, linesOf, toHex } from '@ternmq/testkit/fuzzer'
import { mutate } from './mutate.ts'

/** Worlds are made anew, so that what is retained and remembered does not pile up. */
const INPUTS_PER_WORLD = 500
const EVENTS_LOOKED_AT = 8
/** PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP. */
const TYPES = [3, 4, 5, 6, 7]
const LEVELS_MAX = 128
const ALIAS_MAX = 32

type Verdict = 'delivered' | 'refused' | 'repeated' | 'acknowledged' | 'closed' | 'not judged'

interface Input {
  readonly version: wire.Version
  readonly packet: Uint8Array
}

export const publishFuzzer: Fuzzer = {
  name: 'publish',
  what: 'changed PUBLISH packets and acknowledgements are handed on unchanged or refused, as an independent reader says',

  run(seed: number, iterations: number): FuzzTally {
    const dice = new Dice(seed)
    const tally: Record<Verdict, number> = {
      delivered: 0,
      refused: 0,
      repeated: 0,
      acknowledged: 0,
      closed: 0,
      'not judged': 0,
    }
    let bench = new Bench()
    /** What a failure may depend on: everything since the world began. */
    let inputs: Input[] = []
    for (let step = 0; step < iterations; step++) {
      if (inputs.length === INPUTS_PER_WORLD) {
        bench = new Bench()
        inputs = []
      }
      const input = makeInput(dice)
      inputs.push(input)
      try {
        tally[bench.try(input)]++
      } catch (cause) {
        throw new FuzzFailure(seed, step, toText(inputs), cause)
      }
    }
    return tally
  },

  replay(text: string): void {
    const bench = new Bench()
    for (const input of fromText(text)) bench.try(input)
  },
}

/** A publisher of one version: its connection and what the broker must remember of it. */
class Publisher {
  readonly version: wire.Version
  readonly client: Client
  readonly aliases = new Map<number, string>()
  /** QoS 2 ids that it has not released. */
  readonly received = new Set<number>()

  constructor(world: World, version: wire.Version) {
    this.version = version
    this.client = world.connect(`publisher-${version}`, { version })
  }
}

class Bench {
  readonly #world = new World({ settings: { receiveMaximum: 65_535, topicAliasMax: ALIAS_MAX } })
  readonly #publishers = new Map<wire.Version, Publisher>()
  readonly #receivers = [
    { version: 5, qos: 0, filter: '#' },
    { version: 4, qos: 0, filter: '#' },
    { version: 5, qos: 2, filter: '#' },
    // A message of another name would be one that went the wrong way.
    { version: 5, qos: 0, filter: 'a/b' },
  ].map(({ version, qos, filter }, index) => {
    const client = this.#world.connect(`subscriber-${index}`, { version: version as wire.Version })
    client.send(wire.subscribe(1, { filter, qos, retainAsPublished: version === 5 }))
    client.next('SUBACK')
    return { client, qos, filter }
  })

  try({ version, packet }: Input): Verdict {
    const publisher = this.#publisherOf(version)
    const expected = judge(publisher, packet)
    publisher.client.send(packet)
    const answers = publisher.client.received()
    const events = this.#world.events.slice(-EVENTS_LOOKED_AT)
    const failure = events.find(({ kind }) => kind === 'failure')
    assert(failure === undefined, `the broker failed: ${failure?.text}`)
    const delivered = this.#receivers.map(({ client, qos }) => takeDelivered(client, qos))
    if (expected.verdict === 'not judged') publisher.client.vanish()
    else this.#compare(publisher, expected, answers, delivered)
    if (publisher.client.isClosed) this.#publishers.delete(version)
    return expected.verdict
  }

  #compare(
    publisher: Publisher,
    { verdict, publish, code }: Judgement,
    answers: Packet[],
    delivered: Publish[][],
  ): void {
    const { isClosed } = publisher.client
    assert(
      isClosed === (verdict === 'closed'),
      `the connection is ${isClosed ? 'closed' : 'open'}, expected: ${verdict}`,
    )
    for (const [index, packets] of delivered.entries()) {
      const { filter, qos, client } = this.#receivers[index]!
      const count = verdict === 'delivered' && (filter === '#' || filter === publish!.topic) ? 1 : 0
      assert(packets.length === count, `receiver ${index} got ${packets.length} messages, expected: ${verdict}`)
      if (count === 1) sameMessage(publish!, packets[0]!, qos, client.version === 4)
    }
    if (publish === undefined || isClosed || publish.qos === 0) return
    const type = publish.qos === 1 ? 'PUBACK' : 'PUBREC'
    const answer = answers.find((packet): packet is Ack<'PUBACK' | 'PUBREC'> => packet.type === type)
    assert(answer?.id === publish.id, `no ${type} ${publish.id}`)
    const isRefused = answer.reasonCode >= 0x80
    assert(isRefused === code >= 0x80, `${type} says ${answer.reasonCode}, expected: ${verdict} (${code})`)
  }

  #publisherOf(version: wire.Version): Publisher {
    let publisher = this.#publishers.get(version)
    if (publisher === undefined) this.#publishers.set(version, (publisher = new Publisher(this.#world, version)))
    return publisher
  }
}

/** Takes what a receiver got and acknowledges it. */
function takeDelivered(client: Client, qos: number): Publish[] {
  const packets = client.received().filter((packet) => packet.type === 'PUBLISH')
  if (qos === 0) return packets
  for (const { id, qos: own } of packets) {
    if (own === 1) client.send(wire.puback(id))
    if (own === 2) client.send(wire.pubrec(id), wire.pubcomp(id))
  }
  const rest = client.received().filter((packet) => packet.type === 'PUBLISH')
  assert(rest.length === 0, 'a message came again after it was acknowledged')
  return packets
}

function sameMessage(sent: Publish, got: Publish, qosMax: number, isV3: boolean): void {
  const what = (field: string): string => `${field} of the delivery ${toHex(got.raw)} differs from what was sent`
  assert(got.topic === sent.topic, what('topic'))
  assert(Buffer.compare(got.payloadBytes, sent.payloadBytes) === 0, what('payload'))
  assert(got.qos === Math.min(sent.qos, qosMax), what('QoS'))
  assert(!got.dup, what('DUP'))
  assert(isV3 || got.retain === sent.retain, what('RETAIN'))
  const expected = isV3 ? '' : endToEnd(sent.properties)
  assert(endToEnd(got.properties) === expected, what('properties'))
}

/** All but the alias, which is each connection's own; in one order, but for user properties, which keep theirs. */
function endToEnd(properties: Properties): string {
  return Object.entries(properties)
    .filter(([name]) => name !== 'topicAlias')
    .map(
      ([name, value]: [string, unknown]) =>
        `${name}=${JSON.stringify(value instanceof Uint8Array ? toHex(value) : value)}`,
    )
    .toSorted((first, second) => (first < second ? -1 : 1))
    .join('\n')
}

interface Judgement {
  readonly verdict: Verdict
  readonly publish: Publish | undefined
  /** Of the acknowledgement: at least 0x80 for a refusal. */
  readonly code: number
}

/** What must come of a packet, and notes in `publisher` what the broker must remember. */
function judge(publisher: Publisher, packet: Uint8Array): Judgement {
  const { version } = publisher
  const closed: Judgement = { verdict: 'closed', publish: undefined, code: 0 }
  const notJudged: Judgement = { ...closed, verdict: 'not judged' }
  if (!isWhole(packet)) return notJudged
  let read: Packet
  try {
    read = new PacketParser(version).read(packet)[0]!
  } catch {
    // 3.1 sets DUP on a repeated PUBREL and leaves the other bits of acknowledgements open. [MQTT31-2.1-b]
    return version === 3 && packet[0]! >> 4 !== 3 ? notJudged : closed
  }
  if (read.type === 'PUBREL') publisher.received.delete(read.id)
  if (read.type !== 'PUBLISH') return { verdict: 'acknowledged', publish: undefined, code: 0 }
  return judgePublish(publisher, read) ?? notJudged
}

/** Undefined where the specification leaves a choice. */
function judgePublish(publisher: Publisher, read: Publish): Judgement | undefined {
  const { properties, qos, id } = read
  const closed: Judgement = { verdict: 'closed', publish: undefined, code: 0 }
  const { payloadFormatIndicator: format = 0, topicAlias, responseTopic, messageExpiryInterval } = properties
  if (properties.subscriptionIdentifiers !== undefined || format > 1) return closed
  if (topicAlias === 0 || (topicAlias ?? 1) > ALIAS_MAX) return closed
  if (responseTopic === '') return undefined
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) return closed
  const topic = read.topic === '' ? publisher.aliases.get(topicAlias!) : read.topic
  if (topic === undefined || topic.split('/').length > LEVELS_MAX) return closed
  if (messageExpiryInterval === 0) return undefined
  if (topicAlias !== undefined) publisher.aliases.set(topicAlias, topic)
  const publish = { ...read, topic }
  if (format === 1 && !isUtf8(read.payloadBytes)) {
    // A PUBREC that refuses ends the exchange, also one that an earlier packet began. [MQTT5-4.3.3-9]
    if (qos === 2) publisher.received.delete(id)
    return qos === 0 ? closed : { verdict: 'refused', publish, code: 0x99 }
  }
  if (qos === 2 && publisher.received.has(id)) return { verdict: 'repeated', publish, code: 0 }
  const isRefused = topic.startsWith('$')
  const code = isRefused && publisher.version === 5 ? 0x87 : 0
  if (qos === 2 && code === 0) publisher.received.add(id)
  return { verdict: isRefused ? 'refused' : 'delivered', publish, code }
}

/** Exactly one packet: neither does something follow, nor does anything lack. */
function isWhole(packet: Uint8Array): boolean {
  let length = 0
  for (let at = 1, factor = 1; at < packet.length && at <= 4; at++, factor *= 128) {
    length += (packet[at]! & 0x7f) * factor
    if (packet[at]! < 0x80) return packet.length === at + 1 + length
  }
  return false
}

function isUtf8(payload: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(payload)
    return true
  } catch {
    return false
  }
}

// ── inputs ───────────────────────────────────────────────────────────────────

const TOPICS = ['a', 'a/b', 'a/c', 'a//b', '/', 'über/München', '$SYS/x', '$share/g/a', 'long/'.repeat(20)]

function makeInput(dice: Dice): Input {
  const version = dice.pick<wire.Version>([3, 4, 5, 5])
  const packet = (dice.oneIn(5) ? makeAck(dice, version) : makePublish(dice))(version)
  if (dice.oneIn(3)) return { version, packet }
  const changed = mutate(packet, dice)
  // Other packets have their own fuzzer.
  if (!TYPES.includes(changed[0]! >> 4)) changed[0] = (changed[0]! & 0x0f) | (dice.pick(TYPES) << 4)
  return { version, packet: changed }
}

function makePublish(dice: Dice): wire.Draft {
  const qos = dice.below(3) as wire.QoS
  const alias = dice.below(8) === 0 ? [prop('topicAlias', 1 + dice.below(4))] : []
  const properties = [
    ...alias,
    ...Array.from({ length: dice.pick([0, 0, 1, 3]) }, () => makeProperty(dice)),
    ...(dice.oneIn(4) ? [prop('payloadFormatIndicator', dice.below(2))] : []),
  ]
  const topic = alias.length > 0 && dice.oneIn(2) ? '' : dice.pick(TOPICS)
  const payload = dice.oneIn(2) ? 'text of a message' : dice.bytes(dice.below(200))
  const retain = dice.oneIn(6)
  return wire.publish(topic, payload, { qos, ...(qos > 0 && { id: 1 + dice.below(9) }), retain, properties })
}

function makeProperty(dice: Dice): Uint8Array {
  return dice.pick([
    () => prop('userProperty', [`k${dice.below(3)}`, 'v'.repeat(dice.below(5))]),
    () => prop('contentType', 'text/plain'),
    () => prop('responseTopic', 'answers/1'),
    () => prop('correlationData', dice.bytes(4)),
    () => prop('messageExpiryInterval', dice.below(100)),
  ])()
}

function makeAck(dice: Dice, version: wire.Version): wire.Draft {
  const make = dice.pick([wire.puback, wire.pubrec, wire.pubrel, wire.pubcomp])
  const id = dice.below(10)
  if (version !== 5 || dice.oneIn(2)) return make(id)
  const reason = dice.pick([0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x92, 0x97, 0x99])
  return make(id, dice.oneIn(2) ? { reason } : { reason, properties: [prop('reasonString', 'so'), makeProperty(dice)] })
}

// ── as text: version and packet in each line ─────────────────────────────────

function toText(inputs: readonly Input[]): string {
  return inputs.map(({ version, packet }) => `${version} ${toHex(packet)}\n`).join('')
}

function fromText(text: string): Input[] {
  return linesOf(text).map((line) => {
    const [version, packet = ''] = line.split(' ')
    assert(/^[345]$/.test(version!), `not a level of MQTT: ${version}`)
    return { version: Number(version) as wire.Version, packet: hex(packet) }
  })
}
