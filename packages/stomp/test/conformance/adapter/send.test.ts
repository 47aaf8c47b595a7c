/** SEND: what its headers ask for, and when its receipt comes. */
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { type Client, disconnect, frame, raw, send, slowWorld, subscribe, World } from '../../harness.ts'

/** A client that sends and one that reads `/queue/q` or another destination. */
function pair(world: World, destination = '/queue/q', headers = {}): { sender: Client; reader: Client } {
  const reader = world.connect()
  reader.send(subscribe(1, destination, headers))
  return { sender: world.connect(), reader }
}

describe('SEND', () => {
  it.each([10, 11, 12] as const)('[STOMP12-SEND-a, STOMP11-SEND-a, STOMP10-SEND-a] without a destination is refused in version %i', (version) => {
    const client = new World().connect({ version })
    client.send(frame('SEND', { receipt: 'r' }, 'x'))
    expect(client.errorFrame().headers).toMatchObject({ message: 'SEND: header destination is missing', 'receipt-id': 'r' })
  })

  it('[STOMP12-SEND-c, STOMP12-MESSAGE-e, STOMP11-SEND-c, STOMP11-MESSAGE-d] hands on the headers of its user', () => {
    const { sender, reader } = pair(new World())
    const own = { colour: 'blue', 'x-y': ' two  blanks ', leer: '', 'content-type': 'text/plain', ключ: 'знач' }
    sender.send(send('/queue/q', 'x', own))
    expect(reader.next('MESSAGE').headers).toMatchObject(own)
  })

  it('[STOMP12-Value_Encoding-c, STOMP11-Value_Encoding-c] hands on octets that need an escape, each version in its own', () => {
    const world = new World()
    const readers = ([10, 11, 12] as const).map((version) => {
      const reader = world.connect({ version })
      reader.send(subscribe('a:b', '/topic/t'))
      return reader
    })
    world.connect().send(send('/topic/t', 'x', { 'a:b\n': 'c:d\\e\nf' }))
    const [, two, three] = readers.map((reader) => reader.next('MESSAGE'))
    expect(two!.headers['a:b\n']).toBe('c:d\\e\nf')
    expect(three!.headers).toMatchObject({ 'a:b\n': 'c:d\\e\nf', subscription: 'a:b' })
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'length'])('takes a header called %s for a header', (name) => {
    const { sender, reader } = pair(new World())
    sender.send(send('/queue/q', 'x', [[name, '1']].reduce((all, [key, value]) => Object.defineProperty(all, key!, { value, enumerable: true }), {})))
    const { headers } = reader.next('MESSAGE')
    expect(Object.entries(headers)).toContainEqual([name, '1'])
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype)
  })

  it('says itself what only a server can say', () => {
    const { sender, reader } = pair(new World(), '/queue/q', { ack: 'client' })
    sender.send(send('/queue/q', 'x', { 'message-id': 'mine', subscription: '99', ack: 'mine', redelivered: 'true', JMSXUserID: 'root' }))
    const { headers } = reader.next('MESSAGE')
    expect(headers['subscription']).toBe('1')
    expect(Object.values(headers)).not.toContain('mine')
    expect(headers).not.toHaveProperty('redelivered')
    expect(headers).not.toHaveProperty('JMSXUserID')
  })

  it('[STOMP12-Repeated_Header_Entries-a, STOMP11-Repeated_Header_Entries-a] goes by the first of two destinations', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(frame('SEND', [['destination', '/queue/q'], ['destination', '/queue/other'], ['n', 1], ['n', 2]], 'x'))
    expect(reader.next('MESSAGE').headers).toMatchObject({ destination: '/queue/q', n: '1' })
    expect(world.vhost.destinations.find('other')).toBeUndefined()
  })

  it('[STOMP12-Header_content-length-d, STOMP11-Header_content-length-d, STOMP12-Header_content-length-c, STOMP11-Header_content-length-c, STOMP10-MESSAGE-c] hands on a body with NUL, and tells its length', () => {
    const { sender, reader } = pair(new World())
    sender.send(send('/queue/q', 'a\0b\n\0', { 'content-length': 5 }), send('/queue/q', '', { 'content-length': 0 }))
    expect(reader.messages()).toMatchObject([
      { body: 'a\0b\n\0', headers: { 'content-length': '5' } },
      { body: '', headers: { 'content-length': '0' } },
    ])
  })

  it('hands on text as its sender sent it: without its length, which tells JMS clients that it is text', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(send('/queue/q', 'text'))
    expect(reader.next('MESSAGE')).toMatchObject({ body: 'text' })
    sender.send(send('/queue/q', 'again'))
    expect(reader.next('MESSAGE').headers).not.toHaveProperty('content-length')
  })

  it('[STOMP12-Header_content-type-a, STOMP12-Header_content-type-b, STOMP11-Header_content-type-a] hands on the content-type, and has one for the body of an ERROR', () => {
    const { sender, reader } = pair(new World())
    sender.send(send('/queue/q', '{}', { 'content-type': 'application/json' }))
    expect(reader.next('MESSAGE').headers['content-type']).toBe('application/json')
    const long = { 'durable-subscription-name': 'x'.repeat(600) }
    const refused = new World().connect({ headers: { 'client-id': 'me' } })
    refused.send(subscribe(1, '/topic/t', long), subscribe(2, '/topic/t', long))
    const { headers, body } = refused.errorFrame()
    expect([headers['content-type'], headers['content-length'], body.length > 600]).toEqual([
      'text/plain;charset=utf-8',
      String(body.length),
      true,
    ])
  })

  it('[STOMP10-SUBSCRIBE-b] of 1.0 may have a space behind the colon', () => {
    const world = new World({ version: 10 })
    const client = world.connect()
    client.send(raw('SUBSCRIBE\ndestination: /queue/q\nack: auto\n\n^@'), raw('SEND\ndestination: /queue/q\n\nx^@'))
    expect(client.bodies()).toEqual(['x'])
  })

  it('[STOMP12-Value_Encoding-e, STOMP11-Value_Encoding-e] of later versions keeps it', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(raw('SEND\ndestination:/queue/q\nnote: x \n\nx^@'))
    expect(reader.next('MESSAGE').headers['note']).toBe(' x ')
  })
})

describe('the receipt of SEND', () => {
  it('[STOMP12-Header_receipt-a, STOMP12-RECEIPT-a, STOMP11-Header_receipt-a, STOMP11-RECEIPT-a, STOMP10-Receipt-a, STOMP10-RECEIPT-a] says the receipt header, whatever is in it', () => {
    for (const version of [10, 11, 12] as const) {
      const client = new World().connect({ version })
      client.send(raw('SEND\ndestination:/queue/q\nreceipt:a b-1 é\n\nx^@'))
      expect(client.receipts()).toEqual(['a b-1 é'])
    }
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { receipt: 'a:b\\c\nd' }))
    expect(client.receipts()).toEqual(['a:b\\c\nd'])
  })

  it('[STOMP12-RECEIPT-b, STOMP11-RECEIPT-b] comes when the message is in the log, and not before', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    log.hold()
    client.send(send('/queue/q', 'x', { persistent: true, receipt: 'r' }))
    expect(client.received()).toEqual([])
    log.release()
    await world.settle()
    expect([client.receipts(), world.queue('q').waitingCount]).toEqual([['r'], 1])
  })

  it('comes in the order of the frames, whatever waits', async () => {
    const world = await World.withLog()
    const client = await world.join()
    await client.finish(
      send('/queue/q', '1', { persistent: true, receipt: 1 }),
      send('/queue/q', '2', { persistent: true, receipt: 2 }),
      subscribe(1, '/queue/other', { receipt: 3 }),
      send('/queue/q', '3', { persistent: true, receipt: 4 }),
    )
    expect(client.receipts()).toEqual(['1', '2', '3', '4'])
  })

  it('[STOMP12-RECEIPT-c] is not needed: a client that goes at once is served all the same', async () => {
    const world = await World.withLog()
    const client = await world.join()
    client.push(send('/queue/q', '1', { persistent: true }), send('/queue/q', '2', { persistent: true, receipt: 'r' }))
    client.hangUp()
    await world.settle()
    expect(world.queue('q').waitingCount).toBe(2)
  })

  it('of a message that nobody wants comes as well', () => {
    const client = new World().connect()
    client.send(send('/topic/nobody', 'x', { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
  })
})

describe('persistent:true', () => {
  it('is kept over a restart, and said in MESSAGE; without it the message goes with the broker', async () => {
    const env = virtualEnv()
    const engine = new MemoryEngine(env)
    const world = await World.withLog({}, env, engine)
    const sender = await world.join()
    await sender.finish(send('/queue/q', 'kept', { persistent: true, n: 1 }), send('/queue/q', 'gone'), disconnect('bye'))
    await world.vhost.close()
    const next = await World.withLog({}, env, engine)
    const reader = await next.join()
    await reader.finish(subscribe(1, '/queue/q', { ack: 'client' }))
    expect(reader.messages()).toMatchObject([{ body: 'kept', headers: { persistent: 'true', n: '1' } }])
  })

  it.each(['yes', ''])('with the value %j is refused', (persistent) => {
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { persistent }))
    expect(client.error()).toMatch(new RegExp(`^SEND: header .persistent.*'${persistent}'.*'true' or 'false'`))
  })
})

describe('a store that is full', () => {
  it('refuses what does not fit, with the receipt, and keeps what it has', async () => {
    const env = virtualEnv()
    const world = await World.withLog({}, env, new MemoryEngine(env, { maxBytes: 20_000 }))
    const client = await world.join()
    for (let count = 0; count < 50 && !client.isClosed; count++) await client.finish(send('/queue/q', 'x'.repeat(1_000), { persistent: true, receipt: count }))
    const frames = client.received()
    const receipts = frames.filter(({ command }) => command === 'RECEIPT').length
    expect([receipts > 5, world.queue('q').waitingCount]).toEqual([true, receipts])
    expect(frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { 'receipt-id': String(receipts), message: expect.stringContaining('do not fit') as unknown } })
  })
})

describe('expires', () => {
  it('takes the message away at its moment', () => {
    const world = new World()
    const sender = world.connect()
    sender.send(send('/queue/q', 'short', { expires: world.clock.wallMs() + 1_000 }), send('/queue/q', 'long', { expires: 0 }))
    world.advance(1_500)
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/q'))
    expect(reader.bodies()).toEqual(['long'])
  })

  it('is said in MESSAGE', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    const expires = String(world.clock.wallMs() + 60_000)
    sender.send(send('/queue/q', 'x', { expires }))
    expect(reader.next('MESSAGE').headers).toMatchObject({ expires })
  })

  it.each(['soon', '-1', '1.5', '1e9'])('%s is refused', (expires) => {
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { expires }))
    expect(client.error()).toMatch(new RegExp(`^SEND: header .expires.*'${expires}'.* ms since 1970`))
  })
})

describe('priority', () => {
  it('orders what waits, and is said in MESSAGE', () => {
    const world = new World()
    const sender = world.connect()
    sender.send(...[4, 9, 0, 9].map((priority, index) => send('/queue/q', String(index), { priority })))
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/q'))
    const messages = reader.messages()
    expect(messages.map(({ body }) => body)).toEqual(['1', '3', '0', '2'])
    expect(messages.map(({ headers }) => headers['priority'])).toEqual(['9', '9', undefined, '0'])
  })

  it.each(['10', '-1', 'high'])('%s is refused', (priority) => {
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { priority }))
    expect(client.error()).toMatch(new RegExp(`^SEND: header .priority.*'${priority}'.*from 0 to 9`))
  })
})

describe('JMSXGroupID', () => {
  it('keeps a group with one consumer, and says it in MESSAGE', () => {
    const world = new World()
    const readers = [world.connect(), world.connect()]
    for (const reader of readers) reader.send(subscribe(1, '/queue/q', { ack: 'client-individual' }))
    const sender = world.connect()
    sender.send(...Array.from({ length: 20 }, (_, index) => send('/queue/q', String(index), { JMSXGroupID: `g${index % 4}` })))
    const got = readers.map((reader) => reader.messages())
    const groups = got.map((messages) => new Set(messages.map(({ headers }) => headers['JMSXGroupID'])))
    expect(got[0]!.length + got[1]!.length).toBe(20)
    expect([...groups[0]!].filter((group) => groups[1]!.has(group))).toEqual([])
  })

  it('is closed by JMSXGroupSeq -1', () => {
    const { sender, reader } = pair(new World())
    sender.send(send('/queue/q', 'x', { JMSXGroupID: 'g', JMSXGroupSeq: -1 }))
    expect(reader.next('MESSAGE').headers).toMatchObject({ JMSXGroupID: 'g', JMSXGroupSeq: '-1' })
  })
})

describe('AMQ_SCHEDULED_…', () => {
  it('DELAY brings the message later', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(send('/queue/q', 'x', { AMQ_SCHEDULED_DELAY: 5_000, receipt: 'r' }))
    expect(sender.receipts()).toEqual(['r'])
    world.advance(4_900)
    expect(reader.bodies()).toEqual([])
    world.advance(200)
    expect(reader.bodies()).toEqual(['x'])
  })

  it('PERIOD and REPEAT bring it several times', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(send('/queue/q', 'x', { AMQ_SCHEDULED_DELAY: 1_000, AMQ_SCHEDULED_PERIOD: 1_000, AMQ_SCHEDULED_REPEAT: 2 }))
    world.advance(60_000)
    expect(reader.bodies()).toEqual(['x', 'x', 'x'])
  })

  it('CRON brings it at its times', () => {
    const world = new World()
    const { sender, reader } = pair(world)
    sender.send(send('/queue/q', 'x', { AMQ_SCHEDULED_CRON: '*/5 * * * *' }))
    world.advance(16 * 60_000)
    expect(reader.bodies()).toEqual(['x', 'x', 'x'])
  })

  it.each([
    ['AMQ_SCHEDULED_DELAY', '-5'],
    ['AMQ_SCHEDULED_PERIOD', 'often'],
    ['AMQ_SCHEDULED_CRON', '61 * * * *'],
  ])('%s %s is refused, with the value', (name, value) => {
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { [name]: value, receipt: 'r' }))
    const { headers } = client.errorFrame()
    expect(headers['receipt-id']).toBe('r')
    expect(headers['message']).toContain(value.split(' ')[0])
  })
})

describe('a retained message', () => {
  it.each([{ retain: 'true' }, { retain: 'set' }, { 'ActiveMQ.Retain': 'true' }])('by %o is there for who asks for it later', (form) => {
    const world = new World()
    world.connect().send(send('/topic/t', 'kept', form))
    const [asking, other] = [world.connect(), world.connect()]
    asking.send(subscribe(1, '/topic/t', { 'activemq.retroactive': true }))
    other.send(subscribe(1, '/topic/t'))
    expect(asking.messages()).toMatchObject([{ body: 'kept', headers: { 'ActiveMQ.Retained': 'true', destination: '/topic/t' } }])
    expect(other.messages()).toEqual([])
  })

  it('is one for each topic of a list', () => {
    const world = new World()
    world.connect().send(send('/topic/a,/topic/b', 'kept', { retain: true }))
    const reader = world.connect()
    reader.send(subscribe(1, '/topic/>', { 'activemq.retroactive': true }))
    expect(reader.messages().map(({ headers }) => headers['destination']!).sort((one, other) => one.localeCompare(other))).toEqual(['/topic/a', '/topic/b'])
  })

  it.each([{ retain: 'remove' }, { retain: 'true' }, { 'ActiveMQ.Retain': 'true' }])('goes by an empty one with %o', (form) => {
    const world = new World()
    world.connect().send(send('/topic/t', 'kept', { retain: true }), send('/topic/t', '', form))
    expect(world.vhost.retained.count).toBe(0)
  })

  it('is not made by retain:remove with a body', () => {
    const world = new World()
    const client = world.connect()
    client.send(send('/topic/t', 'kept', { retain: 'remove' }))
    expect(client.error()).toContain('header retain: "remove" clears the topic and takes no body, and this one has 4 bytes')
    expect(world.vhost.retained.count).toBe(0)
  })

  it.each([
    ['/queue/q', 'true', /a queue keeps no retained message/],
    ['/topic/t,/queue/q', 'true', /^SEND: queue .*keeps no retained message; send to a topic that stays/],
    ['/temp-topic/t', 'true', /^SEND: temporary topic .*keeps no retained message/],
    ['/topic/t', 'maybe', /^SEND: header .retain.*'maybe'.*'true', 'set' or 'remove'/],
  ])('for %s with retain:%s is refused', (destination, retain, text) => {
    const client = new World().connect()
    client.send(send(destination, 'x', { retain }))
    expect(client.error()).toMatch(text)
  })
})

describe('_AMQ_DUPL_ID', () => {
  it('drops the second message of an id, whose receipt comes all the same', () => {
    const world = new World()
    world.define('q', { duplicatesMax: 100 })
    const sender = world.connect()
    sender.send(...[1, 2, 3].map((receipt) => send('/queue/q', String(receipt), { _AMQ_DUPL_ID: receipt === 3 ? 'b' : 'a', receipt })))
    expect(sender.receipts()).toEqual(['1', '2', '3'])
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/q'))
    expect(reader.bodies()).toEqual(['1', '3'])
  })
})

describe('the body of a SEND that is sent again and again', () => {
  it('is each one’s own', () => {
    const { sender, reader } = pair(new World())
    sender.send(...Array.from({ length: 300 }, (_, index) => send('/queue/q', `body ${index}`, { colour: 'blue', receipt: index })))
    expect(reader.bodies()).toEqual(Array.from({ length: 300 }, (_, index) => `body ${index}`))
    expect(sender.receipts()).toHaveLength(300)
  })
})
