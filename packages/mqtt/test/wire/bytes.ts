/**
 * The data types of MQTT's wire format, written and read by hand: the tests must not share a line with the codec they judge.
 * [MQTT5 §1.5] [MQTT311 §1.5]
 */

/** A packet is put together from bytes and runs of bytes. */
export type Part = number | Uint8Array | readonly number[]

/** Bytes as the specification prints them: `hex('10 0c 00 04')`. Spaces and line breaks are free. */
export function hex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s+/g, '')
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new Error(`not hexadecimal bytes: ${text}`)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

export function bytes(...parts: readonly Part[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(typeof part === 'number' ? [part] : part))))
}

export function u16(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff]
}

export function u32(value: number): number[] {
  return [...u16(value / 0x1_0000), ...u16(value)]
}

export function varint(value: number): number[] {
  const out: number[] = []
  let rest = value
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return out
}

/** Binary Data: two bytes of length, then the bytes. A text is taken as its UTF-8. */
export function data(value: string | Uint8Array | readonly number[]): Uint8Array {
  const content = typeof value === 'string' ? new TextEncoder().encode(value) : value
  return bytes(u16(content.length), content)
}

/** UTF-8 Encoded String. Bytes go out as they are: that is how a test sends what is no UTF-8. */
export const utf8: typeof data = data

/** A whole packet: first byte, remaining length worked out, the rest. `frame(0xc0)` is PINGREQ. */
export function frame(first: number, ...parts: readonly Part[]): Uint8Array {
  const body = bytes(...parts)
  return bytes(first, varint(body.length), body)
}

/** Reads the types above; throws when the bytes end early or are not what they must be. */
export class Reader {
  readonly #bytes: Uint8Array
  at: number
  end: number

  constructor(input: Uint8Array, at = 0, end: number = input.length) {
    this.#bytes = input
    this.at = at
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at === this.end
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8()
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16()
  }

  /** As short as its value allows, at most four bytes. [MQTT5-1.5.5-1] */
  varint(): number {
    const start = this.at
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
      if (this.at - start === 4) throw new Error('variable byte integer of more than four bytes')
    }
    if (varint(value).length !== this.at - start) throw new Error('variable byte integer is longer than it need be')
    return value
  }

  data(): Uint8Array {
    return this.take(this.u16())
  }

  utf8(): string {
    const text = strictText(this.data())
    if (text.includes('\0')) throw new Error('string with U+0000')
    return text
  }

  rest(): Uint8Array {
    return this.take(this.end - this.at)
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.end) throw new Error(`${count} bytes wanted, ${this.end - this.at} left`)
    this.at += count
    return this.#bytes.slice(this.at - count, this.at)
  }
}

function strictText(content: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
}
