/**
 * Headers of messages that came over HTTP, as the core keeps them: the fields of the mapping table as JSON, by the names that the call
 * has. What the message itself knows (address, priority, lifetime, group) is not among them.
 */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { bytesOfText, textOfBytes } from '@ternmq/naming'

/** As it is written; what is left out was not said. */
interface Written extends Omit<Headers, 'correlationId' | 'typed' | 'properties'> {
  readonly correlationId?: string
  readonly properties?: Headers['properties']
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** For `VirtualHost.openLog`, too: messages of an earlier life have it. */
export const httpHeaders: HeaderCodec = {
  id: 'http',
  decode(bytes) {
    if (bytes.length === 0) return { properties: [] }
    const { correlationId, properties = [], ...headers } = JSON.parse(decoder.decode(bytes)) as Written
    return { ...headers, ...(correlationId !== undefined && { correlationId: bytesOfText(correlationId) }), properties }
  },
  /** Types of properties are lost: JSON has no number as large as AMQP's, and whoever takes a message over HTTP gets texts. */
  encode({ correlationId, properties, typed: _, ...headers }) {
    const written: Written = {
      ...headers,
      ...(correlationId !== undefined && { correlationId: textOfBytes(correlationId) }),
      ...(properties.length > 0 && { properties }),
    }
    return encoder.encode(JSON.stringify(written))
  },
}
