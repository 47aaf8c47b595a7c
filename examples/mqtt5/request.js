/** Asks the responder three things at once and prints the answers, in whatever order they come. */
import { connect } from './connect.js'

const client = await connect()
const responseTopic = `answers/${client.options.clientId}`
const waiting = new Map() // correlation data → what we asked

client.on('message', (topic, message, { properties }) => {
  const id = properties.correlationData.toString()
  console.log(`${waiting.get(id)} = ${message}`)
  waiting.delete(id)
  if (waiting.size === 0) client.end()
})

await client.subscribeAsync(responseTopic, { qos: 1 })

for (const numbers of ['[1,2]', '[3,4,5]', '[6,7,8,9]']) {
  const id = String(waiting.size + 1)
  waiting.set(id, numbers)
  client.publish('services/sum', numbers, {
    qos: 1,
    properties: { responseTopic, correlationData: Buffer.from(id), messageExpiryInterval: 10 }, // no answer needed after 10 s
  })
}
