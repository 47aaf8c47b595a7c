import { connect } from 'mqtt'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'

import { type BrokerOptions, type EmbeddedBroker, startBroker } from './embed.ts'

async function start(options?: BrokerOptions): Promise<EmbeddedBroker> {
  const broker = await startBroker(options)
  onTestFinished(() => broker.stop())
  return broker
}

/** Sends frames after CONNECT and waits for the receipt `done` of the last one. */
async function stomp(broker: EmbeddedBroker, clientId: string, ...frames: readonly string[]): Promise<void> {
  const { host, port } = broker.listeners.stomp!
  const socket: Socket = createConnection(port, host)
  onTestFinished(() => void socket.destroy())
  socket.write(
    ['CONNECT\naccept-version:1.2\nhost:/\nclient-id:' + clientId + '\n\n', ...frames]
      .map((frame) => `${frame}\0`)
      .join(''),
  )
  let text = ''
  while (!text.includes('receipt-id:done')) text += String((await once(socket, 'data'))[0])
}

async function mqtt(broker: EmbeddedBroker, clientId: string): Promise<ReturnType<typeof connect>> {
  const { host, port } = broker.listeners.mqtt!
  const client = connect(`mqtt://${host}:${port}`, { clientId, reconnectPeriod: 0, protocolVersion: 5 })
  onTestFinished(() => client.endAsync(true))
  await new Promise((resolve) => client.once('connect', resolve))
  return client
}

test('a topic of one protocol and a subscription of another that nearly meet are told together, and kept', async () => {
  const broker = await start()
  await stomp(broker, 'desk', 'SUBSCRIBE\nid:1\ndestination:/topic/plant.1\nreceipt:done\n\n')
  const pump = await mqtt(broker, 'pump')
  await pump.publishAsync('plant.1', 'x', { qos: 1 })
  const text =
    "nobody hears 'plant.1', which MQTT client 'pump' publishes to; STOMP client 'desk' subscribed to 'plant/1': one has '.' where the other has '/'"
  expect(broker.events.recent().filter(({ kind }) => kind === 'hint')).toMatchObject([
    { source: 'mqtt', clientId: 'pump', text },
  ])
  expect(broker.nearMisses.suggestions().map((suggestion) => suggestion.text)).toEqual([text])
  await pump.subscribeAsync('plant.1')
  expect(broker.nearMisses.suggestions()).toEqual([])
})

test.each([
  [1, '', 1],
  [0, '', 0],
  [0, 'persistent:true\n', 1],
])(
  'mqtt.foreignTransientQos %i: what STOMP sends with %j comes with QoS %i',
  async (foreignTransientQos, header, qos) => {
    const broker = await start({ config: { mqtt: { foreignTransientQos } } })
    const reader = await mqtt(broker, 'reader')
    await reader.subscribeAsync('a', { qos: 2 })
    const came = new Promise<number>((resolve) =>
      reader.once('message', (_topic, _payload, packet) => resolve(packet.qos)),
    )
    await stomp(broker, 'sender', `SEND\ndestination:/topic/a\n${header}receipt:done\n\nx`)
    expect(await came).toBe(qos)
  },
)
