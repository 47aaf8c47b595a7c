/**
 * Escapes in header names and values, per version. 1.0 and the frames of the login have none, 1.1 has `\n`, `\c` and `\\`, 1.2 has
 * `\r` besides. [STOMP11-Value_Encoding-c] [STOMP12-Value_Encoding-c]
 */
import type { StompVersion } from './versions.ts'

/** How a frame writes its headers: as its version does, or `'none'` for 1.0 and the frames of the login. */
export type Escaping = 'none' | 11 | 12

export function escapingOf(version: StompVersion, isOfLogin: boolean): Escaping {
  return version === 10 || isOfLogin ? 'none' : version
}

/** Undoes the escapes of text whose escapes were checked before. */
export function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, letter: string) => UNESCAPED[letter] ?? `\\${letter}`)
}

const UNESCAPED: Readonly<Record<string, string>> = { __proto__: null as never, r: '\r', n: '\n', c: ':', '\\': '\\' }

/**
 * Text as a header has it. What the form cannot carry must not end a line or a frame: a line feed without escapes is written as 1.1
 * writes it, and so is a colon in a name; U+0000, where many readers end the frame, becomes U+FFFD in every form.
 */
export function escape(text: string, escaping: Escaping, isName: boolean): string {
  if (!SPECIAL.test(text)) return text
  if (escaping === 12) return text.replace(/[\\\r\n:\0]/g, (char) => ESCAPED[char]!)
  if (escaping === 11) return text.replace(/[\\\n:\0]/g, (char) => ESCAPED[char]!)
  return text.replace(isName ? /[\n:\0]/g : /[\n\0]/g, (char) => ESCAPED[char]!)
}

const SPECIAL = /[\\\r\n:\0]/
const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\\\', '\r': '\\r', '\n': '\\n', ':': '\\c', '\0': '\ufffd' }
