import { describe, expect, test } from 'vitest'
import { type Client, World } from '../../test/world.ts'

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
}

function publishAll(world: World, texts: readonly string[], assurance: 0 | 1 | 2 = 1): void {
  for (const text of texts) world.publish('jobs/a', text, { assurance })
  world.settle()
}

function members(world: World, count: number, expiryMs = 0): Client[] {
  return Array.from({ length: count }, (_, index) => {
    const client = world.connect(`m${index}`, { expiryMs })
    client.bind('jobs/#', { share: 'g' })
    return client
  })
}

describe('a group', () => {
  test('shares messages fairly: each goes to one member', () => {
    const world = new World()
    const group = members(world, 3)
    publishAll(world, numbers(1, 9))
    expect(group.map(({ texts }) => texts.length)).toEqual([3, 3, 3])
    expect(group.flatMap(({ texts }) => texts).sort()).toEqual(numbers(1, 9))
  })

  test('is one per name and filter, beside the own subscriptions of its members', () => {
    const world = new World()
    const client = world.connect('c')
    client.bind('jobs/#', { share: 'g' })
    client.bind('jobs/#', { share: 'h' })
    client.bind('jobs/a', { share: 'g' })
    client.bind('jobs/#')
    expect([world.vhost.shared.count, client.session.bindingCount]).toEqual([3, 4])
    publishAll(world, ['1'])
    expect(client.texts).toEqual(['1', '1', '1', '1'])
  })

  test('keeps messages while no member can take them, and gives them out in order', () => {
    const world = new World()
    const [one] = members(world, 1)
    one!.sink.writable = false
    publishAll(world, numbers(1, 5))
    const late = world.connect('late')
    late.bind('jobs/#', { share: 'g' })
    world.settle()
    expect([one!.texts, late.texts]).toEqual([[], numbers(1, 5)])
  })

  test('ends with its last member, and what waits in it with it', () => {
    const world = new World()
    const [one, two] = members(world, 2) as [Client, Client]
    one.sink.writable = two.sink.writable = false
    publishAll(world, ['1'])
    expect(one.unbind('jobs/#', 'g')).toBe(true)
    expect([world.vhost.shared.count, world.publish('jobs/a', '2')]).toEqual([1, 'routed'])
    two.session.disconnect()
    expect([world.vhost.shared.count, world.publish('jobs/a', '3')]).toEqual([0, 'unmatched'])
    const [again] = members(world, 1)
    world.settle()
    expect(again!.texts).toEqual([])
  })

  test('gives each member its own assurance and data', () => {
    const world = new World()
    const clients = ([0, 1, 2] as const).map((assuranceMax) => {
      const client = world.connect(`q${assuranceMax}`)
      client.bind('jobs/#', { share: 'g', assuranceMax, data: { id: assuranceMax } })
      return client
    })
    publishAll(world, numbers(1, 3), 2)
    expect(clients.map(({ sink }) => sink.seen.map(({ assurance, match }) => [assurance, match.data]))).toEqual([
      [[0, [{ id: 0 }]]],
      [[1, [{ id: 1 }]]],
      [[2, [{ id: 2 }]]],
    ])
  })

  test('passes over a member whose window is full', () => {
    const world = new World()
    const small = world.connect('small', { creditMax: 1 })
    small.bind('jobs/#', { share: 'g' })
    const [large] = members(world, 1)
    publishAll(world, numbers(1, 6))
    expect([small.texts.length, large!.texts.length]).toEqual([1, 5])
  })

  test('keeps messages at least once for members that are all away, not those at most once', () => {
    const world = new World()
    const group = members(world, 2, 10_000)
    for (const { session } of group) session.disconnect()
    publishAll(world, ['1'], 1)
    publishAll(world, ['lost'], 0)
    const back = world.connect('m1', { expiryMs: 10_000 })
    world.settle()
    expect([back.texts, world.vhost.counters.droppedOffline]).toEqual([['1'], 1])
  })
})

describe('subscribing again', () => {
  test('loses nothing that waits, though nobody else is in the group', () => {
    const world = new World()
    const one = world.connect('c', { expiryMs: 10_000 })
    one.bind('jobs/#', { share: 'g' })
    one.session.disconnect()
    publishAll(world, numbers(1, 3))
    const again = world.connect('c', { expiryMs: 10_000 })
    expect(again.bind('jobs/#', { share: 'g' })).toBe(true)
    world.settle()
    expect(again.texts).toEqual(numbers(1, 3))
  })

  test('leaves what is unsettled with the member, and counts from then on with the new assurance and data', () => {
    const world = new World()
    const [one, other] = members(world, 2) as [Client, Client]
    publishAll(world, numbers(1, 2), 2)
    one.bind('jobs/#', { share: 'g', assuranceMax: 1, data: { id: 'new' } })
    world.settle()
    expect(other.texts).toHaveLength(1)
    one.settleFirst()
    publishAll(world, numbers(3, 4), 2)
    expect(one.sink.seen.map(({ assurance, match }) => [assurance, match.data])).toEqual([
      [2, [{ filter: 'jobs/#' }]],
      [1, [{ id: 'new' }]],
    ])
  })
})

test('a member that subscribes again at most once gets at once what waited for its acknowledgements', () => {
  const world = new World()
  const one = world.connect('c', { creditMax: 1 })
  one.bind('jobs/#', { share: 'g' })
  publishAll(world, numbers(1, 3))
  one.bind('jobs/#', { share: 'g', assuranceMax: 0 })
  world.settle()
  expect(one.texts).toEqual(numbers(1, 3))
})

describe('a member that unsubscribes', () => {
  test('gets nothing more and finishes what it has begun [MQTT5-3.10.4-3]', () => {
    const world = new World()
    const [one, other] = members(world, 2) as [Client, Client]
    publishAll(world, numbers(1, 4))
    one.unbind('jobs/#', 'g')
    publishAll(world, numbers(5, 6))
    expect([one.texts, other.texts]).toEqual([
      ['1', '3'],
      ['2', '4', '5', '6'],
    ])
    one.settleFirst('accepted')
    one.settleFirst('accepted')
    expect(one.session.pool.used).toBe(0)
  })

  test('gives the others what it has not finished when its session ends', () => {
    const world = new World()
    const [one, other] = members(world, 2) as [Client, Client]
    publishAll(world, numbers(1, 4))
    one.unbind('jobs/#', 'g')
    one.settleFirst('accepted')
    one.session.disconnect()
    world.settle()
    expect(other.texts).toEqual(['2', '4', '3'])
  })

  test('may finish though the group has ended', () => {
    const world = new World()
    const [one] = members(world, 1) as [Client]
    publishAll(world, numbers(1, 3))
    one.unbind('jobs/#', 'g')
    expect(world.vhost.shared.count).toBe(0)
    one.settleFirst('accepted')
    one.settleFirst('released')
    one.settleFirst('modified')
    world.settle()
    expect([one.session.pool.used, one.texts]).toEqual([0, numbers(1, 3)])
  })

  test('and subscribes again has both in its window', () => {
    const world = new World()
    const one = world.connect('c', { creditMax: 3 })
    one.bind('jobs/#', { share: 'g' })
    publishAll(world, numbers(1, 2))
    one.unbind('jobs/#', 'g')
    one.bind('jobs/#', { share: 'g' })
    publishAll(world, numbers(3, 5))
    expect(one.texts).toEqual(numbers(1, 3))
    one.settleAll()
    world.settle()
    expect(one.texts).toEqual(numbers(1, 5))
  })
})

describe('a member whose session ends', () => {
  test('gives what it had not settled to the others, in order and before what waits', () => {
    const world = new World()
    const [one, other] = members(world, 2) as [Client, Client]
    publishAll(world, numbers(1, 6))
    other.sink.writable = false
    publishAll(world, ['7', '8'])
    one.sink.writable = false
    publishAll(world, ['9'])
    one.session.disconnect()
    other.sink.writable = true
    other.session.onWritable()
    world.settle()
    expect(other.texts).toEqual(['2', '4', '6', '1', '3', '5', '7', '8', '9'])
  })

  test('does not give away what another member must not get: exactly once, begun [MQTT5-4.8.2-5]', () => {
    const world = new World()
    const [one, other] = members(world, 2) as [Client, Client]
    publishAll(world, numbers(1, 4), 2)
    one.session.disconnect()
    world.settle()
    expect(other.texts).toEqual(['2', '4'])
    expect(world.vhost.counters.rejected).toBe(2)
  })

  test('gives nothing away while it may come back', () => {
    const world = new World()
    const [one, other] = members(world, 2, 1_000) as [Client, Client]
    publishAll(world, numbers(1, 4))
    one.session.disconnect()
    world.settle()
    expect(other.texts).toEqual(['2', '4'])
    const back = world.connect('m0', { expiryMs: 1_000 })
    one.settleAll()
    publishAll(world, numbers(5, 6))
    expect([back.texts.length, other.texts.length]).toEqual([1, 3])
    back.session.disconnect()
    world.advance(1_000)
    expect([...other.texts].sort()).toEqual(['2', '4', '5', '6'])
  })
})
