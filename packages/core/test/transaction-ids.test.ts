/** Messages with an id in transactions: a queue that remembers ids takes one only of each, and a rollback leaves the id free. */
import { expect, test } from 'vitest'
import type { QueueSettings } from '../src/queue/settings.ts'
import type { RefusalDetail } from '../src/refusal.ts'
import { routeToAll } from '../src/routing/composites.ts'
import { ProducerTarget } from '../src/publish/producer.ts'
import type { Transaction } from '../src/transaction/transaction.ts'
import { type LifeClient, Lives, QUEUE } from './lives.ts'
import { messageOf } from './support.ts'

const Q = `${QUEUE}q`

function define(lives: Lives, name: string, settings: Partial<QueueSettings>): void {
  const defined = lives.vhost.destinations.define({ name, settings: { duplicatesMax: 100, ...settings } })
  if (!defined.ok) throw new Error(defined.detail.text)
}

async function begin(settings: Partial<QueueSettings> = {}): Promise<{ lives: Lives; client: LifeClient }> {
  const lives = await Lives.begin()
  define(lives, 'q', settings)
  await lives.quiet()
  return { lives, client: lives.client('c') }
}

/** Stages messages `[text, id]` and commits them; the answer is there when the log has been asked. */
function commit(client: LifeClient, ...staged: readonly (readonly [text: string, dedupId: string])[]): (RefusalDetail | undefined)[] {
  const transaction = client.begin()
  for (const [text, dedupId] of staged) client.stage(transaction, Q, text, { dedupId })
  return ended(transaction)
}

function ended(transaction: Transaction): (RefusalDetail | undefined)[] {
  const results: (RefusalDetail | undefined)[] = []
  transaction.commit((refusal) => void results.push(refusal))
  return results
}

/** Takes everything out of a queue. */
async function drain(lives: Lives, name = 'q'): Promise<readonly string[]> {
  const reader = lives.client('reader')
  reader.consume(name)
  await lives.quiet()
  reader.acceptAll()
  await lives.quiet()
  reader.session.disconnect()
  return reader.texts
}

test('a duplicate is accepted and dropped, of one before the transaction and of one within it', async () => {
  const { lives, client } = await begin()
  client.publish(Q, 'before', { dedupId: 'a' })
  await lives.quiet()
  const results = commit(client, ['again', 'a'], ['new', 'b'], ['new again', 'b'], ['other', 'c'])
  await lives.quiet()
  expect([results, lives.vhost.counters.duplicates]).toEqual([[undefined], 2])
  expect(await drain(lives)).toEqual(['before', 'new', 'other'])
})

test('a transaction of nothing but duplicates is committed', async () => {
  const { lives, client } = await begin()
  commit(client, ['one', 'a'])
  await lives.quiet()
  expect(commit(client, ['again', 'a'])).toEqual([undefined])
  expect(await drain(lives)).toEqual(['one'])
})

test('ids of a transaction are known after a restart, with and without a snapshot', async () => {
  const { lives, client } = await begin()
  commit(client, ['one', 'a'], ['two', 'b'])
  await lives.quiet()
  const { number } = lives.vhost.destinations.find('q')!.queue
  const states = [await lives.folded(), lives.captured()]
  expect(states.map((state) => [...state.duplicates.get(number)!.keys()])).toEqual([['a', 'b'], ['a', 'b']])
  await lives.restart()
  const again = lives.client('c')
  commit(again, ['again', 'b'], ['three', 'c'])
  await lives.quiet()
  expect(await drain(lives)).toEqual(['one', 'two', 'three'])
})

test('after a rollback the id is free', async () => {
  const { lives, client } = await begin()
  const transaction = client.begin()
  client.stage(transaction, Q, 'undone', { dedupId: 'a' })
  transaction.rollback()
  client.publish(Q, 'done', { dedupId: 'a' })
  await lives.quiet()
  expect(await drain(lives)).toEqual(['done'])
})

test('after a commit that a full queue refused, and after one that the log refused, the id is free', async () => {
  const { lives, client } = await begin({ messagesMax: 1, whenFull: 'reject' })
  client.publish(Q, 'full', {})
  await lives.quiet()
  expect(commit(client, ['no room', 'a'])).toMatchObject([{ refusal: 'limit-reached' }])
  expect(await drain(lives)).toEqual(['full'])
  const { log } = lives.vhost
  const submit = log.appendAll.bind(log)
  log.appendAll = (_records, group, level) => {
    log.appendAll = submit
    // An append that the engine refuses: too large for any group.
    submit([{ kind: 1, dest: 1, meta: new Uint8Array(0), body: new Uint8Array(0), bodyStart: 0, bodyEnd: 1e12 }], group, level)
  }
  const results = commit(client, ['refused', 'a'])
  await lives.quiet()
  expect(results).toMatchObject([{ refusal: 'limit-reached' }])
  commit(client, ['kept', 'a'])
  await lives.quiet()
  expect(await drain(lives)).toEqual(['kept'])
})

test('a commit waits for one with its id that is on its way to the log, and what is published after it keeps behind it', async () => {
  const { lives, client } = await begin()
  const other = lives.client('other')
  expect(other.publish(Q, 'first', { dedupId: 'a' })).toBe('pending')
  const results = commit(client, ['again', 'a'], ['two', 'b'])
  client.publish(Q, 'three', {})
  expect(results).toEqual([])
  await lives.quiet()
  expect(results).toEqual([undefined])
  expect(await drain(lives)).toEqual(['first', 'two', 'three'])
})

test('when the first one cannot be kept, the one in the transaction is', async () => {
  const { lives, client } = await begin()
  const { log } = lives.vhost
  const submit = log.appendAll.bind(log)
  log.appendAll = (_records, group, level) => {
    log.appendAll = submit
    submit([{ kind: 1, dest: 1, meta: new Uint8Array(0), body: new Uint8Array(0), bodyStart: 0, bodyEnd: 1e12 }], group, level)
  }
  const other = lives.client('other')
  other.publish(Q, 'refused', { dedupId: 'a', tag: 5 })
  const results = commit(client, ['kept', 'a'])
  await lives.quiet()
  expect([other.results, results]).toEqual([['5 refused'], [undefined]])
  expect(await drain(lives)).toEqual(['kept'])
})

test('two transactions under way with the same id: the second one waits for the first, and its message is dropped', async () => {
  const { lives, client } = await begin()
  const other = lives.client('other')
  const results = [commit(client, ['one', 'a']), commit(other, ['again', 'a'], ['two', 'b'])]
  await lives.quiet()
  expect([results, await drain(lives)]).toEqual([[[undefined], [undefined]], ['one', 'two']])
})

test('a message for several queues goes to those that have not had its id', async () => {
  const { lives, client } = await begin()
  const [a, b] = ['Consumer.A.VirtualTopic.T', 'Consumer.B.VirtualTopic.T']
  define(lives, a, {})
  define(lives, b, {})
  const transaction = client.begin()
  client.stage(transaction, QUEUE + a, 'only a', { dedupId: 'x' })
  client.stage(transaction, 'VirtualTopic/T', 'both', { dedupId: 'x' })
  client.stage(transaction, 'VirtualTopic/T', 'neither', { dedupId: 'x' })
  const results = ended(transaction)
  await lives.quiet()
  expect([results, await drain(lives, a), await drain(lives, b)]).toEqual([[undefined], ['only a'], ['both']])
  expect((await lives.folded()).refs.size).toBe(0)
})

test('a queue in memory remembers as long as the process', async () => {
  const { lives, client } = await begin({ durability: 'memory' })
  expect([commit(client, ['one', 'a'], ['again', 'a']), commit(client, ['again', 'a'])]).toEqual([[undefined], [undefined]])
  expect(await drain(lives)).toEqual(['one'])
})

test('a message for all destinations of a list goes to those that have not had its id, and a duplicate is answered as routed', async () => {
  const { lives, client } = await begin()
  define(lives, 'r', {})
  client.publish(Q, 'only q', { dedupId: 'a' })
  await lives.quiet()
  const list = new ProducerTarget(routeToAll(lives.vhost, [Q, `${QUEUE}r`]))
  const send = (text: string, tag: number): string =>
    client.producer.publish(list, messageOf(list.route.topic, text, { durable: true }), tag, { dedupId: 'a' })
  expect(send('both', 1)).toBe('pending')
  await lives.quiet()
  expect([send('again', 2), client.results.at(-1)]).toEqual(['routed', '1 routed'])
  expect([await drain(lives), await drain(lives, 'r')]).toEqual([['only q'], ['both']])
})
