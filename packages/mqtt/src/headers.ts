/**
 * MQTT's headers as the core keeps them: MQTT 5 properties in the bytes they came in, nothing at all for MQTT 3.
 * Per-hop properties (topic alias, expiry, subscription ids) are not among them.
 */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { readProperties, writeProperties } from './codec/properties.ts'

const NO_HEADERS: Headers = { properties: [] }
const NO_BYTES = new Uint8Array(0)

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
    return {
      ...(correlationData !== undefined && { correlationId: correlationData }),
      ...(contentType !== undefined && { contentType }),
      ...(responseTopic !== undefined && { replyTo: responseTopic }),
      ...(payloadFormat !== undefined && { text: payloadFormat === 1 }),
      properties: userProperties ?? [],
    }
  },

  encode(headers: Headers): Uint8Array {
    if (headers === NO_HEADERS) return NO_BYTES
    const { correlationId, contentType, replyTo, text, properties } = headers
    return writeProperties({
      ...(text === true && { payloadFormat: 1 }),
      ...(contentType !== undefined && { contentType }),
      ...(replyTo !== undefined && { responseTopic: replyTo }),
      ...(correlationId !== undefined && { correlationData: correlationId }),
      ...(properties.length > 0 && { userProperties: properties }),
    })
  },
}
