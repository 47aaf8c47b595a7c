/** What a restart must know of messages that were handed out, and what nobody may hear once the log has ended. */
import { expect, test } from 'vitest'
import { user } from './support.ts'
import { Lives, QUEUE } from './lives.ts'

test('a message that waited in memory and was handed out comes again marked after a crash', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  const reader = lives.client('reader')
  reader.consume('jobs')
  await lives.quiet()
  expect(reader.sink.held.map(({ redelivered }) => redelivered)).toEqual([false])
  await lives.restart()
  const again = lives.client('again')
  again.consume('jobs')
  await lives.quiet()
  expect(again.sink.held.map(({ redelivered }) => redelivered)).toEqual([true])
})

test('a message that nobody could have had comes unmarked after a crash', async () => {
  const lives = await Lives.begin()
  lives.client('maker').publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  await lives.restart()
  const reader = lives.client('reader')
  reader.consume('jobs')
  await lives.quiet()
  expect(reader.sink.held.map(({ redelivered }) => redelivered)).toEqual([false])
})

test('a consumer that comes while the log is told of an earlier one gets nothing that is not noted', async () => {
  const lives = await Lives.begin()
  const maker = lives.client('maker')
  maker.publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  const first = lives.client('first')
  first.consume('jobs')
  first.session.stopConsuming('jobs')
  maker.publish(`${QUEUE}jobs`, 'two')
  const second = lives.client('second')
  second.consume('jobs')
  await lives.quiet()
  expect(second.texts).toEqual(['one', 'two'])
  await lives.restart()
  const again = lives.client('again')
  again.consume('jobs')
  await lives.quiet()
  expect(again.sink.held.map(({ redelivered }) => redelivered)).toEqual([true, true])
})

test('a snapshot says what may be handed out without another word to the log', async () => {
  const lives = await Lives.begin()
  const reader = lives.client('reader')
  reader.consume('jobs')
  reader.sink.writable = false
  await lives.quiet()
  lives.client('maker').publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  const { number, lanes } = lives.vhost.destinations.find('jobs')!.queue
  expect(lives.captured().stagedLsns.get(number)).toBe(lanes[0]!.line.lsnAt(1))
})

test('a snapshot gives a session what it has just settled, until the settle is in the log', async () => {
  const lives = await Lives.begin()
  const owner = { onEvicted: () => {} }
  const kept = { clientId: 'kept', principal: user('u'), cleanStart: false, expiryMs: Infinity, creditMax: 10, will: undefined, owner }
  const opened = lives.vhost.sessions.open(kept)
  if (!opened.ok) throw new Error(opened.detail.text)
  const { session } = opened.value
  const reader = lives.client('sink only')
  session.startDelivery(reader.sink)
  const pattern = { vhost: '/', kind: 'topic' as const, levels: ['t'] }
  session.bind({ pattern, shareName: undefined, assuranceMax: 1, noLocal: false, retained: 'never', data: {} })
  await lives.quiet()
  lives.client('maker').publish('t', 'one')
  await lives.quiet()
  const delivery = reader.sink.held[0]!
  delivery.protocolState = 7
  session.noteDelivered(delivery)
  await lives.quiet()
  const { lsn } = delivery.message
  delivery.consumer!.settle(delivery, 'accepted')
  expect(lives.captured().delivered.get(session.queue.number)).toEqual(new Map([[lsn, { session: session.queue.number, state: 7 }]]))
  await lives.quiet()
  expect(lives.captured().delivered.get(session.queue.number)).toBe(undefined)
})

test('how far a queue was handed out never goes back, whatever a later life notes', async () => {
  const lives = await Lives.begin()
  const maker = lives.client('maker')
  for (const text of ['one', 'two', 'three']) maker.publish(`${QUEUE}jobs`, text)
  await lives.quiet()
  lives.client('reader').consume('jobs')
  await lives.quiet()
  const { number } = lives.vhost.destinations.find('jobs')!.queue
  const before = (await lives.folded()).stagedLsns.get(number)!
  await lives.restart()
  expect(lives.vhost.destinations.find('jobs')!.queue.stagedLsn).toBe(before)
  lives.client('again').consume('jobs')
  await lives.quiet()
  expect((await lives.folded()).stagedLsns.get(number)).toBe(before)
})

test('nobody hears that something is done once the log has ended', async () => {
  const lives = await Lives.begin()
  await lives.stop()
  lives.client('maker').publish(`${QUEUE}jobs`, 'one')
  await lives.quiet()
  expect(lives.vhost.log.isEnded).toBe(true)
  let heard = 0
  lives.vhost.log.afterBatches(() => heard++)
  void lives.vhost.log.settledSoFar()!.then(() => heard++)
  await lives.quiet()
  expect(heard).toBe(0)
})
