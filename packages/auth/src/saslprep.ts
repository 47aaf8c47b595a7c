/**
 * SASLprep (RFC 4013): the one spelling of a name or password that both ends of SCRAM hash.
 * Deviation, stated: assigned means assigned in the Unicode of this runtime, not in Unicode 3.2, so that letters and
 * signs younger than 2002 can be used.
 */

/** Table B.1: characters without a shape of their own; dropped. */
const MAPPED_TO_NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]/gu

/** Table C.1.2: spaces that look like U+0020. */
const OTHER_SPACE = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/gu

/** Tables C.1.2 to C.9 and A.1, less what the mapping above has removed. */
const PROHIBITED = new RegExp(
  '[' +
    '\\p{Cc}\\p{Cn}\\p{Co}\\p{Cs}\\p{Zl}\\p{Zp}' + // controls, unassigned, private use, surrogates, line separators
    '\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000' + // spaces that normalisation could bring back
    // Characters that change or hide text.
    '\\u0340\\u0341\\u06dd\\u070f\\u180e\\u200e\\u200f\\u202a-\\u202e\\u2061-\\u2064\\u2066-\\u206f' +
    '\\u2ff0-\\u2ffb\\ufff9-\\ufffd\\u{1d173}-\\u{1d17a}\\u{e0001}\\u{e0020}-\\u{e007f}' +
    ']',
  'u',
)

/** Table D.1: characters written from right to left. */
const RIGHT_TO_LEFT = new RegExp(
  '[' +
    '\\u05be\\u05c0\\u05c3\\u05d0-\\u05ea\\u05f0-\\u05f4\\u061b\\u061f\\u0621-\\u063a\\u0640-\\u064a\\u066d-\\u066f' +
    '\\u0671-\\u06d5\\u06dd\\u06e5\\u06e6\\u06fa-\\u06fe\\u0700-\\u070d\\u0710\\u0712-\\u072c\\u0780-\\u07a5\\u07b1\\u200f' +
    '\\ufb1d\\ufb1f-\\ufb28\\ufb2a-\\ufb36\\ufb38-\\ufb3c\\ufb3e\\ufb40\\ufb41\\ufb43\\ufb44\\ufb46-\\ufbb1\\ufbd3-\\ufd3d' +
    '\\ufd50-\\ufd8f\\ufd92-\\ufdc7\\ufdf0-\\ufdfc\\ufe70-\\ufe74\\ufe76-\\ufefc' +
    ']',
  'u',
)

/** Text that preparation leaves as it is: most names and passwords. */
const PLAIN = /^[\x20-\x7e]*$/

export type Prepared = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }

/** Prepares a name or password. A problem is the end of a sentence about it. [RFC 4013 §2] */
export function saslPrep(input: string): Prepared {
  if (PLAIN.test(input)) return { ok: true, text: input }
  const text = input.replaceAll(MAPPED_TO_NOTHING, '').replaceAll(OTHER_SPACE, ' ').normalize('NFKC')
  const prohibited = PROHIBITED.exec(text)
  if (prohibited !== null) {
    const codePoint = (prohibited[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return { ok: false, problem: `holds U+${codePoint}, which RFC 4013 §2.3 prohibits` }
  }
  if (!isOneDirection(text)) {
    return {
      ok: false,
      problem: 'mixes right-to-left text with other letters or does not start and end with it (RFC 4013 §2.4)',
    }
  }
  return { ok: true, text }
}

/** Text with a right-to-left character starts and ends with one and holds no left-to-right letter. [RFC 3454 §6] */
function isOneDirection(text: string): boolean {
  if (!RIGHT_TO_LEFT.test(text)) return true
  const characters = [...text]
  const leftToRight = characters.some((character) => /\p{L}/u.test(character) && !RIGHT_TO_LEFT.test(character))
  return !leftToRight && RIGHT_TO_LEFT.test(characters[0] ?? '') && RIGHT_TO_LEFT.test(characters.at(-1) ?? '')
}
