/** The WebSocket listener of a whole broker: which sub-protocol it chooses, and which frames it takes. */
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'

import { start, type Started } from './support.ts'

/** CONNECT of a client 'c' with a clean session. */
const HELLO = { mqtt311: '100d00044d5154540402003c000163', mqtt5: '100e00044d5154540502003c00000163' }
/** 1003: this kind of data is not taken. [RFC 6455 §7.4.1] */
const UNSUPPORTED_DATA = 1003

function dial(broker: Started, offer: string[]): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${broker.port('ws')}/`, offer)
  socket.binaryType = 'arraybuffer'
  onTestFinished(() => socket.close())
  return socket
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
  for (const offer of [[], ['soap']]) {
    const refused = dial(broker, offer)
    const [{ type }] = (await Promise.race([once(refused, 'error'), once(refused, 'open')])) as [{ type: string }]
    expect(type).toBe('error')
  }
})
