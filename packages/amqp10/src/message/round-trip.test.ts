import { expect, test } from 'vitest'
import { OutgoingMessage, prepareOutgoing } from './message-out.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { readSections, Sections } from './sections.ts'

test('a data section comes back as it was', () => {
  const bytes = Uint8Array.of(0, 0x53, 0x75, 0xa0, 3, 1, 2, 3)
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  const message = toMessage(readIncoming(sections, bytes), sections, bytes, bytes.length, 'a/b', 'p', 0)
  expect([...message.body]).toEqual([1, 2, 3])
  const out = new OutgoingMessage()
  prepareOutgoing({ message, redelivered: false, retained: false, failedCount: 0 }, 0, () => undefined, out)
  expect(out.bytes.subarray(out.start, out.end)).toEqual(bytes)
})
