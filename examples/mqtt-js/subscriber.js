/** Prints what is published to "presence". */
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

// Sent as soon as the connection stands, and again after each reconnect.
client.subscribe('presence', { qos: 1 })
