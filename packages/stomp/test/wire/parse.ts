/**
 * Frames as tests read them: from text that is all there, written to be read against the grammar and sharing no line with the
 * codec. One character is one octet.
 */

export interface WireFrame {
  readonly command: string
  /** As they stand there, escapes undone, repeated ones included. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export type Version = '1.0' | '1.1' | '1.2'

export interface WireLimits {
  readonly headerBytes: number
  readonly headers: number
  readonly lineBytes: number
  readonly bodyBytes: number
}

/** `waits`: what is there may be the beginning of a frame. */
export type Ending = 'waits' | 'refused'

export interface Reading {
  readonly frames: WireFrame[]
  readonly ending: Ending
}

const COMMANDS =
  'SEND SUBSCRIBE UNSUBSCRIBE ACK NACK BEGIN COMMIT ABORT DISCONNECT CONNECT STOMP CONNECTED MESSAGE RECEIPT ERROR'.split(
    ' ',
  )
const WITHOUT_ESCAPES = ['CONNECT', 'STOMP', 'CONNECTED']
const WITH_BODY = ['SEND', 'MESSAGE', 'ERROR']

/** Thrown within, for what no more bytes can mend. */
class Refused extends Error {}

/** All frames of a stream that is told as one octet per character. */
export function readStream(stream: string, version: Version, limits: WireLimits): Reading {
  const frames: WireFrame[] = []
  let left = stream
  try {
    for (;;) {
      left = left.replace(/^[\r\n]+/, '')
      const found = readFrame(left, version, limits)
      if (found === undefined) return { frames, ending: 'waits' }
      frames.push(found.frame)
      left = left.slice(found.size)
    }
  } catch (error) {
    if (error instanceof Refused) return { frames, ending: 'refused' }
    throw error
  }
}

function readFrame(
  text: string,
  version: Version,
  limits: WireLimits,
): { readonly frame: WireFrame; readonly size: number } | undefined {
  const head = /^[^\n]*\n(?:(?!\r?\n)[^\n]*\n)*\r?\n/.exec(text)?.[0]
  checkHead(head ?? text, head !== undefined, limits)
  if (head === undefined) return undefined
  const [commandLine = '', ...lines] = head.split('\n').slice(0, -2)
  const command = commandLine.replace(/\r$/, '')
  const escapes = !WITHOUT_ESCAPES.includes(command) && version !== '1.0'
  const dropsCr = version === '1.2' || WITHOUT_ESCAPES.includes(command) || commandLine.endsWith('\r')
  let headers = lines.map((line) => readHeader(dropsCr ? line.replace(/\r$/, '') : line, escapes, version))
  const knowsOldOnly =
    version === '1.0' ||
    ((command === 'CONNECT' || command === 'STOMP') && !headers.some(([name]) => name === 'accept-version'))
  if (knowsOldOnly) headers = headers.map(([name, value]) => [name, value.replace(/^[ \t]+|[ \t]+$/g, '')])
  const body = readBody(text.slice(head.length), headers, limits)
  if (body === undefined) return undefined
  if (!WITH_BODY.includes(command) && !knowsOldOnly && /[^\r\n]/.test(body)) throw new Refused()
  return { frame: { command, headers, body }, size: head.length + body.length + 1 }
}

/** What is wrong with a head however it goes on. */
function checkHead(text: string, isWhole: boolean, limits: WireLimits): void {
  const lines = text.split('\n')
  const open = lines.pop()!
  const [commandLine, ...headerLines] = isWhole ? lines.slice(0, -1) : lines
  if (text.includes('\0')) throw new Refused()
  if (commandLine === undefined ? open.length >= 13 : !COMMANDS.includes(commandLine.replace(/\r$/, ''))) {
    throw new Refused()
  }
  if (text.length + (isWhole ? 0 : 1) > limits.headerBytes) throw new Refused()
  if (headerLines.length > limits.headers) throw new Refused()
  const longest = Math.max(
    ...headerLines.map((line) => line.length),
    isWhole || commandLine === undefined ? 0 : open.length,
  )
  if (longest + 1 > limits.lineBytes) throw new Refused()
}

function readHeader(line: string, escapes: boolean, version: Version): [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new Refused()
  const octets = Buffer.from(line, 'latin1')
  const whole = octets.toString('utf8')
  if (!Buffer.from(whole).equals(octets)) throw new Refused()
  if (escapes && version === '1.2' && whole.includes('\r')) throw new Refused()
  const at = whole.indexOf(':')
  const pair = [whole.slice(0, at), whole.slice(at + 1)] as const
  return pair.map((part) => (escapes ? undoEscapes(part, version) : part)) as [string, string]
}

function undoEscapes(text: string, version: Version): string {
  const meanings: Record<string, string> = { '\\n': '\n', '\\c': ':', '\\\\': '\\' }
  if (version === '1.2') meanings['\\r'] = '\r'
  return text.replace(/\\[^]?/g, (escape) => {
    if (!Object.hasOwn(meanings, escape)) throw new Refused()
    return meanings[escape]!
  })
}

/** Undefined when its end has not come. */
function readBody(
  text: string,
  headers: readonly (readonly [name: string, value: string])[],
  limits: WireLimits,
): string | undefined {
  const length = headers.find(([name]) => name === 'content-length')?.[1]
  if (length === undefined) {
    const end = text.indexOf('\0')
    if ((end < 0 ? text.length : end) > limits.bodyBytes) throw new Refused()
    return end < 0 ? undefined : text.slice(0, end)
  }
  if (!/^\d{1,15}$/.test(length) || Number(length) > limits.bodyBytes) throw new Refused()
  const end = Number(length)
  if (text.length <= end) return undefined
  if (text[end] !== '\0') throw new Refused()
  return text.slice(0, end)
}
