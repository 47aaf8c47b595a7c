import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PacketSplitter, type PacketSink } from './packet-splitter.ts'

/** A packet of `size` bytes, 2 to 129 of them, that says its number in what follows the fixed header. */
function packetOf(number: number, size: number): Uint8Array {
  const packet = new Uint8Array(size).fill(number & 0xff, 2)
  packet[0] = 0x30
  packet[1] = size - 2
  return packet
}

/** Takes one packet, then nothing until it is asked to go on; copies what it gets. */
class Sink implements PacketSink {
  readonly maxInboundBytes = 1_000_000
  readonly refusesPaddedLength = true
  readonly packets: Uint8Array[] = []
  isOpen = false

  onPacket(bytes: Uint8Array, start: number, _bodyStart: number, end: number): boolean {
    this.packets.push(Uint8Array.from(bytes.subarray(start, end)))
    return this.isOpen
  }
}

/** Bytes that `work` copies from one array into another. */
function copiedBy(work: () => void): number {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as { set: Uint8Array['set'] }
  const { set } = prototype
  let copied = 0
  prototype.set = function (this: Uint8Array, source: ArrayLike<number>, offset?: number) {
    copied += source.length
    set.call(this, source, offset)
  }
  try {
    work()
  } finally {
    prototype.set = set
  }
  return copied
}

test('what was sent ahead is copied once, however many packets it is and though each of them is waited for', () => {
  const splitter = new PacketSplitter()
  const sink = new Sink()
  const packets = Array.from({ length: 5_000 }, (_, index) => packetOf(index, 20 + (index % 100)))
  const stream = Buffer.concat(packets)
  const copied = copiedBy(() => {
    splitter.read(stream, sink)
    while (sink.packets.length < packets.length) splitter.resume(sink)
  })
  expect(sink.packets).toEqual(packets)
  expect(copied).toBeLessThanOrEqual(stream.length)
})

test('a client that is always nearly as far ahead as it may be costs a few copies of what it sends, not one of all that waits for each packet', () => {
  const splitter = new PacketSplitter()
  const sink = new Sink()
  const packet = packetOf(7, 100)
  const ahead = Buffer.alloc(4_190_000, packet)
  const rounds = 20_000
  const copied = copiedBy(() => {
    splitter.read(ahead, sink)
    for (let round = 0; round < rounds; round++) {
      splitter.resume(sink)
      splitter.read(packet, sink)
    }
  })
  expect(sink.packets.length).toBe(rounds + 1)
  expect(copied).toBeLessThan(4 * (ahead.length + rounds * packet.length))
})

test('more than 4 MiB ahead are refused, also when some of it has been taken', () => {
  const splitter = new PacketSplitter()
  const sink = new Sink()
  splitter.read(Buffer.alloc(4 * 1_048_576, packetOf(7, 128)), sink)
  splitter.resume(sink)
  splitter.read(new Uint8Array(256), sink)
  expect(() => splitter.read(new Uint8Array(1), sink)).toThrow(/sent ahead of an unanswered packet/)
})

test('the packets are the same, however the stream is cut and whenever the sink is busy', () => {
  const cut = fc.record({ size: fc.integer({ min: 1, max: 300 }), opens: fc.boolean(), resumes: fc.integer({ min: 0, max: 5 }) })
  const sizes = fc.array(fc.integer({ min: 2, max: 129 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(sizes, fc.array(cut, { minLength: 1 }), (lengths, cuts) => {
      const packets = lengths.map((size, index) => packetOf(index, size))
      const stream = Buffer.concat(packets)
      const splitter = new PacketSplitter()
      const sink = new Sink()
      for (let at = 0, index = 0; at < stream.length; index++) {
        const { size, opens, resumes } = cuts[index % cuts.length]!
        const chunk = Buffer.from(stream.subarray(at, at + size))
        sink.isOpen = opens
        splitter.read(chunk, sink)
        chunk.fill(0xff) // the transport uses its buffer again
        for (let count = 0; count < resumes; count++) splitter.resume(sink)
        at += size
      }
      sink.isOpen = true
      splitter.resume(sink)
      expect(sink.packets).toEqual(packets)
    }),
  )
})
