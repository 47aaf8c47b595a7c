import { type EventList, listEvents, type OperationItem, watchStream } from '@ternmq/api'
import { EVENT_LISTENERS_MAX, Events } from '@ternmq/core'
import { beforeEach, describe, expect, test } from 'vitest'
import { FakeConnection } from '../../test/fake-connection.ts'
import { ManagedWorld } from '../../test/managed-world.ts'
import { ApiError } from '../errors.ts'
import type { Bound, EventSink } from '../handlers.ts'
import { overviewHandlers } from '../broker/overview.ts'
import { Sampler } from '../broker/sampler.ts'
import { EventsWatch } from './stream-broker.ts'
import { streamHandlers, STREAMS_MAX } from './stream.ts'

/** Writes down what comes; reads slowly when the test says so. */
class TestSink implements EventSink {
  writable = true
  readonly sent: (readonly [event: string, data: unknown, id?: number])[] = []
  isEnded = false

  send(event: string, data: unknown, id?: number): void {
    this.sent.push(id === undefined ? [event, data] : [event, data, id])
  }

  end(): void {
    this.isEnded = true
  }

  take(): unknown[] {
    return this.sent.splice(0)
  }

  kinds(): string[] {
    return this.take().map((each) => (each as [string])[0])
  }
}

let world: ManagedWorld
let sampler: Sampler
let operations: OperationItem[]
let bound: readonly Bound[]
let sink: TestSink

beforeEach(async () => {
  world = await ManagedWorld.open()
  sampler = new Sampler(world.broker)
  operations = []
  bound = streamHandlers(world.broker, sampler, { list: () => operations })
  sink = new TestSink()
})

const watch = (names: string, lastEventId?: number): Promise<() => void> =>
  world.stream(bound, watchStream, { watch: names }, sink, lastEventId)

function happen(count: number): void {
  for (let index = 0; index < count; index++) world.eventSink.emit({ kind: 'hint', source: 'core', text: 'x' })
}

/** Of the event that happened as the `count`th, from 1. */
const idOf = (count: number): number => world.eventSink.bornId + count

const eventIds = (): unknown[] => sink.take().map((each) => (each as unknown[])[2])

const refusal = async (begun: Promise<unknown>): Promise<ApiError> => {
  const error = await begun.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ApiError) return error
  throw new Error('it was not refused')
}

describe('a stream', () => {
  test('says at once how things are, and again each second until it ends', async () => {
    world.define('orders')
    const end = await watch('overview,queue:orders')
    expect(sink.take()).toMatchObject([
      ['overview', { readyCount: 0 }],
      ['queue', { queue: 'orders', readyCount: 0 }],
    ])
    for (let count = 0; count < 3; count++) world.send('$queue/orders', 'x')
    world.advance(1_000)
    expect(sink.take()).toMatchObject([
      ['overview', { readyCount: 3, rates: { inPerSecond: 3 } }],
      ['queue', { queue: 'orders', readyCount: 3, inPerSecond: 3, consumerCount: 0 }],
    ])
    end()
    end()
    world.advance(70_000)
    expect([sink.take(), sampler.isIdle]).toEqual([[], true])
  })

  test('tells once what is gone, and goes on with the rest', async () => {
    world.define('orders')
    await watch('queue:orders,queue:nobody,overview')
    expect(sink.kinds()).toEqual(['queue', 'gone', 'overview'])
    world.vhost.destinations.delete(world.vhost.destinations.find('orders')!)
    world.advance(2_000)
    expect(sink.take()).toMatchObject([
      ['gone', { watch: 'queue:orders' }],
      ['overview', {}],
      ['overview', {}],
    ])
  })

  test('has rates of a connection until that ends', async () => {
    const connection = FakeConnection.open(world, { clientId: 'c' })
    await watch(`connection:${connection.transport.id}`)
    connection.transport.bytesIn += 500
    world.advance(1_000)
    const taken = sink.take()
    expect(taken[0]).not.toHaveProperty('1.bytesInPerSecond')
    expect(taken).toMatchObject([
      ['connection', { connection: String(connection.transport.id) }],
      ['connection', { bytesInPerSecond: 500, bytesOutPerSecond: 0, pendingBytes: 0 }],
    ])
    connection.end('client', 'it said goodbye')
    world.advance(1_000)
    expect(sink.take()).toEqual([['gone', { watch: `connection:${connection.transport.id}` }]])
  })

  test('leaves out seconds for who reads slowly', async () => {
    await watch('overview')
    sink.take()
    sink.writable = false
    world.advance(5_000)
    expect(sink.take()).toEqual([])
    sink.writable = true
    world.advance(1_000)
    expect(sink.kinds()).toEqual(['overview'])
  })

  test('has a heartbeat after each five seconds that had nothing to tell, also when nothing watched is left', async () => {
    await watch('events,queue:nobody')
    expect(sink.kinds()).toEqual(['gone'])
    world.advance(4_000)
    expect(sink.kinds()).toEqual([])
    world.advance(6_000)
    expect(sink.take()).toEqual([
      ['heartbeat', {}],
      ['heartbeat', {}],
    ])
  })

  test('has no heartbeat while there are ticks', async () => {
    await watch('overview')
    world.advance(12_000)
    expect(new Set(sink.kinds())).toEqual(new Set(['overview']))
  })

  test('takes a queue with a comma in its name when it is encoded', async () => {
    world.define('a,b%c')
    await watch('queue:a%2Cb%25c')
    expect(sink.take()).toMatchObject([['queue', { queue: 'a,b%c' }]])
  })
})

describe('events', () => {
  test('come at once, with their ids, from the beginning of the stream on', async () => {
    happen(2)
    await watch('events')
    expect(sink.take()).toEqual([])
    happen(1)
    expect(sink.take()).toMatchObject([['event', { id: idOf(3), kind: 'hint' }, idOf(3)]])
  })

  test('that came while it was read slowly come later, in their order', async () => {
    await watch('events')
    sink.writable = false
    happen(250)
    expect(sink.take()).toEqual([])
    sink.writable = true
    world.advance(1_000)
    expect(eventIds()).toEqual(Array.from({ length: 250 }, (_, index) => idOf(index + 1)))
  })

  test('that are forgotten until then are counted', async () => {
    await watch('events')
    sink.writable = false
    happen(1_250) // the world keeps a thousand
    sink.writable = true
    world.advance(1_000)
    expect(sink.take().slice(0, 2)).toMatchObject([
      ['missed', { count: 250 }],
      ['event', { id: idOf(251) }, idOf(251)],
    ])
  })

  test('go on behind the last one that a browser has had', async () => {
    happen(5)
    await watch('events', idOf(3))
    expect(eventIds()).toEqual([idOf(4), idOf(5)])
  })

  test('go on where their list ended, whatever of it was wanted, and before the first, too', async () => {
    const list = (): Promise<EventList> =>
      world.call(overviewHandlers(world.broker, sampler), listEvents, { query: { kind: 'refused' } })
    for (const round of [1, 2]) {
      const { items, lastId } = await list()
      expect(items).toEqual([])
      happen(1)
      const end = await watch('events', lastId)
      expect(eventIds()).toEqual([idOf(round)])
      end()
    }
  })

  test('begin anew for one of an earlier process, who is told so once, and how many of this one are forgotten', async () => {
    const ofBefore = world.eventSink.bornId - 1
    sink.writable = false
    await watch('events', ofBefore)
    happen(1_003) // the world keeps a thousand
    sink.writable = true
    world.advance(1_000)
    expect(sink.take().slice(0, 3)).toMatchObject([
      ['restarted', {}],
      ['missed', { count: 3 }],
      ['event', {}, idOf(4)],
    ])
    happen(1)
    expect(sink.kinds()).toEqual(['event'])
  })

  test('of a broker that remembers none are counted', () => {
    const events = new Events(world.clock, 0)
    const watching = new EventsWatch(events, sink, events.lastId)
    for (const text of ['a', 'b']) events.emit({ kind: 'hint', source: 'core', text })
    expect(sink.take()).toEqual([
      ['missed', { count: 1 }],
      ['missed', { count: 1 }],
    ])
    watching.close()
  })

  test('have no listener left behind when streams end', async () => {
    for (let round = 0; round < EVENT_LISTENERS_MAX + 1; round++) (await watch('events'))()
    happen(1)
    expect(sink.take()).toEqual([])
  })
})

test('operations come when they have got on', async () => {
  const item = {
    id: 'o',
    action: 'move',
    queue: 'q',
    user: 'ann',
    state: 'running',
    doneCount: 1,
    skippedCount: 0,
    refusedCount: 0,
    startedAtMs: 1,
    canResume: false,
  } as const
  operations = [item, { ...item, id: 'old', state: 'done' }]
  await watch('operations')
  expect(sink.take()).toEqual([['operation', item]])
  world.advance(1_000)
  expect(sink.take()).toEqual([])
  operations = [{ ...item, state: 'done', doneCount: 9 }, operations[1]!]
  world.advance(1_000)
  expect(sink.take()).toMatchObject([['operation', { id: 'o', state: 'done' }]])
})

describe('refused by name is', () => {
  test.each([
    '',
    ',',
    'queue',
    'queue:',
    'overview:x',
    'topic:a',
    'queue:%',
    Array.from({ length: 17 }, (_, index) => `queue:${index}`).join(','),
  ])('to watch %j', async (names) => {
    const { code, more } = await refusal(watch(names))
    expect([code, more.field]).toEqual(['INVALID', 'watch'])
    expect([sink.take(), sampler.isIdle]).toEqual([[], true])
  })

  test('another virtual host', async () => {
    expect((await refusal(world.stream(bound, watchStream, { watch: 'overview', vhost: 'x' }, sink))).code).toBe(
      'VHOST_UNKNOWN',
    )
  })

  test('one stream more than there may be, until another one ends', async () => {
    const ends: (() => void)[] = []
    for (let count = 0; count < STREAMS_MAX; count++) ends.push(await watch('overview'))
    expect((await refusal(watch('overview'))).code).toBe('BUSY')
    ends[0]!()
    await watch('overview')
  })

  test('events when too many listen, and nothing of the stream is left behind', async () => {
    while (world.eventSink.listen(() => {}) !== undefined);
    for (let count = 0; count < STREAMS_MAX + 1; count++) expect((await refusal(watch('events'))).code).toBe('BUSY')
    await watch('overview')
    expect(sink.kinds()).toEqual(['overview'])
  })
})
