/** The WebSocket listener of a whole broker: which sub-protocol it chooses, and which frames it takes. */
import { MqttClient } from 'mqtt'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'

import { nextMessage, start, type Started } from './support.ts'

/** CONNECT of a client 'c' with a clean session. */
const HELLO = { mqtt311: '100d00044d5154540402003c000163', mqtt5: '100e00044d5154540502003c00000163' }
/** 1003: this kind of data is not taken. [RFC 6455 §7.4.1] */
const UNSUPPORTED_DATA = 1003
const TOO_LARGE = 1009

function dial(broker: Started, offer: string[]): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port('ws')}/`, offer)
  socket.binaryType = 'arraybuffer'
  onTestFinished(() => socket.close())
  return socket
}

/** For mqtt.js, which by itself always offers a sub-protocol. */
function streamOver(socket: WebSocket): Duplex {
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      socket.send(Uint8Array.from(chunk))
      done()
    },
    final: (done) => {
      socket.close()
      done()
    },
  })
  socket.addEventListener('message', ({ data }) => stream.push(Buffer.from(data as ArrayBuffer)))
  socket.addEventListener('close', () => stream.push(null))
  return stream
}

test('[MQTT311-6.0.0-1, MQTT311-6.0.0-3, MQTT311-6.0.0-4, MQTT5-6.0.0-1, MQTT5-6.0.0-3, MQTT5-6.0.0-4] "mqtt" is chosen or nothing, binary frames are answered by binary frames, a text frame ends it', async () => {
  const broker = await start({ listeners: ['ws'] })
  for (const hello of Object.values(HELLO)) {
    const socket = dial(broker, ['soap', 'mqtt'])
    await once(socket, 'open')
    expect(socket.protocol).toBe('mqtt')
    socket.send(Buffer.from(hello, 'hex'))
    const [{ data }] = (await once(socket, 'message')) as [{ data: unknown }]
    expect(data).toBeInstanceOf(ArrayBuffer)
    const connack = new Uint8Array(data as ArrayBuffer)
    expect([connack[0], connack[3]]).toEqual([0x20, 0])
    socket.send('text')
    const [{ code }] = (await once(socket, 'close')) as [{ code: number }]
    expect(code).toBe(UNSUPPORTED_DATA)
  }
  const refused = dial(broker, ['soap'])
  const [{ type }] = (await Promise.race([once(refused, 'error'), once(refused, 'open')])) as [{ type: string }]
  expect(type).toBe('error')
})

test('without a sub-protocol MQTT is known by its first bytes', async () => {
  const broker = await start({ listeners: ['ws'] })
  for (const hello of Object.values(HELLO)) {
    const socket = dial(broker, [])
    await once(socket, 'open')
    expect(socket.protocol).toBe('')
    for (const byte of Buffer.from(hello, 'hex')) socket.send(Uint8Array.of(byte))
    const [{ data }] = (await once(socket, 'message')) as [{ data: ArrayBuffer }]
    expect(new Uint8Array(data)[0]).toBe(0x20)
  }
})

test('mqtt.js talks over a WebSocket that offers no sub-protocol', async () => {
  const broker = await start({ listeners: ['ws'] })
  const socket = dial(broker, [])
  await once(socket, 'open')
  const device = new MqttClient(() => streamOver(socket), { protocolVersion: 5, reconnectPeriod: 0 })
  onTestFinished(() => device.endAsync(true))
  await device.subscribeAsync('a/b')
  const message = nextMessage(device)
  await device.publishAsync('a/b', 'x'.repeat(100_000), { qos: 1 })
  expect((await message).length).toBe(100_000)
})

test('a message above listeners.ws.maxMessageBytes closes with 1009', async () => {
  const broker = await start({ listeners: ['ws'], settings: ['listeners.ws.maxMessageBytes=2000'] })
  const socket = dial(broker, ['mqtt'])
  await once(socket, 'open')
  socket.send(new Uint8Array(2_001))
  const [{ code }] = (await once(socket, 'close')) as [{ code: number }]
  expect(code).toBe(TOO_LARGE)
})

test('before its login a peer may send no larger frame than over TCP, whatever its WebSocket message may hold', async () => {
  const broker = await start({ listeners: ['ws'] })
  const socket = connect(broker.port('ws'), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const request = [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: v12.stomp',
  ].join('\r\n')
  socket.write(`${request}\r\n\r\n`)
  // The first piece of a message of 10 MiB, masked with zeros; hardly anything of it comes.
  socket.write(Buffer.from('02ff0000000000a0000000000000', 'hex'))
  socket.write('CONNECT\naccept-version:1.2\nhost:/\ncontent-length:1000000\n\n')
  let answer = ''
  for await (const chunk of socket) {
    answer += String(chunk)
    if (answer.includes('ERROR\n')) break
  }
  expect(answer).toMatch(/ERROR\nmessage:.*65536/)
})
