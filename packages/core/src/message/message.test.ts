import { expect, test } from 'vitest'
import { messageOf, testCodec, textOf } from '../../test/support.ts'
import type { HeaderCodec } from './message.ts'

test.each(['detach', 'detachInRun'] as const)(
  'after %s a message keeps its bytes when the read buffer is used again',
  (detach) => {
    for (const size of [0, 1, 100, 4_095, 5_000, 70_000]) {
      const buffer = Buffer.alloc(size + 64)
      const text = 'x'.repeat(size)
      const message = messageOf('a/b', text, { buffer })
      const before = message.size
      expect(message.isDetached).toBe(false)
      message[detach]()
      expect(message.isDetached).toBe(true)
      buffer.fill(0xee)
      expect(textOf(message) === text).toBe(true)
      expect(Buffer.from(message.headerBytes).toString()).toBe('h=1;')
      expect(Buffer.from(message.bytes.subarray(message.start, message.headerStart)).toString()).toBe('frame:')
      expect(message.size).toBe(before)
    }
  },
)

test('detaching twice moves the bytes once, whichever way', () => {
  const message = messageOf('a', 'once')
  message.detachInRun()
  const { bytes, start } = message
  message.detach()
  message.detachInRun()
  expect(message.bytes).toBe(bytes)
  expect(message.start).toBe(start)
  expect(textOf(message)).toBe('once')
})

test('header bytes of the same format pass as they came, another format gets them translated', () => {
  const message = messageOf('a', 'body')
  const other: HeaderCodec = { ...testCodec, id: 'other', encode: () => Uint8Array.of(1, 2, 3) }
  expect(Buffer.from(message.headerBytesFor(testCodec)).toString()).toBe('h=1;')
  expect([...message.headerBytesFor(other)]).toEqual([1, 2, 3])
  expect(message.headers.properties).toEqual([['h', '1']])
})

test('others get the body as its codec makes it for them', () => {
  const codec: HeaderCodec = { ...testCodec, readBody: ({ body }) => Buffer.from(`<${Buffer.from(body).toString()}>`) }
  expect(Buffer.from(messageOf('a', 'body', { codec }).foreignBody).toString()).toBe('<body>')
  expect(Buffer.from(messageOf('a', 'body').foreignBody).toString()).toBe('body')
})

test('headers are decoded once', () => {
  const message = messageOf('a', 'body')
  expect(message.headers).toBe(message.headers)
})

test.each(['detach', 'detachInRun'] as const)(
  'headers read before %s do not point into the read buffer afterwards',
  (detach) => {
    const buffer = Buffer.alloc(64)
    const codec: HeaderCodec = {
      ...testCodec,
      decode: (bytes) => ({ correlationId: bytes.subarray(2, 3), properties: [] }),
    }
    const message = messageOf('a', 'body', { buffer, codec })
    expect(Buffer.from(message.headers.correlationId!).toString()).toBe('1')
    message[detach]()
    buffer.fill(0xee)
    expect(Buffer.from(message.headers.correlationId!).toString()).toBe('1')
  },
)
