/** Sections that stand for what a message of another protocol says; neighbours are often the same message for other receivers. */
import type { Headers, HeaderCodec, Message, MessageExtras } from '@ternmq/core'
import { type AddressText, writeSections } from './headers-out.ts'
import { SectionWriter } from './section-writer.ts'

/** What the sections were made from. Headers of no bytes are the same for all messages of their codec. */
interface Made {
  readonly headers: Headers | HeaderCodec | undefined
  readonly text: boolean | undefined
  readonly extras: MessageExtras | undefined
  readonly expiresAtMs: number
  readonly retained: boolean
  readonly addressText: AddressText | undefined
  readonly address: string
  readonly bytes: Uint8Array
}

let last: Made = {
  headers: undefined,
  text: undefined,
  extras: undefined,
  expiresAtMs: 0,
  retained: false,
  addressText: undefined,
  address: '',
  bytes: new Uint8Array(0),
}

const writer = new SectionWriter()

/** `text`: what is true of the body. `address` in core form. */
export function foreignSections(
  message: Message,
  text: boolean | undefined,
  retained: boolean,
  addressText: AddressText,
  address: string,
): Uint8Array {
  const { extras, expiresAtMs } = message
  const headers = message.headerStart === message.bodyStart ? message.codec : message.headers
  if (
    last.headers === headers &&
    last.text === text &&
    last.extras === extras &&
    last.expiresAtMs === expiresAtMs &&
    last.retained === retained &&
    last.addressText === addressText &&
    last.address === address
  ) {
    return last.bytes
  }
  writer.reset()
  writeSections(writer, { headers: message.headers, text, extras, expiresAtMs, retained, address }, addressText)
  const bytes = writer.copy()
  last = { headers, text, extras, expiresAtMs, retained, addressText, address, bytes }
  return bytes
}
