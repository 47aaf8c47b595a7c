/** One broker from nothing to its first message and away again, as a test does it: `startBroker()`, a client over TCP. */
import type { startBroker as StartBroker } from '@ternmq/broker'
import { connect, type Socket } from 'node:net'

export interface FirstDelivery {
  /** From the call to a broker that accepts connections. */
  readonly startMs: number
  /** From the call to the first message that a subscriber has in its hands. */
  readonly deliveryMs: number
  readonly stopMs: number
}

/** CONNECT of MQTT 3.1.1, clean session, client id 'a'. */
const CONNECT = Uint8Array.of(0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x61)
/** SUBSCRIBE to 't' at QoS 1. */
const SUBSCRIBE = Uint8Array.of(0x82, 6, 0, 1, 0, 1, 0x74, 1)
/** PUBLISH 'hi' to 't' at QoS 1. */
const PUBLISH = Uint8Array.of(0x32, 7, 0, 1, 0x74, 0, 1, 0x68, 0x69)

const CONNACK_BYTES = 4
const SUBACK_BYTES = 5
/** The publish as it comes back, and the PUBACK, in either order. */
const DELIVERY_BYTES: number = PUBLISH.length + 4

/** `startBroker` is handed in, so that whoever measures decides when its modules are loaded. */
export async function firstDelivery(startBroker: typeof StartBroker): Promise<FirstDelivery> {
  const startedAtMs = performance.now()
  const broker = await startBroker()
  const readyAtMs = performance.now()
  const address = broker.listeners.mqtt
  if (address === undefined) throw new Error('the broker has no listener mqtt')
  const socket = connect({ host: address.host, port: address.port, noDelay: true })
  await exchange(socket, CONNECT, CONNACK_BYTES)
  await exchange(socket, SUBSCRIBE, SUBACK_BYTES)
  const answer = await exchange(socket, PUBLISH, DELIVERY_BYTES)
  if (!answer.includes('hi')) throw new Error(`the message did not come back: ${answer.toString('hex')}`)
  const deliveredAtMs = performance.now()
  socket.destroy()
  await broker.stop()
  return {
    startMs: readyAtMs - startedAtMs,
    deliveryMs: deliveredAtMs - startedAtMs,
    stopMs: performance.now() - deliveredAtMs,
  }
}

/** Writes, and resolves with the answer as soon as it has `answerBytes`. */
function exchange(socket: Socket, bytes: Uint8Array, answerBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < answerBytes) return
      socket.off('data', onData)
      socket.off('error', reject)
      resolve(answer)
    }
    socket.on('data', onData)
    socket.once('error', reject)
    socket.write(bytes)
  })
}
