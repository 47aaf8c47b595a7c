import { NotAppended } from '@ternmq/store'
import { expect, test } from 'vitest'
import { type LifeClient, type LifeOptions, Lives, QUEUE } from '../../test/lives.ts'
import { topicPattern, user } from '../../test/support.ts'
import type { NamedQueue } from '../destinations/destinations.ts'
import { DEPARTURES_PER_TURN } from '../limits.ts'

const PATTERN = topicPattern('news')

function open(lives: Lives, userName: string, name: string, clientId?: string): boolean {
  const subject = { principal: user(userName), clientId: clientId ?? 'any' }
  return lives.vhost.subscriptions.open({ clientId, name, pattern: PATTERN, shared: clientId === undefined }, subject)
    .ok
}

/** Ann and Bob each have durable subscriptions, and messages that are to be sent; Ann's are more than end in one turn. */
async function world(options: LifeOptions = {}): Promise<{ lives: Lives; ann: LifeClient; bob: LifeClient }> {
  const lives = await Lives.begin(options)
  const [ann, bob] = [lives.client('ann-1', 'ann'), lives.client('bob-1', 'bob')]
  for (let index = 0; index < DEPARTURES_PER_TURN + 5; index++)
    open(lives, 'ann', `s${index}`, index % 2 === 0 ? 'ann-1' : undefined)
  open(lives, 'bob', 'his', 'bob-1')
  for (const client of [ann, bob]) {
    client.publish(`${QUEUE}jobs`, `once, ${client.session.clientId}`, { schedule: { delayMs: 60_000 } })
    client.publish(`${QUEUE}jobs`, `often, ${client.session.clientId}`, {
      durable: false,
      schedule: { delayMs: 60_000, periodMs: 60_000, repeats: -1 },
    })
  }
  bob.publish('news', 'kept')
  await lives.quiet()
  return { lives, ann, bob }
}

function left({ vhost }: Lives): readonly (readonly string[])[] {
  return [
    Array.from(vhost.sessions.all(), ({ clientId }) => clientId),
    Array.from(vhost.destinations.all(), ({ subscription }) => subscription?.user ?? '').filter((name) => name !== ''),
    Array.from(vhost.schedule.all(), (scheduled) => scheduled.user!),
  ]
}

const BOBS = [['bob-1'], ['bob'], ['bob', 'bob']]

test('with a user go sessions, durable subscriptions and what was to be sent later, now and after a restart', async () => {
  const { lives } = await world()
  let isDone = false
  lives.vhost.departures.end('ann', () => (isDone = true))
  expect(isDone).toBe(false)
  await lives.quiet()
  expect([isDone, left(lives)]).toEqual([true, BOBS])
  await lives.restart()
  expect(left(lives)).toEqual([[], ['bob'], ['bob']])
  const worker = lives.client('worker')
  worker.consume('jobs')
  await lives.pass(60_000)
  expect(worker.texts).toEqual(['once, bob-1'])
})

test('a message that was being scheduled while its user went is not sent', async () => {
  const { lives, ann } = await world()
  ann.publish(`${QUEUE}jobs`, 'under way', { schedule: { delayMs: 1_000 } })
  lives.vhost.departures.end('ann')
  await lives.quiet()
  expect(left(lives)).toEqual(BOBS)
})

test('who gets the name before all of it has ended finds nothing of it, and keeps what is new', async () => {
  const { lives } = await world()
  lives.vhost.departures.end('ann')
  lives.vhost.departures.runTurn()
  const last = `s${DEPARTURES_PER_TURN + 4}`
  const find = (): NamedQueue =>
    Array.from(lives.vhost.destinations.all()).find(({ name }) => name.endsWith(`ann-1/${last}`))!
  expect(find().queue.waitingCount).toBe(1)
  expect(open(lives, 'ann', last, 'ann-1')).toBe(true)
  expect(find().queue.waitingCount).toBe(0)
  await lives.quiet()
  expect(left(lives)[1]).toEqual(['bob', 'ann'])
})

test('where the log takes nothing, the end of what was scheduled is tried again, and nobody hears before that it is done', async () => {
  let refusal: NotAppended | undefined = undefined
  const { lives } = await world({ refusal: () => refusal })
  let isDone = false
  refusal = new NotAppended('full', 'the disk is full')
  lives.vhost.departures.end('ann', () => (isDone = true))
  await lives.quiet()
  expect([isDone, left(lives)[2]!.includes('ann')]).toEqual([false, true])
  refusal = undefined
  await lives.pass(5_000, 1_000)
  expect([isDone, left(lives)]).toEqual([true, BOBS])
})

test('nothing of an anonymous client ends with a user of that name', async () => {
  const lives = await Lives.begin()
  const client = lives.client('c', 'anonymous')
  client.publish(`${QUEUE}jobs`, 'x', { schedule: { delayMs: 1_000 } })
  await lives.quiet()
  lives.vhost.departures.end('anonymous')
  await lives.quiet()
  expect(left(lives)).toEqual([['c'], [], ['anonymous']])
})
