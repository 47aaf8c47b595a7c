/** One of several workers. Each job goes to one of them; start as many as you like, stop one, and the others go on. */
import { connect } from './connect.js'

const name = process.argv[2] ?? 'worker'
// A worker is given 4 jobs ahead of its acknowledgements, the rest waits for whoever is free.
const client = await connect({ properties: { receiveMaximum: 4 } })

// The acknowledgement leaves when `done` is called: a worker that dies before that leaves its jobs to the others.
client.handleMessage = ({ payload }, done) => {
  setTimeout(() => {
    console.log(`${name} did ${payload}`)
    done()
  }, 100)
}

await client.subscribeAsync('$share/workers/jobs', { qos: 1 })
console.log(`${name} is ready`)
