/** Bytes that should be text, and where in a text something is wrong. For the page too: nothing of the system is in here. */

/** What is wrong with a text. Its message begins with the place; whoever knows a file's name makes its own sentence of the parts. */
export class TextFault extends Error {
  override readonly name = 'TextFault'
  /** A sentence, without a place. */
  readonly reason: string
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number

  constructor(text: string, offset: number, reason: string) {
    const before = text.slice(0, offset).split('\n')
    const line = before.length
    const column = before.at(-1)!.length + 1
    super(`line ${line}, column ${column}: ${reason}`)
    this.reason = reason
    this.line = line
    this.column = column
  }
}

/** The text, without a byte order mark. Throws TextFault at the first byte that is not UTF-8: a guess would be another name than the one meant. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const before = longestText(bytes)
    throw new TextFault(before, before.length, 'this is not UTF-8 text; save the file as UTF-8')
  }
}

/** As far as it is text. Halves again and again: a search byte by byte would decode the beginning each time. */
function longestText(bytes: Uint8Array): string {
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (beginningOf(bytes, middle) === undefined) bad = middle
    else good = middle
  }
  return beginningOf(bytes, good) ?? ''
}

/** A character whose end is not there yet is left out. */
function beginningOf(bytes: Uint8Array, length: number): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true })
  } catch {
    return undefined
  }
}
