/** Frames as a strict client reads them: what no server may send fails the test that receives it. [AMQP10 §2.2, §2.3, §5.3] */
import { nextComposite } from '../wire/composites.ts'
import { Cursor } from '../wire/decode.ts'

/** A frame with its fields by name, a protocol header ('header') or a frame without body ('empty'). */
export interface Frame {
  readonly kind: string
  readonly channel: number
  /** Bytes of all of it. */
  readonly size: number
  readonly payload: Buffer
  // Fields of performatives; those of the kind are there.
  readonly [field: string]: unknown
}

const AMQP_KINDS: readonly string[] = [
  'open',
  'begin',
  'attach',
  'flow',
  'transfer',
  'disposition',
  'detach',
  'end',
  'close',
]
/** What the server says in a login. */
const SASL_KINDS: readonly string[] = ['sasl-mechanisms', 'sasl-challenge', 'sasl-outcome']
const SASL_ID = 3
const SASL_BYTES_MAX = 512

/** header: the next thing is a protocol header. closed: the server has said close, and nothing may follow. */
type Phase = 'header' | 'sasl' | 'amqp' | 'opened' | 'closed'

export class FrameParser {
  /** Largest frame that this side has said it takes; 512 before its open. */
  frameBytesMax = 512
  /** Highest channel that this side has said it takes. */
  channelMax = 0
  #phase: Phase = 'header'
  #rest: Buffer = Buffer.alloc(0)

  get waitingByteCount(): number {
    return this.#rest.length
  }

  /** All frames that are complete with these bytes. Throws for what is none. */
  read(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = []
    this.#rest = Buffer.concat([this.#rest, bytes])
    while (this.#rest.length >= 8) {
      if (this.#phase === 'closed') throw new Error(`the server wrote after its close: ${this.#rest.toString('hex')}`)
      const size = this.#phase === 'header' ? 8 : this.#rest.readUInt32BE()
      if (size < 8) throw new Error(`a frame has SIZE ${size}`)
      if (this.#rest.length < size) break
      const whole = this.#rest.subarray(0, size)
      this.#rest = this.#rest.subarray(size)
      frames.push(this.#phase === 'header' ? this.#header(whole) : this.#frame(whole))
    }
    if (this.#phase === 'closed' && this.#rest.length > 0)
      throw new Error(`the server wrote after its close: ${this.#rest.toString('hex')}`)
    return frames
  }

  #header(bytes: Buffer): Frame {
    if (bytes.toString('latin1', 0, 4) !== 'AMQP') throw new Error(`no protocol header: ${bytes.toString('hex')}`)
    const [protocolId, ...version] = bytes.subarray(4)
    this.#phase = protocolId === SASL_ID ? 'sasl' : 'amqp'
    return { kind: 'header', channel: 0, size: 8, payload: Buffer.alloc(0), protocolId, version: version.join('.') }
  }

  #frame(bytes: Buffer): Frame {
    const isSasl = this.#phase === 'sasl'
    const [doff, type] = [bytes[4]!, bytes[5]!]
    if (doff !== 2) throw new Error(`a frame has DOFF ${doff}: there are no extended headers to send`)
    if (type !== (isSasl ? 1 : 0)) throw new Error(`a frame has TYPE ${type} in phase ${this.#phase}`)
    const channel = bytes.readUInt16BE(6)
    const limit = isSasl ? SASL_BYTES_MAX : this.frameBytesMax
    if (bytes.length > limit) throw new Error(`a frame has ${bytes.length} bytes; ${limit} were agreed`)
    if (channel > this.channelMax)
      throw new Error(`a frame came on channel ${channel}; the highest is ${this.channelMax}`)
    if (bytes.length === 8) return this.#empty(channel)
    return this.#performative(bytes, channel)
  }

  #performative(bytes: Buffer, channel: number): Frame {
    const cursor = new Cursor(bytes, 8)
    const fields = nextComposite(cursor)
    const payload = Buffer.from(bytes.subarray(cursor.at))
    const { kind } = fields
    const isSasl = this.#phase === 'sasl'
    if (!(isSasl ? SASL_KINDS : AMQP_KINDS).includes(kind))
      throw new Error(`the server sent ${kind} in phase ${this.#phase}`)
    if (payload.length > 0 && kind !== 'transfer') throw new Error(`${kind} has a payload`)
    if (this.#phase === 'amqp' && kind !== 'open') throw new Error(`the first frame is ${kind}`)
    if (this.#phase === 'opened' && kind === 'open') throw new Error('the server sent open twice')
    if ((kind === 'open' || isSasl) && channel !== 0) throw new Error(`${kind} came on channel ${channel}`)
    if (kind === 'open') this.#phase = 'opened'
    if (kind === 'close') this.#phase = 'closed'
    if (kind === 'sasl-outcome') this.#phase = 'header'
    return { ...fields, channel, size: bytes.length, payload }
  }

  #empty(channel: number): Frame {
    if (this.#phase !== 'opened') throw new Error(`an empty frame came in phase ${this.#phase}`)
    return { kind: 'empty', channel, size: 8, payload: Buffer.alloc(0) }
  }
}
