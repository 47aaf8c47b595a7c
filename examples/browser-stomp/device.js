/** A thermometer that speaks MQTT 5 and is in the chat: it says when it comes and goes, and answers who asks. */
import mqtt from 'mqtt'

const { MQTT_URL = 'mqtt://localhost:1883', MQTT_USERNAME, MQTT_PASSWORD } = process.env
const name = process.argv[2] ?? 'kitchen'
const ROOM = 'chat/lobby'
const STATUS = `chat/devices/${name}`

const device = mqtt.connect(MQTT_URL, {
  protocolVersion: 5,
  username: MQTT_USERNAME,
  password: MQTT_PASSWORD,
  // What the broker says when we are gone without a word. Retained: who comes later hears it too.
  will: { topic: STATUS, payload: 'offline', qos: 1, retain: true },
})

device.on('connect', async () => {
  await device.subscribeAsync(ROOM, { qos: 1, nl: true }) // nl: not what we said ourselves
  await device.publishAsync(STATUS, 'online', { qos: 1, retain: true })
  console.log(`${name} is in the chat; end it with Ctrl-C, its will follows`)
})

device.on('message', (_topic, body, { properties }) => {
  const asks = body.toString()
  const who = properties?.userProperties?.from ?? 'somebody' // a header of STOMP is a user property of MQTT 5
  console.log(`${who}: ${asks}`)
  if (!asks.includes('temperature')) return
  const celsius = (20 + Math.random()).toFixed(1)
  device.publish(ROOM, `${celsius} °C, ${who}`, {
    qos: 1,
    properties: { payloadFormatIndicator: true, userProperties: { from: name } },
  })
})
device.on('error', (error) => console.error(error.message))
