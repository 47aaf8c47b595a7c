/** Publishes the time to "presence" every second, and prints it again when it comes back from the broker. */
import mqtt from 'mqtt'

import { broker } from './broker.js'

const options = {
  ...broker,
  clientId: `mqttjs_${Math.random().toString(16).slice(2, 10)}`,
  keepalive: 60,
  reconnectPeriod: 1000,
  protocolId: 'MQIsdp',
  protocolVersion: 3,
  clean: true,
  encoding: 'utf8',
}

const client = mqtt.connect(`mqtts://${broker.host}`, options)

client.on('connect', () => console.log('connected'))
client.on('message', (topic, message) => console.log(`received ${message.toString()}`))
client.on('error', (error) => console.error(error.message))

// Once: a second connect is a reconnect, and the timer still runs then.
client.once('connect', () => {
  client.subscribe('presence')
  setInterval(() => {
    const message = `hello, it is ${Date.now()} ms`
    console.log(`sending  ${message}`)
    // Called when the broker has acknowledged: QoS 1.
    client.publish('presence', message, { qos: 1 }, (error) =>
      console.log(`${error ? error.message : 'sent'}     ${message}`),
    )
  }, 1000)
})
