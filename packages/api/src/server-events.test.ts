import { expect, test } from 'vitest'
import { EventParser, type ServerEvent } from './server-events.ts'

const STREAM =
  ':\n\nevent: tick\nid: 7\ndata: {"text":"é"}\n\ndata: [1,\r\ndata: 2]\r\n\r\nevent: lost\n\nevent: last\ndata:true\n\n'
const EVENTS: readonly ServerEvent[] = [
  { event: 'tick', data: { text: 'é' }, id: 7 },
  { event: 'message', data: [1, 2] },
  { event: 'last', data: true },
]

test('events come out the same wherever their bytes are cut', () => {
  const bytes = new TextEncoder().encode(STREAM)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const parser = new EventParser()
    const events = [...parser.push(bytes.subarray(0, cut)), ...parser.push(bytes.subarray(cut))]
    expect(events, `cut at ${cut}`).toEqual(EVENTS)
  }
})

test('an event that does not end is refused', () => {
  const parser = new EventParser()
  const megabyte = new Uint8Array(1_048_576).fill(0x61)
  expect(() => {
    for (let n = 0; n < 40; n++) parser.push(megabyte)
  }).toThrow(RangeError)
})

test('nor is one of lines without end kept', () => {
  const parser = new EventParser()
  const line = new TextEncoder().encode(`data: ${'a'.repeat(1_048_576)}\n`)
  expect(() => {
    for (let n = 0; n < 40; n++) parser.push(line)
  }).toThrow(RangeError)
})
