import fc from 'fast-check'
import { expect, test } from 'vitest'
import { patternOf } from '../../test/support.ts'
import { World } from '../../test/world.ts'
import { matches } from '../routing/address.ts'
import { retainedPage, TOPICS_PAGE_MAX, topicsBelow } from './topics.ts'

function keep(world: World, ...topics: readonly string[]): void {
  for (const topic of topics) world.publish(topic, 'x', { retain: true })
}

/** Topics of all retained messages that match, page by page; the number of pages is bounded. */
function keptOf(world: World, filter: string, limit: number): string[] {
  const found: string[] = []
  let after: string | undefined = undefined
  for (let pages = 0; pages < 1_000; pages++) {
    const page: ReturnType<typeof retainedPage> = retainedPage(world.vhost, {
      pattern: patternOf(filter),
      after,
      limit,
    })
    found.push(...page.messages.map(({ topic }) => topic))
    if (page.cursor === undefined) return found
    after = page.cursor
  }
  throw new Error('the pages have no end')
}

test('a level of the tree has what is subscribed to, what is retained and what was published, each told apart', () => {
  const world = new World()
  const client = world.connect('c')
  client.bind('a/b')
  client.bind('a/b', { share: 'g' })
  client.bind('a/+/c')
  client.bind('a/d/#')
  keep(world, 'a/b', 'a/e/f')
  world.publish('a/g', 'x')
  const common = { hasChildren: false, bindingCount: 0, isRetained: false, isRouted: false }
  expect(topicsBelow(world.vhost, { parent: ['a'] })).toEqual({
    nodes: [
      { ...common, name: 'b', topic: 'a/b', bindingCount: 2, isRetained: true, isRouted: true },
      { ...common, name: 'd', topic: 'a/d' },
      { ...common, name: 'e', topic: 'a/e', hasChildren: true },
      { ...common, name: 'g', topic: 'a/g', isRouted: true },
    ],
    cursor: undefined,
  })
  expect(topicsBelow(world.vhost).nodes).toEqual([{ ...common, name: 'a', topic: 'a', hasChildren: true }])
  expect(topicsBelow(world.vhost, { parent: ['nobody', 'knows'] })).toEqual({ nodes: [], cursor: undefined })
})

test('a level without a name is a level like others', () => {
  const world = new World()
  keep(world, '/finance', 'x')
  expect(topicsBelow(world.vhost).nodes.map(({ name, hasChildren }) => [name, hasChildren])).toEqual([
    ['', true],
    ['x', false],
  ])
  expect(topicsBelow(world.vhost, { limit: 1 }).cursor).toBe('')
  expect(topicsBelow(world.vhost, { after: '' }).nodes.map(({ name }) => name)).toEqual(['x'])
  expect(topicsBelow(world.vhost, { parent: [''] }).nodes.map(({ topic }) => topic)).toEqual(['/finance'])
})

test('the pages of a level have each name once, in order, and none is larger than the limit', () => {
  const world = new World()
  const names = Array.from({ length: 2_500 }, (_, index) => String((index * 7) % 2_500).padStart(4, '0'))
  keep(world, ...names.map((name) => `t/${name}`))
  const found: string[] = []
  const sizes: number[] = []
  let after: string | undefined = undefined
  do {
    const page: ReturnType<typeof topicsBelow> = topicsBelow(world.vhost, { parent: ['t'], after, limit: 1_000_000 })
    found.push(...page.nodes.map(({ name }) => name))
    sizes.push(page.nodes.length)
    after = page.cursor
  } while (after !== undefined)
  expect(found).toEqual(names.toSorted())
  expect(sizes).toEqual([TOPICS_PAGE_MAX, TOPICS_PAGE_MAX, 500])
})

test('retained messages come in the order of their levels, those above first', () => {
  const world = new World()
  keep(world, 'b', 'a/b', 'a', 'a!', 'a/b/c', '$SYS/x')
  expect(keptOf(world, '#', 10)).toEqual(['a', 'a/b', 'a/b/c', 'a!', 'b'])
  expect(keptOf(world, 'a/#', 10)).toEqual(['a', 'a/b', 'a/b/c'])
  expect(keptOf(world, '$SYS/#', 10)).toEqual(['$SYS/x'])
})

test('whatever is retained, the pages of a pattern have each match once, and go on behind one that has gone', () => {
  const level = fc.constantFrom('', 'a', 'b', '$x')
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...(isOpen || levels.length === 0 ? ['#'] : [])].join('/'))
  fc.assert(
    fc.property(fc.array(topic, { maxLength: 30 }), filter, fc.integer({ min: 1, max: 4 }), (topics, wanted, limit) => {
      const world = new World()
      keep(world, ...topics)
      const pattern = patternOf(wanted)
      const expected = [...new Set(topics)].filter((each) => matches(pattern, each.split('/')))
      const found = keptOf(world, wanted, limit)
      expect(found.toSorted()).toEqual(expected.toSorted())
      for (const [index, gone] of found.entries()) {
        world.publish(gone, '', { retain: true })
        const { messages } = retainedPage(world.vhost, { pattern, after: gone, limit: 100 })
        expect(messages.map((each) => each.topic)).toEqual(found.slice(index + 1))
      }
    }),
  )
})

test('a message whose time is over is not shown, and looking does not take it away', () => {
  const world = new World()
  world.publish('t', 'x', { retain: true, expiresAtMs: world.env.clock.wallMs() + 1_000 })
  world.publish('t/u', 'y', { retain: true, expiresAtMs: world.env.clock.wallMs() + 1_000 })
  world.advance(2_000)
  expect(keptOf(world, '#', 10)).toEqual([])
  expect(topicsBelow(world.vhost).nodes).toMatchObject([{ name: 't', isRetained: false }])
  expect(world.vhost.retained.count).toBe(2)
})

test('a page looks at so many levels only: one that finds nothing ends early, and the next goes on', () => {
  const world = new World({ limits: { retainedMessagesMax: 1_000_000 } })
  const topics = Array.from({ length: 30_000 }, (_, index) => `n/${String(index).padStart(5, '0')}/x`)
  keep(world, ...topics)
  const first = retainedPage(world.vhost, { pattern: patternOf('n/+/y') })
  expect(first).toEqual({ messages: [], cursor: 'n/19997' })
  expect(retainedPage(world.vhost, { pattern: patternOf('n/+/y'), after: first.cursor })).toEqual({
    messages: [],
    cursor: undefined,
  })
  expect(keptOf(world, 'n/+/x', 1_000)).toEqual(topics)
})
