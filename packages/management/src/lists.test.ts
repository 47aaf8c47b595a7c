/** A page of ten thousand costs one look at each, and something made for those only that are shown. The times are in lists.bench.ts. */
import {
  type Call,
  listConnections,
  listQueues,
  listSessions,
  listSubscriptions,
  type Page,
  type Route,
} from '@ternmq/api'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ManagedWorld } from '../test/managed-world.ts'
import { MANY, manyOfEverything } from '../test/scale-world.ts'
import { connectionHandlers } from './clients/connections.ts'
import type { Bound } from './handlers.ts'
import { type Listing, pageInPieces, PageMaker } from './paging.ts'
import { queueHandlers } from './destinations/queues.ts'
import { Sampler } from './broker/sampler.ts'
import { sessionHandlers } from './clients/sessions.ts'
import { subscriptionHandlers } from './clients/subscriptions.ts'

let world: ManagedWorld
let bound: readonly Bound[]

beforeAll(async () => {
  world = await manyOfEverything()
  const { broker } = world
  const sampler = new Sampler(broker)
  bound = [
    ...queueHandlers(broker, sampler),
    ...sessionHandlers(broker),
    ...connectionHandlers(broker, sampler),
    ...subscriptionHandlers(broker),
  ]
})

async function page<C extends Call & { readonly answer: Page<unknown> }>(
  route: Route<C>,
  query: C['query'],
): Promise<C['answer']> {
  return world.call(bound, route, { params: { vhost: '/' }, query })
}

describe('of ten thousand', () => {
  test('queues, the fullest come first, and the total is that of the filter', async () => {
    const first = await page(listQueues, { sort: '-readyCount', limit: 10 })
    expect(first.items.map(({ readyCount }) => readyCount)).toEqual(Array(10).fill(1))
    expect(first.total).toBe(MANY)
    expect((await page(listQueues, { nonEmpty: true, limit: 1 })).total).toBe(MANY / 10)
    expect((await page(listQueues, { q: '.q999', limit: 1 })).total).toBe(11)
  })

  test('sessions, connections and subscriptions, each is on one page only', async () => {
    const walk = async (
      next: (cursor: string | undefined) => Promise<Page<{ readonly clientId: string }>>,
    ): Promise<number> => {
      const seen = new Set<string>()
      let cursor: string | undefined
      do {
        const { items, next: after } = await next(cursor)
        for (const { clientId } of items) {
          if (seen.has(clientId)) throw new Error(`${clientId} comes twice`)
          seen.add(clientId)
        }
        cursor = after
      } while (cursor !== undefined)
      return seen.size
    }
    expect(await walk((cursor) => page(listSessions, { cursor, limit: 500, sort: '-waitingCount' }))).toBe(MANY)
    expect(await walk((cursor) => page(listConnections, { cursor, limit: 500, sort: 'user' }))).toBe(MANY)
    expect(await walk((cursor) => page(listSubscriptions, { cursor, limit: 500 }))).toBe(MANY)
  })
})

test('a page looks once at each item, and sorts no more than it shows', () => {
  let keyCount = 0
  let valueCount = 0
  const listing: Listing<number> = {
    key: (item) => (keyCount++, String(item).padStart(8, '0')),
    sorts: { size: (item) => (valueCount++, item % 97) },
    sortDefault: 'size',
    texts: () => [],
  }
  const maker = new PageMaker({ limit: 100, sort: '-size' }, listing)
  for (let item = 0; item < MANY; item++) maker.look(item)
  expect(maker.page().items).toHaveLength(100)
  expect([keyCount, valueCount]).toEqual([MANY, MANY])
})

test('others have a turn while a very long list is looked through', async () => {
  const listing: Listing<number> = {
    key: String,
    sorts: { size: (item) => item },
    sortDefault: 'size',
    texts: () => [],
  }
  const looks: number[] = []
  let lookCount = 0
  const maker = new PageMaker<number>({ limit: 1 }, listing, () => (lookCount++, true))
  const items = Array.from({ length: 3 * MANY }, (_, index) => index)
  const answer = pageInPieces(world.clock, items, (item) => [item], maker)
  for (let turn = 0; turn < 4; turn++) {
    looks.push(lookCount)
    await world.settle()
  }
  expect(looks.slice(0, 1)).toEqual([MANY])
  expect((await answer).total).toBe(3 * MANY)
})
