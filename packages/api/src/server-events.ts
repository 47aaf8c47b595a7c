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
  #id: number | undefined

  /** The events that `bytes` complete. Throws RangeError for one that is too long, SyntaxError for data that is no JSON. */
  push(bytes: Uint8Array): ServerEvent[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r\n|\n/)
    this.#rest = lines.pop()!
    if (this.#rest.length > EVENT_CHARS_MAX)
      throw new RangeError(`an event has more than ${EVENT_CHARS_MAX} characters`)
    return lines.flatMap((line) => this.#take(line))
  }

  #take(line: string): ServerEvent[] {
    if (line === '') return this.#complete()
    const colon = line.indexOf(':')
    if (colon === 0) return [] // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && /^\d{1,15}$/.test(value)) this.#id = Number(value)
    return []
  }

  #complete(): ServerEvent[] {
    const [event, data, id] = [this.#event, this.#data, this.#id]
    this.#event = ''
    this.#data = []
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
