/** From the sections that the core keeps to its `Headers`: for selectors, the console, receivers of other protocols. */
import type { Headers } from '@ternmq/core'
import { addressSpelling } from '@ternmq/naming'
import { behindDescriptor, Descriptor, describedCode } from '../codec/descriptors.ts'
import { skipValue } from '../codec/structure.ts'
import { Code } from '../codec/type-codes.ts'
import { kindOfContent } from './foreign-body.ts'
import { idText } from './ids.ts'
import { binaryAt, eachEntry, elementsAt, integerAt, textAt } from './reading.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

const spelling = addressSpelling('amqp10')

/** `bytes` end with the descriptor and the constructor of the body's first section. */
export function decodeHeaders(bytes: Uint8Array): Headers {
  const properties: [string, string][] = []
  const draft: Mutable<Headers> = { properties }
  let at = 0
  while (at < bytes.length) {
    const code = describedCode(bytes, at, bytes.length)
    const valueAt = behindDescriptor(bytes, at)
    if (code === Descriptor.properties) readProperties(bytes, valueAt, draft)
    else if (code === Descriptor.applicationProperties) {
      eachEntry(bytes, valueAt, (keyAt, entryAt) => {
        const name = textAt(bytes, keyAt)
        if (name !== undefined) properties.push([name, textAt(bytes, entryAt) ?? String(integerAt(bytes, entryAt))])
      })
    } else if (code >= Descriptor.data) {
      const kind = kindOfContent(code, bytes[valueAt] ?? Code.null)
      if (kind === 'text' || kind === 'json') draft.text = true
      if (kind === 'json') draft.contentType = 'application/json'
      break
    }
    at = skipValue(bytes, valueAt)
  }
  return draft
}

function readProperties(bytes: Uint8Array, listAt: number, draft: Mutable<Headers>): void {
  const { count, at: first } = elementsAt(bytes, listAt)
  let at = first
  for (let index = 0; index < count; index++) {
    if (bytes[at] !== Code.null) readProperty(bytes, index, at, draft)
    at = skipValue(bytes, at)
  }
}

function readProperty(bytes: Uint8Array, index: number, at: number, draft: Mutable<Headers>): void {
  if (index === 0) draft.messageId = idText(bytes, at) ?? ''
  else if (index === 3) draft.type = textAt(bytes, at) ?? ''
  else if (index === 4) {
    const read = spelling.read(textAt(bytes, at) ?? '')
    if ('address' in read) draft.replyTo = read.address
  } else if (index === 5) draft.correlationId = binaryAt(bytes, at)?.slice() ?? new TextEncoder().encode(idText(bytes, at) ?? '')
  else if (index === 6) draft.contentType = textAt(bytes, at) ?? ''
  else if (index === 7) draft.contentEncoding = textAt(bytes, at) ?? ''
  else if (index === 9) draft.timestampMs = integerAt(bytes, at) ?? 0
  else if (index === 11) draft.groupSequence = (integerAt(bytes, at) ?? 0) | 0
}
