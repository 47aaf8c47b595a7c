/** Makes up what clients do next, from what they know: mostly what a client may do, sometimes not. */
import * as wire from '../wire/build.ts'
import type { Part } from '../wire/bytes.ts'
import { prop } from '../wire/properties.ts'
import type { Dice } from '@ternmq/testkit/fuzzer'
import { mutate } from './mutate.ts'
import type { Action } from './sequence-actions.ts'
import { METHOD, STEPS } from './sequence-login.ts'
import { type Mark, markedPayload, withoutMark } from './sequence-payload.ts'
import type { Due, Peer } from './sequence-peer.ts'
import { KERNEL_BYTES, type Run, SLOTS } from './sequence-run.ts'

const CLIENT_IDS = ['c0', 'c1', 'c2']
const TOPICS = ['a', 'a/b', 'a/c', 'b/b', 'a/b/c', 'über/größe', 'long/'.repeat(15), '$SYS/x']
const FILTERS = ['a', 'a/b', 'a/+', 'a/#', '#', '+/b', '+/größe', 'long/#', '$SYS/#']
const SHARED_FILTERS = ['$share/g/a/#', '$share/g/#', '$share/h/+/b']
const REFUSALS = [0x80, 0x83, 0x87, 0x97, 0x99]
/** The settings of the run allow 8. */
const ALIAS_MAX = 8

/** What an open connection does, by weight. */
const DEEDS = {
  publish: 30,
  burst: 5,
  subscribe: 9,
  unsubscribe: 4,
  answer: 30,
  ping: 2,
  stray: 3,
  garble: 8,
  noise: 1,
  disconnect: 3,
  connect: 1,
  auth: 1,
  fin: 2,
  rst: 2,
  stop: 3,
  read: 5,
  wait: 5,
}

export class Generator {
  readonly #dice: Dice
  readonly #run: Run
  #count = 0
  /** Aliases that a slot's connection has set. */
  readonly #aliases: Set<number>[] = Array.from({ length: SLOTS }, () => new Set())
  readonly #connections: number[] = Array.from({ length: SLOTS }, () => 0)

  constructor(dice: Dice, run: Run) {
    this.#dice = dice
    this.#run = run
  }

  next(): Action[] {
    const dice = this.#dice
    const slot = dice.below(SLOTS)
    const peer = this.#run.peers[slot]
    if (peer === undefined || peer.isClosed) return this.#open(slot)
    const deed = dice.weighted(DEEDS)
    switch (deed) {
      case 'fin':
      case 'rst':
      case 'stop':
      case 'read':
        return [{ kind: deed, slot }]
      case 'wait':
        return [{ kind: 'wait', ms: dice.pick([10, 600, 3_000, 20_000, 100_000]) }]
      case 'garble':
        return this.#send(slot, [this.#garble(this.#sound(slot, peer))], false)
      case 'noise':
        return this.#send(slot, [dice.bytes(1 + dice.below(30))], false)
      case 'connect':
        return this.#send(slot, [this.#connect(slot, peer.version)], false)
      case 'auth':
        return this.#send(slot, [this.#auth(peer.version)], false)
      case 'disconnect':
        return this.#send(slot, [this.#disconnect(peer)], true)
      case 'burst': {
        const fills = dice.pick([[0, 300], [1_500]])
        const count = 2 + dice.below(40)
        return this.#send(
          slot,
          Array.from({ length: count }, () => this.#publish(slot, peer.version, fills)),
          true,
        )
      }
      case 'answer':
        return this.#send(slot, this.#answers(peer), true)
      default:
        return this.#send(
          slot,
          Array.from({ length: 1 + dice.below(3) }, () => this.#sound(slot, peer, deed)),
          true,
        )
    }
  }

  #open(slot: number): Action[] {
    const dice = this.#dice
    const version = dice.pick<wire.Version>([3, 4, 5, 5])
    this.#aliases[slot]!.clear()
    this.#connections[slot]!++
    const kernelBytes = dice.oneIn(6) ? dice.pick([16, 300]) : KERNEL_BYTES
    const connect = this.#connect(slot, version)
    const isGarbled = dice.oneIn(10)
    const first = this.#send(slot, [isGarbled ? this.#garble(connect) : connect], !isGarbled)
    return [{ kind: 'open', slot, version, kernelBytes }, ...first]
  }

  /** The packets in one stream, cut at random, arriving in one turn or in several, now or with what others send. */
  #send(slot: number, packets: readonly Uint8Array[], sound: boolean): Action[] {
    const dice = this.#dice
    // Behind garbled bytes the broker may begin a packet anywhere: what a payload says is no promise any more.
    const isTrue = sound && this.#run.peers[slot]?.isSound !== false
    const stream = Uint8Array.from(Buffer.concat(isTrue ? packets : packets.map(withoutMark)))
    const actions: Action[] = []
    const isCut = dice.oneIn(4)
    for (let at = 0; at < stream.length;) {
      const size = isCut ? 1 + dice.below(stream.length) : stream.length
      actions.push({ kind: 'send', slot, sound, data: stream.slice(at, at + size) })
      if (isCut && dice.oneIn(2)) actions.push({ kind: 'turn' })
      at += size
    }
    if (!dice.oneIn(5)) actions.push({ kind: 'settle' })
    return actions
  }

  /** What its payload says is true of the packet before: it must not be taken for a promise. */
  #garble(packet: Uint8Array): Uint8Array {
    return mutate(withoutMark(packet), this.#dice)
  }

  /** A packet that a connected client may send. */
  #sound(
    slot: number,
    peer: Peer,
    deed: string = this.#dice.pick(['publish', 'subscribe', 'unsubscribe', 'stray', 'connect']),
  ): Uint8Array {
    const { version } = peer
    switch (deed) {
      case 'subscribe':
        return this.#subscribe(version)
      case 'unsubscribe':
        return wire.unsubscribe(this.#id(), this.#dice.pick([...FILTERS, ...SHARED_FILTERS]))(version)
      case 'ping':
        return wire.pingreq()(version)
      case 'stray':
        return this.#ack({ type: this.#dice.pick(['PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP']), id: this.#id() }, version)
      case 'connect':
        return this.#connect(slot, version)
      default:
        return this.#publish(slot, version)
    }
  }

  #connect(slot: number, version: wire.Version): Uint8Array {
    const dice = this.#dice
    const properties: Part[] = []
    if (dice.oneIn(2)) properties.push(prop('sessionExpiryInterval', dice.pick([0, 5, 60, 0xffff_ffff])))
    if (dice.oneIn(2)) properties.push(prop('receiveMaximum', dice.pick([1, 2, 5, 65_535])))
    if (dice.oneIn(2)) properties.push(prop('topicAliasMaximum', dice.pick([0, 1, 4])))
    if (dice.oneIn(4)) properties.push(prop('maximumPacketSize', dice.pick([30, 60, 300])))
    if (dice.oneIn(4)) properties.push(prop('requestProblemInformation', dice.below(2)))
    if (dice.oneIn(6)) properties.push(prop('requestResponseInformation', dice.below(2)))
    if (dice.oneIn(6)) properties.push(prop('userProperty', ['k', 'v']))
    if (dice.oneIn(6)) properties.push(...this.#method())
    const willTopic = dice.pick(TOPICS)
    const willProperties = [prop('willDelayInterval', dice.pick([0, 2, 100])), prop('messageExpiryInterval', 50)]
    return wire.connect({
      clientId: dice.oneIn(15) ? '' : dice.pick(CLIENT_IDS),
      clean: dice.oneIn(2),
      keepAlive: dice.pick([0, 0, 5, 60]),
      ...(dice.oneIn(8) && { username: dice.pick(['ann', 'bob']) }),
      ...(dice.oneIn(3) && {
        will: {
          topic: willTopic,
          payload: markedPayload(this.#mark(`${slot}.will`, willTopic), 0),
          qos: dice.below(3) as wire.QoS,
          retain: dice.oneIn(3),
          ...(dice.oneIn(2) && { properties: willProperties }),
        },
      }),
      properties,
    })(version)
  }

  #publish(slot: number, version: wire.Version, fills: readonly number[] = [0, 0, 10, 300]): Uint8Array {
    const dice = this.#dice
    const topic = dice.pick(TOPICS)
    const qos = dice.below(3) as wire.QoS
    const properties: Part[] = []
    let name = topic
    if (dice.oneIn(5)) {
      // One alias for each topic, so that which name it stands for is known without following every packet.
      const alias = 1 + TOPICS.indexOf(topic)
      const aliases = this.#aliases[slot]!
      if (alias <= ALIAS_MAX) properties.push(prop('topicAlias', alias))
      if (aliases.has(alias) && version === 5) name = ''
      aliases.add(alias)
    }
    if (dice.oneIn(5)) properties.push(prop('messageExpiryInterval', dice.pick([1, 10, 1_000])))
    if (dice.oneIn(5)) properties.push(prop('userProperty', ['k', 'v']), prop('userProperty', ['k', 'w']))
    if (dice.oneIn(8)) properties.push(prop('payloadFormatIndicator', 1), prop('contentType', 'text/plain'))
    const isClearing = dice.oneIn(20)
    const payload = isClearing
      ? ''
      : markedPayload(this.#mark(`${slot}.${this.#connections[slot]}`, topic), dice.pick(fills))
    const options = { qos, ...(qos > 0 && { id: this.#id() }), retain: isClearing || dice.oneIn(6), properties }
    return wire.publish(name, payload, options)(version)
  }

  #subscribe(version: wire.Version): Uint8Array {
    const dice = this.#dice
    const filters = Array.from({ length: 1 + dice.below(3) }, (): wire.FilterOptions => {
      const isShared = dice.oneIn(5)
      const basics = { filter: dice.pick(isShared ? SHARED_FILTERS : FILTERS), qos: dice.below(3) }
      if (version !== 5) return basics
      // No local on a shared subscription is forbidden. [MQTT5-3.8.3-4]
      const noLocal = !isShared && dice.oneIn(4)
      return { ...basics, noLocal, retainAsPublished: dice.oneIn(2), retainHandling: dice.below(3) }
    })
    const properties = dice.oneIn(3) ? [prop('subscriptionIdentifier', 1 + dice.below(300))] : []
    return wire.subscribeWith(this.#id(), properties, ...filters)(version)
  }

  #auth(version: wire.Version): Uint8Array {
    const reason = this.#dice.pick([0x18, 0x18, 0x18, 0x19, 0x19, 0])
    return wire.auth(reason, this.#method())(version)
  }

  #method(): Part[] {
    const dice = this.#dice
    const data = prop('authenticationData', [dice.pick(Object.values(STEPS))])
    return [prop('authenticationMethod', dice.oneIn(8) ? 'another' : METHOD), data]
  }

  #disconnect({ version, wishes }: Peer): Uint8Array {
    const dice = this.#dice
    if (version !== 5 || dice.oneIn(2)) return wire.disconnect()(version)
    const reason = dice.pick([0, 0x04, 0x80])
    if (dice.oneIn(2)) return wire.disconnect({ reason })(version)
    // One that asked for no expiry may not ask for another now. [MQTT5-3.14.2.2.2-b]
    const seconds = wishes?.expires === true ? dice.pick([0, 3, 0xffff_ffff]) : 0
    return wire.disconnect({ reason, properties: [prop('sessionExpiryInterval', seconds)] })(version)
  }

  /** Some of what is due, the oldest first; now and then in another order. */
  #answers(peer: Peer): Uint8Array[] {
    const dice = this.#dice
    const answered = peer.due.splice(0, 1 + dice.below(peer.due.length))
    if (dice.oneIn(6)) answered.reverse()
    return answered.map((due) => this.#ack(due, peer.version))
  }

  #ack({ type, id }: Due, version: wire.Version): Uint8Array {
    const dice = this.#dice
    const isRefusal = version === 5 && dice.oneIn(8) && (type === 'PUBACK' || type === 'PUBREC')
    const options = isRefusal ? { reason: dice.pick(REFUSALS) } : {}
    const make = { PUBACK: wire.puback, PUBREC: wire.pubrec, PUBREL: wire.pubrel, PUBCOMP: wire.pubcomp }[type]
    return make(id, options)(version)
  }

  #mark(from: string, topic: string): Mark {
    return { from, topic, count: this.#count++ }
  }

  #id(): number {
    return 1 + this.#dice.below(12)
  }
}
