import { describe, expect, test } from 'vitest'

import {
  ATTACH,
  attachFrame,
  creditFrame,
  FLOW,
  openFrame,
  PROTOCOL_HEADER,
  type Room,
  TransferBatch,
  TransferCounter,
} from './frames.ts'

test('an open has its size, its performative and a list of what it says', () => {
  expect(openFrame('a').toString('hex')).toBe('0000001702000000005310c00a03a1016140' + '7000001000')
})

test('an attach of a sender says where, that all is settled, and where it counts from', () => {
  const hex = attachFrame('sender', 'queue://q').toString('hex')
  expect(hex).toContain(`005329c00c01a109${Buffer.from('queue://q').toString('hex')}`)
  expect(hex.endsWith('4040' + '7000000000')).toBe(true)
})

describe('a batch', () => {
  test('numbers its transfers on from one to the next, and does not change what was sent', () => {
    const batch = new TransferBatch(2, 16)
    const first = batch.next()
    const size = first.length / 2
    const idsOf = (bytes: Buffer): number[] => [0, size].map((at) => bytes.readUInt32BE(at + 8 + 3 + 3 + 5 + 1))
    expect([idsOf(first), idsOf(batch.next()), idsOf(first)]).toEqual([
      [0, 1],
      [2, 3],
      [0, 1],
    ])
    expect(first.readUInt32BE(0)).toBe(size)
    expect(first.subarray(size - 16, size).toString()).toBe('x'.repeat(16))
  })
})

describe('a counter', () => {
  const stream = Buffer.concat([
    PROTOCOL_HEADER,
    openFrame('broker'),
    attachFrame('receiver', 'queue://q'),
    new TransferBatch(3, 200).next(),
    creditFrame(7, 1_000),
    Buffer.of(0, 0, 0, 8, 2, 0, 0, 0), // a heart-beat
    new TransferBatch(2, 16).next(),
  ])

  test.each([1, 7, 64, 1_000, stream.length])('counts transfers and tells of other frames in pieces of %i', (step) => {
    const heard: [number, Room | undefined][] = []
    const counter = new TransferCounter(stream.length, (code, room) => heard.push([code, room]))
    let count = 0
    for (let at = 0; at < stream.length; at += step)
      count += counter.count(stream.copy(counter.buffer, 0, at, at + step))
    expect(count).toBe(5)
    expect(heard).toEqual([
      [0x10, undefined],
      [ATTACH, undefined],
      [FLOW, { transfers: 7 + 0x7fff_ffff, deliveries: 1_007 }],
    ])
  })
})
