/**
 * node message.bench.ts: what a message costs between its transfer and the core, and between the core and a transfer: sections, facts, the
 * message, the delivery. Bodies of 16 B and 1 KiB, as a bare data section, as JMS clients send it, and from MQTT.
 */
import { type HeaderCodec, Message, type MessageFields } from '@ternmq/core'
import { bench, do_not_optimize, group, run } from 'mitata'
import { Descriptor } from '../codec/descriptors.ts'
import { Code } from '../codec/type-codes.ts'
import { readIncoming, toMessage } from './message-in.ts'
import { OutgoingMessage, type Outgoing, prepareOutgoing } from './message-out.ts'
import { SectionWriter } from './section-writer.ts'
import { readSections, Sections } from './sections.ts'

function payload(size: number, isOfJms: boolean): Uint8Array {
  const to = new SectionWriter()
  if (isOfJms) {
    const header = to.beginSection(Descriptor.header)
    to.boolean(true)
    to.endSection(header, 1, Code.list8)
    const annotations = to.beginSection(Descriptor.messageAnnotations)
    for (const [name, value] of [
      ['x-opt-jms-dest', 0],
      ['x-opt-jms-msg-type', 5],
    ] as const) {
      to.symbol(name)
      to.byte(value)
    }
    to.endSection(annotations, 4, Code.map8)
    const properties = to.beginSection(Descriptor.properties)
    to.string('ID:c2a1e3f0-8a3b-4b3d-9a52-1d3f0f0b5a55:1:1:1-1')
    to.null()
    to.string('queue://orders')
    for (let count = 0; count < 6; count++) to.null()
    to.timestamp(1_700_000_000_000)
    to.endSection(properties, 10, Code.list8)
  }
  to.section(isOfJms ? Descriptor.amqpValue : Descriptor.data)
  to.head(isOfJms ? Code.string8 : Code.binary8, isOfJms ? Code.string32 : Code.binary32, size)
  to.raw(new Uint8Array(size).fill(0x78))
  return to.copy()
}

const sections = new Sections()
const out = new OutgoingMessage()
const addressText = (name: string): string => name

function read(bytes: Uint8Array): Message {
  readSections(bytes, 0, bytes.length, sections)
  return toMessage(readIncoming(sections, bytes), sections, bytes, bytes.length, '$queue/orders', 'client', 0)
}

/** As MQTT 3 has it: no header bytes. */
function foreignMessage(size: number): Message {
  const codec: HeaderCodec = { id: 'mqtt3', decode: () => ({ properties: [] }), encode: () => new Uint8Array(0) }
  const at = { bytes: new Uint8Array(size), start: 0, headerStart: 0, bodyStart: 0, end: size }
  const fields: MessageFields = {
    topic: 'a/b',
    codec,
    ...at,
    assurance: 1,
    durable: true,
    retain: false,
    expiresAtMs: 0,
    publisher: 'p',
  }
  return new Message(fields)
}

function outgoing(message: Message): Outgoing {
  return { message, redelivered: false, retained: false, failedCount: 0 }
}

for (const size of [16, 1_024]) {
  for (const isOfJms of [false, true]) {
    group(`${size} B, ${isOfJms ? 'from a JMS client' : 'bare data'}`, () => {
      const bytes = payload(size, isOfJms)
      const delivery = outgoing(read(bytes))
      bench('sections', () => readSections(bytes, 0, bytes.length, sections))
      bench('sections, facts, message', () => do_not_optimize(read(bytes)))
      bench('delivery', () => prepareOutgoing(delivery, 0, addressText, out))
      const again = { ...delivery, failedCount: 1 }
      bench('delivery, second attempt', () => prepareOutgoing(again, 0, addressText, out))
    })
  }
  const foreign = outgoing(foreignMessage(size))
  group(`${size} B, from MQTT`, () => {
    bench('delivery', () => prepareOutgoing(foreign, 0, addressText, out))
  })
}

await run()
