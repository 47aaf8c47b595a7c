/** A thermometer: logs in over TLS, publishes one reading with MQTT 5, and says when the broker has it on disk. */
import { existsSync, readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const developmentCa = new URL('../../ternmq-data/certificates/ca.pem', import.meta.url)
const { MQTTS_URL = 'mqtts://localhost:8883', BROKER_CA = developmentCa, DEVICE_PASSWORD } = process.env
const celsius = process.argv[2] ?? '21.5'

if (DEVICE_PASSWORD === undefined) fail('set DEVICE_PASSWORD to the password of the user press-1')
if (!existsSync(BROKER_CA))
  fail(`there is no ${BROKER_CA}: start the broker first, or set BROKER_CA to the certificate of its authority`)

const device = mqtt.connect(MQTTS_URL, {
  protocolVersion: 5,
  ca: readFileSync(BROKER_CA),
  username: 'press-1',
  password: DEVICE_PASSWORD,
  reconnectPeriod: 0, // one try: what is wrong is told, and that is all
})

device.on('connect', async () => {
  await device.publishAsync('plant/press-1/temperature', celsius, {
    qos: 1,
    properties: { payloadFormatIndicator: true }, // text, for receivers of STOMP and AMQP
  })
  console.log(`published ${celsius}, and the broker has it`)
  await device.endAsync()
})
device.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 1
})

function fail(text) {
  console.error(text)
  process.exit(1)
}
