/** How a text is refused while it is read: thrown inside the package, handed out as a value by `resolve`. */
import type { Refusal } from '@ternmq/core'

/** Longest piece of an address in a sentence, in UTF-16 units. */
const QUOTED_LENGTH_MAX = 80

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly refusal: Refusal

  constructor(text: string, refusal: Refusal = 'invalid-name') {
    super(text)
    this.refusal = refusal
  }
}

/** The text between quotes, printable and not too long. */
export function quote(text: string): string {
  const isLong = text.length > QUOTED_LENGTH_MAX
  const printable = JSON.stringify((isLong ? text.slice(0, QUOTED_LENGTH_MAX) : text).toWellFormed()).slice(1, -1)
  return `'${printable.replaceAll('\\"', '"')}${isLong ? '…' : ''}'`
}
