/** The few STOMP and WebSocket frames that benchmarks send and read: made once, sent often; read no further than to count. */

/** Headers in the order given; NUL at the end. */
export function stompFrame(
  command: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array = NOTHING,
): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  return Buffer.concat([Buffer.from(`${command}\n${lines.join('')}\n`), body, Buffer.of(0)])
}

/** `payload` as one binary frame of a client, masked as it must be. */
export function maskedFrame(payload: Uint8Array): Buffer {
  const size = payload.length
  const length = size < 126 ? [size | 0x80] : [126 | 0x80, size >> 8, size & 0xff]
  if (size > 0xffff) throw new RangeError(`a frame of ${size} bytes: at most 65535 here`)
  const masked = payload.map((byte, index) => byte ^ MASK[index & 3]!)
  return Buffer.concat([Buffer.of(0x82, ...length, ...MASK), masked])
}

const MASK = [0x5a, 0xc3, 0x17, 0x9e] as const
const NOTHING = new Uint8Array(0)

/** NULs in `bytes[start, end)`: frames, where no body has one. */
export function countNuls(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let at = bytes.indexOf(0, start); at >= 0 && at < end; at = bytes.indexOf(0, at + 1)) count++
  return count
}

/** Counts STOMP frames in the WebSocket frames of a server, however both are cut. */
export class WebSocketCounter {
  /** Of the frame at hand, still to come. */
  #payloadLeft = 0
  readonly #head = new Uint8Array(10)
  #headSize = 0

  count(bytes: Uint8Array): number {
    let frames = 0
    for (let at = 0; at < bytes.length;) {
      if (this.#payloadLeft === 0) {
        this.#head[this.#headSize++] = bytes[at++]!
        if (this.#headSize === this.#headBytes) this.#begin()
        continue
      }
      const end = Math.min(bytes.length, at + this.#payloadLeft)
      frames += countNuls(bytes, at, end)
      this.#payloadLeft -= end - at
      at = end
    }
    return frames
  }

  /** Bytes of the head, as far as one can tell. */
  get #headBytes(): number {
    if (this.#headSize < 2) return 2
    const size = this.#head[1]!
    return size < 126 ? 2 : size === 126 ? 4 : 10
  }

  #begin(): void {
    const view = new DataView(this.#head.buffer)
    const size = this.#head[1]!
    this.#payloadLeft = size < 126 ? size : size === 126 ? view.getUint16(2) : Number(view.getBigUint64(2))
    this.#headSize = 0
  }
}
