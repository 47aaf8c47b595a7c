/** Who is at work in a run: queues with competing consumers, and a topic with sessions that stay; QoS 1 and 2, MQTT 3.1.1 and 5. */
import type { LoadClient } from './client.ts'
import { MosquittoConsumer, MosquittoPublisher, PahoClient } from './foreign.ts'
import { Consumer, Publisher } from './mqtt-js.ts'

const WINDOW = 20
const TOPIC = 'crash/topic'

export interface Clients {
  readonly publishers: readonly Publisher[]
  /** All of them; consumers first, so that they have subscribed before anything is sent. */
  readonly all: readonly LoadClient[]
}

export function clientsFor(port: number, withForeign: boolean): Clients {
  const sessions = ['session:a', 'session:b', ...(withForeign ? ['session:mosquitto', 'session:paho'] : [])]
  const queue = (name: string): { topic: string; queues: string[] } => ({ topic: `$queue/${name}`, queues: [name] })
  const topic = { topic: TOPIC, queues: sessions }
  const consumers = [
    new Consumer({ port, version: 5, clientId: 'queue-a-1', filter: '$queue/crash.a', queue: 'crash.a', qos: 1 }),
    new Consumer({ port, version: 4, clientId: 'queue-a-2', filter: '$queue/crash.a', queue: 'crash.a', qos: 2 }),
    new Consumer({ port, version: 5, clientId: 'queue-b', filter: '$queue/crash.b', queue: 'crash.b', qos: 2 }),
    new Consumer({ port, version: 4, clientId: 'session-a', filter: TOPIC, queue: 'session:a', qos: 1 }),
    new Consumer({ port, version: 5, clientId: 'session-b', filter: TOPIC, queue: 'session:b', qos: 2 }),
  ]
  const publishers = [
    new Publisher({ port, version: 5, clientId: 'one-a', qos: 1, window: WINDOW, ...queue('crash.a') }),
    new Publisher({ port, version: 4, clientId: 'two-a', qos: 2, window: WINDOW, ...queue('crash.a') }),
    new Publisher({ port, version: 5, clientId: 'two-b', qos: 2, window: WINDOW, ...queue('crash.b') }),
    new Publisher({ port, version: 4, clientId: 'one-topic', qos: 1, window: WINDOW, ...topic }),
    new Publisher({ port, version: 5, clientId: 'two-topic', qos: 2, window: WINDOW, ...topic }),
  ]
  return { publishers, all: [...consumers, ...(withForeign ? foreignFor(port, queue) : []), ...publishers] }
}

function foreignFor(port: number, queue: (name: string) => { topic: string; queues: string[] }): LoadClient[] {
  const subscription = { port, filter: TOPIC }
  const paho = { ...subscription, clientId: 'paho-consumer', queue: 'session:paho', qos: 2 } as const
  return [
    new MosquittoConsumer({ ...subscription, clientId: 'mosquitto-sub', queue: 'session:mosquitto', qos: 2 }),
    // Not QoS 2: paho 1.6 forgets after an attempt to connect that failed that it has a PUBREC, and sends the message again as new.
    new PahoClient({ port, clientId: 'paho', qos: 1, window: WINDOW, ...queue('crash.b') }, paho),
    new MosquittoPublisher({ port, clientId: 'mosquitto-pub', qos: 1, window: WINDOW, ...queue('crash.a') }),
  ]
}
