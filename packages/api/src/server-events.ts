/** Reads server-sent events from bytes, however they are cut. [HTML §9.2.6] */

export interface ServerEvent {
  readonly event: string
  /** JSON of the type that the call says. */
  readonly data: unknown
  readonly id?: number | undefined
}

/** Characters of one event that is not complete; beyond it the stream is none of ours. */
const EVENT_CHARS_MAX = 33_554_432

export class EventParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #event = ''
  #data: string[] = []
  #dataChars = 0
  #id: number | undefined

  /** The events that `bytes` complete. Throws RangeError for one that is too long, SyntaxError for data that is no JSON. */
  push(bytes: Uint8Array): ServerEvent[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r\n|\n/)
    this.#rest = lines.pop()!
    checkLength(this.#rest.length)
    return lines.flatMap((line) => this.#take(line))
  }

  #take(line: string): ServerEvent[] {
    if (line === '') return this.#complete()
    const colon = line.indexOf(':')
    if (colon === 0) return [] // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#takeData(value)
    else if (field === 'id' && /^\d{1,15}$/.test(value)) this.#id = Number(value)
    return []
  }

  #takeData(line: string): void {
    this.#dataChars += line.length + 1
    checkLength(this.#dataChars)
    this.#data.push(line)
  }

  #complete(): ServerEvent[] {
    const [event, data, id] = [this.#event, this.#data, this.#id]
    this.#event = ''
    this.#data = []
    this.#dataChars = 0
    this.#id = undefined
    if (data.length === 0) return []
    return [
      {
        event: event === '' ? 'message' : event,
        data: JSON.parse(data.join('\n')) as unknown,
        ...(id !== undefined && { id }),
      },
    ]
  }
}

function checkLength(chars: number): void {
  if (chars > EVENT_CHARS_MAX) throw new RangeError(`an event has more than ${EVENT_CHARS_MAX} characters`)
}
