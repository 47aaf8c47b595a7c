/** Worlds of MQTT 3 clients, and what their tests share. */
import {
  type Client,
  frame,
  type PacketByType,
  type Part,
  subscribe,
  u16,
  utf8,
  World,
  type WorldOptions,
} from '../harness.ts'

export type Options = Omit<WorldOptions, 'version'>

export function world31(options: Options = {}): World {
  return new World({ ...options, version: 3 })
}

export function world311(options: Options = {}): World {
  return new World({ ...options, version: 4 })
}

/** Everything kept is in a log, as in earnest. */
export async function kept31(options: Options = {}): Promise<World> {
  return await World.withLog({ ...options, version: 3 })
}

/** Everything kept is in a log, as in earnest. */
export async function kept311(options: Options = {}): Promise<World> {
  return await World.withLog({ ...options, version: 4 })
}

/** A client that sees every message. */
export function watch(world: World, filter = '#', clientId = 'watcher'): Client {
  const watcher = world.connect(clientId)
  watcher.send(subscribe(1, filter))
  watcher.next('SUBACK')
  return watcher
}

/** Topic, payload and QoS of each message, as one line. */
export function lines(publishes: readonly PacketByType['PUBLISH'][]): string[] {
  return publishes.map(({ topic, payload, qos }) => `${topic} ${payload} q${qos}`)
}

/** CONNECT of 3.1.1 with these flags and any payload. */
export function connect311(flags: number, ...payload: readonly Part[]): Uint8Array {
  return frame(0x10, utf8('MQTT'), 4, flags, u16(0), ...payload)
}

/** CONNECT of 3.1 with these flags and any payload. */
export function connect31(flags: number, ...payload: readonly Part[]): Uint8Array {
  return frame(0x10, utf8('MQIsdp'), 3, flags, u16(0), ...payload)
}
