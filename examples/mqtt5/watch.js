/** Shows what is known about every device: at once what is retained, then every change. */
import { connect } from './connect.js'

const client = await connect()

client.on('message', (topic, message, { retain }) => {
  const [, device, what] = topic.split('/')
  console.log(`${device}: ${what} ${message}${retain ? ' (retained)' : ''}`)
})

await client.subscribeAsync({ 'devices/+/status': { qos: 1 }, 'devices/+/temperature': { qos: 0 } })
