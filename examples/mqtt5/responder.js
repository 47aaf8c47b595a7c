/** Answers requests: the sum of the numbers it is asked for, to whatever topic the request names. */
import { connect } from './connect.js'

const client = await connect()

client.on('message', (topic, message, { properties }) => {
  if (properties?.responseTopic === undefined) return // nobody to answer
  const sum = JSON.parse(message.toString()).reduce((a, b) => a + b, 0)
  console.log(`${message} = ${sum}, to ${properties.responseTopic}`)
  client.publish(properties.responseTopic, String(sum), {
    qos: 1,
    properties: { correlationData: properties.correlationData }, // tells the requester which request this answers
  })
})

await client.subscribeAsync('services/sum', { qos: 1 })
console.log('answering services/sum')
