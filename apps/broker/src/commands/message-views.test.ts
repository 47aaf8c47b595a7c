import type { MessageBody, MessageItem } from '@ternmq/api'
import { expect, test } from 'vitest'
import { MESSAGE_LISTING, messageLines, SHOWN_BYTES_MAX } from './message-views.ts'

const MESSAGE = {
  ...{ address: 'queue://orders', bytes: 0, bodyBytes: 0, durable: true, priority: 4, redelivered: false },
  ...{ failedCount: 0, format: 'mqtt', properties: [] },
}

const ITEM: MessageItem = { ...MESSAGE, id: '4-1', state: 'waiting' }

/** What is shown behind the headers. */
function shownOf(body: MessageBody, bodyBytesMax?: number): string[] {
  const lines = messageLines({ ...MESSAGE, body }, bodyBytesMax)
  return lines.slice(lines.indexOf('') + 1)
}

function textBody(value: string): MessageBody {
  return { encoding: 'text', value, bytes: Buffer.byteLength(value), truncated: false }
}

test('when a message came is shown where that is known', () => {
  const arrivedAtMs = Date.UTC(2026, 10, 27, 12, 30)
  const arrived = (item: Partial<MessageItem>): (string | undefined)[] => [
    MESSAGE_LISTING.columns.find(({ title }) => title === 'ARRIVED')?.value({ ...ITEM, ...item }),
    messageLines({ ...MESSAGE, ...item, body: textBody('') }).find((line) => line.startsWith('arrived')),
  ]
  expect(arrived({ arrivedAtMs })).toEqual([
    '2026-11-27 12:30:00',
    expect.stringMatching(/^arrived +2026-11-27 12:30:00$/),
  ])
  expect(arrived({})).toEqual(['', undefined])
})

test('a short text is shown as it is, colours as escapes', () => {
  expect(shownOf(textBody('one\n\u001B[31mtwo'), SHOWN_BYTES_MAX)).toEqual(['one\n\\u{1b}[31mtwo'])
})

test('of a long text the first 4 KiB are shown, without half a character, and where all of it is', () => {
  expect(shownOf(textBody(`x${'ü'.repeat(4_000)}`), SHOWN_BYTES_MAX)).toEqual([
    `x${'ü'.repeat(2_047)}`,
    '… the first 4.0 KiB of 7.8 KiB; --body has all of it',
  ])
})

test('control characters are shown as bytes, and no more than 4 KiB of them', () => {
  const lines = shownOf(textBody('\u0007'.repeat(60_000)), SHOWN_BYTES_MAX)
  expect(lines[0]).toBe('58.6 KiB that are no text, in hexadecimal:')
  expect(lines[1]).toBe(`000000  ${Array(8).fill('07').join(' ')}  ${Array(8).fill('07').join(' ')}  ${'.'.repeat(16)}`)
  expect(lines.slice(1, -1)).toHaveLength(SHOWN_BYTES_MAX / 16)
  expect(lines.at(-1)).toBe('… the first 4.0 KiB of 58.6 KiB; --body has all of it')
})

test('what is no UTF-8 is shown as bytes', () => {
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47])
  expect(shownOf({ encoding: 'base64', value: png.toString('base64'), bytes: 4, truncated: false })).toEqual([
    '4 bytes that are no text, in hexadecimal:',
    expect.stringMatching(/^000000 {2}89 50 4e 47 +\.PNG$/),
  ])
})

test('of a message that was taken all is shown: it is gone', () => {
  const text = 'x'.repeat(60_000)
  expect(shownOf(textBody(text))).toEqual([text])
})
