/** What a publisher sees of a queue that has no room: its acknowledgement comes late, or says no. */
import type { QueueSettings } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { puback, publish, pingreq, World, type WorldOptions } from '../../harness.ts'
import { subscriber } from '../mqtt5/scenes.ts'

const QUOTA_EXCEEDED = 0x97

function worldWith(settings: Partial<QueueSettings>, options: WorldOptions = {}): World {
  const world = new World(options)
  const defined = world.vhost.destinations.define({ name: 'q', settings })
  if (!defined.ok) throw new Error(defined.detail.text)
  return world
}

describe('a publish to a queue that is full', () => {
  it.each([1, 2] as const)('is acknowledged at QoS %i when there is room, and not before', (qos) => {
    const world = worldWith({ messagesMax: 1 })
    const sender = world.connect('p')
    sender.send(publish('$queue/q', '1', { qos, id: 1 }), publish('$queue/q', '2', { qos, id: 2 }))
    expect(sender.received()).toMatchObject([{ id: 1 }])
    sender.send(pingreq())
    expect(sender.received()).toMatchObject([{ type: 'PINGRESP' }])
    const reader = subscriber(world, 'c', { filter: '$queue/q', qos: 1 })
    expect(sender.received()).toMatchObject([{ id: 2 }])
    const [first, second] = reader.publishes()
    reader.send(puback(first!.id), puback(second!.id))
    expect([first!.payload, second!.payload]).toEqual(['1', '2'])
  })

  it('is refused with 0x97 and the reason after a while, and the next one is served', () => {
    const world = worldWith({ messagesMax: 1, blockMaxMs: 5_000 })
    const sender = world.connect('p')
    sender.send(publish('$queue/q', '1', { qos: 1, id: 1 }), publish('$queue/q', '2', { qos: 1, id: 2 }))
    sender.received()
    world.advance(5_000)
    const [answer] = sender.received()
    expect(answer).toMatchObject({ type: 'PUBACK', id: 2, reasonCode: QUOTA_EXCEEDED })
    expect(JSON.stringify(answer)).toContain('q is over its limit of 1 message: no consumer for 5 s; waited 5 s')
    sender.send(publish('a', '3', { qos: 1, id: 3 }))
    expect(sender.received()).toMatchObject([{ type: 'PUBACK', id: 3 }])
  })

  it('stops the reading from a client that sends on without an answer, which is not taken for silence', () => {
    const world = worldWith({ messagesMax: 1, blockMaxMs: 600_000 }, { limits: { heldMessagesMax: 4 } })
    const sender = world.connect('p', { keepAlive: 10 })
    for (let id = 1; id <= 4; id++) sender.send(publish('$queue/q', String(id), { qos: 1, id }))
    expect(sender.received()).toHaveLength(1)
    sender.send(pingreq())
    expect(sender.received()).toEqual([])
    world.advance(60_000)
    const reader = subscriber(world, 'c', { filter: '$queue/q', qos: 1 })
    expect(sender.received()).toMatchObject([{ id: 2 }, { id: 3 }, { id: 4 }, { type: 'PINGRESP' }])
    expect(reader.publishes()).toHaveLength(4)
  })

  it('does not stop the reading from a client that subscribes as well: its own acknowledgements may be what makes room', () => {
    const world = worldWith({ messagesMax: 1, blockMaxMs: 600_000 }, { limits: { heldMessagesMax: 4 } })
    const both = subscriber(world, 'both', { filter: 'a', qos: 1 })
    for (let id = 1; id <= 4; id++) both.send(publish('$queue/q', String(id), { qos: 1, id }))
    expect(both.received()).toHaveLength(1)
    both.send(pingreq())
    expect(both.received()).toMatchObject([{ type: 'PINGRESP' }])
  })

  it('is told of once a second when a client goes on and on at QoS 0, with how many there were', () => {
    const world = worldWith({ messagesMax: 1, blockMaxMs: 600_000 }, { limits: { heldMessagesMax: 4 } })
    const both = subscriber(world, 'both', { filter: 'a', qos: 1 })
    for (let id = 1; id <= 5; id++) both.send(publish('$queue/q', String(id), { qos: 1, id }))
    for (let count = 1; count <= 100; count++) both.send(publish('$queue/q', String(count)))
    const refusals = (): string[] => world.events.filter(({ kind }) => kind === 'refused').map(({ text }) => text)
    expect(refusals()).toHaveLength(1)
    world.advance(1_000)
    expect(refusals()).toHaveLength(2)
    expect(refusals()[1]).toMatch(/ \(99 such events in a second\)$/)
  })
})
