/** The few AMQP 1.0 frames that benchmarks send and read: made once, sent often; read no further than to count. */

export const PROTOCOL_HEADER: Buffer = Buffer.from('AMQP\0\u0001\0\0', 'latin1')

const OPEN = 0x10
const BEGIN = 0x11
export const ATTACH = 0x12
export const FLOW = 0x13
const TRANSFER = 0x14
const SOURCE = 0x28
const TARGET = 0x29
const DATA = 0x75

/** The first four bytes of a protocol header, where a frame has its size. */
const AMQP = 0x414d_5150

const NOTHING = Buffer.alloc(0)
const NULL = Buffer.of(0x40)
const UINT32_MAX = 0xffff_ffff
/** Larger than anything here: nobody waits for a window. */
const WIDE_WINDOW = 0x7fff_ffff

/** What is announced: everything here is small. */
const FRAME_BYTES_MAX = 4_096
const FRAME_HEADER_BYTES = 8
/** Behind the header, 00 53 and this. */
const CODE_AT = FRAME_HEADER_BYTES + 2

export function openFrame(containerId: string): Buffer {
  return frame(OPEN, [text(containerId), NULL, uint(FRAME_BYTES_MAX)])
}

export function beginFrame(): Buffer {
  return frame(BEGIN, [NULL, uint(0), uint(WIDE_WINDOW), uint(WIDE_WINDOW)])
}

/** Handle 0; what it sends is settled. */
export function attachFrame(role: 'sender' | 'receiver', address: string): Buffer {
  const isReceiver = role === 'receiver'
  const settled = Buffer.of(0x50, 1)
  const ends = [
    described(SOURCE, isReceiver ? [text(address)] : []),
    described(TARGET, isReceiver ? [] : [text(address)]),
  ]
  const end = isReceiver ? [] : [NULL, NULL, uint(0)]
  return frame(ATTACH, [text(`bench-${role}`), uint(0), bool(isReceiver), settled, Buffer.of(0x50, 0), ...ends, ...end])
}

/** Of a receiver: `credit` more from the delivery `deliveryCount` on. */
export function creditFrame(deliveryCount: number, credit: number): Buffer {
  const session = [uint(deliveryCount), uint(WIDE_WINDOW), uint(0), uint(WIDE_WINDOW)]
  return frame(FLOW, [...session, uint(0), uint(deliveryCount), uint(credit)])
}

/** Messages of one data section, one transfer each; their delivery ids go on from batch to batch. */
export class TransferBatch {
  readonly count: number
  readonly #bytes: Buffer
  readonly #stride: number
  readonly #idAt: number
  #nextId = 0

  constructor(count: number, bodyBytes: number) {
    if (bodyBytes > 255) throw new RangeError(`a body of ${bodyBytes} bytes: at most 255 here`)
    const body = Buffer.concat([Buffer.of(0, 0x53, DATA, 0xa0, bodyBytes), Buffer.alloc(bodyBytes, 'x')])
    const tag = Buffer.of(0xa0, 1, 0)
    const one = frame(TRANSFER, [uint(0), uint(UINT32_MAX), tag, uint(0), bool(true)], body)
    this.count = count
    this.#stride = one.length
    this.#idAt = one.indexOf(uint(UINT32_MAX)) + 1
    this.#bytes = Buffer.concat(Array.from({ length: count }, () => one))
  }

  /** Bytes of its own: what was sent before may still wait. */
  next(): Buffer {
    const bytes = Buffer.from(this.#bytes)
    for (let at = this.#idAt; at < bytes.length; at += this.#stride) bytes.writeUInt32BE(this.#nextId++ >>> 0, at)
    return bytes
  }
}

/** How much a peer takes, as its flow says it, counted from the first: beyond it one has to wait. */
export interface Room {
  readonly transfers: number
  /** Of the link; undefined where the flow is about the session alone. */
  readonly deliveries: number | undefined
}

/** Frames that are not counted. */
export type OnFrame = (code: number, room: Room | undefined) => void

/**
 * Counts the transfers in what comes in, however it is cut. It owns the memory that is read into: the beginning of a frame that is not
 * all there moves before it, so nothing else is copied.
 */
export class TransferCounter {
  /** To be read into. */
  readonly buffer: Buffer
  readonly #memory: Buffer
  readonly #onFrame: OnFrame
  #heldBytes = 0

  constructor(bytesMax: number, onFrame: OnFrame) {
    this.#memory = Buffer.alloc(FRAME_BYTES_MAX + bytesMax)
    this.buffer = this.#memory.subarray(FRAME_BYTES_MAX)
    this.#onFrame = onFrame
  }

  /** Of the next `byteCount` bytes, which are in `buffer`. */
  count(byteCount: number): number {
    const memory = this.#memory
    const end = FRAME_BYTES_MAX + byteCount
    let at = FRAME_BYTES_MAX - this.#heldBytes
    let transfers = 0
    while (end - at >= FRAME_HEADER_BYTES) {
      const size = sizeOf(memory, at)
      if (size > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${size} bytes: at most ${FRAME_BYTES_MAX} here`)
      if (at + size > end) break
      if (memory[at + CODE_AT] === TRANSFER) transfers++
      else if (size > FRAME_HEADER_BYTES) this.#take(at)
      at += size
    }
    this.#heldBytes = end - at
    memory.copyWithin(FRAME_BYTES_MAX - this.#heldBytes, at, end)
    return transfers
  }

  #take(at: number): void {
    const code = this.#memory[at + CODE_AT]!
    this.#onFrame(code, code === FLOW ? roomOf(this.#memory, at + CODE_AT + 1) : undefined)
  }
}

/** Of a frame, or of a protocol header. */
function sizeOf(bytes: Buffer, at: number): number {
  const size = bytes.readUInt32BE(at)
  return size === AMQP ? FRAME_HEADER_BYTES : size
}

/** Of the list of a flow: next-incoming-id, incoming-window, …, handle, delivery-count, link-credit. [AMQP10 §2.7.4] */
function roomOf(bytes: Buffer, start: number): Room {
  const fields: (number | undefined)[] = []
  let at = start + (bytes[start] === 0xd0 ? 9 : 3)
  for (
    const count = bytes[start] === 0xd0 ? bytes.readUInt32BE(start + 5) : bytes[start + 2]!;
    fields.length < Math.min(count, 7);
  ) {
    const code = bytes[at++]
    fields.push(code === 0x70 ? bytes.readUInt32BE(at) : code === 0x52 ? bytes[at] : code === 0x43 ? 0 : undefined)
    at += code === 0x70 ? 4 : code === 0x52 ? 1 : 0
  }
  const [nextIncomingId = 0, incomingWindow = 0, , , , deliveryCount, credit] = fields
  return {
    transfers: nextIncomingId + incomingWindow,
    deliveries: deliveryCount === undefined || credit === undefined ? undefined : deliveryCount + credit,
  }
}

function frame(code: number, fields: readonly Buffer[], payload: Buffer = NOTHING): Buffer {
  const body = Buffer.concat([described(code, fields), payload])
  const header = Buffer.alloc(FRAME_HEADER_BYTES)
  header.writeUInt32BE(FRAME_HEADER_BYTES + body.length, 0)
  header[4] = 2
  return Buffer.concat([header, body])
}

function described(code: number, fields: readonly Buffer[]): Buffer {
  const items = Buffer.concat(fields)
  return Buffer.concat([Buffer.of(0, 0x53, code, 0xc0, items.length + 1, fields.length), items])
}

function uint(value: number): Buffer {
  const bytes = Buffer.of(0x70, 0, 0, 0, 0)
  bytes.writeUInt32BE(value, 1)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.of(0xa1, bytes.length), bytes])
}

function bool(value: boolean): Buffer {
  return Buffer.of(value ? 0x41 : 0x42)
}
