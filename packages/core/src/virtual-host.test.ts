import { describe, expect, test } from 'vitest'
import { messageOf } from '../test/support.ts'
import { World } from '../test/world.ts'
import type { Authorizer } from './authorizer.ts'

describe('the answer to a publish', () => {
  test('says whether anybody wanted it', () => {
    const world = new World()
    const client = world.connect('c')
    client.bind('a')
    expect([client.publish('a', '1'), client.publish('b', '2')]).toEqual(['routed', 'unmatched'])
    expect([world.vhost.counters.messagesIn, world.vhost.counters.unmatched]).toEqual([2, 1])
  })

  test("is unmatched when the only binding does not want its own session's messages", () => {
    const world = new World()
    const [client, other] = [world.connect('c'), world.connect('other')]
    client.bind('a', { noLocal: true })
    expect([client.publish('a', '1'), other.publish('a', '2')]).toEqual(['unmatched', 'routed'])
    expect([client.texts, world.vhost.counters.unmatched]).toEqual([['2'], 1])
  })

  test('is unmatched for a message that is only retained', () => {
    const world = new World()
    expect(world.publish('a', 'r', { retain: true })).toBe('unmatched')
    expect(world.vhost.retained.count).toBe(1)
  })
})

describe('permission to publish', () => {
  test('is asked once per topic and generation, and a refusal says who may not do what', () => {
    const asked: string[] = []
    const rules = { generation: 1, allowed: false }
    const authorizer: Authorizer = {
      get generation() {
        return rules.generation
      },
      mayMatch: () => ({ allowed: true, rule: '' }),
      mayUse: ({ clientId }, action, { levels }) => {
        asked.push(`${clientId} ${action} ${levels.join('/')}`)
        return { allowed: rules.allowed, rule: 'secret rule' }
      },
    }
    const world = new World({ authorizer })
    const { producer, session } = world.connect('c')
    const target = producer.target('a/b')
    const publish = (): string => producer.publish(target, messageOf('a/b', 'x', { publisher: session.clientId }), 0)
    expect([publish(), publish()]).toEqual(['refused', 'refused'])
    expect(producer.refusal).toMatchObject({ refusal: 'not-authorized', subject: 'a/b' })
    expect(producer.refusal?.text).toBe("user 'u' may not publish to 'a/b'")
    rules.allowed = true
    expect(publish()).toBe('refused')
    rules.generation++
    expect([publish(), publish()]).toEqual(['unmatched', 'unmatched'])
    expect(asked).toEqual(['c write a/b', 'c write a/b'])
    expect([world.vhost.counters.refused, world.vhost.counters.messagesIn]).toEqual([3, 2])
  })

  test("the broker's own topics refuse every client, whatever the rules say", () => {
    const world = new World()
    const client = world.connect('c')
    const watcher = world.connect('watcher')
    watcher.bind('$SYS/#')
    expect([client.publish('$SYS/a', 'x'), client.publish('$', 'x'), client.publish('a/$SYS', 'x')]).toEqual([
      'refused',
      'refused',
      'unmatched',
    ])
    expect([watcher.texts, client.producer.refusal?.refusal]).toEqual([[], 'not-authorized'])
    expect(world.publish('$SYS/a', 'from the broker')).toBe('routed')
    expect(watcher.texts).toEqual(['from the broker'])
  })
})

describe('counters', () => {
  test('bytes are those of bodies, in once per publish and out once per delivery', () => {
    const world = new World()
    for (const id of ['a', 'b']) world.connect(id).bind('t')
    world.publish('t', 'x'.repeat(100))
    world.publish('unwanted', 'x'.repeat(7))
    const { bytesIn, bytesOut, messagesIn, messagesOut } = world.vhost.counters
    expect({ bytesIn, bytesOut, messagesIn, messagesOut }).toEqual({
      bytesIn: 107,
      bytesOut: 200,
      messagesIn: 2,
      messagesOut: 2,
    })
  })
})

describe('pressure', () => {
  test('the queue that fills up is told once to who asks', () => {
    const world = new World({ limits: { queuedMessagesMax: 8 } })
    const client = world.connect('c', { expiryMs: 1_000 })
    client.bind('t')
    client.session.disconnect()
    expect(world.vhost.takePressure()).toBeUndefined()
    for (let count = 0; count < 3; count++) world.publish('t', 'x')
    expect(world.vhost.takePressure()).toBe(client.session.queue)
    expect(world.vhost.takePressure()).toBeUndefined()
  })

  test('a queue that has drained or ended in the meantime holds nobody', () => {
    const world = new World({ limits: { queuedMessagesMax: 8 } })
    const client = world.connect('c', { expiryMs: 1_000 })
    client.bind('t')
    client.sink.writable = false
    for (let count = 0; count < 3; count++) world.publish('t', 'x')
    client.sink.writable = true
    client.session.onWritable()
    world.settle()
    expect(world.vhost.takePressure()).toBeUndefined()
    client.sink.writable = false
    for (let count = 0; count < 3; count++) world.publish('t', 'x')
    client.session.end()
    expect(world.vhost.takePressure()).toBeUndefined()
  })
})
