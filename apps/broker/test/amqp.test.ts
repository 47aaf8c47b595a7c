/** AMQP 1.0 of a whole broker: over every listener that speaks it, with every way to log in. */
import { ScramClient } from '@ternmq/auth'
import { developmentCertificates } from '@ternmq/transport'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'

import { type Carrier, CARRIERS, connectAmqp, listenerOf, receiver, send, sender, textOf } from './amqp-client.ts'
import { clientCertificate } from './client-certificate.ts'
import { client, newFolder, nextMessage, openSocket, start, type Started, ternmq } from './support.ts'

const AMQP_HEADER = Buffer.from('AMQP\0\u0001\0\0', 'latin1')
const SASL_HEADER = Buffer.from('AMQP\u0003\u0001\0\0', 'latin1')
const AMQP_091_HEADER = Buffer.from('AMQP\0\0\u0009\u0001', 'latin1')
/** `open` with a container id alone. */
const OPEN = Buffer.from('0000001402000000005310c00701a1046e616d65', 'hex')
const EMPTY_FRAME = Buffer.from('0000000802000000', 'hex')
const CLOSE = Buffer.from('0000000c0200000000531845', 'hex')
/** 1003: this kind of data is not taken. [RFC 6455 §7.4.1] */
const UNSUPPORTED_DATA = 1003

/** How rhea hears what a mechanism says. */
type Done = (error: undefined, data: Buffer) => void

/** All that comes until the peer closes. */
async function answerOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  return Buffer.concat(chunks)
}

/** What the listener offers to somebody without a certificate. */
async function mechanismsOf(broker: Started, listener: string): Promise<string[]> {
  const socket = await openSocket(broker.port(listener))
  socket.write(SASL_HEADER)
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    // The header, and a frame that says how long it is.
    if (bytes.length >= 12 && bytes.length >= 8 + bytes.readUInt32BE(8)) break
  }
  return ['EXTERNAL', 'SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS'].filter((name) => bytes.includes(name))
}

/** Without a password: one who shows a certificate. */
async function addUser(broker: Started, name: string, password?: string): Promise<void> {
  const args = [
    'users',
    'add',
    name,
    '--data-dir',
    broker.dataDir,
    password === undefined ? '--no-password' : '--password-stdin',
  ]
  expect(await ternmq(args, password)).toMatchObject({ code: 0 })
}

describe.each(CARRIERS)('over %s', (carrier: Carrier) => {
  const listeners = [...new Set([listenerOf(carrier), 'mqtt'])]

  test('rhea sends and receives, and meets MQTT', async () => {
    const broker = await start({ listeners })
    const connection = await connectAmqp(broker, carrier)
    const inbox = await receiver(connection, 'topic://plant.1')
    const outbox = await sender(connection, 'topic://plant.1')
    const large = 'x'.repeat(300_000)
    await send(outbox, { body: large })
    expect(textOf(await inbox.next())).toBe(large)

    const device = await client(`mqtt://127.0.0.1:${broker.port('mqtt')}`)
    await device.subscribeAsync('plant/1')
    const heard = nextMessage(device)
    await send(outbox, { body: 'from AMQP' })
    expect((await heard).toString()).toBe('from AMQP')
    expect(textOf(await inbox.next())).toBe('from AMQP')
    await device.publishAsync('plant/1', 'from MQTT', { qos: 1 })
    expect(textOf(await inbox.next())).toBe('from MQTT')
  })

  test('a stop tells the client', async () => {
    const broker = await start({ listeners })
    const connection = await connectAmqp(broker, carrier)
    const told = once(connection, 'connection_error')
    await broker.program.stop('SIGTERM')
    await told
    expect(connection.error).toMatchObject({ condition: 'amqp:connection:forced' })
  })
})

describe('a login', () => {
  test('by nobody is offered where nobody may come in, by SCRAM unless it is switched off', async () => {
    const settings = ['listeners.any.authentication.anonymous=false']
    const broker = await start({ listeners: ['amqp', 'any'], settings })
    expect(await mechanismsOf(broker, 'amqp')).toEqual(['SCRAM-SHA-256', 'PLAIN', 'ANONYMOUS'])
    expect(await mechanismsOf(broker, 'any')).toEqual(['SCRAM-SHA-256', 'PLAIN'])
    const plain = await start({ listeners: ['amqp'], settings: ['auth.scram=false'] })
    expect(await mechanismsOf(plain, 'amqp')).toEqual(['PLAIN', 'ANONYMOUS'])
  })

  const PASSWORDS_ONLY = ['listeners.amqp.authentication.anonymous=false']

  test('by PLAIN takes the right password and no other', async () => {
    const broker = await start({ listeners: ['amqp'], settings: PASSWORDS_ONLY })
    await addUser(broker, 'alice', 'pencil')
    const log = broker.program.untilLine('unknown, or the password is wrong')
    await connectAmqp(broker, 'amqp', { username: 'alice', password: 'pencil' })
    await expect(connectAmqp(broker, 'amqp', { username: 'alice', password: 'pencils' })).rejects.toThrow()
    expect(JSON.parse(await log)).toMatchObject({ listener: 'amqp', kind: 'refused' })
  })

  test('by SCRAM-SHA-256 proves both sides', async () => {
    const broker = await start({ listeners: ['amqp'], settings: PASSWORDS_ONLY })
    await addUser(broker, 'alice', 'pencil')
    const scram = new ScramClient({ username: 'alice', password: 'pencil' })
    const mechanism = {
      start: (done: Done) => done(undefined, Buffer.from(scram.first())),
      step: async (challenge: Buffer, done: Done) => done(undefined, Buffer.from(await scram.final(challenge))),
    }
    const sasl_mechanisms = { 'SCRAM-SHA-256': () => mechanism }
    const connection = await connectAmqp(broker, 'amqp', { sasl_mechanisms } as never)
    expect(connection.is_open()).toBe(true)
  })

  test('by EXTERNAL takes the name from the certificate', async () => {
    const ca = await developmentCertificates({ folder: newFolder(), names: [], nowMs: Date.now() })
    const settings = [`ca=${ca.caFile}`, 'clientCertificate=request', 'identity=cn'].map(
      (setting) => `listeners.amqps.tls.${setting}`,
    )
    const rule = 'auth.rules=[{"user":"alice","allow":["read","write"],"topics":["$queue/alice"]}]'
    const broker = await start({ listeners: ['amqps'], settings: [...settings, rule] })
    await addUser(broker, 'alice')
    const external = { enable_sasl_external: true } as never
    const connection = await connectAmqp(broker, 'amqps', {
      ...clientCertificate(ca, 'alice'),
      ...(external as object),
    })
    await sender(connection, 'queue://alice')
    const refused = connection.open_sender('queue://bob')
    await once(refused, 'sender_error')
    expect(refused.error).toMatchObject({ condition: 'amqp:unauthorized-access' })
    const stranger = { ...clientCertificate(ca, 'bob'), ...(external as object) }
    await expect(connectAmqp(broker, 'amqps', stranger)).rejects.toThrow()
  })

  test('is not needed where anybody may come in: AMQP begins at once', async () => {
    const broker = await start({ listeners: ['amqp'] })
    const socket = await openSocket(broker.port('amqp'))
    socket.write(Buffer.concat([AMQP_HEADER, OPEN]))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.subarray(0, 8)).toEqual(AMQP_HEADER)
  })
})

test.each(['amqp', 'any'])(
  'a client of AMQP 0-9-1 at %s hears which version is spoken, and the log says why it left',
  async (listener) => {
    const broker = await start({ listeners: [listener] })
    const socket = await openSocket(broker.port(listener))
    socket.write(AMQP_091_HEADER)
    expect(await answerOf(socket)).toEqual(AMQP_HEADER)
    const line = await broker.program.untilLine('AMQP 0-9-1')
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', listener, kind: 'refused' })
  },
)

test('[AMQPWSB-2.1-a, AMQPWSB-2.1-b, AMQPWSB-2.3-a] over WebSocket "amqp" is chosen, binary frames are answered by binary frames, and a text frame ends it', async () => {
  const broker = await start({ listeners: ['ws'] })
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port('ws')}/`, ['soap', 'amqp'])
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  expect(socket.protocol).toBe('amqp')
  socket.send(SASL_HEADER)
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean]
  expect([data.subarray(0, 8), isBinary]).toEqual([SASL_HEADER, true])
  socket.send('text')
  const [code] = (await once(socket, 'close')) as [number]
  expect(code).toBe(UNSUPPORTED_DATA)
})

test('[AMQPWSB-2.3-b] over WebSocket a frame may be in several messages, and several may be in one', async () => {
  const broker = await start({ listeners: ['ws'] })
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port('ws')}/`, ['amqp'])
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  const stream = Buffer.concat([AMQP_HEADER, OPEN, EMPTY_FRAME, EMPTY_FRAME, CLOSE])
  socket.send(stream.subarray(0, 11))
  socket.send(stream.subarray(11))
  const answer: Buffer[] = []
  socket.on('message', (data: Buffer) => answer.push(data))
  await once(socket, 'close')
  const bytes = Buffer.concat(answer)
  expect(bytes.subarray(0, 8)).toEqual(AMQP_HEADER)
  expect(bytes.subarray(-CLOSE.length)).toEqual(CLOSE)
})

test('without a sub-protocol AMQP is known by its first bytes', async () => {
  const broker = await start({ listeners: ['ws'] })
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port('ws')}/`)
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  for (const byte of SASL_HEADER) socket.send(Uint8Array.of(byte))
  const [data] = (await once(socket, 'message')) as [Buffer]
  expect(data.subarray(0, 8)).toEqual(SASL_HEADER)
})

test('a durable message outlives the broker, as it was', async () => {
  const first = await start({ listeners: ['amqp'] })
  const outbox = await sender(await connectAmqp(first, 'amqp'), 'queue://orders')
  const properties = { message_id: 'order-1', application_properties: { count: 3, large: true } }
  await send(outbox, { durable: true, body: 'one coffee', ...properties })
  await first.program.stop('SIGKILL')
  const second = await start({ listeners: ['amqp'], dataDir: first.dataDir })
  const inbox = await receiver(await connectAmqp(second, 'amqp'), 'queue://orders')
  expect(await inbox.next()).toMatchObject({ durable: true, body: 'one coffee', ...properties })
})

test('what is announced is what is configured, and a reload counts for the next connection', async () => {
  const file = join(newFolder(), 'broker.yaml')
  writeFileSync(file, 'amqp: { maxFrameBytes: 4096, channelMax: 7 }\n')
  const broker = await start({ listeners: ['amqp'], args: ['--config', file] })
  const before = await connectAmqp(broker, 'amqp')
  expect([before.max_frame_size, before.channel_max]).toEqual([4_096, 7])
  writeFileSync(file, 'amqp: { maxFrameBytes: 8192, channelMax: 7 }\n')
  process.kill(broker.ready.pid, 'SIGHUP')
  expect(JSON.parse(await broker.program.untilLine('"applied"'))).toMatchObject({ applied: ['amqp.maxFrameBytes'] })
  expect((await connectAmqp(broker, 'amqp')).max_frame_size).toBe(8_192)
  await sender(before, 'queue://orders')
})
