/** Connects with MQTT 5 to the broker of `npm start`, or to MQTT_URL. Resolves once the broker has let us in. */
import mqtt from 'mqtt'

const { MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD } = process.env

export async function connect(options = {}) {
  const client = await mqtt.connectAsync(MQTT_URL ?? 'mqtt://localhost:1883', {
    protocolVersion: 5,
    username: MQTT_USERNAME,
    password: MQTT_PASSWORD,
    ...options,
  })
  client.on('error', (error) => console.error(error.message))
  return client
}
