/** Frames as a strict client reads them: what no server may send fails the test that receives it. */

export type ServerCommand = 'CONNECTED' | 'MESSAGE' | 'RECEIPT' | 'ERROR'

export interface Frame {
  readonly command: ServerCommand
  /** The first of each name, without escapes. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly bytes: Uint8Array
}

const COMMANDS: readonly string[] = ['CONNECTED', 'MESSAGE', 'RECEIPT', 'ERROR'] satisfies ServerCommand[]
/** Headers that every frame of the kind has, in all versions. */
const REQUIRED: Readonly<Record<ServerCommand, readonly string[]>> = {
  CONNECTED: ['version', 'session', 'server'],
  MESSAGE: ['destination', 'message-id'],
  RECEIPT: ['receipt-id'],
  ERROR: ['message'],
}
const LF = 10

export class FrameParser {
  /** Of the session: 10, 11 or 12. What CONNECTED says counts from then on. */
  version = 12
  /** Until then an ERROR may be of any version. */
  #isAgreed = false
  /** Line ends between frames. */
  beatCount = 0
  #rest: Buffer = Buffer.alloc(0)

  get waitingByteCount(): number {
    return this.#rest.length
  }

  /** All frames that are complete with these bytes. Throws for what is none. */
  read(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = []
    this.#rest = Buffer.concat([this.#rest, bytes])
    for (;;) {
      while (this.#rest[0] === LF) {
        this.beatCount++
        this.#rest = this.#rest.subarray(1)
      }
      const headEnd = this.#rest.indexOf('\n\n')
      if (headEnd < 0) return frames
      const frame = this.#frame(this.#rest.toString('utf8', 0, headEnd), headEnd + 2)
      if (frame === undefined) return frames
      frames.push(frame)
    }
  }

  #frame(head: string, bodyStart: number): Frame | undefined {
    const [command = '', ...lines] = head.split('\n')
    if (!COMMANDS.includes(command)) throw new Error(`a server sent the command ${JSON.stringify(command)}`)
    const headers = this.#headers(command as ServerCommand, lines)
    const announced = headers['content-length']
    const end = announced === undefined ? this.#rest.indexOf(0, bodyStart) : bodyStart + Number(announced)
    if (end < 0 || end >= this.#rest.length) return undefined
    if (this.#rest[end] !== 0) throw new Error(`the body of ${command} does not end with NUL after ${announced} bytes`)
    const bytes = Buffer.from(this.#rest.subarray(bodyStart, end))
    this.#rest = this.#rest.subarray(end + 1)
    if (command === 'RECEIPT' && bytes.length > 0) throw new Error('a RECEIPT has a body')
    return { command: command as ServerCommand, headers, body: bytes.toString(), bytes }
  }

  #headers(command: ServerCommand, lines: readonly string[]): Record<string, string> {
    const headers = new Map<string, string>()
    const isLogin = command === 'CONNECTED'
    if (isLogin) {
      this.version = versionIn(lines)
      this.#isAgreed = true
    }
    for (const line of lines) {
      const colon = line.indexOf(':')
      if (colon < 1) throw new Error(`${command} has the header line ${JSON.stringify(line)}`)
      if (line.includes('\0')) throw new Error(`${command} has NUL in ${JSON.stringify(line)}`)
      if (this.version === 12 && this.#isAgreed && !isLogin && line.indexOf(':', colon + 1) >= 0)
        throw new Error(`${command} has a colon in a value: ${line}`)
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1)].map((text) =>
        this.#unescaped(text, isLogin),
      ) as [string, string]
      if (!headers.has(name)) headers.set(name, value)
    }
    for (const name of REQUIRED[command]) if (!headers.has(name)) throw new Error(`${command} has no header ${name}`)
    if (command === 'MESSAGE' && this.version > 10 && !headers.has('subscription'))
      throw new Error('MESSAGE has no header subscription')
    return Object.fromEntries(headers)
  }

  #unescaped(text: string, isLogin: boolean): string {
    if (this.version === 10 || isLogin) return text
    return text.replace(/\\(.?)/gs, (escape, letter: string) => {
      const meant = { n: '\n', c: ':', '\\': '\\', ...(this.version === 12 && { r: '\r' }) }[letter]
      if (meant === undefined && !this.#isAgreed) return escape
      if (meant === undefined) throw new Error(`the escape ${escape} is not one of version ${this.version}`)
      return meant
    })
  }
}

function versionIn(lines: readonly string[]): number {
  const name = lines.find((line) => line.startsWith('version:'))?.slice('version:'.length)
  const version = { '1.0': 10, '1.1': 11, '1.2': 12 }[name ?? '']
  if (version === undefined) throw new Error(`CONNECTED has the version ${name}`)
  return version
}
