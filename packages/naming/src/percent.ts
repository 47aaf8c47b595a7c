/** Percent-encoding of one part of a path. [RFC 3986 §2.1] */
import { AddressRefused, quote } from './refusal.ts'

/** '$', ':' and '@' may stand in a path as they are, and names are easier to read with them. [RFC 3986 §3.3] */
const KEPT: Readonly<Record<string, string>> = { '%24': '$', '%3A': ':', '%40': '@' }

export function encodePart(text: string): string {
  return encodeURIComponent(text).replace(/%(?:24|3A|40)/g, (code) => KEPT[code]!)
}

/** Throws AddressRefused when it is not percent-encoded UTF-8, or holds U+0000. */
export function decodePart(text: string): string {
  const decoded = decodeUtf8(text)
  if (decoded.includes('\0')) throw new AddressRefused(`${quote(text)} holds U+0000, which no name may`)
  return decoded
}

function decodeUtf8(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // The only error it has.
    const rule = `a '%' stands before two hexadecimal digits, and for itself it is written '%25'`
    throw new AddressRefused(`${quote(text)} is not percent-encoded UTF-8: ${rule}`)
  }
}
