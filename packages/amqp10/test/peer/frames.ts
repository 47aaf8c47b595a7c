/** Frames as tests send them, right or wrong. [AMQP10 §2.2, §2.3] */
import { composite, type Fields, type Manner } from '../wire/composites.ts'
import { u16, u32 } from '../wire/encode.ts'

const NOTHING = new Uint8Array(0)

/** Protocol ids. [AMQP10 §2.2, §5.2.1, §5.3.1] */
export const AMQP = 0
export const TLS = 2
export const SASL = 3

export function header(protocolId: number = AMQP, major = 1, minor = 0, revision = 0): Buffer {
  return Buffer.concat([Buffer.from('AMQP'), Buffer.from([protocolId, major, minor, revision])])
}

export interface FrameShape {
  readonly channel?: number
  readonly type?: number
  /** Data offset, in words of four octets. */
  readonly doff?: number
  /** Between header and body; its length decides `doff` unless that is given. */
  readonly extendedHeader?: Uint8Array
  /** What SIZE says; the size of the frame unless given. */
  readonly size?: number
  readonly payload?: Uint8Array
}

/** A frame with any body. */
export function rawFrame(body: Uint8Array, shape: FrameShape = {}): Buffer {
  const { channel = 0, type = 0, extendedHeader = NOTHING, payload = NOTHING } = shape
  const size = 8 + extendedHeader.length + body.length + payload.length
  const { doff = 2 + Math.ceil(extendedHeader.length / 4) } = shape
  return Buffer.concat([
    u32(shape.size ?? size),
    Buffer.from([doff, type]),
    u16(channel),
    extendedHeader,
    body,
    payload,
  ])
}

/** A frame with one performative. */
export function frame(kind: string, fields: Fields = {}, shape: FrameShape = {}, manner: Manner = {}): Buffer {
  return rawFrame(composite(kind, fields, manner).bytes, shape)
}

/** Says nothing but that we are there. [AMQP10 §2.4.5] */
export function emptyFrame(channel = 0, type = 0): Buffer {
  return rawFrame(NOTHING, { channel, type })
}

export function saslFrame(kind: string, fields: Fields = {}): Buffer {
  return frame(kind, fields, { type: 1 })
}

/** `sasl-init` with user and password. */
export function plainInit(name: string, password: string): Buffer {
  return saslFrame('sasl-init', { mechanism: 'PLAIN', initialResponse: `\0${name}\0${password}` })
}
