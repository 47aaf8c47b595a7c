/** MQTT 5 over WebSocket. */
import mqtt, { type IPublishPacket } from 'mqtt'
import type { TryClient, TryOptions } from './try-client.ts'

export async function connectMqtt({
  url,
  user,
  password,
  clientId,
  onMessage,
  onClosed,
}: TryOptions): Promise<TryClient> {
  const client = await mqtt.connectAsync(url, {
    protocolVersion: 5,
    clientId,
    ...(user === '' ? {} : { username: user, password }),
    clean: true,
    // A person presses the button again; a loop of refused logins would lock the account out.
    reconnectPeriod: 0,
    connectTimeout: 8_000,
    // The other kind makes a worker from a blob: address, which the content security policy forbids.
    timerVariant: 'native',
  })
  let reason = 'The connection was closed.'
  client.on('error', (error) => (reason = error.message))
  client.on(
    'disconnect',
    (packet) =>
      (reason = packet.properties?.reasonString ?? `The broker said goodbye with code ${packet.reasonCode ?? 0}.`),
  )
  client.on('close', () => onClosed(reason))
  client.on('message', (address, body, packet) =>
    onMessage({ address, body: Uint8Array.from(body), details: detailsOf(packet) }),
  )
  return {
    subscribe: async (address) => {
      const [granted] = await client.subscribeAsync(address, { qos: 1 })
      if (granted !== undefined && granted.qos >= 0x80)
        throw new Error(`The broker refused the subscription with code ${granted.qos}.`)
    },
    publish: async (address, body) => {
      await client.publishAsync(address, body, { qos: 1 })
    },
    close: () => client.end(true),
  }
}

function detailsOf({ qos, retain, properties }: IPublishPacket): Array<readonly [string, string]> {
  const user = Object.entries(properties?.userProperties ?? {}).map(([name, value]): readonly [string, string] => [
    name,
    String(value),
  ])
  const details: Array<readonly [string, string]> = [['QoS', String(qos)]]
  if (retain) details.push(['retained', 'yes'])
  if (properties?.contentType !== undefined) details.push(['content type', properties.contentType])
  return [...details, ...user]
}
