/** Where the broker is, who we are, and whose certificates we trust. The defaults fit `npm start` in this repository. */
import { readFileSync } from 'node:fs'

const developmentCa = new URL('../../ternmq-data/certificates/ca.pem', import.meta.url)

const { MQTT_HOST, MQTT_PORT, MQTT_USERNAME, MQTT_PASSWORD, MQTT_CA } = process.env

export const broker = {
  host: MQTT_HOST ?? 'localhost',
  port: Number(MQTT_PORT ?? 8883),
  username: MQTT_USERNAME ?? 'ada',
  password: MQTT_PASSWORD,
  ca: readFileSync(MQTT_CA ?? developmentCa),
}
