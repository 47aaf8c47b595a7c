/** What a session has unsettled when one of its links goes. */
import { describe, expect, test } from 'vitest'

import type { AmqpConnection } from '../../../src/connection.ts'
import type { AmqpSession } from '../../../src/session.ts'
import { type ReceiverPeer, World } from '../../harness.ts'

interface Scene {
  readonly world: World
  /** The broker's side. */
  readonly session: AmqpSession
  readonly big: ReceiverPeer
  readonly small: ReceiverPeer
}

/** Two receivers, with 50 messages of queue `big` and two of `a.1`. */
function receiving(): Scene {
  const world = new World()
  const { accept } = world.adapter
  let connection: AmqpConnection | undefined = undefined
  Object.assign(world.adapter, {
    accept: (...given: Parameters<typeof accept>) => (connection = accept(...given) as AmqpConnection),
  })
  const peer = world.connect()
  const own = peer.begin()
  const big = own.receiver('queue://big')
  for (let index = 0; index < 50; index++) world.publish('$queue/big', 'x')
  for (let index = 0; index < 2; index++) world.publish('$queue/a.1', 'x')
  const small = own.receiver('queue://a.*')
  for (const receiver of [big, small]) receiver.grant(100)
  const [session] = [...connection!.sessions()]
  expect([big.takeAll().length, session!.unsettled.size]).toEqual([52, 52])
  return { world, session: session!, big, small }
}

describe('the session of a link that is detached', () => {
  test('lets go of what the link had, and does not look through what other links have', () => {
    const { world, session, big, small } = receiving()
    const { unsettled } = session
    const walk = unsettled[Symbol.iterator].bind(unsettled)
    let walks = 0
    Object.assign(unsettled, { [Symbol.iterator]: () => (walks++, walk()) })
    small.detach()
    expect([unsettled.size, walks, world.queue('a.1').waitingCount]).toEqual([50, 0, 2])
    big.detach()
    expect([unsettled.size, world.queue('big').waitingCount]).toEqual([0, 50])
  })

  test('lets go of what came from a queue that has been deleted since', () => {
    const { world, session, small } = receiving()
    world.vhost.destinations.delete(world.vhost.destinations.find('a.1')!)
    world.run()
    small.detach()
    expect(session.unsettled.size).toBe(50)
  })
})
