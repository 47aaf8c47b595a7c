/**
 * One connection of a sequence, seen from the client: what it said, what the broker may therefore send, and what is due to be
 * answered. As long as it said only what a client may, the broker is held to its limits; its packets are read strictly in
 * any case.
 */
import type { RawClient } from '@ternmq/testkit'
import type { Version } from '../wire/build.ts'
import { Reader } from '../wire/bytes.ts'
import { type Packet, PacketParser, type Publish } from '../wire/parse.ts'
import { assert } from '@ternmq/testkit/fuzzer'
import { OrderCheck, readMark } from './sequence-payload.ts'

/** What a client has to answer. */
export interface Due {
  readonly type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP'
  readonly id: number
}

/** What CONNECT said. */
interface Wishes {
  readonly clientId: string
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  readonly maximumPacketSize: number
  readonly wantsProblems: boolean
  /** Its session may outlive the connection. */
  readonly expires: boolean
}

/** A broker that calls a sound packet one of these has misread it. */
const MISREADINGS = [0x80, 0x81, 0x82]
const SHARE = '$share/'
const NO_REASONS = ['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'AUTH']

export class Peer {
  readonly raw: RawClient
  /** What the client speaks; a garbled CONNECT may make the broker speak another. */
  readonly version: Version
  /** It said only what a client may. */
  isSound = true
  /** It always took what came: then nothing may be cut off. */
  isReading = true
  /** Order of its messages where that of its session does not count: it has no client id, or reads late. */
  ownOrders: OrderCheck = new OrderCheck()
  isLate = false
  due: Due[] = []
  wishes: Wishes | undefined = undefined
  /** Has used a shared subscription. */
  shares = false
  #lastSaid: Uint8Array = new Uint8Array(0)
  readonly #receiveMaximum3: number
  #parser: PacketParser | undefined = undefined
  #unread: Uint8Array = new Uint8Array(0)
  #unsaid: Uint8Array = new Uint8Array(0)
  #isPresent = false
  /** PUBLISH with QoS 1 and 2 that may still come. [MQTT5 §4.9] */
  #quota = 0
  /** Acknowledgements of what did not come on this connection. */
  #strayCount = 0
  /** QoS of unfinished deliveries by packet id; 3 once PUBREC was said. */
  readonly #inFlight = new Map<number, number>()
  readonly #topicByAlias = new Map<number, string>()

  constructor(raw: RawClient, version: Version, receiveMaximum3: number) {
    this.raw = raw
    this.version = version
    this.#receiveMaximum3 = receiveMaximum3
  }

  get isClosed(): boolean {
    return this.raw.isClosed
  }

  // ── what the client says ──

  say(data: Uint8Array, sound: boolean): void {
    this.raw.sendBytes(data)
    const said = Buffer.concat([this.#lastSaid, data])
    if (said.includes(SHARE)) this.shares = true
    this.#lastSaid = said.subarray(-SHARE.length)
    if (!sound) this.isSound = false
    if (!this.isSound) return
    this.#unsaid = Buffer.concat([this.#unsaid, data])
    for (let size = sizeOf(this.#unsaid); size > 0; size = sizeOf(this.#unsaid)) {
      this.#note(this.#unsaid.subarray(0, size))
      this.#unsaid = this.#unsaid.subarray(size)
    }
  }

  #note(packet: Uint8Array): void {
    const reader = new Reader(packet, 1)
    reader.varint()
    const type = packet[0]! >> 4
    if (type === 1) this.#noteConnect(reader)
    else if (type === 4) this.#finish(reader.u16(), 1)
    else if (type === 5) this.#noteReceived(reader)
    else if (type === 7) this.#finish(reader.u16(), 3)
  }

  #noteConnect(reader: Reader): void {
    reader.data()
    const level = reader.u8()
    reader.u8()
    reader.u16()
    const properties = new Map<number, number>()
    if (level === 5) {
      const inner = new Reader(reader.take(reader.varint()))
      while (!inner.isAtEnd) {
        const id = inner.u8()
        if (id === 0x11 || id === 0x27) properties.set(id, inner.u32())
        else if (id === 0x21 || id === 0x22) properties.set(id, inner.u16())
        else if (id === 0x26) skipPair(inner)
        else if (id === 0x15 || id === 0x16) inner.data()
        else properties.set(id, inner.u8())
      }
    }
    this.wishes = {
      clientId: reader.utf8(),
      receiveMaximum: level === 5 ? (properties.get(0x21) ?? 65_535) : this.#receiveMaximum3,
      topicAliasMaximum: properties.get(0x22) ?? 0,
      maximumPacketSize: properties.get(0x27) ?? Infinity,
      wantsProblems: properties.get(0x17) !== 0,
      expires: (properties.get(0x11) ?? 0) > 0,
    }
    this.#quota = this.wishes.receiveMaximum
  }

  #noteReceived(reader: Reader): void {
    const id = reader.u16()
    const isRefused = !reader.isAtEnd && reader.u8() >= 0x80
    if (isRefused) this.#finish(id, 2)
    else if (this.#inFlight.get(id) === 2) this.#inFlight.set(id, 3)
  }

  #finish(id: number, qos: number): void {
    if (this.#inFlight.get(id) !== qos) {
      // Perhaps of a delivery on an earlier connection: then it finishes what is about to be sent again.
      this.#strayCount++
      return
    }
    this.#inFlight.delete(id)
    this.#quota = Math.min(this.#quota + 1, this.wishes!.receiveMaximum)
  }

  // ── what the broker says ──

  /** Reads what came. `orders` is that of the client id. */
  read(orders: OrderCheck): void {
    for (const packet of this.#packets()) {
      if (this.isSound) this.#check(packet, orders)
      else if (packet.type === 'PUBLISH') this.#checkName(packet)
      this.#noteDue(packet)
    }
    const isCutOff = this.isClosed && this.isReading && this.#parser !== undefined && this.#parser.waitingByteCount > 0
    assert(!isCutOff, 'the broker closed the connection within a packet')
  }

  #packets(): Packet[] {
    const came = this.raw.takeBytes()
    if (this.#parser !== undefined) return this.#parser.read(came)
    this.#unread = Buffer.concat([this.#unread, came])
    if (sizeOf(this.#unread) === 0) return []
    const versions: Version[] = this.isSound ? [this.version] : [this.version, 5, 4, 3]
    const failures: unknown[] = []
    for (const version of versions) {
      try {
        const parser = new PacketParser(version)
        const packets = parser.read(this.#unread)
        this.#parser = parser
        return packets
      } catch (error) {
        failures.push(error)
      }
    }
    throw failures[0]
  }

  #check(packet: Packet, orders: OrderCheck): void {
    const { maximumPacketSize, wantsProblems } = this.wishes!
    assert(
      packet.raw.length <= maximumPacketSize,
      `${packet.type} of ${packet.raw.length} bytes, more than the client takes`,
    )
    switch (packet.type) {
      case 'CONNACK':
        this.#isPresent = packet.sessionPresent || this.version === 3 // 3.1 does not say
        break
      case 'PUBLISH':
        this.#checkPublish(packet, orders)
        break
      case 'DISCONNECT':
        assert(!MISREADINGS.includes(packet.reasonCode), `sound packets were answered with ${text(packet)}`)
        break
      default:
        if (wantsProblems || !NO_REASONS.includes(packet.type) || !('properties' in packet)) break
        assert(
          packet.properties.reasonString === undefined,
          `${packet.type} has a reason nobody wants [MQTT5-3.1.2-29]`,
        )
    }
  }

  #checkPublish(packet: Publish, orders: OrderCheck): void {
    const { id, qos, dup, retain } = packet
    const topic = this.#checkName(packet)
    assert(!dup || this.#isPresent, 'DUP in a session that is new')
    if (qos > 0) {
      assert(!this.#inFlight.has(id), `packet id ${id} is in use [MQTT5-2.2.1-4]`)
      assert(this.#quota + this.#strayCount > 0, 'more PUBLISH packets than the receive maximum [MQTT5-3.3.4-9]')
      this.#quota--
      this.#inFlight.set(id, qos)
    }
    const mark = readMark(packet.payload)
    if (mark === undefined || dup || retain) return
    assert(mark.topic === topic, `message for '${mark.topic}' came as '${topic}'`)
    orders.take(mark, qos)
  }

  /** The topic, with its alias resolved. */
  #checkName({ topic, properties, payload }: Publish): string {
    const { topicAlias } = properties
    if (topicAlias !== undefined) {
      assert(
        !this.isSound || topicAlias <= this.wishes!.topicAliasMaximum,
        `topic alias ${topicAlias} [MQTT5-3.1.2-26]`,
      )
      if (topic !== '') this.#topicByAlias.set(topicAlias, topic)
    }
    const name = topic === '' ? this.#topicByAlias.get(topicAlias!) : topic
    assert(name !== undefined, `topic alias ${topicAlias} was never set`)
    const mark = readMark(payload)
    assert(mark === undefined || mark.topic === name, `message for '${mark?.topic}' came as '${name}'`)
    return name
  }

  #noteDue(packet: Packet): void {
    switch (packet.type) {
      case 'PUBLISH':
        if (packet.qos > 0) this.due.push({ type: packet.qos === 1 ? 'PUBACK' : 'PUBREC', id: packet.id })
        break
      case 'PUBREC':
        if (packet.reasonCode < 0x80) this.due.push({ type: 'PUBREL', id: packet.id })
        break
      case 'PUBREL':
        this.due.push({ type: 'PUBCOMP', id: packet.id })
        break
      default:
    }
  }
}

function skipPair(reader: Reader): void {
  reader.utf8()
  reader.utf8()
}

/** Size of the packet at the start; 0 when not all of it is there. */
function sizeOf(stream: Uint8Array): number {
  for (let at = 1; at <= 4 && at < stream.length; at++) {
    if (stream[at]! >= 0x80) continue
    const header = new Reader(stream, 1)
    const size = header.varint() + header.at
    return size <= stream.length ? size : 0
  }
  return 0
}

function text(packet: {
  readonly type: string
  readonly reasonCode: number
  readonly properties: { readonly reasonString?: string }
}): string {
  return `${packet.type} 0x${packet.reasonCode.toString(16)} (${packet.properties.reasonString ?? ''})`
}
