/** node codec.bench.ts: what a frame costs in and out, per frame. Goal: a transfer with 16 bytes in at most 0.2 µs, each way. */
import type { Output } from '@ternmq/core'
import { bench, do_not_optimize, run, summary } from 'mitata'

import { decodeAttach, decodeOpen, performativeCode } from './decode-control.ts'
import { decodeDisposition, DispositionFields } from './decode-disposition.ts'
import { decodeFlow, FlowFields } from './decode-flow.ts'
import { decodeTransfer, TransferFields } from './decode-transfer.ts'
import { encodeAttach, encodeOpen } from './encode-control.ts'
import { ACCEPTED_BYTES } from './encode-state.ts'
import { type FrameSink, FrameSplitter } from './frame-splitter.ts'
import { TransferOut, writeDisposition, writeFlow, writeTransfer } from './frames-out.ts'
import type { Attach } from './performatives.ts'
import { checkValue } from './structure.ts'

/** Frames in one read. */
const FRAMES = 256

/** As a session does: which performative, its fields, the payload's length. */
class ReadingSink implements FrameSink {
  readonly frameBytesMax = 131_072
  readonly expectsHeader = false
  readonly transfer = new TransferFields()
  readonly flow = new FlowFields()
  readonly disposition = new DispositionFields()
  count = 0

  onHeader(): boolean {
    return true
  }

  onBadHeader(): void {}

  onFrame(_type: number, _channel: number, bytes: Uint8Array, start: number, end: number): boolean {
    switch (performativeCode(bytes, start, end)) {
      case 0x13:
        decodeFlow(bytes, start, end, this.flow)
        this.count += this.flow.linkCredit
        break
      case 0x14:
        decodeTransfer(bytes, start, end, this.transfer)
        this.count += end - this.transfer.payloadStart
        break
      default:
        decodeDisposition(bytes, start, end, this.disposition)
        this.count += this.disposition.last
    }
    return true
  }
}

class SlabOutput implements Output {
  readonly slab = new Uint8Array(1_048_576)
  readonly pendingBytes = 0
  readonly writable = true
  at = 0

  reserve(byteCount: number): number {
    if (this.at + byteCount > this.slab.length) this.at = 0
    const { at } = this
    this.at += byteCount
    return at
  }

  write(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.slab.set(bytes, at)
  }

  writeShared(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    this.at += end - start
  }
}

function stream(write: (out: SlabOutput, index: number) => void): Uint8Array {
  const out = new SlabOutput()
  for (let index = 0; index < FRAMES; index++) write(out, index)
  return out.slab.slice(0, out.at)
}

const payload = new Uint8Array(4096).fill(0x61)
const none = new Uint8Array(0)
const transferOut = new TransferOut()

function transfers(size: number, settled: boolean): Uint8Array {
  return stream((out, index) => {
    Object.assign(transferOut, { deliveryId: 1_000 + index, tag: index, settled })
    writeTransfer(out, transferOut, none, 0, 0, payload, 0, size)
  })
}

const flow = Object.assign(new FlowFields(), {
  nextIncomingId: 70_000,
  incomingWindow: 2048,
  nextOutgoingId: 1,
  outgoingWindow: 2048,
})
const linkFlow = Object.assign(new FlowFields(), {
  ...flow,
  handle: 3,
  deliveryCount: 70_000,
  linkCredit: 500,
  available: 0,
})

function read(name: string, bytes: Uint8Array): void {
  const splitter = new FrameSplitter()
  const sink = new ReadingSink()
  const size = Math.round(bytes.length / FRAMES)
  bench(`${name}, ${size} B each, ${FRAMES} frames`, () => splitter.read(bytes, sink))
}

summary(() => {
  read('read: transfer of 16 B, unsettled', transfers(16, false))
  read('read: transfer of 16 B, settled', transfers(16, true))
  read('read: transfer of 1 KiB', transfers(1024, false))
  read(
    'read: disposition, accepted',
    stream((out, index) => writeDisposition(out, 0, true, 1_000 + index, 1_000 + index, true, ACCEPTED_BYTES)),
  )
  read(
    'read: flow of a link',
    stream((out) => writeFlow(out, 0, linkFlow)),
  )
})

const out = new SlabOutput()
summary(() => {
  bench('write transfer of 16 B', () => {
    transferOut.deliveryId = transferOut.tag = (transferOut.deliveryId + 1) >>> 0
    writeTransfer(out, transferOut, none, 0, 0, payload, 0, 16)
  })
  bench('write transfer of 16 B with a prefix of 12 B', () =>
    writeTransfer(out, transferOut, payload, 0, 12, payload, 0, 16))
  bench('write transfer of 1 KiB', () => writeTransfer(out, transferOut, none, 0, 0, payload, 0, 1024))
  bench('write transfer of 4 KiB, shared', () => writeTransfer(out, transferOut, none, 0, 0, payload, 0, 4096, true))
  bench('write disposition', () => writeDisposition(out, 0, true, 70_000, 70_100, true, ACCEPTED_BYTES))
  bench('write flow', () => writeFlow(out, 0, linkFlow))
})

const attach: Attach = {
  name: 'a-link-of-somebody',
  handle: 0,
  role: 'receiver',
  senderSettleMode: 'mixed',
  receiverSettleMode: 'first',
  source: {
    kind: 'source',
    address: 'queue://orders',
    durable: 0,
    expiryPolicy: 'link-detach',
    timeoutSeconds: 0,
    dynamic: false,
    dynamicNodeProperties: new Map(),
    capabilities: ['queue'],
    distributionMode: undefined,
    filters: new Map(),
    defaultOutcome: undefined,
    outcomes: ['amqp:accepted:list', 'amqp:rejected:list', 'amqp:released:list', 'amqp:modified:list'],
  },
  target: undefined,
  unsettled: undefined,
  incompleteUnsettled: false,
  initialDeliveryCount: undefined,
  maxMessageBytes: 0,
  offered: [],
  desired: [],
  properties: new Map(),
}
const attachBytes = encodeAttach(0, attach)
const open = {
  containerId: 'x',
  maxFrameBytes: 131_072,
  channelMax: 255,
  idleTimeoutMs: 60_000,
  offered: [],
  desired: [],
}
const openBytes = encodeOpen({ ...open, properties: new Map([['product', 'a client']]) })
summary(() => {
  bench('check attach', () => checkValue(attachBytes, 8, attachBytes.length, 'attach'))
  bench('decode attach', () => do_not_optimize(decodeAttach(attachBytes, 8, attachBytes.length)))
  bench('encode attach', () => do_not_optimize(encodeAttach(0, attach)))
  bench('decode open', () => do_not_optimize(decodeOpen(openBytes, 8, openBytes.length)))
})

await run()
