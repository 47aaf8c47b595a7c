/** The few packets that benchmarks send, as bytes: made once, sent often. */

export type Version = 4 | 5
export type QoS = 0 | 1 | 2

export interface PublishShape {
  readonly version: Version
  readonly topic: string
  readonly qos: QoS
  readonly payloadBytes: number
  /** MQTT 5 properties without their length. */
  readonly properties?: Uint8Array
}

export function connectPacket(version: Version, clientId: string, properties: Uint8Array = NOTHING): Buffer {
  const head = [...text('MQTT'), version, 0x02, 0, 0]
  return frame(0x10, Buffer.from(head), version === 5 ? block(properties) : NOTHING, Buffer.from(text(clientId)))
}

/** As many filters as fit into one packet. */
export function subscribePacket(version: Version, id: number, filters: readonly string[], qos: QoS): Buffer {
  const requests = filters.map((filter) => Buffer.from([...text(filter), qos]))
  return frame(0x82, Buffer.from([id >> 8, id & 0xff]), version === 5 ? block(NOTHING) : NOTHING, ...requests)
}

/** `id` is left out with QoS 0. */
export function publishPacket(
  { version, topic, qos, payloadBytes, properties = NOTHING }: PublishShape,
  id: number,
): Buffer {
  return frame(
    0x30 | (qos << 1),
    Buffer.from(text(topic)),
    qos === 0 ? NOTHING : Buffer.from([id >> 8, id & 0xff]),
    version === 5 ? block(properties) : NOTHING,
    Buffer.alloc(payloadBytes, 0x78),
  )
}

export function pairProperty(key: string, value: string): Uint8Array {
  return Buffer.from([0x26, ...text(key), ...text(value)])
}

export function textProperty(id: number, value: string): Uint8Array {
  return Buffer.from([id, ...text(value)])
}

/** Offset behind the fixed header at `start`: where the variable header begins. */
export function bodyStart(bytes: Uint8Array, start: number): number {
  let at = start + 1
  while (bytes[at]! > 127) at++
  return at + 1
}

/** Remaining length of the packet at `start`. */
export function remainingLength(bytes: Uint8Array, start: number): number {
  let value = 0
  let shift = 0
  for (let at = start + 1; ; at++, shift += 7) {
    value |= (bytes[at]! & 0x7f) << shift
    if (bytes[at]! < 128) return value
  }
}

const NOTHING = new Uint8Array(0)

function frame(first: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([first, ...varint(body.length)]), body])
}

function block(properties: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(varint(properties.length)), properties])
}

function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes]
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]
}
