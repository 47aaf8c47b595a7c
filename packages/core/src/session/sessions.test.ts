import { describe, expect, test } from 'vitest'
import { user } from '../../test/support.ts'
import { willOf, World } from '../../test/world.ts'
import { DEPARTURES_PER_TURN } from '../limits.ts'

const DAY_MS = 86_400_000

describe('opening', () => {
  test('a new session has no state, one that is resumed has its bindings and what came meanwhile', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000 })
    expect(first.present).toBe(false)
    first.bind('a/#', { assuranceMax: 1 })
    first.session.disconnect()
    world.publish('a/1', 'while away')
    const again = world.connect('c', { expiryMs: 1_000 })
    world.settle()
    world.publish('a/2', 'while there')
    expect([again.present, again.session === first.session, again.texts]).toEqual([
      true,
      true,
      ['while away', 'while there'],
    ])
    expect(first.texts).toEqual([])
  })

  test('a clean start forgets what there was', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: Infinity })
    first.bind('a')
    first.session.disconnect()
    world.publish('a', '1')
    const again = world.connect('c', { cleanStart: true, expiryMs: Infinity })
    world.publish('a', '2')
    world.settle()
    expect([again.present, again.texts, world.vhost.router.bindingCount, world.vhost.sessions.count]).toEqual([
      false,
      [],
      0,
      1,
    ])
  })

  test("another user's client id is refused, connected or not, and its session goes on untouched", () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000, principal: user('alice') })
    first.bind('a')
    for (const isConnected of [true, false]) {
      if (!isConnected) first.session.disconnect()
      const second = world.tryOpen('c', { principal: user('bob'), cleanStart: true })
      expect(second.ok ? 'opened' : second.detail.refusal).toBe('in-use')
      expect(!second.ok && second.detail.text).not.toContain('alice')
    }
    expect([first.evictions, world.connect('c', { principal: user('alice') }).present]).toEqual([[], true])
  })

  test('beyond the limit of sessions a new one is refused, a known one may come back', () => {
    const world = new World({ limits: { sessionsMax: 2 } })
    world.connect('a', { expiryMs: 1_000 }).session.disconnect()
    const second = world.connect('b')
    const third = world.tryOpen('c')
    expect(third.ok ? 'opened' : third.detail.refusal).toBe('limit-reached')
    expect(world.connect('a', { expiryMs: 1_000 }).present).toBe(true)
    second.session.disconnect()
    expect(world.tryOpen('c').ok).toBe(true)
  })

  test('connected sessions are counted apart from all', () => {
    const world = new World()
    const clients = ['a', 'b', 'c'].map((id) => world.connect(id, { expiryMs: 1_000 }))
    clients[0]!.session.disconnect()
    clients[0]!.session.disconnect()
    expect([world.vhost.sessions.count, world.vhost.sessions.connectedCount]).toEqual([3, 2])
    expect(world.vhost.sessions.find('a')?.isConnected).toBe(false)
    expect(world.vhost.sessions.find('z')).toBeUndefined()
  })
})

describe('taking over', () => {
  test('the second connection gets the session, the first is told and gets nothing more', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000 })
    first.bind('a')
    const second = world.connect('c', { expiryMs: 1_000 })
    world.publish('a', '1')
    expect([first.evictions, first.texts, second.present, second.texts]).toEqual([['taken-over'], [], true, ['1']])
    expect(world.vhost.sessions.connectedCount).toBe(1)
  })

  test('a session that ends with its connection has nothing for the second one', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 0 })
    first.bind('a')
    const second = world.connect('c', { expiryMs: 1_000 })
    world.publish('a', '1')
    expect([first.evictions, second.present, second.texts, world.vhost.router.bindingCount]).toEqual([
      ['taken-over'],
      false,
      [],
      0,
    ])
  })

  test('an adapter that says goodbye from inside its eviction does no harm', () => {
    const world = new World()
    const first = world.connect('c', {
      expiryMs: 1_000,
      will: willOf('will', 'w', 0),
      owner: { onEvicted: () => first.session.disconnect() },
    })
    const watcher = world.connect('watcher')
    watcher.bind('will')
    const second = world.connect('c', { expiryMs: 1_000 })
    expect([second.present, second.session.isConnected, watcher.texts]).toEqual([true, true, ['w']])
  })
})

describe('the end', () => {
  test('expiry 0 ends the session with its connection', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: 0 })
    client.bind('a')
    client.bind('b', { share: 'g' })
    client.session.disconnect()
    expect([world.vhost.sessions.count, world.vhost.router.bindingCount, world.vhost.shared.count]).toEqual([0, 0, 0])
    expect(world.publish('a', '1')).toBe('unmatched')
  })

  test.each([1, 1_000, 30 * DAY_MS, 365 * DAY_MS])(
    'a session stays for %i ms after its connection, and not longer',
    (expiryMs) => {
      const world = new World()
      const client = world.connect('c', { expiryMs })
      world.advance(expiryMs * 2)
      client.session.disconnect()
      world.advance(expiryMs - 1)
      expect(world.vhost.sessions.count).toBe(1)
      world.advance(1)
      expect([world.vhost.sessions.count, world.env.clock.timerCount]).toEqual([0, 0])
    },
  )

  test('a session that never expires waits without a timer', () => {
    const world = new World()
    world.connect('c', { expiryMs: Infinity }).session.disconnect()
    expect(world.env.clock.timerCount).toBe(0)
    world.advance(1_000 * DAY_MS)
    expect(world.vhost.sessions.count).toBe(1)
  })

  test('coming back stops the clock; the next absence has its full time', () => {
    const world = new World()
    world.connect('c', { expiryMs: 1_000 }).session.disconnect()
    world.advance(999)
    const again = world.connect('c', { expiryMs: 500 })
    expect([again.present, world.env.clock.timerCount]).toEqual([true, 0])
    world.advance(5_000)
    again.session.disconnect()
    world.advance(499)
    expect(world.vhost.sessions.count).toBe(1)
    world.advance(1)
    expect(world.vhost.sessions.count).toBe(0)
  })

  test('a client may change its mind about the expiry before it goes', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: 1_000 })
    client.session.setExpiry(0)
    client.session.disconnect()
    expect(world.vhost.sessions.count).toBe(0)
  })

  test('but a session that was to end with its connection still does [MQTT5-3.14.2.2.2-b]', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: 0 })
    client.session.setExpiry(1_000)
    client.session.disconnect()
    expect(world.vhost.sessions.count).toBe(0)
  })

  test('a deleted session is gone, its connection is told, and its client id is free for anybody', () => {
    const world = new World()
    const client = world.connect('c', { expiryMs: Infinity, principal: user('alice') })
    client.bind('a')
    expect([world.vhost.sessions.delete('c'), world.vhost.sessions.delete('c')]).toEqual([true, false])
    expect([client.evictions, world.vhost.sessions.count, world.publish('a', '1')]).toEqual([
      ['deleted'],
      0,
      'unmatched',
    ])
    expect(world.tryOpen('c', { principal: user('bob') }).ok).toBe(true)
  })

  test('a session that ends twice takes nothing from its successor', () => {
    const world = new World()
    const first = world.connect('c', { expiryMs: 1_000 })
    first.session.end()
    const second = world.connect('c')
    first.session.end()
    first.session.disconnect()
    expect([world.vhost.sessions.find('c') === second.session, second.session.isConnected]).toEqual([true, true])
  })
})

describe('the will', () => {
  function watched(): { world: World; wills: () => string[] } {
    const world = new World()
    const watcher = world.connect('watcher')
    watcher.bind('will/#')
    return { world, wills: () => watcher.texts }
  }

  test('without a delay it goes out with the connection, and a session that comes back does not unsay it', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 1_000, will: willOf('will', 'w', 0) }).session.disconnect()
    expect(wills()).toEqual(['w'])
    world.connect('c', { expiryMs: 1_000 }).session.disconnect()
    world.advance(10_000)
    expect(wills()).toEqual(['w'])
  })

  test('a goodbye drops it', () => {
    const { world, wills } = watched()
    const client = world.connect('c', { expiryMs: 1_000, will: willOf('will', 'w', 0) })
    client.session.dropWill()
    client.session.disconnect()
    world.advance(10_000)
    expect(wills()).toEqual([])
  })

  test('with a delay it goes out after the delay', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'w', 500) }).session.disconnect()
    world.advance(499)
    expect(wills()).toEqual([])
    world.advance(1)
    expect(wills()).toEqual(['w'])
    world.advance(100_000)
    expect(wills()).toEqual(['w'])
  })

  test('a session that comes back within the delay takes it back [MQTT5-3.1.3-9]', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'w', 500) }).session.disconnect()
    world.advance(499)
    world.connect('c', { expiryMs: 10_000 }).session.disconnect()
    world.advance(100_000)
    expect(wills()).toEqual([])
  })

  test('each connection has its own will', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'first', 500) }).session.disconnect()
    world.advance(100)
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'second', 500) }).session.disconnect()
    world.advance(499)
    expect(wills()).toEqual([])
    world.advance(1)
    expect(wills()).toEqual(['second'])
  })

  test('it does not wait longer than the session lasts [MQTT5-3.1.2-8]', () => {
    const { world, wills } = watched()
    world.connect('a', { expiryMs: 0, will: willOf('will', 'at once', 500) }).session.disconnect()
    expect(wills()).toEqual(['at once'])
    world.connect('b', { expiryMs: 300, will: willOf('will', 'early', 500) }).session.disconnect()
    world.advance(300)
    expect(wills()).toEqual(['at once', 'early'])
    world.connect('c', { expiryMs: 300, will: willOf('will', 'same moment', 300) }).session.disconnect()
    world.advance(10_000)
    expect([wills(), world.env.clock.timerCount]).toEqual([['at once', 'early', 'same moment'], 0])
  })

  test('a takeover sends it at once when it has no delay or the session starts clean, and not otherwise', () => {
    for (const [cleanStart, expiryMs, delayMs, isSent] of [
      [false, 1_000, 500, false],
      [false, 1_000, 0, true],
      [true, 1_000, 500, true],
      [false, 0, 500, true],
    ] as const) {
      const { world, wills } = watched()
      world.connect('c', { expiryMs, will: willOf('will', 'w', delayMs) })
      world.connect('c', { expiryMs: 1_000, cleanStart })
      world.advance(10_000)
      expect(wills()).toEqual(isSent ? ['w'] : [])
    }
  })

  test('a clean start while the will waits sends it, since the old session ends', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'w', 500) }).session.disconnect()
    world.connect('c', { cleanStart: true })
    expect(wills()).toEqual(['w'])
    world.advance(10_000)
    expect(wills()).toEqual(['w'])
  })

  test('deleting a session sends it', () => {
    const { world, wills } = watched()
    world.connect('c', { expiryMs: 10_000, will: willOf('will', 'w', 500) })
    world.vhost.sessions.delete('c')
    expect(wills()).toEqual(['w'])
  })

  test('and does not send it to the connection that was just told so', () => {
    const { world, wills } = watched()
    const client = world.connect('c', { expiryMs: 10_000, will: willOf('will', 'w', 0) })
    client.bind('will')
    client.bind('will', { share: 'g' })
    world.vhost.sessions.delete('c')
    world.settle()
    expect([client.texts, wills()]).toEqual([[], ['w']])
  })

  test('it is retained when it says so', () => {
    const { world } = watched()
    world.connect('c', { will: willOf('will/c', 'gone', 0, { retain: true }) }).session.disconnect()
    const late = world.connect('late')
    late.bind('will/+')
    world.settle()
    expect(late.texts).toEqual(['gone'])
  })

  test("it needs the permission to publish, and the broker's own topics refuse it", () => {
    const rules = { generation: 0, mayMatch: () => ({ allowed: true, rule: '' }) }
    const mayUse = (): { allowed: boolean; rule: string } => ({ allowed: false, rule: 'none' })
    const refusing = new World({ authorizer: { ...rules, mayUse } })
    const watcher = refusing.connect('watcher')
    watcher.bind('#')
    refusing.connect('c', { will: willOf('will', 'w', 0) }).session.disconnect()
    expect([watcher.texts, refusing.vhost.counters.refused]).toEqual([[], 1])
    const world = new World()
    world.connect('c', { will: willOf('$SYS/x', 'w', 0) }).session.disconnect()
    expect([world.vhost.counters.refused, world.vhost.counters.messagesIn]).toEqual([1, 0])
  })

  test('its time to live counts from the moment it is published', () => {
    const world = new World()
    const made: number[] = []
    const will = willOf('will', 'w', 500)
    const counting = {
      ...will,
      makeMessage: (nowMs: number, publisher: string) => (made.push(nowMs), will.makeMessage(nowMs, publisher)),
    }
    world.connect('c', { expiryMs: 10_000, will: counting }).session.disconnect()
    const leftAt = world.env.clock.wallMs()
    world.advance(10_000)
    expect(made).toEqual([leftAt + 500])
  })
})

describe('a user who is gone', () => {
  const COUNT = 3 * DEPARTURES_PER_TURN

  function worldOf(): { readonly world: World; readonly left: () => string[] } {
    const world = new World()
    for (let index = 0; index < COUNT; index++) {
      const { session } = world.connect(`c${index}`, { principal: user('ann'), expiryMs: Infinity })
      if (index % 2 === 0) session.disconnect()
    }
    world.connect('other', { principal: user('bob') })
    return { world, left: () => Array.from(world.vhost.sessions.all(), ({ clientId }) => clientId) }
  }

  test('has no sessions any more, connected or kept, so many of them ended in each turn', () => {
    const { world, left } = worldOf()
    world.vhost.departures.end('ann')
    world.vhost.departures.end('nobody')
    const counts = new Set<number>()
    const look = (): void => {
      counts.add(left().length)
      if (left().length > 1) world.env.clock.after(0, look)
    }
    look()
    world.settle()
    expect([...counts]).toEqual([3, 2, 1, 0].map((pieces) => pieces * DEPARTURES_PER_TURN + 1))
    expect(left()).toEqual(['other'])
  })

  test('is let in no more by a login from before', () => {
    const { world } = worldOf()
    const opened = world.tryOpen('late', { principal: { ...user('ann'), isGone: true } })
    expect(opened).toMatchObject({ ok: false, detail: { refusal: 'not-authorized' } })
    expect(world.vhost.sessions.find('late')).toBeUndefined()
  })

  test('leaves nothing to the one who gets the name next, however early he comes', () => {
    const { world } = worldOf()
    world.vhost.departures.end('ann')
    const early = world.connect('c1', { principal: user('ann') })
    world.settle()
    expect([early.present, world.vhost.sessions.find('c2')]).toEqual([false, undefined])
  })
})
