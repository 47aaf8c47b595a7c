/** From the core's `Headers` to sections. */
import type { Headers } from '@ternmq/core'
import { addressSpelling } from '@ternmq/naming'
import { Descriptor } from '../codec/descriptors.ts'
import { Code } from '../codec/type-codes.ts'
import { writeId } from './ids.ts'
import { SectionWriter } from './section-writer.ts'

const spelling = addressSpelling('amqp10')
const writer = new SectionWriter()

export function encodeHeaders(headers: Headers): Uint8Array {
  writer.reset()
  writeSections(writer, headers, undefined, spelling.write)
  return writer.copy()
}

/** Message annotations, properties, application properties. */
export function writeSections(to: SectionWriter, headers: Headers, address: string | undefined, addressText: (name: string) => string | undefined): void {
  to.section(Descriptor.properties)
  const start = to.begin()
  if (headers.messageId === undefined) to.null()
  else writeId(to, headers.messageId)
  to.null()
  text(to, address === undefined ? undefined : addressText(address))
  text(to, headers.type)
  text(to, headers.replyTo === undefined ? undefined : addressText(headers.replyTo))
  if (headers.correlationId === undefined) to.null()
  else to.binary(headers.correlationId)
  symbol(to, headers.contentType)
  symbol(to, headers.contentEncoding)
  to.end(start, 8, Code.list8)
  if (headers.properties.length === 0) return
  to.section(Descriptor.applicationProperties)
  const mapStart = to.begin()
  for (const [name, value] of headers.properties) {
    to.string(name)
    to.string(value)
  }
  to.end(mapStart, headers.properties.length * 2, Code.map8)
}

function text(to: SectionWriter, value: string | undefined): void {
  if (value === undefined) to.null()
  else to.string(value)
}

function symbol(to: SectionWriter, value: string | undefined): void {
  if (value === undefined) to.null()
  else to.symbol(value)
}
