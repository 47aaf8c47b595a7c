/** Clients that are slow, silent or too quick, and a broker that ends their connections. */
import type { Login } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { ack, ackOf, begin, type Client, connectFrame, raw, send, slowWorld, subscribe, World, type WorldOptions } from '../../harness.ts'

function full(options: WorldOptions = {}, blockMaxMs = 600_000): World {
  const world = new World(options)
  world.define('q', { messagesMax: 1, blockMaxMs })
  return world
}

/** Sends so many to `/queue/q`, each on its own. */
function flood(client: Client, count: number, more = {}): void {
  for (let index = 1; index <= count; index++) client.send(send('/queue/q', String(index), { receipt: index, ...more }))
}

describe('a publisher to a full queue', () => {
  it('has its receipts when there is room, and not before', () => {
    const world = full()
    const sender = world.connect()
    flood(sender, 3)
    expect(sender.receipts()).toEqual(['1'])
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/q', { ack: 'client', 'activemq.prefetchSize': 1 }))
    expect(sender.receipts()).toEqual(['2'])
    reader.send(ack(ackOf(reader.next('MESSAGE'))))
    expect(sender.receipts()).toEqual(['3'])
  })

  it('that still waits after blockMaxMs is refused, with the receipt of the first that waited', () => {
    const world = full({}, 5_000)
    const sender = world.connect()
    flood(sender, 3)
    world.advance(5_000)
    sender.next('RECEIPT')
    const { headers } = sender.errorFrame()
    expect(headers['receipt-id']).toBe('2')
    expect(headers['message']).toMatch(/^SEND: .*q is over its limit of 1 message/)
    expect(world.queue('q').waitingCount).toBe(1)
  })

  it('is read no more when much waits, and again when there is room', () => {
    const world = full({ limits: { heldMessagesMax: 4 } })
    const sender = world.connect()
    flood(sender, 6)
    expect(sender.receipts()).toEqual(['1'])
    world.connect().send(subscribe(1, '/queue/q'))
    expect(sender.receipts()).toEqual(['2', '3', '4', '5', '6'])
  })

  it('that was not read has its time for the rest of a frame when it is read again', () => {
    const world = full({ limits: { heldMessagesMax: 8 } })
    const sender = world.connect()
    const sent = [1, 2, 3, 4, 5, 6].map((receipt) => send('/queue/q', 'x', { receipt }))
    sender.send(...sent, raw('SEND\ndestination:/queue/q\n'))
    world.advance(100_000)
    world.connect().send(subscribe(1, '/queue/q'))
    world.advance(1_000)
    sender.send(raw('receipt:last\n\nx\0'))
    expect(sender.receipts()).toEqual(['1', '2', '3', '4', '5', '6', 'last'])
  })

  it('is read on when it has a subscription, or a transaction: what it sends may be what makes room', () => {
    for (const start of [subscribe(1, '/queue/q', { ack: 'client', 'activemq.prefetchSize': 1 }), begin('t')]) {
      const world = full({ limits: { heldMessagesMax: 8 } })
      const client = world.connect()
      client.send(start)
      flood(client, 5)
      client.send(send('/queue/other', 'x'))
      expect(world.vhost.destinations.find('other')).toBeDefined()
    }
  })

  it('that is read on and goes too far is refused', () => {
    const world = full({ limits: { heldMessagesMax: 4 } })
    const client = world.connect()
    client.send(begin('t'))
    flood(client, 10)
    client.next('RECEIPT')
    expect(client.error()).toMatch(/^SEND: /)
  })
})

describe('a slow consumer', () => {
  function stalled(settings: object): { world: World; reader: Client } {
    const world = new World()
    world.define('q', { slowConsumerMs: 10_000, ...settings })
    const reader = world.connect({ kernelBytes: 1_024 })
    reader.send(subscribe(1, '/queue/q', { ack: 'client-individual' }))
    reader.stopReading()
    const sender = world.connect()
    for (let index = 0; index < 60; index++) sender.send(send('/queue/q', String(index).padEnd(65_536)))
    return { world, reader }
  }

  it('is ended with the reason where the queue says so, and its messages are for the next one', () => {
    const { world, reader } = stalled({ slowConsumer: 'disconnect' })
    world.advance(21_000)
    expect(world.ends).toEqual([expect.stringMatching(/^a consumer of q has taken nothing for 10 s/)])
    reader.readAgain()
    const frames = reader.received()
    expect(frames.at(-1)).toMatchObject({ command: 'ERROR', headers: { message: expect.stringMatching(/has taken nothing for 10 s/) as unknown } })
    expect(reader.isClosed).toBe(true)
    const next = world.connect()
    next.send(subscribe(1, '/queue/q'))
    expect(next.messages()).toHaveLength(60)
  })

  it('stays where it is only reported, and gets all of it when it reads', () => {
    const { world, reader } = stalled({ slowConsumer: 'report' })
    world.advance(60_000)
    expect([world.ends, world.vhost.counters.slowConsumers]).toEqual([[], 1])
    reader.readAgain()
    expect([reader.messages().length, reader.isClosed]).toEqual([60, false])
  })

  it('of a topic loses what is too much for it, and nobody else does', () => {
    const world = new World({ limits: { queuedMessagesMax: 10 } })
    const [slow, quick, sender] = [world.connect({ kernelBytes: 1_024 }), world.connect(), world.connect()]
    for (const client of [slow, quick]) client.send(subscribe(1, '/topic/t'))
    slow.stopReading()
    for (let index = 0; index < 100; index++) sender.send(send('/topic/t', String(index).padEnd(65_536), { receipt: index }))
    world.advance(60_000) // the sender is held for a while, not for ever
    expect([quick.messages().length, sender.receipts().length]).toEqual([100, 100])
    slow.readAgain()
    expect(slow.messages().length).toBeLessThan(100)
    expect(world.vhost.counters.droppedOverLimit).toBeGreaterThan(0)
  })
})

describe('a frame that does not end', () => {
  const head = raw('SEND\ndestination:/queue/q\ncontent-length:100000\n\n')

  it.each([
    ['its header lines', raw('SEND\ndestination:/queue/'), raw('x')],
    ['its body', head, raw('x')],
    ['its body without content-length', raw('SEND\ndestination:/queue/q\n\n'), raw('x')],
  ])('in %s is given up after stomp.frameTimeoutMs, however often a byte comes', (_where, start, byte) => {
    const world = new World()
    const client = world.connect({ headers: { 'heart-beat': '10000,0' } })
    client.send(start)
    for (let second = 0; second < 58; second += 2) {
      client.send(byte)
      world.advance(2_000)
    }
    expect(client.isClosed).toBe(false)
    for (let second = 0; second < 24 && !client.isClosed; second += 2) {
      client.send(byte)
      world.advance(2_000)
    }
    expect(client.error()).toBe('a frame has begun and not ended within stomp.frameTimeoutMs 60000')
  })

  it('is also given up where heart-beats are rare', () => {
    const world = new World({ settings: { heartBeatMs: 3_600_000 } })
    const client = world.connect({ headers: { 'heart-beat': '3600000,0' } })
    client.send(head)
    world.advance(61_000)
    expect(client.error()).toMatch(/a frame has begun and not ended/)
  })

  it('is also given up when it came with the CONNECT, and the login took its time', async () => {
    const accepted = { kind: 'accepted', principal: { name: 'ann', anonymous: false }, data: undefined } as const
    const world = new World({ login: { begin: async () => accepted } })
    const client = world.open()
    await client.finish(raw('CONNECT\naccept-version:1.2\nhost:h\n\n^@'), head)
    client.accepted()
    world.advance(61_000)
    expect(client.error()).toMatch(/a frame has begun and not ended/)
  })

  it('is no other than the next: a client that sends on and on may end each read within a frame', () => {
    const world = new World()
    const client = world.connect()
    const one = send('/queue/q', 'x'.repeat(100))
    const half = one.length >> 1
    client.send(one.subarray(0, half))
    for (let second = 0; second < 200; second++) {
      client.send(Buffer.concat([one.subarray(half), one.subarray(0, half)]))
      world.advance(1_000)
    }
    expect([client.isClosed, world.queue('q').waitingCount]).toEqual([false, 200])
  })

  it('is not missed from a client that is not read', () => {
    const world = full({ limits: { heldMessagesMax: 4 } })
    const client = world.connect()
    flood(client, 4)
    client.send(send('/queue/q', 'x').subarray(0, 10))
    world.advance(300_000)
    expect(client.isClosed).toBe(false)
  })

  it('costs memory for what has come, not for what was announced', () => {
    const world = new World()
    const clients = Array.from({ length: 200 }, () => world.connect())
    const before = process.memoryUsage().arrayBuffers
    for (const client of clients) client.send(raw('SEND\ndestination:/queue/q\ncontent-length:16000000\n\nx'))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000)
  })
})

describe('the unfinished frames of all connections', () => {
  const KIB = 1_024
  /** Beginning of a SEND, `size` bytes with its headers. */
  const beginning = (size: number): Uint8Array => Buffer.concat([raw('SEND\ndestination:/queue/q\ncontent-length:9000000\n\n'), Buffer.alloc(size, 'x')]).subarray(0, size)

  it('[STOMP12-Size_Limits-a] end the connection that holds most of them, with an ERROR, when they are more than the limit', () => {
    const world = new World({ limits: { unfinishedBytesMax: 1_000 * KIB } })
    const [large, small, other] = [world.connect(), world.connect(), world.connect()]
    large.send(beginning(512 * KIB))
    small.send(beginning(256 * KIB))
    other.send(beginning(128 * KIB))
    expect(world.vhost.unfinished.bytes).toBe(896 * KIB)
    other.send(Buffer.alloc(128 * KIB, 'x'))
    expect(large.error()).toMatch(/^what all connections have begun to send .*limits\.unfinishedBytesMax\) is 1000 KiB, and 512 KiB of it/)
    expect([small.isClosed, other.isClosed]).toEqual([false, false])
  })

  it('are counted before CONNECT as well, and no more once they are complete or their connection is gone', () => {
    const world = new World({ limits: { unfinishedBytesMax: 1_000 * KIB } })
    const [stranger, sender, gone] = [world.open(), world.connect(), world.connect()]
    stranger.send(raw('CONNECT\naccept-version:1.2\n'))
    expect(world.vhost.unfinished.bytes).toBeGreaterThan(20)
    stranger.vanish()
    const whole = send('/queue/q', 'x'.repeat(200 * KIB), { receipt: 'r', 'content-length': 200 * KIB })
    sender.send(whole.subarray(0, 128 * KIB))
    gone.send(whole.subarray(0, 128 * KIB))
    expect(world.vhost.unfinished.bytes).toBe(256 * KIB)
    sender.send(whole.subarray(128 * KIB))
    gone.vanish()
    expect([sender.receipts(), world.vhost.unfinished.bytes]).toEqual([['r'], 0])
  })

  it('are those that wait behind a frame that is worked on, too', async () => {
    let letIn = (): void => {}
    const accepted = { kind: 'accepted', principal: { name: 'u', anonymous: false }, data: undefined } as const
    const login: Login = { begin: () => new Promise((resolve) => (letIn = () => resolve(accepted))) }
    const world = new World({ login })
    const client = world.open()
    client.send(connectFrame(12), send('/queue/q', 'x'.repeat(40 * KIB), { receipt: 'r' }))
    expect(world.vhost.unfinished.bytes).toBeGreaterThan(40 * KIB)
    letIn()
    await world.settle()
    client.accepted()
    expect([client.receipts(), world.vhost.unfinished.bytes]).toEqual([['r'], 0])
  })
})

describe('the broker', () => {
  it('that stops tells its clients, whatever they do', async () => {
    const { world, log } = await slowWorld()
    const silent = world.open()
    const [one, two] = [await world.join(), await world.join()]
    await two.finish(subscribe(1, '/queue/q', { ack: 'client' }))
    log.hold()
    one.send(send('/queue/q', 'x', { persistent: true, receipt: 'r' }))
    world.adapter.drain()
    world.run()
    for (const client of [silent, one, two]) expect(client.error()).toBe('the broker is stopping; connect again later')
    log.release()
    await world.settle()
    expect([world.adapter.connectionCount, world.vhost.sessions.count, world.queue('q').waitingCount]).toEqual([0, 0, 1])
  })

  it('ends the session that an operator deletes, and what it held is for others', () => {
    const world = new World()
    const client = world.connect({ headers: { 'client-id': 'me' } })
    client.send(subscribe(1, '/queue/q', { ack: 'client' }), send('/queue/q', 'x'))
    client.messages()
    expect(world.vhost.sessions.delete('me')).toBe(true)
    world.run()
    expect(client.error()).toBe('an operator ended the session')
    expect([world.queue('q').waitingCount, world.vhost.sessions.count, world.adapter.connectionCount]).toEqual([1, 0, 0])
  })

  it('remembers nothing of connections that ended, in whatever way', () => {
    const world = new World()
    for (const end of ['hangUp', 'vanish'] as const) {
      const client = world.connect({ headers: { 'heart-beat': '1000,1000' } })
      client.send(subscribe(1, '/queue/q', { ack: 'client' }), subscribe(2, '/topic/t'), begin('t'), send('/temp-queue/x', 'x'), send('/queue/q', 'x'))
      client[end]()
    }
    world.advance(60_000)
    const { vhost, adapter } = world
    expect([vhost.sessions.count, adapter.connectionCount, vhost.router.bindingCount, vhost.temporaries.count]).toEqual([0, 0, 0, 0])
    expect([world.queue('q').consumers.length, world.queue('q').inflightCount, world.network.unsentBytes]).toEqual([0, 0, 0])
  })
})
