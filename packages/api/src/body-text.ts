/** Bodies of messages for people: what can be read as it is, and what is better seen byte by byte. */

/** Tabs, line breaks and colours of terminals are in many a text. */
const CONTROL = /[^\P{Cc}\t\n\r\u001B]/u

/** Without control characters that no text has. */
export function isReadable(text: string): boolean {
  return !CONTROL.test(text)
}

/** 16 bytes a line: offset, bytes, and what of it can be printed. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.subarray(at, at + 16)]
    const hex = part.map((byte) => byte.toString(16).padStart(2, '0'))
    const left = hex.slice(0, 8).join(' ').padEnd(23)
    const right = hex.slice(8).join(' ').padEnd(23)
    const shown = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${left}  ${right}  ${shown}`)
  }
  return lines.join('\n')
}
