import { FIELDS } from '@ternmq/naming'
import { expect, test } from 'vitest'
import { HEADER_NAMES } from './codec/header-ids.ts'
import { MESSAGE_SKIPS, stompHeaders, stompTextHeaders } from './headers.ts'

test('what the broker says, or is asked for, does not stay with a message as its publisher wrote it', () => {
  const names = FIELDS.filter(({ life }) => life !== 'end-to-end').flatMap((field) => {
    const place = field.in.stomp
    return place.kind === 'pairs' ? Object.values(place.names) : []
  })
  expect(names.filter((name) => MESSAGE_SKIPS[HEADER_NAMES.indexOf(name)] !== 1)).toEqual([])
})

test('headers of another protocol become lines and are read back; a property cannot pass for a header of the frame', () => {
  const headers = {
    contentType: 'text/plain',
    correlationId: Uint8Array.of(0xff),
    replyTo: '$queue/answers',
    type: 'order',
    properties: [['destination', '/queue/elsewhere'], ['colour', 'r:e\\d\n']] as const,
  }
  const lines = stompHeaders.encode(headers)
  expect(Buffer.from(lines).toString()).not.toMatch(/^destination:/m)
  expect(stompHeaders.decode(lines)).toEqual(headers)
})

test('a body without a length is text, unless its publisher says otherwise', () => {
  expect(stompTextHeaders.decode(Buffer.from('a:b\n'))).toEqual({ text: true, properties: [['a', 'b']] })
  expect(stompTextHeaders.decode(Buffer.from('amq-msg-type:bytes\n')).text).toBe(false)
  expect(stompHeaders.decode(new Uint8Array(0))).toEqual({ properties: [] })
})
