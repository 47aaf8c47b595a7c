/** What a client may not do: its ERROR names the address and the right, or the limit; then the connection is closed. */
import { allowAll, type Authorizer } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import {
  ackOf,
  begin,
  type Client,
  commit,
  frame,
  nack,
  send,
  subscribe,
  unsubscribe,
  World,
  type WorldOptions,
} from '../../harness.ts'

/** Lets nobody do `action` with what is called `secret`. */
function without(action: string): Authorizer {
  const isSecret = (levels: readonly unknown[]): boolean => levels.includes('secret')
  return {
    generation: 0,
    mayUse: (_subject, asked, { levels }) => ({ allowed: asked !== action || !isSecret(levels), rule: 'a rule' }),
    mayMatch: (_subject, asked, { levels }) => ({ allowed: asked !== action || !isSecret(levels), rule: 'a rule' }),
  }
}

function clientOf(options: WorldOptions): { world: World; client: Client } {
  const world = new World(options)
  return { world, client: world.connect({ headers: { login: 'ann', passcode: 'x' } }) }
}

/** A client that may do everything until `takeBack`. */
function takenBack(action: string): { world: World; client: Client; takeBack: (isRechecked?: boolean) => void } {
  const now = { authorizer: allowAll, generation: 0 }
  const authorizer: Authorizer = {
    get generation() {
      return now.generation
    },
    mayUse: (...asked) => now.authorizer.mayUse(...asked),
    mayMatch: (...asked) => now.authorizer.mayMatch(...asked),
  }
  const { world, client } = clientOf({ authorizer })
  const takeBack = (isRechecked = true): void => {
    now.authorizer = without(action)
    now.generation++
    if (isRechecked) world.vhost.recheckAccess()
    world.run()
  }
  return { world, client, takeBack }
}

describe('without the permission', () => {
  it.each([
    ['/topic/secret', /^SEND: user 'ann' may not publish to 'secret'/],
    ['/queue/secret', /^SEND: user 'ann' may not .*'secret'/],
  ])(
    '[STOMP12-SEND-d, STOMP11-SEND-d, STOMP12-ERROR-a, STOMP11-ERROR-c] SEND to %s ends the connection',
    (destination, text) => {
      const { world, client } = clientOf({ authorizer: without('write') })
      client.send(
        send('/queue/open', '1', { receipt: 1 }),
        send(destination, '2', { receipt: 2 }),
        send('/queue/open', '3'),
      )
      expect(client.next('RECEIPT').headers['receipt-id']).toBe('1')
      const { headers } = client.errorFrame()
      expect([headers['receipt-id'], headers['message']]).toEqual(['2', expect.stringMatching(text)])
      expect(world.queue('open').waitingCount).toBe(1)
    },
  )

  it.each([
    ['/topic/secret', /^SUBSCRIBE: user 'ann' may not subscribe to "\/topic\/secret"$/],
    ['/topic/secret.>', /^SUBSCRIBE: user 'ann' may not subscribe to "\/topic\/secret\.>"$/],
    ['/topic/secret.*', /^SUBSCRIBE: user 'ann' may not subscribe to "\/topic\/secret\.\*"$/],
    ['/topic/open,/topic/secret.*', /^SUBSCRIBE: user 'ann' may not subscribe to "\/topic\/secret\.\*"$/],
    ['/queue/secret', /^SUBSCRIBE: user 'ann' may not .*'secret'/],
    [
      '/queue/Consumer.A.VirtualTopic.secret',
      /^SUBSCRIBE: user 'ann' may not consume from queue 'Consumer\.A\.VirtualTopic\.secret'/,
    ],
  ])('[STOMP12-SUBSCRIBE-c, STOMP11-SUBSCRIBE-b] SUBSCRIBE to %s ends the connection', (destination, text) => {
    const { client } = clientOf({ authorizer: without('read') })
    client.send(subscribe(1, destination, { receipt: 's' }))
    const { headers } = client.errorFrame()
    expect([headers['receipt-id'], headers['message']]).toEqual(['s', expect.stringMatching(text)])
  })

  it.each([{ 'activemq.subscriptionName': 'd' }, { durable: true, 'auto-delete': false }])(
    'a durable subscription, %j, is refused by its address',
    (headers) => {
      const world = new World({ authorizer: without('read') })
      const client = world.connect({ headers: { login: 'ann', passcode: 'x', 'client-id': 'c' } })
      client.send(subscribe(1, '/topic/secret.*', headers))
      expect(client.error()).toBe(`SUBSCRIBE: user 'ann' may not subscribe to "/topic/secret.*"`)
    },
  )

  it('to read a virtual topic, nobody reads a queue of it that others have made', () => {
    const isTopic = (kind: string, levels: readonly unknown[]): boolean =>
      kind === 'topic' && levels.join('.') === 'VirtualTopic.t'
    const authorizer: Authorizer = {
      ...allowAll,
      mayUse: ({ principal }, action, { kind, levels }) => ({
        allowed: action !== 'read' || principal.name === 'bob' || !isTopic(kind, levels),
        rule: 'bob',
      }),
    }
    const { world, client } = clientOf({ authorizer })
    const bob = world.connect({ headers: { login: 'bob', passcode: 'x' } })
    bob.send(
      subscribe(1, '/queue/Consumer.A.VirtualTopic.t'),
      unsubscribe(1),
      send('/topic/VirtualTopic.t', 'for bob', { receipt: 'r' }),
    )
    expect(bob.receipts()).toEqual(['r'])
    client.send(subscribe(1, '/queue/Consumer.A.VirtualTopic.t'))
    expect(client.error()).toBe(
      "SUBSCRIBE: user 'ann' may not consume from queue 'Consumer.A.VirtualTopic.t': it gets what is published to topic 'VirtualTopic.t', which the user may not read",
    )
    bob.send(subscribe(1, '/queue/Consumer.A.VirtualTopic.t'))
    expect(bob.bodies()).toEqual(['for bob'])
  })

  it.each(['/topic/secret.*', '/queue/secret'])(
    'that is taken back, a subscription to %s ends with the connection',
    (destination) => {
      const { world, client, takeBack } = takenBack('read')
      client.send(subscribe(1, '/topic/open'), subscribe(2, destination, { receipt: 's' }))
      client.next('RECEIPT')
      const other = world.connect({ headers: { login: 'bob', passcode: 'x' } })
      other.send(subscribe(1, '/topic/open', { receipt: 's' }))
      other.next('RECEIPT')
      takeBack()
      const told = client.error()
      expect(told).toContain(`SUBSCRIBE to ${destination} has ended: user 'ann' may not read `)
      expect(told).toMatch(/'secret.* any more$/)
      expect(client.isClosed).toBe(true)
      other.send(send('/topic/open', 'still there'))
      expect(other.bodies()).toEqual(['still there'])
    },
  )

  it.each([true, false])('that is taken back, browsing shows nothing more of what it has read ahead (looked at all again: %s)', async (isRechecked) => {
    const { world, client, takeBack } = takenBack('browse')
    world.define('secret')
    const producer = world.connect()
    for (let index = 0; index < 90; index++) producer.send(send('/queue/secret', 'x'.repeat(40_000)))
    client.stopReading()
    client.send(subscribe(1, '/queue/secret', { browser: true }))
    await world.settle()
    takeBack(isRechecked)
    client.readAgain()
    await world.settle()
    const got = client.received()
    expect(got.filter(({ command }) => command === 'MESSAGE').length).toBeLessThan(90)
    expect(got.at(-1)!.command).toBe('ERROR')
    expect(got.at(-1)!.headers['message']).toMatch(/^SUBSCRIBE to \/queue\/secret has ended: user 'ann' may not (read|browse)/)
  })

  it('to make it, a queue does not come to be by SUBSCRIBE', () => {
    const { world, client } = clientOf({ authorizer: without('create') })
    client.send(subscribe(1, '/queue/secret'))
    expect(client.error()).toContain("queue 'secret' does not exist and user 'ann' may not make it")
    expect(world.vhost.destinations.find('secret')).toBeUndefined()
  })

  it.each(['secret', '/amq/queue/secret'])('nobody learns from SEND to %s whether there is such a queue', (destination) => {
    const answers = [true, false].map((isThere) => {
      const { world, client } = clientOf({ authorizer: without('write') })
      if (isThere) world.define('secret')
      client.send(send(destination, 'x'))
      return client.error()
    })
    expect(answers[0]).toBe(answers[1])
  })

  it('browsing ends the connection', () => {
    const { world, client } = clientOf({ authorizer: without('browse') })
    world.define('secret')
    client.send(subscribe(1, '/queue/secret', { browser: true }))
    expect(client.error()).toMatch(/^SUBSCRIBE: user 'ann' may not browse.*'secret'/)
  })

  it('browsing passes over dead letters of a queue that the user may not look into, and no selector finds them', async () => {
    const { world, client } = clientOf({ authorizer: without('browse') })
    const other = world.connect()
    for (const name of ['open', 'secret']) {
      other.send(subscribe(name, `/queue/${name}`, { ack: 'client-individual' }), send(`/queue/${name}`, name))
      world.run()
      other.send(nack(ackOf(other.messages().at(-1)!)))
      world.run()
    }
    expect(world.queue('DLQ').waitingCount).toBe(2)
    const selector = 'colour IS NULL'
    client.send(subscribe(1, '/queue/DLQ', { browser: true }), subscribe(2, '/queue/DLQ', { browser: true, selector }))
    await world.settle()
    expect(client.bodies().sort()).toEqual(['', '', 'open', 'open'])
  })

  it.each([
    ['SEND', 'write', (): Uint8Array => send('/amq/queue/secret', 'x')],
    ['SUBSCRIBE', 'read', (): Uint8Array => subscribe(1, '/amq/queue/secret')],
    ['SUBSCRIBE', 'browse', (): Uint8Array => subscribe(1, '/amq/queue/secret', { browser: true })],
  ])('%s without the right to %s does not tell whether a queue is there', (command, action, make) => {
    const answers = [true, false].map((isThere) => {
      const { world, client } = clientOf({ authorizer: without(action) })
      if (isThere) world.define('secret')
      client.send(make())
      return client.error()
    })
    expect(answers[0]).toMatch(new RegExp(`^${command}: user 'ann' may not .*'secret'`))
    expect(answers[1]).toBe(answers[0])
  })

  it('nothing of a transaction happens', () => {
    const { world, client } = clientOf({ authorizer: without('write') })
    client.send(
      begin('t'),
      send('/queue/open', '1', { transaction: 't' }),
      send('/topic/secret', '2', { transaction: 't', receipt: 's' }),
      commit('t'),
    )
    expect(client.errorFrame().headers).toMatchObject({
      'receipt-id': 's',
      message: "SEND: user 'ann' may not publish to 'secret'",
    })
    expect(world.queue('open').waitingCount).toBe(0)
  })

  it('the broker’s own topics stay its own', () => {
    const { client } = clientOf({})
    client.send(send('/topic/$SYS.broker', 'x'))
    expect(client.error()).toMatch(/^SEND: .*'?\$SYS/)
  })
})

describe('over a limit', () => {
  it('a message that is larger than messages may be is refused', () => {
    const { client } = clientOf({ limits: { messageBytesMax: 1_000 } })
    client.send(send('/queue/q', 'x'.repeat(2_000), { receipt: 'r' }))
    const { headers } = client.errorFrame()
    expect(headers).toMatchObject({ 'receipt-id': 'r' })
    expect(headers['message']).toMatch(/^SEND: .*\d+ bytes.*1000/)
  })

  it('[STOMP12-Size_Limits-a, STOMP11-Size_Limits-a] a frame that is larger than frames may be is refused before its body has come', () => {
    const { client } = clientOf({ settings: { maxBodyBytes: 1_000 } })
    client.send(
      frame('SEND', { destination: '/queue/q', 'content-length': 5_000_000, receipt: 'r' }, 'x').subarray(0, -1),
    )
    expect(client.errorFrame().headers).toMatchObject({
      'receipt-id': 'r',
      message: 'SEND: body of 5000000 bytes exceeds stomp.maxBodyBytes 1000; send it in parts',
    })
  })

  it('a queue that refuses what it has no room for says so, and the receipt does not come', () => {
    const { world, client } = clientOf({})
    world.define('q', { messagesMax: 1, whenFull: 'reject' })
    client.send(send('/queue/q', '1', { receipt: 1 }), send('/queue/q', '2', { receipt: 2 }))
    expect(client.next('RECEIPT').headers['receipt-id']).toBe('1')
    expect(client.errorFrame().headers).toMatchObject({ 'receipt-id': '2' })
    expect(world.queue('q').waitingCount).toBe(1)
  })

  it('another queue is refused where there are enough', () => {
    const { client } = clientOf({ limits: { queuesMax: 1 } })
    client.send(send('/queue/a', '1', { receipt: 1 }), send('/queue/b', '2', { receipt: 2 }))
    expect(client.next('RECEIPT').headers['receipt-id']).toBe('1')
    expect(client.error()).toBe(
      'SEND: no room for another queue: there are 1 of at most 1 (limits.queuesMax); delete some first',
    )
  })

  it('another subscription is refused where the connection has enough', () => {
    const { client } = clientOf({ limits: { bindingsPerSessionMax: 2 } })
    client.send(subscribe(1, '/queue/a'), subscribe(2, '/topic/b'), subscribe(3, '/queue/c', { receipt: 'r' }))
    expect(client.errorFrame().headers).toMatchObject({ 'receipt-id': 'r' })
  })

  it('so is another one that browses, though the others are over', () => {
    const { world, client } = clientOf({ limits: { bindingsPerSessionMax: 2 } })
    world.define('q')
    client.send(...[1, 2, 3].map((id) => subscribe(id, '/queue/q', { browser: true })))
    expect(client.error()).toContain(
      'the connection has 2 subscriptions, the limit (mqtt.maxSubscriptionsPerSession); unsubscribe first',
    )
  })

  it('so is another one whose id and destination are too long together with the others, and not after UNSUBSCRIBE', () => {
    const { client } = clientOf({})
    const idOf = (index: number): string => `${index} `.padEnd(16_000, 'x')
    const many = Array.from({ length: 260 }, (_, index) => index)
    client.send(
      ...many.map((index) => subscribe(idOf(index), '/topic/t')),
      ...many.map((index) => unsubscribe(idOf(index))),
    )
    client.send(...many.map((index) => subscribe(idOf(index), '/topic/t', { receipt: index })))
    expect(client.receipts()).toHaveLength(260)
    client.send(...many.map((index) => subscribe(`again ${idOf(index)}`, '/topic/t')))
    expect(client.error()).toMatch(
      /^SUBSCRIBE: the ids and destinations of the connection's \d+ subscriptions have \d+ characters, close to the limit of 4194304/,
    )
  })

  it('a name of a temporary destination is refused where it is too long', () => {
    const { client } = clientOf({})
    client.send(send(`/temp-queue/${'x'.repeat(2_000)}`, 'x'))
    expect(client.error()).toMatch(/^SEND: "x+"… \(2000 characters\) is too long for a temporary destination/)
  })

  it('another transaction is refused where the connection has enough', () => {
    const { client } = clientOf({})
    client.send(...Array.from({ length: 257 }, (_, index) => begin(`t${index}`)))
    expect(client.error()).toMatch(/^BEGIN: .*256/)
  })

  it('another temporary destination is refused where the connection has enough', () => {
    const { client } = clientOf({})
    client.send(...Array.from({ length: 1_001 }, (_, index) => send(`/temp-queue/${index}`, 'x')))
    expect(client.error()).toMatch(/^SEND: .*1000 temporary destinations, the limit/)
  })

  it('another connection is refused where the broker has enough', () => {
    const { world } = clientOf({ limits: { sessionsMax: 1 } })
    const other = world.open()
    other.send(frame('CONNECT', { 'accept-version': '1.2', host: 'h', receipt: 'r' }))
    expect(other.errorFrame().headers).toMatchObject({
      'receipt-id': 'r',
      message: expect.stringMatching(/^CONNECT refused, the broker has as many sessions as it may have, 1 \(limits\.maxSessions\)/) as unknown,
    })
  })
})

describe('ERROR', () => {
  it('[STOMP12-ERROR-b, STOMP11-ERROR-a, STOMP10-ERROR-a] has one line that says what was wrong', () => {
    for (const version of [10, 11, 12] as const) {
      const client = new World().connect({ version })
      client.send(send('/queue/', 'x'))
      expect(client.error()).toMatch(/^SEND: address '\/queue\/': the name of the queue is missing$/)
    }
  })

  it('[STOMP10-ERROR-b] has a content-length where it has a body', () => {
    const client = new World().connect({ version: 10, headers: { 'client-id': 'me' } })
    const long = { 'durable-subscription-name': 'x'.repeat(600) }
    client.send(subscribe(1, '/topic/t', long), subscribe(2, '/topic/t', long))
    const { headers, bytes } = client.errorFrame()
    expect([bytes.length > 0, headers['content-length']]).toEqual([true, String(bytes.length)])
  })

  it('shows what a client sent without the octets that a terminal would take for its own', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { ack: '\u001b[31mred\u009b' }))
    expect(client.error()).toBe(
      String.raw`SUBSCRIBE: header ack: "\u001b[31mred\u009b" is none of auto, client and client-individual`,
    )
  })

  it('is the last that comes: frames behind it are not looked at', () => {
    const world = new World()
    const client = world.connect()
    client.send(send('', 'x'), send('/queue/q', 'x', { receipt: 'r' }))
    client.errorFrame()
    expect(world.vhost.destinations.find('q')).toBeUndefined()
  })
})
