/**
 * Who is at work in a run: queues with competing consumers, and a topic with sessions and subscriptions that stay; QoS 1 and 2, MQTT 3.1.1
 * and 5, AMQP 1.0 with both ways to settle and with transactions.
 */
import type { LoadClient, LoadPublisher } from './client.ts'
import { MosquittoConsumer, MosquittoPublisher, PahoClient } from './foreign.ts'
import { Consumer, Publisher } from './mqtt-js.ts'
import { RheaConsumer, RheaPublisher } from './rhea.ts'
import { BatchPublisher, Mover } from './rhea-work.ts'

const WINDOW = 20
const TOPIC = 'crash/topic'
/** As AMQP writes it. */
const TOPIC_ADDRESS = 'topic://crash.topic'

/** Where the broker listens. */
export interface Ports {
  readonly mqtt: number
  readonly amqp: number
}

export interface Clients {
  readonly publishers: readonly LoadPublisher[]
  /** All of them; consumers first, so that they have subscribed before anything is sent. */
  readonly all: readonly LoadClient[]
}

export function clientsFor({ mqtt: port, amqp }: Ports, withForeign: boolean): Clients {
  const sessions = [
    'session:a',
    'session:b',
    'subscription:c',
    ...(withForeign ? ['session:mosquitto', 'session:paho'] : []),
  ]
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
  const { receiving, sending } = amqpFor(amqp, sessions)
  const all = [...consumers, ...receiving, ...(withForeign ? foreignFor(port, queue) : []), ...publishers, ...sending]
  return { publishers: [...publishers, ...sending], all }
}

/** Beside those of MQTT at the same queues and the same topic. Queue u has only what is moved there from t, in transactions. */
function amqpFor(
  port: number,
  subscriptions: readonly string[],
): { receiving: LoadClient[]; sending: LoadPublisher[] } {
  const queue = (name: string): { address: string; queue: string } => ({ address: `queue://${name}`, queue: name })
  const to = (name: string): { address: string; queues: string[] } => ({ address: `queue://${name}`, queues: [name] })
  const topic = { address: TOPIC_ADDRESS, queues: subscriptions }
  return {
    receiving: [
      new RheaConsumer({ port, clientId: 'amqp-a', ...queue('crash.a') }),
      new RheaConsumer({ port, clientId: 'amqp-b', ...queue('crash.b'), settlesSecond: true }),
      new RheaConsumer({
        port,
        clientId: 'amqp-c',
        address: TOPIC_ADDRESS,
        queue: 'subscription:c',
        subscription: 'c',
      }),
      new RheaConsumer({ port, clientId: 'amqp-u', ...queue('crash.u'), settlesSecond: true }),
      new Mover({ port, clientId: 'mover', from: queue('crash.t'), to: queue('crash.u') }),
    ],
    sending: [
      new RheaPublisher({ port, clientId: 'amqp-to-a', window: WINDOW, ...to('crash.a') }),
      new RheaPublisher({ port, clientId: 'amqp-to-b', window: WINDOW, ...to('crash.b') }),
      new RheaPublisher({ port, clientId: 'amqp-to-topic', window: WINDOW, ...topic }),
      new BatchPublisher({ port, clientId: 'batch', ...queue('crash.t') }),
    ],
  }
}

function foreignFor(port: number, queue: (name: string) => { topic: string; queues: string[] }): LoadClient[] {
  const subscription = { port, filter: TOPIC }
  const paho = { ...subscription, clientId: 'paho-consumer', queue: 'session:paho', qos: 2 } as const
  return [
    // Not QoS 2: libmosquitto 2.0 keeps a PUBLISH that is sent again beside the first one, and gives the old one out when its id comes again.
    new MosquittoConsumer({ ...subscription, clientId: 'mosquitto-sub', queue: 'session:mosquitto', qos: 1 }),
    // Not QoS 2: paho 1.6 forgets after an attempt to connect that failed that it has a PUBREC, and sends the message again as new.
    new PahoClient({ port, clientId: 'paho', qos: 1, window: WINDOW, ...queue('crash.b') }, paho),
    new MosquittoPublisher({ port, clientId: 'mosquitto-pub', qos: 1, window: WINDOW, ...queue('crash.a') }),
  ]
}
