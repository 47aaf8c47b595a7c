import { describe, expect, it } from 'vitest'
import { publish, type PublishOptions, type QoS, subscribe, type World } from '../../harness.ts'
import { kept311, lines, watch } from '../worlds.ts'

/** A message from a client of its own. */
async function say(world: World, topic: string, payload: string, options: PublishOptions = {}): Promise<void> {
  const client = world.connect('speaker')
  await client.finish(publish(topic, payload, { ...options, ...((options.qos ?? 0) > 0 && { id: 1 }) }))
  client.hangUp()
}

/** What one who comes now is sent for a filter. */
function newcomer(world: World, filter: string): string[] {
  return lines(watch(world, filter, 'newcomer').publishes()).sort()
}

describe('RETAIN 1', () => {
  it.each([0, 1, 2] as QoS[])(
    '[MQTT311-3.3.1-5] keeps a message of QoS %i with its QoS for those to come',
    async (qos) => {
      const world = await kept311()
      await say(world, 'a/b', 'kept', { qos, retain: true })
      world.advance(86_400_000)
      for (const filter of ['a/b', 'a/+', '#', '+/b', 'a/b/#'])
        expect(newcomer(world, filter)).toEqual([`a/b kept q${qos}`])
      for (const filter of ['a', 'b', 'a/b/c', '+', '/a/b']) expect(newcomer(world, filter)).toEqual([])
    },
  )

  it('[MQTT311-3.3.1-5, MQTT311-3.8.4-6] sends it at the lower of its QoS and the one granted', async () => {
    const world = await kept311()
    await say(world, 'a', 'two', { qos: 2, retain: true })
    await say(world, 'b', 'none', { qos: 0, retain: true })
    for (const qos of [0, 1, 2]) {
      const client = world.connect('c1')
      client.send(subscribe(1, { filter: '#', qos }))
      client.next('SUBACK')
      expect(lines(client.publishes()).sort()).toEqual([`a two q${qos}`, 'b none q0'])
    }
  })

  it('[MQTT311-3.3.1-5] keeps its bytes as they came', async () => {
    const world = await kept311()
    const payload = Uint8Array.from({ length: 70_000 }, (_, index) => index % 251)
    const speaker = world.connect('speaker')
    await speaker.finish(publish('a', payload, { qos: 1, id: 1, retain: true }))
    await speaker.finish(publish('b', 'other bytes in the same buffer', { qos: 1, id: 2 }))
    const [message] = watch(world, 'a').publishes()
    expect(Buffer.from(message!.payloadBytes).equals(payload)).toBe(true)
  })

  it('[MQTT311-3.3.1-6] each matching topic gives its last message', async () => {
    const world = await kept311()
    for (const [topic, payload] of [
      ['a/1', 'old'],
      ['a/2', 'two'],
      ['a/1', 'new'],
      ['a', 'parent'],
      ['b', 'other'],
    ] as const) {
      await say(world, topic, payload, { qos: 1, retain: true })
    }
    expect(newcomer(world, 'a/#')).toEqual(['a parent q1', 'a/1 new q1', 'a/2 two q1'])
    expect(newcomer(world, 'a/+')).toEqual(['a/1 new q1', 'a/2 two q1'])
  })

  it('[MQTT311-3.3.1-6] is sent for each new subscription of one client', async () => {
    const world = await kept311()
    await say(world, 'a', 'kept', { qos: 1, retain: true })
    const client = watch(world, 'b')
    client.send(subscribe(2, 'a'))
    client.next('SUBACK')
    expect(client.publishes()).toMatchObject([{ payload: 'kept' }])
    client.send(subscribe(3, '#'))
    client.next('SUBACK')
    expect(client.publishes()).toMatchObject([{ payload: 'kept' }])
  })

  it('[MQTT311-3.3.1-7] with QoS 0 replaces what was retained', async () => {
    const world = await kept311()
    await say(world, 'a', 'old', { qos: 2, retain: true })
    await say(world, 'a', 'new', { qos: 0, retain: true })
    expect(newcomer(world, 'a')).toEqual(['a new q0'])
  })

  it('[MQTT311-3.3.1-8] is what a newcomer sees, [MQTT311-3.3.1-9] and 0 is what those see who were there', async () => {
    const world = await kept311()
    const there = watch(world)
    await say(world, 'a', 'x', { qos: 1, retain: true })
    await say(world, 'b', 'y', { qos: 0, retain: true })
    expect(there.publishes()).toMatchObject([
      { topic: 'a', retain: false },
      { topic: 'b', retain: false },
    ])
    const late = watch(world, '+', 'late')
    expect(late.publishes().map(({ retain }) => retain)).toEqual([true, true])
    await say(world, 'a', 'z', { qos: 1, retain: true })
    expect(late.publishes()).toMatchObject([{ payload: 'z', retain: false }])
  })

  it('[MQTT311-3.3.1-9] is 0 for those who were subscribed but away', async () => {
    const world = await kept311()
    const away = await world.join('away', { clean: false })
    await away.finish(subscribe(1, 'a'))
    away.hangUp()
    await say(world, 'a', 'x', { qos: 1, retain: true })
    const back = await world.join('away', { clean: false })
    expect(back.publishes()).toMatchObject([{ payload: 'x', retain: false }])
  })

  it('[MQTT311-3.3.1-8] is sent again with RETAIN when the newcomer did not acknowledge it', async () => {
    const world = await kept311()
    await say(world, 'a', 'x', { qos: 1, retain: true })
    const first = await world.join('c1', { clean: false })
    await first.finish(subscribe(1, 'a'))
    first.vanish()
    const again = await world.join('c1', { clean: false })
    expect(again.publishes()).toMatchObject([{ payload: 'x', retain: true, dup: true }])
  })

  it.each([0, 1, 2] as QoS[])(
    '[MQTT311-3.3.1-10] with no payload and QoS %i is delivered and clears the topic',
    async (qos) => {
      const world = await kept311()
      await say(world, 'a', 'kept', { qos: 1, retain: true })
      await say(world, 'a/b', 'stays', { qos: 1, retain: true })
      const there = watch(world, 'a')
      there.publishes()
      await say(world, 'a', '', { qos, retain: true })
      expect(there.publishes()).toMatchObject([{ topic: 'a', payload: '', qos, retain: false }])
      expect(newcomer(world, '#')).toEqual(['a/b stays q1'])
    },
  )

  it.each([0, 1, 2] as QoS[])('[MQTT311-3.3.1-11] with no payload and QoS %i is not retained itself', async (qos) => {
    const world = await kept311()
    await say(world, 'never', '', { qos, retain: true })
    await say(world, 'once', 'x', { qos: 1, retain: true })
    await say(world, 'once', '', { qos, retain: true })
    expect(newcomer(world, '#')).toEqual([])
    expect(world.vhost.retained.count).toBe(0)
  })
})

describe('RETAIN 0', () => {
  it.each([0, 1, 2] as QoS[])('[MQTT311-3.3.1-12] with QoS %i neither keeps nor replaces nor removes', async (qos) => {
    const world = await kept311()
    await say(world, 'a', 'kept', { qos: 1, retain: true })
    await say(world, 'a', 'passes', { qos })
    await say(world, 'a', '', { qos })
    await say(world, 'b', 'passes', { qos })
    expect(newcomer(world, '#')).toEqual(['a kept q1'])
  })
})
