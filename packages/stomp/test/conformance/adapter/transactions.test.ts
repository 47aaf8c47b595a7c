/** BEGIN, COMMIT and ABORT: what happens together or not at all. */
import { describe, expect, it } from 'vitest'
import {
  abort,
  ack,
  ackOf,
  begin,
  type Client,
  commit,
  disconnect,
  frame,
  type Frame,
  nack,
  send,
  slowWorld,
  subscribe,
  unsubscribe,
  type Version,
  World,
} from '../../harness.ts'

const VERSIONS: readonly Version[] = [10, 11, 12]

function waiting(world: World, queue = 'q'): number {
  return world.vhost.destinations.find(queue)?.queue.waitingCount ?? 0
}

/** A client with messages of the queue `work` that wait for their ACK. */
function worker(world: World, mode = 'client-individual', count = 3): { client: Client; messages: Frame[] } {
  const client = world.connect()
  client.send(subscribe(1, '/queue/work', { ack: mode }))
  world.connect().send(...Array.from({ length: count }, (_, index) => send('/queue/work', String(index + 1))))
  return { client, messages: client.messages() }
}

describe('a transaction', () => {
  it.each(VERSIONS)(
    '[STOMP12-SEND-b, STOMP12-BEGIN-b, STOMP11-SEND-b, STOMP11-BEGIN-b, STOMP10-SEND-b, STOMP10-BEGIN-b] sends with its COMMIT, and nothing before, in version %i',
    (version) => {
      const world = new World({ version })
      const [sender, reader] = [world.connect(), world.connect()]
      reader.send(subscribe(1, '/queue/q'), subscribe(2, '/topic/t'))
      sender.send(begin('t'), send('/queue/q', '1', { transaction: 't' }), send('/topic/t', '2', { transaction: 't' }), send('/queue/q', 'at once'))
      expect(reader.bodies()).toEqual(['at once'])
      sender.send(commit('t', { receipt: 'r' }))
      expect([sender.receipts(), reader.bodies()]).toEqual([['r'], ['1', '2']])
    },
  )

  it.each(VERSIONS)('[STOMP12-ABORT-a, STOMP11-ABORT-a, STOMP10-ABORT-a] sends nothing with its ABORT, in version %i', (version) => {
    const world = new World({ version })
    const client = world.connect()
    client.send(begin('t'), send('/queue/q', '1', { transaction: 't' }), abort('t', { receipt: 'r' }))
    expect([client.receipts(), waiting(world)]).toEqual([['r'], 0])
  })

  it('[STOMP12-ACK-b, STOMP11-ACK-c, STOMP10-ACK-b] acknowledges with its COMMIT', () => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), ack(ackOf(messages[0]!), { transaction: 't' }), ack(ackOf(messages[2]!), { transaction: 't' }))
    expect(world.queue('work').inflightCount).toBe(3)
    client.send(commit('t', { receipt: 'r' }))
    expect([client.receipts(), world.queue('work').inflightCount]).toEqual([['r'], 1])
  })

  it('acknowledges all before it with its COMMIT in the mode client', () => {
    const world = new World()
    const { client, messages } = worker(world, 'client', 4)
    client.send(begin('t'), ack(ackOf(messages[2]!), { transaction: 't' }), commit('t'))
    expect(world.queue('work').inflightCount).toBe(1)
    client.send(ack(ackOf(messages[3]!), { receipt: 'r' }))
    expect([client.receipts(), world.queue('work').inflightCount]).toEqual([['r'], 0])
  })

  it('makes dead letters of what NACK named with its COMMIT, and not before', () => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), nack(ackOf(messages[0]!), { transaction: 't' }))
    expect(waiting(world, 'DLQ')).toBe(0)
    client.send(commit('t'))
    expect([waiting(world, 'DLQ'), world.queue('work').inflightCount]).toEqual([1, 2])
  })

  it('returns what NACK with requeue:true named with its COMMIT', () => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), nack(ackOf(messages[0]!), { transaction: 't', requeue: true }), commit('t'))
    world.advance(60_000)
    expect(client.messages()).toMatchObject([{ body: '1', headers: { redelivered: 'true' } }])
  })

  it('leaves what it would have settled with the client when it is aborted, to be settled again', () => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), ack(ackOf(messages[0]!), { transaction: 't' }), nack(ackOf(messages[1]!), { transaction: 't' }), abort('t'))
    expect([client.received(), world.queue('work').inflightCount]).toEqual([[], 3])
    client.send(...messages.map((message) => ack(ackOf(message))))
    expect([client.isClosed, world.queue('work').inflightCount]).toEqual([false, 0])
  })

  it('leaves what it would have settled to the next ACK of all before it in the mode client, in order, when it is aborted', () => {
    const world = new World()
    const { client, messages } = worker(world, 'client', 6)
    const ids = messages.map(ackOf)
    client.send(begin('a'), begin('b'), ack(ids[1]!, { transaction: 'a' }), ack(ids[3]!, { transaction: 'b' }))
    client.send(abort('b'), abort('a'), ack(ids[2]!))
    expect(world.queue('work').inflightCount).toBe(3)
    client.send(begin('c'), ack(ids[4]!, { transaction: 'c' }), unsubscribe(1), abort('c', { receipt: 'r' }))
    expect([client.receipts(), waiting(world, 'work'), world.queue('work').inflightCount]).toEqual([['r'], 3, 0])
  })

  it('takes many ACKs one by one in the mode client, each at the cost of one', () => {
    const world = new World()
    const { client, messages } = worker(world, 'client', 1_000)
    client.send(begin('t'), ...messages.map((message) => ack(ackOf(message), { transaction: 't' })), commit('t', { receipt: 'r' }))
    expect([client.receipts(), world.queue('work').inflightCount]).toEqual([['r'], 0])
  })

  it('moves work from a queue to another: the taken and the sent together', () => {
    const world = new World()
    const { client, messages } = worker(world, 'client-individual', 1)
    client.send(begin('t'), send('/queue/done', 'result', { transaction: 't' }), ack(ackOf(messages[0]!), { transaction: 't' }))
    client.vanish()
    expect([waiting(world, 'done'), waiting(world, 'work')]).toEqual([0, 1])
    const next = world.connect()
    next.send(subscribe(1, '/queue/work', { ack: 'client' }))
    next.send(begin('t'), send('/queue/done', 'result', { transaction: 't' }), ack(ackOf(next.next('MESSAGE')), { transaction: 't' }), commit('t'))
    expect([waiting(world, 'done'), waiting(world, 'work'), world.queue('work').inflightCount]).toEqual([1, 0, 0])
  })

  it('[STOMP12-BEGIN-c] has a name that no other open one has; free again when it is over', () => {
    const client = new World().connect()
    client.send(begin('t'), commit('t'), begin('t'), abort('t'), begin('t', { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
    client.send(begin('t', { receipt: 's' }))
    expect(client.errorFrame().headers).toMatchObject({
      message: 'BEGIN: transaction "t" has begun already; commit or abort it, or take another name',
      'receipt-id': 's',
    })
  })

  it('is one of several that are open at once, each on its own', () => {
    const world = new World()
    const client = world.connect()
    client.send(begin('a'), begin('b'), begin('c'))
    for (const name of ['a', 'b', 'c', 'b']) client.send(send(`/queue/${name}`, 'x', { transaction: name }))
    client.send(abort('c'), commit('b'))
    expect(['a', 'b', 'c'].map((name) => waiting(world, name))).toEqual([0, 2, 0])
    client.send(commit('a'))
    expect(waiting(world, 'a')).toBe(1)
  })

  it('cannot have a message that another one has', () => {
    const world = new World()
    const { client, messages } = worker(world)
    const id = ackOf(messages[0]!)
    client.send(begin('a'), begin('b'), ack(id, { transaction: 'a' }), ack(id, { transaction: 'b' }))
    expect(client.error()).toBe('ACK: the message is settled in a transaction already; commit that or abort it')
    expect(waiting(world, 'work')).toBe(3)
  })

  it('of another connection is unknown', () => {
    const world = new World()
    world.connect().send(begin('t'))
    const other = world.connect()
    other.send(send('/queue/q', 'x', { transaction: 't' }))
    expect(other.error()).toBe('SEND: transaction "t" has not begun, or is over; none is open; send BEGIN first')
  })

  it('outlives the subscription whose messages it settles', () => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), ack(ackOf(messages[0]!), { transaction: 't' }), unsubscribe(1), commit('t', { receipt: 'r' }))
    expect([client.receipts(), waiting(world, 'work'), world.queue('work').inflightCount]).toEqual([['r'], 2, 0])
  })
})

describe('a frame of a transaction', () => {
  it.each(['SEND', 'ACK', 'NACK', 'COMMIT', 'ABORT'])('%s that names an unknown one is refused, with the open ones', (command) => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('one'), begin('two'))
    client.send(frame(command, { destination: '/queue/q', id: ackOf(messages[0]!), transaction: 'three', receipt: 'r' }))
    expect(client.errorFrame().headers).toMatchObject({
      message: `${command}: transaction "three" has not begun, or is over; open are "one", "two"`,
      'receipt-id': 'r',
    })
  })

  it.each(['BEGIN', 'COMMIT', 'ABORT'])(
    '[STOMP12-BEGIN-a, STOMP12-COMMIT-a, STOMP11-BEGIN-a, STOMP11-COMMIT-a, STOMP10-BEGIN-a, STOMP10-COMMIT-a, STOMP10-ABORT-a, STOMP11-ABORT-a, STOMP12-ABORT-a] %s without a name is refused',
    (command) => {
      for (const version of VERSIONS) {
        const client = new World().connect({ version })
        client.send(frame(command, { receipt: 'r' }))
        expect(client.errorFrame().headers).toMatchObject({ message: `${command}: header transaction is missing`, 'receipt-id': 'r' })
      }
    },
  )
})

describe('an open transaction', () => {
  it.each([
    ['DISCONNECT', (client: Client) => client.send(disconnect())],
    ['FIN', (client: Client) => client.hangUp()],
    ['a lost connection', (client: Client) => client.vanish()],
    ['an ERROR', (client: Client) => client.send(frame('NONSENSE'))],
  ])('[STOMP12-BEGIN-d, STOMP11-BEGIN-c] is aborted by %s', (_name, end) => {
    const world = new World()
    const { client, messages } = worker(world)
    client.send(begin('t'), send('/queue/q', 'x', { transaction: 't' }), ack(ackOf(messages[1]!), { transaction: 't' }))
    end(client)
    expect([client.isClosed, waiting(world), waiting(world, 'work'), world.queue('work').inflightCount]).toEqual([true, 0, 3, 0])
    expect([world.vhost.waiting.bytes, world.vhost.sessions.count]).toEqual([world.queue('work').waitingBytes, 1])
  })
})

describe('a COMMIT', () => {
  it('that a full queue refuses is told so, and nothing of it has happened', () => {
    const world = new World()
    world.define('full', { messagesMax: 1, whenFull: 'reject' })
    const { client, messages } = worker(world)
    client.send(begin('t'), send('/queue/q', '1', { transaction: 't' }))
    client.send(...[1, 2].map((body) => send('/queue/full', String(body), { transaction: 't' })))
    client.send(ack(ackOf(messages[0]!), { transaction: 't' }), commit('t', { receipt: 'r' }))
    const { headers } = client.errorFrame()
    expect(headers['receipt-id']).toBe('r')
    expect(headers['message']).toMatch(/^COMMIT: the transaction was rolled back: .*full/)
    expect([waiting(world), waiting(world, 'full'), waiting(world, 'work')]).toEqual([0, 0, 3])
  })

  it('waits for room where the queue lets publishers wait', () => {
    const world = new World()
    world.define('full', { messagesMax: 1, blockMaxMs: 60_000 })
    const client = world.connect()
    client.send(send('/queue/full', '0'), begin('t'), send('/queue/full', '1', { transaction: 't' }), commit('t', { receipt: 'r' }))
    expect(client.receipts()).toEqual([])
    const reader = world.connect()
    reader.send(subscribe(1, '/queue/full'))
    expect([client.receipts(), reader.bodies()]).toEqual([['r'], ['0', '1']])
  })

  it('has its receipt when all of it is in the log, and not before', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    log.hold()
    client.send(begin('t'), send('/queue/q', '1', { transaction: 't', persistent: true }), commit('t', { receipt: 'r' }))
    expect([client.received(), waiting(world)]).toEqual([[], 0])
    log.release()
    await world.settle()
    expect([client.receipts(), waiting(world)]).toEqual([['r'], 1])
  })

  it('is done although its client has gone', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    log.hold()
    client.send(begin('t'), send('/queue/q', '1', { transaction: 't', persistent: true }), commit('t'))
    client.vanish()
    log.release()
    await world.settle()
    expect(waiting(world)).toBe(1)
  })

  it('that is on its way is waited for by DISCONNECT, and settles what it settles', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    const works = ['1', '2', '3'].map((body) => send('/queue/work', body, { persistent: true }))
    await client.finish(subscribe(1, '/queue/work', { ack: 'client-individual' }), ...works)
    const [one, two] = client.messages()
    log.hold()
    client.send(begin('t'), ack(ackOf(one!), { transaction: 't' }), nack(ackOf(two!), { transaction: 't' }), commit('t'), disconnect('bye'))
    expect(client.received()).toEqual([])
    log.release()
    await world.settle()
    expect([client.receipts(), client.isClosed]).toEqual([['bye'], true])
    expect([waiting(world, 'work'), waiting(world, 'DLQ'), world.queue('work').inflightCount]).toEqual([1, 1, 0])
  })

  it('that is on its way leaves its messages to nobody else', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    await client.finish(subscribe(1, '/queue/work', { ack: 'client-individual' }), send('/queue/work', 'x', { persistent: true }))
    const [message] = client.messages()
    log.hold()
    client.send(begin('t'), ack(ackOf(message!), { transaction: 't' }), commit('t'), ack(ackOf(message!)))
    expect(client.next('ERROR').headers['message']).toBe('ACK: the message is settled in a transaction already; commit that or abort it')
    log.release()
    await world.settle()
    expect([waiting(world, 'work'), world.queue('work').inflightCount]).toEqual([0, 0])
  })
})

describe('a transaction that is open for too long', () => {
  const MINUTE_MS = 60_000
  const limits = { transactionAgeMaxMs: 10 * MINUTE_MS }
  const text = (command: string): string =>
    `${command}: transaction "t" was rolled back, it was open for longer than limits.transactionAgeMaxMs 600000; nothing of it has happened, do it again`

  it.each([
    ['SEND', (): Uint8Array => send('/queue/q', '2', { transaction: 't', receipt: 'r' })],
    ['ACK', (message: Frame): Uint8Array => ack(ackOf(message), { transaction: 't', receipt: 'r' })],
    ['COMMIT', (): Uint8Array => commit('t', { receipt: 'r' })],
    ['ABORT', (): Uint8Array => abort('t', { receipt: 'r' })],
  ])('is rolled back, and %s of it is told so', (command, next) => {
    const world = new World({ limits })
    const { client, messages } = worker(world)
    client.send(begin('t'), send('/queue/q', '1', { transaction: 't' }), ack(ackOf(messages[0]!), { transaction: 't' }))
    world.advance(10 * MINUTE_MS + 1_000)
    expect([client.isClosed, world.vhost.transactions.count, world.vhost.waiting.bytes]).toEqual([false, 0, 0])
    client.send(next(messages[1]!))
    const { headers } = client.errorFrame()
    expect([headers['message'], headers['receipt-id']]).toEqual([text(command), 'r'])
    expect([waiting(world), waiting(world, 'work')]).toEqual([0, 3])
  })

  it('leaves its client and what it settled, which can be settled again; its name can begin anew', () => {
    const world = new World({ limits })
    const { client, messages } = worker(world)
    client.send(begin('t'), ack(ackOf(messages[0]!), { transaction: 't' }))
    world.advance(10 * MINUTE_MS + 1_000)
    client.send(begin('t'), ack(ackOf(messages[0]!), { transaction: 't' }), send('/queue/q', '1', { transaction: 't' }), commit('t', { receipt: 'r' }))
    expect([client.receipts(), waiting(world), world.queue('work').inflightCount]).toEqual([['r'], 1, 2])
  })

  it('is remembered by name, 64 of a connection', () => {
    const world = new World({ limits })
    const client = world.connect()
    client.send(begin('t0'))
    world.advance(1_000)
    client.send(...Array.from({ length: 64 }, (_, index) => begin(`t${index + 1}`)))
    world.advance(10 * MINUTE_MS + 1_000)
    const other = world.connect()
    other.send(commit('t0'))
    const unknown = other.error()
    client.send(begin('t64'), commit('t64', { receipt: 'r' }))
    expect(client.receipts()).toEqual(['r'])
    client.send(commit('t0'))
    expect(client.error()).toBe(unknown)
  })
})

describe('the messages in open transactions of a connection', () => {
  it('have a limit, and the SEND beyond it an ERROR', () => {
    const world = new World({ limits: { transactionBytesMax: 10_000 } })
    const [client, other] = [world.connect(), world.connect()]
    client.send(begin('t'), send('/queue/q', 'x'.repeat(6_000), { transaction: 't' }), begin('u'), send('/queue/q', 'x'.repeat(6_000), { transaction: 'u' }))
    expect(client.error()).toMatch(/^SEND: a transaction of 'stomp-[0-9a-f]+' takes no more: .* exceed limits\.transactionBytesMax 10000; commit it$/)
    other.send(begin('t'), send('/queue/q', 'x'.repeat(6_000), { transaction: 't' }), commit('t', { receipt: 'r' }))
    expect([other.receipts(), waiting(world)]).toEqual([['r'], 1])
  })
})
