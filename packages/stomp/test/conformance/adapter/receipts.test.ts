/** RECEIPT on every frame, and DISCONNECT. */
import { describe, expect, it } from 'vitest'
import {
  abort,
  ack,
  ackOf,
  begin,
  commit,
  disconnect,
  frame,
  nack,
  raw,
  send,
  slowWorld,
  subscribe,
  unsubscribe,
  type Version,
  World,
} from '../../harness.ts'

describe('RECEIPT', () => {
  it.each<Version>([10, 11, 12])(
    '[STOMP12-Header_receipt-a, STOMP12-RECEIPT-a, STOMP11-Header_receipt-a, STOMP11-RECEIPT-a, STOMP10-Receipt-a, STOMP10-RECEIPT-a] answers every frame that asks for one, in version %i',
    (version) => {
      const client = new World().connect({ version })
      client.send(subscribe(1, '/queue/q', { receipt: 'sub', ack: 'client' }), send('/queue/q', 'x', { receipt: 'send' }), send('/queue/q', 'y'))
      const frames = client.received()
      expect(frames.flatMap(({ headers }) => headers['receipt-id'] ?? [])).toEqual(['sub', 'send'])
      const [one, two] = frames.flatMap(({ headers }) => headers['message-id'] ?? [])
      const named = (id: string, receipt: string): Record<string, string> => ({ [version === 12 ? 'id' : 'message-id']: id, subscription: '1', receipt })
      client.send(frame('ACK', named(one!, 'ack')))
      client.send(version === 10 ? frame('ACK', named(two!, 'nack')) : frame('NACK', named(two!, 'nack')))
      client.send(begin('t', { receipt: 'begin' }), send('/queue/r', 'x', { transaction: 't', receipt: 'tx' }), commit('t', { receipt: 'commit' }))
      client.send(begin('u', { receipt: 'begin2' }), abort('u', { receipt: 'abort' }), unsubscribe(1, { receipt: 'unsub' }), disconnect('bye'))
      expect(client.receipts()).toEqual(['ack', 'nack', 'begin', 'tx', 'commit', 'begin2', 'abort', 'unsub', 'bye'])
      expect(client.isClosed).toBe(true)
    },
  )

  it('does not answer a frame that does not ask', () => {
    const client = new World().connect()
    client.send(subscribe(1, '/queue/q', { ack: 'client' }), send('/queue/q', 'x'))
    const [message] = client.messages()
    client.send(ack(ackOf(message!)), begin('t'), commit('t'), unsubscribe(1), disconnect())
    expect([client.received(), client.isClosed]).toEqual([[], true])
  })

  it('answers an empty receipt with an empty receipt-id', () => {
    const client = new World().connect()
    client.send(send('/queue/q', 'x', { receipt: '' }))
    expect(client.receipts()).toEqual([''])
  })

  it('[STOMP12-RECEIPT-b, STOMP11-RECEIPT-b] waits until the log has what the frame did: NACK, ACK and UNSUBSCRIBE', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    await client.finish(subscribe(1, '/queue/q', { ack: 'client-individual' }), ...[1, 2].map((body) => send('/queue/q', String(body), { persistent: true })))
    const [one, two] = client.messages()
    log.hold()
    client.send(ack(ackOf(one!), { receipt: 1 }), nack(ackOf(two!), { receipt: 2 }), unsubscribe(1, { receipt: 3 }))
    expect(client.received()).toEqual([])
    log.release()
    await world.settle()
    expect(client.receipts()).toEqual(['1', '2', '3'])
  })
})

describe('receipts that wait for the log', () => {
  it('are so many and no more: then frames wait until it has caught up', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    log.hold()
    client.send(send('/queue/q', 'x', { persistent: true }))
    const frames = Array.from({ length: 10_000 }, (_, index) => (index % 2 === 0 ? begin('t', { receipt: index }) : abort('t', { receipt: index })))
    client.send(...frames, send('/queue/late', 'x', { receipt: 'late' }))
    expect([client.received(), world.vhost.destinations.find('late')]).toEqual([[], undefined])
    log.release()
    await world.settle()
    expect(client.receipts()).toEqual([...frames.map((_, index) => String(index)), 'late'])
  })
})

describe('DISCONNECT', () => {
  it.each<Version>([10, 11, 12])('[STOMP10-DISCONNECT-a] ends the connection in version %i', (version) => {
    const world = new World()
    const client = world.connect({ version })
    client.send(disconnect())
    expect([client.received(), client.isClosed, world.vhost.sessions.count]).toEqual([[], true, 0])
    expect(world.ends).toEqual(['client disconnected'])
  })

  it('[STOMP12-DISCONNECT-a, STOMP11-DISCONNECT-a] with receipt is answered last, and then the connection is closed', () => {
    const client = new World().connect()
    client.send(send('/queue/q', '1', { receipt: 1 }), send('/queue/q', '2', { receipt: 2 }), disconnect('bye'))
    expect([client.receipts(), client.isClosed]).toEqual([['1', '2', 'bye'], true])
  })

  it('[STOMP12-DISCONNECT-a, STOMP11-DISCONNECT-a] waits for what came before it: publishes, commits, acknowledgements', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    await client.finish(subscribe(1, '/queue/w', { ack: 'client' }), send('/queue/w', 'x', { persistent: true }))
    const [message] = client.messages()
    log.hold()
    client.send(
      send('/queue/q', '1', { persistent: true }),
      begin('t'),
      send('/queue/q', '2', { persistent: true, transaction: 't' }),
      commit('t'),
      ack(ackOf(message!)),
      disconnect('bye'),
    )
    expect([client.received(), client.isClosed]).toEqual([[], false])
    log.release()
    await world.settle()
    expect([client.receipts(), client.isClosed]).toEqual([['bye'], true])
    expect([world.queue('q').waitingCount, world.queue('w').inflightCount]).toEqual([2, 0])
  })

  it('waits for room in a queue, and hears when there is none', () => {
    const world = new World()
    world.define('q', { messagesMax: 1, blockMaxMs: 5_000 })
    const client = world.connect()
    client.send(send('/queue/q', '1'), send('/queue/q', '2', { receipt: 2 }), disconnect('bye'))
    expect(client.received()).toEqual([])
    world.advance(5_500)
    expect(client.errorFrame().headers).toMatchObject({ 'receipt-id': '2' })
  })

  it('[STOMP12-DISCONNECT-b, STOMP11-DISCONNECT-b] followed by another frame: that one is not looked at, or refused', async () => {
    const world = new World()
    const client = world.connect()
    client.send(disconnect('bye'), send('/queue/late', 'x'))
    expect([client.receipts(), client.isClosed]).toEqual([['bye'], true])
    expect(world.vhost.destinations.find('late')).toBeUndefined()
    const { world: slow, log } = await slowWorld()
    const waiting = await slow.join()
    log.hold()
    waiting.send(send('/queue/q', 'x', { persistent: true }), disconnect('bye'), send('/queue/late', 'x', { receipt: 'r' }))
    expect(waiting.next('ERROR').headers).toMatchObject({ message: 'SEND: it came after DISCONNECT; nothing may follow that', 'receipt-id': 'r' })
    log.release()
    await slow.settle()
    expect(slow.vhost.destinations.find('late')).toBeUndefined()
  })

  it('may be followed by heart-beats', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    log.hold()
    client.send(send('/queue/q', 'x', { persistent: true }), disconnect('bye'), raw('\n\n'))
    log.release()
    await world.settle()
    expect(client.receipts()).toEqual(['bye'])
  })

  it('ends what comes: a message that is sent meanwhile is for somebody else', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join()
    await client.finish(subscribe(1, '/queue/q'))
    log.hold()
    client.send(send('/queue/other', 'x', { persistent: true }), disconnect('bye'))
    world.connect().send(send('/queue/q', 'late'))
    log.release()
    await world.settle()
    expect([client.receipts(), world.queue('q').waitingCount]).toEqual([['bye'], 1])
  })

  it('of a client that browses comes at once', async () => {
    const world = new World()
    world.connect().send(...Array.from({ length: 200 }, () => send('/queue/q', 'x'.repeat(10_000))))
    const client = world.connect({ kernelBytes: 1_024 })
    client.stopReading()
    client.send(subscribe(1, '/queue/q', { browser: true }))
    await client.finish(disconnect('bye'))
    client.readAgain()
    await world.settle()
    expect([client.received().at(-1)?.headers['receipt-id'], client.isClosed]).toEqual(['bye', true])
  })
})
