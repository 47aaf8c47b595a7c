/** The body of a message as text, JSON and bytes. */
import { hexDump, isReadable, type MessageBody } from '@ternmq/api'

export type BodyView = 'text' | 'json' | 'hex'

export function bytesOf(body: MessageBody): Uint8Array {
  if (body.encoding !== 'base64') return new TextEncoder().encode(body.value)
  return Uint8Array.from(atob(body.value), (char) => char.charCodeAt(0))
}

/** Bytes that are no UTF-8 are shown as the replacement character. */
export function textOf(body: MessageBody): string {
  return body.encoding === 'base64' ? new TextDecoder().decode(bytesOf(body)) : body.value
}

/** Views that make sense, the best one first. */
export function viewsOf(body: MessageBody): readonly BodyView[] {
  if (body.encoding === 'json') return ['json', 'text', 'hex']
  return body.encoding === 'text' && isReadable(body.value) ? ['text', 'hex'] : ['hex', 'text']
}

export function showBody(body: MessageBody, view: BodyView): string {
  if (view === 'hex') return hexDump(bytesOf(body))
  return view === 'json' ? indentJson(textOf(body)) : textOf(body)
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/**
 * Breaks and indents JSON without reading its values: numbers that JavaScript cannot hold stay as they are. A text that is cut off, or no
 * JSON, comes out readable too.
 */
export function indentJson(text: string): string {
  let out = ''
  let depth = 0
  const tokens = text.match(TOKEN) ?? []
  const breakLine = (): void => {
    out += `\n${'  '.repeat(Math.max(0, depth))}`
  }
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1]
    if (token === '{' || token === '[') {
      out += token
      depth++
      if (next !== '}' && next !== ']') breakLine()
    } else if (token === '}' || token === ']') {
      depth--
      const before = tokens[index - 1]
      if (before !== '{' && before !== '[') breakLine()
      out += token
    } else if (token === ',') {
      out += token
      breakLine()
    } else out += token === ':' ? ': ' : token
  }
  return out
}
