/** Questions and answers between clients of different protocols: each asks and answers in its own words. */
import rhea, { type EventContext, type Message } from 'rhea'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { amqpAddressOf, binary, uuid } from './interop-amqp-peer.ts'
import { destinationOf, freshQueue, freshTopic } from './interop-peers.ts'
import { TestClient } from './mqtt-js-client.ts'
import { bodyOf, RheaClient } from './rhea-client.ts'
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

/** Through a link without an address, as `reply-to` is another one each time. */
async function amqpResponder(address: string): Promise<RheaResponder> {
  const responder = new RheaResponder(await RheaClient.connect(broker))
  await responder.listen(amqpAddressOf(address))
  return responder
}

class RheaResponder implements AsyncDisposable {
  readonly #client: RheaClient
  readonly messages: Message[] = []

  constructor(client: RheaClient) {
    this.#client = client
  }

  async listen(address: string): Promise<void> {
    const relay = await this.#client.sender({ target: {} })
    const requests = await this.#client.receiver(address, { credit_window: 0 })
    requests.link.on('message', ({ message }: EventContext) => {
      this.messages.push(message!)
      const { reply_to: to, correlation_id: correlation } = message!
      const sections = { to: to!, ...(correlation !== undefined && { correlation_id: correlationIdOf(correlation) }) }
      relay.link.send({ ...sections, body: `${String(bodyOf(message!))}!` })
    })
    requests.link.add_credit(100)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }
}

/** rhea gives a Buffer for bytes as for a UUID, and takes one for a UUID. */
function correlationIdOf(received: unknown): string {
  return (Buffer.isBuffer(received) ? binary(received) : received) as string
}

const RESPONDERS = { 'MQTT 5': mqttResponder, STOMP: stompResponder, 'AMQP 1.0': amqpResponder } as const
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

describe.each(MATRIX)('$who answers what AMQP asks on a $kind', ({ who, kind }) => {
  test.each(['temporary-queue', 'temporary-topic'])('with a %s of its own as reply-to', async (capability) => {
    const address = PLACES[kind]()
    await using responder = await RESPONDERS[who](address)
    await using asker = await RheaClient.connect(broker)
    const answers = await asker.receiver({ source: { dynamic: true, address: '', capabilities: [capability] } })
    const outbox = await asker.sender(amqpAddressOf(address))
    const replyTo = answers.link.source.address
    // Each type that an id may have comes back as it was.
    const ids = ['7', 7, uuid('0af76519-16cd-43dd-8448-eb211c80319c')]
    for (const id of ids) {
      await outbox.send({ reply_to: replyTo, correlation_id: id, body: 'question' })
      const [answer] = await answers.take(1)
      expect(String(bodyOf(answer!.message))).toBe('question!')
      expect(answer!.message.correlation_id).toEqual(id)
    }
    expect(responder.messages).toHaveLength(ids.length)
  })

  test.each(['topic', 'queue'] as const)('with a %s as reply-to', async (answerKind) => {
    const [address, replyTo] = [PLACES[kind](), amqpAddressOf(PLACES[answerKind]())]
    await using responder = await RESPONDERS[who](address)
    await using asker = await RheaClient.connect(broker)
    const answers = await asker.receiver(replyTo)
    const outbox = await asker.sender(amqpAddressOf(address))
    const question: unknown = rhea.message.data_section(Buffer.from('question'))
    await outbox.send({ reply_to: replyTo, body: question })
    const [answer] = await answers.take(1)
    expect(String(bodyOf(answer!.message))).toBe('question!')
    expect(answer!.message.correlation_id ?? undefined).toBeUndefined()
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
