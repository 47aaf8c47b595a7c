/** What W3C calls trace context, from each protocol to each other, with the codecs that a broker has. */
import { AMQP_HEADER_CODECS } from '@ternmq/amqp10'
import { type HeaderCodec, type Headers, Message } from '@ternmq/core'
import { httpHeaders } from '@ternmq/management'
import { mqtt3Headers, mqtt5Headers } from '@ternmq/mqtt'
import { losses } from '@ternmq/naming'
import { stompHeaders, stompTextHeaders } from '@ternmq/stomp'
import { describe, expect, test } from 'vitest'

const TRACE: Headers['properties'] = [
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'vendor=t61rcWkgMzE,other=00f067aa0ba902b7'],
]
const CODECS: readonly HeaderCodec[] = [
  mqtt5Headers,
  stompHeaders,
  stompTextHeaders,
  ...AMQP_HEADER_CODECS,
  httpHeaders,
]
const PAIRS = CODECS.flatMap((from) => CODECS.map((to) => [from.id, to.id, from, to] as const))

function received(codec: HeaderCodec): Message {
  const bytes = codec.encode({ properties: TRACE })
  const at = { bytes, start: 0, headerStart: 0, bodyStart: bytes.length, end: bytes.length }
  const rest = { assurance: 1, durable: true, retain: false, expiresAtMs: 0, publisher: undefined } as const
  return new Message({ topic: 'a', codec, ...at, ...rest })
}

describe('trace context', () => {
  test.each(PAIRS)('passes from %s to %s', (_from, _to, from, to) => {
    const message = received(from)
    const bytes = message.headerBytesFor(to)
    expect(to.decode(bytes).properties).toEqual(TRACE)
    if (from.id === to.id) expect(bytes).toEqual(message.headerBytes)
  })

  test.each(CODECS.map((codec) => [codec.id, codec] as const))(
    'from %s is lost in MQTT 3, and is said to be',
    (_id, codec) => {
      const { headers } = received(codec)
      expect(losses('mqtt3', { headers }).flatMap(({ name }) => name ?? [])).toEqual(['traceparent', 'tracestate'])
      expect(mqtt3Headers.decode(mqtt3Headers.encode(headers)).properties).toEqual([])
    },
  )
})
