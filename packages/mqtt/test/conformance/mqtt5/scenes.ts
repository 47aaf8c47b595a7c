/** Beginnings that many conformance tests of MQTT 5 share. */
import { expect } from 'vitest'
import {
  type Client,
  type FilterOptions,
  type Part,
  prop,
  type Packet,
  type PacketByType,
  subscribeWith,
  type World,
} from '../../harness.ts'

type ConnectWishes = Parameters<World['connect']>[1]

const SUBSCRIBE_ID = 60_000

/** Long enough for every test, far below the broker's own maximum. */
export const LASTING_SECONDS = 3_600

/** Wishes of a client whose session outlives its connections. */
export function lasting(...properties: readonly Part[]): NonNullable<ConnectWishes> {
  return { clean: false, properties: [prop('sessionExpiryInterval', LASTING_SECONDS), ...properties] }
}

/** A connected client with one subscription; what came with its SUBACK waits to be taken. */
export function subscriber(
  world: World,
  clientId: string,
  filter: string | FilterOptions,
  wishes: ConnectWishes = {},
): Client {
  const client = world.connect(clientId, wishes)
  take(client, filter)
  return client
}

/** Subscribes one more filter. */
export function take(client: Client, filter: string | FilterOptions, ...properties: readonly Part[]): void {
  client.send(subscribeWith(SUBSCRIBE_ID, properties, filter))
  const granted = client.next('SUBACK').reasonCodes
  if (granted.length !== 1 || granted[0]! > 2) throw new Error(`not subscribed: ${granted.join(', ')}`)
}

/** Payloads of the PUBLISH packets that have come. */
export function payloads(client: Client): string[] {
  return client.publishes().map(({ payload }) => payload)
}

/** The one PUBLISH that has come. */
export function onlyPublish(client: Client): PacketByType['PUBLISH'] {
  const packets = client.publishes()
  expect(packets.map(({ payload }) => payload)).toHaveLength(1)
  return packets[0]!
}

/** `[type, id]` of packets with an identifier, `[type]` of others. */
export function sequence(packets: readonly Packet[]): (readonly [string, number?])[] {
  return packets.map((packet) => ('id' in packet ? [packet.type, packet.id] : [packet.type]))
}
