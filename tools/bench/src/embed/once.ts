/** A process of its own for `bench embed`: loads the broker, makes one call, prints how long each took. Nothing else is loaded. */
import type { FirstCall } from './command.ts'
import { firstDelivery } from './first-delivery.ts'

const { startBroker } = await import('@ternmq/broker')
const loadedMs = performance.now() // counts from the start of the process
const call: FirstCall = { loadedMs, ...(await firstDelivery(startBroker)) }
process.stdout.write(JSON.stringify(call))
