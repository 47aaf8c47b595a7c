/** SUBSCRIBE and UNSUBSCRIBE: ids, credit, selectors, and which consumer a message goes to. */
import { describe, expect, it } from 'vitest'
import type { StompConnection } from '../../../src/connection.ts'
import { ack, ackOf, type Client, disconnect, type Frame, frame, send, subscribe, unsubscribe, type Version, World } from '../../harness.ts'

const LATER: readonly Version[] = [11, 12]

function fill(world: World, count: number, queue = '/queue/q'): void {
  world.connect().send(...Array.from({ length: count }, (_, index) => send(queue, String(index + 1))), disconnect())
}

describe('SUBSCRIBE', () => {
  it.each([10, 11, 12] as const)('[STOMP12-SUBSCRIBE-a, STOMP11-SUBSCRIBE-a, STOMP10-SUBSCRIBE-a] without a destination is refused in version %i', (version) => {
    const client = new World().connect({ version })
    client.send(frame('SUBSCRIBE', { id: 1, receipt: 'r' }))
    expect(client.errorFrame().headers).toMatchObject({ message: 'SUBSCRIBE: header destination is missing', 'receipt-id': 'r' })
  })

  it.each(LATER)('[STOMP12-SUBSCRIBE_id_Header-a, STOMP11-SUBSCRIBE_id_Header-a] without an id is refused in version %i', (version) => {
    const client = new World().connect({ version })
    client.send(frame('SUBSCRIBE', { destination: '/queue/q' }))
    expect(client.error()).toBe('SUBSCRIBE: header id is missing; UNSUBSCRIBE and MESSAGE name the subscription by it')
  })

  it('[STOMP12-SUBSCRIBE_id_Header-b] with an id that is in use is refused, and free again after UNSUBSCRIBE', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/a'), unsubscribe(1), subscribe(1, '/queue/b', { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
    client.send(subscribe(1, '/queue/c'))
    expect(client.error()).toBe('SUBSCRIBE: subscription "1" exists; unsubscribe first, or take another id')
  })

  it('[STOMP12-SUBSCRIBE-b] gets what comes to the destination, each subscription its own', () => {
    const client = new World().connect()
    client.send(subscribe('a', '/topic/t'), subscribe('b', '/topic/t'), subscribe('c', '/topic/other'), send('/topic/t', 'x'))
    expect(client.messages().map(({ headers, body }) => [headers['subscription'], headers['destination'], body])).toEqual([
      ['a', '/topic/t', 'x'],
      ['b', '/topic/t', 'x'],
    ])
  })

  it('has its receipt before what comes of it is asked for again', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/topic/t', { receipt: 'r' }), send('/topic/t', 'x'))
    expect(client.received().map(({ command }) => command)).toEqual(['RECEIPT', 'MESSAGE'])
  })

  it('[STOMP10-SUBSCRIBE-d] of 1.0 may have a body, which is ignored', () => {
    const client = new World().connect({ version: 10 })
    client.send(frame('SUBSCRIBE', { destination: '/queue/q' }, 'ignore me'), send('/queue/q', 'x'))
    expect(client.bodies()).toEqual(['x'])
  })

  it.each(LATER)('[STOMP12-Body-a, STOMP11-Body-a] with a body is refused in version %i', (version) => {
    const client = new World().connect({ version })
    client.send(frame('SUBSCRIBE', { id: 1, destination: '/queue/q' }, 'x'))
    expect(client.error()).toMatch(/^SUBSCRIBE: the frame has a body/)
  })
})

describe('MESSAGE', () => {
  it.each([10, 11, 12] as const)(
    '[STOMP12-MESSAGE-a, STOMP12-MESSAGE-b, STOMP12-MESSAGE-c, STOMP11-MESSAGE-a, STOMP11-MESSAGE-b, STOMP11-MESSAGE-c, STOMP10-MESSAGE-a, STOMP10-MESSAGE-b, STOMP10-SUBSCRIBE-e] says destination, subscription and an id of its own in version %i',
    (version) => {
      const world = new World({ version })
      const [one, two] = [world.connect(), world.connect()]
      for (const client of [one, two]) client.send(subscribe('s 1', '/topic/a.b'))
      one.send(send('/topic/a.b', '1'), send('/topic/a.b', '2'))
      const messages = [...one.messages(), ...two.messages()]
      for (const { headers } of messages) expect(headers).toMatchObject({ destination: '/topic/a.b', subscription: 's 1' })
      expect(new Set(messages.map(({ headers }) => headers['message-id'])).size).toBe(4)
    },
  )

  it('[STOMP12-MESSAGE-d] has an ack header where the subscription acknowledges, in 1.2 only', () => {
    const world = new World()
    for (const version of [10, 11, 12] as const) {
      const client = world.connect({ version })
      client.send(subscribe(1, `/topic/t${version}`), subscribe(2, `/topic/t${version}`, { ack: 'client' }), send(`/topic/t${version}`, 'x'))
      const [auto, acknowledging] = client.messages()
      expect([auto!.headers['ack'], acknowledging!.headers['ack'] !== undefined]).toEqual([undefined, version === 12])
    }
  })

  it('of 1.0 without an id of the subscription has no subscription header', () => {
    const client = new World().connect({ version: 10 })
    client.send(frame('SUBSCRIBE', { destination: '/queue/q' }), send('/queue/q', 'x'))
    expect(client.next('MESSAGE').headers).not.toHaveProperty('subscription')
  })
})

describe('UNSUBSCRIBE', () => {
  it.each(LATER)('[STOMP12-UNSUBSCRIBE-a, STOMP11-UNSUBSCRIBE-b] ends what comes, in version %i', (version) => {
    const world = new World({ version })
    const client = world.connect()
    client.send(subscribe(1, '/topic/t'), subscribe(2, '/topic/t'), send('/topic/t', 'a'))
    client.messages()
    client.send(unsubscribe(1, { receipt: 'r' }), send('/topic/t', 'b'))
    client.next('RECEIPT')
    expect(client.messages().map(({ headers }) => headers['subscription'])).toEqual(['2'])
    expect(world.vhost.router.bindingCount).toBe(1)
  })

  it.each(LATER)('[STOMP12-UNSUBSCRIBE-b, STOMP11-UNSUBSCRIBE-a] of an id that there is not is refused in version %i', (version) => {
    const client = new World().connect({ version })
    client.send(unsubscribe('no', { receipt: 'r' }))
    expect(client.errorFrame().headers).toMatchObject({
      message: 'UNSUBSCRIBE: there is no subscription "no" on this connection',
      'receipt-id': 'r',
    })
  })

  it('without any name of a subscription is refused', () => {
    const client = new World().connect()
    client.send(frame('UNSUBSCRIBE'))
    expect(client.error()).toBe('UNSUBSCRIBE: header id is missing; it is the id of the SUBSCRIBE')
  })

  it('[STOMP10-UNSUBSCRIBE-a] of 1.0 goes by destination or by id, as SUBSCRIBE did', () => {
    const client = new World().connect({ version: 10 })
    client.send(frame('SUBSCRIBE', { destination: '/queue/a' }), subscribe('i', '/queue/b'))
    client.send(frame('UNSUBSCRIBE', { destination: '/queue/a', receipt: 1 }), frame('UNSUBSCRIBE', { id: 'i', receipt: 2 }))
    client.send(send('/queue/a', 'x'), send('/queue/b', 'x'))
    expect(client.receipts()).toEqual(['1', '2'])
    client.send(frame('UNSUBSCRIBE', { destination: '/queue/a' }))
    expect(client.error()).toMatch(/there is no subscription "\/queue\/a"/)
  })

  it('returns what was not acknowledged to its place, for others, marked and without a failed attempt', () => {
    const world = new World()
    const [one, two] = [world.connect(), world.connect()]
    one.send(subscribe(1, '/queue/q', { ack: 'client' }))
    fill(world, 3)
    expect(one.bodies()).toEqual(['1', '2', '3'])
    two.send(subscribe(1, '/queue/q'))
    one.send(unsubscribe(1))
    expect(two.messages().map(({ body, headers }) => [body, headers['redelivered'], headers['JMSXDeliveryCount']])).toEqual(
      ['1', '2', '3'].map((body) => [body, 'true', '2']),
    )
  })

  it('counts nothing against messages that one worker after the other was sent and left; a lost connection does', () => {
    const world = new World()
    fill(world, 1)
    for (let count = 0; count < 20; count++) {
      const client = world.connect()
      client.send(subscribe(1, '/queue/q', { ack: 'client' }))
      expect(client.bodies()).toEqual(['1'])
      client.send(count % 2 === 0 ? unsubscribe(1) : disconnect())
    }
    for (let count = 0; count < 2; count++) {
      const lost = world.connect()
      lost.send(subscribe(1, '/queue/q', { ack: 'client' }))
      lost.vanish()
    }
    const last = world.connect()
    last.send(subscribe(1, '/queue/q'))
    expect(last.next('MESSAGE').headers['JMSXDeliveryCount']).toBe('3')
  })
})

describe('prefetch', () => {
  it.each([{ 'activemq.prefetchSize': 2 }, { 'prefetch-count': 2 }])('by %o is how many are sent before an ACK', (headers) => {
    const world = new World()
    fill(world, 5)
    const client = world.connect()
    client.send(subscribe(1, '/queue/q', { ack: 'client-individual', ...headers }))
    const [first] = client.messages().map(ackOf)
    client.send(ack(first!))
    expect(client.bodies()).toEqual(['3'])
  })

  it('by the destination counts as by a header, and less than one', () => {
    const world = new World()
    fill(world, 9)
    const [one, two] = [world.connect(), world.connect()]
    one.send(subscribe(1, '/queue/q?consumer.prefetchSize=2', { ack: 'client' }))
    two.send(subscribe(1, '/queue/q?consumer.prefetchSize=2', { ack: 'client', 'activemq.prefetchSize': 4 }))
    expect([one.bodies().length, two.bodies().length]).toEqual([2, 4])
  })

  it('0 is one for ActiveMQ’s header, and no limit for RabbitMQ’s', () => {
    const world = new World({ settings: { prefetch: 2 } })
    fill(world, 5)
    const client = world.connect()
    client.send(subscribe(1, '/queue/q', { ack: 'client', 'activemq.prefetchSize': 0 }))
    expect(client.bodies()).toHaveLength(1)
    client.send(unsubscribe(1), subscribe(2, '/queue/q', { ack: 'client', 'prefetch-count': 0 }))
    expect(client.bodies()).toHaveLength(5)
  })

  it('is the operator’s where the client says nothing', () => {
    const world = new World({ settings: { prefetch: 3 } })
    fill(world, 5)
    const client = world.connect()
    client.send(subscribe(1, '/queue/q', { ack: 'client' }))
    expect(client.bodies()).toHaveLength(3)
  })

  it('of several subscriptions is each one’s own', () => {
    const world = new World()
    fill(world, 5)
    const client = world.connect()
    for (const id of [1, 2]) client.send(subscribe(id, '/queue/q', { ack: 'client', 'activemq.prefetchSize': 1 }))
    expect(client.messages().map(({ headers }) => headers['subscription'])).toEqual(['1', '2'])
  })

  it.each(['many', '-1', '1.5'])('%s is refused', (count) => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { 'prefetch-count': count }))
    expect(client.error()).toContain(`header prefetch-count: "${count}" is not a whole number from 0`)
  })
})

describe('a selector', () => {
  it('chooses by header, in queues and topics', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe('q', '/queue/q', { selector: "convert_string_expressions:colour = 'blue' AND size > 2" }), subscribe('t', '/topic/t', { selector: "colour LIKE 'b%'" }))
    for (const to of ['/queue/q', '/topic/t']) {
      client.send(send(to, '1', { colour: 'red', size: 9 }), send(to, '2', { colour: 'blue', size: 3 }), send(to, '3', { colour: 'black', size: 1 }))
    }
    expect(client.messages().map(({ headers, body }) => headers['subscription']! + body)).toEqual(['q2', 't2', 't3'])
    expect(world.queue('q').waitingCount).toBe(2)
  })

  it.each(['/queue/q', '/topic/t'])('that is none is refused for %s with its position', (destination) => {
    const client = new World().connect()
    client.send(subscribe(1, destination, { selector: "colour = = 'blue'" }))
    expect(client.error()).toMatch(/^SUBSCRIBE: the selector "colour = = 'blue'" is wrong at character 1\d: /)
  })
})

describe('a selector that costs too much', () => {
  it.each(['/queue/q', '/topic/t'])('is refused for %s with what it costs and may cost', (destination) => {
    const client = new World().connect()
    client.send(subscribe(1, destination, { selector: Array(11).fill("a LIKE '%b%'").join(' OR ') }))
    expect(client.error()).toMatch(
      /^SUBSCRIBE: the selector ".{48}"… .*: it costs 4411 for each message and exceeds the 4096 that one may cost/,
    )
  })
})

describe('selectors that cost too much together', () => {
  it.each([
    ['on a topic', {}],
    ['of a durable subscription', { 'activemq.subscriptionName': 'two' }],
  ])('are refused %s with the limit', (_, headers) => {
    const client = new World({ limits: { selectorCostPerSessionMax: 402 } }).connect({ headers: { 'client-id': 'c' } })
    client.send(subscribe(1, '/topic/t', { selector: "a LIKE '%b%'" }), subscribe(2, '/topic/t', { selector: 'a = 1', receipt: 'two' }))
    expect(client.next('RECEIPT').headers['receipt-id']).toBe('two')
    client.send(subscribe(3, '/topic/t', { selector: 'a = 2', ...headers }))
    expect(client.error()).toMatch(/^SUBSCRIBE: the selectors of .* session .* cost 402 for each message, .* limits\.selectorCostPerSessionMax 402;/)
  })
})

describe('a selector that goes too deep', () => {
  it.each(['('.repeat(8_000), 'NOT '.repeat(4_000), `a IN (${"'x',".repeat(3_000)}`])('is refused: %.10s', (selector) => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { selector }))
    expect(client.error()).toMatch(/^SUBSCRIBE: the selector ".{48}"… \(\d+ characters\) is wrong at character \d+: /)
  })
})

describe('a consumer', () => {
  it.each([{ 'activemq.exclusive': true }, { exclusive: true }])('with %o has the queue to itself, and the next one takes over', (headers) => {
    const world = new World()
    const [first, second] = [world.connect(), world.connect()]
    first.send(subscribe(1, '/queue/q', headers))
    second.send(subscribe(1, '/queue/q', headers))
    fill(world, 4)
    expect([first.bodies().length, second.bodies().length]).toEqual([4, 0])
    first.vanish()
    fill(world, 2)
    expect(second.bodies()).toHaveLength(2)
  })

  it('of a higher activemq.priority is served first', () => {
    const world = new World()
    const [low, high] = [world.connect(), world.connect()]
    low.send(subscribe(1, '/queue/q', { 'activemq.priority': 1, ack: 'client' }))
    high.send(subscribe(1, '/queue/q', { 'activemq.priority': 5, ack: 'client', 'activemq.prefetchSize': 3 }))
    fill(world, 5)
    expect([high.bodies(), low.bodies()]).toEqual([
      ['1', '2', '3'],
      ['4', '5'],
    ])
  })

  it.each([{ 'activemq.noLocal': true }, { 'no-local': true }])('with %o does not get what its own connection sends', (headers) => {
    const world = new World()
    const [own, other] = [world.connect(), world.connect()]
    own.send(subscribe(1, '/topic/t', headers))
    own.send(send('/topic/t', 'own'))
    other.send(send('/topic/t', 'other'))
    expect(own.bodies()).toEqual(['other'])
  })

  it('wants what its destination says as well as its headers', () => {
    const world = new World()
    const client = world.connect()
    client.send(subscribe(1, '/queue/q?consumer.priority=7&consumer.exclusive=true'))
    const [consumer] = world.queue('q').consumers
    expect(consumer).toMatchObject({ priority: 7, exclusive: true })
  })

  it.each([
    ['consumer.colour=blue', /option consumer.colour=blue means nothing here/],
    ['consumer.priority=high', /option consumer.priority=high means nothing here/],
  ])('that wants %s is refused', (option, text) => {
    const client = new World().connect()
    client.send(subscribe(1, `/queue/q?${option}`))
    expect(client.error()).toMatch(text)
  })

  it.each(['exclusive', 'browser', 'no-local'])('is refused where its header %s is neither true nor false', (name) => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { [name]: 'perhaps' }))
    expect(client.error()).toBe(`SUBSCRIBE: header ${name}: "perhaps" is neither true nor false`)
  })
})

describe('browser:true', () => {
  function browse(client: Client, headers = {}): void {
    client.send(subscribe('b', '/queue/q', { browser: true, ...headers }))
  }

  it('shows all that is in the queue, leaves it there, and says when it is over', async () => {
    const world = new World()
    fill(world, 250)
    const client = world.connect()
    browse(client)
    await world.settle()
    const messages = client.messages()
    expect(messages.map(({ body }) => body)).toEqual([...Array.from({ length: 250 }, (_, index) => String(index + 1)), ''])
    expect(messages.at(-1)!.headers).toMatchObject({ browser: 'end', subscription: 'b', destination: '/queue/q' })
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([250, 0])
  })

  it('cannot be told that it is over by who sends the messages', async () => {
    const world = new World()
    const client = world.connect()
    client.send(send('/queue/q', 'forged', { browser: 'end' }), send('/queue/q', 'true'))
    browse(client)
    await world.settle()
    expect(client.messages().map(({ body, headers }) => [body, headers['browser']])).toEqual([['forged', undefined], ['true', undefined], ['', 'end']])
  })

  it('shows what another consumer has, and what a selector wants', async () => {
    const world = new World()
    world.connect().send(subscribe(1, '/queue/q', { ack: 'client' }))
    fill(world, 2)
    world.connect().send(send('/queue/q', 'blue', { colour: 'blue' }))
    const client = world.connect()
    browse(client, { selector: "colour = 'blue'" })
    await world.settle()
    expect(client.bodies()).toEqual(['blue', ''])
  })

  it('asks for no acknowledgement', async () => {
    const world = new World()
    fill(world, 1)
    const client = world.connect()
    browse(client)
    await world.settle()
    expect(client.messages().map(({ headers }) => headers['ack'])).toEqual([undefined, undefined])
  })

  it.each([
    [12, 'client'],
    [12, 'client-individual'],
    [11, 'client'],
    [10, 'client'],
  ] as const)('takes the ACK and NACK of a client of version %i that asked for ack:%s, and nothing comes of them', async (version, mode) => {
    const world = new World({ version })
    fill(world, 3)
    const client = world.connect()
    browse(client, { ack: mode })
    await world.settle()
    const messages = client.messages()
    expect(messages).toHaveLength(4)
    const commands = ['ACK', version === 10 ? 'ACK' : 'NACK', 'ACK', 'ACK']
    const named = ({ headers }: Frame): Readonly<Record<string, string>> =>
      version === 12 ? { id: headers['ack']! } : { 'message-id': headers['message-id']!, ...(version === 11 && { subscription: 'b' }) }
    const frames = messages.map((message, index) => frame(commands[index]!, { ...named(message), receipt: index }))
    client.send(...frames, unsubscribe('b'), ...frames.slice(0, 1))
    expect(client.receipts()).toEqual(['0', '1', '2', '3', '0'])
    expect([world.queue('q').waitingCount, world.queue('q').inflightCount, client.isClosed]).toEqual([3, 0, false])
  })

  it('waits for a client that reads slowly, and ends with UNSUBSCRIBE', async () => {
    const world = new World()
    world.connect().send(...Array.from({ length: 300 }, () => send('/queue/q', 'x'.repeat(10_000))))
    const client = world.connect({ kernelBytes: 1_024 })
    client.stopReading()
    browse(client)
    await world.settle()
    expect(world.network.unsentBytes).toBeLessThan(1_500_000)
    client.send(unsubscribe('b', { receipt: 'r' }))
    client.readAgain()
    await world.settle()
    const frames = client.received()
    expect(frames.length).toBeLessThan(300)
    expect(frames.at(-1)!.headers['receipt-id']).toBe('r')
  })

  it.each([
    ['/topic/t', /only one queue can be browsed/],
    ['/queue/a,/queue/b', /only one queue can be browsed/],
    ['/queue/nowhere', /there is no queue 'nowhere' to browse/],
  ])('of %s is refused', (destination, text) => {
    const client = new World().connect()
    client.send(subscribe(1, destination, { browser: true }))
    expect(client.error()).toMatch(text)
  })

  it('is for so many subscriptions at a time, and for others when they are over', async () => {
    const world = new World()
    fill(world, 1)
    const client = world.connect()
    const many = (from: number, count: number): Uint8Array[] => Array.from({ length: count }, (_, index) => subscribe(from + index, '/queue/q', { browser: true }))
    for (const round of [0, 1, 2]) await client.finish(...many(round * 16, 16))
    expect(client.messages()).toHaveLength(3 * 16 * 2)
    client.send(...many(100, 17))
    expect(client.next('ERROR').headers['message']).toMatch(/16 subscriptions of the connection browse already/)
  })

  it('with a wrong selector is refused with its position', () => {
    const world = new World()
    fill(world, 1)
    const client = world.connect()
    browse(client, { selector: 'a = ' })
    expect(client.error()).toMatch(/is wrong at character \d/)
  })
})

describe('UNSUBSCRIBE of one of many', () => {
  /** The connection of the next client that connects. */
  function watched(world: World): () => StompConnection {
    const { accept } = world.adapter
    let accepted: StompConnection | undefined = undefined
    Object.assign(world.adapter, { accept: (...given: Parameters<typeof accept>) => (accepted = accept(...given) as StompConnection) })
    return () => accepted!
  }

  it.each(['client', 'client-individual'])('in the mode %s lets go of its own messages, and does not look through all others', (mode) => {
    const world = new World()
    fill(world, 50, '/queue/big')
    fill(world, 2, '/queue/small')
    const connectionOf = watched(world)
    const client = world.connect()
    client.send(subscribe('big', '/queue/big', { ack: mode }), subscribe('small', '/queue/small', { ack: mode }))
    expect(client.messages()).toHaveLength(52)
    const { held } = connectionOf()
    const walk = held[Symbol.iterator].bind(held)
    let walks = 0
    Object.assign(held, { [Symbol.iterator]: () => (walks++, walk()) })
    client.send(unsubscribe('small', { receipt: 'r' }))
    expect([client.receipts(), held.size, walks]).toEqual([['r'], 50, 0])
    expect(world.queue('small').waitingCount).toBe(2)
    client.send(unsubscribe('big'))
    expect([held.size, world.queue('big').waitingCount]).toEqual([0, 50])
  })

  it('lets go of what came from a queue that has been deleted since', () => {
    const world = new World()
    fill(world, 3, '/queue/a.1')
    const connectionOf = watched(world)
    const client = world.connect()
    client.send(subscribe(1, '/queue/a.*', { ack: 'client-individual' }))
    expect(client.messages()).toHaveLength(3)
    world.vhost.destinations.delete(world.vhost.destinations.find('a.1')!)
    client.send(unsubscribe(1, { receipt: 'r' }))
    expect([client.receipts(), connectionOf().held.size]).toEqual([['r'], 0])
  })
})
