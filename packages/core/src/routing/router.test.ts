import { virtualEnv } from '@ternmq/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { messageOf, patternOf, privateField, queueContext, receiverOf, type TestSink } from '../../test/support.ts'
import { matches } from './address.ts'
import { ROUTES_MAX } from '../limits.ts'
import type { Assurance } from '../message/message.ts'
import { Queue } from '../queue/queue.ts'
import { type Binding, offerAll, Router, targetsOf } from './router.ts'
import { subscriptionSettings } from '../queue/settings.ts'

interface End {
  readonly queue: Queue
  readonly sink: TestSink
}

function ends(count: number): End[] {
  const context = queueContext(virtualEnv())
  return Array.from({ length: count }, (_, index) => {
    const queue = new Queue(context, `q${index}`, subscriptionSettings({ messagesMax: 1_000, bytesMax: 1_000_000 }), true)
    return { queue, sink: receiverOf(queue).sink }
  })
}

function bindingOf(filter: string, { queue }: End, assuranceMax: Assurance = 1, exceptFrom?: string): Binding {
  return { pattern: patternOf(filter), queue, assuranceMax, exceptFrom, data: { filter } }
}

function publish(router: Router, topic: string, options: Parameters<typeof messageOf>[2] = {}): void {
  offerAll(targetsOf(router.routeOf(topic)), messageOf(topic, 'x', options))
}

describe('one delivery for all bindings of a queue', () => {
  test('at the highest assurance among those that match, with the data of all of them', () => {
    const router = new Router()
    const [one] = ends(1) as [End]
    for (const [filter, assurance] of [
      ['a/#', 0],
      ['a/+', 2],
      ['a/b', 1],
      ['x', 2],
    ] as const) {
      router.bind(bindingOf(filter, one, assurance))
    }
    publish(router, 'a/b', { assurance: 2 })
    publish(router, 'a', { assurance: 2 })
    publish(router, 'a/b', { assurance: 1 })
    expect(one.sink.seen.map(({ topic, assurance }) => [topic, assurance])).toEqual([
      ['a/b', 2],
      ['a', 0],
      ['a/b', 1],
    ])
    const filters = one.sink.seen.map(({ match }) => match.data.map(({ filter }) => filter as string).sort())
    expect(filters).toEqual([['a/#', 'a/+', 'a/b'], ['a/#'], ['a/#', 'a/+', 'a/b']])
  })

  test('the match of a topic is one object for all messages until a binding changes, and keeps its memo', () => {
    const router = new Router()
    const [one, other] = ends(2) as [End, End]
    for (const filter of ['a/+', '+/b']) router.bind(bindingOf(filter, one))
    publish(router, 'a/b')
    one.sink.seen[0]!.match.memo = 'kept'
    publish(router, 'a/b')
    publish(router, 'a/c')
    expect(one.sink.seen.map(({ match }) => match.memo)).toEqual(['kept', 'kept', undefined])
    router.bind(bindingOf('a/b', other))
    publish(router, 'a/b')
    expect(one.sink.seen[3]!.match.memo).toBeUndefined()
    expect(other.sink.seen).toHaveLength(1)
  })

  test('a binding that matches alone has one match for all topics, with a match of its own where it is not alone', () => {
    const router = new Router()
    const [one] = ends(1) as [End]
    router.bind(bindingOf('#', one, 0))
    router.bind(bindingOf('a/b', one, 2))
    for (const topic of ['x', 'a/c', 'a/b']) publish(router, topic)
    const [first, second, both] = one.sink.seen.map(({ match }) => match)
    expect(second).toBe(first)
    expect([first?.assuranceMax, first?.data.length, both?.assuranceMax, both?.data.length]).toEqual([0, 1, 2, 2])
  })
})

describe('no-local', () => {
  test("a binding leaves out its own session's messages and takes everybody else's", () => {
    const router = new Router()
    const [one, other] = ends(2) as [End, End]
    const self = 'session'
    router.bind(bindingOf('a', one, 1, self))
    router.bind(bindingOf('a', other, 1, 'another'))
    publish(router, 'a', { publisher: self })
    publish(router, 'a', { publisher: 'somebody' })
    publish(router, 'a')
    expect([one.sink.seen.length, other.sink.seen.length]).toEqual([2, 3])
  })

  test('another binding of the same queue that takes them brings its own data and assurance only', () => {
    const router = new Router()
    const [one] = ends(1) as [End]
    const self = 'session'
    router.bind(bindingOf('a/#', one, 2, self))
    router.bind(bindingOf('a/+', one, 1))
    publish(router, 'a/b', { assurance: 2, publisher: self })
    publish(router, 'a/b', { assurance: 2 })
    expect(one.sink.seen.map(({ assurance, match }) => [assurance, match.data.length])).toEqual([
      [1, 1],
      [2, 2],
    ])
  })
})

describe('routes', () => {
  test('a kept route follows every later bind and unbind', () => {
    const router = new Router()
    const [one] = ends(1) as [End]
    const route = router.routeOf('a/b')
    const offer = (): boolean => offerAll(targetsOf(route), messageOf('a/b', 'x'))
    offer()
    const binding = bindingOf('a/#', one)
    router.bind(binding)
    offer()
    offer()
    router.unbind(binding)
    offer()
    expect([one.sink.seen.length, router.bindingCount]).toEqual([2, 0])
  })

  test('targets that somebody kept do not change when a binding comes', () => {
    const router = new Router()
    const [one, other] = ends(2) as [End, End]
    router.bind(bindingOf('a', one))
    const kept = targetsOf(router.routeOf('a'))
    router.bind(bindingOf('a', other))
    expect([kept.length, targetsOf(router.routeOf('a')).length]).toEqual([1, 2])
  })

  test('a route is remembered, and beyond the limit the oldest is forgotten but goes on working for who kept it', () => {
    const router = new Router()
    const [one] = ends(1) as [End]
    const first = router.routeOf('t/0')
    expect(router.routeOf('t/0')).toBe(first)
    for (let index = 1; index < ROUTES_MAX; index++) router.routeOf(`t/${index}`)
    expect(router.routeOf('t/0')).toBe(first)
    router.routeOf('one more')
    expect(router.routeOf('t/1').topic).toBe('t/1')
    expect(router.routeOf('t/0')).not.toBe(first)
    router.bind(bindingOf('t/+', one))
    offerAll(targetsOf(first), messageOf('t/0', 'old'))
    publish(router, 't/0')
    expect(one.sink.texts).toEqual(['old', 'x'])
  })

  test('long names fill the memory of routes before their number does', () => {
    const router = new Router({ routesMax: 1_000, routesBytesMax: 100_000, targetsBytesMax: 0 })
    const name = (index: number): string => `${index}/${'x'.repeat(10_000)}`
    for (let index = 0; index < 50; index++) router.routeOf(name(index))
    const routes = privateField(router, '#routes') as ReadonlyMap<string, unknown>
    expect([...routes.keys()]).toEqual([46, 47, 48, 49].map(name))
  })

  test('a route with many targets forgets them when others need the memory, and finds them again', () => {
    const router = new Router({ routesMax: 1_000, routesBytesMax: 1_000_000, targetsBytesMax: 10_000 })
    const all = ends(200)
    for (const end of all) router.bind(bindingOf('#', end))
    const routes = Array.from({ length: 20 }, (_, index) => router.routeOf(`t/${index}`))
    for (const route of routes) expect(targetsOf(route)).toHaveLength(200)
    expect(routes.reduce((sum, { targets }) => sum + targets.length, 0)).toBe(6 * 200)
    for (const route of routes) publish(router, route.topic)
    expect(all.map(({ sink }) => sink.seen.length)).toEqual(all.map(() => 20))
  })

  test('every queue that is bound gets a message once, through any order of binding and publishing', () => {
    const words = fc.constantFrom('a', 'b', '', '$s')
    const filter = fc
      .array(fc.oneof(words, fc.constant('+')), { minLength: 1, maxLength: 3 })
      .chain((levels) => fc.boolean().map((below) => [...levels, ...(below ? ['#'] : [])].join('/')))
    const topic = fc.array(words, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
    const step = fc.oneof(
      fc.record({ filter, who: fc.nat(2), assurance: fc.constantFrom<Assurance>(0, 1, 2), noLocal: fc.boolean() }),
      fc.record({ unbind: fc.nat(20) }),
      fc.record({ topic, from: fc.nat(2), assurance: fc.constantFrom<Assurance>(0, 1, 2) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const router = new Router()
        const all = ends(3)
        const bound: Binding[] = []
        for (const one of steps) {
          if ('filter' in one) {
            const end = all[one.who]!
            const binding = bindingOf(one.filter, end, one.assurance, one.noLocal ? end.queue.name : undefined)
            router.bind(binding)
            bound.push(binding)
          } else if ('unbind' in one) {
            const [binding] = bound.length === 0 ? [] : bound.splice(one.unbind % bound.length, 1)
            if (binding !== undefined) router.unbind(binding)
          } else {
            publish(router, one.topic, { assurance: one.assurance, publisher: all[one.from]!.queue.name })
            for (const end of all) {
              const wanting = bound.filter(
                ({ queue, exceptFrom, pattern }) =>
                  queue === end.queue &&
                  exceptFrom !== all[one.from]!.queue.name &&
                  matches(pattern, one.topic.split('/')),
              )
              const seen = end.sink.seen.splice(0)
              expect(seen).toHaveLength(wanting.length > 0 ? 1 : 0)
              if (seen[0] === undefined) continue
              const highest = Math.max(...wanting.map(({ assuranceMax }) => assuranceMax))
              expect(seen[0].assurance).toBe(Math.min(one.assurance, highest))
              expect(new Set(seen[0].match.data)).toEqual(new Set(wanting.map(({ data }) => data)))
              expect(seen[0].match.data).toHaveLength(wanting.length)
            }
          }
          expect(router.bindingCount).toBe(bound.length)
        }
      }),
      { numRuns: 200 },
    )
  })
})
