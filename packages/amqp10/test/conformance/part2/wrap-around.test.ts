/** Our own numbers beyond 2^32 - 1. */
import { expect, test } from 'vitest'

import { World } from '../../harness.ts'

const BEFORE_THE_END = 0xffff_fffd

test('[AMQP10-2.8.10-a, AMQP10-2.5.6-g, AMQP10-2.6.7-i, AMQP10-2.7.6-d] deliveries, transfers and delivery counts go on with 0 behind 4,294,967,295', () => {
  const world = new World({ settings: { firstNumber: BEFORE_THE_END } })
  const session = world.connect().begin({ incomingWindow: 6 })
  const receiver = session.receiver('queue://q')
  const sender = world.connect({ containerId: 'publisher' }).begin().sender('queue://q')
  for (let sent = 0; sent < 12; sent++) sender.send(String(sent), { settled: true })
  receiver.grant(8)
  const first = receiver.takeAll()
  expect(first.map(({ id }) => id)).toEqual([BEFORE_THE_END, 0xffff_fffe, 0xffff_ffff, 0, 1, 2])
  session.flow({ incomingWindow: 6 })
  const more = receiver.takeAll()
  expect(more.map(({ id }) => id)).toEqual([3, 4])
  session.peer.send(session.dispositionFrame(true, BEFORE_THE_END, { kind: 'accepted' }, { last: 1, settled: true }))
  session.peer.send(session.dispositionFrame(true, 2, { kind: 'released' }, { last: 4, settled: true }))
  receiver.grant(10)
  expect(receiver.texts()).toEqual(['5', '6', '7', '8'])
  session.flow({ incomingWindow: 6 })
  expect(receiver.texts()).toEqual(['9', '10', '11'])
})
