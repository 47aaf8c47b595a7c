/** ACK and NACK: which messages they are about, and what becomes of those. */
import { describe, expect, it } from 'vitest'
import { ack, ackOf, begin, type Client, commit, frame, type Frame, nack, send, subscribe, unsubscribe, type Version, World } from '../../harness.ts'

/** A client with `count` messages of the queue `q` that wait for their ACK. */
function holding(count: number, mode: string, options: { version?: Version; world?: World; headers?: object } = {}) {
  const { version = 12, world = new World(), headers = {} } = options
  const client = world.connect({ version })
  client.send(subscribe(1, '/queue/q', { ack: mode, ...headers }))
  world.connect().send(...Array.from({ length: count }, (_, index) => send('/queue/q', String(index + 1))))
  return { world, client, messages: client.messages() }
}

/** ACK or NACK as the version writes it. */
function settled(command: 'ACK' | 'NACK', version: Version, { headers }: Frame, more = {}): Uint8Array {
  if (version === 12) return frame(command, { id: headers['ack']!, ...more })
  const subscription = version === 11 ? { subscription: headers['subscription']! } : {}
  return frame(command, { 'message-id': headers['message-id']!, ...subscription, ...more })
}

/** Bodies that a next consumer gets. */
function left(world: World, client: Client): string[] {
  client.vanish()
  const next = world.connect()
  next.send(subscribe(1, '/queue/q'))
  return next.bodies()
}

describe('the mode', () => {
  it.each([10, 11, 12] as const)(
    '[STOMP12-SUBSCRIBE_ack_Header-a, STOMP12-SUBSCRIBE_ack_Header-b, STOMP11-SUBSCRIBE_ack_Header-a, STOMP11-SUBSCRIBE_ack_Header-b, STOMP10-SUBSCRIBE-c] is auto without the header, and then what is sent is settled, in version %i',
    (version) => {
      const world = new World()
      const client = world.connect({ version })
      client.send(subscribe(1, '/queue/q'), subscribe(2, '/queue/r', { ack: 'auto' }), send('/queue/q', 'x'), send('/queue/r', 'x'))
      expect(client.bodies()).toEqual(['x', 'x'])
      expect([world.queue('q').inflightCount, world.queue('r').inflightCount]).toEqual([0, 0])
    },
  )

  it.each([10, 11, 12] as const)(
    '[STOMP12-SUBSCRIBE_ack_Header-c, STOMP12-ACK-c, STOMP11-SUBSCRIBE_ack_Header-c, STOMP10-SUBSCRIBE-c, STOMP12-ACK-a, STOMP11-ACK-a, STOMP10-ACK-a] client settles all up to the one that ACK names, in version %i',
    (version) => {
      const { world, client, messages } = holding(5, 'client', { version })
      expect(world.queue('q').inflightCount).toBe(5)
      client.send(settled('ACK', version, messages[2]!, { receipt: 'r' }))
      expect([client.receipts(), world.queue('q').inflightCount]).toEqual([['r'], 2])
      expect(left(world, client)).toEqual(['4', '5'])
    },
  )

  it.each([11, 12] as const)(
    '[STOMP12-SUBSCRIBE_ack_Header-d, STOMP11-SUBSCRIBE_ack_Header-d] client-individual settles the one that ACK names, in version %i',
    (version) => {
      const { world, client, messages } = holding(5, 'client-individual', { version })
      client.send(settled('ACK', version, messages[2]!), settled('ACK', version, messages[0]!))
      expect(left(world, client)).toEqual(['2', '4', '5'])
    },
  )

  it('client is about messages of its own subscription only', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe('a', '/queue/a', { ack: 'client' }), subscribe('b', '/queue/b', { ack: 'client' }))
    client.send(...['1', '2', '3'].flatMap((body) => [send('/queue/a', body), send('/queue/b', body)]))
    const last = client.messages().filter(({ headers }) => headers['subscription'] === 'a').at(-1)!
    client.send(ack(ackOf(last)))
    expect([world.queue('a').inflightCount, world.queue('b').inflightCount]).toEqual([0, 3])
  })

  it('of any other name is refused', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { ack: 'Client' }))
    expect(client.error()).toBe('SUBSCRIBE: header ack: "Client" is none of auto, client and client-individual')
  })
})

describe('an ACK', () => {
  it.each([10, 11, 12] as const)(
    '[STOMP12-ACK-a, STOMP11-ACK-a, STOMP10-ACK-a] without the id of a message is refused in version %i',
    (version) => {
      const { client } = holding(1, 'client', { version })
      client.send(frame('ACK', { subscription: 1, receipt: 'r' }))
      const name = version === 12 ? 'id' : 'message-id'
      expect(client.errorFrame().headers).toMatchObject({
        message: expect.stringMatching(new RegExp(`^ACK: header ${name} is missing; it is the `)) as unknown,
        'receipt-id': 'r',
      })
    },
  )

  it.each(['0', '99', 'x', '-1', '1.5', '', '999999999999999999999', 's1-9', 's1-'])('of the id %j, which nobody has, is refused', (id) => {
    const { client } = holding(1, 'client')
    client.send(ack(id))
    expect(client.error()).toBe(`ACK: no message waits for the id "${id}": it was settled already, or never sent to this connection`)
  })

  it('of a message that is settled already is refused', () => {
    const { client, messages } = holding(1, 'client')
    client.send(ack(ackOf(messages[0]!)), ack(ackOf(messages[0]!)))
    expect(client.error()).toMatch(/it was settled already/)
  })

  it('of a message that needs none is refused, and told why', () => {
    const { client, messages } = holding(1, 'auto', { version: 11 })
    client.send(settled('ACK', 11, messages[0]!))
    expect(client.error()).toMatch(/no subscription of this connection acknowledges \(they have ack:auto\)/)
  })

  it('of a connection without a subscription says that', () => {
    const client = new World().connect()
    client.send(frame('ACK', { id: 1 }))
    expect(client.error()).toBe('ACK: no message waits for the id "1": this connection has no subscription, and what an ended one left unsettled went back')
  })

  it('of a message of another connection is refused', () => {
    const world = new World()
    const one = holding(1, 'client', { world, version: 11 })
    const other = world.connect({ version: 11 })
    other.send(subscribe(1, '/queue/q', { ack: 'client' }), settled('ACK', 11, one.messages[0]!))
    expect(other.error()).toMatch(/no message waits for the id/)
    expect(world.queue('q').inflightCount).toBe(1)
  })

  it('[STOMP11-ACK-b, STOMP11-NACK-b] of 1.1 names the subscription, and the right one', () => {
    for (const command of ['ACK', 'NACK'] as const) {
      const { client, messages } = holding(1, 'client', { version: 11 })
      client.send(frame(command, { 'message-id': messages[0]!.headers['message-id']! }))
      expect(client.error()).toBe(`${command}: header subscription is missing`)
      const other = holding(1, 'client', { version: 11 })
      other.client.send(settled(command, 11, other.messages[0]!, { subscription: 7 }))
      expect(other.client.error()).toMatch(/header subscription/)
    }
  })

  it('after UNSUBSCRIBE is refused: the message is somebody else’s', () => {
    const { client, messages } = holding(1, 'client')
    client.send(unsubscribe(1), ack(ackOf(messages[0]!)))
    expect(client.error()).toMatch(/^ACK: no message waits/)
  })

  it('of a message whose queue was deleted is taken', () => {
    const { world, client, messages } = holding(2, 'client-individual')
    world.vhost.destinations.delete(world.vhost.destinations.find('q')!)
    client.send(ack(ackOf(messages[0]!), { receipt: 1 }), nack(ackOf(messages[1]!), { receipt: 2 }))
    expect(client.receipts()).toEqual(['1', '2'])
  })

  it('[STOMP12-RECEIPT-b] has its receipt when the log has it', async () => {
    const world = await World.withLog()
    const client = await world.join()
    await client.finish(subscribe(1, '/queue/q', { ack: 'client' }), send('/queue/q', 'x', { persistent: true }))
    const [message] = client.messages()
    await client.finish(ack(ackOf(message!), { receipt: 'r' }))
    expect([client.receipts(), world.queue('q').inflightCount]).toEqual([['r'], 0])
  })
})

describe('a message that its publisher sent at most once', () => {
  it.each([10, 11, 12] as const)('is acknowledged like any other by a client that acknowledges, in version %i', (version) => {
    const world = new World()
    const client = world.connect({ version })
    const modes = version === 10 ? ['client'] : ['client', 'client-individual']
    for (const [index, mode] of modes.entries()) {
      client.send(subscribe(index, '/topic/t', { ack: mode }))
      world.publish('t', 'x', 0)
      const [message] = client.messages()
      client.send(settled('ACK', version, message!, { receipt: index }))
      expect(client.receipts()).toEqual([String(index)])
      if (version > 10) {
        client.send(settled('NACK', version, message!, { receipt: 'n' }))
        expect(client.receipts()).toEqual(['n'])
      }
      client.send(frame('UNSUBSCRIBE', { id: index }))
    }
  })

  it('settles those before it where ACK is about all, and not of another subscription', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe('a', '/topic/t', { ack: 'client' }), subscribe('b', '/topic/t', { ack: 'client' }), subscribe('c', '/topic/t'))
    world.publish('t', '1', 1)
    world.publish('t', '2', 0)
    world.publish('t', '3', 1)
    const messages = client.messages()
    const own = messages.filter(({ headers }) => headers['subscription'] === 'a')
    client.send(ack(ackOf(own[1]!), { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
    client.send(ack(ackOf(messages.find(({ headers }) => headers['subscription'] === 'b')!), { receipt: 's' }))
    expect(client.receipts()).toEqual(['s'])
    client.send(ack(ackOf(own[0]!)))
    expect(client.error()).toMatch(/it was settled already/)
  })

  it('may be acknowledged in a transaction, and after its subscription ended', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe('a', '/topic/t', { ack: 'client' }))
    world.publish('t', '1', 0)
    const id = ackOf(client.next('MESSAGE'))
    client.send(begin('t'), ack(id, { transaction: 't' }), commit('t'), unsubscribe('a'), ack(id, { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
  })
})

describe('NACK', () => {
  function deadLetters(world: World): Frame[] {
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/DLQ'))
    return reader.messages()
  }

  it.each([11, 12] as const)(
    '[STOMP12-NACK-a, STOMP12-NACK-b, STOMP11-NACK-a, STOMP11-NACK-b] makes a dead letter that says where it was and why, in version %i',
    (version) => {
      const { world, client, messages } = holding(2, 'client-individual', { version })
      client.send(settled('NACK', version, messages[0]!, { receipt: 'r' }))
      expect([client.receipts(), world.queue('q').inflightCount]).toEqual([['r'], 1])
      expect(deadLetters(world)).toMatchObject([
        { body: '1', headers: { destination: '/queue/DLQ', 'original-destination': '/queue/q', dlqDeliveryFailureCause: expect.stringContaining('NACK') as unknown } },
      ])
    },
  )

  it.each([11, 12] as const)('[STOMP12-NACK-c] is about all before it in the mode client, in version %i', (version) => {
    const { world, client, messages } = holding(4, 'client', { version })
    client.send(settled('NACK', version, messages[2]!))
    expect(deadLetters(world).map(({ body }) => body)).toEqual(['1', '2', '3'])
    expect(left(world, client)).toEqual(['4'])
  })

  it('[STOMP12-SUBSCRIBE_ack_Header-d, STOMP12-NACK-c] is about one in the mode client-individual', () => {
    const { world, client, messages } = holding(4, 'client-individual')
    client.send(nack(ackOf(messages[2]!)))
    expect(deadLetters(world).map(({ body }) => body)).toEqual(['3'])
  })

  it('with requeue:true returns the message to its place, as another attempt', () => {
    const { world, client, messages } = holding(2, 'client-individual')
    client.send(nack(ackOf(messages[0]!), { requeue: true }))
    world.advance(60_000)
    expect(client.messages()).toMatchObject([{ body: '1', headers: { redelivered: 'true', JMSXDeliveryCount: '2' } }])
    expect(deadLetters(world)).toEqual([])
  })

  it('returns it without the header where the profile is RabbitMQ’s, and requeue:false makes a dead letter', () => {
    const world = new World({ settings: { profile: 'rabbitmq' } })
    const { client, messages } = holding(2, 'client-individual', { world })
    client.send(nack(ackOf(messages[0]!)), nack(ackOf(messages[1]!), { requeue: false }))
    world.advance(60_000)
    expect(client.bodies()).toEqual(['1'])
    expect(deadLetters(world).map(({ body }) => body)).toEqual(['2'])
  })

  it('again and again makes a dead letter in the end', () => {
    const { world, client, messages } = holding(1, 'client-individual')
    let count = 0
    for (let [message] = messages; message !== undefined; [message] = client.messages()) {
      count++
      client.send(nack(ackOf(message), { requeue: true }))
      world.advance(600_000)
    }
    expect(count).toBe(10)
    expect(deadLetters(world)).toMatchObject([{ body: '1', headers: { 'original-destination': '/queue/q' } }])
  })

  it('with requeue:perhaps is refused', () => {
    const { client, messages } = holding(1, 'client')
    client.send(nack(ackOf(messages[0]!), { requeue: 'perhaps' }))
    expect(client.error()).toBe('NACK: header requeue: "perhaps" is neither true nor false')
  })
})

describe('what a client held when its connection ended', () => {
  it('goes to others, in its order, and says that it was sent before', () => {
    const { world, client } = holding(3, 'client')
    const other = world.connect()
    other.send(subscribe(1, '/queue/q', { ack: 'client' }))
    client.vanish()
    expect(other.messages().map(({ body, headers }) => [body, headers['redelivered']])).toEqual([
      ['1', 'true'],
      ['2', 'true'],
      ['3', 'true'],
    ])
  })
})
