/** What a destination means: queues, topics, wildcards, lists, virtual topics, temporary ones, and both brokers' forms of durable subscriptions. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { ack, ackOf, type Client, disconnect, frame, send, subscribe, unsubscribe, World } from '../../harness.ts'

function reading(world: World, destination: string, headers: Readonly<Record<string, string | boolean>> = {}, connect = {}): Client {
  const client = world.connect({ headers: connect })
  client.send(subscribe('s', destination, headers))
  return client
}

/** Destination and body of each message. */
function got(client: Client): string[] {
  return client.messages().map(({ headers, body }) => `${headers['destination']} ${body}`)
}

describe('one name', () => {
  it.each([
    ['/queue/a.b', '$queue/a.b'],
    ['queue://a.b', '$queue/a.b'],
    ['/topic/a.b', 'a/b'],
    ['topic://a.b', 'a/b'],
    ['/a/b', 'a/b'],
    ['a/b', 'a/b'],
    ['/exchange/amq.topic/a.b', 'a/b'],
  ])('%s is %s, and a subscriber reads its own spelling of it', (destination, core) => {
    const world = new World()
    const client = reading(world, destination)
    world.publish(core, 'from another protocol')
    world.connect().send(send(destination, 'own'))
    expect(got(client)).toEqual([`${destination} from another protocol`, `${destination} own`])
  })

  it.each([
    ['', /address '': it is empty/],
    ['/queue/', /the name of the queue is missing/],
    ['/topic/', /./],
    ['/exchange/other/key', /exchanges belong to AMQP 0-9-1/],
    ['/temp-queue/', /./],
    ['/remote-temp-queue/../x', /./],
  ])('%j cannot be sent to, nor subscribed to, and the ERROR says why', (destination, text) => {
    for (const make of [() => send(destination, 'x'), () => subscribe(1, destination)]) {
      const client = new World().connect()
      client.send(make())
      expect(client.error()).toMatch(text)
    }
  })

  it.each(['/queue/orders.>', '/queue/a.*', '/topic/a.*', '/topic/>', '/topic/*', '/topic/a,/topic/b.>', '/dsub/name'])(
    '%s cannot be sent to, and the ERROR says so as the client wrote it',
    (destination) => {
      const client = new World().connect()
      client.send(send(destination, 'x', { receipt: 'r' }))
      const { headers } = client.errorFrame()
      expect([headers['receipt-id'], headers['message']!.split(': ').slice(0, 2)]).toEqual(['r', ['SEND', `address '${destination}'`]])
    },
  )

  it('/amq/queue/NAME is a queue that is there', () => {
    const world = new World()
    world.define('known')
    const client = reading(world, '/amq/queue/known')
    client.send(send('/amq/queue/known', 'x'))
    expect(got(client)).toEqual(['/amq/queue/known x'])
    client.send(send('/amq/queue/unknown', 'x'))
    expect(client.error()).toContain(`there is no queue "unknown", and "/amq/queue/unknown" makes none; define it first, or use /queue/unknown`)
  })

  it('goes by destination-type where it says nothing itself', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe('q', '/queue/two'), subscribe('t', '/topic/two'))
    client.send(...['ANYCAST', 'MULTICAST', 'ANYCAST'].map((kind) => send('two', 'x', { 'destination-type': kind })))
    expect(client.messages().map(({ headers }) => headers['subscription'])).toEqual(['q', 't', 'q'])
    client.send(send('one', 'x', { 'destination-type': 'BOTH' }))
    expect(client.error()).toBe('SEND: header destination-type: "BOTH" is neither ANYCAST nor MULTICAST')
  })
})

describe('a wildcard', () => {
  it.each([
    ['/topic/a.*', ['/topic/a.b', '/topic/a.c']],
    ['/topic/a.>', ['/topic/a.b', '/topic/a.c', '/topic/a.b.d']],
    ['/topic/>', ['/topic/a.b', '/topic/a.c', '/topic/a.b.d', '/topic/other']],
  ])('%s reads the topics that it matches, each by its name', (pattern, matched) => {
    const world = new World()
    const client = reading(world, pattern)
    world.connect().send(...['/topic/a.b', '/topic/a.c', '/topic/a.b.d', '/topic/other'].map((to) => send(to, 'x')))
    expect(got(client)).toEqual(matched.map((name) => `${name} x`))
  })

  it('/queue/orders.> reads the queues that there are and that come, and acknowledges to each', () => {
    const world = new World()
    world.connect().send(send('/queue/orders.eu', '1'), send('/queue/other', '2'))
    const client = reading(world, '/queue/orders.>', { ack: 'client-individual' })
    world.connect().send(send('/queue/orders.us.east', '3'))
    const messages = client.messages()
    expect(messages.map(({ headers, body }) => `${headers['destination']} ${body}`)).toEqual(['/queue/orders.eu 1', '/queue/orders.us.east 3'])
    client.send(...messages.map((message) => ack(ackOf(message))))
    expect([client.isClosed, world.queue('orders.eu').inflightCount, world.queue('orders.us.east').inflightCount]).toEqual([false, 0, 0])
  })

  it('that probably means something else is told to operators', () => {
    const world = new World()
    reading(world, '/Topic/a')
    expect(world.events.some(({ kind, text }) => kind === 'hint' && text.includes('/Topic/'))).toBe(true)
  })
})

describe('names that probably mean something else', () => {
  it('are told to operators, and do not fill their log', () => {
    const world = new World()
    const client = world.connect()
    const hints = (): string[] => world.events.filter(({ kind }) => kind === 'hint').map(({ text }) => text)
    client.send(...Array.from({ length: 500 }, (_, index) => send(`/Topic/${index}`, 'x')))
    world.advance(5_000)
    expect(hints()[0]).toContain('/Topic/0')
    expect(hints().length).toBeLessThan(10)
  })
})

describe('a list', () => {
  it('is sent to all of it', () => {
    const world = new World()
    const readers = ['/queue/a', '/queue/b', '/topic/c'].map((destination) => reading(world, destination))
    const sender = world.connect()
    sender.send(send('/queue/a,/queue/b,/topic/c', 'x', { receipt: 'r' }))
    expect([sender.receipts(), ...readers.map(got)]).toEqual([['r'], ['/queue/a x'], ['/queue/b x'], ['/topic/c x']])
  })

  it('is read from all of it', () => {
    const world = new World()
    const client = reading(world, '/queue/a,/topic/c', { ack: 'client' })
    world.connect().send(send('/queue/a', '1'), send('/topic/c', '2'))
    const messages = client.messages()
    expect(messages.map(({ headers, body }) => `${headers['destination']} ${body}`)).toEqual(['/queue/a 1', '/topic/c 2'])
    client.send(ack(ackOf(messages[1]!)), unsubscribe('s', { receipt: 'r' }))
    expect([client.receipts(), world.queue('a').inflightCount, world.queue('a').consumers.length]).toEqual([['r'], 0, 0])
  })

  it('with a part that cannot be read is not read at all', () => {
    const world = new World({ limits: { queuesMax: 1 } })
    const client = world.connect()
    client.send(subscribe(1, '/queue/a,/queue/b'))
    expect(client.error()).toMatch(/limits.queuesMax/)
    expect(world.queue('a').consumers).toHaveLength(0)
  })
})

describe('a virtual topic', () => {
  it('goes to the queue of each group of consumers, and to its subscribers', () => {
    const world = new World()
    const [a1, a2, b, plain] = [
      reading(world, '/queue/Consumer.A.VirtualTopic.Orders'),
      reading(world, '/queue/Consumer.A.VirtualTopic.Orders'),
      reading(world, '/queue/Consumer.B.VirtualTopic.Orders'),
      reading(world, '/topic/VirtualTopic.Orders'),
    ] as const
    world.connect().send(...['1', '2', '3', '4'].map((body) => send('/topic/VirtualTopic.Orders', body)))
    const counts = [a1, a2, b, plain].map((client) => client.messages().length)
    expect([counts[0]! + counts[1]!, counts[2], counts[3]]).toEqual([4, 4, 4])
  })
})

describe('a temporary destination', () => {
  it('of reply-to brings the answer from another connection', () => {
    const world = new World()
    const server = reading(world, '/queue/requests')
    const asking = world.connect()
    asking.send(subscribe('answers', '/temp-queue/mine'))
    asking.send(send('/queue/requests', 'how much?', { 'reply-to': '/temp-queue/mine', 'correlation-id': '7' }))
    const { headers } = server.next('MESSAGE')
    expect(headers['reply-to']).toMatch(/^\/remote-temp-queue\//)
    server.send(send(headers['reply-to']!, '42', { 'correlation-id': headers['correlation-id']! }))
    expect(asking.messages()).toMatchObject([{ body: '42', headers: { subscription: 'answers', 'correlation-id': '7', destination: '/temp-queue/mine' } }])
  })

  it('is one’s own: two connections with one name for it have two', () => {
    const world = new World()
    const [one, two] = [reading(world, '/temp-queue/x'), reading(world, '/temp-queue/x')]
    one.send(send('/temp-queue/x', 'one'))
    two.send(send('/temp-queue/x', 'two'))
    expect([one.bodies(), two.bodies()]).toEqual([['one'], ['two']])
  })

  it('that is gone takes no answer: its sender hears so, whether it had sent there before or not', () => {
    const world = new World()
    const server = reading(world, '/queue/requests')
    const asking = reading(world, '/temp-queue/mine')
    asking.send(send('/queue/requests', '?', { 'reply-to': '/temp-queue/mine' }))
    const address = server.next('MESSAGE').headers['reply-to']!
    server.send(send(address, 'one', { receipt: '1' }))
    expect(server.next('RECEIPT').headers).toMatchObject({ 'receipt-id': '1' })
    asking.send(disconnect())
    server.send(send(address, 'two', { receipt: '2' }))
    expect(server.error()).toMatch(/SEND: there is no queue/)
  })

  it('of a topic works the same', () => {
    const world = new World()
    const server = reading(world, '/topic/requests')
    const asking = reading(world, '/temp-topic/t')
    asking.send(send('/topic/requests', '?', { 'reply-to': '/temp-topic/t' }))
    server.send(send(server.next('MESSAGE').headers['reply-to']!, '!'))
    expect(asking.bodies()).toEqual(['!'])
  })

  it('is read by nobody else, and goes with its connection', () => {
    const world = new World()
    const server = reading(world, '/queue/requests')
    const asking = reading(world, '/temp-queue/mine')
    asking.send(send('/queue/requests', '?', { 'reply-to': '/temp-queue/mine' }))
    const address = server.next('MESSAGE').headers['reply-to']!
    const name = address.slice('/remote-temp-queue/'.length)
    for (const form of [address, `/queue/$temp/${name}`, `$temp/${name}::$temp/${name}`, `/topic/$temp.${name}`, '/topic/$temp.>', '/topic/$temp.*']) {
      for (const browser of [false, true]) {
        const spy = world.connect()
        spy.send(subscribe(1, form, { browser }))
        expect(spy.error()).toMatch(/^SUBSCRIBE: .*only the connection that made a temporary destination reads from it|address '/)
      }
    }
    asking.vanish()
    expect(world.vhost.temporaries.count).toBe(0)
    server.send(send(address, '!', { receipt: 'r' }))
    expect(server.errorFrame().headers['receipt-id']).toBe('r')
  })

  it('that has gone and come again under one id keeps to the connection that made it', () => {
    const world = new World()
    const first = reading(world, '/temp-queue/x')
    first.send(disconnect())
    const second = reading(world, '/temp-queue/x')
    second.send(send('/temp-queue/x', 'new'))
    expect(second.bodies()).toEqual(['new'])
  })
})

describe('a durable subscription', () => {
  it.each(['activemq.subscriptionName', 'durable-subscription-name'])('by %s keeps what comes while its client is away', (name) => {
    const world = new World()
    reading(world, '/topic/t', { [name]: 'n' }, { 'client-id': 'me' }).send(disconnect())
    world.connect().send(send('/topic/t', '1', { persistent: true }), send('/topic/t', '2'))
    const again = reading(world, '/topic/t', { [name]: 'n', ack: 'client' }, { 'client-id': 'me' })
    expect(got(again)).toEqual(['/topic/t 1', '/topic/t 2'])
  })

  it('is read as /dsub/NAME, too, once there is one', () => {
    const world = new World()
    reading(world, '/topic/t', { 'durable-subscription-name': 'n' }, { 'client-id': 'me' }).send(disconnect())
    world.connect().send(send('/topic/t', '1'))
    const again = reading(world, '/dsub/n', {}, { 'client-id': 'me' })
    expect(got(again).map((line) => line.split(' ')[1])).toEqual(['1'])
    again.send(unsubscribe('s'), subscribe(1, '/dsub/other'))
    expect(again.error()).toMatch(/client "me" has no durable subscription "other"/)
  })

  it('with a selector keeps it, and what waits, when it is read as /dsub/NAME', () => {
    const world = new World()
    reading(world, '/topic/t', { 'durable-subscription-name': 'n', selector: "a = '1'" }, { 'client-id': 'me' }).send(disconnect())
    world.connect().send(send('/topic/t', '1', { a: '1' }), send('/topic/t', '2', { a: '2' }))
    const other = reading(world, '/dsub/n', { selector: "a = '2'" }, { 'client-id': 'me' })
    expect(other.error()).toMatch(/has another selector; leave yours out/)
    const again = reading(world, '/dsub/n', {}, { 'client-id': 'me' })
    expect(got(again).map((line) => line.split(' ')[1])).toEqual(['1'])
  })

  it('is read by its client alone, whatever its queue is called', () => {
    const world = new World()
    reading(world, '/topic/t', { 'durable-subscription-name': 'n' }, { 'client-id': 'me' }).send(disconnect())
    const [name] = [...world.vhost.destinations.all()].map((named) => named.name)
    for (const form of [`/queue/${name}`, `/amq/queue/${name}`, `${name}::${name}`, `queue://${name}`]) {
      for (const browser of [false, true]) {
        const spy = world.connect()
        spy.send(subscribe(1, form, { browser }))
        expect(spy.error()).toMatch(/is that of a durable subscription; its client reads it as \/dsub\/NAME/)
      }
    }
  })

  it('is there again after a restart, with what came', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const world = await World.withLog({}, env, engine)
    const client = await world.join({ headers: { 'client-id': 'me' } })
    await client.finish(subscribe('s', '/topic/t', { 'durable-subscription-name': 'n' }), disconnect('bye'))
    await (await world.join()).finish(send('/topic/t', 'kept', { persistent: true }), send('/topic/t', 'gone'), disconnect())
    await world.vhost.close()
    const next = await World.withLog({}, env, engine)
    const again = await next.join({ headers: { 'client-id': 'me' } })
    await again.finish(subscribe('s', '/topic/t', { 'durable-subscription-name': 'n' }))
    expect(got(again)).toEqual(['/topic/t kept'])
  })

  it('has its client id from CONNECT', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/topic/t', { 'durable-subscription-name': 'n' }))
    expect(client.error()).toBe('SUBSCRIBE: a durable subscription belongs to a client id; give one with header client-id of CONNECT')
  })

  it.each(['activemq.subscriptionName', 'durable-subscription-name'])('ends with UNSUBSCRIBE that names it by %s, and not with one that does not', (name) => {
    const world = new World()
    const client = reading(world, '/topic/t', { [name]: 'n' }, { 'client-id': 'me' })
    client.send(unsubscribe('s'))
    expect(world.vhost.router.bindingCount).toBe(1)
    client.send(subscribe('s', '/topic/t', { [name]: 'n' }), unsubscribe('s', { [name]: 'n', receipt: 'r' }))
    expect([client.receipts(), world.vhost.router.bindingCount]).toEqual([['r'], 0])
    client.send(frame('UNSUBSCRIBE', { [name]: 'n' }))
    expect(client.error()).toMatch(/there is no subscription 'n' of this client/)
  })

  it('has one consumer at a time', () => {
    const world = new World()
    const client = reading(world, '/topic/t', { 'durable-subscription-name': 'n' }, { 'client-id': 'me' })
    client.send(subscribe(2, '/topic/t', { 'durable-subscription-name': 'n' }))
    expect(client.error()).toMatch(/subscription 'n' has a consumer/)
  })

  it('with a selector keeps what that matches', () => {
    const world = new World()
    const headers = { 'durable-subscription-name': 'n', selector: "colour = 'blue'" }
    reading(world, '/topic/t', headers, { 'client-id': 'me' }).send(disconnect())
    world.connect().send(send('/topic/t', '1', { colour: 'red' }), send('/topic/t', '2', { colour: 'blue' }))
    expect(reading(world, '/topic/t', headers, { 'client-id': 'me' }).bodies()).toEqual(['2'])
  })

  it('in RabbitMQ’s form has the id of SUBSCRIBE for its name, and ends with an UNSUBSCRIBE of the same headers', () => {
    const world = new World()
    const form = { durable: true, 'auto-delete': false }
    reading(world, '/topic/t', form).send(disconnect())
    world.connect().send(send('/topic/t', '1'))
    const again = reading(world, '/topic/t', form)
    expect(again.bodies()).toEqual(['1'])
    again.send(unsubscribe('s', { ...form, receipt: 'r' }))
    expect([again.receipts(), world.vhost.router.bindingCount]).toEqual([['r'], 0])
  })

  it('with auto-delete:true is none: it goes with its connection', () => {
    const world = new World()
    reading(world, '/topic/t', { durable: true, 'auto-delete': true }).send(disconnect())
    expect(world.vhost.router.bindingCount).toBe(0)
  })

  it('in RabbitMQ’s form is shared by all who name it', () => {
    const world = new World()
    const both = [1, 2].map(() => reading(world, '/topic/t', { 'x-queue-name': 'workers' }))
    world.connect().send(...['1', '2', '3', '4'].map((body) => send('/topic/t', body)))
    const counts = both.map((client) => client.messages().length)
    expect([counts[0]! + counts[1]!, Math.min(...counts) > 0]).toEqual([4, true])
  })
})

describe('activemq.retroactive', () => {
  it('of a wildcard brings the retained message of each topic', () => {
    const world = new World()
    world.connect().send(...['a', 'b'].map((level) => send(`/topic/room.${level}`, level, { retain: true })))
    const client = reading(world, '/topic/room.*', { 'activemq.retroactive': true })
    expect(got(client).sort()).toEqual(['/topic/room.a a', '/topic/room.b b'])
  })

  it('with noLocal leaves out one’s own', () => {
    const world = new World()
    const client = world.connect()
    client.send(send('/topic/t', 'own', { retain: true }), subscribe(1, '/topic/t', { 'activemq.retroactive': true, 'activemq.noLocal': true }))
    expect(client.bodies()).toEqual([])
  })
})
