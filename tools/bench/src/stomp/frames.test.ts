import { expect, test } from 'vitest'

import { countNuls, maskedFrame, stompFrame, WebSocketCounter } from './frames.ts'

test('a frame has its headers in order and ends in NUL', () => {
  expect(stompFrame('SEND', { destination: '/queue/a', receipt: '1' }, Buffer.from('b')).toString()).toBe(
    'SEND\ndestination:/queue/a\nreceipt:1\n\nb\0',
  )
})

test('a masked frame says its length and gives its payload back', () => {
  for (const size of [5, 126, 1_200]) {
    const payload = Buffer.alloc(size, 'x')
    const frame = maskedFrame(payload)
    const head = size < 126 ? 2 : 4
    expect(frame[1]! & 0x7f).toBe(size < 126 ? size : 126)
    const mask = frame.subarray(head, head + 4)
    const bytes = frame.subarray(head + 4).map((byte, index) => byte ^ mask[index & 3]!)
    expect(Buffer.compare(bytes, payload)).toBe(0)
  }
})

test('NULs are counted within the range only', () => {
  expect(countNuls(Buffer.of(0, 1, 0, 0, 2, 0), 1, 5)).toBe(2)
})

test('STOMP frames are counted in WebSocket frames of every length, in pieces of every size', () => {
  const frames = [3, 200, 70_000].map((size) => {
    const payload = Buffer.concat([Buffer.alloc(size, 'x'), Buffer.of(0), Buffer.from('half of the next')])
    const head = Buffer.alloc(10)
    head[0] = 0x82
    if (payload.length < 126) head[1] = payload.length
    else if (payload.length < 65_536) head.writeUInt16BE(payload.length, 2)
    else head.writeBigUInt64BE(BigInt(payload.length), 2)
    if (payload.length >= 126) head[1] = payload.length < 65_536 ? 126 : 127
    return Buffer.concat([head.subarray(0, payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10), payload])
  })
  const bytes = Buffer.concat(frames)
  for (const step of [1, 7, bytes.length]) {
    const counter = new WebSocketCounter()
    let count = 0
    for (let at = 0; at < bytes.length; at += step) count += counter.count(bytes.subarray(at, at + step))
    expect(count).toBe(3)
  }
})
