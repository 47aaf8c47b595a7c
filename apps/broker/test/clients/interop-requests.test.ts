/** Questions and answers between clients of different protocols: each asks and answers in its own words. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { destinationOf, freshQueue, freshTopic } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { RunningBroker } from './running-broker.ts'
import { StompitClient } from './stompit-client.ts'
import { StompJsClient } from './stomp-js-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

/** Answers whatever it is asked, to where it is asked to. */
async function mqttResponder(address: string): Promise<TestClient> {
  const responder = await TestClient.connect(broker)
  responder.mqtt.on('message', (_topic, body, { properties }) => {
    const { responseTopic = '', correlationData } = properties ?? {}
    responder.mqtt.publish(responseTopic, `${body.toString()}!`, {
      qos: 1,
      properties: correlationData === undefined ? {} : { correlationData },
    })
  })
  await responder.mqtt.subscribeAsync(address, { qos: 1 })
  return responder
}

async function stompResponder(address: string): Promise<StompJsClient> {
  const responder = await StompJsClient.connect(broker)
  responder.onMessage = ({ headers, body }) => {
    const correlation = headers['correlation-id']
    responder.stomp.publish({
      destination: headers['reply-to'] ?? '',
      body: `${body}!`,
      headers: correlation === undefined ? {} : { 'correlation-id': correlation },
    })
  }
  await responder.subscribe(destinationOf(address))
  return responder
}

const RESPONDERS = { 'MQTT 5': mqttResponder, STOMP: stompResponder } as const
const PLACES = { queue: freshQueue, topic: freshTopic } as const
const MATRIX = (Object.keys(RESPONDERS) as (keyof typeof RESPONDERS)[]).flatMap((who) =>
  (Object.keys(PLACES) as (keyof typeof PLACES)[]).map((kind) => ({ who, kind })),
)

describe.each(MATRIX)('$who answers what is asked on a $kind', ({ who, kind }) => {
  test.each(['/temp-queue/answers', '/temp-topic/answers'])('by STOMP with reply-to:%s', async (replyTo) => {
    const address = PLACES[kind]()
    await using responder = await RESPONDERS[who](address)
    await using asker = await StompitClient.connect(broker)
    await asker.subscribe({ destination: replyTo })
    await using other = await StompitClient.connect(broker) // its temporary destination of that name is another one
    await other.subscribe({ destination: replyTo })
    for (const id of ['7', '8']) {
      await asker.send(
        { destination: destinationOf(address), 'reply-to': replyTo, 'correlation-id': id },
        `question ${id}`,
      )
      const [answer] = await asker.take(1)
      expect([answer!.body.toString(), answer!.headers['correlation-id']]).toEqual([`question ${id}!`, id])
    }
    expect(other.messages).toEqual([])
    expect(responder.messages).toHaveLength(2)
  })

  test.each(['topic', 'queue'] as const)('by MQTT 5 with a %s as response topic', async (answerKind) => {
    const [address, answers] = [PLACES[kind](), PLACES[answerKind]()]
    await using responder = await RESPONDERS[who](address)
    await using asker = await TestClient.connect(broker)
    await asker.mqtt.subscribeAsync(answers, { qos: 1 })
    const correlationData = Buffer.from([0, 0xff, 7])
    await asker.mqtt.publishAsync(address, 'question', {
      qos: 1,
      properties: { responseTopic: answers, correlationData },
    })
    const [answer] = await asker.take(1)
    expect(answer!.payload.toString()).toBe('question!')
    expect(answer!.properties?.correlationData).toEqual(correlationData)
    expect(responder.messages).toHaveLength(1)
  })
})

test('an answer to a temporary queue whose client is gone is refused with an ERROR that says so', async () => {
  const address = freshQueue()
  await using responder = await StompJsClient.connect(broker)
  await responder.subscribe(destinationOf(address))
  {
    await using asker = await StompitClient.connect(broker)
    await asker.subscribe({ destination: '/temp-queue/answers' })
    await asker.send({ destination: destinationOf(address), 'reply-to': '/temp-queue/answers' }, 'question')
    await asker.end()
  }
  const [question] = await responder.take(1)
  const destination = question!.headers['reply-to']!
  const text = await responder.refused(() => responder.stomp.publish({ destination, body: 'too late' }))
  expect(text).toMatch(/^SEND: .*temporary/)
})
