/**
 * A client that keeps its half of MQTT's promises whatever happens to the broker: what it has begun it remembers, repeats on the next
 * connection and never takes twice. It counts what it was given, so that a test can hold the broker to the other half.
 */
import { type Client, connect, publish, pubcomp, puback, pubrec, pubrel, subscribe, type World } from '../../harness.ts'
import { lasting } from '../mqtt5/scenes.ts'

const SUBSCRIBE_ID = 0xffff

interface Outgoing {
  readonly text: string
  readonly qos: 1 | 2
  isReleased: boolean
}

export class CarefulClient {
  readonly clientId: string
  readonly #filter: string | undefined
  #client: Client | undefined = undefined
  #isAccepted = false
  #hadSession = false
  #isSubscribed = false
  /** By packet identifier, in the order of their first sending. */
  readonly #outgoing = new Map<number, Outgoing>()
  #topic = ''
  readonly #received = new Set<number>()
  /** Bodies in the order in which they were taken; at QoS 2 each once. */
  readonly got: string[] = []
  /** By body, the identifiers it came under. */
  readonly idsOf: Map<string, Set<number>> = new Map()
  repeatedCount = 0

  constructor(clientId: string, filter?: string) {
    this.clientId = clientId
    this.#filter = filter
  }

  get isReady(): boolean {
    return this.#isAccepted && (this.#filter === undefined || this.#isSubscribed)
  }

  /** Nothing of what it published is unfinished. */
  get isDone(): boolean {
    return this.#outgoing.size === 0
  }

  /** A new connection, to a broker that may be new, too. */
  connect(world: World): void {
    this.#isAccepted = false
    this.#client = world.open()
    this.#client.push(connect({ ...lasting(), clientId: this.clientId }))
  }

  publish(topic: string, text: string, qos: 1 | 2): void {
    // The lowest that is free: an identifier that comes back is used again at once.
    let id = 1
    while (this.#outgoing.has(id)) id++
    this.#outgoing.set(id, { text, qos, isReleased: false })
    this.#topic = topic
    if (this.#isAccepted) this.#client!.push(publish(topic, text, { qos, id }))
  }

  /** Takes what has come and answers. */
  react(): void {
    const client = this.#client!
    for (const packet of client.received()) {
      switch (packet.type) {
        case 'CONNACK':
          this.#onAccepted(client, packet.sessionPresent)
          break
        case 'SUBACK':
          this.#isSubscribed = true
          break
        case 'PUBACK':
          this.#outgoing.delete(packet.id)
          break
        case 'PUBREC':
          if (packet.reasonCode >= 0x80) throw new Error(`PUBREC ${packet.id} says 0x${packet.reasonCode.toString(16)}`)
          this.#outgoing.get(packet.id)!.isReleased = true
          client.push(pubrel(packet.id))
          break
        case 'PUBCOMP':
          this.#outgoing.delete(packet.id)
          break
        case 'PUBLISH':
          this.#onPublish(client, packet.qos, packet.id ?? 0, packet.payload, packet.dup)
          break
        case 'PUBREL':
          this.#received.delete(packet.id)
          client.push(pubcomp(packet.id))
          break
        default:
          throw new Error(`${packet.type} was not expected`)
      }
    }
  }

  #onAccepted(client: Client, sessionPresent: boolean): void {
    if (this.#hadSession && !sessionPresent) throw new Error(`the session of ${this.clientId} is gone`)
    this.#isAccepted = true
    this.#hadSession = true
    if (this.#filter !== undefined && !this.#isSubscribed) client.push(subscribe(SUBSCRIBE_ID, this.#filter))
    for (const [id, { text, qos, isReleased }] of this.#outgoing) {
      client.push(isReleased ? pubrel(id) : publish(this.#topic, text, { qos, id, dup: true }))
    }
  }

  #onPublish(client: Client, qos: number, id: number, text: string, dup: boolean): void {
    if (dup) this.repeatedCount++
    let ids = this.idsOf.get(text)
    if (ids === undefined) this.idsOf.set(text, (ids = new Set()))
    ids.add(id)
    if (qos === 2) {
      if (!this.#received.has(id)) this.got.push(text)
      this.#received.add(id)
      client.push(pubrec(id))
    } else {
      this.got.push(text)
      client.push(puback(id))
    }
  }
}
