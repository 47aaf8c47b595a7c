/**
 * What rhea does wrong as a server, by its source and by measurement, each with a guard here. Frames and types that hang or crash it are in
 * src/codec/structure.test.ts and frame-splitter.test.ts.
 */
import { expect, test } from 'vitest'
import { World } from '../../harness.ts'

/** rhea's ring of deliveries ends at so many; twice as many and more must go through. */
const RING = 2_048

test('the oldest delivery is never settled: ten thousand others go on, on its link and on others', () => {
  const world = new World()
  const session = world.connect().begin({ incomingWindow: 1_000_000 })
  const first = session.receiver('queue://first')
  const second = session.receiver('queue://second')
  const publisher = world.connect({ containerId: 'publisher' }).begin()
  const [one, two] = [publisher.sender('queue://first'), publisher.sender('queue://second')]
  first.grant(1)
  one.send('held', { settled: true })
  const held = first.take()
  for (let sent = 0; sent < 10_000; sent++) {
    const [sender, receiver, queue] = sent % 2 === 0 ? [one, first, 'first'] : [two, second, 'second']
    receiver.grant(1)
    sender.send(`${queue} ${sent}`, { settled: true })
    const delivery = receiver.take()
    expect(delivery.message.text).toBe(`${queue} ${sent}`)
    receiver.settle(delivery.id)
  }
  first.settle(held.id, { kind: 'released' })
  first.grant(1)
  expect(first.take().message.text).toBe('held')
})

test(`more than ${RING} deliveries may be unsettled`, () => {
  const world = new World()
  const session = world.connect().begin({ incomingWindow: 1_000_000 })
  const receiver = session.receiver('queue://q')
  const sender = world.connect({ containerId: 'publisher' }).begin().sender('queue://q')
  receiver.grant(3 * RING)
  for (let sent = 0; sent < 3 * RING; sent++) sender.send('x', { settled: true })
  expect(receiver.takeAll()).toHaveLength(3 * RING)
})

test('a thousand links on one connection, one of them without credit: the others do not notice', () => {
  const world = new World()
  const session = world.connect().begin({ incomingWindow: 1_000_000 })
  const receivers = Array.from({ length: 1_000 }, (_, index) => session.receiver(`queue://q${index}`))
  const senders = [0, 1, 500, 999].map((index) => [index, session.sender(`queue://q${index}`)] as const)
  for (const receiver of receivers.slice(1)) receiver.grant(10)
  for (const [, sender] of senders) sender.send('x', { settled: true })
  expect(receivers.map((receiver) => receiver.takeAll().length).reduce((sum, count) => sum + count)).toBe(3)
  receivers[0]!.grant(1)
  expect(receivers[0]!.texts()).toEqual(['x'])
})

test('a link without credit on a queue leaves its messages to those that have some', () => {
  const world = new World()
  const session = world.connect().begin()
  session.receiver('queue://q')
  const willing = session.receiver('queue://q')
  willing.grant(10)
  const sender = session.sender('queue://q')
  for (const text of ['1', '2', '3']) sender.send(text, { settled: true })
  expect(willing.texts()).toEqual(['1', '2', '3'])
})

test('one name may be a sender and a receiver of the same session', () => {
  const world = new World()
  const session = world.connect().begin()
  const receiver = session.receiver('queue://q', { name: 'both' })
  const sender = session.sender('queue://q', { name: 'both' })
  receiver.grant(1)
  sender.send('x', { settled: true })
  expect(receiver.texts()).toEqual(['x'])
})

test('a disposition for four thousand million deliveries is done at once', () => {
  const world = new World()
  const peer = world.connect()
  const session = peer.begin()
  const receiver = session.receiver('queue://q')
  receiver.grant(10)
  session.sender('queue://q').send('x', { settled: true })
  const { id } = receiver.take()
  peer.send(session.dispositionFrame(true, id, { kind: 'accepted' }, { last: (id + 0x7fff_fff0) >>> 0, settled: true }))
  receiver.grant(1)
  expect(world.vhost.destinations.find('q')!.queue.waitingCount).toBe(0)
  expect(peer.received()).toEqual([])
})
