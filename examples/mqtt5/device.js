/** A device that says it is there, and whose broker says so when it is gone: online by itself, offline by its will. */
import { connect } from './connect.js'

const name = process.argv[2] ?? 'lamp'
const status = `devices/${name}/status`

const client = await connect({
  clientId: name,
  clean: false, // come back to the same session: a new one would end the old, and with it publish the will
  keepalive: 5, // seconds; silent for one and a half times that, the device counts as gone
  will: {
    topic: status,
    payload: 'offline',
    qos: 1,
    retain: true, // who asks later gets it too
    properties: { willDelayInterval: 2 }, // seconds: who is back before that was never away
  },
  properties: { sessionExpiryInterval: 60 }, // seconds; longer than the delay, because a session's end publishes its will
})

const announce = () => client.publish(status, 'online', { qos: 1, retain: true })
announce()
client.on('connect', announce) // again after each reconnect
setInterval(() => {
  const celsius = (20 + Math.random()).toFixed(1)
  client.publish(`devices/${name}/temperature`, celsius, { retain: true, properties: { messageExpiryInterval: 60 } })
}, 1000)
console.log(`${name} is online; end it with Ctrl-C, its will follows after 2 seconds`)
