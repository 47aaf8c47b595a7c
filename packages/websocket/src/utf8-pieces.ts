/** Judges whether a text is UTF-8 while it comes in pieces, which may end within a character. */
import { isUtf8 } from 'node:buffer'

const CONTINUATION_MASK = 0xc0
const CONTINUATION = 0x80
const CHARACTER_BYTES_MAX = 4

export class Utf8Pieces {
  /** Beginning of a character whose end has not come. */
  readonly #open = new Uint8Array(CHARACTER_BYTES_MAX)
  #openBytes = 0

  /** The text could not end here. */
  get isWithinCharacter(): boolean {
    return this.#openBytes > 0
  }

  /** False: what came so far is the beginning of no text. It may take until the end of a character to say so. */
  takes(piece: Uint8Array): boolean {
    if (this.#openBytes === 0 && isUtf8(piece)) return true
    return this.#takesInParts(piece)
  }

  #takesInParts(piece: Uint8Array): boolean {
    let at = 0
    const open = this.#open
    while (this.#openBytes > 0) {
      if (at === piece.length) return true
      open[this.#openBytes++] = piece[at++]!
      if (this.#openBytes < characterBytes(open[0]!)) continue
      if (!isUtf8(open.subarray(0, this.#openBytes))) return false
      this.#openBytes = 0
    }
    const end = lastCharacter(piece, at)
    if (!isUtf8(piece.subarray(at, end))) return false
    open.set(piece.subarray(end))
    this.#openBytes = piece.length - end
    return true
  }
}

/** Where the last character begins, if it is not all there; otherwise the end. */
function lastCharacter(piece: Uint8Array, start: number): number {
  const { length } = piece
  const from = Math.max(start, length - CHARACTER_BYTES_MAX + 1)
  for (let at = length - 1; at >= from; at--) {
    const byte = piece[at]!
    if ((byte & CONTINUATION_MASK) !== CONTINUATION) return at + characterBytes(byte) > length ? at : length
  }
  return length
}

/** Bytes of a character that begins so; 1 where none does. */
function characterBytes(first: number): number {
  if (first < 0xc2 || first > 0xf4) return 1
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}
