import type { Output } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readByRhea } from '../../test/rhea-frames.ts'
import { nextComposite } from '../../test/wire/composites.ts'
import { Cursor } from '../../test/wire/decode.ts'
import { decodeDisposition, DispositionFields } from './decode-disposition.ts'
import { decodeFlow, FlowFields } from './decode-flow.ts'
import { decodeTransfer, TransferFields } from './decode-transfer.ts'
import { ACCEPTED_BYTES, encodeState, rejectedState } from './encode-state.ts'
import { TRANSFER_HEAD_BYTES_MAX, TransferOut, writeDisposition, writeFlow, writeTransfer } from './frames-out.ts'

/** Keeps what is written, in memory that had something else in it. */
class ListOutput implements Output {
  slab: Uint8Array = new Uint8Array(0)
  readonly pendingBytes = 0
  readonly writable = true
  readonly pieces: Uint8Array[] = []
  readonly shared: Uint8Array[] = []

  reserve(byteCount: number): number {
    this.slab = new Uint8Array(byteCount + 20).fill(0xdd)
    this.pieces.push(this.slab.subarray(10, 10 + byteCount))
    return 10
  }

  write(bytes: Uint8Array): void {
    this.pieces.push(bytes)
  }

  writeShared(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    this.pieces.push(bytes.subarray(start, end))
    this.shared.push(bytes)
  }

  get bytes(): Buffer {
    for (const { buffer, byteOffset, length } of this.pieces.filter(
      (piece) => !this.shared.some(({ buffer: of }) => of === piece.buffer),
    )) {
      const around = [
        ...new Uint8Array(buffer, byteOffset - 10, 10),
        ...new Uint8Array(buffer, byteOffset + length, 10),
      ]
      if (around.some((byte) => byte !== 0xdd)) throw new Error('bytes around what was reserved were written')
    }
    return Buffer.concat(this.pieces)
  }
}

/** One frame of type 0, as a reader that shares nothing with the codec sees it. */
function read(bytes: Buffer): { channel: number; body: Record<string, unknown>; payload: string } {
  expect(bytes.readUInt32BE(0)).toBe(bytes.length)
  expect([bytes[4], bytes[5]]).toEqual([2, 0])
  const cursor = new Cursor(bytes, 8)
  const body = nextComposite(cursor)
  return { channel: bytes.readUInt16BE(6), body, payload: bytes.subarray(cursor.at).toString('latin1') }
}

const uints = fc.oneof(
  fc.constantFrom(0, 1, 255, 256, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)
const channels = fc.oneof(fc.constantFrom(0, 255, 256, 65_535), fc.nat(65_535))
const states = fc.constantFrom(
  undefined,
  ACCEPTED_BYTES,
  encodeState({ kind: 'transactional', transactionId: new Uint8Array(32), outcome: { kind: 'accepted' } }),
  rejectedState('amqp:x', 'y'.repeat(230)),
  rejectedState('amqp:x', 'y'.repeat(350)),
)

describe('transfer', () => {
  const anyTransfer = fc.record({
    channel: channels,
    handle: uints,
    deliveryId: uints,
    tag: uints,
    settled: fc.boolean(),
    more: fc.boolean(),
    isFirst: fc.boolean(),
    state: states,
  })

  test('is read as it was written', () => {
    const fields = new TransferFields()
    fc.assert(
      fc.property(anyTransfer, fc.nat(40), fc.nat(3_000), fc.boolean(), (given, prefixSize, size, isShared) => {
        const out = new ListOutput()
        const transfer = Object.assign(new TransferOut(), given)
        const prefix = Buffer.alloc(prefixSize + 4, 'p')
        const bytes = Buffer.alloc(size + 7, 'b')
        writeTransfer(out, transfer, prefix, 2, 2 + prefixSize, bytes, 3, 3 + size, isShared)
        const frame = out.bytes
        const { channel, body, payload } = read(frame)
        expect(channel).toBe(given.channel)
        expect(payload).toBe('p'.repeat(prefixSize) + 'b'.repeat(size))
        expect(body).toMatchObject({ kind: 'transfer', handle: given.handle, settled: given.settled, more: given.more })
        decodeTransfer(frame, 8, frame.length, fields)
        expect(fields).toMatchObject({
          handle: given.handle,
          settled: given.settled,
          more: given.more,
          receiverSettleMode: undefined,
          resume: false,
          aborted: false,
          hasTag: given.isFirst,
        })
        expect(fields).toMatchObject({
          deliveryId: given.isFirst ? given.deliveryId : -1,
          messageFormat: given.isFirst ? 0 : -1,
        })
        if (given.isFirst) expect(frame.readUInt32BE(fields.tagStart)).toBe(given.tag)
        expect(fields.payloadStart).toBeLessThanOrEqual(TRANSFER_HEAD_BYTES_MAX + (given.state?.length ?? 0))
        expect((fields.state === undefined) === (given.state === undefined)).toBe(true)
      }),
    )
  })

  test('rhea reads it', () => {
    const out = new ListOutput()
    const transfer = Object.assign(new TransferOut(), {
      channel: 3,
      handle: 1,
      deliveryId: 70_000,
      tag: 0x01020304,
      settled: true,
    })
    writeTransfer(out, transfer, new Uint8Array(0), 0, 0, Buffer.from('payload'), 0, 7)
    const frame = readByRhea(out.bytes)
    expect(frame).toMatchObject({ channel: 3, payload: Buffer.from('payload') })
    expect(frame.performative).toMatchObject({
      handle: 1,
      delivery_id: 70_000,
      delivery_tag: Buffer.of(1, 2, 3, 4),
      message_format: 0,
      settled: true,
    })
  })

  test('its head is never longer than is said', () => {
    const out = new ListOutput()
    const transfer = Object.assign(new TransferOut(), {
      handle: 0xffff_ffff,
      deliveryId: 0xffff_ffff,
      more: true,
      state: rejectedState('amqp:x', 'y'.repeat(350)),
    })
    writeTransfer(out, transfer, new Uint8Array(0), 0, 0, new Uint8Array(0), 0, 0)
    expect(out.bytes.length).toBeLessThanOrEqual(TRANSFER_HEAD_BYTES_MAX + transfer.state.length)
  })

  test('a large payload that never changes is not copied, a small one is', () => {
    const write = (size: number, isShared: boolean): number => {
      const out = new ListOutput()
      writeTransfer(out, new TransferOut(), new Uint8Array(5), 0, 5, new Uint8Array(size), 0, size, isShared)
      return out.shared.length
    }
    expect([write(100_000, true), write(100_000, false), write(100, true)]).toEqual([1, 0, 0])
  })
})

describe('disposition', () => {
  test('is read as it was written', () => {
    const fields = new DispositionFields()
    fc.assert(
      fc.property(
        channels,
        fc.boolean(),
        uints,
        uints,
        fc.boolean(),
        states,
        (channel, isReceiver, first, last, settled, state = ACCEPTED_BYTES) => {
          const out = new ListOutput()
          writeDisposition(out, channel, isReceiver, first, last, settled, state)
          const frame = out.bytes
          expect(read(frame)).toMatchObject({
            channel,
            body: { kind: 'disposition', role: isReceiver, first, settled },
            payload: '',
          })
          decodeDisposition(frame, 8, frame.length, fields)
          expect(fields).toMatchObject({ isReceiver, first, last, settled, batchable: false })
          expect(fields.state).toBeDefined()
        },
      ),
    )
  })

  test('of one delivery leaves `last` out', () => {
    const out = new ListOutput()
    writeDisposition(out, 0, true, 7, 7, true, ACCEPTED_BYTES)
    expect(read(out.bytes).body).toEqual({
      kind: 'disposition',
      role: true,
      first: 7,
      settled: true,
      state: { kind: 'accepted' },
      batchable: false,
    })
  })

  test('rhea reads it', () => {
    const out = new ListOutput()
    writeDisposition(out, 5, true, 7, 300, true, ACCEPTED_BYTES)
    expect(readByRhea(out.bytes)).toMatchObject({
      channel: 5,
      performative: { role: true, first: 7, last: 300, settled: true },
    })
  })
})

describe('flow', () => {
  const optional = fc.oneof(uints, fc.constant(-1))

  test('is read as it was written', () => {
    const anyFlow = fc.record({
      nextIncomingId: optional,
      incomingWindow: uints,
      nextOutgoingId: uints,
      outgoingWindow: uints,
      handle: optional,
      deliveryCount: optional,
      linkCredit: optional,
      available: optional,
      drain: fc.boolean(),
      echo: fc.boolean(),
    })
    fc.assert(
      fc.property(channels, anyFlow, (channel, given) => {
        const out = new ListOutput()
        writeFlow(out, channel, Object.assign(new FlowFields(), given))
        const frame = out.bytes
        expect(read(frame)).toMatchObject({
          channel,
          body: { kind: 'flow', incomingWindow: given.incomingWindow, drain: given.drain },
          payload: '',
        })
        const fields = new FlowFields()
        decodeFlow(frame, 8, frame.length, fields)
        expect(fields).toEqual({ ...given, transactionId: undefined })
      }),
    )
  })

  test('of a session says nothing of a link [AMQP10-2.7.4-d]', () => {
    const out = new ListOutput()
    writeFlow(
      out,
      0,
      Object.assign(new FlowFields(), { nextIncomingId: 1, incomingWindow: 2, nextOutgoingId: 3, outgoingWindow: 4 }),
    )
    expect(read(out.bytes).body).toEqual({
      kind: 'flow',
      nextIncomingId: 1,
      incomingWindow: 2,
      nextOutgoingId: 3,
      outgoingWindow: 4,
      drain: false,
      echo: false,
    })
  })

  test('rhea reads it', () => {
    const out = new ListOutput()
    writeFlow(
      out,
      1,
      Object.assign(new FlowFields(), {
        nextIncomingId: 70_000,
        handle: 0,
        deliveryCount: 5,
        linkCredit: 100,
        drain: true,
      }),
    )
    expect(readByRhea(out.bytes).performative).toMatchObject({
      next_incoming_id: 70_000,
      handle: 0,
      delivery_count: 5,
      link_credit: 100,
      available: null,
      drain: true,
      echo: false,
    })
  })
})
