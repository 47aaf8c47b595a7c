/** A consumer that takes no bytes while messages wait for it, where the queue's settings say that such go. */
import type { QueueSettings } from '@ternmq/core'
import { describe, expect, it } from 'vitest'
import { type Client, publish, type Version, World } from '../../harness.ts'
import { payloads, subscriber } from '../mqtt5/scenes.ts'

const QUOTA_EXCEEDED = 0x97
const MESSAGES = 60
const REASON = /^a consumer of q has taken nothing for 10 s \(slowConsumerMs\) while \d+ messages wait: its connection takes no more bytes$/

/** More has been sent to the queue than a connection takes whose client does not read. */
function stalled(settings: Partial<QueueSettings>, version: Version = 5): { world: World; reader: Client } {
  const world = new World()
  const defined = world.vhost.destinations.define({ name: 'q', settings: { slowConsumerMs: 10_000, ...settings } })
  if (!defined.ok) throw new Error(defined.detail.text)
  const reader = subscriber(world, 'reader', { filter: '$queue/q', qos: 1 }, { version, kernelBytes: 1_024 })
  reader.stopReading()
  const sender = world.connect('p')
  for (let id = 1; id <= MESSAGES; id++) sender.send(publish('$queue/q', String(id).padEnd(65_536), { qos: 1, id }))
  return { world, reader }
}

function ends(world: World): (readonly [clientId: string | undefined, text: string])[] {
  return world.events.filter(({ kind }) => kind === 'disconnected').map(({ clientId, text }) => [clientId, text])
}

describe('a slow consumer', () => {
  it('is told with 0x97 which queue, how long and by which limit, and its messages are for the next one', () => {
    const { world, reader } = stalled({ slowConsumer: 'disconnect' })
    world.advance(9_000)
    expect(ends(world)).toEqual([])
    world.advance(12_000)
    expect(ends(world)).toEqual([['reader', expect.stringMatching(REASON)]])
    reader.readAgain()
    const goodbye = reader.received().at(-1)
    expect(goodbye).toMatchObject({ type: 'DISCONNECT', reasonCode: QUOTA_EXCEEDED })
    expect(JSON.stringify(goodbye)).toContain('a consumer of q has taken nothing for 10 s')
    expect(reader.isClosed).toBe(true)
    const next = subscriber(world, 'next', { filter: '$queue/q', qos: 1 })
    expect(payloads(next).map((text) => text.trim())).toEqual(Array.from({ length: MESSAGES }, (_, index) => `${index + 1}`))
  })

  it('of MQTT 3.1.1 is cut off without a word', () => {
    const { world, reader } = stalled({ slowConsumer: 'disconnect' }, 4)
    world.advance(21_000)
    expect(ends(world)).toEqual([['reader', expect.stringMatching(REASON)]])
    reader.readAgain()
    expect([new Set(reader.received().map(({ type }) => type)), reader.isClosed]).toEqual([new Set(['PUBLISH']), true])
  })

  it('that never reads again is gone a few seconds later', () => {
    const { world, reader } = stalled({ slowConsumer: 'disconnect' })
    world.advance(30_000)
    expect([reader.isClosed, world.adapter.connectionCount]).toEqual([true, 1])
  })

  it('stays connected where it is only reported', () => {
    const { world, reader } = stalled({ slowConsumer: 'report' })
    world.advance(60_000)
    expect([ends(world), world.vhost.counters.slowConsumers]).toEqual([[], 1])
    reader.readAgain()
    expect([reader.publishes().length, reader.isClosed]).toEqual([MESSAGES, false])
  })
})
