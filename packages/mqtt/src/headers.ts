/**
 * MQTT's headers as the core keeps them: MQTT 5 properties in the bytes they came in, nothing at all for MQTT 3. Per-hop properties
 * (topic alias, expiry, subscription ids) are not among them. User properties that stand for fields of the core are told apart by the
 * table of packages/naming. A message that stays within MQTT 5 is none of this file's business: its bytes pass as they are.
 */
import type { HeaderCodec, Headers, Message } from '@ternmq/core'
import { isMqttText, type Pair, readPairs, writeAnnotations, writePairs, type FieldedMessage } from '@ternmq/naming'
import { isUtf8 } from 'node:buffer'
import { readProperties, writeProperties } from './codec/properties.ts'

const NO_HEADERS: Headers = { properties: [] }
const NO_BYTES = new Uint8Array(0)
const NO_PAIRS: readonly Pair[] = []

/** MQTT 3.1 and 3.1.1: a message is its topic and its body. */
export const mqtt3Headers: HeaderCodec = {
  id: 'mqtt3',
  decode: () => NO_HEADERS,
  encode: () => NO_BYTES,
}

export const mqtt5Headers: HeaderCodec = {
  id: 'mqtt5',

  decode(bytes: Uint8Array): Headers {
    const { correlationData, contentType, responseTopic, payloadFormat, userProperties } = readProperties(bytes)
    const native = {
      ...(correlationData !== undefined && { correlationId: correlationData }),
      ...(contentType !== undefined && { contentType }),
      // MQTT writes addresses as the core does.
      ...(responseTopic !== undefined && { replyTo: responseTopic }),
      ...(payloadFormat !== undefined && { text: payloadFormat === 1 }),
    }
    if (userProperties === undefined) return { ...native, properties: NO_PAIRS }
    return { ...readPairs('mqtt5', userProperties).headers, ...native }
  },

  encode(headers: Headers): Uint8Array {
    return headers === NO_HEADERS ? NO_BYTES : encodeFields({ headers }, headers.text)
  },
}

/** What cannot be written is left out; `losses` of packages/naming lists it. */
function encodeFields(message: FieldedMessage, text: boolean | undefined): Uint8Array {
  const { correlationId, contentType, replyTo } = message.headers
  const userProperties = writePairs('mqtt5', message)
  return writeProperties({
    ...(text !== undefined && { payloadFormat: text ? 1 : 0 }),
    ...(contentType !== undefined && isMqttText(contentType) && { contentType }),
    ...(replyTo !== undefined && isTopicName(replyTo) && { responseTopic: replyTo }),
    ...(correlationId !== undefined && correlationId.length <= BINARY_BYTES_MAX && { correlationData: correlationId }),
    ...(userProperties.length > 0 && { userProperties }),
  })
}

/** [MQTT5 §1.5.6] */
const BINARY_BYTES_MAX = 65_535

/** A response topic has no wildcards; a queue of the core may have `+` and `#` in its name. [MQTT5-3.3.2-14] */
function isTopicName(address: string): boolean {
  return address !== '' && !/[+#]/.test(address) && isMqttText(address)
}

/** The fields of a message that came in another form, as properties; neighbours are often the same message for other receivers. */
export function propertiesFor(message: Message): Uint8Array {
  const { headers, extras, priority } = message
  // A text that is none must not be called one. [MQTT5 §3.3.2.3.2]
  const text = headers.text === true ? isUtf8(message.foreignBody) : headers.text
  if (last.headers === headers && last.extras === extras && last.priority === priority && last.text === text) {
    return last.bytes
  }
  const bytes = encodeFields({ headers, extras, priority }, text)
  last = { headers, extras, priority, text, bytes }
  return bytes
}

let last: Pick<Message, 'headers' | 'extras' | 'priority'> & {
  readonly text: boolean | undefined
  readonly bytes: Uint8Array
} = {
  headers: NO_HEADERS,
  extras: undefined,
  priority: -1,
  text: undefined,
  bytes: NO_BYTES,
}

/** What the broker says of a message, to stand beside the properties that came with it. Hot path: there is seldom anything. */
export function annotationBytes(message: Message): Uint8Array {
  if (message.extras?.annotations === undefined) return NO_BYTES
  return writeProperties({ userProperties: writeAnnotations('mqtt5', message) })
}
