/** Hands out jobs and ends when the broker has all of them. */
import { connect } from './connect.js'

const count = Number(process.argv[2] ?? 20)
const client = await connect()

// The broker says so when there was nobody to give a message to. MQTT.js shows it only in the packet itself.
const NO_MATCHING_SUBSCRIBERS = 0x10
let unheard = 0
client.on('packetreceive', ({ cmd, reasonCode }) => {
  if (cmd === 'puback' && reasonCode === NO_MATCHING_SUBSCRIBERS) unheard++
})

const jobs = Array.from({ length: count }, (_, index) => `job ${index + 1}`)
await Promise.all(jobs.map((job) => client.publishAsync('jobs', job, { qos: 1 })))
console.log(`${count} jobs handed out, ${unheard} of them to nobody`)
await client.endAsync()
